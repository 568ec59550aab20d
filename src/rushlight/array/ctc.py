"""Connectionist temporal classification: the loss and its gradient, by the forward and backward recursions.

Source: A. Graves et al., "Connectionist Temporal Classification", ICML 2006, equations 6 to 16, in logarithms. The
recursions go over time steps; samples and label positions are handled together.

Logarithms of small probabilities are large, and their rounding error is the relative error of what is made of them; so all
is computed in float64.

Memory. The forward variables, time x samples x (2 labels + 1), are kept for backward, which makes the backward
variables anew.
"""

import numpy as np

from .windows import sizes_text

__all__ = ["ctc_loss", "ctc_loss_backward"]


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, zero_infinity=False):
    """(negative log-likelihood (N,), forward variables (N, T, 2 S + 1) in float64).

    `log_probs` (T, N, C); `targets` (N, S) or all of them one after the other; lengths are sequences of N ints.
    """
    steps, samples, classes = log_probs.shape
    labels, lengths, times = _extended(log_probs, targets, input_lengths, target_lengths, blank)
    width = labels.shape[1]
    emitted = _emitted(log_probs.transpose(1, 0, 2), labels)
    alpha = np.full((samples, steps, width), -np.inf)
    if steps:
        alpha[:, 0, 0] = emitted[:, 0, 0]
        if width > 1:
            alpha[:, 0, 1] = np.where(lengths > 0, emitted[:, 0, 1], -np.inf)
    skip = _may_skip(labels, blank)
    for t in range(1, steps):
        alpha[:, t] = _step(alpha[:, t - 1], skip) + emitted[:, t]
    return -_likelihood(alpha, lengths, times).astype(log_probs.dtype), alpha


def _emitted(scores, labels):
    """The log-probabilities (N, T, 2 S + 1) of the labels, from `scores` (N, T, C)."""
    return np.take_along_axis(
        scores, np.broadcast_to(labels[:, None, :], (*scores.shape[:2], labels.shape[1])), 2
    ).astype(np.float64)


def _likelihood(alpha, lengths, times):
    """The log-likelihood (N,) that the forward variables end at: in the last label or the blank after it."""
    samples, steps, _ = alpha.shape
    if not steps:
        return np.where(lengths == 0, 0.0, -np.inf)
    rows, last, end = np.arange(samples), np.maximum(times - 1, 0), 2 * lengths
    before = np.where(lengths > 0, alpha[rows, last, np.maximum(end - 1, 0)], -np.inf)
    return np.where(times > 0, np.logaddexp(alpha[rows, last, end], before), np.where(lengths == 0, 0.0, -np.inf))


