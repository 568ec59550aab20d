"""Reductions of runs of neighbouring slices; a cotangent goes back to the slices of its run."""

import math

from ..array import segments as kernels
from ..array.arguments import wrap_dim
from . import undifferentiable
from .reduce import as_number
from .table import PLACES, RAW, differentiable


def _lost(F, a):
    """Where a product cannot be divided by its factor."""
    return F.logical_or(F.eq(a, 0), F.isnan(a))


def _backward(grad, output, data, reduce, lengths, offsets, axis, initial):
    F, g, y = RAW, grad, output
    axis = wrap_dim(axis, data.ndim)
    rows, segments, counts = kernels.runs(data.shape, lengths, offsets)
    width = math.prod(data.shape[axis + 1 :])
    slices, runs = (math.prod(data.shape[: axis + 1]), width), (counts.size, width)

    def pick(a):
        return F.index_select(F.reshape(a, runs), 0, segments)

    def total(a):
        return F.index_add(F.new_zeros(g, runs), 0, segments, a)

    own = F.index_select(F.reshape(data, slices), 0, rows)
    if reduce == "sum":
        share = pick(g)
    elif reduce == "mean":
        share = pick(g) / as_number(F, counts.clip(1)[segments, None], g)
    elif reduce == "prod":
        # the only zero (or NaN) of its run gets the product of the others
        zero = _lost(F, own)
        alone = F.logical_and(zero, F.eq(pick(total(as_number(F, zero, g))), 1))
        without = F.segment_reduce(
            F.masked_fill(data, _lost(F, data), 1.0),
            "prod",
            **dict(lengths=lengths, offsets=offsets, axis=axis, unsafe=True, initial=initial),
        )
        share = pick(g) * F.where(alone, pick(without), pick(y) / F.masked_fill(own, zero, 1.0))
    else:
        hit = as_number(F, F.logical_or(F.eq(own, pick(y)), F.isnan(own)), g)
        share = hit * pick(g) / F.clamp(pick(total(hit)), min=1)
    return F.reshape(F.index_add(F.new_zeros(g, slices), 0, rows, share), data.shape)


def _vjp(F, g, data, y, reduce, lengths, offsets, axis, initial):
    return F._segment_reduce_backward(g, y, data, reduce, lengths, offsets, axis, initial)


differentiable(
    *("_segment_reduce_backward", _backward),
    **undifferentiable.entirely("_segment_reduce_backward", "grad", "output", "data"),
    shown="_segment_reduce_backward",
)
differentiable(
    *("segment_reduce", kernels.segment_reduce),
    **dict(vjp=dict(data=_vjp), jvp=dict(data=undifferentiable.tangent("segment_reduce")), method=False),
)
PLACES[""]["_segment_reduce"] = PLACES[""]["segment_reduce"]
