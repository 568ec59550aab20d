"""rushlight: PyTorch's autograd and tensor system in Python on NumPy.

``import rushlight as torch`` in code, or ``rushlight run script.py`` for a script that imports torch.
"""

import importlib as _importlib

import numpy as _np

# PyTorch computes inf and nan without a word; NumPy's warnings about them are switched off for the thread that imports rushlight
_np.seterr(all="ignore")

from .array.memory import keep_freed_memory as _keep_freed_memory  # noqa: E402

_keep_freed_memory()

from . import absent as _absent  # noqa: E402, F401 - lets modules that are not here be imported
from . import dtypes as _dtypes  # noqa: E402
from . import interop as _interop  # noqa: E402, F401 - hangs methods on Tensor
from . import overrides as _overrides  # noqa: E402, F401 - hangs __torch_function__ on Tensor
from . import storage as _storage  # noqa: E402
from .autograd import calls as _calls  # noqa: E402, F401 - gives Tensor its backward()
from .autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled  # noqa: E402, F401
from .devices import device  # noqa: E402, F401
from .dtypes import dtype, finfo, get_default_dtype, iinfo, promote_types, set_default_dtype  # noqa: E402, F401
from .interop import from_dlpack, to_dlpack  # noqa: E402, F401
from .ops import asking as _asking  # noqa: E402
from .ops import core as _core  # noqa: E402
from .ops import creation as _creation  # noqa: E402
from .ops import table as _table  # noqa: E402
from .ops.asarray import asarray, from_file, frombuffer  # noqa: E402, F401
from .size import Size  # noqa: E402, F401
from .tensor import LAYOUTS as _LAYOUTS  # noqa: E402
from .tensor import Tensor, layout  # noqa: E402, F401
from .torch_version import TorchVersion as _TorchVersion  # noqa: E402
from .version import __version__ as _version  # noqa: E402

__version__ = _TorchVersion(_version)
#: rushlight's own version; ``__version__`` is that of the PyTorch it follows
__rushlight_version__ = "0.1.0"

globals().update(_dtypes.BY_NAME)
globals().update(_dtypes.ALIASES)
globals().update(_core.MEMORY_FORMATS)
globals().update(_LAYOUTS)
globals().update(_dtypes.QSCHEMES)
qscheme = _dtypes.qscheme
globals().update(_storage.STORAGES)
from .storage import TypedStorage, UntypedStorage  # noqa: E402, F401

Storage = _storage.STORAGES["FloatStorage"]

memory_format = _core.memory_format
globals().update(_creation.TYPED)
tensor = _creation.tensor  # spelt out: type checkers would take it for the module
globals().update(_table.PLACES[""])
from math import e, inf, nan, pi  # noqa: E402, F401

newaxis = None
torch = _importlib.import_module(__name__)  # PyTorch's module shows itself, and programs write torch.torch.Tensor
legacy_contiguous_format = _core.contiguous_format
#: what the libraries behind NumPy can do
has_lapack = has_spectral = True
has_mkl = has_openmp = False

from .missing import fill_tensor_class as _fill_tensor_class  # noqa: E402

_fill_tensor_class(Tensor)


def is_tensor(obj):
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    return input._dtype.is_floating_point


def is_complex(input):
    return input._dtype.is_complex


def is_storage(obj):
    return isinstance(obj, (_storage.UntypedStorage, _storage.TypedStorage))


def numel(input):
    """The number of elements."""
    return input._a.size


def result_type(tensor1, tensor2):
    """The dtype an arithmetic operation on the two (tensors or numbers) results in."""
    from .ops.dispatch import operand_dtype

    return operand_dtype([each._a if isinstance(each, Tensor) else each for each in (tensor1, tensor2)])


def can_cast(from_, to):
    """Whether PyTorch's casting rules let a result of dtype ``from_`` be written into ``to``."""
    return _dtypes.can_cast(from_, to)


