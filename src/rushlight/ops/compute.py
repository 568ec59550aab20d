"""The values of an operator: promotion by PyTorch's rules, half precision through float32, broadcasting checked in its words."""

import numpy as np

from .. import dtypes
from ..array.element import check_integer
from .binding import type_error
from .table import as_array

__all__ = ["broadcast", "compute", "compute_elementwise", "operand_dtype"]

_ndarray = np.ndarray


def compute(op, raws):
    """The operator on arrays and numbers."""
    if op.elementwise:
        return compute_elementwise(op, raws)
    if op.kwonly:
        at = op.positional
        return op.kernel(*raws[:at], **dict(zip(op.params[at:], raws[at:])))
    return op.kernel(*raws)


def operand_dtype(operands):
    """PyTorch's promoted dtype of arrays (by dimension) and Python numbers."""
    dimensioned = zero_dim = numbers = None
    for value in operands:
        if isinstance(value, _ndarray):
            found = dtypes.of(value.dtype)
            if value.ndim:
                dimensioned = found if dimensioned is None else dtypes.promote_types(dimensioned, found)
            else:
                zero_dim = found if zero_dim is None else dtypes.promote_types(zero_dim, found)
        elif value is not None:
            found = dtypes.of_number(value)
            numbers = found if numbers is None else dtypes.promote_types(numbers, found)
    return dtypes.combine(dimensioned, zero_dim, numbers)


def compute_elementwise(op, raws):
    params = op.params
    places = [params.index(name) for name in op.operands]
    operands = [raws[i] for i in places]
    if op.refuse is not None:
        op.refuse(*operands)
    common = operand_dtype(operands)
    if op.kind == "float" and common.category < 2:
        common = dtypes.get_default_dtype()
    half = common.itemsize == 2 and common.is_floating_point
    working = np.dtype(np.float32) if half else common.numpy
    given = list(raws)
    for i, value in zip(places, operands):
        if value is not None:
            given[i] = _convert(value, working, common)
        elif params[i] not in op.defaults():
            raise type_error(op, params[i], i + 1, None)
    _check_broadcast(given, places)
    if op.kwonly:
        at = op.positional
        result = op.kernel(*given[:at], **dict(zip(params[at:], given[at:])))
    elif op.kernel.__class__ is np.ufunc:
        result = op.kernel(*given, out=...)
    else:
        result = op.kernel(*given)
    if half:
        if result.__class__ is tuple:
            return tuple(_round(each, common) for each in result)
        return _round(result, common)
    return result


def _round(result, common):
    result = as_array(result)
    return result.astype(common.numpy) if result.dtype == np.float32 else result


def _convert(value, working, common):
    if isinstance(value, _ndarray):
        if value.dtype is working:
            return value
        if value.dtype.kind == "c" and working.kind != "c":
            value = value.real
        return value.astype(working, copy=False)
    if isinstance(value, int):
        check_integer(value)
        if common.category == 1:
            return np.array(value & ((1 << 8 * common.itemsize) - 1), np.uint64).astype(working)
    return np.asarray(value, working)


def _check_broadcast(given, places):
    """The shapes of operands must broadcast; RuntimeError in PyTorch's words where they do not."""
    shape = None
    for i in places:
        other = getattr(given[i], "shape", ())
        if shape is None or shape == other or not other:
            shape = shape or other
            continue
        shape = broadcast(shape, other)


def broadcast(a, b):
    """The common shape of two shapes; an error names the last dimension that does not fit."""
    n = max(len(a), len(b))
    out = []
    for k in range(n - 1, -1, -1):
        i, j = len(a) - n + k, len(b) - n + k
        m = a[i] if i >= 0 else 1
        o = b[j] if j >= 0 else 1
        if m != o and m != 1 and o != 1:
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({o}) at non-singleton dimension {k}"
            )
        out.append(o if m == 1 else m)
    return tuple(out[::-1])
