"""Connectionist temporal classification."""

from ..array import ctc as kernels
from ..tensor import Tensor
from . import undifferentiable
from .creation import is_batch, tensor
from .functional import functional, reduction_name
from .table import differentiable


def _ctc_kernel(log_probs, targets, input_lengths, target_lengths, blank=0, zero_infinity=False):
    return kernels.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)


def _ctc_back_kernel(grad, log_probs, targets, input_lengths, target_lengths, log_alpha, blank, zero_infinity):
    return kernels.ctc_loss_backward(
        *(grad, log_probs, targets, input_lengths, target_lengths, log_alpha, blank, zero_infinity)
    )


def _pull_ctc(F, g, log_probs, targets, input_lengths, target_lengths, blank, zero_infinity, y):
    g = g[0] if isinstance(g, tuple) else g
    return F._ctc_loss_backward(*(g, log_probs, targets, input_lengths, target_lengths, y[1], blank, zero_infinity))


differentiable(
    "_ctc_loss_backward",
    _ctc_back_kernel,
    vjp=dict.fromkeys(("grad", "log_probs"), undifferentiable.derivative("_ctc_loss_backward")),
)
differentiable(
    "_ctc_loss",
    _ctc_kernel,
    vjp=dict(log_probs=_pull_ctc),
    jvp=undifferentiable.tangent("_ctc_loss"),
    returns="list",
    nondiff=(1,),
    saves=(1,),
    node_name="CtcLossBackward0",
)


@functional("ctc_loss")
def ctc_loss(F, log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Connectionist temporal classification loss of `log_probs` (T, N, C) or (T, C).

    `targets` (N, S) or all of them one after the other (sum of lengths,); the mean divides each sample's loss by its
    target length first. Infinite losses are zero with `zero_infinity`.
    """
    reduction = reduction_name(reduction)
    times, lengths = _as_lengths(input_lengths), _as_lengths(target_lengths)
    batched = log_probs.ndim == 3
    if not batched:
        log_probs = F.unsqueeze(log_probs, 1)
    loss = F._ctc_loss(log_probs, targets, times, lengths, blank, zero_infinity)[0]
    if zero_infinity:
        loss = F.where(F.eq(loss, float("inf")), F.zeros_like(loss), loss)
    if reduction == "mean":
        return F.mean(F.div(loss, _divisors(F, lengths, loss)))
    if reduction == "sum":
        return F.sum(loss)
    return loss if batched else F.squeeze(loss, 0)


def _divisors(F, lengths, loss):
    """Target lengths as numbers to divide losses by."""
    if isinstance(lengths, Tensor):
        return F.clamp(lengths, min=1)
    return tensor([max(int(each), 1) for each in lengths], dtype=loss.dtype)


def _as_lengths(lengths):
    """Lengths as a tuple of ints, from a tensor or a sequence; those of a batch of ``vmap`` stay a tensor."""
    if hasattr(lengths, "dtype"):
        if lengths.dtype.is_floating_point:
            raise RuntimeError("input_lengths must be integral")
        if is_batch(lengths):
            return lengths
        lengths = lengths.tolist()
    return tuple(int(each) for each in (lengths if hasattr(lengths, "__len__") else (lengths,)))
