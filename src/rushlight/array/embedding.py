"""Looking rows up in a table, and adding cotangents back into it.

How. The gradient of a lookup adds rows that may repeat. The indices are sorted once (a stable sort, so the order of
addition is that of the input and the result is the same every time), rows of equal index are summed by
`np.add.reduceat`, and each sum is stored once. Only the rows that were looked up are written: the rest of the table is
zeros that the system hands out untouched.

Memory. Backward: the gradient table, and a sorted copy of the cotangent rows.
"""

import math

import numpy as np

from .. import dtypes
from .widening import through_float32
from .windows import sizes_text

__all__ = [
    "embedding",
    "embedding_backward",
    "embedding_bag",
    "embedding_bag_samples_backward",
    "embedding_bag_weight_backward",
    "one_hot",
    "renormalised_rows",
]


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """Rows of `weight` (V, D) at `indices` (any shape): (*indices.shape, D). IndexError for an index outside the table.

    `padding_idx` and `scale_grad_by_freq` concern backward alone.
    """
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _need_integers(indices.dtype, "indices")
    _check_range(indices, weight.shape[0])
    return weight.take(indices, axis=0)


@through_float32
def embedding_backward(grad_output, indices, num_weights, padding_idx, scale_grad_by_freq):
    """Adjoint of `embedding`: (num_weights, D), zero at `padding_idx` (negative: no such row).

    With `scale_grad_by_freq` each row's sum is divided by the number of times the row was looked up.
    """
    width = grad_output.shape[-1]
    flat = np.ascontiguousarray(indices).reshape(-1)
    rows = grad_output.reshape(flat.size, width)
    out = np.zeros((num_weights, width), grad_output.dtype)
    if padding_idx >= 0:
        keep = flat != padding_idx
        if not keep.all():
            flat, rows = flat[keep], rows[keep]
    return add_rows(out, flat, rows, scale_grad_by_freq)


def add_rows(out, places, rows, by_frequency=False):
    """Adds `rows` into the zeros `out` at `places`, repeated places in order. Returns `out`."""
    if places.size == 0:
        return out
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if starts.size == places.size:
        out[places] = rows
        return out
    counts = np.diff(np.append(starts, places.size))
    repeated = counts > 1
    members = order
    if 2 * counts[repeated].sum() < places.size:
        # Most rows come once: they are stored as they are, and only the others are gathered and summed.
        out[places] = rows
        members, counts, starts = order[np.repeat(repeated, counts)], counts[repeated], starts[repeated]
    sums = np.add.reduceat(rows[members], np.cumsum(counts) - counts, axis=0)
    if by_frequency:
        sums /= counts.astype(sums.dtype)[:, None]
    out[ordered[starts]] = sums
    return out


def renormalised_rows(weight, indices, max_norm, norm_type):
    """The distinct `indices` whose rows of `weight` are longer than `max_norm`, and these rows scaled down to it."""
    _need_integers(indices.dtype, "indices")
    places = np.unique(indices)
    _check_range(places, weight.shape[0])
    rows = weight[places]
    lengths = np.linalg.norm(rows.astype(np.float64, copy=False), ord=norm_type, axis=1)
    long = lengths > max_norm
    scale = max_norm / (lengths[long] + 1e-7)
    return places[long], (rows[long] * scale[:, None]).astype(weight.dtype)


def one_hot(input, num_classes=-1):
    """int64 zeros of shape (*input.shape, num_classes) with a one at each index; -1 takes the largest index plus one."""
    if input.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if input.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return np.zeros((*input.shape, num_classes), np.int64)
    if input.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(input.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    elif input.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    out = np.zeros((input.size, num_classes), np.int64)
    out[np.arange(input.size), input.reshape(-1)] = 1
    return out.reshape(*input.shape, num_classes)


# Bags -----------------------------------------------------------------------------------------------------------------


def embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sum (mode 0), mean (1) or maximum (2) of each bag's rows of `weight` (V, D).

    `indices` (n,) are the bags one after the other, `offsets` (B,) where each begins. Returns (result (B, D), bag of
    each index (n,), bag sizes (B,), for the maximum the winning index (B, D), else an empty array). Indices equal to
    `padding_idx` (negative: counted from the last row; None: no such row) are left out.
    """
    padding_idx = padding_row(padding_idx, weight.shape[0])
    _check_bags(weight, indices, offsets, mode, per_sample_weights, padding_idx)
    if include_last_offset:
        if not offsets.size:
            raise RuntimeError("include_last_offset: number of offset should be at least 1")
        offsets = offsets[:-1]
    return _bags(weight, indices, offsets, mode, per_sample_weights, padding_idx)


def padding_row(padding_idx, rows):
    """The row of a table of `rows` that is left out of bags: -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got {padding_idx}"
        )
    return padding_idx % rows


