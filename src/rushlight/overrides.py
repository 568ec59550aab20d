"""``torch.overrides``: classes and modes that answer for functions themselves.

An argument whose class defines ``__torch_function__`` (a subclass of Tensor, or anything else) is asked before an operator runs, and so is a
``TorchFunctionMode`` of the thread, which functions that make tensors from nothing (``torch.zeros``) ask too. A subclass of Tensor that
defines nothing gets its own class back from every function. Attributes (``x.shape``) and methods that are no operators (``x.size()``) ask
from the first such class or mode on (``ops.asking``); what those are shown who answer is in ``ops.answering``.
"""

import contextlib
import functools
import warnings

from . import dtypes
from .autograd import calls
from .autograd.modes import enter_rare, leave_rare, thread
from .autograd.shells import asking_shell, class_answers, enable_reentrant_dispatch, hollow, settle
from .ops import answering, dispatch
from .ops.answering import functions
from .ops.asking import let_attributes_ask
from .ops.creation import check_options
from .ops.table import OPS, TENSOR
from .overridable import (
    get_ignored_functions,
    get_overridable_functions,
    get_testing_overrides,
    is_tensor_method_or_property,
    resolve_name,
)
from .parameter import Parameter
from .tensor import Tensor, _new, edge_of

__all__ = [
    "enable_reentrant_dispatch",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
    "handle_torch_function",
    "has_torch_function",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "redispatch_function",
    "resolve_name",
    "wrap_torch_function",
]

_disabled_torch_function_impl = answering.disabled


class _Off:
    """Within the block nobody is asked: classes, or classes and modes."""

    _what = "classes"

    def __enter__(self):
        self._was, functions.off = functions.off, self._what
        enter_rare()

    def __exit__(self, *exc):
        leave_rare()
        functions.off = self._was


class DisableTorchFunctionSubclass(_Off):
    """Within the block no class of an argument is asked."""


class DisableTorchFunction(_Off):
    """Within the block neither classes nor modes are asked."""

    _what = "all"


class _Once(_Off):
    """Within the block the function that runs first asks nobody."""

    _what = "once"


class EnableTorchFunction:
    """As long as this object lives, classes and modes are asked again within one of the blocks above."""

    def __init__(self):
        self._was, functions.off = functions.off, None

    def __del__(self):
        functions.off = self._was


@contextlib.contextmanager
def _enable_torch_function():
    was, functions.off = functions.off, None
    try:
        yield
    finally:
        functions.off = was


