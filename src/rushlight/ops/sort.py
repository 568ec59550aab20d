"""Sorting, searching and sets; the cotangent of sorted values goes back where they came from."""

from ..array import sort as kernels
from .reduce import take_vjp
from .table import composite, differentiable

_private = dict(method=False, function=False)


def _sorted_vjp(F, g, y, dim, x_shape):
    return take_vjp(F, g, y, x_shape, dim, True)


_values = dict(vjp=_sorted_vjp, returns=("values", "indices"), nondiff=(1,), out=True)
differentiable(
    *("sort", kernels.sort),
    **dict(_values, node_name=lambda values: "SortBackward0" if values[3] is None else "SortBackward1"),
)
differentiable("topk", kernels.topk, **_values)
differentiable("argsort", kernels.argsort)


@composite("msort", out=True)
def msort(F, input):
    return F.sort(input, 0)[0]


def _searched(sorted_sequence, values, out_int32, right, side, sorter):
    return kernels.searchsorted(sorted_sequence, values, out_int32=out_int32, right=right, side=side, sorter=sorter)


def _bucketed(values, boundaries, out_int32, right):
    return kernels.bucketize(values, boundaries, out_int32=out_int32, right=right)


def _contained(elements, test_elements, assume_unique, invert):
    return kernels.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)


differentiable("_searchsorted", _searched, **_private)
differentiable("_bucketize", _bucketed, **_private)
differentiable("_isin", _contained, **_private)


@composite("searchsorted", method=False, out=True)
def searchsorted(F, sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    return F._searchsorted(sorted_sequence, input, out_int32, right, side, sorter)


@composite("bucketize", method=False, out=True)
def bucketize(F, input, boundaries, *, out_int32=False, right=False):
    return F._bucketize(input, boundaries, out_int32, right)


@composite("isin", method=False, out=True)
def isin(F, elements, test_elements, *, assume_unique=False, invert=False):
    return F._isin(elements, test_elements, assume_unique, invert)


differentiable("_unique", kernels.unique, returns="list", **_private)
differentiable("_unique_consecutive", kernels.unique_consecutive, returns="list", **_private)


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
