"""Sliding local blocks of a batch of images as columns (im2col), and their adjoint (col2im).

How. The blocks are a strided view of the padded input, copied once. The adjoint adds the columns of each kernel tap
into the slice of the image that the tap sees; it loops over taps only.

Memory. The columns: input elements times kernel taps, divided by the strides. Beyond them one padded copy of the image.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .widening import through_float32
from .windows import expand_sizes, sizes_text, tap_slices, taps

__all__ = ["col2im", "im2col"]


def im2col(input, kernel_size, dilation=1, padding=0, stride=1):
    """Blocks of (N, C, H, W) or (C, H, W) as columns: (N, C * kh * kw, blocks)."""
    kernel, dilation, padding, stride = _window("im2col", kernel_size, dilation, padding, stride)
    batched = input.ndim == 4
    if not (batched and all(input.shape[1:])) and not (input.ndim == 3 and all(input.shape)):
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
            f"got: {sizes_text(input.shape)}"
        )
    wide = input if batched else input[None]
    counts = _counts(wide.shape[2:], kernel, dilation, padding, stride)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size ({_listed(wide.shape[2:])}), kernel_size=({_listed(kernel)}), dilation=({_listed(dilation)}), "
            f"padding=({_listed(padding)}), calculated shape of the array of sliding blocks as ({_listed(counts)}), but its "
            "components must be at least one."
        )
    if any(padding):
        wide = np.pad(wide, ((0, 0), (0, 0), *((p, p) for p in padding)))
    steps = wide.strides
    shape = (*wide.shape[:2], *kernel, *counts)
    strides = (
        *steps[:2],
        *(s * d for s, d in zip(steps[2:], dilation, strict=True)),
        *(s * st for s, st in zip(steps[2:], stride, strict=True)),
    )
    view = as_strided(wide, shape, strides, writeable=False)
    columns = np.array(view).reshape(wide.shape[0], wide.shape[1] * math.prod(kernel), math.prod(counts))
    return columns if batched else columns[0]


@through_float32
def col2im(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Adds the columns (N, C * kh * kw, blocks) or (C * kh * kw, blocks) into images of `output_size`."""
    kernel, dilation, padding, stride = _window("col2im", kernel_size, dilation, padding, stride)
    size = expand_sizes(output_size, 2)
    if len(size) != 2:
        raise RuntimeError(f"It is expected output_size equals to 2, but got size {len(size)}")
    batched = input.ndim == 3
    if not (input.ndim == 2 and all(input.shape)) and not (batched and all(input.shape[1:])):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, "
            f"but got: {sizes_text(input.shape)}"
        )
    wide = input if batched else input[None]
    planes, area = wide.shape[1], math.prod(kernel)
    if planes % area:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={planes} and kernel_size=({_listed(kernel)})."
        )
    counts = _counts(size, kernel, dilation, padding, stride)
    if math.prod(counts) != wide.shape[2] or min(counts) < 1:
        if min(counts) >= 1 or math.prod(counts) != wide.shape[2]:
            raise RuntimeError(
                f"Given output_size=({_listed(size)}), kernel_size=({_listed(kernel)}), dilation=({_listed(dilation)}), "
                f"padding=({_listed(padding)}), stride=({_listed(stride)}), expected size of input's dimension 2 to match the "
                f"calculated number of sliding blocks {counts[0]} * {counts[1]} = {counts[0] * counts[1]}, but got "
                f"input.size(2)={wide.shape[2]}."
            )
    columns = wide.reshape(wide.shape[0], planes // area, *kernel, *counts)
    padded = tuple(s + 2 * p for s, p in zip(size, padding, strict=True))
    out = np.zeros((wide.shape[0], planes // area, *padded), input.dtype)
    for tap in taps(kernel):
        out[(slice(None), slice(None), *tap_slices(tap, dilation, stride, counts))] += columns[
            (slice(None), slice(None), *tap)
        ]
    if any(padding):
        out = np.ascontiguousarray(
            out[(slice(None), slice(None), *(slice(p, p + s) for p, s in zip(padding, size, strict=True)))]
        )
    return out if batched else out[0]


def _counts(size, kernel, dilation, padding, stride):
    return tuple(
        (s + 2 * p - d * (k - 1) - 1) // st + 1
        for s, k, d, p, st in zip(size, kernel, dilation, padding, stride, strict=True)
    )


def _listed(sizes):
    return ", ".join(str(int(s)) for s in sizes)


def _window(name, kernel_size, dilation, padding, stride):
    result = []
    for value, what in ((kernel_size, "kernel_size"), (dilation, "dilation"), (padding, "padding"), (stride, "stride")):
        sizes = expand_sizes(value, 2)
        if len(sizes) != 2:
            raise RuntimeError(f"It is expected {what} equals to 2, but got size {len(sizes)}")
        result.append(sizes)
    kernel, dilation, padding, stride = result
    if min(kernel) <= 0:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got kernel_height: {kernel[0]} kernel_width: {kernel[1]}"
        )
    if min(dilation) <= 0:
        raise RuntimeError(
            f"dilation should be greater than zero, but got dilation_height: {dilation[0]} dilation_width: {dilation[1]}"
        )
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")
    if min(stride) <= 0:
        raise RuntimeError(
            f"stride should be greater than zero, but got stride_height: {stride[0]} stride_width: {stride[1]}"
        )
    return kernel, dilation, padding, stride
