"""Changing the size of images and volumes: interpolation in every mode, and moving channels into space and back.

How. Every interpolation is separable. Along one dimension it is a plan: for each output position the input positions it
reads (a few taps) and their weights. Forward gathers the taps and adds them up; the adjoint sums runs of equal
positions (which never decrease along a tap) with `np.add.reduceat`. No dense matrix and no loop over positions.

Memory. One array a dimension, of the sizes reached so far, and one more for a tap.

Source of the positions and weights: PyTorch's definitions (half-pixel centres, or aligned corners; cubic convolution
with a = -0.75, and -0.5 with antialias; triangle, cubic and Lanczos-3 windows stretched by the scale for antialias).
"""

import math

import numpy as np

from .. import dtypes
from .layout import keeps_channels_last
from .widening import is_half
from .windows import sizes_text

#: up to this many positions a dimension's adjoint is a product with a matrix
DENSE = 256

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "upsample", "upsample_backward"]


@keeps_channels_last
def upsample(input, output_size, mode, align_corners, scale_factors):
    """`input` (N, C, *S) resized to (N, C, *output_size).

    `mode`: nearest, nearest-exact, linear, cubic, linear-aa, cubic-aa, lanczos-aa. `scale_factors` (one or None a
    dimension) replaces the ratio of the sizes where corners are not aligned. RuntimeError for an empty input or output.
    """
    size = tuple(input.shape[2:])
    output_size = tuple(int(s) for s in output_size)
    _check_sizes(input, size, output_size)
    dtype = input.dtype
    if mode.startswith("nearest"):
        for axis, plan in _plans(size, output_size, mode, align_corners, scale_factors, np.float32, len(size) == 2):
            input = input.take(plan[0][0], axis=axis)
        return input
    work = np.float64 if dtype == np.float64 else np.float32
    result = input.astype(work, copy=False)
    # The last dimension first: its taps are read from the smallest array.
    for axis, plan in reversed(_plans(size, output_size, mode, align_corners, scale_factors, work, True)):
        result = _apply(result, axis, *plan)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.clip(np.floor(result + 0.5), info.min, info.max).astype(dtype)
    result = result.astype(dtype, copy=False)
    return result.copy() if result is input else result


@keeps_channels_last
def upsample_backward(grad_output, output_size, input_size, mode, align_corners, scale_factors):
    """Adjoint of `upsample`: cotangent of an input of `input_size` (N, C, *S)."""
    size = tuple(input_size)[2:]
    dtype = grad_output.dtype
    work = np.float64 if dtype == np.float64 else np.float32
    result = grad_output.astype(work, copy=False)
    if mode == "cubic" and size == tuple(output_size):
        return grad_output.copy()  # as PyTorch, even where a scale factor made forward do more than copy
    weights = np.float32 if mode.startswith("nearest") else work
    plans = _plans(size, tuple(output_size), mode, align_corners, scale_factors, weights, mode == "nearest")
    for axis, (places, factors) in plans:
        result = _spread(result, axis, size[axis - 2], places, factors.astype(work, copy=False))
    result = result.astype(dtype, copy=False)
    return result.copy() if result is grad_output else result


def _plans(size, output_size, mode, align_corners, scale_factors, dtype, exact):
    scale_factors = scale_factors or (None,) * len(size)
    return [
        (axis, _plan(s, o, mode, align_corners, f, dtype, exact))
        for axis, (s, o, f) in enumerate(zip(size, output_size, scale_factors, strict=True), 2)
    ]


