"""Losses that are one operator in PyTorch, on raw arrays: an elementwise value and a reduction, or a choice of classes.

`reduction` is ``"none"``, ``"mean"`` or ``"sum"`` (PyTorch's numbers 0, 1, 2 are its business at the surface). Losses
that PyTorch composes of other operators are composed in `rushlight.ops.loss`.

Memory. The elementwise losses keep one or two arrays of the input's size while they run; `multilabel_margin_loss`
compares every class with every target class, samples x classes x classes.
"""

import math

import numpy as np

from .. import dtypes
from .widening import is_half, through_float32
from .windows import sizes_text

__all__ = [
    "REDUCTIONS",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cdist",
    "huber_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "nll_loss",
    "nll_loss_backward",
    "reduced",
    "smooth_l1_loss",
    "soft_margin_loss",
]

REDUCTIONS = ("none", "mean", "sum")


def reduced(loss, reduction):
    """`loss` as it is, its mean, or its sum; a 0-d array for the last two."""
    if reduction == "none":
        return loss
    if reduction == "sum":
        return np.asarray(loss.sum(dtype=loss.dtype))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(loss.sum(dtype=loss.dtype) / np.asarray(loss.size, loss.dtype))


# Elementwise ----------------------------------------------------------------------------------------------------------


@through_float32
def mse_loss(input, target, reduction="mean"):
    """(input - target)^2."""
    loss = input - target
    if reduction != "none" and loss.dtype.kind == "f" and loss.size:
        flat = loss.reshape(-1)
        if flat.size <= 1 << 12:
            total = np.vecdot(flat, flat)
        else:
            # Sums of blocks, then their sum: a dot product alone would lose digits on a long array.
            rows = flat[: flat.size // 1024 * 1024].reshape(-1, 1024)
            tail = flat[rows.size :]
            total = np.vecdot(rows, rows).sum() + np.vecdot(tail, tail)
        total = total if reduction == "sum" else total / np.asarray(loss.size, loss.dtype)
        return np.asarray(total, loss.dtype)
    return reduced(loss * loss, reduction)


@through_float32
def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """d^2 / (2 beta) where |d| < beta, else |d| - beta/2, with d = input - target."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    size = np.abs(input - target)
    if beta == 0:
        return reduced(size, reduction)
    return reduced(np.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta), reduction)


@through_float32
def huber_loss(input, target, reduction="mean", delta=1.0):
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta/2), with d = input - target."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    size = np.abs(input - target)
    return reduced(np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta)), reduction)


@through_float32
def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """-(t log x + (1 - t) log(1 - x)) for x in [0, 1]; the logarithms are held above -100."""
    if input.size and not ((input >= 0) & (input <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    if target.size and not ((target >= 0) & (target <= 1)).all():
        raise RuntimeError("all elements of target should be between 0 and 1")
    with np.errstate(divide="ignore"):
        positive, negative = np.maximum(np.log(input), -100), np.maximum(np.log1p(-input), -100)
    loss = (target - 1) * negative - target * positive
    if weight is not None:
        loss *= weight
    return reduced(loss.astype(input.dtype, copy=False), reduction)


@through_float32
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction="mean"):
    """(1 - t) x + (1 + (pos_weight - 1) t) log(1 + exp(-x)), without overflow for any x."""
    slope = np.minimum(input, 0)
    softplus = np.log1p(np.exp(-np.abs(input))) - slope
    if pos_weight is not None:
        softplus = softplus * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input + softplus
    if weight is not None:
        loss = loss * weight
    return reduced(loss.astype(np.result_type(input, target), copy=False), reduction)


@through_float32
def soft_margin_loss(input, target, reduction="mean"):
    """log(1 + exp(-target * input))."""
    with np.errstate(over="ignore"):
        return reduced(np.log1p(np.exp(-target * input)), reduction)


# Classes --------------------------------------------------------------------------------------------------------------


def nll_loss(input, target, weight=None, reduction="mean", ignore_index=-100):
    """-weight[t] input[t]: (loss, total weight). `input` (N, C), (C,) or (N, C, d1, ...), `target` without the C.

    Targets equal to `ignore_index` count for nothing. The mean divides by the total weight. IndexError for a target
    that is no class.
    """
    _check_nll(input, target, weight)
    dtype = input.dtype
    wide = input.astype(np.float32) if is_half(dtype) else input
    channel = 0 if input.ndim == 1 else 1
    chosen, keep = _class_places(target, input.shape[channel], ignore_index)
    if input.ndim == 2:
        loss = -wide[np.arange(len(chosen)), chosen]
    else:
        loss = -np.take_along_axis(wide, np.expand_dims(chosen, channel), channel).reshape(target.shape)
    share = None
    if weight is not None:
        share = weight.astype(wide.dtype, copy=False)[chosen]
        loss *= share
    if keep is not None:
        loss = np.where(keep, loss, np.zeros((), loss.dtype))
        share = np.where(keep, np.ones((), wide.dtype) if share is None else share, np.zeros((), wide.dtype))
    if reduction == "none":
        return loss.astype(dtype, copy=False), np.zeros((), dtype)
    total = np.asarray(target.size if share is None else share.sum(), wide.dtype)
    loss = np.add.reduce(loss, None, None, np.empty((), wide.dtype))
    if reduction == "mean":
        np.divide(loss, total, loss)
    if dtype is wide.dtype:
        return loss, total
    return loss.astype(dtype, copy=False), total.astype(dtype, copy=False)


def nll_loss_backward(grad_output, target, weight, reduction, ignore_index, total_weight, input_shape):
    """Adjoint of `nll_loss`: zeros of `input_shape` with -weight[t] times the cotangent at each target."""
    dtype = grad_output.dtype
    channel = 0 if len(input_shape) == 1 else 1
    chosen, keep = _class_places(target, input_shape[channel], ignore_index)
    grad = grad_output.astype(np.float32) if is_half(dtype) else grad_output
    value = -grad
    if reduction == "mean":
        value = value / total_weight.astype(grad.dtype, copy=False)
    if weight is not None:
        value = value * weight.astype(grad.dtype, copy=False)[chosen]
    if keep is not None:
        value = np.where(keep, value, np.zeros((), grad.dtype))
    out = np.zeros(input_shape, dtype)
    if len(input_shape) == 2:
        out[np.arange(len(chosen)), chosen] = value
        return out
    value = np.broadcast_to(value, target.shape).astype(dtype, copy=False)
    np.put_along_axis(out, np.expand_dims(chosen, channel), np.expand_dims(value, channel), channel)
    return out


def _class_places(target, classes, ignore_index):
    """Targets as places that can be read, and which of them count (None: all)."""
    keep = None
    chosen = target
    if target.size:
        low, high = np.minimum.reduce(target, None), np.maximum.reduce(target, None)
        if low < 0 or high >= classes or low <= ignore_index <= high:
            keep = target != ignore_index
            wrong = keep & ((target < 0) | (target >= classes))
            if wrong.any():
                raise IndexError(f"Target {int(target[wrong].flat[0])} is out of bounds.")
            chosen = np.where(keep, target, 0)
            if keep.all():
                keep = None
            elif classes == 0:
                raise IndexError(f"Target {int(target.flat[0])} is out of bounds.")
    return chosen.astype(np.int64, copy=False), keep


def _check_nll(input, target, weight):
    if input.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    classes = input.shape[0 if input.ndim == 1 else 1]
    if input.ndim == 1:
        if target.ndim > 1 or target.size != 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    elif target.ndim == 0 or input.shape[0] != target.shape[0]:
        if target.ndim == 0:
            raise RuntimeError(
                f"size mismatch (got input: {sizes_text(input.shape)}, target: {sizes_text(target.shape)})"
            )
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]})."
        )
    elif input.ndim == 2:
        if target.ndim != 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    elif (input.shape[0], *input.shape[2:]) != target.shape:
        if input.ndim == 4 and target.ndim != 3:
            raise RuntimeError(
                f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.ndim}"
            )
        if input.ndim == 4:
            raise RuntimeError(
                f"size mismatch (got input: {sizes_text(input.shape)} , target: {sizes_text(target.shape)}"
            )
        raise RuntimeError(
            f"Expected target size {sizes_text((input.shape[0], *input.shape[2:]))}, got {sizes_text(target.shape)}"
        )
    if target.dtype != np.int64 and (input.ndim > 2 or target.dtype != np.uint8):
        legacy = dtypes.of(target.dtype).legacy
        raise RuntimeError(
            "expected scalar type Long but found Byte"
            if legacy == "Byte"
            else f"expected target dtype to be Long or Byte, but got {legacy}"
        )
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {sizes_text(weight.shape)}"
        )


@through_float32
def multi_margin_loss(input, target, p=1, margin=1, weight=None, reduction="mean"):
    """Sum over classes i other than t of weight[t] max(0, margin - x[t] + x[i])^p, divided by the number of classes."""
    x, t = _check_multi_margin(input, target, weight)
    z = _multi_margin_terms(x, t, margin)
    loss = (z if p == 1 else z * z).sum(axis=1) / np.asarray(x.shape[1], x.dtype)
    if weight is not None:
        loss = loss * weight[t]
    return reduced(loss if input.ndim > 1 or target.ndim > 0 else loss[0], reduction)


@through_float32
def multi_margin_slopes(input, target, p, margin, weight):
    """Derivative of each sample's `multi_margin_loss` by its input, of the input's shape."""
    x, t = _check_multi_margin(input, target, weight)
    z = _multi_margin_terms(x, t, margin)
    slope = (z > 0).astype(x.dtype) if p == 1 else 2 * z
    slope /= np.asarray(x.shape[1], x.dtype)
    if weight is not None:
        slope *= weight[t][:, None]
    slope[np.arange(len(t)), t] = -slope.sum(axis=1)
    return slope.reshape(input.shape)


def _multi_margin_terms(x, t, margin):
    z = np.maximum(margin - np.take_along_axis(x, t[:, None], 1) + x, np.zeros((), x.dtype))
    z[np.arange(len(t)), t] = 0
    return z


def _check_multi_margin(input, target, weight):
    if (
        not (input.ndim == 2 and input.shape[1] != 0)
        and not (input.ndim == 1 and input.shape[0] != 0)
        and input.ndim != 0
    ):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {sizes_text(input.shape)}"
        )
    x = input.reshape(-1, input.shape[-1] if input.ndim else 1)
    if target.ndim > 1 or target.size != x.shape[0]:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{x.shape[0]}], but got {sizes_text(target.shape)}. Input has shape "
            f"{sizes_text(input.shape)}."
        )
    if weight is not None and weight.size != x.shape[1]:
        raise RuntimeError(f"inconsistent weight size, expected {x.shape[1]} but got {sizes_text(weight.shape)}")
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.of(target.dtype).legacy}")
    t = target.reshape(-1)
    if t.size and (t.min() < 0 or t.max() >= x.shape[1]):
        raise RuntimeError("target out of range")
    return x, t


@through_float32
def multilabel_margin_loss(input, target, reduction="mean"):
    """Sum over target classes j and others i of max(0, 1 - x[j] + x[i]) / C; a row's targets end at its first -1."""
    x, listed, is_target = _check_multilabel(input, target)
    terms = _multilabel_terms(x, listed, is_target, target)
    loss = np.maximum(terms, 0).sum(axis=(1, 2)) / np.asarray(x.shape[1], x.dtype)
    return reduced(loss.astype(x.dtype, copy=False) if input.ndim > 1 else loss[0].astype(x.dtype), reduction)


@through_float32
def multilabel_margin_slopes(input, target):
    """Derivative of each sample's `multilabel_margin_loss` by its input, of the input's shape."""
    x, listed, is_target = _check_multilabel(input, target)
    active = (_multilabel_terms(x, listed, is_target, target) > 0).astype(x.dtype)
    slope = active.sum(axis=1)
    rows = np.broadcast_to(np.arange(x.shape[0])[:, None], listed.shape)
    places = np.where(listed, target.reshape(x.shape), 0)
    np.subtract.at(slope, (rows, places), active.sum(axis=2))
    return (slope / np.asarray(x.shape[1], x.dtype)).reshape(input.shape)


def _multilabel_terms(x, listed, is_target, target):
    """1 - x[j] + x[i] for every listed target j and class i that is none, else 0: (N, targets, C)."""
    places = np.where(listed, target.reshape(x.shape), 0)
    picked = np.take_along_axis(x, places, 1)
    terms = 1 - picked[:, :, None] + x[:, None, :]
    return np.where(listed[:, :, None] & ~is_target[:, None, :], terms, np.zeros((), x.dtype))


def _check_multilabel(input, target):
    if (
        not (input.ndim == 2 and input.shape[1] != 0)
        and not (input.ndim == 1 and input.shape[0] != 0)
        and input.ndim != 0
    ):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {sizes_text(input.shape)}"
        )
    if target.shape != input.shape and not (input.ndim <= 1 and target.size == input.size):
        raise RuntimeError(
            f"inconsistent target size: {sizes_text(target.shape)} for input of size: {sizes_text(input.shape)}"
        )
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.of(target.dtype).legacy}")
    x = input.reshape(-1, input.shape[-1] if input.ndim else 1)
    rows = target.reshape(x.shape)
    if rows.size and rows.min() < -1:
        raise RuntimeError("target out of range")
    if rows.size and rows.max() >= x.shape[1]:
        raise RuntimeError("target out of range")
    listed = np.logical_and.accumulate(rows >= 0, axis=1)
    is_target = np.zeros(x.shape, np.bool_)
    lines = np.broadcast_to(np.arange(x.shape[0])[:, None], rows.shape)
    is_target[lines[listed], rows[listed]] = True
    return x, listed, is_target


