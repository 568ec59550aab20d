"""``torch.overrides``: classes and modes that answer for functions themselves.

An argument whose class defines ``__torch_function__`` (a subclass of Tensor, or anything else) is asked before an operator runs, and so is a
``TorchFunctionMode`` of the thread, which functions that make tensors from nothing (``torch.zeros``) ask too. A subclass of Tensor that
defines nothing gets its own class back from every function. Attributes (``x.shape``) and methods that are no operators (``x.size()``) ask
the classes that define ``__torch_function__``, and no modes.
"""

import functools
import importlib
import inspect
import sys
import types
import warnings

from . import dtypes
from .autograd import calls
from .autograd.modes import enter_rare, leave_rare
from .autograd.shells import asking_shell, class_answers, enable_reentrant_dispatch, hollow, settle
from .ops import answering, dispatch
from .ops.answering import functions
from .ops.asking import IGNORED_METHODS, MAKERS, let_attributes_ask, methods, properties
from .ops.creation import check_options
from .ops.table import METHODS, OPS, PLACES
from .parameter import Parameter
from .tensor import Tensor, _new

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
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


#: functions of the top module that ask nobody, for they are about modes and settings, or about anything but tensors
_SETTINGS = (
    *("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "is_tensor", "is_storage", "typename"),
    *("can_cast", "promote_types", "is_grad_enabled", "set_grad_enabled", "no_grad", "enable_grad", "inference_mode"),
    *(
        "load",
        "save",
        "get_default_dtype",
        "set_default_dtype",
        "set_printoptions",
        "vmap",
        "compile",
        "broadcast_shapes",
    ),
    *("get_num_threads", "set_num_threads", "from_file", "get_default_device", "set_default_device"),
)
#: those that PyTorch counts among them although they ask
_COUNTED = ("as_strided", "fill", "vander", "result_type", "normal", "rand_like", "randn_like", "randint_like")
#: modules of functions that ask, in the order in which their names go before others
_SPACES = ("", "functional", "nn.functional", METHODS, "linalg", "fft", "special")


@functools.cache
def _ignored():
    package = sys.modules[__package__]
    names = (*MAKERS, *_SETTINGS, *_COUNTED)
    found = {getattr(package, name) for name in names if hasattr(package, name)}
    return found | {getattr(Tensor, name) for name in (*IGNORED_METHODS, "new") if hasattr(Tensor, name)}


def get_ignored_functions():
    """Functions that ask nobody, or modes only: those that make tensors from nothing, and those about modes and settings."""
    return set(_ignored())


def _functions(space):
    """(the module or class, functions by name) of a space, without those that are ignored."""
    package = sys.modules[__package__]
    if space == METHODS:
        return Tensor, {name: each for name, each in methods().items() if each not in _ignored()}
    module = importlib.import_module(f"{__package__}.{space}") if space else package
    names = module.__all__ if space == "functional" else PLACES[space]
    found = {name: getattr(module, name, None) for name in names if not name.startswith("_")}
    return module, {n: f for n, f in found.items() if isinstance(f, types.FunctionType) and f not in _ignored()}


def get_overridable_functions():
    """The functions that ask, by the module they are in; those of tensors under the class, attributes' getters each by themselves."""
    let_attributes_ask()
    found = {module: list(each.values()) for module, each in map(_functions, _SPACES)}
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
    found = {value.__get__: f"torch.Tensor.{name}.__get__" for name, value in properties().items()}
    for space in _SPACES:
        for name, function in _functions(space)[1].items():
            found[function] = ".".join(part for part in ("torch", space, name) if part)
    return found


def resolve_name(f):
    """The dotted name of a function that asks, or None."""
    return _names().get(f)


def is_tensor_method_or_property(func):
    """Whether it is an attribute of Tensor."""
    return getattr(func, "__name__", None) == "__get__" or any(func is each for each in vars(Tensor).values())


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


def as_subclass(self, cls):
    """The same tensor (memory, place in the graph, version) as an instance of ``cls``."""
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your class inherits "
            "from Tensor."
        )
    if class_answers(type(self)):
        return _claimed(dispatch.ask_classes(OPS["_whole"], (self, ()), None), cls)
    made = _new(cls)
    made._a, made._dtype, made._vc, made._edge, made._view = self._a, self._dtype, self._vc, self._edge, self._view
    if hasattr(self, "_meta"):
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
