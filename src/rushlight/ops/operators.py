"""Python's operators on tensors."""

import numpy as np

from ..autograd.engine import bridge
from ..autograd.modes import thread
from ..tensor import Tensor, wrap
from .dispatch import foreign, inplace_function
from .fast import _OPERANDS, check_receiver, operator_method
from .table import METHODS, OPS, TENSOR, face_of

_BINARY = {
    **dict(add="add", sub="sub", mul="mul", truediv="div", pow="pow", floordiv="floor_divide", mod="remainder"),
    **{"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"},
    **dict(lshift="bitwise_left_shift", rshift="bitwise_right_shift"),
    **dict(eq="eq", ne="ne", lt="lt", le="le", gt="gt", ge="ge"),
}
_COMMUTES = ("add", "mul", "and", "or", "xor")
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
#: those that are shown as themselves to who answers for functions; the others as the method of the operator's name
_THEMSELVES = ("floordiv", "and", "or", "xor", "lshift", "rshift", "eq")


def _inplace(name, function):
    def method(self, other):
        if not isinstance(other, _OPERANDS) and not hasattr(other, "__torch_function__"):
            return NotImplemented
        return function(self, other)

    method.__name__ = method.__qualname__ = name
    return method


def _operator(op, name, face):
    method = operator_method(op, name, face)
    method.__wrapped__ = _arguments
    return method


def _arguments(self, other):
    """What an operator takes, for ``inspect``."""


def hang():
    """Hang the operators on Tensor; every family must have been declared."""
    for python, name in _BINARY.items():
        op = OPS[name]
        dunder, named = f"__{python}__", (METHODS, name)
        face = (METHODS, dunder) if python in _THEMSELVES else named
        setattr(Tensor, dunder, _operator(op, dunder, face))
        if python in _COMPARISONS:
            continue
        swapped = f"__r{python}__"
        reflected = _operator(op, swapped, named) if python in _COMMUTES else _reflected(python, name)
        if python == "truediv":
            Tensor.__rdiv__ = reflected  # the name it is shown by
        setattr(Tensor, swapped, reflected)
        if op.inplace:
            inplace = f"__i{python}__"
            shown_so = python in _THEMSELVES and python != "floordiv"
            written = inplace_function(op, (METHODS, inplace)) if shown_so else getattr(TENSOR, name + "_")
            setattr(Tensor, inplace, _inplace(inplace, written))
    for python, name in dict(neg="neg", pos="positive", abs="abs").items():
        setattr(Tensor, f"__{python}__", getattr(Tensor, name))
    Tensor.__invert__ = face_of("bitwise_not", METHODS, "__invert__")
    bridge.add = TENSOR.add
    bridge.copy, bridge.gather = _copy_of, _gather
    Tensor.__matmul__ = _matmul
    Tensor.__rmatmul__ = _rmatmul


def _gather(grad, cotangent):
    """A gradient with another added to it: in place where that is not recorded, as PyTorch does."""
    return TENSOR.add(grad, cotangent) if thread.grad else grad.add_(cotangent)


def _copy_of(tensor, like):
    """A recorded copy in the layout of the array ``like``, as PyTorch's accumulation makes one of a gradient that is part of a graph."""
    silent = type(tensor).__torch_dispatch__ is Tensor.__torch_dispatch__  # else its class says what is like it
    plain = silent and type(like) is type(tensor._a) is np.ndarray and like.shape == tensor._a.shape
    made = wrap(np.empty_like(like, dtype=tensor._a.dtype), tensor.dtype) if plain else TENSOR.empty_like(tensor)
    return made.copy_(tensor)


def _matmul(self, other):
    try:
        return _product(self, other) if _is_tensor(self, other) else NotImplemented
    except TypeError:
        if foreign((self, other)):
            return NotImplemented  # nobody answered
        raise


def _rmatmul(self, other):
    return _product(other, self) if _is_tensor(self, other) else NotImplemented


#: the method that ``@`` is shown as
_product = Tensor.matmul


def _is_tensor(self, other):
    """Whether both are tensors, or `other` is of a class that answers for operators."""
    return (isinstance(other, Tensor) and isinstance(self, Tensor)) or hasattr(other, "__torch_function__")


def _reflected(python, name):
    """``2 - x``, ``2 / x``, ``2 ** x``: the number comes first."""
    dunder = f"__r{python}__"

    def method(self, other):
        if python != "truediv":  # which in PyTorch takes what has a reciprocal
            check_receiver(dunder, self)
        if not isinstance(other, _OPERANDS) and not hasattr(other, "__torch_function__"):
            return NotImplemented
        if python == "sub":
            return TENSOR.rsub(self, other)
        if python == "truediv":
            return TENSOR.mul(self.reciprocal(), other)
        if not isinstance(other, Tensor):
            if python in ("lshift", "rshift", "floordiv"):
                other = self.new_full((), other, dtype=_number_dtype(self, other))
        return getattr(TENSOR, name)(other, self)

    method.__name__ = method.__qualname__ = dunder
    return method


def _number_dtype(self, number):
    from .. import dtypes

    return dtypes.combine(self._dtype, None, dtypes.of_number(number))
