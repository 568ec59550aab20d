"""Rows of a table at indices, bags of them, and one-hot rows."""

import warnings

from ..array import embedding as kernels
from . import undifferentiable
from .functional import functional
from .recompute import spread
from .table import composite, differentiable


def _embedding_kernel(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    if sparse:
        raise NotImplementedError("embedding: sparse=True is not supported, because rushlight has no sparse tensors")
    return kernels.embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)


def _pull_embedding(F, g, indices, weight_shape, padding_idx, scale_grad_by_freq):
    return F._embedding_backward(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)


differentiable("embedding", _embedding_kernel, vjp=dict(weight=_pull_embedding), linear=True, method=False)


def _pull_embedding_back(F, g, indices, padding_idx):
    # not scaled by the indices' counts, in PyTorch neither
    rows = F.embedding(g, indices, padding_idx, False, False)
    if padding_idx >= 0:
        rows = F.masked_fill(rows, F.unsqueeze(F.eq(indices, padding_idx), -1), 0)
    return rows


differentiable(
    "_embedding_backward",
    kernels.embedding_backward,
    vjp=dict(grad_output=_pull_embedding_back),
    linear=True,
    node_name="EmbeddingDenseBackwardBackward0",
)


@functional("embedding")
def functional_embedding(
    F, input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
):
    """Rows of `weight` (V, D) at the indices `input`: (*input.shape, D).

    `max_norm` scales rows longer than it down in place first (by the `norm_type` norm); `padding_idx` gets no gradient;
    `scale_grad_by_freq` divides a row's gradient by how often it was looked up.
    """
    if padding_idx is not None:
        rows = weight.shape[0]
        if padding_idx >= rows or padding_idx < -rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx = padding_idx + rows if padding_idx < 0 else padding_idx
    else:
        padding_idx = -1
    if max_norm is not None:
        _renormalise(weight, input, max_norm, norm_type)
    return F.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _renormalise(weight, indices, max_norm, norm_type):
    """Scales the rows that will be looked up down to `max_norm`, in place and unrecorded."""
    weight = weight.detach()  # tangents are not scaled
    places, rows = kernels.renormalised_rows(weight._a, indices._a, max_norm, norm_type)
    if places.size:
        from ..tensor import wrap

        weight[wrap(places)] = wrap(rows)


@composite("embedding_renorm_", method=False)
def embedding_renorm_(F, input, indices, max_norm, norm_type):
    """Scales the rows of `input` at `indices` that are longer than `max_norm` down to it, in place; returns `input`."""
    _renormalise(input, indices, max_norm, norm_type)
    return input


def _bag_kernel(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    if sparse:
        raise NotImplementedError(
            "embedding_bag: sparse=True is not supported, because rushlight has no sparse tensors"
        )
    return kernels.embedding_bag(
        weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx
    )


def _pull_bag(
    F, g, needs, weight, indices, offsets_shape, scale_grad_by_freq, mode, per_sample_weights, padding_idx, y
):
    present = (True, True, True, per_sample_weights is not None)
    needs = spread(present, needs)
    g = g[0] if isinstance(g, tuple) else g
    given = (g, weight, indices, y[1], y[2], y[3], mode, per_sample_weights, padding_idx, scale_grad_by_freq)
    gw = F._embedding_bag_weight_backward(*given) if needs[0] else None
    gs = F._embedding_bag_samples_backward(*given) if needs[3] else None
    pulled = (gw, None, None, gs)
    return tuple(each for each, there in zip(pulled, present) if there)


for _name in ("weight", "samples"):
    differentiable(
        f"_embedding_bag_{_name}_backward",
        getattr(kernels, f"embedding_bag_{_name}_backward"),
        vjp=dict(grad=undifferentiable.partial("_embedding_bag_backward")),
        node_name="EmbeddingBagBackwardBackward0",
        method=False,
        function=False,
    )

differentiable(
    "embedding_bag",
    _bag_kernel,
    vjp_all=_pull_bag,
    jvp=dict.fromkeys(("weight", "per_sample_weights"), undifferentiable.tangent("_embedding_bag")),
    returns="list",
    nondiff=(1, 2, 3),
    saves=(1, 2, 3),
    method=False,
)


@functional("embedding_bag")
def functional_embedding_bag(
    F,
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sum, mean or maximum of the rows of `weight` (V, D) in each bag of indices: (bags, D).

    `input` is (bags, n), or (total,) with `offsets` where each bag begins.
    """
    if weight.dtype.name == "int64" and input.dtype.is_floating_point:
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=3,
        )
        weight, input = input, weight
    if per_sample_weights is not None and tuple(input.shape) != tuple(per_sample_weights.shape):
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same "
            f"shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bags, length = input.shape
        offsets = F.mul(F.arange(bags), length)
        include_last_offset = False
        input = F.reshape(input, (bags * length,))
        if per_sample_weights is not None:
            per_sample_weights = F.reshape(per_sample_weights, (bags * length,))
    elif input.ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.ndim != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        _renormalise(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    number = ("sum", "mean", "max").index(mode)
    return F.embedding_bag(
        *(
            weight,
            input,
            offsets,
            scale_grad_by_freq,
            number,
            sparse,
            per_sample_weights,
            include_last_offset,
            padding_idx,
        )
    )[0]


differentiable("_one_hot_rows", kernels.one_hot)


@functional("one_hot")
def one_hot(F, tensor, num_classes=-1):
    """int64 rows of zeros with a one at each index of `tensor`; `num_classes` -1 takes the largest index plus one."""
    return F._one_hot_rows(tensor, num_classes)
