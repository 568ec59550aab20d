"""Cross-entropy of a linear layer's scores over some rows at a time, with its gradients.

How. A chunk of rows' scores, their log-softmax and the slopes of the loss by them are made, turned into the chunk's part of
the loss and of the gradients, and forgotten.

Memory. Three times a chunk's scores, and the gradients: not the rows x classes scores.
"""

import numpy as np

from .loss import nll_loss, nll_loss_backward
from .softmax import _log_softmax_backward_data, log_softmax
from .widening import through_float32

__all__ = ["linear_cross_entropy"]


@through_float32
def linear_cross_entropy(input, linear_weight, target, linear_bias, weight, reduction, ignore_index, size, slopes):
    """(loss, its gradients by `input`, `linear_weight` and `linear_bias`), the gradients empty unless `slopes`.

    `input` (N, I), `linear_weight` (C, I), `target` (N,) classes, `linear_bias` (C,) or None; `weight` (C,) or None weighs the
    classes. `size` rows are taken at a time; `reduction` is ``"mean"`` or ``"sum"``.
    """
    rows, dtype = input.shape[0], input.dtype
    loss, total = np.zeros((), dtype), np.zeros((), dtype)
    gradients = [
        np.zeros(each.shape if slopes and each is not None else 0, dtype)
        for each in (input, linear_weight, linear_bias)
    ]
    of_input, of_weight, of_bias = gradients
    one = np.ones((), dtype)
    for low in range(0, max(rows, 1), size):
        part, classes = input[low : low + size], target[low : low + size]
        scores = np.matmul(part, linear_weight.T)
        if linear_bias is not None:
            scores += linear_bias
        logs = log_softmax(scores, 1)
        lost, counted = nll_loss(logs, classes, weight, "sum", ignore_index)
        loss, total = loss + lost, total + counted
        if not slopes:
            continue
        pulled = nll_loss_backward(one, classes, weight, "sum", ignore_index, counted, logs.shape)
        pulled = _log_softmax_backward_data(pulled, logs, 1)
        np.matmul(pulled, linear_weight, out=of_input[low : low + size])
        of_weight += np.matmul(pulled.T, part)
        if linear_bias is not None:
            of_bias += np.add.reduce(pulled, 0)
    if reduction == "mean":
        loss = loss / total
        for each in gradients:
            each /= total
    return np.asarray(loss, dtype), *gradients