def _check_bags(weight, indices, offsets, mode, per_sample_weights, padding_idx):
    if indices.ndim not in (1, 2):
        raise RuntimeError(f"input has to be a 1D or 2D Tensor, but got Tensor of dimension {indices.ndim}")
    for name, array, dims in (("indices", indices, 1), ("offsets", offsets, 1), ("weight", weight, 2)):
        if array.ndim != dims:
            raise RuntimeError(f"{name} has to be a {dims}D Tensor, but got Tensor of dimension {array.ndim}")
    _need_integers(
        dtypes.promote_types(dtypes.of(indices.dtype), dtypes.of(offsets.dtype)).numpy, "indices", "embedding_bag"
    )
    kind = dtypes.of(weight.dtype)
    if not kind.is_floating_point:
        found = f"CPU{kind.legacy}Type" if kind.is_complex else f"torch.{kind.legacy}Tensor"
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, "
            f"Double; but got {found} instead (while checking arguments for embedding_bag)"
        )
    if offsets.size and offsets[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {int(offsets[0])}"
        )
    if offsets.size and offsets[-1] > indices.size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {indices.size} but got offsets[-1] of {int(offsets[-1])}"
        )
    if per_sample_weights is not None:
        _check_sample_weights(weight, indices, mode, per_sample_weights)
    outside = (indices < 0) | (indices >= weight.shape[0])
    if outside.any():
        place = int(outside.argmax())
        found = int(indices[place])
        # PyTorch's kernel for sums and means has its own words; float64 and padding go to the general one
        if mode != 2 and padding_idx < 0 and weight.dtype != np.float64:
            raise RuntimeError(
                f"Index {place} of input takes value {found} which is not in the valid range [0, {weight.shape[0]})"
            )
        raise RuntimeError(f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {found}")


def _check_sample_weights(weight, indices, mode, per_sample_weights):
    if mode != 0:
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    if per_sample_weights.dtype != weight.dtype:
        ours, theirs = (dtypes.of(each.dtype).legacy for each in (weight, per_sample_weights))
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; "
            f"but type torch.{ours}Tensor does not equal torch.{theirs}Tensor (while checking arguments for embedding_bag)"
        )
    for holds, text in (
        (per_sample_weights.ndim == 1, "dim() == 1"),
        (per_sample_weights.size == indices.size, "numel() == indices.numel()"),
    ):
        if not holds:
            raise RuntimeError(
                f"Expected per_sample_weights.value().{text} to be true, but got false.  "
                "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
            )


@through_float32
def _bags(weight, indices, offsets, mode, per_sample_weights, padding_idx):
    bags, width = offsets.size, weight.shape[1]
    if not bags:
        indices = indices[:0]
    ends = np.append(offsets[1:], indices.size) if bags else offsets
    bag_of = np.repeat(np.arange(bags, dtype=np.int64), ends - offsets)
    keep = _kept(indices, padding_idx)
    used, owner = indices[keep], bag_of[keep]
    sizes = np.bincount(owner, minlength=bags).astype(np.int64)
    rows = weight[used]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[keep][:, None]
    out = np.zeros((bags, width), weight.dtype)
    filled = np.flatnonzero(sizes)
    starts = (np.cumsum(sizes) - sizes)[filled]
    winners = np.zeros((bags, width), np.int64) if mode == 2 else np.empty((0,), np.int64)
    if filled.size:
        if mode == 2:
            best = np.maximum.reduceat(rows, starts, axis=0)
            out[filled] = best
            # The first row of the bag that reaches the maximum: the least position among those that do.
            position = np.where(rows == out[owner], np.arange(used.size)[:, None], used.size)
            first = np.minimum.reduceat(position, starts, axis=0)
            winners[filled] = used[np.minimum(first, used.size - 1)]
        else:
            out[filled] = np.add.reduceat(rows, starts, axis=0)
            if mode == 1:
                out[filled] /= sizes[filled].astype(out.dtype)[:, None]
    return out, bag_of, sizes, winners


@through_float32
def embedding_bag_weight_backward(
    grad, weight, indices, bag_of, sizes, winners, mode, per_sample_weights, padding_idx, scale_grad_by_freq
):
    """Cotangent of the weight of `embedding_bag` (V, D), from the cotangent of its bags and its further results."""
    if mode == 2:
        out = np.zeros(weight.shape, weight.dtype)
        filled = np.flatnonzero(sizes)
        columns = np.broadcast_to(np.arange(weight.shape[1]), (filled.size, weight.shape[1]))
        np.add.at(out, (winners[filled], columns), grad[filled])
        return out
    keep = _kept(indices, padding_row(padding_idx, weight.shape[0]))
    share = grad
    if mode == 1:
        share = grad / np.maximum(sizes, 1).astype(grad.dtype)[:, None]
    rows = share[bag_of[keep]]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[keep][:, None]
    return add_rows(np.zeros(weight.shape, weight.dtype), indices[keep], rows, scale_grad_by_freq)


@through_float32
def embedding_bag_samples_backward(
    grad, weight, indices, bag_of, sizes, winners, mode, per_sample_weights, padding_idx, scale_grad_by_freq
):
    """Cotangent of the `per_sample_weights` (n,) of `embedding_bag`, from the same arguments."""
    keep = _kept(indices, padding_row(padding_idx, weight.shape[0]))
    out = np.zeros(indices.shape, grad.dtype)
    out[keep] = np.vecdot(grad[bag_of[keep]], weight[indices[keep]])
    return out


def _kept(indices, padding_idx):
    """Which indices are not left out of their bags."""
    return indices != padding_idx if padding_idx >= 0 else np.ones(indices.size, np.bool_)


def _need_integers(dtype, name, function="embedding"):
    if dtype not in (np.int64, np.int32):
        found = dtypes.of(dtype).legacy
        raise RuntimeError(
            f"Expected tensor for argument #1 '{name}' to have one of the following scalar types: Long, Int; but got "
            f"torch.{found}Tensor instead (while checking arguments for {function})"
        )


def _check_range(indices, rows):
    if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= rows):
        raise IndexError("index out of range in self")


def bag_offsets(indices, name="embedding_bag"):
    """Offsets of the rows of a 2-D `indices`: every row is a bag."""
    if indices.ndim != 2:
        raise ValueError(f"{name}: input has to be 1D or 2D Tensor, but got Tensor of size {sizes_text(indices.shape)}")
    return np.arange(0, math.prod(indices.shape), max(indices.shape[1], 1), dtype=np.int64)
