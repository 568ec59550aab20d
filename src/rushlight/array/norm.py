"""Layer, group and batch normalisation on raw arrays, with their backward passes in one sweep.

How. All of them are x * scale + shift with a scale and a shift for each row, column or channel, so the work is a few
sums and a few passes. Sums of rows are products with a vector (BLAS). The variance is mean(x^2) - mean(x)^2 where that
loses no digits, that is where the mean is no larger than the deviation; elsewhere that of the centred values. Layer
normalisation goes through blocks of rows that stay in cache.

Memory. Beyond the result: a block or two of rows (`BLOCK` elements each), and the mean and the reciprocal standard
deviation of each row, group or channel, which are what backward needs beside the input. Group and batch normalisation
keep one array of the input's size while they run backward.
"""

import math

import numpy as np

from .layout import keeps_channels_last
from .rows import each_block, solid
from .widening import is_half, mixed_through_float32
from .windows import sizes_text

__all__ = [
    "check_normalized_shape",
    "group_statistics_backward",
    "native_batch_norm",
    "native_batch_norm_backward",
    "native_group_norm",
    "native_group_norm_backward",
    "native_layer_norm",
    "native_layer_norm_backward",
]

#: elements in a block: few enough for the cache, and for BLAS to leave a product with a vector to the calling thread
BLOCK = 1 << 15
_add = np.add.reduce
#: up to this many elements the formula as it stands is fastest
SMALL = 4096


# Layer ----------------------------------------------------------------------------------------------------------------


