"""Losses. Each PyTorch operator is one node here too; what PyTorch composes is composed.

`reduction` is ``"none"``, ``"mean"`` or ``"sum"``; `size_average` and `reduce` are PyTorch's older spelling of it.
"""

import math
import warnings

from ..array import loss as kernels
from ..array.windows import sizes_text
from . import undifferentiable
from .functional import functional, legacy_reduction, reduction_name
from .table import RAW, differentiable


def _reduce(F, loss, reduction):
    if reduction == "none":
        return loss
    return F.sum(loss) if reduction == "sum" else F.mean(loss)


def _share(g, count, reduction):
    """What each element's slope is multiplied by: the cotangent, divided by the count for a mean."""
    return g / max(count, 1) if reduction == "mean" else g


def _count(shape):
    return math.prod(shape)


# Elementwise ----------------------------------------------------------------------------------------------------------


def _mse_slope(F, g, input, target, reduction):
    return (input - target) * (_share(g, _count(input.shape), reduction) * 2)


def _smooth_l1_slope(F, g, input, target, reduction, beta):
    difference = input - target
    slope = F.sign(difference) if beta == 0 else F.clamp(difference / beta, -1, 1)
    return slope * _share(g, _count(input.shape), reduction)


def _huber_slope(F, g, input, target, reduction, delta):
    return F.clamp(input - target, -delta, delta) * _share(g, _count(input.shape), reduction)


def _both(slope):
    """Rules for `input` and `target` of a loss of their difference: one is minus the other."""
    arguments = slope.__code__.co_varnames[2 : slope.__code__.co_argcount]
    space = {"slope": slope}
    minus = eval(f"lambda F, g, {', '.join(arguments)}: -slope(F, g, {', '.join(arguments)})", space)
    return dict(input=slope, target=minus)


differentiable("_mse_loss", kernels.mse_loss, vjp=_both(_mse_slope), node_name="MseLossBackward0")
differentiable(
    "_smooth_l1_loss", kernels.smooth_l1_loss, vjp=_both(_smooth_l1_slope), node_name="SmoothL1LossBackward0"
)
differentiable("_huber_loss", kernels.huber_loss, vjp=_both(_huber_slope), node_name="HuberLossBackward0")


def _bce_input(F, g, input, target, weight, reduction):
    slope = (input - target) / F.clamp((1 - input) * input, 1e-12)
    if weight is not None:
        slope = slope * weight
    return slope * _share(g, _count(input.shape), reduction)


def _bce_target(F, g, input, target_shape, weight, reduction):
    slope = F.clamp(F.log1p(-input), -100) - F.clamp(F.log(input), -100)
    if weight is not None:
        slope = slope * weight
    return slope * _share(g, _count(target_shape), reduction)


differentiable(
    "_binary_cross_entropy",
    kernels.binary_cross_entropy,
    vjp=dict(input=_bce_input, target=_bce_target),
    node_name="BinaryCrossEntropyBackward0",
)


def _logits_input(F, g, input, target, weight, pos_weight, reduction):
    chance = F.sigmoid(input)
    if pos_weight is None:
        slope = chance - target
    else:
        heavy = pos_weight * target
        slope = (heavy + 1 - target) * chance - heavy
    if weight is not None:
        slope = slope * weight
    return slope * _share(g, _count(slope.shape), reduction)


def _logits_target(F, g, input, weight, pos_weight, reduction):
    slope = -input if pos_weight is None else F.logsigmoid(-input) - pos_weight * F.logsigmoid(input)
    if weight is not None:
        slope = slope * weight
    return slope * _share(g, _count(slope.shape), reduction)


def _logits_weight(F, g, input, target, pos_weight, reduction):
    loss = F._binary_cross_entropy_with_logits(input, target, None, pos_weight, "none")
    return loss * _share(g, _count(loss.shape), reduction)


def _logits_pos_weight(F, g, input, target, weight, reduction):
    slope = -target * F.logsigmoid(input)
    if weight is not None:
        slope = slope * weight
    return slope * _share(g, _count(slope.shape), reduction)