def _plan(size, count, mode, align_corners, factor, dtype, exact):
    """(places (taps, count) int64, weights (taps, count)) of one dimension.

    `exact` concerns sizes that a scale factor rounds to themselves: PyTorch copies such a dimension in some passes (the
    nearest mode's backward and two-dimensional forward, the antialiased forward) and resamples it in the others.
    """
    number = dtype(1).__class__
    i, whole = np.arange(count, dtype=dtype), np.arange(count, dtype=np.int64)
    if mode.startswith("nearest"):
        scale = np.float32(1.0 / factor) if factor is not None and factor > 0 else np.float32(size) / np.float32(count)
        if mode == "nearest-exact":
            place = np.floor((np.arange(count, dtype=np.float32) + np.float32(0.5)) * scale).astype(np.int64)
        elif exact and count == size:
            place = whole
        elif exact and count == 2 * size:
            place = whole >> 1
        else:
            place = np.floor(np.arange(count, dtype=np.float32) * scale).astype(np.int64)
        return np.minimum(place, size - 1)[None], np.ones((1, count), dtype)
    if align_corners:
        scale = number((size - 1) / (count - 1)) if count > 1 else number(0)
    elif factor is not None and factor > 0:
        scale = number(1.0 / factor)
    else:
        scale = number(size) / number(count)
    if mode.endswith("-aa"):
        if exact and count == size:
            return whole[None], np.ones((1, count), dtype)
        return _antialias_plan(size, count, mode, scale, dtype)
    half = number(0.5)
    source = scale * i if align_corners else scale * (i + half) - half
    if mode == "linear":
        if count == size:
            return whole[None], np.ones((1, count), dtype)
        source = np.maximum(source, 0)
        low = np.minimum(np.floor(source).astype(np.int64), size - 1)
        part = np.clip(source - low.astype(dtype), 0, 1)
        return np.stack([low, np.minimum(low + 1, size - 1)]), np.stack([1 - part, part])
    low = np.floor(source)
    part = np.clip(source - low, 0, 1)
    places = low.astype(np.int64) + np.arange(-1, 3)[:, None]
    return np.clip(places, 0, size - 1), cubic_weights(part, -0.75)


def cubic_weights(part, a):
    """Weights of the four neighbours -1, 0, 1, 2 at the fraction `part` (cubic convolution, R. Keys 1981)."""
    return np.stack([_outer(part + 1, a), _inner(part, a), _inner(1 - part, a), _outer(2 - part, a)])


def _inner(x, a):
    return ((a + 2) * x - (a + 3)) * x * x + 1


def _outer(x, a):
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


def _antialias_plan(size, count, mode, scale, dtype):
    interpolation = {"linear-aa": 2, "cubic-aa": 4, "lanczos-aa": 6}[mode]
    stretch = scale if scale >= 1 else dtype(1)
    support = dtype(interpolation * 0.5) * stretch
    centre = scale * (np.arange(count, dtype=dtype) + dtype(0.5))
    first = np.maximum((centre - support + dtype(0.5)).astype(np.int64), 0)
    last = np.minimum((centre + support + dtype(0.5)).astype(np.int64), size)
    width = max(int((last - first).max()), 1)
    places = first + np.arange(width)[:, None]
    distance = np.abs((places.astype(dtype) - centre + dtype(0.5)) / stretch)
    if mode == "linear-aa":
        weights = np.maximum(1 - distance, 0)
    elif mode == "cubic-aa":
        weights = np.where(
            distance < 1, _inner(distance, -0.5), np.where(distance < 2, _outer(distance, -0.5), dtype(0))
        )
    else:
        weights = np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), dtype(0))
    weights = np.where(places < last, weights, dtype(0)).astype(dtype)
    total = weights.sum(axis=0)
    weights = weights / np.where(total == 0, dtype(1), total)
    return np.minimum(places, size - 1), weights


def _apply(x, axis, places, weights):
    shape = (-1, *(1,) * (x.ndim - axis - 1))
    if len(places) == 1 and (weights == 1).all():
        count = places.shape[1]
        same = count == x.shape[axis] and np.array_equal(places[0], np.arange(count))
        return x if same else x.take(places[0], axis=axis)
    total = None
    for place, weight in zip(places, weights, strict=True):
        part = x.take(place, axis=axis)
        part *= weight.reshape(shape)
        total = part if total is None else np.add(total, part, out=total)
    return total


