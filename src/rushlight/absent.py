"""Parts of PyTorch that rushlight does not have and programs import all the same: the import works, and the use says so.

Libraries name the classes of `torch.fx` or `torch.distributed` in annotations, in ``isinstance``, as bases and as defaults of
arguments, whether or not the program at hand ever comes to use them. A module that calls `stand_in` has for each of its names a class
with nothing in it; calling that, or making one of a subclass, raises NotImplementedError with one sentence. The modules below it are
of the same kind, whatever their names.
"""

import importlib.machinery
import sys

from .missing import explain, names

__all__ = ["stand_in"]

#: the module, rushlight.x, and the sentence of what is called in it and below it
_SENTENCES = {}


class _Absent(type):
    """The class of the classes that stand for what is not there; so do their attributes."""

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(f"{cls._sentence}, so {cls._name} is not there")

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        return _absent(f"{cls._name}.{name}", cls._sentence)

    def __getitem__(cls, parameters):
        return cls


def _absent(name, sentence):
    home, _, own = name.rpartition(".")
    made = _Absent(own, (), {"__module__": home, "_name": name, "_sentence": sentence})
    return made


def stand_in(module, sentence):
    """Let the module of that name, and all below it, have stand-ins; returns the module's ``__getattr__``.

    Where the names that PyTorch has in the module are known (`missing.names`), there are no others.
    """
    _SENTENCES[module] = sentence
    if _finder not in sys.meta_path:
        sys.meta_path.append(_finder)
    return _getattr_of(module, sentence)


def _getattr_of(module, sentence):
    known = names(module)
    space = sys.modules[module].__dict__
    title = "torch" + module[module.index(".") :]

    def __getattr__(name):
        if name.startswith("__") or known and name not in known and not name.startswith("_"):
            raise AttributeError(explain(module, name))
        return space.setdefault(name, _absent(f"{title}.{name}", sentence))

    return __getattr__


class _Finder:
    """Finds the modules below the absent ones, after everybody else has been asked."""

    def find_spec(self, fullname, path=None, target=None):
        if any(fullname.startswith(module + ".") for module in _SENTENCES):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        above = max((name for name in _SENTENCES if module.__name__.startswith(name + ".")), key=len)
        module.__getattr__ = _getattr_of(module.__name__, _SENTENCES[above])


_finder = _Finder()
