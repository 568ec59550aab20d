"""Sizes that are not known yet, which compilers trace with: there are none here, so what works on either works on numbers.

``torch.SymInt`` and the other classes are for annotations and ``isinstance``; ``torch._check`` and its relatives are assertions with
PyTorch's exceptions.
"""

import math

from . import dtypes
from .tensor import Tensor

__all__ = ["SymBool", "SymFloat", "SymInt"]


class SymInt:
    """What ``isinstance`` is asked for; sizes are ints here."""

    def __init__(self, node):
        raise NotImplementedError(f"rushlight has no {type(self).__name__}: sizes are numbers")


class SymFloat(SymInt):
    """What ``isinstance`` is asked for; numbers are floats here."""


class SymBool(SymInt):
    """What ``isinstance`` is asked for; conditions are bools here."""


for _class in (SymInt, SymFloat, SymBool):
    _class.__module__ = "torch"


def sym_int(a):
    """A number without its fraction."""
    return math.trunc(a)


sym_float = float


def sym_max(a, b):
    """The larger number, a float where one of the two is."""
    return type(a + b)(max(a, b))


def sym_min(a, b):
    """The smaller number, a float where one of the two is."""
    return type(a + b)(min(a, b))


def sym_not(a):
    return not a


def sym_ite(b, t, f):
    return t if b else f


sym_sum = sum
sym_sqrt = math.sqrt


# ------------------------------------------------------------------------------------------------------------ assertions


def _assert(condition, message):
    assert condition, message


def _assert_async(input, assert_msg=None):
    """RuntimeError where the one element is zero."""
    if not input:
        raise RuntimeError(assert_msg or "Expected Tensor with single nonzero value, but got zero")


def _check_with(error_type, cond, message):
    """Raise ``error_type`` where ``cond``, a bool, does not hold; ``message`` is a function that gives the text, or None."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        text = (
            "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an "
            "enhancement request to PyTorch.)"
        )
    elif callable(message):
        text = str(message())
    else:
        raise TypeError("message must be a callable")
    raise error_type(text)


def _check(cond, message=None):
    """RuntimeError where ``cond`` does not hold."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond, message=None):
    """IndexError where ``cond`` does not hold."""
    _check_with(IndexError, cond, message)


def _check_value(cond, message=None):
    """ValueError where ``cond`` does not hold."""
    _check_with(ValueError, cond, message)


def _check_type(cond, message=None):
    """TypeError where ``cond`` does not hold."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond, message=None):
    """NotImplementedError where ``cond`` does not hold."""
    _check_with(NotImplementedError, cond, message)


def _check_tensor_all(cond, message=None):
    """RuntimeError where an element of ``cond``, a tensor of bools, is false."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _check_tensor_all_with(error_type, cond, message=None):
    """Raise ``error_type`` where an element of ``cond``, a tensor of bools, is false."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not dtypes.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond._is_all_true()), message)


def _check_is_size(i, message=None, *, max=None):
    """RuntimeError where ``i`` is negative, or greater than ``max``."""
    _check(i >= 0, message)
    if max is not None:
        _check(i <= max, message)
