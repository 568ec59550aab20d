"""Reductions of runs of neighbouring slices, given by their lengths or by where they start.

Runs lie one after the other, so that one ``reduceat`` reduces them all. Memory: a copy of the input's slices that are in a run.
"""

import math

import numpy as np

from .arguments import is_floating, is_half, legacy_name, wrap_dim

__all__ = ["runs", "segment_reduce"]

_REDUCTIONS = {
    **dict(sum=np.add, mean=np.add, prod=np.multiply, max=np.maximum, amax=np.maximum, min=np.minimum, amin=np.minimum),
}
_EMPTY = dict(sum=0.0, mean=0.0, prod=1.0, max=-math.inf, amax=-math.inf, min=math.inf, amin=math.inf)


def runs(shape, lengths, offsets):
    """(rows, segments, counts) of data of ``shape``, seen as a matrix of its slices along the runs' dimension.

    ``rows`` are the places of the slices that are in a run, ``segments`` the run each is in, ``counts`` the lengths of the runs.
    The runs' dimension is the last of ``lengths`` (or of ``offsets``, which holds one number more than there are runs).
    """
    given = lengths if offsets is None else offsets
    axis = given.ndim - 1
    outer, n = math.prod(shape[:axis]), shape[axis]
    given = given.reshape(outer, given.shape[axis]).astype(np.int64, copy=False)
    if offsets is None:
        counts = given
        starts = np.cumsum(counts, 1) - counts
    else:
        counts, starts = np.diff(given, axis=1), given[:, :-1]
    starts = (starts + np.arange(outer)[:, None] * n).reshape(-1)
    counts = counts.reshape(-1)
    segments = np.repeat(np.arange(counts.size), counts)
    rows = np.arange(segments.size) + (starts - (np.cumsum(counts) - counts))[segments]
    return rows, segments, counts


def _check(data, reduce, lengths, indices, offsets, axis, unsafe):
    axis = wrap_dim(axis, data.ndim)
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    name, given = ("lengths", lengths) if offsets is None else ("offsets", offsets)
    if axis != given.ndim - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of {name} but got {axis}.")
    if not is_floating(data.dtype):
        raise NotImplementedError(f"\"_segment_reduce_cpu\" not implemented for '{legacy_name(data)}'")
    if given.dtype not in (np.int32, np.int64):
        kernel = f"_segment_reduce_{name}_cpu_kernel1"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy_name(data)}'")
    if offsets is None and not unsafe:
        if lengths.size and lengths.min() < 0:
            raise RuntimeError("lengths contains negative value!")
        if (lengths.sum(-1) != data.shape[axis]).any():
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when "
                "!unsafe."
            )
    return axis


def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Each run of slices of ``data`` along ``axis`` reduced to one: ``"sum"``, ``"mean"``, ``"max"``, ``"min"``, ``"prod"``.

    ``lengths`` (or ``offsets``: where each starts and the last ends) has the shape of ``data`` before ``axis`` and the runs as last
    dimension. ``initial`` takes part in every run; without it an empty run gives 0, NaN (``"mean"``), -inf, inf or 1.
    """
    axis = _check(data, reduce, lengths, indices, offsets, axis, unsafe)
    shape = data.shape
    rows, _, counts = runs(shape, lengths, offsets)
    width = math.prod(shape[axis + 1 :])
    slices = data.reshape(math.prod(shape[: axis + 1]), width)[rows]
    if is_half(data.dtype):
        slices = slices.astype(np.float32)
    out = np.full((counts.size, width), _EMPTY[reduce] if initial is None else initial, slices.dtype)
    filled = counts > 0
    if slices.size:
        ufunc = _REDUCTIONS[reduce]
        starts = (np.cumsum(counts) - counts)[filled]
        out[filled] = ufunc(out[filled], ufunc.reduceat(slices, starts, axis=0))
    if reduce == "mean":
        divisor = counts if initial is None else np.maximum(counts, 1)
        out /= divisor[:, None].astype(out.dtype)
    runs_along = (lengths.shape[-1],) if offsets is None else (offsets.shape[-1] - 1,)
    return out.reshape(shape[:axis] + runs_along + shape[axis + 1 :]).astype(data.dtype, copy=False)
