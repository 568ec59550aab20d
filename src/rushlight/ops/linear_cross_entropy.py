"""Cross-entropy of a linear layer's scores, all at once or over some rows at a time."""

import math
import warnings

from ..array import linear_cross_entropy as kernels
from ..autograd.modes import thread
from .functional import functional
from .table import differentiable


@functional("linear_cross_entropy")
def linear_cross_entropy(
    F,
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """`cross_entropy(linear(input, linear_weight, linear_bias), target)`; `input` (N, I) or (I,), `linear_weight` (C, *, I)."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if linear_weight.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}")
    lead, width = tuple(input.shape)[:-1], input.shape[-1]
    sizes = tuple(linear_weight.shape)
    if width != sizes[-1]:
        raise RuntimeError(
            f"expected equal input and linear_weight last dimensions (in_features), got {width} and {sizes[-1]}, respectively"
        )
    classes = sizes[:-1]
    if linear_bias is not None and tuple(linear_bias.shape) != classes:
        raise RuntimeError(f"expected linear_bias shape {classes}, got {tuple(linear_bias.shape)}")
    if len(classes) > 1 and not lead:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {sizes} requires batched input, (N, {width}), got unbatched "
            f"input with shape {tuple(input.shape)}"
        )
    logits_shape = (*lead, *classes)
    if tuple(target.shape) == logits_shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if options is not None:
        chunked = len(classes) == 1 and label_smoothing == 0.0 and target.dtype.name == "int64"
        if chunked and reduction in ("mean", "sum", "none"):
            return _chunked(F, input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options)
        warnings.warn(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
            "label_smoothing == 0, target.dtype == int64, out_features == (). Got "
            f"reduction={reduction!r}, label_smoothing={label_smoothing}, target.dtype={target.dtype}.",
            stacklevel=3,
        )
    count = math.prod(classes)
    flat = F.reshape(linear_weight, (count, width))
    bias = None if linear_bias is None else F.reshape(linear_bias, (count,))
    logits = F.reshape(F.linear(input, flat, bias), logits_shape)
    ignore_index = -100 if ignore_index is None else ignore_index
    return F._nn_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


def _rows_at_once(options, rows, features, classes):
    """How many rows of logits `options` lets exist together, from `batch_chunk_size` or as `chunking_method` says.

    The rule "aspect_ratio:N": the power of two from which on a chunk's logits would outgrow the whole input, divided by N.
    """
    given, method = options.batch_chunk_size, options.chunking_method
    if method == "auto":
        method = None if given is not None else "aspect_ratio:2"
    if method is None:
        return max(1, rows if given is None else min(given, rows))
    fitting = -(-rows // -(-classes // features))
    size = min((1 << (fitting - 1).bit_length()) // int(method.partition(":")[2] or 1), rows)
    if given is not None and given != size:
        raise ValueError(
            f"batch_chunk_size (={given}) and chunking_method ('{method}') give different chunk sizes ({given} vs {size}); pass "
            "only one."
        )
    return max(1, size)


def _pull(F, g, y, linear_bias_shape):
    """The gradients were made with the loss; PyTorch too takes them for constants from there on."""
    bias = linear_bias_shape != ()
    if g is None:
        return (None,) * (5 if bias else 4)
    _, of_input, of_weight, of_bias = y
    pulled = g * of_input, g * of_weight, None
    return (*pulled, g * of_bias, None) if bias else (*pulled, None)


differentiable(
    *("_linear_cross_entropy", kernels.linear_cross_entropy),
    **dict(vjp_all=_pull, returns="list", nondiff=(1, 2, 3), saves=(1, 2, 3), method=False, function=False),
)


def _chunked(F, input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options):
    """`linear_cross_entropy` over some rows at a time: the scores of all rows never exist together.

    Where a gradient is wanted it is made along with the loss; for a loss of each row the chunks' log-softmaxes are kept instead.
    """
    if options.acc_dtype is not None and options.acc_dtype is not input.dtype:
        raise NotImplementedError("linear_cross_entropy: options.acc_dtype other than the input's is not supported")
    batched = input.ndim == 2
    if not batched:
        input, target = F.unsqueeze(input, 0), F.unsqueeze(target, 0)
    rows = input.shape[0]
    size = _rows_at_once(options, rows, input.shape[-1], linear_weight.shape[0])
    ignore_index = -100 if ignore_index is None else ignore_index
    if reduction != "none":
        given = (input, linear_weight) if linear_bias is None else (input, linear_weight, linear_bias)
        slopes = thread.grad and any(each.requires_grad for each in given)
        return F._linear_cross_entropy(
            input, linear_weight, target, linear_bias, weight, reduction, ignore_index, size, slopes
        )[0]
    losses = []
    for low in range(0, max(rows, 1), size):
        count = min(size, rows - low)
        logs = F.log_softmax(F.linear(F.narrow(input, 0, low, count), linear_weight, linear_bias), 1)
        losses.append(F._nll_loss(logs, F.narrow(target, 0, low, count), weight, "none", ignore_index)[0])
    result = F.cat(losses)
    return result if batched else F.squeeze(result, 0)
