"""Adding rows at places that may repeat: the transpose of taking rows, and so the backward of every kind of indexing.

``np.ufunc.at`` is fast for vectors only. Rows are summed here by sorting the places and adding each run at once (or, for
narrow rows, by a weighted count of flat places); the result does not depend on anything but the order of the places.
"""

import numpy as np

from .arguments import is_half

__all__ = ["add_at", "sum_rows"]


def add_at(target, places, rows, leading=1):
    """``target[places] += rows`` in place, repeated places adding up.

    ``places`` are flat, non-negative indices over the first ``leading`` dimensions of ``target``; ``rows`` has shape
    ``(len(places), *target.shape[leading:])``.
    """
    if not places.size:
        return
    count = 1
    for n in target.shape[:leading]:
        count *= n
    sums = sum_rows(places, rows, count)
    if is_half(target.dtype):
        target[...] = (target.astype(np.float32) + sums.reshape(target.shape)).astype(target.dtype)
    elif target.dtype == np.bool_:
        target |= sums.reshape(target.shape)
    else:
        target += sums.reshape(target.shape)


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
    if width <= 4 and dtype.kind in "fc":
        wide = flat
        if width > 1:
            places = (places[:, None] * width + np.arange(width)).reshape(-1)
            wide = flat.reshape(-1)
        else:
            wide = flat[:, 0]
        size = count * width
        if dtype.kind == "c":
            out.real = np.bincount(places, wide.real, size).reshape(count, width)
            out.imag = np.bincount(places, wide.imag, size).reshape(count, width)
        else:
            out[...] = np.bincount(places, wide, size).reshape(count, width)
        return out.reshape(count, *kept)
    if dtype == np.bool_:
        np.logical_or.at(out, places, flat)
        return out.reshape(count, *kept)
    if width == 1:
        np.add.at(out[:, 0], places, flat[:, 0])
        return out.reshape(count, *kept)
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == len(places):
        out[places] = flat
    else:
        out[ordered[starts]] = np.add.reduceat(flat[order], starts, axis=0)
    return out.reshape(count, *kept)
