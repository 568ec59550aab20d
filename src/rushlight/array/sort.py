"""Sorting, searching and sets. NaN sorts as larger than everything; every sort is stable, as PyTorch's is on the CPU."""

import numpy as np

from .arguments import is_half, legacy_name, shape_text, wrap_dim

__all__ = [
    "argsort",
    "bucketize",
    "isin",
    "msort",
    "searchsorted",
    "sort",
    "topk",
    "unique",
    "unique_consecutive",
]

_INT64 = np.dtype(np.int64)


def _comparable(input):
    if input.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    return input.astype(np.float32) if is_half(input.dtype) else input


def _packed_keys(values, descending):
    """Keys that sort as signed 32-bit numbers as ``values`` do, NaN last; None for dtypes that do not fit."""
    kind = values.dtype
    if kind == np.float32:
        plain = values + np.float32(0)  # no negative zero
        bits = plain.view(np.int32)
        keys = bits ^ (bits >> 31 & np.int32(0x7FFFFFFF))
        missing = np.isnan(plain)
        if missing.any():
            keys[missing] = 0x7FFFFFFF
    elif kind.kind in "biu" and (kind.itemsize < 4 or kind == np.int32):
        keys = values.astype(np.int32)
    else:
        return None
    return ~keys if descending else keys


def _packed(values, dim, descending):
    """Key and place in one int64 each, ``dim`` last: sorting numbers is many times faster than sorting places by key."""
    if values.size < 512 or values.shape[dim] < 16:
        return None
    keys = _packed_keys(np.moveaxis(values, dim, -1), descending)
    if keys is None:
        return None
    packed = keys.astype(np.int64)
    packed <<= 32
    packed |= np.arange(values.shape[dim])
    return np.ascontiguousarray(packed)


def _places(packed, dim):
    return np.moveaxis(packed & 0xFFFFFFFF, -1, dim)


def _order(values, dim, descending):
    """The stable order along ``dim``; equal elements keep their order also when descending."""
    packed = _packed(values, dim, descending)
    if packed is not None:
        packed.sort(-1)
        return _places(packed, dim)
    if not descending:
        return np.argsort(values, dim, kind="stable")
    turned = np.argsort(np.flip(values, dim), dim, kind="stable")
    return np.flip(values.shape[dim] - 1 - turned, dim)


def sort(input, dim=-1, descending=False, *, stable=None):
    """(values, indices) in ascending or descending order along ``dim``."""
    dim = wrap_dim(dim, input.ndim)
    wide = _comparable(input)
    if not input.ndim:
        return input.copy(), np.zeros((), _INT64)
    order = _order(wide, dim, descending).astype(_INT64, copy=False)
    return _laid_out_as(input, np.take_along_axis(input, order, dim)), _laid_out_as(input, order)


def _laid_out_as(input, made):
    """``made`` in memory in the order of ``input``, as PyTorch leaves what it sorts."""
    if made.ndim < 2 or (input.flags.c_contiguous and made.flags.c_contiguous):
        return made
    out = np.empty_like(input, made.dtype)
    out[...] = made
    return out


def argsort(input, dim=-1, descending=False, *, stable=False):
    """The indices that sort ``input`` along ``dim``."""
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return np.zeros((), _INT64)
    return _laid_out_as(input, _order(_comparable(input), dim, descending).astype(_INT64, copy=False))


def msort(input):
    """The values sorted along the first dimension."""
    return sort(input, 0)[0]


def topk(input, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the ``k`` largest (smallest) elements along ``dim``, in order."""
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if input.dtype.kind in "cb":
        raise NotImplementedError(f"\"topk_cpu\" not implemented for '{legacy_name(input)}'")
    if not input.ndim:
        return (input.copy(), np.zeros((), _INT64)) if k else (np.empty(0, input.dtype), np.empty(0, _INT64))
    wide = _comparable(input)
    head = (slice(None),) * dim
    packed = _packed(wide, dim, largest) if 0 < k <= n // 4 else None
    if packed is not None:
        packed.partition(k - 1, -1)
        order = _places(np.sort(packed[..., :k], -1), dim)
    elif n > 256 and 0 < k <= n // 4:
        found = np.argpartition(wide, n - k if largest else k - 1, dim)
        found = np.sort(found[(*head, slice(n - k, None) if largest else slice(0, k))], dim)
        inner = _order(np.take_along_axis(wide, found, dim), dim, largest)
        order = np.take_along_axis(found, inner, dim)
    else:
        order = _order(wide, dim, largest)[(*head, slice(0, k))]
    order = np.ascontiguousarray(order, _INT64)
    return np.take_along_axis(input, order, dim), order


# ---------------------------------------------------------------------------------------------------------- searching


def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where to put each of ``input`` into the sorted last dimension of ``sorted_sequence`` so that it stays sorted.

    Before equal elements, or after them with ``right`` (``side="right"``). The leading dimensions of the two agree,
    unless the sequence is a vector.
    """
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    after = right or side == "right"
    sequence = sorted_sequence
    values = np.asarray(input) if not isinstance(input, np.ndarray) else input
    if sequence.ndim > 1 and (values.ndim == 0 or values.shape[:-1] != sequence.shape[:-1]):
        if isinstance(input, np.ndarray):
            raise RuntimeError(
                "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
                f"tensor and input value tensor must match, but we got boundaries tensor {shape_text(sequence.shape)} and "
                f"input value tensor {shape_text(values.shape)}"
            )
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({sequence.ndim}) and input value's dim(0) numel(1)"
        )
    if sorter is not None:
        if sorter.shape != sequence.shape:
            raise RuntimeError(
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{shape_text(sequence.shape)}and got sorter tensor {shape_text(sorter.shape)}"
            )
        if sorter.dtype != _INT64:
            raise RuntimeError(
                f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {legacy_name(sorter)}"
            )
        if sorter.size and (sorter.min() < 0 or sorter.max() >= sequence.shape[-1]):
            raise RuntimeError("torch.searchsorted(): sorter index out of range")
        sequence = np.take_along_axis(sequence, sorter, -1)
    sequence, values = _comparable(sequence), _comparable(values)
    if sequence.ndim <= 1:
        found = np.searchsorted(sequence.reshape(-1), values, "right" if after else "left")
    else:
        found = _search_rows(sequence, values, after)
    return np.asarray(found, np.int32 if out_int32 else _INT64)