@mixed_through_float32
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(x - mean) * rstd * weight + bias over the last dimensions: (result, mean, rstd).

    `normalized_shape` are the last sizes of `input`; `weight` and `bias` have that shape or are None. mean and rstd
    have the leading sizes of `input`, then ones. Raises RuntimeError with PyTorch's text where shapes do not fit.
    """
    normalized_shape = tuple(normalized_shape)
    check_normalized_shape(input, normalized_shape, weight, bias)
    if len(normalized_shape) == 1 and input.ndim == 2 and 0 < input.size <= SMALL and input.flags.c_contiguous:
        out, mean, rstd = _normalise_few(input, eps, weight, bias)
        return out, mean[:, None], rstd[:, None]
    lead = input.shape[: input.ndim - len(normalized_shape)]
    rows, width = math.prod(lead), math.prod(normalized_shape)
    flat = None if weight is None else weight.reshape(1, width)
    shift = None if bias is None else bias.reshape(1, width)
    out, mean, rstd = _normalise_rows(input.reshape(rows, width), eps, flat, shift)
    stats = (*lead, *(1,) * len(normalized_shape))
    return out.reshape(input.shape), mean.reshape(stats), rstd.reshape(stats)


@mixed_through_float32
def native_layer_norm_backward(grad_out, input, normalized_shape, mean, rstd, weight, bias, output_mask):
    """Cotangents of (input, weight, bias) of `native_layer_norm`; None where `output_mask` is False."""
    normalized_shape = tuple(normalized_shape)
    if len(normalized_shape) == 1 and input.ndim == 2 and 0 < input.size <= SMALL:
        return _few_backward(grad_out, input, mean, rstd, weight, *output_mask)
    width = math.prod(normalized_shape)
    rows = input.size // width if width else math.prod(input.shape[: input.ndim - len(normalized_shape)])
    g, x = solid(grad_out).reshape(rows, width), solid(input).reshape(rows, width)
    flat = None if weight is None else weight.reshape(1, width)
    gx, gw, gb = _rows_backward(
        g, x, mean.reshape(rows, 1), rstd.reshape(rows, 1), flat, output_mask[0], output_mask[1], output_mask[2]
    )
    return (
        None if gx is None else gx.reshape(input.shape),
        None if gw is None else gw.reshape(normalized_shape),
        None if gb is None else gb.reshape(normalized_shape),
    )


def _moments(x):
    """Mean and variance of each row of a matrix, (rows,) each, and whether a mean is large against its deviation."""
    width = x.shape[1]
    mean = _row_sums(x)
    mean /= width
    variance = _row_squares(x)
    variance /= width
    square = mean * mean
    variance -= square
    far = bool((square > variance).any())
    if far:
        # A second look takes out the rounding of the first mean, so that equal values have variance zero.
        mean += _row_sums(x - mean[:, None]) / width
        variance = _row_squares(x - mean[:, None]) / width
    return mean, variance, far


_SPAN = 2**14  # BLAS adds one element after the other: in longer rows the rounding of float32 would show


def _row_sums(x):
    """Sum of each row of a matrix: by BLAS, or pairwise where the rows are long."""
    return np.matmul(x, np.ones(x.shape[1], x.dtype)) if x.shape[1] <= _SPAN else np.add.reduce(x, 1)


def _row_squares(x):
    """Sum of the squares of each row of a matrix: by BLAS, long rows span by span."""
    whole = x.shape[1] // _SPAN * _SPAN
    squares = np.vecdot(x[:, whole:], x[:, whole:])
    if whole:
        spans = x[:, :whole].reshape(len(x), -1, _SPAN)
        squares += np.add.reduce(np.vecdot(spans, spans), 1)
    return squares


def _normalise_rows(x, eps, weight=None, bias=None):
    """Rows of a matrix to mean 0 and variance 1, then times `weight` plus `bias` (1, width): (result, mean, rstd)."""
    rows, width = x.shape
    out = np.empty((rows, width), x.dtype)
    if width == 0 or rows == 0:
        return out, np.zeros(rows, x.dtype), np.full(rows, 1 / math.sqrt(eps) if eps > 0 else np.nan, x.dtype)
    if x.size <= SMALL:
        return _normalise_few(x, eps, weight, bias)
    mean, rstd = np.empty(rows, x.dtype), np.empty(rows, x.dtype)
    # A scale for each row and column is a product of a column and a row, and BLAS makes those faster than broadcasting.
    right = np.zeros((2, 2, width), x.dtype)
    right[:, 0] = 1 if weight is None else weight
    if bias is not None:
        right[1, 1] = bias
    eps = np.asarray(eps, x.dtype)

    def block(number, low, high):
        part, target = x[low:high], out[low:high]
        centre, variance, far = _moments(part)
        scale = 1 / np.sqrt(variance + eps)
        mean[low:high], rstd[low:high] = centre, scale
        if far:  # x rstd and mean rstd would cancel
            np.subtract(part, centre[:, None], out=target)
            target *= scale[:, None]
            target *= right[0, 0]
            target += right[1, 1]
            return
        left = np.zeros((2, high - low, 2), x.dtype)
        left[0, :, 0] = scale
        np.multiply(centre, -scale, out=left[1, :, 0])
        left[1, :, 1] = 1
        np.matmul(left[0], right[0], out=target)
        target *= part
        target += np.matmul(left[1], right[1])

    each_block(rows, max(1, BLOCK // width), block)
    return out, mean, rstd


def _normalise_few(x, eps, weight, bias):
    """`_normalise_rows` where calls cost more than elements: the plain formula."""
    width = x.shape[1]
    mean = _add(x, 1, None, None, True)
    np.divide(mean, width, mean)
    out = np.subtract(x, mean)
    # A second look takes out the rounding of the first mean, so that equal values have variance zero.
    rest = _add(out, 1, None, None, True)
    np.divide(rest, width, rest)
    np.add(mean, rest, mean)
    np.subtract(out, rest, out)
    rstd = np.vecdot(out, out)
    np.divide(rstd, width, rstd)
    np.add(rstd, eps, rstd)
    np.sqrt(rstd, rstd)
    np.reciprocal(rstd, rstd)
    np.multiply(out, rstd[:, None], out)
    if weight is not None:
        np.multiply(out, weight, out)
    if bias is not None:
        np.add(out, bias, out)
    return out, mean[:, 0], rstd


def _few_backward(g, x, mean, rstd, weight, need_input, need_weight, need_bias):
    """`_rows_backward` where calls cost more than elements; `mean` and `rstd` are columns."""
    width = x.shape[1]
    xhat = np.subtract(x, mean)
    np.multiply(xhat, rstd, xhat)
    gx = None
    if need_input:
        grad = g if weight is None else np.multiply(g, weight)
        centre = _add(grad, 1, None, None, True)
        slope = np.vecdot(grad, xhat)[:, None]
        gx = np.multiply(xhat, slope)
        np.add(gx, centre, gx)
        np.divide(gx, -width, gx)
        np.add(gx, grad, gx)
        np.multiply(gx, rstd, gx)
    gw = _add(np.multiply(g, xhat), 0) if need_weight else None
    gb = _add(g, 0) if need_bias else None
    return gx, gw, gb


def _rows_backward(g, x, mean, rstd, weight, need_input, need_weight, need_bias):
    """gx = rstd (gw - mean(gw) - xhat mean(gw xhat)) with gw = g weight, and the sums for weight and bias."""
    rows, width = x.shape
    mean, rstd = mean.reshape(rows), rstd.reshape(rows)
    gx = np.empty((rows, width), np.result_type(g, x)) if need_input else None
    if width == 0 or rows == 0:
        empty = np.zeros((1, width), g.dtype)
        return gx, empty if need_weight else None, empty.copy() if need_bias else None
    if x.size <= SMALL:
        return _few_backward(g, x, mean[:, None], rstd[:, None], weight, need_input, need_weight, need_bias)
    step = max(1, BLOCK // width)
    sums = np.zeros((-(-rows // step), 3, width), g.dtype) if need_weight or need_bias else None
    right = np.zeros((2, width), x.dtype)
    right[0] = 1 if weight is None else weight
    line = np.ascontiguousarray(right[0])
    left = np.zeros((rows, 2), x.dtype)
    left[:, 0] = rstd
    lines = np.empty((2, rows), g.dtype)
    lines[0], lines[1] = 1, rstd * mean
    shrink = rstd * rstd * rstd / width
    share = rstd / width

    def block(number, low, high):
        part, grad = x[low:high], g[low:high]
        product = grad * part
        if sums is not None:
            np.matmul(lines[:, low:high], grad, out=sums[number, :2])
            np.matmul(rstd[low:high], product, out=sums[number, 2])
        if gx is None:
            return
        pulled = np.matmul(grad, line)
        slope = np.matmul(product, line)
        slope -= mean[low:high] * pulled
        slope *= shrink[low:high]
        pulled *= share[low:high]
        pulled -= mean[low:high] * slope
        target = gx[low:high]
        np.matmul(left[low:high], right, out=target)
        target *= grad
        np.multiply(part, slope[:, None], out=product)
        product += pulled[:, None]
        target -= product

    each_block(rows, step, block)
    if sums is None:
        return gx, None, None
    bias, shift, scaled = np.add.reduce(sums, axis=0)
    return (
        gx,
        (scaled - shift).reshape(1, width) if need_weight else None,
        bias.reshape(1, width) if need_bias else None,
    )


# Group ----------------------------------------------------------------------------------------------------------------


@keeps_channels_last
@mixed_through_float32
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):  # noqa: N803 (PyTorch's argument names)
    """Each of `group` groups of channels of each sample to mean 0 and variance 1: (result, mean (N, G), rstd (N, G))."""
    if group <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {group}")
    if C % group:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{sizes_text(input.shape)} and num_groups={group}"
        )
    for value, name in ((weight, "weight"), (bias, "bias")):
        if value is not None and value.shape != (C,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {sizes_text(value.shape)} and input of shape {sizes_text(input.shape)}"
            )
    wide = input.reshape(N, C, HxW)
    with np.errstate(all="ignore"):
        mean, variance, far = _grouped_moments(wide, group)
        rstd = 1 / np.sqrt(variance + np.asarray(eps, input.dtype))
        if far:
            wide, offset = wide - np.repeat(mean, C // group, axis=1)[:, :, None], np.zeros_like(mean)
        scale, shift = _channel_line(rstd, offset if far else mean, weight, bias, C)
        out = _scaled(wide, scale, shift)
    return out.reshape(input.shape), mean, rstd


def _grouped_moments(wide, group):
    """`_moments` (N, G) of the groups of channels of (N, C, L)."""
    samples, channels, length = wide.shape
    rows = wide.reshape(samples * group, channels // group * length)
    if rows.size == 0:
        return np.full((samples, group), np.nan, wide.dtype), np.full((samples, group), np.nan, wide.dtype), False
    mean, variance, far = _moments(rows)
    return mean.reshape(samples, group), variance.reshape(samples, group), far


def _channel_line(rstd, mean, weight, bias, channels):
    """Scale and shift (N, C) of x * scale + shift, from statistics (N, G) and parameters (C,)."""
    per_group = channels // rstd.shape[1]
    scale, centre = np.repeat(rstd, per_group, axis=1), np.repeat(mean, per_group, axis=1)
    if weight is not None:
        scale = scale * weight
    shift = -centre * scale
    return scale, shift if bias is None else shift + bias


def _scaled(wide, scale, shift):
    """wide * scale + shift, for (N, C, L) and coefficients (N, C) or (1, C)."""
    if wide.shape[2] == 1:
        out = wide * scale[:, :, None]
        out += shift[:, :, None]
        return out
    out = np.empty(wide.shape, np.result_type(wide, scale))
    step = max(1, BLOCK // max(1, wide.shape[1] * wide.shape[2]))

    def block(number, low, high):
        rows = slice(low, high) if len(scale) > 1 else slice(None)
        np.multiply(wide[low:high], scale[rows, :, None], out=out[low:high])
        out[low:high] += shift[rows, :, None]

    each_block(wide.shape[0], step, block)
    return out


def _combined(g, x, by_g, by_x, constant):
    """g * by_g + x * by_x + constant, for (N, C, L) and coefficients (N, C) or (1, C)."""
    out = np.empty(x.shape, np.result_type(g, x))
    step = max(1, BLOCK // max(1, x.shape[1] * x.shape[2]))

    def block(number, low, high):
        def of(value):
            return value[low:high, :, None] if len(value) > 1 else value[:, :, None]

        target = out[low:high]
        np.multiply(g[low:high], of(by_g), out=target)
        other = x[low:high] * of(by_x)
        other += of(constant)
        target += other

    each_block(x.shape[0], step, block)
    return out


@mixed_through_float32
def native_group_norm_backward(grad_out, input, mean, rstd, weight, N, C, HxW, group, output_mask):  # noqa: N803
    """Cotangents of (input, weight, bias) of `native_group_norm`; None where `output_mask` is False."""
    g, x = solid(grad_out).reshape(N, C, HxW), solid(input).reshape(N, C, HxW)
    need_input, need_weight, need_bias = output_mask
    per_group = C // group
    sums, products = _channel_sums(g, x)
    centre, scale = np.repeat(mean, per_group, axis=1), np.repeat(rstd, per_group, axis=1)
    gx = gw = gb = None
    if need_bias:
        gb = sums.sum(axis=0)
    if need_weight:
        gw = ((products - centre * sums) * scale).sum(axis=0)
    if need_input:
        weights = np.ones(C, g.dtype) if weight is None else weight
        count = max(per_group * HxW, 1)
        pulled = (sums * weights).reshape(N, group, per_group).sum(axis=2)
        along = (products * weights).reshape(N, group, per_group).sum(axis=2)
        slope = (along - mean * pulled) * rstd**3 / count
        constant = rstd * pulled / count - mean * slope
        spread = [np.repeat(each, per_group, axis=1) for each in (-slope, -constant)]
        gx = _combined(g, x, scale * weights, *spread).reshape(input.shape)
    return gx, gw, gb


def _channel_sums(g, x):
    """Sums of g and of g x over the last dimension of (N, C, L): (N, C) each."""
    return np.matmul(g, np.ones(g.shape[2], g.dtype)), np.vecdot(g, x)


def group_statistics_backward(grad_mean, grad_rstd, input, mean, rstd, group):
    """Cotangent of `input` through the mean and the reciprocal standard deviation of each group; either may be None."""
    rows = input.reshape(mean.size, input.size // max(mean.size, 1))
    pulled = np.zeros_like(rows)
    if grad_mean is not None:
        pulled += grad_mean.reshape(-1, 1)
    if grad_rstd is not None:
        pulled -= (grad_rstd * rstd**3).reshape(-1, 1) * (rows - mean.reshape(-1, 1))
    return (pulled / max(rows.shape[1], 1)).reshape(input.shape)


# Batch ----------------------------------------------------------------------------------------------------------------


@keeps_channels_last
@mixed_through_float32
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """Each channel (dimension 1) to mean 0 and variance 1: (result, mean, invstd) of shape (C,).

    In training the statistics are the batch's, and the caller moves the running ones by them with `momentum`; else they
    are the running ones, and empty arrays stand in for the saved statistics. Raises RuntimeError with PyTorch's text.
    """
    channels = input.shape[1]
    for value, name in (
        (running_mean, "running_mean"),
        (running_var, "running_var"),
        (weight, "weight"),
        (bias, "bias"),
    ):
        if value is not None and value.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {value.size}")
    if training and input.size <= SMALL:
        return _few_channels(input, weight, bias, eps)
    wide = input.reshape(input.shape[0], channels, -1)
    if training:
        with np.errstate(all="ignore"):
            mean, variance, far = _channel_moments(wide)
            invstd = 1 / np.sqrt(variance + np.asarray(eps, wide.dtype))
        mean, invstd = mean.astype(input.dtype, copy=False), invstd.astype(input.dtype, copy=False)
        offset = mean
        if far:
            wide, offset = wide - mean[:, None], np.zeros_like(mean)
        scale, shift = _channel_line(invstd[None], offset[None], weight, bias, channels)
        return _scaled(wide, scale, shift).reshape(input.shape), mean, invstd
    invstd = (1 / np.sqrt(running_var + eps)).astype(input.dtype, copy=False)
    scale, shift = _channel_line(invstd[None], running_mean[None].astype(input.dtype), weight, bias, channels)
    empty = np.empty((0,), input.dtype)
    return _scaled(wide, scale, shift).reshape(input.shape), empty, empty.copy()


def _over_channels(input):
    """(axes but that of channels, the shape in which an array of channels meets the input)."""
    if input.ndim == 2:
        return 0, (1, -1)
    return (0, *range(2, input.ndim)), (1, -1, *(1,) * (input.ndim - 2))


def _few_channels(input, weight, bias, eps):
    """`native_batch_norm` in training where calls cost more than elements: the plain formula."""
    axes, column = _over_channels(input)
    count = input.size // input.shape[1]
    mean = _add(input, axes, None, None, True)
    np.divide(mean, count, mean)
    out = np.subtract(input, mean)
    # A second look takes out the rounding of the first mean, so that equal values have variance zero.
    rest = _add(out, axes, None, None, True)
    np.divide(rest, count, rest)
    np.add(mean, rest, mean)
    np.subtract(out, rest, out)
    invstd = _add(out * out, axes, None, None, True)
    np.divide(invstd, count, invstd)
    np.add(invstd, eps, invstd)
    np.sqrt(invstd, invstd)
    np.reciprocal(invstd, invstd)
    np.multiply(out, invstd, out)
    if weight is not None:
        np.multiply(out, weight.reshape(column), out)
    if bias is not None:
        np.add(out, bias.reshape(column), out)
    return out, mean.reshape(-1), invstd.reshape(-1)


def _few_channels_backward(g, x, weight, mean, invstd, need_input):
    """Cotangents of input, weight and bias through `_few_channels`."""
    axes, column = _over_channels(x)
    scale = invstd.reshape(column)
    xhat = (x - mean.reshape(column)) * scale
    gw, gb = _add(g * xhat, axes, None, None, True), _add(g, axes, None, None, True)
    gx = None
    if need_input:
        count = x.size // x.shape[1]
        gx = g - (gb + xhat * gw) / count
        gx *= scale if weight is None else scale * weight.reshape(column)
    return gx, gw.reshape(-1), gb.reshape(-1)


def moved(running, batch, momentum):
    """A running statistic after a batch: (1 - momentum) running + momentum batch, in float32 at least."""
    running, batch = (each.astype(np.float32) if is_half(each.dtype) else each for each in (running, batch))
    return running * (1 - momentum) + batch * momentum


def _channel_moments(wide):
    """`_moments` of each channel of (N, C, L)."""
    count = wide.shape[0] * wide.shape[2]
    if wide.shape[2] == 1:
        mean = wide.mean(axis=(0, 2))
        centred = wide[:, :, 0] - mean
        return mean, np.mean(centred * centred, axis=0), True
    mean = np.matmul(wide, np.ones(wide.shape[2], wide.dtype)).sum(axis=0) / count
    variance = np.vecdot(wide, wide).sum(axis=0) / count - mean * mean
    far = bool((mean * mean > variance).any())
    if far:
        mean = mean + (wide - mean[:, None]).mean(axis=2).mean(axis=0)
        centred = wide - mean[:, None]
        variance = np.vecdot(centred, centred).sum(axis=0) / count
    return mean, variance, far


@mixed_through_float32
def native_batch_norm_backward(
    grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train, eps, output_mask
):
    """Cotangents of (input, weight, bias) of `native_batch_norm`; None where `output_mask` is False."""
    need_input, need_weight, need_bias = output_mask
    if train and 0 < input.size <= SMALL:
        gx, gw, gb = _few_channels_backward(grad_out, input, weight, save_mean, save_invstd, need_input)
        return gx, gw if need_weight else None, gb if need_bias else None
    grad_out, input = solid(grad_out), solid(input)
    channels = input.shape[1]
    x, g = input.reshape(input.shape[0], channels, -1), grad_out.reshape(input.shape[0], channels, -1)
    mean, invstd = (save_mean, save_invstd) if train else (running_mean, 1 / np.sqrt(running_var + eps))
    mean = mean.astype(g.dtype, copy=False).reshape(-1, 1)
    invstd = invstd.astype(g.dtype, copy=False).reshape(-1, 1)
    mean, invstd = mean[:, 0], invstd[:, 0]
    gx = gw = gb = None
    if need_weight or need_bias or (need_input and train):
        sums, products = (each.sum(axis=0) for each in _channel_sums(g, x))
        gb, gw = sums, (products - mean * sums) * invstd
    if need_input:
        factor = invstd if weight is None else invstd * weight
        if train:
            count = x.shape[0] * x.shape[2]
            slope = -gw * invstd * factor / count
            constant = -gb * factor / count - mean * slope
            gx = _combined(g, x, factor[None], slope[None], constant[None]).reshape(input.shape)
        else:
            gx = (g * factor[:, None]).reshape(input.shape)
    return gx, gw if need_weight else None, gb if need_bias else None


def check_normalized_shape(input, normalized_shape, weight, bias, gap=", "):
    """Raise PyTorch's RuntimeError unless `normalized_shape` are the last sizes of `input` and the shape of the others.

    `gap` is what stands between ``*`` and the sizes in the last message (rms_norm leaves it out).
    """
    shape = tuple(int(s) for s in normalized_shape)
    if len(shape) < 1:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            f"normalized_shape = {sizes_text(shape)}"
        )
    for value, name in ((weight, "weight"), (bias, "bias")):
        if value is not None and tuple(value.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{sizes_text(value.shape)} and normalized_shape = {sizes_text(shape)}"
            )
    if input.ndim < len(shape) or tuple(input.shape[input.ndim - len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={sizes_text(shape)}, expected input with shape [*{gap}"
            f"{sizes_text(shape)[1:]}, but got input of size{sizes_text(input.shape)}"
        )
