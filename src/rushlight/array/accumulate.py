"""Adding rows at places that may repeat: the transpose of taking rows, and so the backward of every kind of indexing.

``np.ufunc.at`` is fast for vectors only. Rows are summed here by sorting the places and adding each run at once (or, for
narrow rows, by a weighted count of flat places, which sums in float64); the result does not depend on anything but the
order of the places.
"""

import numpy as np

from .arguments import is_half

__all__ = ["add_at", "sum_rows"]


def add_at(target, places, rows, leading=1):
    """``target[places] += rows`` in place, repeated places adding up.

    ``places`` are flat, non-negative indices over the first ``leading`` dimensions of ``target``; ``rows`` has shape
    ``(len(places), *target.shape[leading:])``.
    """
    if not places.size or not rows.size:
        return
    count = 1
    for n in target.shape[:leading]:
        count *= n
    dtype = target.dtype
    if is_half(dtype):
        target[...] = (target.astype(np.float32) + sum_rows(places, rows, count).reshape(target.shape)).astype(dtype)
        return
    if dtype == np.bool_:
        target |= sum_rows(places, rows, count).reshape(target.shape)
        return
    if target.flags.c_contiguous and rows.size == len(places):
        # numbers: one after the other, in the order and precision of a loop
        np.add.at(target.reshape(-1), places, rows.reshape(-1).astype(dtype, copy=False))
        return
    if target.flags.c_contiguous and len(places) * 4 < count:
        # few places: touch only those
        width = target.size // count
        flat = target.reshape(count, width)
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        flat[ordered[starts]] += np.add.reduceat(rows.reshape(len(places), width)[order], starts, axis=0)
        return
    target += sum_rows(places, rows, count).reshape(target.shape)


def sum_rows(places, rows, count):
    """An array of ``count`` rows, each the sum of those of ``rows`` whose place it is (half precision: in float32)."""
    kept = rows.shape[1:]
    width = 1
    for n in kept:
        width *= n
    if is_half(rows.dtype):
        rows = rows.astype(np.float32)
    dtype = rows.dtype
    out = np.zeros((count, width), dtype)
    if not width or not places.size:
        return out.reshape(count, *kept)
    flat = rows.reshape(len(places), width)
    if dtype == np.bool_:
        np.logical_or.at(out, places, flat)
    elif width == 1:
        np.add.at(out[:, 0], places, flat[:, 0])
    elif width <= 4 and dtype.kind in "fc":
        _sum_counted(out, places, flat)
    else:
        _sum_sorted(out, places, flat)
    return out.reshape(count, *kept)


def _sum_sorted(out, places, rows):
    """``out[places] = sums of rows`` (``out`` holds zeros): runs of sorted places added at once."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.empty(len(ordered), bool)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    if len(starts) == len(places):
        out[places] = rows
        return
    lengths = np.diff(starts, append=len(places))
    longest = int(lengths.max())
    if longest > 4:
        out[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)
        return
    out[ordered[starts]] = rows[order[starts]]
    for k in range(1, longest):  # the second of each run, the third, the fourth
        more = starts[lengths > k] + k
        out[ordered[more]] += rows[order[more]]


def _sum_counted(out, places, rows):
    """``out[places] = sums of rows`` by counting flat places with the elements as weights."""
    count, width = out.shape
    if width > 1:
        places = (places[:, None] * width + np.arange(width)).reshape(-1)
    flat = rows.reshape(-1)
    if out.dtype.kind == "c":
        out.real = np.bincount(places, flat.real, count * width).reshape(count, width)
        out.imag = np.bincount(places, flat.imag, count * width).reshape(count, width)
    else:
        out[...] = np.bincount(places, flat, count * width).reshape(count, width)
