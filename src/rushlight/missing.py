"""What is missing says so.

A name that PyTorch has and rushlight does not raises an `AttributeError` whose text says that it is not there yet and
points at the coverage page. A name that neither has raises what PyTorch raises. The names of PyTorch come from
`data/torch_names.txt` (written by `tools/list_torch_names.py`), which is read when the first missing name is hit.

Modules take `__getattr__ = missing.module_getattr(__name__)`. The tensor class must not define `__getattr__`, which
would make every attribute read slower, so `fill_tensor_class` hangs a small descriptor on it for each missing name.
"""

import functools
import os

__all__ = ["explain", "fill_tensor_class", "module_getattr", "names"]

_OWN = __name__.rpartition(".")[0]  # "rushlight"
_PATH = os.path.join(os.path.dirname(__file__), "data", "torch_names.txt")


def _read():
    """The text of the data file; through the loader, so that it works from a zip file too."""
    loader = globals().get("__loader__")
    if loader is not None and hasattr(loader, "get_data"):
        return loader.get_data(_PATH).decode()
    with open(_PATH, encoding="utf-8") as file:
        return file.read()


def _section(text, module):
    """The names under `[module]`, or () when the file has no such heading."""
    start = text.find(f"[{module}]\n")
    if start < 0:
        return ()
    start += len(module) + 3
    end = text.find("\n[", start - 1)
    return text[start : end if end >= 0 else None].split()


@functools.cache
def names(module):
    """The public names PyTorch has in `module` ("torch", "torch.nn", "torch.Tensor", ...), as a frozenset."""
    text, module = _read(), _torch_name(module)
    return frozenset(_section(text, module)) | frozenset(_section(text, f"{module} (internals)"))


def _torch_name(module):
    """PyTorch's name for one of our modules: "rushlight.nn" and "nn" are "torch.nn", "" is "torch"."""
    head, dot, rest = module.partition(".")
    if head == _OWN:
        return f"torch{dot}{rest}"
    return module if head == "torch" else f"torch.{module}".rstrip(".")


def explain(module, attribute):
    """The text of the `AttributeError` for `module.attribute`.

    `module` is "torch.nn" or "rushlight.nn" (the same), or "torch.Tensor" for an attribute of a tensor.
    """
    module = _torch_name(module)
    if not attribute.startswith("__") and attribute in names(module):
        return f"rushlight does not have {module}.{attribute} yet; docs/coverage.md lists what is there"
    if module == "torch.Tensor":
        return f"'Tensor' object has no attribute '{attribute}'"
    return f"module '{module}' has no attribute '{attribute}'"


def module_getattr(module):
    """A module-level `__getattr__` (PEP 562) for `module`."""

    def __getattr__(attribute):
        raise AttributeError(explain(module, attribute))

    return __getattr__


class _NotThere:
    """Stands in a class for an attribute that is not there: reading it raises, so `hasattr` is False.

    It does not catch assignment: a user may keep an attribute of that name on a tensor, as on any Python object.
    """

    __slots__ = ("_name",)

    def __init__(self, name):
        self._name = name

    def __get__(self, instance, owner=None):
        raise AttributeError(explain("torch.Tensor", self._name))


def fill_tensor_class(cls):
    """Hang a descriptor on `cls` for every attribute PyTorch's Tensor has and `cls` lacks; returns their names.

    Special methods are left out: Python takes the presence of one for the ability.
    """
    missing = [
        name for name in _section(_read(), "torch.Tensor") if not name.startswith("__") and not hasattr(cls, name)
    ]
    for name in missing:
        setattr(cls, name, _NotThere(name))
    cls.__dir__ = _listing(frozenset(missing))
    return tuple(missing)


def _listing(missing):
    """``dir`` of a tensor: without what is not there (a slot that is still empty, too), and as in PyTorch without what is deprecated."""

    def __dir__(self):
        found = {*dir(type(self)), *vars(self)} - {"volatile", "_meta"}
        return sorted(name for name in found if name not in missing or hasattr(self, name))

    return __dir__
