"""``torch.utils._python_dispatch``: modes and classes that stand before every operator (``__torch_dispatch__``).

A mode, or the class of an argument, is called as ``__torch_dispatch__(func, types, args, kwargs)`` for each operator that runs, those
within composites and within backward included. ``func`` is called with (other) arguments to run the operator itself. A class is asked with
recording off, and the call is recorded above it (``autograd.shells``). Differences from PyTorch: operators are rushlight's, an operator
has one overload, what a mode's ``func`` computes is recorded as anywhere else, and factories (``torch.zeros``) do not ask.
"""

import contextlib

from .. import inplace
from ..absent import absent
from ..autograd import levels, shells
from ..missing import explain
from ..ops import compare, core, dispatch, subscript
from ..ops.names import THEIR_NAME
from ..ops.table import OPS, TENSOR
from ..tensor import Tensor

__all__ = ["OpOverload", "TorchDispatchMode", "return_and_correct_aliasing"]

#: operators whose usual overload is not called "default"
_OVERLOAD = {name: "Tensor" for name in ("add", "sub", "mul", "div", "eq", "ne", "lt", "le", "gt", "ge", "remainder")}
_OVERLOAD.update(
    select="int", slice="Tensor", index="Tensor", pow="Tensor_Scalar", transpose="int", where="self", split="Tensor"
)

#: operators that classes of tensors name to answer for, and that never run here
_ABSENT = {
    "_pin_memory": "rushlight computes on the CPU",
    **dict.fromkeys(("_sparse_addmm", "_sparse_mm_reduce_impl"), "rushlight has no sparse tensors"),
}


class OpOverload:
    """An operator as ``__torch_dispatch__`` is given it; calling it runs the operator on whatever stands below."""

    namespace = "aten"

    def __init__(self, op, how=None):
        name = THEIR_NAME.get(op.name, op.name.strip("_") if callable(how) else op.name)
        suffix = "_" if how == "inplace" else ""
        self._op, self._how = op, how
        self._overloadname = "out" if how == "out" else _OVERLOAD.get(name, "default")
        self.__name__ = f"{name}{suffix}.{self._overloadname}"
        self.__module__ = "torch._ops.aten"
        self.overloadpacket = OpOverloadPacket(name + suffix, self)

    def name(self):
        return f"aten::{self.__name__}"

    def __deepcopy__(self, memo):
        # there is one object for an operator
        return self

    def __repr__(self):
        return f"<OpOverload(op='aten.{self.overloadpacket.__name__}', overload='{self._overloadname}')>"

    def __str__(self):
        return f"aten.{self.__name__}"

    def __call__(self, *args, **kwargs):
        if callable(self._how):
            return self._how(*args, **kwargs)
        if self._op.__class__ is Method:
            return self._op.function(*args, **kwargs)
        if self._how == "out":
            return self._op.public(*args, **kwargs)
        values = dispatch.bind(self._op, args, kwargs)
        if self._how == "inplace":
            return levels.execute_inplace(self._op, values)
        asked = _of_class(self._op, values, self._how)
        return levels.execute(self._op, values) if asked is NotImplemented else asked


class OpOverloadPacket:
    """All overloads of an operator, of which there is one."""

    def __init__(self, name, overload):
        self.__name__ = name
        self._overload = overload

    def overloads(self):
        return [self._overload._overloadname]

    def __getattr__(self, name):
        # whatever PyTorch calls its overloads
        if name.startswith("_"):
            raise AttributeError(f"an operator has no attribute '{name}'")
        return self._overload

    def __deepcopy__(self, memo):
        return self

    def __call__(self, *args, **kwargs):
        return self._overload(*args, **kwargs)

    def __repr__(self):
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"

    def __str__(self):
        return f"aten.{self.__name__}"


class Namespace:
    """``torch.ops.aten``: operators by PyTorch's names; whatever its overloads are called there, an operator has one here."""

    def __getattr__(self, name):
        ours = {theirs: mine for mine, theirs in THEIR_NAME.items()}
        op = OPS.get(ours.get(name, name)) or METHODS.get(name)
        inplace = op is None and name.endswith("_")
        if inplace:
            op = OPS.get(ours.get(name[:-1], name[:-1]))
        if op is None and name in _ABSENT:
            return absent(f"torch.ops.aten.{name}", _ABSENT[name])
        if op is None:
            raise AttributeError(explain("torch.ops.aten", name))
        return overload_of(op, "inplace" if inplace else None).overloadpacket


class Method:
    """What stands for an operator where PyTorch has one and here is a function of tensors."""

    def __init__(self, name, function):
        self.name, self.function = name, function


_FUNCTIONS = {"detach": core.detach, "equal": compare.equal}
_FUNCTIONS.update({name: getattr(TENSOR, name) for name in ("zeros_like", "ones_like", "empty_like", "full_like")})
_FUNCTIONS.update({name: getattr(Tensor, name) for name in ("new_zeros", "new_ones", "new_empty", "new_full")})
_FUNCTIONS["_local_scalar_dense"] = Tensor.item
_FUNCTIONS.update(sym_size=lambda input: tuple(input.shape), sym_stride=Tensor.stride)
METHODS = {name: Method(name, function) for name, function in _FUNCTIONS.items()}


