"""Statistics over dimensions: variance, order statistics, histograms and counts.

Variances take two passes (the mean, then the squares of the differences), in float32 for half precision. Order statistics
sort or partition a copy; NaN counts as larger than everything, and wins where PyTorch lets it win.
"""

import math
import warnings

import numpy as np

from .. import dtypes
from . import ties
from .arguments import is_half, legacy_name, shape_text, wrap_dim
from .reduce import add_reduce, axes_of, divide_by, reduced_size

__all__ = [
    "bincount",
    "histc",
    "histogram",
    "histogramdd",
    "kthvalue",
    "median",
    "mode",
    "nanmedian",
    "std",
    "std_mean",
    "var",
    "var_mean",
]


# -------------------------------------------------------------------------------------------------------- variance


def correction_of(dim, unbiased, correction):
    """What the count is reduced by; ``var(x, False)`` gives ``unbiased`` in the place of ``dim``."""
    if dim is True or dim is False:
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return dim, correction


def _moments(input, dim, unbiased, keepdim, correction, name):
    """(variance, mean) in the dtype to compute in."""
    if input.dtype.kind in "biu":
        text = "std and var only" if name in ("var", "std") else f"{name} only"
        raise RuntimeError(f"{text} support floating point and complex dtypes")
    dim, correction = correction_of(dim, unbiased, correction)
    if is_half(input.dtype):
        input = input.astype(np.float32)
    axes = axes_of(dim, input.ndim)
    n = reduced_size(input, axes)
    if n <= correction and input.size + n:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            UserWarning,
            stacklevel=6,
        )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = divide_by(add_reduce(input, axes, True), n)
        if input.dtype.kind == "c":
            away = input - mean
            squares = away.real**2
            squares += away.imag**2
        else:
            squares = np.asarray(input - mean)
            np.multiply(squares, squares, out=squares)
        variance = divide_by(add_reduce(squares, axes, keepdim), max(0, n - correction))
    if not keepdim:
        mean = mean.reshape(variance.shape)
    return variance, mean


def _real_dtype(dtype):
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance over ``dim`` (None: all): squares of differences from the mean, divided by ``n - correction``."""
    variance, _ = _moments(input, dim, unbiased, keepdim, correction, "var")
    return variance.astype(_real_dtype(input.dtype), copy=False)


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The square root of ``var``."""
    variance, _ = _moments(input, dim, unbiased, keepdim, correction, "std")
    return np.sqrt(variance, out=variance).astype(_real_dtype(input.dtype), copy=False)


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(variance, mean)."""
    variance, mean = _moments(input, dim, unbiased, keepdim, correction, "var_mean")
    return variance.astype(_real_dtype(input.dtype), copy=False), mean.astype(input.dtype, copy=False)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(standard deviation, mean)."""
    variance, mean = _moments(input, dim, unbiased, keepdim, correction, "std_mean")
    return np.sqrt(variance, out=variance).astype(_real_dtype(input.dtype), copy=False), mean.astype(
        input.dtype, copy=False
    )


# -------------------------------------------------------------------------------------------------- order statistics


def _check_order(input, dim, name, kernel):
    dim = wrap_dim(dim, input.ndim)
    if input.ndim and input.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    if input.dtype.kind == "c" or (input.dtype.kind == "b" and name != "mode"):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy_name(input)}'")
    return dim


def _sortable(input):
    return input.astype(np.float32) if is_half(input.dtype) else input


def _at(values, places, dim, keepdim):
    """The elements at ``places`` (with ``dim`` kept) of an array, and the places, with ``dim`` dropped unless kept."""
    found = np.take_along_axis(values, places, dim)
    places = places.astype(np.int64, copy=False)
    return (found, places) if keepdim else (found.squeeze(dim), places.squeeze(dim))


def _ranked(input, rank, dim, keepdim):
    """(value, index) of the element of rank ``rank`` (an array with ``dim`` of size one, or an int) along ``dim``."""
    order = np.argsort(_sortable(input), dim, kind="stable")
    rank = np.full([1 if i == dim else n for i, n in enumerate(input.shape)], rank) if np.ndim(rank) == 0 else rank
    return _at(input, np.take_along_axis(order, rank, dim), dim, keepdim)


def _scalar_pair(input):
    return input.copy(), np.zeros((), np.int64)


def kthvalue(input, k, dim=-1, keepdim=False):
    """(values, indices) of the ``k``-th smallest element (from 1) along ``dim``; NaN counts as largest."""
    dim = _check_order(input, dim, "kthvalue", "kthvalue_cpu")
    n = input.shape[dim] if input.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    if not input.ndim:
        return _scalar_pair(input)
    values, places = _ranked(input, k - 1, dim, True)
    wide = _sortable(input)
    _choose(wide, dim, (wide == values).sum(dim, keepdims=True) > 1, places, lambda row: ties.selected(row, k - 1))
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


