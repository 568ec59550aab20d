"""Which functions ask classes and modes (``__torch_function__``), by the module they are in and by their names."""

import functools
import importlib
import inspect
import types

from .ops.asking import IGNORED_METHODS, MAKERS, let_attributes_ask, methods, properties
from .ops.table import METHODS, PLACES
from .tensor import Tensor

__all__ = [
    *("get_ignored_functions", "get_overridable_functions", "get_testing_overrides", "is_tensor_method_or_property"),
    "resolve_name",
]

#: functions that ask nobody, or that PyTorch counts among those although they ask: about modes and settings, or about anything but tensors
_IGNORED = {
    "": (
        *MAKERS,
        *("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "is_tensor", "is_storage"),
        *("is_grad_enabled", "set_grad_enabled", "no_grad", "enable_grad", "inference_mode", "typename"),
        *("get_default_dtype", "set_default_dtype", "set_printoptions", "vmap", "compile", "load", "save"),
        *("broadcast_shapes", "get_num_threads", "set_num_threads", "get_default_device", "set_default_device"),
        *("from_file", "from_numpy", "as_strided", "fill", "vander", "result_type", "normal"),
        *("rand_like", "randn_like", "randint_like", "eig", "lstsq", "matrix_rank", "solve", "symeig"),
    ),
    "nn.functional": (
        *("sigmoid", "tanh", "hardsigmoid", "hardswish", "upsample", "upsample_bilinear", "upsample_nearest"),
    ),
    METHODS: (
        *IGNORED_METHODS,
        *("new", "new_empty", "new_empty_strided", "new_full", "new_ones", "new_tensor", "new_zeros", "stride"),
    ),
    "fft": ("fftfreq", "rfftfreq"),
}
#: modules of functions, those first whose names go before others
_SPACES = ("special", "fft", "linalg", METHODS, "nn.init", "nn.functional", "functional", "")
_INITIALIZERS = ("uniform_", "normal_", "constant_", "kaiming_uniform_")


def _space(space):
    """The module or class of a space, and its functions by name."""
    package = importlib.import_module(__package__)
    if space == METHODS:
        return Tensor, {name: each for name, each in vars(Tensor).items() if isinstance(each, types.FunctionType)}
    module = importlib.import_module(f"{__package__}.{space}") if space else package
    names = {"functional": getattr(module, "__all__", ()), "nn.init": _INITIALIZERS}.get(space) or PLACES[space]
    names = (*names, *_IGNORED.get(space, ()))
    found = {name: getattr(module, name, None) for name in names if not name.startswith("_")}
    return module, {name: each for name, each in found.items() if callable(each)}


@functools.cache
def _ignored():
    return frozenset(
        getattr(owner, name)
        for space in _IGNORED
        for owner in (_space(space)[0],)
        for name in _IGNORED[space]
        if hasattr(owner, name)
    )


def get_ignored_functions():
    """Functions that ask nobody, or modes only: those that make tensors from nothing, and those about modes and settings."""
    return set(_ignored())


def get_overridable_functions():
    """The functions that ask, by the module they are in; those of tensors under the class, attributes' getters each by themselves."""
    let_attributes_ask()
    found = {}
    for space in reversed(_SPACES):
        owner, functions = _space(space)
        asking = methods() if space == METHODS else functions
        found[owner] = [
            each for each in asking.values() if isinstance(each, types.FunctionType) and each not in _ignored()
        ]
    found.update({value: [value.__get__] for value in properties().values()})
    return found


def get_testing_overrides():
    """For each function that asks, one of the same arguments that returns -1."""
    return {f: _standing_for(f) for functions in get_overridable_functions().values() for f in functions}


def _standing_for(function):
    def override(*args, **kwargs):
        return -1

    if getattr(function, "__name__", None) == "__get__":
        override.__signature__ = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)])
    else:
        override.__signature__ = inspect.signature(function)
    return override


@functools.cache
def _names():
    let_attributes_ask()
    found = {}
    for space in reversed(_SPACES):
        names = {}
        for name, function in _space(space)[1].items():
            names.setdefault(function, ".".join(part for part in ("torch", space, name) if part))
        found.update(names)
    found.update({value.__get__: f"torch.Tensor.{name}.__get__" for name, value in properties().items()})
    return found


def resolve_name(f):
    """The dotted name of a function of these modules or of a tensor, or None."""
    return _names().get(f)


def is_tensor_method_or_property(func):
    """Whether it is an attribute of Tensor."""
    return getattr(func, "__name__", None) == "__get__" or any(func is each for each in vars(Tensor).values())