aten = Namespace()
_overloads = {}


def overload_of(op, how=None):
    """The one object that stands for an operator, in place or not."""
    key = (op.name, how)
    if key not in _overloads:
        _overloads[key] = OpOverload(op, how)
    return _overloads[key]


def _arguments(op, values, how):
    """(args, kwargs) as a caller would write them: without what is left at its default."""
    if callable(how):
        return tuple(values), {}
    defaults = op.defaults()
    args = list(values[: op.positional])
    while args and op.params[len(args) - 1] in defaults and args[-1] is defaults[op.params[len(args) - 1]]:
        args.pop()
    kwargs = {n: v for n, v in zip(op.kwnames, values[op.positional :]) if v is not defaults.get(n)}
    return tuple(args), kwargs


class TorchDispatchMode:
    """A mode that is asked before every operator of this thread, while it is entered; override ``__torch_dispatch__``."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        entered = self.__dict__.setdefault("_entered", [])

        def interpreter(op, values, how):
            if isinstance(how, (Tensor, tuple, list)):
                return NotImplemented  # out=: the operator itself, then the write
            args, kwargs = _arguments(op, values, how)
            return self.__torch_dispatch__(overload_of(op, how), _types(values), args, kwargs)

        # within backward, rules must call operators
        interpreter.sees_rules = True
        interpreter.mode = self
        entered.append(interpreter)
        levels.push(interpreter)
        return self

    def __exit__(self, *exc):
        levels.remove(self._entered.pop())

    @classmethod
    def push(cls, *args, **kwargs):
        return cls(*args, **kwargs)


def _types(values):
    found = []
    for value in values:
        for each in value if isinstance(value, (list, tuple)) else (value,):
            kind = type(each)
            if isinstance(each, Tensor) and kind not in found and shells.class_answers(kind):
                found.append(kind)
    return tuple(found)


def _of_class(op, values, how):
    """Ask the classes of arguments, subclasses first; NotImplemented where none has ``__torch_dispatch__``."""
    out = None if how is None or isinstance(how, str) or callable(how) else how
    kinds = _kinds(values if out is None else (*values, out))
    if not kinds:
        return NotImplemented
    if out is not None:
        args, kwargs = _arguments(op, values, None)
        shells.unrecorded(_answer(overload_of(op, "out"), kinds, args, {**kwargs, "out": out}))
        for each in out if isinstance(out, (list, tuple)) else (out,):
            inplace.finish(each, None)
        return out
    args, kwargs = _arguments(op, values, how)
    answer = _answer(overload_of(op, how), kinds, args, kwargs)
    return shells.recorded(op, values, answer, how == "inplace" or how is subscript.setitem)


def _answer(func, kinds, args, kwargs):
    """A function without arguments that asks classes in turn."""

    def answer():
        for kind in kinds:
            result = kind.__torch_dispatch__(func, kinds, args, kwargs)
            if result is not NotImplemented:
                return result
        names = ", ".join(kind.__name__ for kind in kinds)
        raise TypeError(
            f"Multiple dispatch failed for '{func}'; all __torch_dispatch__ handlers returned NotImplemented: {names}"
        )

    return answer


def _method_of_class(name, args, kwargs):
    """The same for functions of tensors that are no operators."""
    kinds = _kinds(args) if name in METHODS else ()
    if not kinds:
        return NotImplemented
    return shells.unrecorded(_answer(overload_of(METHODS[name]), kinds, args, kwargs))


def _kinds(values):
    """The classes to ask, in their order."""
    if shells.passed_over.classes:
        return ()
    return sorted(_types(values), key=lambda kind: -len(kind.__mro__))


dispatch.ask_classes = _of_class
dispatch.ask_method = _method_of_class


def _get_current_dispatch_mode_stack():
    """The modes of this thread, the outermost first."""
    return [each.mode for each in levels._stack.interpreters if hasattr(each, "mode")]


def _get_current_dispatch_mode():
    """The mode that is asked first, or None."""
    modes = _get_current_dispatch_mode_stack()
    return modes[-1] if modes else None


def is_in_torch_dispatch_mode(include_infra_modes=True):
    """Whether a mode is entered; none of them belongs to rushlight itself."""
    return bool(_get_current_dispatch_mode_stack())


@contextlib.contextmanager
def _disable_current_modes():
    """Within the block no mode is asked."""
    with levels.Below(len(levels._stack.interpreters)):
        yield


def return_and_correct_aliasing(func, args, kwargs, out):
    """``out``, or the argument itself where ``func`` writes in place."""
    return args[0] if func._how == "inplace" else out


def is_traceable_wrapper_subclass(t):
    """Whether a tensor's class says how it is flattened and put together again."""
    return isinstance(t, Tensor) and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")