def _choose(input, dim, tied, places, chooser):
    """Set ``places`` to what ``chooser`` says of each row along ``dim`` that is ``tied``, if they are few enough to be worth it."""
    if np.count_nonzero(tied) * input.shape[dim] > ties.WORTH:
        return
    rows, found = np.moveaxis(input, dim, -1), np.moveaxis(places, dim, -1)
    for at in np.argwhere(np.moveaxis(tied, dim, -1)).tolist():
        row = tuple(at[:-1])
        found[row] = chooser(rows[row].tolist())


def _median_all(input, skip_nan):
    if input.dtype.kind in "bc":
        raise NotImplementedError(f"\"median_cpu\" not implemented for '{legacy_name(input)}'")
    if not input.size:
        if input.dtype.kind in "iu":
            return np.full((), np.iinfo(input.dtype).min, input.dtype)
        return np.full((), np.nan, input.dtype)
    flat = _sortable(input).reshape(-1)
    count = flat.size
    if flat.dtype.kind == "f":
        missing = int(np.count_nonzero(np.isnan(flat)))
        if missing and (not skip_nan or missing == count):
            return np.full((), np.nan, input.dtype)
        count -= missing
    rank = (count - 1) // 2
    return np.asarray(np.partition(flat, rank)[rank], input.dtype)


