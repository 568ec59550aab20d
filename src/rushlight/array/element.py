"""Python numbers as elements of arrays, refused where PyTorch refuses the conversion.

A number fits a dtype that can hold its value: floats must lie between the limits (the infinities and NaN fit floating dtypes), the fraction
of a float may be lost, and a negative integer wraps around in an unsigned dtype that could hold its absolute value. Everything is
a bool.
"""

import functools

import numpy as np

from .. import dtypes
from .arguments import is_half

__all__ = ["check_integer", "element", "fits", "scalar"]

#: the names that PyTorch's C++ gives the types that numbers are converted to
_CPP_NAMES = {
    **{"int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t"},
    **{"uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t"},
}


@functools.cache
def _limits(dtype):
    info = dtypes.iinfo(dtype) if dtype.category == 1 else dtypes.finfo(dtype)
    return info.min, info.max


def fits(value, dtype):
    """Whether a number can be an element of ``dtype``."""
    if dtype is dtypes.bool or isinstance(value, (bool, np.bool_)):
        return True
    least, greatest = _limits(dtype)
    if isinstance(value, (complex, np.complexfloating)):
        if dtype.is_complex:
            return fits(value.real, dtype) and fits(value.imag, dtype)
        return value.imag == 0 and fits(value.real, dtype)
    if dtype.category > 1:
        return least <= value <= greatest or value != value or value in (np.inf, -np.inf)
    if isinstance(value, (int, np.integer)):
        return (least or -greatest) <= value <= greatest
    return float(least) <= value <= float(greatest)


def check_integer(value):
    """OverflowError, in Python's words, for an integer that PyTorch cannot take for a number."""
    if value >= 1 << 64:
        raise OverflowError("int too big to convert")
    if value < -1 << 63:
        raise OverflowError("can't convert negative int to unsigned")


def scalar(value, dtype):
    """``element``, for which PyTorch turns a number into a tensor first: in 16-bit floats it goes by way of a double, unchecked."""
    if is_half(dtype.numpy):
        return element(value, dtypes.float64).astype(dtype.numpy)
    return element(value, dtype)


def element(value, dtype):
    """A Python or NumPy number as a 0-d array of a rushlight dtype.

    RuntimeError where it does not fit, OverflowError for integers of more than 64 bits.
    """
    if isinstance(value, int):
        check_integer(value)
    if not fits(value, dtype):
        shown = _CPP_NAMES.get(dtype.name, dtype.cpp_name)
        raise RuntimeError(f"value cannot be converted to type {shown} without overflow")
    if isinstance(value, (complex, np.complexfloating)) and not (dtype.is_complex or dtype is dtypes.bool):
        value = value.real
    if isinstance(value, int) and dtype.category == 1:
        value &= (1 << 8 * dtype.itemsize) - 1
        return np.array(value, np.uint64).astype(dtype.numpy)
    return np.asarray(value).astype(dtype.numpy)
