"""Reductions of runs of neighbouring slices; a cotangent goes back to the slices of its run."""

import math

from ..array import segments as kernels
from ..array.arguments import wrap_dim
from ..tensor import wrap
from .reduce import as_number, raw
from .table import PLACES, differentiable


def _lost(F, a):
    """Where a product cannot be divided by its factor."""
    return F.logical_or(F.eq(a, 0), F.isnan(a))


def _vjp(F, g, data, y, reduce, lengths, offsets, axis, initial, data_shape):
    axis = wrap_dim(axis, len(data_shape))
    lengths, offsets = (None if each is None else raw(each) for each in (lengths, offsets))
    rows, segments, counts = kernels.runs(data_shape, lengths, offsets)
    given = (lambda array: array) if raw(g) is g else wrap
    rows, segments = given(rows), given(segments)
    width = math.prod(data_shape[axis + 1 :])
    slices, runs = (math.prod(data_shape[: axis + 1]), width), (counts.size, width)

    def pick(a):
        return F.index_select(F.reshape(a, runs), 0, segments)

    def total(a):
        return F.index_add(F.new_zeros(g, runs), 0, segments, a)

    own = F.index_select(F.reshape(data, slices), 0, rows)
    if reduce == "sum":
        share = pick(g)
    elif reduce == "mean":
        share = pick(g) / as_number(F, given(counts.clip(1)[raw(segments), None]), g)
    elif reduce == "prod":
        # the only zero (or NaN) of its run gets the product of the others
        zero = _lost(F, own)
        alone = F.logical_and(zero, F.eq(pick(total(as_number(F, zero, g))), 1))
        without = F.segment_reduce(
            F.masked_fill(data, _lost(F, data), 1.0),
            "prod",
            **dict(lengths=lengths if lengths is None else given(lengths)),
            **dict(offsets=offsets if offsets is None else given(offsets)),
            **dict(axis=axis, unsafe=True, initial=initial),
        )
        share = pick(g) * F.where(alone, pick(without), pick(y) / F.masked_fill(own, zero, 1.0))
    else:
        hit = as_number(F, F.logical_or(F.eq(own, pick(y)), F.isnan(own)), g)
        share = hit * pick(g) / F.clamp(pick(total(hit)), min=1)
    return F.reshape(F.index_add(F.new_zeros(g, slices), 0, rows, share), tuple(data_shape))


differentiable("segment_reduce", kernels.segment_reduce, vjp=dict(data=_vjp), method=False)
PLACES[""]["_segment_reduce"] = PLACES[""]["segment_reduce"]
