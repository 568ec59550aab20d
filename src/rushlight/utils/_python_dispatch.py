"""``torch.utils._python_dispatch``: modes and classes that stand before every operator (``__torch_dispatch__``).

A mode, or the class of an argument, is called as ``__torch_dispatch__(func, types, args, kwargs)`` for each operator that runs, those
within composites and within backward included. ``func`` (``ops.overloads``) is called with (other) arguments to run the operator itself.
They are asked with recording off, and the call is recorded above them (``autograd.shells``), with the derivative of the operator
whatever the answer. Operators are rushlight's: where PyTorch has others, above all in derivatives, other calls are seen.
"""

import contextlib
import inspect

from .. import inplace
from ..autograd import levels, shells
from ..autograd.modes import thread
from ..ops import creation, dispatch, subscript, subscript_steps
from ..ops.makers import METHODS, QUESTIONS, spelled_call
from ..ops.overloads import OpOverload, overload
from ..ops.spelling import spelled
from ..tensor import Tensor

__all__ = [
    "BaseTorchDispatchMode",
    "OpOverload",
    "TorchDispatchMode",
    "is_in_torch_dispatch_mode",
    "is_traceable_wrapper_subclass",
    "is_traceable_wrapper_subclass_type",
    "no_dispatch",
    "return_and_correct_aliasing",
    "transform_subclass",
]


class TorchDispatchMode:
    """A mode that is asked before every operator of this thread, while it is entered; override ``__torch_dispatch__``."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        interpreter = _Asker(self)
        self.__dict__.setdefault("_entered", []).append(interpreter)
        # transforms and mixed precision come first, whenever they were entered: a mode sees what they make of a call
        levels.push(interpreter, _depth() + bool(_get_current_dispatch_mode_stack()))
        return self

    def __exit__(self, *exc):
        levels.remove(self._entered.pop())

    @classmethod
    def push(cls, *args, **kwargs):
        return cls(*args, **kwargs)

    @classmethod
    def is_infra_mode(cls):
        """Whether the mode belongs to a library's own machinery (see ``is_in_torch_dispatch_mode``)."""
        return False


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that changes nothing."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class _Asker:
    """A mode as it stands before operators, each time it is entered (see ``autograd.levels``)."""

    #: within backward, rules must call operators
    sees_rules = True

    def __init__(self, mode):
        self.mode = mode

    def __call__(self, op, values, how):
        steps = _steps(op, values, how)
        if steps is not None:
            return self._above(steps)
        if how is None or how == "inplace":
            name, overloadname, args, kwargs = spelled(op, values, how)

            def answer():
                return _whole(op, self.ask(overload(name, overloadname), values, args, kwargs))

            # the tensors of transforms have graphs of their own, in which the operator is recorded by whoever computes it
            inside = any(isinstance(each, Tensor) and levels.is_lane(each) for each in values)
            return answer() if inside else shells.recorded(op, values, answer, how == "inplace")
        name, overloadname, args, kwargs = spelled(op, values, "out")
        return self.ask(overload(name, overloadname), (*values, how), args, {**kwargs, "out": how})

    def ask(self, func, values, args, kwargs):
        """What the mode answers; where it leaves that to others, what the arguments' classes do."""
        dispatching = self.mode.__torch_dispatch__
        if inspect.ismethod(dispatching) and dispatching.__self__ is not self.mode:
            raise RuntimeError(
                "Defining your mode's `__torch_dispatch__` as a classmethod is not supported, please make it a plain method"
            )
        asked = _asked(values)
        result = dispatching(func, tuple([type(each) for each in asked]), args, kwargs)
        if result is not NotImplemented:
            return result
        return self._above(lambda: shells.unrecorded(_answer(func, asked, args, kwargs, self.mode)))

    def _above(self, function):
        """Call a function with this mode on the stack again."""
        was = levels._stack.interpreters
        levels._stack.interpreters = (*was, self)
        try:
            return function()
        finally:
            levels._stack.interpreters = was