def _search_rows(sequence, values, after):
    """Row by row, by sorting values and sequence together: how many of the sequence come before each value."""
    m = values.shape[-1]
    parts = (sequence, values) if after else (values, sequence)
    both = np.concatenate(parts, -1)
    order = np.argsort(both, -1, kind="stable")
    first = 0 if not after else sequence.shape[-1]
    is_value = (order >= first) & (order < first + m)
    before = np.cumsum(~is_value, -1)
    out = np.empty(both.shape, _INT64)
    np.put_along_axis(out, order, before, -1)
    return out[..., first : first + m]


def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The index of the bucket between ``boundaries`` (sorted) that each element falls in."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each of ``elements`` is among ``test_elements``."""
    return np.asarray(np.isin(elements, test_elements, assume_unique=assume_unique, invert=invert))


# --------------------------------------------------------------------------------------------------------------- sets


def _refuse_complex(input):
    if input.dtype.kind == "c":
        raise NotImplementedError(f"\"unique\" not implemented for '{legacy_name(input)}'")


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """(values, inverse, counts): the distinct elements (slices along ``dim``), sorted. NaNs are all distinct."""
    _refuse_complex(input)
    wide = _comparable(input)
    if dim is not None:
        dim = wrap_dim(dim, input.ndim)
        if input.ndim and 0 in input.shape and input.shape[dim]:
            raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    if dim is None or not input.ndim:
        values, inverse, counts = np.unique(wide.reshape(-1), return_inverse=True, return_counts=True, equal_nan=False)
        inverse = inverse.reshape(input.shape)
    elif not input.size:
        values, inverse, counts = wide, np.zeros(0, _INT64), np.zeros(0, _INT64)
    else:
        values, inverse, counts = _unique_slices(wide, dim)
    return values.astype(input.dtype, copy=False), inverse.astype(_INT64), counts.astype(_INT64)


def _unique_slices(input, dim):
    rows = np.moveaxis(input, dim, 0)
    flat = np.ascontiguousarray(rows).reshape(rows.shape[0], -1)
    order = np.lexsort(flat.T[::-1]) if flat.shape[1] else np.arange(len(flat))
    ordered = flat[order]
    starts = np.ones(len(flat), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(1)
    group = np.cumsum(starts) - 1
    inverse = np.empty(len(flat), _INT64)
    inverse[order] = group
    values = np.moveaxis(rows[order[starts]], 0, dim)
    return np.ascontiguousarray(values), inverse, np.bincount(group)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """(values, inverse, counts): runs of equal elements (slices along ``dim``) reduced to one each."""
    _refuse_complex(input)
    if dim is None:
        flat = input.reshape(-1)
        different = flat[1:] != flat[:-1]
        rows, axis = flat, 0
    else:
        axis = wrap_dim(dim, input.ndim)
        if input.ndim and 0 in input.shape and input.shape[axis]:
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique_consecutive cannot be applied"
            )
        rows = np.moveaxis(input, axis, 0) if input.ndim else input.reshape(1)
        different = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    starts = np.ones(len(rows), bool)
    starts[1:] = different
    group = np.cumsum(starts) - 1
    counts = np.bincount(group, minlength=0) if len(rows) else np.zeros(0, _INT64)
    values = np.moveaxis(rows[starts], 0, axis)
    inverse = group.reshape(input.shape) if dim is None else group
    return np.ascontiguousarray(values), inverse.astype(_INT64), counts.astype(_INT64)
