"""Distances between vectors, all pairs of them, and the losses made of distances."""

from .. import dtypes
from ..array import loss as kernels
from ..array.windows import sizes_text
from . import undifferentiable
from .functional import functional, legacy_reduction, reduction_name
from .loss import _reduce
from .table import PLACES, RAW, composite, differentiable


@composite("pairwise_distance", method=False)
def pairwise_distance(F, x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """p-norm of x1 - x2 + eps over the last dimension."""
    dim = max(x1.ndim, x2.ndim) - 1
    return F._older_norm(F.add(F.sub(x1, x2), eps), p, dim, keepdim)


@composite("cosine_similarity", method=False)
def cosine_similarity(F, x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`."""
    common = dtypes.promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {_scalar_type(common)}")
    x1, x2 = F.broadcast_tensors(x1, x2)
    return F.sum(F.mul(_to_unit(F, x1, dim, eps), _to_unit(F, x2, dim, eps)), dim)


def _to_unit(F, x, dim, eps):
    length = F.norm(x, 2, dim, True)
    # PyTorch holds the norm at eps without recording it, so its derivative is that of the norm all the same.
    held = F.add(length, F.sub(F.clamp_min(length.detach(), eps), length.detach()))
    return F.div(x, held)


def _scalar_type(dtype):
    return dtype.legacy


@functional("cosine_embedding_loss")
def cosine_embedding_loss(F, input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos(input1, input2) where the target is 1, max(0, cos - margin) where it is -1."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if not (target.ndim == 1 or target.ndim == 0):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim == 1 and not input1.ndim == input2.ndim == 2:
        raise RuntimeError(
            "1D target tensor expects 2D input tensors, but found inputs with sizes "
            f"{sizes_text(input1.shape)} and {sizes_text(input2.shape)}."
        )
    if target.ndim == 0 and not input1.ndim == input2.ndim == 1:
        raise RuntimeError(
            "0D target tensor expects 1D input tensors, but found inputs with sizes "
            f"{sizes_text(input1.shape)} and {sizes_text(input2.shape)}."
        )
    dim = target.ndim
    epsilon = 1e-12
    product = F.sum(F.mul(input1, input2), dim)
    square1, square2 = (
        F.add(F.sum(F.mul(input1, input1), dim), epsilon),
        F.add(F.sum(F.mul(input2, input2), dim), epsilon),
    )
    cosine = F.div(product, F.sqrt(F.mul(square1, square2)))
    zeros = F.zeros_like(cosine)
    near = F.where(F.eq(target, 1), F.rsub(cosine, 1), zeros)
    apart = F.where(F.eq(target, -1), F.clamp_min(F.sub(cosine, margin), 0), zeros)
    return _reduce(F, F.add(near, apart), reduction)


def _check_triplet(anchor, positive, negative):
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )


def _triplet(F, distance, anchor, positive, negative, margin, swap, reduction):
    _check_triplet(anchor, positive, negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = F.minimum(far, distance(positive, negative))
    return _reduce(F, F.clamp_min(F.sub(F.add(near, margin), far), 0), reduction)


@functional("triplet_margin_loss")
def triplet_margin_loss(
    F,
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2,
    eps=1e-6,
    swap=False,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """max(0, |a - p| - |a - n| + margin) by the p-norm; with `swap` the nearer of |a - n| and |p - n| counts."""
    reduction = reduction_name(legacy_reduction(size_average, reduce, reduction))
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")

    def distance(x, y):
        return F.pairwise_distance(x, y, p, eps)

    return _triplet(F, distance, anchor, positive, negative, margin, swap, reduction)


@functional("triplet_margin_with_distance_loss")
def triplet_margin_with_distance_loss(
    F, anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """`triplet_margin_loss` with any function of two tensors as distance."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = F.pairwise_distance if distance_function is None else distance_function
    return _triplet(F, distance, anchor, positive, negative, margin, swap, reduction)


def _pull_cdist(F, g, x1, x2, p, y):
    """Cotangent of x1 (by symmetry that of x2 too): sum over its pairs of the norm's slope, 0 where the distance is 0."""
    if p == 2:
        # Without an array of differences: sum_j w_j (a - b_j) = a sum_j w_j - sum_j w_j b_j, with w = g / distance.
        share = F.where(F.eq(y, 0), F.zeros_like(y), g / F.where(F.eq(y, 0), F.ones_like(y), y))
        return x1 * F.sum(share, -1, True) - F.matmul(share, x2)
    difference = F.unsqueeze(x1, -2) - F.unsqueeze(x2, -3)
    slope = _norm_slope(F, difference, F.unsqueeze(y, -1), p)
    return F.sum(slope * F.unsqueeze(g, -1), -2)


def _norm_slope(F, difference, length, p):
    """Derivative of the p-norm `length` of `difference` (last dimension), as PyTorch's cdist defines it where it has none."""
    if p == 0:
        return F.zeros_like(difference)
    if p == 1:
        return F.sign(difference)
    size = F.abs(difference)
    if p == float("inf"):
        return F.where(F.eq(size, length), F.sign(difference), F.zeros_like(difference))
    zero = F.eq(length, 0)
    held = F.where(zero, F.ones_like(length), length)
    if p < 2:
        flat = F.eq(size, 0)
        powered = F.pow(F.where(flat, F.ones_like(size), size), p - 1)
        powered = F.where(flat, F.zeros_like(size), powered)
    else:
        powered = F.pow(size, p - 1)
    slope = F.sign(difference) * powered / F.pow(held, p - 1)
    return F.where(zero, F.zeros_like(slope), slope)


differentiable(
    *("_euclidean_dist", lambda x1, x2: kernels.cdist(x1, x2, 2.0)),
    vjp=dict(
        x1=lambda F, g, x1, x2, y: _pull_cdist(F, g, x1, x2, 2, y),
        x2=lambda F, g, x1, x2, y: _pull_cdist(F, F.transpose(g, -1, -2), x2, x1, 2, F.transpose(y, -1, -2)),
    ),
    jvp=dict.fromkeys(("x1", "x2"), undifferentiable.tangent("_euclidean_dist")),
)


def _cdist_backward(grad, x1, x2, p, cdist):
    return _pull_cdist(RAW, grad, x1, x2, p, cdist)


def _cdist_other(F, g, x1, x2, p, y):
    return F._cdist_backward(F.transpose(g, -1, -2), x2, x1, p, F.transpose(y, -1, -2))


differentiable(
    *("_cdist_backward", _cdist_backward),
    vjp=dict.fromkeys(("grad", "x1", "x2", "cdist"), undifferentiable.partial("_cdist_backward")),
    jvp=dict.fromkeys(("grad", "x1", "x2", "cdist"), undifferentiable.tangent("_cdist_backward")),
    node_name="CdistBackwardBackward0",
)
differentiable(
    *("_cdist", kernels.cdist),
    vjp=dict(x1=lambda F, g, x1, x2, p, y: F._cdist_backward(g, x1, x2, p, y), x2=_cdist_other),
    jvp=dict.fromkeys(("x1", "x2"), undifferentiable.tangent("_cdist_forward")),
    node_name="CdistBackward0",
)


@composite("cdist", method=False)
def cdist(F, x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """p-norm distance of every row of `x1` (..., P, M) to every row of `x2` (..., R, M): (..., P, R)."""
    if x1.ndim < 2 or x2.ndim < 2:
        which, value = ("X1", x1) if x1.ndim < 2 else ("X2", x2)
        raise RuntimeError(f"cdist only supports at least 2D tensors, {which} got: {value.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for which, value in (("X1", x1), ("X2", x2)):
        if value.dtype.name not in ("float32", "float64"):
            raise RuntimeError(f"cdist only supports floating-point dtypes, {which} got: {value.dtype.legacy}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in (
        "use_mm_for_euclid_dist_if_necessary",
        "use_mm_for_euclid_dist",
        "donot_use_mm_for_euclid_dist",
    ):
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    large = x1.shape[-2] > 25 or x2.shape[-2] > 25
    if p == 2 and (compute_mode == "use_mm_for_euclid_dist" or (large and not compute_mode.startswith("donot"))):
        # what PyTorch computes by products of matrices can be differentiated twice, the rest cannot
        return F._euclidean_dist(x1, x2)
    return F._cdist(x1, x2, float(p))


@composite("pdist", method=False)
def pdist(F, input, p=2.0):
    """p-norm distances between the rows of `input` (N, M), those of i < j one after the other: (N (N - 1) / 2,)."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.dtype.is_floating_point:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return F._pdist(input, float(p))


def _pdist_kernel(input, p):
    first, second = _pairs(input.shape[0])
    if input.shape[1] == 0:
        return kernels.np.zeros(first.shape, input.dtype)
    return kernels.norm_along_last(input[first] - input[second], p)


def _pairs(count):
    return kernels.np.triu_indices(count, 1)


def _pdist_backward(grad, input, p, pdist):
    first, second = _pairs(input.shape[0])
    slope = _norm_slope(RAW, input[first] - input[second], RAW.unsqueeze(pdist, -1), p)
    pulled = slope * RAW.unsqueeze(grad, -1)
    return RAW.index_add(RAW.index_add(RAW.zeros_like(input), 0, first, pulled), 0, second, RAW.neg(pulled))


differentiable(
    *("_pdist_backward", _pdist_backward),
    vjp=dict.fromkeys(("grad", "input", "pdist"), undifferentiable.partial("_pdist_backward")),
    jvp=dict.fromkeys(("grad", "input", "pdist"), undifferentiable.tangent("_pdist_backward")),
    **dict(node_name="PdistBackwardBackward0", shown="_pdist_backward"),
)
differentiable(
    *("_pdist", _pdist_kernel),
    vjp=lambda F, g, input, p, y: F._pdist_backward(g, input, p, y),
    jvp=undifferentiable.tangent("_pdist_forward"),
    node_name="PdistBackward0",
)


for _name in ("pairwise_distance", "cosine_similarity", "pdist"):
    PLACES["nn.functional"][_name] = PLACES[""][_name]
