"""Running reductions along a dimension. Sums and products of float32 run in float64, of half precision in float32."""

import numpy as np

from .. import dtypes
from .arguments import is_half, legacy_name, wrap_dim

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]

_INT64 = np.dtype(np.int64)
_WIDER = {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.complex128)}


def _accumulate(ufunc, input, dim, dtype):
    own = input.dtype
    target = dtype.numpy if dtype is not None else _INT64 if own.kind in "biu" else own
    dim = wrap_dim(dim, input.ndim)
    if target != own:
        input = input.astype(target)
    if not input.ndim:
        return input.copy()
    working = np.dtype(np.float32) if is_half(target) else _WIDER.get(target, target)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(ufunc.accumulate(input, dim, working), target)


def cumsum(input, dim, *, dtype=None):
    """Running sums; integers and bools give int64 unless ``dtype`` says otherwise."""
    return _accumulate(np.logical_or if dtype is dtypes.bool else np.add, input, dim, dtype)


def cumprod(input, dim, *, dtype=None):
    """Running products; integers and bools give int64 unless ``dtype`` says otherwise."""
    return _accumulate(np.logical_and if dtype is dtypes.bool else np.multiply, input, dim, dtype)


def _running_extreme(ufunc, input, dim, name):
    if not input.ndim and dim not in (0, -1):
        raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
    dim = wrap_dim(dim, input.ndim)
    if input.dtype.kind == "c":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{legacy_name(input)}'")
    if not input.ndim:
        return input.copy(), np.zeros((), _INT64)
    wide = input.astype(np.float32) if is_half(input.dtype) else input
    values = ufunc.accumulate(wide, dim)
    attained = wide == values
    if wide.dtype.kind == "f":
        attained |= np.isnan(wide)
    places = np.arange(input.shape[dim]).reshape([-1 if d == dim else 1 for d in range(input.ndim)])
    indices = np.maximum.accumulate(np.where(attained, places, 0), dim)
    return np.ascontiguousarray(values, input.dtype), np.ascontiguousarray(indices, _INT64)


def cummax(input, dim):
    """(values, indices) of the largest element so far, the last of equal ones; NaN wins from where it stands."""
    return _running_extreme(np.maximum, input, dim, "cummax")


def cummin(input, dim):
    """(values, indices) of the smallest element so far, the last of equal ones; NaN wins from where it stands."""
    return _running_extreme(np.minimum, input, dim, "cummin")


def logcumsumexp(input, dim):
    """``log(cumsum(exp(input)))`` without overflow; a complex one's imaginary part goes on where it would jump by 2 pi."""
    dim = wrap_dim(dim, input.ndim)
    own = input.dtype
    if own.kind in "biu":
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{legacy_name(input)}'")
    if not input.ndim or not input.size:
        return input.copy()
    with np.errstate(all="ignore"):
        if own.kind == "c":
            wide = input.astype(np.complex128)
            top = np.maximum.reduce(wide.real, dim, keepdims=True)
            top = np.where(np.isfinite(top), top, 0.0)
            principal = np.log(np.add.accumulate(np.exp(wide - top), dim)) + top
            return _unwound(wide.swapaxes(dim, -1), principal.swapaxes(dim, -1)).swapaxes(dim, -1).astype(own)
        return np.logaddexp.accumulate(input.astype(np.float64, order="C"), dim).astype(own)


def _unwound(terms, principal):
    """Running logarithms along the last dimension on the branches that adding the terms up one by one leads to.

    Each step adds the smaller of the new term and of what there is so far (by their real parts) to the larger as
    ``log1p(exp(smaller - larger)) + larger``, which turns the larger one's imaginary part by less than a quarter.
    """
    angle = principal.imag
    so_far = np.concatenate([np.full_like(angle[..., :1], -np.inf), principal.real[..., :-1]], -1)
    anew = terms.real >= so_far  # the new term is the larger: the branch is its own
    whole = np.empty_like(angle)
    whole[..., :1] = 0
    whole[..., 1:] = _turns(angle[..., :-1] - angle[..., 1:])
    own = _turns(terms.imag - angle)
    steps = np.add.accumulate(whole, -1)
    last = np.maximum.accumulate(np.where(anew, np.arange(angle.shape[-1]), 0), -1)
    turns = np.take_along_axis(own - steps, last, -1) + steps
    result = principal.copy()
    np.add(angle, 2 * np.pi * turns, out=result.imag, where=np.isfinite(turns))
    return result


def _turns(difference):
    """How many times 2 pi is nearest."""
    return np.rint(difference / (2 * np.pi))
