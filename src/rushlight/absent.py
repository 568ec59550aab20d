"""Parts of PyTorch that rushlight does not have and programs import all the same: the import works, and the use says so.

Libraries name the classes of `torch.fx` or `torch.distributed` in annotations, in ``isinstance``, as bases and as defaults of
arguments, whether or not the program at hand ever comes to use them. A module that calls `stand_in` has for each of its names a class
with nothing in it; calling that, or making one of a subclass, raises NotImplementedError with one sentence. The modules below it are
of the same kind, whatever their names, and so are those that the table here lists.
"""

import importlib.machinery
import importlib.util
import sys

from .missing import explain, names

__all__ = ["absent", "stand_in"]

_OWN = __name__.rpartition(".")[0]
#: the module, rushlight.x, and the sentence of what is called in it and below it; these have no file of their own
_SENTENCES = {
    f"{_OWN}.{name}": sentence
    for name, sentence in {
        **dict.fromkeys(
            ("_inductor", "_guards", "_higher_order_ops", "_subclasses"), "rushlight compiles and traces nothing"
        ),
        **dict.fromkeys(("ao", "quantization"), "rushlight quantises nothing"),
        **dict.fromkeys(
            ("export", "package"), "rushlight saves no programs; save a state_dict with torch.save instead"
        ),
        "mtia": "rushlight computes on the CPU",
        "nn.attention.flex_attention": "rushlight attends by torch.nn.functional.scaled_dot_product_attention",
        "nested": "rushlight has no nested tensors",
        "quasirandom": "rushlight draws no Sobol sequences; scipy.stats.qmc does",
        "sparse": "rushlight has no sparse tensors",
        "utils.cpp_extension": "rushlight compiles no C++",
        "utils.data.datapipes": "rushlight has no data pipes; torch.utils.data.DataLoader is there",
    }.items()
}


class Absent(type):
    """The class of the classes that stand for what is not there; so do their attributes."""

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(f"{cls._sentence}, so {cls._name} is not there")

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        return absent(f"{cls._name}.{name}", cls._sentence)

    def __getitem__(cls, parameters):
        return cls


def absent(name, sentence):
    """The class that stands for ``name``, torch.x.y: what is called raises NotImplementedError with the sentence."""
    home, _, own = name.rpartition(".")
    return Absent(own, (), {"__module__": home, "_name": name, "_sentence": sentence})


def stand_in(module, sentence):
    """Let the module of that name, and all below it, have stand-ins; returns the module's ``__getattr__``.

    Where the names that PyTorch has in the module are known (`missing.names`), there are no others.
    """
    _SENTENCES[module] = sentence
    return _getattr_of(module, sentence)


def _getattr_of(module, sentence):
    known = names(module)
    space = sys.modules[module].__dict__
    title = "torch" + module[module.index(".") :]

    def __getattr__(name):
        if name.startswith("__") or known and name not in known and not name.startswith("_"):
            raise AttributeError(explain(module, name))
        if "__path__" in space:
            below = importlib.util.find_spec(f"{module}.{name}")
            if not isinstance(below.loader, _Finder):
                return importlib.import_module(below.name)  # a module that has a file of its own
        return space.setdefault(name, absent(f"{title}.{name}", sentence))

    return __getattr__


class _Finder:
    """Finds the modules below the absent ones, after everybody else has been asked."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith(_OWN) and _above(fullname) is not None:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__getattr__ = _getattr_of(module.__name__, _SENTENCES[_above(module.__name__)])


def _above(name):
    """The absent module that the one of that name is, or is below; None where it is neither."""
    found = [module for module in _SENTENCES if f"{name}.".startswith(f"{module}.")]
    return max(found, key=len, default=None)


sys.meta_path.append(_Finder())