def typename(obj):
    """The legacy type name of a tensor, or the qualified class name of anything else."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    return (
        f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ not in ("", "builtins", None) else kind.__qualname__
    )


def detach(input):
    return input.detach()


def set_printoptions(*args, **kwargs):
    """How tensors are printed: ``precision``, ``threshold``, ``edgeitems``, ``linewidth``, ``profile``, ``sci_mode``."""
    from . import printing

    printing.set_printoptions(*args, **kwargs)


def get_num_threads():
    """How many threads elementwise work may use; matrix products use what the BLAS behind NumPy is set to."""
    from .array import threads

    return threads.get_num_threads()


def set_num_threads(count):
    from .array import threads

    threads.set_num_threads(count)


def compiled_with_cxx11_abi():
    return True


_asking.ask_first(globals())

_SUBMODULES = {
    *(
        "autograd",
        "nn",
        "optim",
        "utils",
        "linalg",
        "fft",
        "special",
        "func",
        "distributions",
        "distributed",
        "random",
        "testing",
        "cuda",
    ),
    *(
        "backends",
        "jit",
        "amp",
        "overrides",
        "types",
        "version",
        "hub",
        "signal",
        "masked",
        "profiler",
        "return_types",
        "mps",
    ),
    *(
        "cpu",
        "_C",
        "_VF",
        "_dynamo",
        "_ops",
        "_tensor",
        "_utils",
        "multiprocessing",
        "library",
        "compiler",
        "serialization",
        "onnx",
        "xpu",
        "accelerator",
        "futures",
        "fx",
        "package",
        "ao",
        "export",
        "__config__",
        *("functional", "mtia", "nested", "quantization", "sparse", "_functorch", "_inductor", "torch_version"),
    ),
}
#: public names that live in a module loaded at first use
_LAZY = {
    **dict.fromkeys(("is_anomaly_enabled", "is_anomaly_check_nan_enabled"), ".autograd.anomaly"),
    **dict.fromkeys(("inference_mode", "is_inference_mode_enabled"), ".autograd.inference"),
    "vmap": ".func.batching",
    "GradScaler": ".amp.grad_scaler",
    **dict.fromkeys(("load", "save"), ".serialization"),
    "compile": ".compiler",
    "Future": ".futures",
    "Tag": ".ops.overloads",
    "PyTorchFileReader": "._C",
    **dict.fromkeys(("Event", "Stream"), ".accelerator"),
    **dict.fromkeys(("OutOfMemoryError", "get_device_module"), ".cuda"),
    **dict.fromkeys(("ScriptFunction", "ScriptModule"), ".jit"),
    **dict.fromkeys(
        ("SymBool", "SymFloat", "SymInt", "_assert", "_assert_async", "_check", "_check_index"), ".symbolic"
    ),
    **dict.fromkeys(("_check_is_size", "_check_not_implemented", "_check_tensor_all", "_check_type"), ".symbolic"),
    **dict.fromkeys(("_check_tensor_all_with", "_check_value", "_check_with"), ".symbolic"),
    **dict.fromkeys(
        ("sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum"), ".symbolic"
    ),
    **dict.fromkeys(
        (
            *("get_default_device", "get_num_interop_threads", "set_default_device", "set_default_tensor_type"),
            *("set_flush_denormal", "set_num_interop_threads"),
        ),
        ".defaults",
    ),
    **dict.fromkeys(
        (
            *("are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_float32_matmul_precision"),
            *("is_deterministic_algorithms_warn_only_enabled", "set_deterministic_debug_mode"),
            *(
                "is_warn_always_enabled",
                "set_float32_matmul_precision",
                "set_warn_always",
                "use_deterministic_algorithms",
            ),
        ),
        ".settings",
    ),
    **dict.fromkeys(
        (
            *("autocast", "clear_autocast_cache", "get_autocast_cpu_dtype", "get_autocast_dtype"),
            *("is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled"),
            *("set_autocast_cache_enabled", "set_autocast_dtype"),
        ),
        ".amp.autocast_mode",
    ),
}


def __getattr__(name):
    if name in _SUBMODULES:
        try:
            return _importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    home = ".ops.foreach" if name.startswith("_foreach_") else _LAZY.get(name)
    if home is not None:
        value = getattr(_importlib.import_module(home, __name__), name)
        globals()[name] = value
        return value
    if name.startswith("__"):
        raise AttributeError(f"module 'torch' has no attribute '{name}'")
    from .missing import explain

    raise AttributeError(explain("torch", name))
