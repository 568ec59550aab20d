"""Fractional maximum pooling (B. Graham, 2014): windows of one size at random places, so many that the result has a given size.

How. One random number for each plane and dimension gives the places of all windows there; the windows are gathered, and the
largest element of each is found among its taps.

Memory. Beyond the results: the windows' elements and their 64-bit places, so (elements of the result) x (elements of a window).
"""

import numpy as np

from .windows import sizes_text

__all__ = ["fractional_max_pool"]

_AXES = {2: ("height", "width"), 3: ("time", "height", "width")}


def fractional_max_pool(input, samples, kernel_size, output_size):
    """Values and places (in the flat plane) of the maxima.

    Args:
        input: (N, C, H, W), (C, H, W) or, with a kernel of three sizes, these with a dimension of time before H.
        samples: random numbers in [0, 1), (N, C, 2 or 3): for two dimensions those of the width come first, for three last.
        kernel_size, output_size: as many sizes as there are dimensions.
    """
    nd = len(kernel_size)
    name = "fractional_max_pool2d()" if nd == 2 else "fractional_max_pool3d_out()"
    for axis, size in enumerate(input.shape[-nd - 1 :], input.ndim - nd - 1):
        if size == 0:
            raise RuntimeError(
                f"{name}: Expected input to have non-zero size for non-batch dimensions, but got{sizes_text(input.shape)} with "
                f"dimension {axis} being empty."
            )
    planes = input.reshape(-1, *input.shape[-nd - 1 :])
    _check(name, planes, samples, kernel_size, output_size)
    shape = (*input.shape[:-nd], *output_size)
    if 0 in shape:
        return np.empty(shape, input.dtype), np.empty(shape, np.int64)
    size = planes.shape[2:]
    flat = np.zeros((1, 1) + (1,) * (2 * nd), np.int64)
    for axis in range(nd):
        sample = samples[: planes.shape[0], :, nd - 1 - axis if nd == 2 else axis]
        starts = _starts(sample, size[axis], kernel_size[axis], output_size[axis])
        places = starts[..., None] + np.arange(kernel_size[axis])
        spread = [*places.shape[:2], *(1,) * (2 * nd)]
        spread[2 + axis], spread[2 + nd + axis] = output_size[axis], kernel_size[axis]
        flat = flat * size[axis] + places.reshape(spread)
    flat = flat.reshape(*flat.shape[: 2 + nd], -1)
    lines = planes.reshape(*planes.shape[:2], -1)
    taps = np.take_along_axis(lines, flat.reshape(*lines.shape[:2], -1), -1).reshape(flat.shape)
    best = _last_nan_or_first_maximum(taps)[..., None]
    values = np.take_along_axis(taps, best, -1)
    return values.reshape(shape), np.take_along_axis(flat, best, -1).reshape(shape)


def _check(name, planes, samples, kernel_size, output_size):
    nd = len(kernel_size)
    if samples.dtype != planes.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    if samples.shape[0] < planes.shape[0]:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != planes.shape[1]:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if samples.shape[2] != nd:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {nd}; got {samples.shape[2]}.")
    for spoken, size, kernel, count in zip(_AXES[nd], planes.shape[2:], kernel_size, output_size):
        if count + kernel - 1 > size:
            raise RuntimeError(f"{name}: pool {spoken} {kernel} too large relative to input {spoken} {size}")


def _starts(sample, size, kernel, count):
    """Where the windows begin along one dimension, for each plane: from `sample` on in equal steps, the last at the end."""
    last = np.full((*sample.shape, 1), size - kernel, np.int64)
    if count < 2:
        return last[..., :count]
    step = sample.dtype.type(size - kernel) / sample.dtype.type(count - 1)
    steps = np.arange(count - 1, dtype=sample.dtype) + sample[..., None]
    begin = (steps * step).astype(np.int64) - (sample * step).astype(np.int64)[..., None]
    return np.concatenate([begin, last], -1)


def _last_nan_or_first_maximum(taps):
    best = taps.argmax(-1)
    nan = np.isnan(taps)
    if nan.any():
        last = taps.shape[-1] - 1 - nan[..., ::-1].argmax(-1)
        best = np.where(nan.any(-1), last, best)
    return best