def ctc_loss_backward(grad, log_probs, targets, input_lengths, target_lengths, log_alpha, blank, zero_infinity=False):
    """Cotangent of `log_probs` as PyTorch defines it: that of the activations before a log-softmax that made `log_probs`."""
    steps, samples, classes = log_probs.shape
    labels, lengths, times = _extended(log_probs, targets, input_lengths, target_lengths, blank)
    width = labels.shape[1]
    scores = log_probs.transpose(1, 0, 2)
    emitted = _emitted(scores, labels)
    skip = _may_skip(labels, blank)
    rows, position = np.arange(samples), np.arange(width)
    inside = position <= (2 * lengths)[:, None]
    ends = inside & (position >= (2 * lengths - 1)[:, None])
    # Going back over the labels is going forward over their reversal; position s may be reached from s, s+1, s+2.
    skip_back = np.zeros_like(skip)
    skip_back[:, :-2] = skip[:, 2:]
    gathered = np.full((samples, steps, width), -np.inf)
    beta = np.full((samples, width), -np.inf)
    for t in range(steps - 1, -1, -1):
        following = _step(beta[:, ::-1], skip_back[:, ::-1])[:, ::-1] + emitted[:, t]
        start = np.where(ends, emitted[:, t], -np.inf)
        beta = np.where((times - 1 == t)[:, None], start, np.where((times - 1 > t)[:, None], following, -np.inf))
        beta = np.where(inside, beta, -np.inf)
        gathered[:, t] = log_alpha[:, t] + beta
    # Positions with the same label: the logarithm of their probabilities' sum.
    together = np.full((samples, steps, classes), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for s in range(width - 1, -1, -1):
            place = labels[:, s]
            held, new = together[rows, :, place], gathered[:, :, s]
            peak = np.maximum(held, new)
            peak = np.where(np.isneginf(peak), np.zeros((), peak.dtype), peak)
            both = np.log(np.exp(held - peak) + np.exp(new - peak)) + peak
            together[rows, :, place] = np.where(np.isneginf(held), new, both)
        nll = -_likelihood(log_alpha, lengths, times).reshape(-1, 1, 1)
        grad_scores = np.exp(scores) - np.exp(together + nll - scores)
        grad_scores = grad_scores * grad.reshape(-1, 1, 1)
    outside = np.arange(steps)[None, :, None] >= times[:, None, None]
    grad_scores = np.where(outside, 0, grad_scores)
    if zero_infinity:
        grad_scores = np.where(np.isposinf(nll), 0, grad_scores)
    return np.ascontiguousarray(grad_scores.transpose(1, 0, 2)).astype(log_probs.dtype, copy=False)


def _step(previous, skip):
    """log of the sum over the positions from which each may be reached: itself, the one before, and over a blank."""
    minus = np.full((previous.shape[0], 1), -np.inf, previous.dtype)
    one = np.concatenate([minus, previous[:, :-1]], axis=1)
    two = np.concatenate([minus, one[:, :-1]], axis=1)
    two = np.where(skip, two, -np.inf)
    peak = np.maximum(np.maximum(previous, one), two)
    safe = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(previous - safe) + np.exp(one - safe) + np.exp(two - safe)) + safe


def _may_skip(labels, blank):
    """Positions that may be reached over the blank before them: labels unlike the label before."""
    skip = np.zeros(labels.shape, np.bool_)
    skip[:, 2:] = (labels[:, 2:] != labels[:, :-2]) & (labels[:, 2:] != blank)
    skip[:, ::2] = False
    return skip


def _extended(log_probs, targets, input_lengths, target_lengths, blank):
    """Labels with blanks between (N, 2 S + 1), target lengths, input lengths; after PyTorch's checks."""
    steps, samples, classes = log_probs.shape
    times = np.asarray(input_lengths, np.int64).reshape(-1)
    lengths = np.asarray(target_lengths, np.int64).reshape(-1)
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if times.size != samples:
        raise RuntimeError("input_lengths must be of size batch_size")
    if lengths.size != samples:
        raise RuntimeError("target_lengths must be of size batch_size")
    if lengths.size and lengths.min() < 0:
        at = int(np.argmin(lengths))
        raise RuntimeError(
            f"Expected target_lengths to have value at least 0, but got value {int(lengths[at])} (while checking arguments for "
            "ctc_loss_cpu)"
        )
    if times.size and times.max() > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {int(times[times > steps][0])} (while "
            "checking arguments for ctc_loss_cpu)"
        )
    longest = int(lengths.max()) if samples else 0
    if targets.ndim == 1:
        if targets.size != lengths.sum():
            raise RuntimeError(
                f"Expected tensor to have size {int(lengths.sum())} at dimension 0, but got size {targets.size} for argument #2 "
                "'targets' (while checking arguments for ctc_loss_cpu)"
            )
        rows = np.full((samples, longest), blank, np.int64)
        rows[np.arange(longest) < lengths[:, None]] = targets
    else:
        if targets.shape[0] != samples or targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but got size "
                f"{sizes_text(targets.shape)} for argument #2 'targets' (while checking arguments for ctc_loss_cpu)"
            )
        rows = np.where(np.arange(longest) < lengths[:, None], targets[:, :longest], blank)
    labels = np.full((samples, 2 * longest + 1), blank, np.int64)
    labels[:, 1::2] = rows
    return labels, lengths, times