# Distances ------------------------------------------------------------------------------------------------------------

PAIR_BLOCK = 1 << 20


@through_float32
def cdist(x1, x2, p=2.0):
    """p-norm distance of every row of `x1` (..., P, M) to every row of `x2` (..., R, M): (..., P, R).

    Goes over blocks of rows of `x1` that keep the differences under `PAIR_BLOCK` elements; the Euclidean distance of
    many rows comes from one matrix product, as in PyTorch.
    """
    lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    rows, others, width = x1.shape[-2], x2.shape[-2], x1.shape[-1]
    out = np.zeros((*lead, rows, others), np.result_type(x1, x2))
    if out.size == 0 or width == 0:
        return out
    if p == 2 and (rows > 25 or others > 25):
        return _euclidean(x1, x2)
    step = max(1, PAIR_BLOCK // max(1, math.prod(lead) * others * width))
    for low in range(0, rows, step):
        difference = x1[..., low : low + step, None, :] - x2[..., None, :, :]
        out[..., low : low + step, :] = norm_along_last(difference, p)
    return out


def norm_along_last(difference, p):
    """The p-norm over the last dimension; for p = 0 the number of entries that are not zero."""
    if p == 2:
        return np.sqrt(np.vecdot(difference, difference))
    size = np.abs(difference)
    if p == 0:
        return (size != 0).sum(axis=-1).astype(difference.dtype)
    if p == 1:
        return size.sum(axis=-1)
    if p == math.inf:
        return size.max(axis=-1)
    return (size**p).sum(axis=-1) ** (1.0 / p)


def _euclidean(x1, x2):
    """sqrt(|a|^2 + |b|^2 - 2 a.b), the squares held at 0 or above."""
    squares1, squares2 = np.vecdot(x1, x1)[..., :, None], np.vecdot(x2, x2)[..., None, :]
    result = np.matmul(x1, x2.swapaxes(-1, -2))
    result *= -2
    result = result + squares1
    result += squares2
    return np.sqrt(np.maximum(result, 0, out=result), out=result)
