"""Sorting, searching and sets; the cotangent of sorted values goes back where they came from."""

from ..array import sort as kernels
from . import undifferentiable
from .dispatch import store_out
from .reduce import take_vjp
from .refusals import keep_same, same
from .table import PLACES, TENSOR, composite, differentiable

_private = dict(method=False, function=False)


def _sorted_vjp(F, g, y, dim, x_shape):
    return take_vjp(F, g, y, x_shape, dim, True)


_values = dict(vjp=_sorted_vjp, returns=("values", "indices"), nondiff=(1,), saves=(1,), out="same")
differentiable(
    *("sort", kernels.sort),
    **dict(_values, node_name=lambda values: "SortBackward0" if values[3] is None else "SortBackward1"),
)
differentiable("topk", kernels.topk, **_values)
differentiable("argsort", kernels.argsort)


@composite("msort")
def msort(F, input, *, out=None):
    keep_same(input, out)
    made = F.sort(input, 0)[0]
    return made if out is None else store_out("sort", made, out)


def _searched(sorted_sequence, values, out_int32, right, side, sorter):
    return kernels.searchsorted(sorted_sequence, values, out_int32=out_int32, right=right, side=side, sorter=sorter)


def _bucketed(values, boundaries, out_int32, right):
    return kernels.bucketize(values, boundaries, out_int32=out_int32, right=right)


def _contained(elements, test_elements, assume_unique, invert):
    return kernels.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)


_place_out = same(
    "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether "
    "out_int32 flag is True, but we got output tensor's dtype {out} and out_int32 flag is {int32}"
)
differentiable("_searchsorted", _searched, check_out=_place_out, **_private)
differentiable("_bucketize", _bucketed, check_out=_place_out, **_private)
differentiable("_isin", _contained, out="same", **_private)


def _passed(function, args, out):
    return function(*args) if out is None else function(*args, out=out)


@composite("searchsorted", method=False)
def searchsorted(F, sorted_sequence, input, *, out_int32=False, right=False, side=None, out=None, sorter=None):
    return _passed(F._searchsorted, (sorted_sequence, input, out_int32, right, side, sorter), out)


@composite("bucketize", method=False)
def bucketize(F, input, boundaries, *, out_int32=False, right=False, out=None):
    return _passed(F._bucketize, (input, boundaries, out_int32, right), out)


@composite("isin", method=False)
def isin(F, elements, test_elements, *, assume_unique=False, invert=False, out=None):
    return _passed(F._isin, (elements, test_elements, assume_unique, invert), out)


def _unique_name(dim):
    return "_unique2" if dim is None else "unique_dim"


differentiable(
    *("_unique", kernels.unique),
    vjp=lambda F, g, dim: undifferentiable.partial(_unique_name(dim))(F, g),
    jvp=lambda F, t, dim: undifferentiable.tangent(_unique_name(dim))(F, t),
    node_name=lambda values: "Unique2Backward0" if values[4] is None else "UniqueDimBackward0",
    **dict(returns="list", nondiff=(1, 2)),
    **_private,
)
differentiable(
    *("_unique_consecutive", kernels.unique_consecutive),
    vjp=undifferentiable.partial("unique_consecutive"),
    jvp=undifferentiable.tangent("unique_consecutive"),
    **dict(returns="list", nondiff=(1, 2), node_name="UniqueConsecutiveBackward0"),
    **_private,
)


def _asked(found, return_inverse, return_counts):
    values, inverse, counts = found
    if not return_inverse and not return_counts:
        return values
    return (values, *((inverse,) if return_inverse else ()), *((counts,) if return_counts else ()))


@composite("unique")
def unique(F, input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    return _asked(F._unique(input, sorted, return_inverse, return_counts, dim), return_inverse, return_counts)


@composite("unique_consecutive")
def unique_consecutive(F, input, return_inverse=False, return_counts=False, dim=None):
    found = F._unique_consecutive(input, return_inverse, return_counts, dim)
    return _asked(found, return_inverse, return_counts)


# the operators below ``unique``, which some programs call themselves; what was not asked for is empty


def _unique2(input, sorted=True, return_inverse=False, return_counts=False):
    values, inverse, counts = TENSOR._unique(input, sorted, return_inverse, return_counts)
    return values, inverse if return_inverse else inverse.new_empty(0), counts if return_counts else counts.new_empty(0)


def _unique(input, sorted=True, return_inverse=False):
    return _unique2(input, sorted, return_inverse)[:2]


def unique_dim(input, dim, sorted=True, return_inverse=False, return_counts=False):
    return TENSOR._unique(input, sorted, return_inverse, return_counts, dim)


PLACES[""].update(_unique=_unique, _unique2=_unique2)