differentiable(
    "_binary_cross_entropy_with_logits",
    kernels.binary_cross_entropy_with_logits,
    vjp=dict(input=_logits_input, target=_logits_target, weight=_logits_weight, pos_weight=_logits_pos_weight),
    node_name="BinaryCrossEntropyWithLogitsBackward0",
)


def _soft_margin_slope(F, g, input, target, reduction):
    return -target * F.sigmoid(-target * input) * _share(g, _count(input.shape), reduction)


differentiable(
    "_soft_margin_loss", kernels.soft_margin_loss, vjp=_soft_margin_slope, node_name="SoftMarginLossBackward0"
)


def _warn_sizes(input, target):
    if tuple(target.shape) != tuple(input.shape):
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely lead "
            "to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=4,
        )


def _broadcast(F, input, target):
    if tuple(input.shape) == tuple(target.shape):
        return input, target
    return F.broadcast_tensors(input, target)


def _weighted(F, input, loss, weight, reduction, by_weight):
    """A loss of each element times `weight`; the mean divides by the weights' sum, or by the count."""
    if tuple(weight.shape) != tuple(input.shape):
        raise ValueError("Weights and input must have the same size.")
    loss = F.mul(loss, weight)
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    if reduction == "mean" and by_weight:
        return F.div(F.sum(loss), F.sum(weight))
    return _reduce(F, loss, reduction)


