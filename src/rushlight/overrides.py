"""``torch.overrides``: classes and modes that answer for functions themselves.

An argument whose class defines ``__torch_function__`` (a subclass of Tensor, or anything else) is asked before an operator runs, and so is a
``TorchFunctionMode`` of the thread, which functions that make tensors from nothing (``torch.zeros``) ask too. A subclass of Tensor that
defines nothing gets its own class back from every function. Reading plain attributes (``x.shape``) asks nobody.
"""

import functools
import warnings

from . import dtypes
from .autograd.modes import enter_rare, leave_rare
from .autograd.shells import enable_reentrant_dispatch, hollow, settle
from .ops import dispatch
from .ops.creation import check_options
from .ops.table import PLACES
from .parameter import Parameter
from .tensor import Tensor, _new

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "redispatch_function",
    "resolve_name",
    "wrap_torch_function",
]

_disabled_torch_function_impl = dispatch._DISABLED


class _Off:
    """Within the block nobody is asked: classes, or classes and modes."""

    _what = "classes"

    def __enter__(self):
        self._was, dispatch.functions.off = dispatch.functions.off, self._what
        enter_rare()

    def __exit__(self, *exc):
        leave_rare()
        dispatch.functions.off = self._was


class DisableTorchFunctionSubclass(_Off):
    """Within the block no class of an argument is asked."""


class DisableTorchFunction(_Off):
    """Within the block neither classes nor modes are asked."""

    _what = "all"


class _Once(_Off):
    """Within the block the function that runs first asks nobody."""

    _what = "once"


class TorchFunctionMode:
    """Within the block ``__torch_function__(func, types, args, kwargs)`` of this object is asked for every function.

    Inside that method the mode is off, so ``func(*args, **kwargs)`` goes on to whoever is next.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        dispatch.functions.modes = (*dispatch.functions.modes, self)
        enter_rare()
        return self

    def __exit__(self, *exc):
        dispatch.functions.modes = dispatch.functions.modes[:-1]
        leave_rare()

    @classmethod
    def push(cls, *args, **kwargs):
        warnings.warn("`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`", stacklevel=2)
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


# -------------------------------------------------------------------------------------------------------- questions


def has_torch_function(relevant_args):
    """Whether one of the arguments, or a mode, answers for functions itself."""
    if dispatch.functions.off == "once":
        # the function being redispatched asks; what it calls may be answered for again
        dispatch.functions.off = None
        return False
    return bool(dispatch.overloaded(tuple(relevant_args)))


def has_torch_function_unary(arg):
    return has_torch_function((arg,))


def has_torch_function_variadic(*args):
    return has_torch_function(args)


def redispatch_function(func, types, args, kwargs):
    """Run ``func`` from within a ``__torch_function__`` without asking for it again, while what it calls asks as always.

    An operator runs as on plain tensors, and gives plain tensors back.
    """
    with _Once():
        return func(*args, **(kwargs or {}))


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Ask those of ``relevant_args`` that answer for ``public_api``; TypeError if none does."""
    found = dispatch.overloaded(tuple(relevant_args))
    types = tuple(type(each) for each in found)
    for each in found:
        result = type(each).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise dispatch.unanswered(f"{public_api.__module__}.{public_api.__name__}", found)


