"""``import torch`` gives rushlight: the same module objects, also under the name ``torch``.

``install()`` puts a finder at the front of ``sys.meta_path``, so it wins even where the real PyTorch is installed. Nothing is
imported until somebody asks; then ``torch.x.y`` *is* ``rushlight.x.y`` (one module under two names), so classes are the same
objects whichever name they were imported by. A submodule that is not there says so in one sentence when it is imported, and is
simply not found when a program only asks whether it exists (``importlib.util.find_spec``).

Processes that ``multiprocessing`` starts afresh (methods ``spawn`` and ``forkserver``) import the main module again, which
imports torch again. They get their orders from their parent in a pickle; the alias travels in it and is installed in the child
as that pickle is read, before the main module is.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import sys

__all__ = ["install", "installed", "uninstall"]

_OURS = __name__.partition(".")[0]
_THEIRS = "torch"
#: a package that PyTorch brings beside ``torch``; here it is a part of ours
_OLD = "functorch"

#: floors of the house that PyTorch has no module for; under the name torch they must not appear
_PRIVATE = frozenset(
    (
        *(
            "__main__",
            "absent",
            "alias",
            "array",
            "cli",
            "data",
            "defaults",
            "devices",
            "dtypes",
            "errors",
            "explain",
            "failures",
            "functorch",
            "inplace",
            "interop",
        ),
        *(
            "mirror",
            "missing",
            "ops",
            "overridable",
            "parameter",
            "printing",
            "settings",
            "shown",
            "size",
            "symbolic",
            "tensor",
        ),
    )
)


def _is_ours(module):
    return getattr(module, "__name__", "").partition(".")[0] == _OURS


def _public(name):
    """Whether a module's name, ``rushlight.x.y`` or ``torch.x.y``, is one that PyTorch's users may see."""
    return name.split(".", 2)[1:2] == [] or name.split(".", 2)[1] not in _PRIVATE


def _share(module):
    """Give a module of rushlight its second name."""
    name = module.__name__
    if _public(name):
        sys.modules.setdefault(_THEIRS + name[len(_OURS) :], module)


# the two classes have no base: importlib.abc would take longer to import than all of the rest here
class _Loader:
    """Hands over a module of rushlight in place of the one the import system made."""

    def __init__(self, name):
        self.name = name  # the module's own name, rushlight.x.y

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        # what stands in sys.modules is what the import gives; the module itself, and its __spec__, stay as they are
        sys.modules[module.__name__] = importlib.import_module(self.name)

    def get_code(self, name):
        """What ``python -m torch.x`` runs."""
        return importlib.util.find_spec(self.name).loader.get_code(self.name)


class _Finder:
    """Finds ``torch.x.y`` in rushlight, and hears of every module of rushlight that is loaded."""

    def find_distributions(self, context):
        """What ``importlib.metadata`` says of torch: libraries ask it for the version before they import torch."""
        return [_distribution()] if context.name in (None, _THEIRS) else []

    def find_spec(self, fullname, path=None, target=None):
        top, _, rest = fullname.partition(".")
        if top == _OURS:
            return _spec_from_others(fullname, path, then=_share)
        if fullname == "multiprocessing.spawn":
            return _spec_from_others(fullname, path, then=_tell_children)
        if top != _THEIRS and top != _OLD:
            return None
        ours = f"{_OURS}.{fullname}" if top == _OLD else _OURS + fullname[len(_THEIRS) :]
        found = importlib.util.find_spec(ours) if _public(fullname) else None
        if found is None:
            if sys._getframe(1).f_back.f_code.co_name != "_find_and_load_unlocked":
                return None  # only asked whether it is there
            raise ModuleNotFoundError(f"rushlight does not have {fullname} yet; see docs/coverage.md", name=fullname)
        spec = importlib.machinery.ModuleSpec(fullname, _Loader(ours), origin=found.origin)
        if found.submodule_search_locations is not None:
            spec.submodule_search_locations = list(found.submodule_search_locations)
        return spec


def _spec_from_others(name, path, then):
    """The spec that the other finders have for a module, with ``then(module)`` called once it has been loaded."""
    for finder in sys.meta_path:
        spec = None if finder is _finder else finder.find_spec(name, path)
        if spec is not None:
            break
    else:
        return None
    load = getattr(spec.loader, "exec_module", None)
    if load is not None:

        def load_and_then(module):
            load(module)
            then(module)

        spec.loader.exec_module = load_and_then
    return spec


def _distribution():
    from importlib.metadata import Distribution

    from . import __version__

    class Metadata(Distribution):
        """The release of PyTorch that rushlight follows, as an installed package."""

        def read_text(self, filename):
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {__version__}\n" if filename == "METADATA" else None

        def locate_file(self, path):
            return os.path.join(os.path.dirname(__file__), path)

    return Metadata()


_finder = _Finder()


def installed():
    """Whether ``import torch`` gives rushlight in this process."""
    return _finder in sys.meta_path


def install():
    """Make ``import torch`` and ``import torch.x.y`` give rushlight from now on; installing twice is the same as once.

    Raises RuntimeError when the real PyTorch has been imported already: two libraries cannot share one name.
    """
    loaded = sys.modules.get(_THEIRS)
    if loaded is not None and not _is_ours(loaded):
        raise RuntimeError(
            "torch has been imported already; call rushlight.alias.install() before the first import of torch"
        )
    if not installed():
        sys.meta_path.insert(0, _finder)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == _OURS and _is_ours(module):
            _share(module)
    if "multiprocessing.spawn" in sys.modules:
        _tell_children(sys.modules["multiprocessing.spawn"])


def uninstall():
    """Take the alias back: ``import torch`` is what it was. Whoever has imported it already keeps what they have."""
    if installed():
        sys.meta_path.remove(_finder)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in (_THEIRS, _OLD) and _is_ours(module):
            del sys.modules[name]


# ------------------------------------------------------------------------------------------------ child processes


class _InstallInChild:
    """Pickles as a call that installs the alias in the process that reads the pickle."""

    def __init__(self, path):
        self.path = path  # the sys.path to import rushlight by

    def __reduce__(self):
        # rushlight may not be on the child's path yet, so the call can only name what every Python has
        return exec, (f"import sys\nsys.path[:] = {self.path!r}\nimport {__name__} as a\na.install()", {})


def _tell_children(spawn):
    """Let the orders for the child processes carry the alias; ``spawn`` is the module ``multiprocessing.spawn``."""
    plain = spawn.get_preparation_data
    if hasattr(plain, "__wrapped__"):
        return
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

    def get_preparation_data(name):
        data = plain(name)
        if not installed():
            return data
        if sys._getframe(1).f_code.co_name == "ensure_running":
            # the fork server itself gets its orders as text, without the alias, so it must not import the main module;
            # its children do, by orders of their own
            data.pop("init_main_from_path", None)
            data.pop("init_main_from_name", None)
            return data
        return {_OURS: _InstallInChild([*data.get("sys_path", sys.path), home]), **data}

    get_preparation_data.__wrapped__ = plain
    spawn.get_preparation_data = get_preparation_data