def _steps(op, values, how):
    """A function that takes the steps in which PyTorch would do it, where one call here is several there; else None."""
    if how is subscript.getitem:
        return lambda: subscript_steps.getitem(*values)
    if how is subscript.setitem:
        return lambda: subscript_steps.setitem(*values)
    if how is None and op.otherwise is not None and op.view and op.name != "view":
        if op.kernel(values[0]._a, *values[1:]) is None:
            return lambda: op.otherwise(*values)
    if op.name == "sum_to":
        return lambda: subscript_steps.sum_to(*values)
    return None


def _whole(op, result):
    """An answer in place of an operator's result: a tensor, or a sequence of them."""
    if op.returns is None and not isinstance(result, (Tensor, tuple, list, type(None))):
        raise RuntimeError(f"Unable to cast {result} to Tensor")
    return result


# --------------------------------------------------------------------------------------------------------- classes


def _asked(values):
    """The first tensor of each class that answers for operators, in the order in which they are asked: subclasses first."""
    found = {}
    if shells.passed_over.classes:
        return []
    for value in values:
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, Tensor) and shells.class_answers(type(each)):
                found.setdefault(type(each), each)
    return sorted(found.values(), key=lambda each: -len(type(each).__mro__))


def _of_class(op, values, how):
    """Ask the classes of arguments; NotImplemented where none has ``__torch_dispatch__``."""
    out = None if how is None or isinstance(how, str) or callable(how) else how
    asked = _asked(values if out is None else (*values, out))
    if not asked:
        return NotImplemented
    steps = _steps(op, values, how)
    if steps is not None:
        return steps()
    if out is not None:
        name, overloadname, args, kwargs = spelled(op, values, "out")
        shells.unrecorded(_answer(overload(name, overloadname), asked, args, {**kwargs, "out": out}))
        for each in out if isinstance(out, (list, tuple)) else (out,):
            inplace.finish(each, None)
        return out
    name, overloadname, args, kwargs = spelled(op, values, how)
    answer = _answer(overload(name, overloadname), asked, args, kwargs)
    return shells.recorded(op, values, lambda: _whole(op, answer()), how == "inplace")


def _answer(func, asked, args, kwargs, mode=None):
    """A function without arguments that asks tensors in turn; ``mode`` has left the call to them."""
    types = tuple([type(each) for each in asked])

    def answer():
        for each in asked:
            result = each.__torch_dispatch__(func, types, args, kwargs)
            if result is not NotImplemented:
                return result
        raise _unanswered(func, types, mode)

    return answer


def _unanswered(func, kinds, mode=None):
    who = [] if mode is None else [f"  - mode object {mode!r}\n"]
    who += [f"  - tensor subclass {kind!r}\n" for kind in kinds]
    asked = func._opname in QUESTIONS and func._opname != "_local_scalar_dense"
    name = f"torch.ops.{func.overloadpacket}" if asked else f"{func.__module__}.{func.__name__}"
    return TypeError(
        f"Multiple dispatch failed for '{name}'; all __torch_dispatch__ handlers returned NotImplemented:\n\n"
        f"{''.join(who)}\nFor more information, try re-running with TORCH_LOGS=not_implemented"
    )


def _method(name, args, kwargs):
    """Ask modes and classes for functions of tensors that are no operators here; NotImplemented where nobody is to be asked."""
    method = METHODS.get(name)
    if method is None or kwargs.get("out") is not None:
        return NotImplemented
    if not _get_current_dispatch_mode_stack() and not _asked(args):
        return NotImplemented
    if thread.transforms and (method.draws or any(isinstance(each, Tensor) and levels.is_lane(each) for each in args)):
        return NotImplemented  # the transform calls for what stands behind the batch
    with levels.Below(len(levels._stack.interpreters) - _depth()):
        call = spelled_call(method, args, kwargs)
    if call is None:
        return NotImplemented
    name, overloadname, args, given = call
    result = _function(overload(name, overloadname), args, given)
    if isinstance(result, Tensor):
        return creation.finish(result, bool(kwargs.get("requires_grad")))
    if result is not None and method.name not in QUESTIONS:
        raise RuntimeError(f"Unable to cast {result} to Tensor")
    return result