def wrap_torch_function(dispatcher):
    """Decorate a function of tensors: those that ``dispatcher(*args)`` returns are asked first."""

    def decorate(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def is_tensor_like(inp):
    """Whether it is a tensor, or its class defines ``__torch_function__``."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


@functools.cache
def get_default_nowrap_functions():
    """Functions whose results keep their class where a subclass gets its own back: attributes that are tensors."""
    return {Tensor.grad.__get__, Tensor._base.__get__}


def get_ignored_functions():
    """Functions that ask nobody: those that make tensors from nothing."""
    import sys

    package = sys.modules[__package__]
    names = (
        "tensor",
        "as_tensor",
        "zeros",
        "ones",
        "empty",
        "full",
        "arange",
        "linspace",
        "eye",
        "from_numpy",
        "is_tensor",
    )
    return {getattr(package, name) for name in names}


@functools.cache
def get_overridable_functions():
    """The functions that ask, by the module or class they are in."""
    import sys

    package = sys.modules[__package__]
    found = {package: list(PLACES[""].values()), Tensor: []}
    found[Tensor] = [
        value for name, value in vars(Tensor).items() if callable(value) and value in set(PLACES[""].values())
    ]
    return found


def resolve_name(f):
    """The dotted name of a function, or None."""
    for place, functions in PLACES.items():
        for name, function in functions.items():
            if function is f:
                return ".".join(part for part in ("torch", place, name) if part)
    return None


def is_tensor_method_or_property(func):
    """Whether it is an attribute of Tensor."""
    return any(value is func for value in vars(Tensor).values()) or getattr(func, "__name__", None) == "__get__"


# ---------------------------------------------------------------------------------------------------------- subclasses


def _convert(result, cls):
    """A result with its tensors in a subclass, also those in tuples and lists."""
    if cls is Tensor:
        return result
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return as_subclass(result, cls)
    if isinstance(result, (tuple, list)):
        made = [_convert(each, cls) for each in result]
        return type(result)(*made) if hasattr(result, "_fields") else type(result)(made)
    return result


def _torch_function(cls, func, types, args=(), kwargs=None):
    """What a subclass of Tensor does by default: run the function, and give its own class back."""
    if not all(issubclass(cls, t) for t in types if isinstance(t, type)):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    return result if func in get_default_nowrap_functions() else _convert(result, cls)


def as_subclass(self, cls):
    """The same tensor (memory, place in the graph, version) as an instance of ``cls``."""
    if not issubclass(cls, Tensor):
        raise TypeError(f"{cls} is no subclass of Tensor")
    made = _new(cls)
    made._a, made._dtype, made._vc, made._edge, made._view = self._a, self._dtype, self._vc, self._edge, self._view
    if hasattr(self, "_meta"):
        made._meta = self._meta
    return made


def _make_subclass(cls, data, require_grad=False):
    """A leaf of class ``cls`` over the memory of ``data``."""
    if hasattr(cls, "__torch_dispatch__"):
        from .utils import _python_dispatch  # noqa: F401 - asks classes from now on
    made = _new(cls)
    made._a, made._dtype, made._vc, made._edge, made._view = data._a, data._dtype, data._vc, None, None
    if require_grad:
        made.requires_grad_(True)
    return made


def _make_wrapper_subclass(
    cls,
    size,
    strides=None,
    storage_offset=None,
    memory_format=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    dispatch_sizes_strides_policy=None,
    dispatch_device=False,
    dispatch_layout=False,
):
    """An instance of ``cls`` that looks like a tensor of this shape, dtype and place in memory, and holds no elements of its own.

    Its class answers for operators by ``__torch_dispatch__`` (TypeError where it has none), and with ``dispatch_sizes_strides_policy``
    for its "strides", or its "sizes" and strides. NotImplementedError where it wants to be asked for device and layout, which are the CPU
    and strided.
    """
    if not hasattr(cls, "__torch_dispatch__"):
        raise TypeError(f"{cls.__name__} must define __torch_dispatch__")
    if dispatch_device or dispatch_layout:
        raise NotImplementedError("rushlight does not ask the class of a wrapper tensor for its device or layout")
    if dispatch_sizes_strides_policy not in (None, "sizes", "strides"):
        raise ValueError(
            f"Unknown sizes_strides_policy: {dispatch_sizes_strides_policy}; expected 'strides' or 'sizes'"
        )
    from .utils import _python_dispatch  # noqa: F401 - asks classes from now on

    check_options("_make_wrapper_subclass", layout, device, pin_memory)
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    made = _new(cls)
    array = hollow(tuple(size), dtype.numpy, strides, storage_offset or 0, dispatch_sizes_strides_policy)
    made._a, made._dtype, made._vc, made._edge, made._view = array, dtype, [0], None, None
    if requires_grad:
        made.requires_grad_(True)
    settle(made, array)
    return made


Tensor.__torch_function__ = classmethod(_torch_function)
Parameter.__torch_function__ = staticmethod(_disabled_torch_function_impl)
Tensor.as_subclass = as_subclass
Tensor._make_subclass = staticmethod(_make_subclass)
Tensor._make_wrapper_subclass = staticmethod(_make_wrapper_subclass)
