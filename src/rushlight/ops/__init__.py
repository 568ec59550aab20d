"""The operators of rushlight, by family; importing this package declares them all."""

import importlib
import importlib.util

from . import core, creation, subscript, table  # noqa: F401

creation.hang_raw(table.RAW)

#: the files of operator families
FAMILIES = (
    *("elementwise", "compare", "special", "activation", "windows"),
    *("shape", "copies", "join", "gather", "reduce", "segments", "scan", "sort", "softmax", "pad"),
    *("matmul", "linalg", "removed", "fft"),
    *(
        "random",
        "lowrank",
        "dropout",
        "gumbel",
        "embedding",
        "conv",
        "pooling",
        "fractional",
        "norm",
        "loss",
        "resample",
        "fold",
        "attention",
        "recurrent",
        "weight_norm",
        "queries",
    ),
)
for _family in FAMILIES:
    importlib.import_module(f"{__name__}.{_family}")

from . import operators  # noqa: E402

operators.hang()


def __getattr__(name):
    # torch.ops.aten: the operators by PyTorch's names; torch.ops.<namespace>: those of torch.library
    if name == "aten":
        from ..utils import _python_dispatch  # noqa: F401 - asks modes and classes from now on
        from .overloads import aten

        return aten
    if name == "profiler":
        from ..autograd.profiler import functions

        return functions
    if name.startswith("__") or importlib.util.find_spec(f"{__name__}.{name}") is not None:
        # a file of this package that is about to be imported is no namespace
        raise AttributeError(f"module 'torch.ops' has no attribute '{name}'")
    from ..library import Namespace

    found = globals()[name] = Namespace(name)
    return found
