"""Masked reductions: ``function(input, dim=None, *, keepdim=False, dtype=None, mask=None)``.

`mask` (bool, broadcast to `input`; it may not have more dimensions) is true where an element counts; `dim` is one
dimension, a tuple of them, or None for all. Where everything along `dim` is masked out the result is the identity of the
operation (0 for sum, 1 for prod, -inf for amax), or nan where there is none (mean, var, std, median).
"""

from .. import dtypes
from ..ops.creation import ones
from ..ops.table import TENSOR as F
from .masks import canonical_dims, canonical_mask, replace_masked

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]


def _is_inexact(dtype):
    return dtype.is_floating_point or dtype.is_complex


def _accumulated(dtype):
    """The dtype sums and products of `dtype` come in: integers and bool in int64."""
    return dtype if _is_inexact(dtype) else dtypes.int64


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the elements that count; of integers in int64."""
    dtype = dtype or _accumulated(input.dtype)
    dims = canonical_dims(dim, input.ndim)
    return F.sum(replace_masked("sum", input, mask), dims, bool(keepdim), dtype=dtype)


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the elements that count; of integers in int64."""
    result = replace_masked("prod", input, mask)
    result = result.to(dtype=dtype or _accumulated(input.dtype))
    for each in reversed(canonical_dims(dim, input.ndim)):
        result = F.prod(result, each, bool(keepdim))
    return result


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The greatest of the elements that count, its gradient shared evenly among equals."""
    filled = replace_masked("amax", input, mask)
    return F.amax(filled, canonical_dims(dim, input.ndim), bool(keepdim)).to(dtype=dtype or input.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The least of the elements that count, its gradient shared evenly among equals."""
    filled = replace_masked("amin", input, mask)
    return F.amin(filled, canonical_dims(dim, input.ndim), bool(keepdim)).to(dtype=dtype or input.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the greatest of the elements that count is; in `dtype`, by default that of the input, as PyTorch has it."""
    return F.argmax(replace_masked("argmax", input, mask), dim, bool(keepdim)).to(dtype=dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the least of the elements that count is; in `dtype`, by default that of the input, as PyTorch has it."""
    return F.argmin(replace_masked("argmin", input, mask), dim, bool(keepdim)).to(dtype=dtype or input.dtype)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The logarithm of the sum of the exponentials of the elements that count."""
    dims = canonical_dims(dim, input.ndim)
    filled = replace_masked("logsumexp", input, mask)
    return F.logsumexp(filled, dims, keepdim=keepdim).to(dtype=dtype or input.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """``log(exp(input) + exp(other))``, a masked element of either side adding nothing."""
    filled = replace_masked("logaddexp", input, input_mask)
    return F.logaddexp(filled, replace_masked("logaddexp", other, other_mask)).to(dtype=dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of order `ord` of the elements that count."""
    filled = replace_masked("norm", input, mask, ord)
    dims = canonical_dims(dim, input.ndim)
    return F.linalg_vector_norm(filled, ord, dims, bool(keepdim), dtype=dtype or input.dtype)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The median (the lower of two) of the elements that count along one dimension.

    Raises `ValueError` for an input of integers with nothing left along `dim`: there is no integer nan.
    """
    dim = canonical_dims(dim, input.ndim)[0]
    floating = input.dtype.is_floating_point
    filled = replace_masked("median", input if floating else input.to(dtype=dtypes.float32), mask)
    result = F.nanmedian(filled, dim, keepdim).values
    if floating:
        return result
    if F.isnan(result).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return result.to(dtype=dtype or input.dtype)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the elements that count. Raises `ValueError` for a dtype that is not floating point or complex."""
    source = "Input" if dtype is None else "Optional"
    dtype = dtype or input.dtype
    if not _is_inexact(dtype):
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype. "
            f"Got: {dtype}"
        )
    total, count = _total_and_count(input, dim, keepdim, dtype, mask)
    return total / count


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the elements that count.

    The sum of squares is divided by their number less `correction` (1; `unbiased=False` is a correction of 0), and by
    nothing below zero. Integers come in float32.
    """
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1.0 if unbiased is None or unbiased else 0.0
    dtype = dtype or (input.dtype if _is_inexact(input.dtype) else dtypes.float32)
    compute = dtype if _is_inexact(dtype) else dtypes.float32
    total, count = _total_and_count(input, dim, True, dtype, mask)
    deviation = input - total / count
    squares = sum(deviation * F.conj(deviation), dim, keepdim=keepdim, dtype=compute, mask=mask)
    if not keepdim:
        count = F.reshape(count, squares.shape)
    if correction:
        count = F.clamp(count.to(compute.to_real()) - float(correction), min=0)
    return (squares / count).to(dtype=dtype)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The square root of `var`."""
    return F.sqrt(var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask))


def _total_and_count(input, dim, keepdim, dtype, mask):
    """The sum of the elements that count, and how many they are (int64)."""
    if mask is None:
        mask = ones(input.shape, dtype=dtypes.int64)
        return sum(input, dim, keepdim=keepdim, dtype=dtype), sum(mask, dim, keepdim=keepdim)
    mask = canonical_mask(input, mask)
    return sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask), F.sum(mask, dim, bool(keepdim))
