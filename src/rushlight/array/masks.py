"""Choosing and writing by mask: ``where``, ``masked_fill``, ``masked_select``, ``masked_scatter``, ``nonzero``."""

import numpy as np

from .. import dtypes
from .arguments import broadcast_shapes_of_two, legacy_name, result_dtype
from .blocks import blockwise, select
from .element import element, scalar

__all__ = ["argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero", "nonzero_tuple", "where"]

_BOOL = np.dtype(np.bool_)
_MANY = 2048  # elements; from here on choosing without branches is faster


def where(condition, input, other):
    """``input`` where ``condition`` holds, else ``other``; all three broadcast, the latter two promote."""
    if condition.dtype is not _BOOL:
        if condition.dtype == np.uint8:
            import warnings

            warnings.warn(
                "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
                "version of PyTorch. Use a boolean condition instead.",
                UserWarning,
                stacklevel=5,
            )
            condition = condition != 0
        elif condition.dtype != _BOOL:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {legacy_name(condition)}"
            )
    first, second = getattr(input, "dtype", None), getattr(other, "dtype", None)
    if first is not second or first is None:
        common = result_dtype(input, other).numpy
        input, other = _as(input, common), _as(other, common)
    if (
        condition.size >= _MANY
        and condition.shape == input.shape == other.shape
        and input.dtype.kind == "f"
        and input.dtype.itemsize > 2
    ):
        return blockwise(select, (condition, input, other), np.empty(input.shape, input.dtype))
    try:
        return np.where(condition, input, other)
    except ValueError:
        shape = broadcast_shapes_of_two(condition.shape, np.shape(input))
        broadcast_shapes_of_two(shape, np.shape(other))
        raise


def _as(value, dtype):
    return value.astype(dtype, copy=False) if hasattr(value, "dtype") else scalar(value, dtypes.of(dtype))


_MASK_NAMES = {
    "int64": "long int",
    "int32": "int",
    "int16": "short",
    "int8": "signed char",
    "uint8": "unsigned char",
} | {
    "float32": "float",
    "float64": "double",
}


def fill_value(value, dtype, owner):
    """A number or 0-d array as a 0-d array of ``dtype``, refused where PyTorch refuses the conversion."""
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise RuntimeError(
                f"{owner} only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
            )
        if value.dtype == dtype:
            return value
        value = value.item()
    return element(value, dtypes.of(dtype))


def masked_fill(input, mask, value):
    """``input`` with ``value`` (a number or 0-d array) where ``mask`` holds; the two broadcast."""
    if mask.dtype != _BOOL:
        shown = _MASK_NAMES.get(mask.dtype.name, mask.dtype.name)
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {shown}")
    value = fill_value(value, input.dtype, "masked_fill_")
    if mask.size >= _MANY and mask.shape == input.shape and input.dtype.kind == "f" and input.dtype.itemsize > 2:
        return blockwise(
            lambda m, x, out: select(m, np.broadcast_to(value, x.shape), x, out),
            (mask, input),
            np.empty_like(input, order="C"),
        )
    try:
        return np.asarray(np.where(mask, value, input), order="C")
    except ValueError:
        broadcast_shapes_of_two(mask.shape, input.shape)
        raise


def masked_select(input, mask):
    """A vector of the elements where ``mask`` holds; the two broadcast."""
    if mask.dtype != _BOOL:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    if mask.shape != input.shape:
        shape = broadcast_shapes_of_two(mask.shape, input.shape)
        input, mask = np.broadcast_to(input, shape), np.broadcast_to(mask, shape)
    return input[mask]


def masked_scatter(input, mask, source):
    """``input`` with the elements of ``source``, in order, where ``mask`` holds."""
    if mask.dtype != _BOOL:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {legacy_name(mask)}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{legacy_name(input)} and "
            f"{legacy_name(source)}"
        )
    shape = broadcast_shapes_of_two(mask.shape, input.shape) if mask.shape != input.shape else input.shape
    out = np.array(np.broadcast_to(input, shape), order="C")
    mask = np.broadcast_to(mask, shape)
    count = int(np.count_nonzero(mask))
    if source.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    out[mask] = source.reshape(-1)[:count]
    return out


def nonzero(input):
    """(n, ndim): the places of the non-zero elements, row by row."""
    if not input.ndim:
        return np.zeros((int(bool(input)), 0), np.int64)
    return np.stack(input.nonzero(), 1) if input.ndim > 1 else input.nonzero()[0].reshape(-1, 1)


def argwhere(input):
    """``nonzero`` under NumPy's name."""
    return nonzero(input)


def nonzero_tuple(input):
    """The places of the non-zero elements, one vector for each dimension (a 0-d array has one)."""
    return tuple((input.reshape(1) if not input.ndim else input).nonzero())