@functional("mse_loss")
def mse_loss(F, input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Squared error; with `weight` (the input's shape) the mean divides by the weights' sum."""
    _warn_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    input_, target_ = _broadcast(F, input, target)
    if weight is not None:
        return _weighted(F, input, F.pow(F.sub(input_, target_), 2), weight, reduction, True)
    return F._mse_loss(input_, target_, reduction_name(reduction))


@functional("l1_loss")
def l1_loss(F, input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Absolute error; with `weight` (the input's shape) the mean divides by the weights' sum."""
    _warn_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    input_, target_ = _broadcast(F, input, target)
    error = F.abs(F.sub(input_, target_))
    if weight is not None:
        return _weighted(F, input, error, weight, reduction, True)
    return _reduce(F, error, reduction_name(reduction))


@functional("smooth_l1_loss")
def smooth_l1_loss(F, input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target."""
    _warn_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    input, target = _broadcast(F, input, target)
    if beta == 0.0:
        return _reduce(F, F.abs(F.sub(input, target)), reduction_name(reduction))
    return F._smooth_l1_loss(input, target, reduction_name(reduction), beta)


@functional("huber_loss")
def huber_loss(F, input, target, reduction="mean", delta=1.0, weight=None):
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = input - target."""
    _warn_sizes(input, target)
    input_, target_ = _broadcast(F, input, target)
    if weight is None:
        return F._huber_loss(input_, target_, reduction_name(reduction), delta)
    return _weighted(F, input, F._huber_loss(input_, target_, "none", delta), weight, reduction, False)


@functional("binary_cross_entropy")
def binary_cross_entropy(F, input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(t log x + (1 - t) log(1 - x)), the logarithms held at -100 or above; x and t between 0 and 1."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if tuple(target.shape) != tuple(input.shape):
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. Please "
            "ensure they have the same size."
        )
    if weight is not None:
        undifferentiable.refuse("binary_cross_entropy", weight=weight)
    return F._binary_cross_entropy(input, target, weight, reduction)


@functional("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    F, input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """`binary_cross_entropy` of sigmoid(input), without overflow; `pos_weight` multiplies the positive part."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if tuple(target.shape) != tuple(input.shape):
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    return F._binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


@functional("soft_margin_loss")
def soft_margin_loss(F, input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target input))."""
    undifferentiable.refuse("soft_margin_loss", target=target)
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if tuple(target.shape) != tuple(input.shape):
        input, target = F.broadcast_tensors(input, target)
    if target.dtype is not input.dtype and input.dtype.is_floating_point and not target.dtype.is_complex:
        target = F._to_dtype(target, input.dtype)
    return F._soft_margin_loss(input, target, reduction)


@functional("kl_div")
def kl_div(F, input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target (log target - input), or exp(target) (target - input) with `log_target`; 'batchmean' divides by the batch size."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by "
            "the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as "
            "'batchmean' in the next major release.",
            stacklevel=3,
        )
    kind = "sum" if reduction == "batchmean" else reduction_name(reduction)
    if log_target:
        loss = F.mul(F.exp(target), F.sub(target, input))
    else:
        loss = F.sub(F.xlogy(target, target), F.mul(target, input))
    loss = _reduce(F, loss, kind)
    return F.div(loss, input.shape[0]) if reduction == "batchmean" and input.ndim else loss


@functional("poisson_nll_loss")
def poisson_nll_loss(
    F, input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
):
    """exp(x) - t x, or x - t log(x + eps) without `log_input`; `full` adds Stirling's approximation of log t! where t > 1."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if log_input:
        loss = F.sub(F.exp(input), F.mul(target, input))
    else:
        loss = F.sub(input, F.mul(target, F.log(F.add(input, eps))))
    if full:
        stirling = F.add(F.sub(F.mul(target, F.log(target)), target), F.mul(F.log(F.mul(target, 2 * math.pi)), 0.5))
        loss = F.add(loss, F.masked_fill(stirling, F.le(target, 1), 0))
    return _reduce(F, loss, reduction)


@functional("gaussian_nll_loss")
def gaussian_nll_loss(F, input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log var + (input - target)^2 / var) / 2 with `var` held at `eps` or above; `full` adds log(2 pi) / 2."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = F.mul(F.ones_like(input), var)
    elif bool(F.any(F.lt(var, 0))):
        raise ValueError("var has negative entry/entries")
    size, own = tuple(input.shape), tuple(var.shape)
    if own != size:
        if size[:-1] == own:
            var = F.unsqueeze(var, -1)
        elif not (len(size) == len(own) and sum(b for a, b in zip(size, own) if a != b) == 1):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The clamp is no part of the derivative: PyTorch writes it into a copy, unrecorded.
    lift = F.sub(F.clamp(var.detach(), eps), var.detach())
    held = F.add(var, lift)
    loss = F.mul(F.add(F.log(held), F.div(F.pow(F.sub(input, target), 2), held)), 0.5)
    if full:
        loss = F.add(loss, 0.5 * math.log(2 * math.pi))
    return _reduce(F, loss, reduction)


@functional("hinge_embedding_loss")
def hinge_embedding_loss(F, input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """x where the target is 1, max(0, margin - x) where it is -1."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    zeros = F.zeros_like(input)
    apart = F.where(F.ne(target, 1), F.clamp_min(F.rsub(input, margin), 0), zeros)
    near = F.where(F.ne(target, -1), input, zeros)
    return _reduce(F, F.add(apart, near), reduction)


@functional("margin_ranking_loss")
def margin_ranking_loss(F, input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target (input1 - input2) + margin)."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    loss = F.clamp_min(F.add(F.mul(F.neg(target), F.sub(input1, input2)), margin), 0)
    return _reduce(F, loss, reduction)


@functional("multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(F, input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes of -(t log sigmoid(x) + (1 - t) log sigmoid(-x))."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    positive = F.mul(target, F.logsigmoid(input))
    negative = F.mul(F.rsub(target, 1), F.logsigmoid(F.neg(input)))
    loss = F.neg(F.add(positive, negative))
    if weight is not None:
        loss = F.mul(loss, weight)
    loss = F.div(F.sum(loss, input.ndim - 1), input.shape[-1])
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return _reduce(F, loss, reduction)


# Classes --------------------------------------------------------------------------------------------------------------


def _pull_nll(F, g, input, target, weight, reduction, ignore_index, y):
    pulled = F._nll_loss_backward(g, target, weight, reduction, ignore_index, y[1], tuple(input.shape))
    return F._tied(pulled, input)


def _pull_nll_back(F, g, target, weight, reduction, ignore_index):
    # The adjoint's adjoint is the loss itself; its mean divides by the same total weight.
    return F._nll_loss(g, target, weight, reduction, ignore_index)[0]


differentiable(
    "_nll_loss_backward",
    kernels.nll_loss_backward,
    vjp=dict(grad_output=_pull_nll_back),
    linear=True,
    node_name="NllLossBackwardBackward0",
)
for _name, _node in (("_nll_loss", "NllLossBackward0"), ("_nll_loss2d", "NllLoss2DBackward0")):
    differentiable(
        _name,
        kernels.nll_loss,
        vjp=_pull_nll,
        returns="list",
        nondiff=(1,),
        saves=(1,),
        node_name=_node,
    )


@functional("nll_loss")
def nll_loss(F, input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-weight[t] input[t] for log-probabilities `input` (N, C, *) or (C,) and class indices `target` (N, *) or ().

    The mean divides by the weights of the targets; targets equal to `ignore_index` count for nothing.
    """
    return _negative_likelihood(
        F, input, target, weight, reduction_name(legacy_reduction(size_average, reduce, reduction)), ignore_index
    )


def _refuse_weight(logs, weight):
    if weight is not None:
        undifferentiable.refuse("nll_loss_forward" if logs.ndim <= 2 else "nll_loss2d_forward", weight=weight)


def _negative_likelihood(F, logs, target, weight, reduction, ignore_index):
    _refuse_weight(logs, weight)
    if logs.ndim <= 2:
        return F._nll_loss(logs, target, weight, reduction, ignore_index)[0]
    loss = F._nll_loss2d(logs, target, weight, reduction, ignore_index)[0]
    # PyTorch computes all but images as if they were images, so there the losses of single elements are a view
    return F.view(loss, tuple(loss.shape)) if reduction == "none" and logs.ndim != 4 else loss


@functional("cross_entropy")
def cross_entropy(
    F,
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """Cross entropy of softmax(input) (N, C, *) or (C,) with class indices (N, *) or class probabilities (the input's shape).

    `label_smoothing` mixes the targets with the uniform distribution over the classes.
    """
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if tuple(input.shape) == tuple(target.shape) and (input.ndim != 0):
        if ignore_index >= 0 and target.dtype.is_floating_point:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _soft_cross_entropy(F, input, target, weight, reduction, label_smoothing)
    dim = 0 if input.ndim == 1 else 1
    logs = F.log_softmax(input, dim)
    if label_smoothing > 0.0:
        return _smooth_cross_entropy(F, logs, target, weight, reduction, ignore_index, label_smoothing, dim)
    if label_smoothing != 0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    return _negative_likelihood(F, logs, target, weight, reduction, ignore_index)


def _check_smoothing(label_smoothing):
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


differentiable(
    "_shared_by",
    lambda input, count: input / input.dtype.type(count),
    vjp=lambda F, g, count: F.div(g, count),
    linear=True,
    # PyTorch's name for a division by a number within an operator
    node_name="DivBackward1",
)


def _soft_cross_entropy(F, input, target, weight, reduction, label_smoothing):
    """Targets are probabilities of the classes."""
    if not target.dtype.is_floating_point:
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {_spoken(target)}")
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    if weight is not None and (weight.ndim != 1 or weight.numel() != classes):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {sizes_text(weight.shape)}"
        )
    _check_smoothing(label_smoothing)
    logs = F.log_softmax(input, dim)
    if label_smoothing > 0.0:
        target = F.add(F.mul(target, 1 - label_smoothing), label_smoothing / classes)
    if weight is not None:
        column = (classes,) if input.ndim == 1 else (1, classes, *(1,) * (input.ndim - 2))
        target = F.mul(target, F.reshape(weight, column))
    loss = F.mul(logs, target)
    if reduction == "none":
        return F.neg(F.sum(loss, dim))
    loss = F.neg(F.sum(loss))
    if reduction == "sum":
        return loss
    count = max(_count(input.shape) // max(classes, 1), 0)
    return F._shared_by(loss, count) if count else F.mul(loss, float("nan"))


def _spoken(value):
    return {"int64": "Long", "int32": "Int", "bool": "Bool"}.get(value.dtype.name, value.dtype.name)


def _smooth_cross_entropy(F, logs, target, weight, reduction, ignore_index, label_smoothing, dim):
    _check_smoothing(label_smoothing)
    _refuse_weight(logs, weight)
    classes = logs.shape[dim]
    loss = F._nll_loss if logs.ndim <= 2 else F._nll_loss2d
    hard = loss(logs, target, weight, reduction, ignore_index)[0]
    if weight is None:
        smooth = F.neg(F.sum(logs, dim))
    else:
        column = (classes,) if logs.ndim == 1 else (1, classes, *(1,) * (logs.ndim - 2))
        smooth = F.neg(F.sum(F.mul(logs, F.reshape(weight, column)), dim))
    ignored = F.eq(target, ignore_index)
    smooth = F.masked_fill(smooth, F.reshape(ignored, tuple(smooth.shape)), 0.0)
    if reduction == "sum":
        smooth = F.sum(smooth)
    elif reduction == "mean":
        if weight is None:
            kept = F.sum(F.logical_not(ignored))
        else:
            places = F.masked_fill(target, ignored, 0)
            chosen = F.reshape(F.index_select(weight, 0, F.reshape(places, (-1,))), tuple(target.shape))
            kept = F.sum(F.masked_fill(chosen, ignored, 0.0))
        smooth = F.div(F.sum(smooth), kept)
    return F.add(F.mul(hard, 1 - label_smoothing), F.mul(smooth, label_smoothing / classes))


def _per_sample(g, slopes, reduction):
    """Slopes of each sample's loss times its cotangent."""
    if slopes.ndim == 0:
        return slopes * g
    if reduction == "none" and slopes.ndim > 1:
        return slopes * RAW.unsqueeze(g, -1)
    return slopes * _share(g, slopes.shape[0] if slopes.ndim > 1 else 1, reduction)


def _multi_margin_backward(grad, input, target, p, margin, weight, reduction):
    return _per_sample(grad, kernels.multi_margin_slopes(input, target, p, margin, weight), reduction)


def _pull_multi_margin(F, g, input, target, p, margin, weight, reduction):
    return F._multi_margin_loss_backward(g, input, target, p, margin, weight, reduction)


differentiable(
    *("_multi_margin_loss_backward", _multi_margin_backward),
    **undifferentiable.entirely("multi_margin_loss_backward", "grad", "input"),
)
differentiable(
    *("_multi_margin_loss", kernels.multi_margin_loss),
    vjp=_pull_multi_margin,
    jvp=undifferentiable.tangent("multi_margin_loss"),
    node_name="MultiMarginLossBackward0",
)


@functional("multi_margin_loss")
def multi_margin_loss(F, input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Sum over classes i other than t of max(0, margin - x[t] + x[i])^p / C, p being 1 or 2."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    undifferentiable.refuse("multi_margin_loss", weight=weight)
    return F._multi_margin_loss(input, target, p, margin, weight, reduction)


def _multilabel_backward(grad, input, target, reduction):
    return _per_sample(grad, kernels.multilabel_margin_slopes(input, target), reduction)


differentiable(
    *("_multilabel_margin_loss_backward", _multilabel_backward),
    **undifferentiable.entirely("multilabel_margin_loss_backward", "grad", "input"),
)
differentiable(
    *("_multilabel_margin_loss", kernels.multilabel_margin_loss),
    vjp=lambda F, g, input, target, reduction: F._multilabel_margin_loss_backward(g, input, target, reduction),
    jvp=undifferentiable.tangent("multilabel_margin_loss_forward"),
    node_name="MultilabelMarginLossBackward0",
)


@functional("multilabel_margin_loss")
def multilabel_margin_loss(F, input, target, size_average=None, reduce=None, reduction="mean"):
    """Sum over target classes j and others i of max(0, 1 - x[j] + x[i]) / C; a row's targets end at its first -1."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    return F._multilabel_margin_loss(input, target, reduction)


# The rest of the family; after the helpers above, which they use.
from . import ctc, distance, linear_cross_entropy, loss_numbered  # noqa: E402, F401
