"""Layer, group and batch normalisation on raw arrays, with their backward passes in one sweep.

How. Layer and group normalisation both normalise rows of a matrix (one row a sample, or a sample's group). Rows go through
in blocks that stay in cache, so an array is read from memory once forward and once backward. The variance is that of the
centred values (two passes over the cached block), never E[x^2] - E[x]^2.

Memory. Beyond the result: a block of rows (`BLOCK` elements), and the mean and the reciprocal standard deviation of each
row (of each channel, for batch normalisation), which are what backward needs beside the input. Batch normalisation keeps one array of the
input's size while it runs.
"""

import math

import numpy as np

from .widening import through_float32
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

BLOCK = 1 << 15


# Layer ----------------------------------------------------------------------------------------------------------------


@through_float32
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(x - mean) * rstd * weight + bias over the last dimensions: (result, mean, rstd).

    `normalized_shape` are the last sizes of `input`; `weight` and `bias` have that shape or are None. mean and rstd have the
    leading sizes of `input`, then ones. Raises RuntimeError with PyTorch's text where shapes do not fit.
    """
    check_normalized_shape(input, normalized_shape, weight, bias)
    normalized_shape = tuple(normalized_shape)
    lead = input.shape[: input.ndim - len(normalized_shape)]
    rows, width = math.prod(lead), math.prod(normalized_shape)
    flat = None if weight is None else weight.reshape(1, width)
    shift = None if bias is None else bias.reshape(1, width)
    out, mean, rstd = _normalise_rows(input.reshape(rows, width), eps, flat, shift)
    stats = (*lead, *(1,) * len(normalized_shape))
    return out.reshape(input.shape), mean.reshape(stats), rstd.reshape(stats)


@through_float32
def native_layer_norm_backward(grad_out, input, normalized_shape, mean, rstd, weight, bias, output_mask):
    """Cotangents of (input, weight, bias) of `native_layer_norm`; None where `output_mask` is False."""
    normalized_shape = tuple(normalized_shape)
    width = math.prod(normalized_shape)
    rows = input.size // width if width else math.prod(input.shape[: input.ndim - len(normalized_shape)])
    g, x = grad_out.reshape(rows, width), input.reshape(rows, width)
    flat = None if weight is None else weight.reshape(1, width)
    gx, gw, gb = _rows_backward(
        g, x, mean.reshape(rows, 1), rstd.reshape(rows, 1), flat, output_mask[0], output_mask[1], output_mask[2]
    )
    return (
        None if gx is None else gx.reshape(input.shape),
        None if gw is None else gw.reshape(normalized_shape),
        None if gb is None else gb.reshape(normalized_shape),
    )


def _normalise_rows(x, eps, weight=None, bias=None):
    """Rows of a matrix to mean 0 and variance 1, then times `weight` plus `bias` (1, width): (result, mean, rstd)."""
    rows, width = x.shape
    out = np.empty((rows, width), x.dtype)
    mean, rstd = np.zeros((rows, 1), x.dtype), np.zeros((rows, 1), x.dtype)
    if width == 0:
        rstd.fill(1 / math.sqrt(eps) if eps > 0 else np.inf)
        return out, mean, rstd
    step = max(1, BLOCK // width)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for low in range(0, rows, step):
            part, target = x[low : low + step], out[low : low + step]
            centre, scale = mean[low : low + step], rstd[low : low + step]
            np.add.reduce(part, axis=1, keepdims=True, out=centre)
            centre /= width
            np.subtract(part, centre, out=target)
            scale[:, 0] = np.vecdot(target, target)
            scale /= width
            scale += eps
            np.sqrt(scale, out=scale)
            np.divide(1, scale, out=scale)
            target *= scale
            if weight is not None:
                target *= weight
            if bias is not None:
                target += bias
    return out, mean, rstd


def _rows_backward(g, x, mean, rstd, weight, need_input, need_weight, need_bias):
    """gx = rstd (gw - mean(gw) - xhat mean(gw xhat)) with gw = g weight, and the sums for weight and bias."""
    rows, width = x.shape
    gx = np.empty((rows, width), np.result_type(g, x)) if need_input else None
    gw = np.zeros((1, width), g.dtype) if need_weight else None
    gb = np.zeros((1, width), g.dtype) if need_bias else None
    if width == 0:
        return gx, gw, gb
    step = max(1, BLOCK // width)
    scratch = np.empty((min(step, rows), width), x.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        for low in range(0, rows, step):
            part, grad = x[low : low + step], g[low : low + step]
            scale = rstd[low : low + step]
            xhat = scratch[: part.shape[0]]
            np.subtract(part, mean[low : low + step], out=xhat)
            xhat *= scale
            if need_weight:
                gw += np.einsum("ij,ij->j", grad, xhat)
            if need_bias:
                gb += np.add.reduce(grad, axis=0)
            if not need_input:
                continue
            target = gx[low : low + step]
            if weight is not None:
                grad = np.multiply(grad, weight)
            average = np.add.reduce(grad, axis=1, keepdims=True) / width
            slope = (np.vecdot(grad, xhat) / width).reshape(-1, 1)
            xhat *= slope
            np.subtract(grad, xhat, out=target)
            target -= average
            target *= scale
    return gx, gw, gb


# Group ----------------------------------------------------------------------------------------------------------------


@through_float32
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
    out, mean, rstd = _normalise_rows(input.reshape(N * group, C // group * HxW), eps)
    wide = out.reshape(N, C, HxW)
    if weight is not None:
        wide *= weight.reshape(1, C, 1)
    if bias is not None:
        wide += bias.reshape(1, C, 1)
    return wide.reshape(input.shape), mean.reshape(N, group), rstd.reshape(N, group)


@through_float32
def native_group_norm_backward(grad_out, input, mean, rstd, weight, N, C, HxW, group, output_mask):  # noqa: N803
    """Cotangents of (input, weight, bias) of `native_group_norm`; None where `output_mask` is False."""
    shape = (N * group, C // group * HxW)
    g = grad_out.reshape(N, C, HxW)
    need_input, need_weight, need_bias = output_mask
    gx = gw = gb = None
    centre, scale = mean.reshape(-1, 1), rstd.reshape(-1, 1)
    if need_bias:
        gb = g.sum(axis=2).sum(axis=0)
    if need_weight:
        xhat = ((input.reshape(shape) - centre) * scale).reshape(N, C, HxW)
        gw = np.vecdot(g, xhat).sum(axis=0)
    if need_input:
        grad = g if weight is None else g * weight.reshape(1, C, 1)
        gx = _rows_backward(grad.reshape(shape), input.reshape(shape), centre, scale, None, True, False, False)[0]
        gx = gx.reshape(input.shape)
    return gx, gw, gb


def group_statistics_backward(grad_mean, grad_rstd, input, mean, rstd, group):
    """Cotangent of `input` through the mean and the reciprocal standard deviation of each group; either may be None."""
    rows = input.reshape(mean.size, -1)
    pulled = np.zeros_like(rows)
    if grad_mean is not None:
        pulled += grad_mean.reshape(-1, 1)
    if grad_rstd is not None:
        pulled -= (grad_rstd * rstd**3).reshape(-1, 1) * (rows - mean.reshape(-1, 1))
    return (pulled / rows.shape[1]).reshape(input.shape)


# Batch ----------------------------------------------------------------------------------------------------------------


@through_float32
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """Each channel (dimension 1) to mean 0 and variance 1: (result, mean, invstd) of shape (C,).

    In training the statistics are the batch's, and the caller moves the running ones by them with `momentum`; else they are the
    running ones, and empty arrays stand in for the saved statistics. Raises RuntimeError with PyTorch's text.
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
    wide = input.reshape(input.shape[0], channels, -1)
    if training:
        count = wide.shape[0] * wide.shape[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = wide.sum(axis=2).sum(axis=0) / count
            out = wide - mean.reshape(-1, 1)
            variance = np.vecdot(out, out).sum(axis=0) / count
            invstd = 1 / np.sqrt(variance + eps)
        mean, invstd = mean.astype(input.dtype, copy=False), invstd.astype(input.dtype, copy=False)
        out *= (invstd if weight is None else invstd * weight).reshape(-1, 1)
        if bias is not None:
            out += bias.reshape(-1, 1)
        return out.reshape(input.shape), mean, invstd
    invstd = 1 / np.sqrt(running_var + eps)
    scale = (invstd if weight is None else invstd * weight).astype(input.dtype, copy=False)
    out = wide - running_mean.reshape(-1, 1).astype(input.dtype, copy=False)
    out *= scale.reshape(-1, 1)
    if bias is not None:
        out += bias.reshape(-1, 1)
    empty = np.empty((0,), input.dtype)
    return out.reshape(input.shape), empty, empty.copy()


@through_float32
def native_batch_norm_backward(
    grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train, eps, output_mask
):
    """Cotangents of (input, weight, bias) of `native_batch_norm`; None where `output_mask` is False."""
    need_input, need_weight, need_bias = output_mask
    channels = input.shape[1]
    x, g = input.reshape(input.shape[0], channels, -1), grad_out.reshape(input.shape[0], channels, -1)
    mean, invstd = (save_mean, save_invstd) if train else (running_mean, 1 / np.sqrt(running_var + eps))
    mean = mean.astype(g.dtype, copy=False).reshape(-1, 1)
    invstd = invstd.astype(g.dtype, copy=False).reshape(-1, 1)
    gx = gw = gb = None
    if need_bias or (need_input and train):
        gb = g.sum(axis=2).sum(axis=0)
    if need_weight or (need_input and train):
        centred = x - mean
        gw = np.vecdot(g, centred).sum(axis=0) * invstd[:, 0]
    if need_input:
        factor = invstd if weight is None else invstd * weight.reshape(-1, 1)
        if train:
            count = x.shape[0] * x.shape[2]
            centred *= (gw.reshape(-1, 1) * invstd) / -count
            centred += g
            centred -= gb.reshape(-1, 1) / count
            centred *= factor
            gx = centred.reshape(input.shape)
        else:
            gx = (g * factor).reshape(input.shape)
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