def _spread(g, axis, size, places, weights):
    """Adjoint of `_apply`."""
    shape = list(g.shape)
    shape[axis] = size
    column = (-1, *(1,) * (g.ndim - axis - 1))
    if (
        len(places) == 1
        and g.shape[axis] == size
        and (weights == 1).all()
        and np.array_equal(places[0], np.arange(size))
    ):
        return g
    if max(size, g.shape[axis]) <= DENSE and size * g.shape[axis] > 1:
        # A short dimension: BLAS multiplies by the whole matrix faster than runs are summed. It would spread an
        # infinity or a NaN over its line, so such results are made again below.
        matrix = np.zeros((g.shape[axis], size), g.dtype)
        for place, weight in zip(places, weights, strict=True):
            np.add.at(matrix, (np.arange(len(place)), place), weight)
        if axis == g.ndim - 1:
            out = np.matmul(g, matrix)
        else:
            wide = g.reshape(math.prod(g.shape[:axis]), g.shape[axis], math.prod(g.shape[axis + 1 :]))
            out = np.matmul(matrix.T, wide).reshape(shape)
        if np.isfinite(out.sum()):
            return out
    out = np.zeros(shape, g.dtype)
    lead = (slice(None),) * axis
    for place, weight in zip(places, weights, strict=True):
        starts = np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))
        part = g if (weight == 1).all() else g * weight.reshape(column)
        out[(*lead, place[starts])] += np.add.reduceat(part, starts, axis=axis)
    return out


def _check_sizes(input, size, output_size):
    nd = len(size)
    if len(output_size) != nd:
        raise RuntimeError(f"It is expected output_size equals to {nd}, but got size {len(output_size)}")
    if min(size) <= 0 or min(output_size) <= 0:
        names = {1: ("W",), 2: ("H", "W"), 3: ("D", "H", "W")}[nd]

        def listed(values):
            return ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))

        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({listed(size)}) output ({listed(output_size)})"
        )
    if math.prod(input.shape[1:]) == 0:
        raise RuntimeError(
            f"Non-empty {nd + 2}D data tensor expected but got a tensor with sizes {sizes_text(input.shape)}"
        )
    if input.dtype.kind not in "fu" and not is_half(input.dtype):
        kind = dtypes.of(input.dtype).legacy
        raise NotImplementedError(f"\"compute_indices_weights_nearest\" not implemented for '{kind}'")


# Channels and space ---------------------------------------------------------------------------------------------------


@keeps_channels_last
def pixel_shuffle(input, upscale_factor):
    """(*, C r^2, H, W) to (*, C, H r, W r): the r^2 channels of each group become an r x r square."""
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}"
        )
    wide = input.reshape(math.prod(lead), channels // (r * r), r, r, height, width)
    return np.array(wide.transpose(0, 1, 4, 2, 5, 3), order="C").reshape(
        *lead, channels // (r * r), height * r, width * r
    )


@keeps_channels_last
def pixel_unshuffle(input, downscale_factor):
    """(*, C, H r, W r) to (*, C r^2, H, W): the inverse of `pixel_shuffle`."""
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    for value, name, number in ((height, "height", -2), (width, "width", -1)):
        if value % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({number})={value} is "
                f"not divisible by {r}"
            )
    wide = input.reshape(math.prod(lead), channels, height // r, r, width // r, r)
    return np.array(wide.transpose(0, 1, 3, 5, 2, 4), order="C").reshape(
        *lead, channels * r * r, height // r, width // r
    )


@keeps_channels_last
def channel_shuffle(input, groups):
    """(N, C, *): channels written as (groups, C / groups) and read the other way round."""
    if input.ndim <= 2:
        raise RuntimeError(
            "channel_shuffle expects input with > 2 dims, but got input with sizes " + sizes_text(input.shape)
        )
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    channels = input.shape[1]
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    wide = input.reshape(input.shape[0], groups, channels // groups, *input.shape[2:])
    return np.array(wide.swapaxes(1, 2)).reshape(input.shape)