def _median_dim(input, dim, keepdim, skip_nan):
    dim = _check_order(input, dim, "median", "median_out")
    if not input.ndim:
        return _scalar_pair(input)
    n = input.shape[dim]
    rank = np.full([1 if i == dim else m for i, m in enumerate(input.shape)], (n - 1) // 2)
    wide = _sortable(input)
    if wide.dtype.kind == "f":
        missing = np.isnan(wide).sum(dim, keepdims=True)
        if skip_nan:
            rank = np.maximum(n - missing - 1, 0) // 2
        else:
            rank = np.where(missing > 0, n - missing, rank)  # the first NaN, for they are sorted to the end
    return _ranked(input, rank, dim, keepdim)


def median(input, dim=None, keepdim=False):
    """The lower median of all (NaN if any is NaN), or (values, indices) along ``dim``."""
    return _median_all(input, False) if dim is None else _median_dim(input, dim, keepdim, False)


def nanmedian(input, dim=None, keepdim=False):
    """``median`` of what is not NaN."""
    return _median_all(input, True) if dim is None else _median_dim(input, dim, keepdim, True)


def mode(input, dim=-1, keepdim=False):
    """(values, indices) of the most frequent value along ``dim``, the smallest of those; which of its places, see ``ties``."""
    dim = _check_order(input, dim, "mode", "mode")
    if not input.ndim:
        return _scalar_pair(input)
    moved = np.moveaxis(input, dim, -1)
    order = np.argsort(_sortable(moved), -1, kind="stable")
    ordered = np.take_along_axis(moved, order, -1)
    n = moved.shape[-1]
    place = np.arange(n)
    starts = np.ones(ordered.shape, bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    run = place - np.maximum.accumulate(np.where(starts, place, 0), -1)
    best = np.argmax(run, -1)[..., None]
    values, indices = np.take_along_axis(ordered, best, -1), np.take_along_axis(order, best, -1).astype(np.int64)
    if n > ties.STABLE:
        tied = np.take_along_axis(run, best, -1) > 0
        if moved.dtype.kind not in "biu":
            tied &= ~np.isnan(moved).any(-1, keepdims=True)
        _choose(_sortable(moved), -1, tied, indices, _last_of_mode)
    values, indices = np.moveaxis(values, -1, dim), np.moveaxis(indices, -1, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _last_of_mode(row):
    """The place of the last of the first longest run of equal elements, in sorted order."""
    order = ties.sorted_order(row)
    best = longest = run = 0
    for here, item in enumerate(order):
        run = run + 1 if here and row[order[here - 1]] == row[item] else 1
        if run > longest:
            best, longest = item, run
    return best


# ------------------------------------------------------------------------------------------------------- counting


def bincount(input, weights=None, minlength=0):
    """How often each of the numbers 0, 1, ... occurs in a vector of them, or the sum of the weights where it occurs."""
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{legacy_name(input)}'")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return np.bincount(input, None, minlength).astype(np.int64, copy=False)
    if weights.ndim != 1 or weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    if not input.size:
        return np.zeros(minlength, np.int64 if weights is None else weights.dtype)
    kind = np.float32 if weights.dtype == np.float32 else np.float64
    return np.bincount(input, weights.astype(np.float64), minlength).astype(kind, copy=False)


def _range(input, low, high):
    if low == high and input.size:
        low, high = float(input.min()), float(input.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    if low == high:
        low, high = low - 1, high + 1
    return low, high


def histc(input, bins=100, min=0, max=0):
    """Counts of the elements in ``bins`` equal bins from ``min`` to ``max`` (of the data where both are equal)."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    wide = _sortable(input).reshape(-1)
    low, high = _range(wide, min, max)
    if input.dtype.kind != "f" and not is_half(input.dtype):
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{legacy_name(input)}'")
    kind = wide.dtype.type
    inside = wide[(wide >= low) & (wide <= high)]
    place = ((inside - kind(low)) * kind(bins) / kind(high - low)).astype(np.int64)
    counts = np.bincount(np.minimum(place, bins - 1), minlength=bins)
    return counts.astype(input.dtype)


def histogram(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges): counts (or sums of ``weight``) in bins given by their edges or their number."""
    weights = None if weight is None else weight.reshape(-1)
    return histogramdd(input.reshape(-1, 1), [bins], range=range, weight=weights, density=density)


def histogramdd(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges): counts of the rows of ``input`` (points) in a grid of bins, one list of edges a dimension."""
    if input.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{legacy_name(input)}'")
    if input.ndim < 2:
        raise RuntimeError("torch.histogramdd(): input tensor should have at least 2 dimensions, but got "
                           f"{input.ndim}")  # fmt: skip
    n = input.shape[-1]
    points = input.reshape(math.prod(input.shape[:-1]), n)
    if isinstance(bins, (int, np.integer)):
        bins = [int(bins)] * n
    if len(bins) != n:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    _check_weight(input, weight)
    if range is not None and len(range) != 2 * n:
        raise RuntimeError(
            f"torch.histogramdd: for a {n}-dimensional histogram range should have {2 * n} elements, but got {len(range)}"
        )
    edges = [_edges(points[:, k], each, k, range and range[2 * k : 2 * k + 2]) for k, each in enumerate(bins)]
    if not n:
        return np.zeros((), input.dtype), *edges
    flat = np.zeros(len(points), np.int64)
    inside = np.ones(len(points), bool)
    for k, edge in enumerate(edges):
        place = np.searchsorted(edge, points[:, k], "right") - 1
        place[points[:, k] == edge[-1]] = len(edge) - 2
        # asked of the outer edges too, for what is given as edges need not ascend
        inside &= (points[:, k] >= edge[0]) & (points[:, k] <= edge[-1]) & (place >= 0) & (place < len(edge) - 1)
        flat = flat * (len(edge) - 1) + place
    shape = tuple([len(edge) - 1 for edge in edges])
    weights = None if weight is None else weight.reshape(-1)[inside]
    hist = np.bincount(flat[inside], weights, math.prod(shape)).astype(input.dtype).reshape(shape)
    if density:
        hist = hist / hist.sum()
        for k, edge in enumerate(edges):
            hist = hist / np.diff(edge).reshape([-1 if i == k else 1 for i in np.arange(n)])
    return hist, *edges


def _edges(values, bins, k, limits):
    """The edges of the bins of dimension ``k``: given, or as many as asked for between the limits (or those of the values)."""
    if isinstance(bins, np.ndarray):
        _check_edges(values, bins, k)
        return bins.copy()
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {k}")
    low, high = limits or ((float(values.min()), float(values.max())) if values.size else (0.0, 1.0))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension {k}'s range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {k}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    from .creation import linspace

    return linspace(low, high, bins + 1, dtype=dtypes.of(values.dtype))


def _check_edges(values, bins, k):
    if bins.dtype != values.dtype:
        raise RuntimeError(
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
            f"{_spoken(values)} and bins for dimension {k} with dtype {_spoken(bins)}"
        )
    if bins.ndim != 1:
        raise RuntimeError(
            f"torch.histogramdd: bins tensor should have one dimension, but got {bins.ndim} dimensions in the bins tensor "
            f"for dimension {k}"
        )
    if not bins.size:
        raise RuntimeError(
            "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for "
            f"dimension {k}"
        )
    if bins.size == 1:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got 0 for dimension {k}")


def _check_weight(input, weight):
    if weight is None:
        return
    if weight.dtype != input.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, "
            f"but got input({_spoken(input)}), and weight({_spoken(weight)})"
        )
    if weight.shape != input.shape[:-1]:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding "
            f"its innermost dimension, but got input with shape {shape_text(input.shape)} and weight with shape "
            f"{shape_text(weight.shape)}"
        )


def _spoken(array):
    return dtypes.of(array.dtype).cpp_name