class TorchFunctionMode:
    """Within the block ``__torch_function__(func, types, args, kwargs)`` of this object is asked for every function.

    Inside that method the mode is off, so ``func(*args, **kwargs)`` goes on to whoever is next.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        let_attributes_ask()
        functions.modes = (*functions.modes, self)
        enter_rare()
        return self

    def __exit__(self, *exc):
        if not functions.modes:
            raise RuntimeError("trying to pop from empty mode stack")
        functions.modes = functions.modes[:-1]
        leave_rare()

    @classmethod
    def push(cls, *args, **kwargs):
        warnings.warn("`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`", stacklevel=2)
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def _get_current_function_mode():
    """The mode that is asked first, or None."""
    return functions.modes[-1] if functions.modes else None


def _get_current_function_mode_stack():
    """The modes of this thread, the outermost first."""
    return list(functions.modes)


# -------------------------------------------------------------------------------------------------------- questions


def has_torch_function(relevant_args):
    """Whether one of the arguments, or a mode, answers for functions itself."""
    if functions.off == "once":
        # the function being redispatched asks; what it calls may be answered for again
        functions.off = None
        return False
    try:
        return bool(answering.overloaded(tuple(relevant_args)))
    except TypeError:
        raise TypeError("expected a sequence") from None


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
    name = f"{public_api.__module__}.{public_api.__name__}"
    return answering.handle(name, public_api, tuple(relevant_args), args, kwargs)


def _ask_for_grad(name, function, tensors, args, kwargs):
    return answering.handle(name, function, tensors, args, kwargs) if answering.overloaded(tensors) else NotImplemented


calls.ask = _ask_for_grad


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


# ---------------------------------------------------------------------------------------------------------- subclasses


def _init_subclass(cls, **options):
    """A class that answers for functions, and be it to give itself back, is asked for every attribute."""
    super(Tensor, cls).__init_subclass__(**options)
    if class_answers(cls) and getattr(cls.__torch_function__, "__func__", None) is _torch_function:
        # who answers for operators and says nothing of functions leaves those alone
        cls.__torch_function__ = staticmethod(_disabled_torch_function_impl)
    # parameters without a shape answer too, but are not to slow down programs that have no other such class
    if cls.__torch_function__ is not _disabled_torch_function_impl and not cls.__module__.startswith(__package__):
        let_attributes_ask()


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


def _require_subclass(cls):
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your class inherits "
            "from Tensor."
        )


def as_subclass(self, cls):
    """A view of the whole tensor as an instance of ``cls``."""
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    _require_subclass(cls)
    if class_answers(type(self)):
        return _claimed(dispatch.ask_classes(OPS["_whole"], (self, ()), None), cls)
    if not thread.grad and edge_of(self) is not None:
        whole = self  # what would not be recorded is the same place in the graph
    elif self.__class__ is Tensor and not functions.modes:
        whole = TENSOR._alias(self)
    else:
        with DisableTorchFunction():
            whole = TENSOR._alias(self)
    made = _new(cls)
    made._a, made._dtype, made._vc, made._edge, made._view = whole._a, whole._dtype, whole._vc, whole._edge, whole._view
    if whole is self and hasattr(self, "_meta"):
        made._meta = self._meta
    return made


def _claimed(made, cls):
    """What the class of a tensor made of it, where a ``cls`` is wanted; RuntimeError if that is of another class of its kind."""
    if class_answers(type(made)) and not isinstance(made, cls):
        raise RuntimeError(
            f"Creating a new Tensor subclass {cls.__name__} but the raw Tensor object is already associated to a python object of type "
            f"{type(made).__name__} which is not a subclass of the requested type"
        )
    return made if isinstance(made, cls) else as_subclass(made, cls)


def _make_subclass(
    cls, data, require_grad=False, *, dispatch_sizes_strides_policy=None, dispatch_device=False, dispatch_layout=False
):
    """A leaf of class ``cls`` over the memory of ``data``; the class may want to be asked as that of a wrapper (see below)."""
    _require_subclass(cls)
    if not isinstance(data, Tensor):
        raise TypeError(f"_make_subclass(): argument 'data' (position 2) must be Tensor, not {type(data).__name__}")
    _check_asking(dispatch_sizes_strides_policy, dispatch_device, dispatch_layout)
    if class_answers(cls):
        from .utils import _python_dispatch  # noqa: F401 - asks classes from now on
    if class_answers(type(data)):
        data = _claimed(data.detach(), cls)
    made = _new(cls)
    made._a, made._dtype, made._vc, made._edge, made._view = data._a, data._dtype, data._vc, None, None
    if require_grad:
        made._require_grad(True)
    if dispatch_sizes_strides_policy is not None:
        settle(made, asking_shell(data._a, dispatch_sizes_strides_policy))
    return made


def _check_asking(policy, device, layout):
    if device or layout:
        raise NotImplementedError("rushlight does not ask the class of a wrapper tensor for its device or layout")
    if policy not in (None, "sizes", "strides"):
        raise ValueError(f"Unknown sizes_strides_policy: {policy}; expected 'strides' or 'sizes'")


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
    if not class_answers(cls):
        raise TypeError(f"{cls.__name__} must define __torch_dispatch__")
    _check_asking(dispatch_sizes_strides_policy, dispatch_device, dispatch_layout)
    from .utils import _python_dispatch  # noqa: F401 - asks classes from now on

    check_options("_make_wrapper_subclass", layout, device, pin_memory)
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    made = _new(cls)
    array = hollow(tuple(size), dtype.numpy, strides, storage_offset or 0, dispatch_sizes_strides_policy)
    made._a, made._dtype, made._vc, made._edge, made._view = array, dtype, [0], None, None
    if requires_grad:
        made._require_grad(True)
    settle(made, array)
    return made


Tensor.__torch_function__ = classmethod(_torch_function)  # type: ignore[attr-defined]
Tensor.__init_subclass__ = classmethod(_init_subclass)
Parameter.__torch_function__ = staticmethod(_disabled_torch_function_impl)
Tensor.as_subclass = as_subclass
Tensor._make_subclass = staticmethod(_make_subclass)
Tensor._make_wrapper_subclass = staticmethod(_make_wrapper_subclass)
