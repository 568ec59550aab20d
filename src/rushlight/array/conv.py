"""Convolution in 1, 2 and 3 dimensions on raw arrays: forward, its transpose, and the gradient of the weight.

How. The windows of a block of samples (or of a block of output rows, when one sample is large) are copied out by
`as_strided` into a matrix of columns, and BLAS multiplies it by the weight. With stride 1 in the first spatial
dimension, the taps of that dimension are not copied: shifting the column matrix by whole rows gives them, so a 3 x 3
kernel copies its input three times instead of nine. A depthwise convolution (one channel a group) multiplies and adds
shifted inputs instead; a 1 x 1 convolution multiplies the input as it lies.

Memory. Beyond the result: one block of columns and one padded block of input. A block is the largest that keeps the
columns under `BLOCK_BYTES`, at least one output row of one sample: `channels x taps x row` elements. Nothing is kept
for backward but the input and the weight.

No loop over samples or pixels: the loops below go over kernel taps and over blocks that fill the cache.

Terms, for the arrays' shapes: N samples, C input channels, O output channels, G groups, S input sizes, K kernel sizes,
L output sizes.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import dtypes
from .layout import convolution_keeps_channels_last
from .rows import each_block, solid
from .widening import through_float32
from .windows import expand_sizes, sizes_text, tap_slices, taps

__all__ = ["convolution", "convolution_weight", "output_padding_for"]

BLOCK_BYTES = 1 << 20
SMALL_IMAGE = 256  # below this many output positions a sample, samples share one matrix product
MERGED_BLOCK_BYTES = 4 << 20
DEPTHWISE_BLOCK = 1 << 17  # elements of the input


@convolution_keeps_channels_last
@through_float32
def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """Cross-correlation of `input` (N, C, *S) with `weight`, or its transpose.

    `weight` is (O, C/G, *K), for `transposed` (C, O/G, *K); `bias` (O,) or None. Sizes are ints or one int a dimension.
    Returns (N, O, *L) with L = (S + 2 padding - dilation (K-1) - 1) // stride + 1, or transposed L = (S - 1) stride - 2
    padding + dilation (K-1) + output_padding + 1. Raises RuntimeError with PyTorch's text where the shapes or options
    do not fit.
    """
    nd = weight.ndim - 2
    input, weight = solid(input), solid(weight)
    _check_once(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    stride, padding = expand_sizes(stride, nd), expand_sizes(padding, nd)
    dilation, output_padding = expand_sizes(dilation, nd), expand_sizes(output_padding, nd)
    kernel = weight.shape[2:]
    if transposed:
        size = tuple(
            (s - 1) * st - 2 * p + d * (k - 1) + op + 1
            for s, st, p, d, k, op in zip(
                input.shape[2:], stride, padding, dilation, kernel, output_padding, strict=True
            )
        )
        if min(size) < 0 or (min(size) == 0 and input.size and weight.size):
            raise RuntimeError(
                f"Given input size per channel: ({_by(input.shape[2:])}). "
                f"Calculated output size per channel: ({_by(size)}). Output size is too small"
            )
        return _scatter(input, weight, size, stride, padding, dilation, groups, bias)
    pads = tuple((p, p) for p in padding)
    return _correlate(input, weight, stride, pads, dilation, groups, bias)


@through_float32
def convolution_weight(input, grad_output, weight_size, stride, padding, dilation, transposed, groups):
    """Gradient of `convolution` with respect to its weight (of shape `weight_size`), linear in both arrays.

    For the transposed convolution the two arrays change places: its input plays the output's part.
    """
    nd = len(weight_size) - 2
    if transposed:
        input, grad_output = grad_output, input
    input, grad_output = np.ascontiguousarray(input), np.ascontiguousarray(grad_output)
    stride, padding, dilation = expand_sizes(stride, nd), expand_sizes(padding, nd), expand_sizes(dilation, nd)
    return _correlate_weight(input, grad_output, tuple(weight_size), stride, padding, dilation, groups)


def output_padding_for(size, output_size, kernel, stride, padding, dilation):
    """The `output_padding` that makes a transposed convolution of `output_size` positions give back `size` of them."""
    nd = len(size)
    stride, padding, dilation = expand_sizes(stride, nd), expand_sizes(padding, nd), expand_sizes(dilation, nd)
    return tuple(
        s - ((n - 1) * st - 2 * p + d * (k - 1) + 1)
        for s, n, k, st, p, d in zip(size, output_size, kernel, stride, padding, dilation, strict=True)
    )


# The three products ---------------------------------------------------------------------------------------------------


def _correlate(x, w, stride, pads, dilation, groups, bias=None):
    """(N, C, *S) by (O, C/G, *K) -> (N, O, *L). `pads` is (low, high) a dimension; negative padding cuts."""
    samples, channels = x.shape[:2]
    outputs, per_group, *kernel = w.shape
    kernel = tuple(kernel)
    x, pads = _cut_negative(x, pads)
    padded = tuple(s + lo + hi for s, (lo, hi) in zip(x.shape[2:], pads, strict=True))
    counts = tuple(
        (s - d * (k - 1) - 1) // st + 1 for s, d, k, st in zip(padded, dilation, kernel, stride, strict=True)
    )
    dtype = np.result_type(x, w)
    out = np.empty((samples, outputs, *counts), dtype)
    if out.size == 0:
        return out
    if channels == 0 or w.size == 0:
        out[...] = 0
        return out if bias is None else out + _per_channel(bias, len(kernel))
    if per_group == 1 and outputs // groups <= 2 and groups > 1 and math.prod(kernel) > 1:
        return _depthwise(x, w, out, stride, pads, dilation, groups, bias)
    positions = math.prod(counts)
    og = outputs // groups
    flat = out.reshape(samples, groups, og, positions)
    bias_column = None if bias is None else bias.reshape(groups, og, 1)
    plan = _Plan(x, pads, kernel, stride, dilation, counts, groups, dtype)
    if plan.pointwise:
        np.matmul(w.reshape(groups, og, per_group), plan.as_matrix(), out=flat)
        if bias_column is not None:
            flat += bias_column
        return out
    if samples > 1 and positions < SMALL_IMAGE:
        matrix = w.reshape(groups, og, -1)
        for first, last, columns in plan.merged_blocks():
            product = np.matmul(matrix, columns).reshape(groups, og, last - first, positions)
            if bias_column is not None:
                product += bias_column[..., None]
            flat[first:last] = product.transpose(2, 0, 1, 3)
        return out
    plan.slide = plan.slide and per_group * math.prod(kernel[1:]) >= 2 * og
    matrices = _slide_matrices(w, groups) if plan.slide else [w.reshape(groups, og, -1)]
    scratch = None
    for first, last, low, high, columns, shift in plan.blocks():
        width = (high - low) * plan.row
        target = flat[first:last, :, :, low * plan.row : high * plan.row]
        np.matmul(matrices[0], columns[..., :width], out=target)
        for step, matrix in enumerate(matrices[1:], 1):
            if scratch is None or scratch.shape != target.shape:
                scratch = np.empty(target.shape, dtype)
            np.matmul(matrix, columns[..., step * shift : step * shift + width], out=scratch)
            target += scratch
        if bias_column is not None:
            target += bias_column
    return out


def _scatter(g, w, size, stride, padding, dilation, groups, bias=None):
    """Transpose of `_correlate` in its input: (N, O, *L) by (O, C/G, *K) -> (N, C, *size)."""
    samples = g.shape[0]
    outputs, per_group, *kernel = w.shape
    kernel, counts = tuple(kernel), g.shape[2:]
    channels = per_group * groups
    og = outputs // groups
    dtype = np.result_type(g, w)
    if g.size == 0 or w.size == 0 or samples == 0:
        out = np.zeros((samples, channels, *size), dtype)
        return out if bias is None else out + _per_channel(bias, len(kernel))
    if all(s == 1 for s in stride):
        # A transposed convolution of stride 1 is a convolution with the kernel turned round.
        turned = w.reshape(groups, og, per_group, *kernel).swapaxes(1, 2)
        turned = turned[(..., *(slice(None, None, -1),) * len(kernel))].reshape(channels, og, *kernel)
        pads = []
        for s, n, k, p, d in zip(size, counts, kernel, padding, dilation, strict=True):
            low = d * (k - 1) - p
            pads.append((low, s - n - low + d * (k - 1)))
        return _correlate(g, turned, stride, tuple(pads), dilation, groups, bias)
    reach = tuple((n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(counts, stride, dilation, kernel, strict=True))
    padded = tuple(max(r, p + s) for r, p, s in zip(reach, padding, size, strict=True))
    inner = (slice(None), slice(None), *(slice(p, p + s) for p, s in zip(padding, size, strict=True)))
    whole = np.zeros((samples, groups, per_group, *padded), dtype)
    if per_group == 1 and og == 1:
        wide = g.reshape(samples, groups, 1, *counts)
        for tap in taps(kernel):
            factor = w[(slice(None), 0, *tap)].reshape(groups, *(1,) * (len(counts) + 1))
            whole[(..., *tap_slices(tap, dilation, stride, counts))] += wide * factor
    else:
        positions, row = math.prod(counts), math.prod(counts[1:])
        matrix = np.ascontiguousarray(w.reshape(groups, og, -1).swapaxes(1, 2))
        wide = g.reshape(samples, groups, og, positions)
        height = channels * math.prod(kernel) * dtype.itemsize
        merge = samples > 1 and positions < SMALL_IMAGE
        budget = MERGED_BLOCK_BYTES if merge else BLOCK_BYTES
        for first, last, low, high in _cut(samples, counts[0], height * row, budget):
            piece = wide[first:last, :, :, low * row : high * row]
            rows = (high - low, *counts[1:])
            if merge:
                piece = piece.transpose(1, 2, 0, 3).reshape(groups, og, -1)
                columns = np.matmul(matrix, piece).reshape(groups, per_group, *kernel, last - first, *rows)
                columns = np.moveaxis(columns, 2 + len(kernel), 0)
            else:
                columns = np.matmul(matrix, piece).reshape(last - first, groups, per_group, *kernel, *rows)
            target = whole[first:last, :, :, low * stride[0] :]
            for tap in taps(kernel):
                where = (slice(None), slice(None), slice(None), *tap_slices(tap, dilation, stride, rows))
                target[where] += columns[(slice(None), slice(None), slice(None), *tap)]
    result = whole.reshape(samples, channels, *padded)[inner]
    if bias is not None:
        return result + _per_channel(bias, len(kernel))
    return np.ascontiguousarray(result)


def _correlate_weight(x, g, weight_size, stride, padding, dilation, groups):
    """Gradient of `_correlate` in its weight: (N, C, *S) and (N, O, *L) -> (O, C/G, *K)."""
    outputs, per_group, *kernel = weight_size
    kernel, counts, samples = tuple(kernel), g.shape[2:], g.shape[0]
    og = outputs // groups
    dtype = np.result_type(x, g)
    if x.size == 0 or g.size == 0 or 0 in weight_size:
        return np.zeros(weight_size, dtype)
    # Input positions beyond the last window take no part.
    pads = tuple((p, p) for p in padding)
    if per_group == 1 and og == 1 and math.prod(kernel) > 1:
        return _depthwise_weight(x, g, kernel, stride, pads, dilation).reshape(weight_size)
    positions = math.prod(counts)
    wide = g.reshape(samples, groups, og, positions)
    plan = _Plan(x, pads, kernel, stride, dilation, counts, groups, dtype)
    if plan.pointwise:
        return np.matmul(wide, plan.as_matrix().swapaxes(-1, -2)).sum(axis=0).reshape(weight_size)
    if samples > 1 and positions < SMALL_IMAGE:
        total = None
        for first, last, columns in plan.merged_blocks():
            rows = wide[first:last].transpose(1, 2, 0, 3).reshape(groups, og, -1)
            product = np.matmul(rows, columns.swapaxes(-1, -2))
            total = product if total is None else np.add(total, product, out=total)
        return total.reshape(weight_size)
    steps = kernel[0] if plan.slide else 1
    total = [None] * steps
    for first, last, low, high, columns, shift in plan.blocks():
        width = (high - low) * plan.row
        piece = wide[first:last, :, :, low * plan.row : high * plan.row]
        for step in range(steps):
            seen = columns[..., step * shift : step * shift + width].swapaxes(-1, -2)
            product = np.matmul(piece, seen)
            product = product[0] if last - first == 1 else product.sum(axis=0)
            total[step] = product if total[step] is None else np.add(total[step], product, out=total[step])
    if not plan.slide:
        return total[0].reshape(weight_size)
    parts = [part.reshape(outputs, per_group, 1, *kernel[1:]) for part in total]
    return np.concatenate(parts, axis=2)


def _depthwise(x, w, out, stride, pads, dilation, groups, bias):
    """One input channel a group: shifted inputs times one weight, added up. No matrix is built.

    With stride 1 the rows of a block are taken as one line (`_line`), so a pass runs over whole images instead of rows.
    """
    samples, outputs, *counts = out.shape
    og = outputs // groups
    step = max(1, DEPTHWISE_BLOCK // max(1, outputs * math.prod(x.shape[2:])))
    inner = all(s == 1 for s in stride)
    # NumPy multiplies two arrays three times as fast as an array and a number; many samples pay for factors written
    # out.
    written = {}

    def factor_of(tap, reach):
        column = w[(slice(None), 0, *tap)].reshape(groups, og, 1)
        if samples < 4:
            return column
        if tap not in written:
            written[tap] = np.ascontiguousarray(np.broadcast_to(column, (groups, og, reach)))
        return written[tap]

    def block(number, low, high):
        padded = _pad(x[low:high], pads)
        shape = (high - low, groups, og, *counts)
        if inner:
            width = math.prod(padded.shape[3:])
            reach = (counts[0] - 1) * width + _line(counts[1:], padded.shape[3:])
            flat = padded.reshape(high - low, groups, 1, -1)
            total = np.empty((high - low, groups, og, counts[0] * width), out.dtype)
        else:
            total = np.empty(shape, out.dtype)
        product = None
        for tap in taps(w.shape[2:]):
            if inner:
                offset = _line_offset(tap, dilation, padded.shape[2:])
                seen, into = flat[..., offset : offset + reach], total[..., :reach]
                factor = factor_of(tap, reach)
            else:
                seen = padded[:, :, None][
                    (slice(None), slice(None), slice(None), *tap_slices(tap, dilation, stride, counts))
                ]
                into, factor = total, w[(slice(None), 0, *tap)].reshape(groups, og, *(1,) * len(counts))
            if product is None:
                np.multiply(seen, factor, out=into)
                product = np.empty(into.shape, out.dtype)
            else:
                into += np.multiply(seen, factor, out=product)
        if inner:
            wide = total.reshape(high - low, groups, og, counts[0], *padded.shape[3:])
            total = wide[(..., *(slice(0, n) for n in counts[1:]))]
        target = out[low:high].reshape(shape)
        if bias is None:
            target[...] = total
        else:
            np.add(total, bias.reshape(groups, og, *(1,) * len(counts)), out=target)

    each_block(samples, step, block)
    return out


def _line(counts, sizes):
    """Elements of a line of padded rows of `sizes` from the first to the last of `counts` positions."""
    reach = 1
    for axis, n in enumerate(counts):
        reach += (n - 1) * math.prod(sizes[axis + 1 :])
    return reach


def _line_offset(tap, dilation, sizes):
    """Where the line of a tap begins."""
    offset = 0
    for t, d, size in zip(tap, dilation, sizes, strict=True):
        offset = offset * size + t * d
    return offset


def _depthwise_weight(x, g, kernel, stride, pads, dilation):
    """Gradient of a depthwise convolution's weight, one output a group: (C, *kernel)."""
    counts = g.shape[2:]
    out = np.zeros((x.shape[0], g.shape[1], *kernel), np.result_type(x, g))
    step = max(1, DEPTHWISE_BLOCK // max(1, g.shape[1] * math.prod(x.shape[2:])))
    inner = all(s == 1 for s in stride)

    def block(number, low, high):
        padded, grad = _pad(x[low:high], pads), g[low:high]
        if inner:
            # The cotangent laid out in padded rows, zeros between: every tap is a product of two lines.
            wide = np.zeros((*grad.shape[:2], counts[0], *padded.shape[3:]), grad.dtype)
            wide[(..., *(slice(0, n) for n in counts[1:]))] = grad
            width = math.prod(padded.shape[3:])
            reach = (counts[0] - 1) * width + _line(counts[1:], padded.shape[3:])
            line = wide.reshape(*grad.shape[:2], -1)[..., :reach]
            flat = padded.reshape(*grad.shape[:2], -1)
        for tap in taps(kernel):
            if inner:
                offset = _line_offset(tap, dilation, padded.shape[2:])
                product = _dot(flat[..., offset : offset + reach], line)
            else:
                seen = padded[(slice(None), slice(None), *tap_slices(tap, dilation, stride, counts))]
                product = (seen * grad).sum(axis=tuple(range(2, x.ndim)))
            out[(slice(low, high), slice(None), *tap)] = product

    each_block(x.shape[0], step, block)
    return out.sum(axis=0)


def _dot(a, b):
    return np.vecdot(a, b) if a.dtype.kind != "c" else (a * b).sum(axis=-1)


class _Plan:
    """How the windows of one input are laid out as columns, and in which blocks."""

    def __init__(self, x, pads, kernel, stride, dilation, counts, groups, dtype):
        self.x, self.pads, self.groups, self.dtype = x.astype(dtype, copy=False), pads, groups, dtype
        self.kernel, self.stride, self.dilation, self.counts = kernel, stride, dilation, counts
        self.samples, self.channels = x.shape[:2]
        self.row = math.prod(counts[1:])
        self.pointwise = math.prod(kernel) == 1 and all(s == 1 for s in stride) and not any(map(any, pads))
        # Rows of columns can be shifted instead of copied where neighbouring windows start in neighbouring rows.
        self.slide = len(kernel) > 1 and stride[0] == 1 and kernel[0] > 1

    def as_matrix(self):
        return self.x.reshape(self.samples, self.groups, self.channels // self.groups, -1)

    def merged_blocks(self):
        """Blocks of whole samples side by side: (first, last, columns (G, C/G * taps, samples * positions))."""
        per_sample = self.channels * math.prod(self.kernel) * math.prod(self.counts) * self.dtype.itemsize
        step = max(1, MERGED_BLOCK_BYTES // per_sample)
        for first in range(0, self.samples, step):
            last = min(first + step, self.samples)
            view = self._view(_pad(self.x[first:last], self.pads), 0, self.counts[0], slide=False)
            columns = np.ascontiguousarray(np.moveaxis(view, 0, 3 + len(self.kernel) - 1))
            yield first, last, columns.reshape(self.groups, view.shape[2] * math.prod(self.kernel), -1)

    def blocks(self):
        """Blocks of samples, or of rows of one: (first, last, low row, high row, columns, shift of one sliding tap).

        `columns` is (samples, G, C/G * taps, width); the array is used again for the next block.
        """
        copied = math.prod(self.kernel[1:]) * (1 if self.slide else self.kernel[0])
        row_bytes = self.channels * copied * self.row * self.dtype.itemsize
        shift = self.dilation[0] * self.row
        padded, held, columns = None, None, None
        for first, last, low, high in _cut(self.samples, self.counts[0], row_bytes, BLOCK_BYTES):
            if held != (first, last):
                padded = _pad(self.x[first:last], self.pads, padded)
                held = (first, last)
            view = self._view(padded, low, high, self.slide)
            if columns is None or columns.shape != view.shape:
                columns = np.empty(view.shape, self.dtype)
            np.copyto(columns, view)
            matrix = columns.reshape(last - first, self.groups, view.shape[2] * copied, -1)
            yield first, last, low, high, matrix, shift

    def _view(self, padded, low, high, slide):
        """Windows of output rows low..high as a strided view: (samples, G, C/G, *taps, rows, *other positions)."""
        strides = padded.strides
        base = padded[:, :, low * self.stride[0] :]
        rows = high - low
        per_group = self.channels // self.groups
        shape = [padded.shape[0], self.groups, per_group]
        steps = [strides[0], strides[1] * per_group, strides[1]]
        for axis in range(1 if slide else 0, len(self.kernel)):
            shape.append(self.kernel[axis])
            steps.append(strides[2 + axis] * self.dilation[axis])
        shape.append(rows + (self.kernel[0] - 1) * self.dilation[0] if slide else rows)
        steps.append(strides[2] * self.stride[0])
        for axis in range(1, len(self.kernel)):
            shape.append(self.counts[axis])
            steps.append(strides[2 + axis] * self.stride[axis])
        return as_strided(base, shape, steps, writeable=False)


def _cut(samples, rows, row_bytes, budget):
    """Cut samples x rows into blocks of about `budget` bytes: (first sample, last, first row, last)."""
    sample_bytes = max(1, rows * row_bytes)
    if sample_bytes <= 2 * budget:
        step = max(1, budget // sample_bytes)
        for first in range(0, samples, step):
            yield first, min(first + step, samples), 0, rows
        return
    pieces = -(-sample_bytes // budget)
    step = max(1, -(-rows // pieces))
    for first in range(samples):
        for low in range(0, rows, step):
            yield first, first + 1, low, min(low + step, rows)


def _slide_matrices(w, groups):
    """The weight as one matrix (G, O/G, C/G * other taps) for each tap of the first spatial dimension."""
    og = w.shape[0] // groups
    return [np.ascontiguousarray(w[:, :, tap]).reshape(groups, og, -1) for tap in range(w.shape[2])]


def _pad(x, pads, into=None):
    """Zero padding of the spatial dimensions; `into` is an earlier result whose border is already zero."""
    if not any(map(any, pads)):
        return x
    shape = (*x.shape[:2], *(s + lo + hi for s, (lo, hi) in zip(x.shape[2:], pads, strict=True)))
    if into is None or into.shape != shape:
        into = np.zeros(shape, x.dtype)
    into[(slice(None), slice(None), *(slice(lo, lo + s) for s, (lo, _) in zip(x.shape[2:], pads, strict=True)))] = x
    return into


def _cut_negative(x, pads):
    if all(lo >= 0 and hi >= 0 for lo, hi in pads):
        return x, pads
    cut = tuple(slice(max(-lo, 0), s - max(-hi, 0)) for s, (lo, hi) in zip(x.shape[2:], pads, strict=True))
    return x[(slice(None), slice(None), *cut)], tuple((max(lo, 0), max(hi, 0)) for lo, hi in pads)


def _per_channel(bias, nd):
    return bias.reshape(-1, *(1,) * nd)


# Argument checks ------------------------------------------------------------------------------------------------------


def _by(sizes):
    return " x ".join(str(s) for s in sizes)


def _check_sizes(value, nd, name):
    if isinstance(value, (int, np.integer)) or len(value) in (1, nd):
        return
    raise RuntimeError(
        f"expected {name} to be a single integer value or a list of {nd} values to match the convolution dimensions, "
        f"but got {name}={sizes_text(value)}"
    )


#: calls that were found in order, by all that the checks look at
_FOUND_GOOD = set()


def _check_once(input, weight, bias, *options):
    """`_check_arguments`, not again for shapes, dtypes and options that have passed it."""
    key = (input.shape, weight.shape, input.dtype, weight.dtype, *options)
    if bias is not None:
        key += (bias.shape, bias.dtype)
    try:
        if key in _FOUND_GOOD:
            return
    except TypeError:  # an option is a list
        _check_arguments(input, weight, bias, *options)
        return
    _check_arguments(input, weight, bias, *options)
    if len(_FOUND_GOOD) >= 1024:
        _FOUND_GOOD.clear()
    _FOUND_GOOD.add(key)


def _check_arguments(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    nd = weight.ndim - 2
    if nd < 1:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    for value, name in ((stride, "stride"), (padding, "padding"), (dilation, "dilation")):
        _check_sizes(value, nd, name)
    if transposed:
        _check_sizes(output_padding, nd, "output_padding")
    stride, padding = expand_sizes(stride, nd), expand_sizes(padding, nd)
    dilation, output_padding = expand_sizes(dilation, nd), expand_sizes(output_padding, nd)
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if transposed and min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    sizes = sizes_text(weight.shape)
    if input.ndim != weight.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight {sizes}, but got "
            f"{input.ndim}-dimensional input of size {sizes_text(input.shape)} instead"
        )
    if weight.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{sizes} instead"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"[{sizes}] instead"
        )
    given = f"Given transposed=1, weight of size {sizes}" if transposed else f"weight of size {sizes}"
    expected = weight.shape[0] if transposed else weight.shape[1] * groups
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    if input.shape[1] != expected:
        lead = given if transposed else f"Given groups={groups}, {given}"
        raise RuntimeError(
            f"{lead}, expected input{sizes_text(input.shape)} to have {expected} channels, but got {input.shape[1]} "
            "channels instead"
        )
    if bias is not None and (bias.ndim != 1 or bias.shape[0] != outputs):
        lead = given if transposed else f"Given {given}"
        raise RuntimeError(
            f"{lead}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size "
            f"{sizes_text(bias.shape)} instead"
        )
    if not transposed:
        padded = [s + 2 * p for s, p in zip(input.shape[2:], padding, strict=True)]
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
        if any(s < r for s, r in zip(padded, reach, strict=True)):
            raise RuntimeError(
                f"Calculated padded input size per channel: ({_by(padded)}). Kernel size: ({_by(reach)}). Kernel size can't "
                "be greater than actual input size"
            )
    if min(dilation) == 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {sizes_text(dilation)}")
    if min(weight.shape[2:]) == 0:
        _raise_empty_kernel(weight.shape[2:])
    if transposed and any(op >= s and op >= d for op, s, d in zip(output_padding, stride, dilation, strict=True)):
        _raise_output_padding(output_padding, stride, dilation)
    _check_dtypes(input, weight, bias)


_AXIS_NAMES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def _raise_empty_kernel(kernel):
    names = _AXIS_NAMES.get(len(kernel), ("",) * len(kernel))
    text = " ".join(f"kernel_{name}: {k}" for name, k in zip(names, kernel, strict=True))
    raise RuntimeError(f"kernel size should be greater than zero, but got {text}")


def _raise_output_padding(output_padding, stride, dilation):
    # PyTorch runs the one-dimensional case as a two-dimensional one with a leading dimension of one.
    if len(stride) == 1:
        output_padding, stride, dilation = (0, *output_padding), (1, *stride), (1, *dilation)
    names = _AXIS_NAMES[len(stride)]
    parts = []
    for label, values in (("output_padding", output_padding), ("stride", stride), ("dilation", dilation)):
        parts += [f"{label}_{name}: {value}" for name, value in zip(names, values, strict=True)]
    raise RuntimeError("output padding must be smaller than either stride or dilation, but got " + " ".join(parts))


def _check_dtypes(input, weight, bias):
    if input.dtype != weight.dtype:
        found, wanted = (dtypes.of(a.dtype).legacy for a in (weight, input))
        raise RuntimeError(f"expected scalar type {wanted} but found {found}")
    if bias is not None and bias.dtype != input.dtype:
        kinds = (dtypes.of(a.dtype).cpp_name for a in (input, bias))
        raise RuntimeError("Input type ({}) and bias type ({}) should be the same".format(*kinds))
    if input.dtype == np.bool_:
        raise NotImplementedError("\"slow_conv2d_cpu\" not implemented for 'Bool'")