def _function(func, args, kwargs):
    """Ask the innermost mode, or else the classes of arguments, for a function; NotImplemented where there are none."""
    mode = next((each for each in reversed(levels._stack.interpreters) if hasattr(each, "mode")), None)
    values = (*args, *kwargs.values())
    if mode is not None:
        with levels.Below(len(levels._stack.interpreters) - _depth()):
            return mode.ask(func, values, args, kwargs)
    asked = _asked(values)
    return shells.unrecorded(_answer(func, asked, args, kwargs)) if asked else NotImplemented


dispatch.ask_classes = _of_class
dispatch.ask_method = _method
dispatch.ask_function = _function


# ----------------------------------------------------------------------------------------------------------- modes


def _depth():
    """How many interpreters stand below the innermost mode of this thread; none where there is no mode."""
    stack = levels._stack.interpreters
    return next((at for at in reversed(range(len(stack))) if hasattr(stack[at], "mode")), 0)


def _get_current_dispatch_mode_stack():
    """The modes of this thread, the outermost first."""
    return [each.mode for each in levels._stack.interpreters if hasattr(each, "mode")]


def _get_current_dispatch_mode():
    """The mode that is asked first, or None."""
    modes = _get_current_dispatch_mode_stack()
    return modes[-1] if modes else None


def is_in_torch_dispatch_mode(include_infra_modes=True):
    """Whether a mode is entered; one of a library's own machinery counts only if asked for."""
    return any(include_infra_modes or not mode.is_infra_mode() for mode in _get_current_dispatch_mode_stack())


@contextlib.contextmanager
def _pop_mode_temporarily():
    """Within the block the innermost mode, which is its value, is not asked."""
    at = _depth()
    was = levels._stack.interpreters
    levels._stack.interpreters = (*was[:at], *was[at + 1 :])
    try:
        yield was[at].mode
    finally:
        levels._stack.interpreters = was


@contextlib.contextmanager
def _disable_current_modes():
    """Within the block no mode is asked; the modes there were are its value."""
    was = levels._stack.interpreters
    levels._stack.interpreters = tuple([each for each in was if not hasattr(each, "mode")])
    try:
        yield [each.mode for each in was if hasattr(each, "mode")]
    finally:
        levels._stack.interpreters = was


@contextlib.contextmanager
def no_dispatch():
    """Within the block neither modes nor classes are asked."""
    was, shells.passed_over.classes = shells.passed_over.classes, True
    try:
        with _disable_current_modes():
            yield
    finally:
        shells.passed_over.classes = was


def return_and_correct_aliasing(func, args, kwargs, out):
    """``out``, or the argument itself where ``func`` writes to it."""
    if func._how == "out":
        return kwargs["out"]
    return args[0] if func._schema.is_mutable else out


class _DisableTorchDispatch:
    """The same from when it is made until it is deleted."""

    def __init__(self):
        self._block = no_dispatch()
        self._block.__enter__()

    def __del__(self):
        self._block.__exit__(None, None, None)


def is_traceable_wrapper_subclass(t):
    """Whether a tensor's class says how it is flattened and put together again."""
    return isinstance(t, Tensor) and is_traceable_wrapper_subclass_type(type(t))


def is_traceable_wrapper_subclass_type(t):
    """Whether a class says so."""
    return issubclass(t, Tensor) and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")


def transform_subclass(t, callback, outer_size=None, outer_stride=None):
    """A wrapper tensor put together again of what ``callback(name, inner tensor)`` makes of its parts; its size stays if none is given."""
    names, context = t.__tensor_flatten__()
    made = {name: callback(name, getattr(t, name)) for name in names}
    size = t.size() if outer_size is None else outer_size
    stride = t.stride() if outer_stride is None else outer_stride
    return type(t).__tensor_unflatten__(made, context, size, stride)
