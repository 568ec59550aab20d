"""``torch.torch_version``: the version as a string that compares as versions do, also with strings and tuples."""

import re

__all__ = ["TorchVersion"]

# compiled at the first comparison
_VERSION = (
    r"\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<phase>a|alpha|b|beta|c|rc|pre|preview)[-_.]?(?P<pre>\d*))?"
    r"(?:-(?P<post1>\d+)|[-_.]?(?P<late>post|rev|r)[-_.]?(?P<post2>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<devel>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*"
)
_PHASES = {"a": "a", "b": "b"}
_FIRST, _LAST = (0,), (2,)  # below and above every (1, value)


def _key(text):
    """What versions are ordered by (PEP 440); None for what is no version."""
    found = re.fullmatch(_VERSION, text, re.IGNORECASE)
    if found is None:
        return None
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and not release[-1]:
        release.pop()
    phase, late, dev = found["phase"], found["post1"] or found["late"], found["dev"]
    pre = (1, _PHASES.get(phase[0].lower(), "rc"), int(found["pre"] or 0)) if phase else _LAST
    if not phase and not late and dev:
        pre = _FIRST
    post = (1, int(found["post1"] or found["post2"] or 0)) if late else _FIRST
    # numbers stand above letters
    local = re.split("[-_.]", found["local"].lower()) if found["local"] else ()
    local = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in local)
    return int(found["epoch"] or 0), release, pre, post, (1, int(found["devel"] or 0)) if dev else _LAST, local


class TorchVersion(str):
    """A version: a string that compares by its numbers with other versions, strings and tuples.

    ``TorchVersion("2.10") > "2.9"`` and ``> (2, 9)`` hold. What is no version is compared as a string.
    """

    __slots__ = ()


def _comparing(name):
    plain = getattr(str, name)

    def compare(self, other):
        if isinstance(other, (tuple, list)):
            other = ".".join(str(part) for part in other)
        if not isinstance(other, str):
            return NotImplemented
        mine, theirs = _key(self), _key(other)
        if mine is None or theirs is None:
            return plain(self, other)
        return getattr(type(mine), name)(mine, theirs)

    compare.__name__ = compare.__qualname__ = name
    return compare


for _name in ("__eq__", "__ge__", "__gt__", "__le__", "__lt__"):
    setattr(TorchVersion, _name, _comparing(_name))
TorchVersion.__hash__ = str.__hash__
