"""Reductions: sums, products, extremes and truth over all dimensions or some.

Floating sums are kept accurate by adding short blocks and then the blocks' sums, at any length and along any dimension
(NumPy does so only along the innermost one); half precision is summed in float32 and rounded once. A large float32 sum
goes through BLAS dot products against a vector of ones, in pieces too short for BLAS to split over threads, so the
result does not depend on their number. Extra memory is a fraction of the input's, except for a cast when ``dtype`` asks.
"""

import math

import numpy as np

from .. import dtypes
from .arguments import is_floating, is_half, legacy_name, wrap_dim, wrap_dims

__all__ = [
    "add_reduce",
    "all",
    "amax",
    "amin",
    "aminmax",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "hash_tensor",
    "logsumexp",
    "max",
    "mean",
    "min",
    "nansum",
    "norm",
    "prod",
    "sum",
    "trace",
]

_INT64 = np.dtype(np.int64)
_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_BOOL = np.dtype(np.bool_)
_FLOAT_NUM = _FLOAT32.num  # NumPy numbers bool and the integers below it
_BLOCKWISE = (_FLOAT32.num, _FLOAT64.num)
_add = np.add.reduce
_PLAIN_BELOW = 8192  # elements; shorter sums go straight to NumPy
_BLOCK = 1024
_ONES = {_FLOAT32: np.ones(8192, np.float32), _FLOAT64: np.ones(8192, np.float64)}


# ------------------------------------------------------------------------------------------------------------- sums


def axes_of(dim, ndim):
    """The dimensions a reduction runs over as NumPy wants them: None for all, else a tuple without doubles."""
    if dim is None:
        return None
    if dim.__class__ is int:
        if -ndim <= dim < ndim:
            return (dim,)
        wrap_dim(dim, ndim)
        return None
    if isinstance(dim, (tuple, list)) and not dim:
        return None
    axes = wrap_dims(dim, ndim)
    return axes if ndim else None


def reduced_size(input, axes):
    """How many elements go into one result."""
    if axes is None:
        return input.size
    shape = input.shape
    n = 1
    for axis in axes:
        n *= shape[axis]
    return n


def _reduced_shape(shape, axes, keepdim):
    if axes is None:
        return (1,) * len(shape) if keepdim else ()
    axes = {axis % len(shape) for axis in axes}
    if keepdim:
        return tuple([1 if i in axes else n for i, n in enumerate(shape)])
    return tuple([n for i, n in enumerate(shape) if i not in axes])


def _plain(ufunc, input, axes, keepdim, dtype=None):
    """``ufunc.reduce`` that gives an array also where NumPy would give a scalar."""
    if axes is None and not keepdim:
        return ufunc.reduce(input, None, dtype, np.empty((), dtype or input.dtype))
    return _in_order(np.asarray(ufunc.reduce(input, axes, dtype, None, keepdim)))


def _in_order(out):
    """Results of permuted input are contiguous in PyTorch; NumPy keeps the input's order."""
    return out if out.ndim < 2 or out.flags.c_contiguous else np.ascontiguousarray(out)


def add_reduce(input, axes, keepdim=False):
    """The sum over ``axes`` (a tuple, or None for all) in the array's own dtype (integers wrap around)."""
    dtype = input.dtype
    if input.size < _PLAIN_BELOW or dtype.num not in _BLOCKWISE:
        if dtype.itemsize == 2 and is_half(dtype):
            return add_reduce(input.astype(np.float32), axes, keepdim).astype(dtype)
        if axes is None and not keepdim:
            return _add(input, None, dtype, np.empty((), dtype))
        if dtype is _FLOAT32 and axes is not None and input.size > 1024 and reduced_size(input, axes) >= 128:
            # NumPy adds rows up one after the other, and float32 loses a digit over hundreds of them
            if input.ndim - 1 not in axes and -1 not in axes:
                return np.asarray(_add(input, axes, _FLOAT64, None, keepdim), _FLOAT32)
        out = _add(input, axes, dtype, None, keepdim)
        return _in_order(out) if out.__class__ is np.ndarray else np.asarray(out)
    shape = input.shape
    if not input.flags.c_contiguous:
        if input.flags.f_contiguous:
            last = len(shape) - 1
            turned = None if axes is None else tuple([last - axis % (last + 1) for axis in axes])
            return _in_order(add_reduce(input.T, turned, keepdim).T)
        if axes is not None or input.ndim == 1:
            return _plain(np.add, input, axes, keepdim)
        input = np.ascontiguousarray(input)
    if axes is None:
        out = sum_run(input.reshape(1, -1, 1))
    else:
        out = _sum_groups(input, sorted({axis % len(shape) for axis in axes}))
    return out.reshape(_reduced_shape(shape, axes, keepdim))


def _sum_groups(x, axes):
    """Sums a contiguous array over sorted ``axes``, one run of neighbouring axes after the other, the last first."""
    shape = list(x.shape)
    while axes:
        end = start = axes.pop()
        while axes and axes[-1] == start - 1:
            start = axes.pop()
        before, after = shape[:start], shape[end + 1 :]
        run = math.prod(shape[start : end + 1])
        x = sum_run(x.reshape(math.prod(before), run, math.prod(after)))
        shape = before + [1] * (end + 1 - start) + after
    return x


def sum_run(x):
    """(a, n, b) to (a, b): sums of the middle dimension of a contiguous array, block by block."""
    a, n, b = x.shape
    if b == 1:
        x = x.reshape(a, n)
        if n < 48:
            return np.einsum("ij->i", x) if n else np.zeros(a, x.dtype)
        if n <= _BLOCK:
            return np.vecdot(x, _ONES[x.dtype][:n])
        blocks = n // _BLOCK
        whole = blocks * _BLOCK
        sums = np.vecdot(x[:, :whole].reshape(a, blocks, _BLOCK), _ONES[x.dtype][:_BLOCK])
        out = sum_run(sums.reshape(a, blocks, 1))
        if whole < n:
            out = out + np.add.reduce(x[:, whole:], 1)
        return out
    block = 256 if b <= 32 else 128
    if n < 2 * block:
        return np.add.reduce(x, 1)
    blocks = n // block
    whole = blocks * block
    parts = x[:, :whole].reshape(a, blocks, block, b)
    if b <= 32:
        sums = np.matmul(_ONES[x.dtype][:block].reshape(1, block), parts)
    else:
        sums = np.add.reduce(parts, 2)
    out = sum_run(sums.reshape(a, blocks, b))
    if whole < n:
        out = out + np.add.reduce(x[:, whole:], 1)
    return out


def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over ``dim`` (None: all). Integers and bools give int64 unless ``dtype`` says otherwise."""
    if dtype is None:
        if input.dtype.num < _FLOAT_NUM and input.dtype != _INT64:
            return _plain(np.add, input, axes_of(dim, input.ndim), keepdim, _INT64)
    elif dtype.numpy != input.dtype:
        if dtype is dtypes.bool:
            return any(input, dim, keepdim)
        # sums of half precision arguments are made in the wider type
        if not (is_half(dtype.numpy) and input.dtype == np.float32):
            input = input.astype(dtype.numpy)
        return add_reduce(input, axes_of(dim, input.ndim), keepdim).astype(dtype.numpy, copy=False)
    elif dtype is dtypes.bool:
        return any(input, dim, keepdim)
    return add_reduce(input, axes_of(dim, input.ndim), keepdim)


def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """``sum`` that takes NaN for zero."""
    if input.dtype.kind == "c":
        raise RuntimeError("nansum on CPU does not support complex inputs")
    if is_floating(input.dtype):
        input = np.where(np.isnan(input), np.zeros((), input.dtype), input)
    return sum(input, dim, keepdim, dtype=dtype)


def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over ``dim`` (None: all) of floating or complex input."""
    if dtype is not None:
        if not (dtype.is_floating_point or dtype.is_complex):
            raise RuntimeError(
                "mean(): could not infer output dtype. Optional dtype must be either a floating point or complex "
                f"dtype. Got: {dtype.legacy}"
            )
        input = input.astype(dtype.numpy, copy=False)
    elif input.dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {legacy_name(input)}"
        )
    axes = axes_of(dim, input.ndim)
    n = reduced_size(input, axes)
    if is_half(input.dtype):
        return divide_by(add_reduce(input.astype(np.float32), axes, keepdim), n).astype(input.dtype)
    return divide_by(add_reduce(input, axes, keepdim), n)


def divide_by(total, n):
    """``total / n`` in place, NaN for 0 / 0 without NumPy's warning. ``total`` may not be shared."""
    if n > 0:
        return np.true_divide(total, n, out=total)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.true_divide(total, n, out=total)


def trace(input):
    """The sum of a matrix's diagonal; integers give int64."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return sum(input.diagonal())


def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product over ``dim`` (None: all). Integers and bools give int64 unless ``dtype`` says otherwise."""
    own = input.dtype
    target = dtype.numpy if dtype is not None else _INT64 if own.kind in "biu" else own
    axes = axes_of(dim if dim is None else wrap_dim(dim, input.ndim), input.ndim)
    if dtype is dtypes.bool:
        return all(input, dim, keepdim)
    if is_half(target):
        return _plain(np.multiply, input.astype(np.float32), axes, keepdim).astype(target)
    return _plain(np.multiply, input if own == target else input.astype(target), axes, keepdim, target)


# -------------------------------------------------------------------------------------------------------- extremes


def _check_filled(input, axes, name, error=RuntimeError, hint=True, call="()"):
    if input.size:
        return
    if axes is None and input.ndim:
        more = " Specify the reduction dim with the 'dim' argument." if hint else ""
        raise error(f"{name}{call}: Expected reduction dim to be specified for input.numel() == 0.{more}")
    for axis in axes or ():
        if input.shape[axis] == 0:
            raise IndexError(f"{name}{call}: Expected reduction dim {axis % input.ndim} to have non-zero size.")


def _refuse_complex(input, kernel):
    if input.dtype.kind == "c":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy_name(input)}'")


def _extreme(ufunc, input, axes, keepdim):
    if is_half(input.dtype):
        return _plain(ufunc, input.astype(np.float32), axes, keepdim).astype(input.dtype)
    return _plain(ufunc, input, axes, keepdim)


def amax(input, dim=(), keepdim=False):
    """The largest value over ``dim`` (empty: all); NaN wins."""
    axes = axes_of(dim, input.ndim)
    _check_filled(input, axes, "amax")
    _refuse_complex(input, "max_values_cpu")
    return _extreme(np.maximum, input, axes, keepdim)


def amin(input, dim=(), keepdim=False):
    """The smallest value over ``dim`` (empty: all); NaN wins."""
    axes = axes_of(dim, input.ndim)
    _check_filled(input, axes, "amin")
    _refuse_complex(input, "min_values_cpu")
    return _extreme(np.minimum, input, axes, keepdim)


def aminmax(input, *, dim=None, keepdim=False):
    """(smallest, largest) over ``dim``, or over all."""
    if not input.size:
        if dim is None:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
            )
        if input.shape[wrap_dim(dim, input.ndim)] == 0:
            raise IndexError(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    _refuse_complex(input, "aminmax_cpu" if dim is not None else "aminmax_all")
    axes = axes_of(dim if dim is None else wrap_dim(dim, input.ndim), input.ndim)
    return _extreme(np.minimum, input, axes, keepdim), _extreme(np.maximum, input, axes, keepdim)


def _arg_extreme(function, input, dim, keepdim):
    """The first place of the extreme (of the first NaN, if there is one), counted in the flat array without ``dim``."""
    if is_half(input.dtype):
        input = input.astype(np.float32)
    if dim is None or not input.ndim:
        found = np.asarray(function(input, None), _INT64)
        return found.reshape((1,) * input.ndim) if keepdim else found
    if dim != input.ndim - 1 and input.size > 4096:
        # NumPy is slow along any but the last dimension
        turned = np.ascontiguousarray(np.moveaxis(input, dim, -1))
        found = np.asarray(function(turned, -1), _INT64)
        return np.expand_dims(found, dim) if keepdim else found
    return np.asarray(function(input, dim, keepdims=keepdim), _INT64)


def argmax(input, dim=None, keepdim=False):
    """The index of the largest value, the first if there are several."""
    return _arg(np.argmax, "argmax", input, dim, keepdim)


def argmin(input, dim=None, keepdim=False):
    """The index of the smallest value, the first if there are several."""
    return _arg(np.argmin, "argmin", input, dim, keepdim)


def _arg(function, name, input, dim, keepdim):
    if dim is not None:
        dim = wrap_dim(dim, input.ndim)
    _check_filled(input, None if dim is None else (dim,), name, IndexError, hint=False)
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name}(): does not support complex input")
    if input.dtype == _BOOL:
        raise RuntimeError(f"{name}(): does not support bool input")
    return _arg_extreme(function, input, dim, keepdim)


def _max_or_min(ufunc, function, name, input, dim, keepdim):
    if dim is None:
        _check_filled(input, None, name)
        _refuse_complex(input, f"{name}_all")
        return _extreme(ufunc, input, None, False)
    dim = wrap_dim(dim, input.ndim)
    axes = (dim,) if input.ndim else None
    _check_filled(input, axes, name)
    if input.dtype.kind == "c":
        raise RuntimeError(f"{name}(): does not support complex input")
    places = _arg_extreme(function, input, dim, keepdim)
    if dim == input.ndim - 1 and input.flags.c_contiguous and input.size:
        # one take from each row is faster than reducing it again
        n = input.shape[-1]
        rows = input.size // n
        values = input.reshape(-1)[places.reshape(-1) + np.arange(0, rows * n, n)].reshape(places.shape)
        return values, places
    return _extreme(ufunc, input, axes, keepdim), places


def max(input, dim=None, keepdim=False):
    """The largest value of all, or (values, indices) along ``dim``; NaN wins, the first of equals is named."""
    return _max_or_min(np.maximum, np.argmax, "max", input, dim, keepdim)


def min(input, dim=None, keepdim=False):
    """The smallest value of all, or (values, indices) along ``dim``; NaN wins, the first of equals is named."""
    return _max_or_min(np.minimum, np.argmin, "min", input, dim, keepdim)


# ----------------------------------------------------------------------------------------------------------- truth


def _truth(ufunc, input, dim, keepdim):
    # unlike other reductions these take an empty list of dimensions at its word
    axes = () if isinstance(dim, (tuple, list)) and not dim else axes_of(dim, input.ndim)
    if input.dtype != _BOOL:
        out = _plain(ufunc, input != 0, axes, keepdim)
        return out.astype(np.uint8) if input.dtype == np.uint8 else out
    return _plain(ufunc, input, axes, keepdim)


def any(input, dim=None, keepdim=False):
    """Whether anything over ``dim`` (None: all) is non-zero; bool, but uint8 for uint8 input."""
    return _truth(np.logical_or, input, dim, keepdim)


def all(input, dim=None, keepdim=False):
    """Whether everything over ``dim`` (None: all) is non-zero; bool, but uint8 for uint8 input."""
    return _truth(np.logical_and, input, dim, keepdim)


def count_nonzero(input, dim=None):
    """How many elements are not zero (NaN counts), as int64."""
    axes = axes_of(dim, input.ndim)
    if axes is None:
        return np.asarray(np.count_nonzero(input), _INT64)
    return _plain(np.add, input != 0, axes, False, _INT64)


# ----------------------------------------------------------------------------------------------------- logarithm, norm


def logsumexp(input, dim, keepdim=False):
    """``log(sum(exp(input)))`` over ``dim``, shifted by the maximum so that nothing overflows."""
    if input.dtype.kind in "biu":
        input = input.astype(dtypes.get_default_dtype().numpy)
    own = input.dtype
    if is_half(own):
        input = input.astype(np.float32)
    axes = axes_of(dim, input.ndim)
    real = input.real if own.kind == "c" else input
    if reduced_size(input, axes) == 0:
        return np.full(_reduced_shape(input.shape, axes, keepdim), -np.inf, own)
    top = _plain(np.maximum, real, axes, True)
    top = np.where(np.isfinite(top), top, np.zeros((), top.dtype)) if not np.isfinite(top).all() else top
    shifted = np.asarray(np.subtract(input, top))
    np.exp(shifted, out=shifted)
    out = add_reduce(shifted, axes, True)
    with np.errstate(divide="ignore"):
        np.log(out, out=out)
    out += top
    return out.reshape(_reduced_shape(input.shape, axes, keepdim)).astype(own, copy=False)


def _squares(flat):
    """Sums of the squares of blocks of a vector, one for each block and one for the rest."""
    whole = flat.size // _BLOCK * _BLOCK
    rows = flat[:whole].reshape(-1, _BLOCK)
    return np.append(np.vecdot(rows, rows), np.vecdot(flat[whole:], flat[whole:]))


def norm(input, p=2, dim=None, keepdim=False, *, dtype=None):
    """The vector p-norm of the elements over ``dim`` (None: all), for any real ``p`` and for plus or minus infinity."""
    if dtype is not None:
        input = input.astype(dtype.numpy, copy=False)
    if input.dtype.kind in "biu":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {legacy_name(input)}"
        )
    own = input.dtype
    axes = axes_of(dim, input.ndim)
    if (p < 0 or p == math.inf) and not input.size and reduced_size(input, axes) == 0:
        shown = "inf" if p == math.inf else f"{p:g}"
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {shown} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    if own.kind == "c":
        real = np.dtype(f"f{own.itemsize // 2}")
    else:
        real = own
        if is_half(own):
            input = input.astype(np.float32)
    if p == 2 and input.dtype in _ONES and input.flags.c_contiguous and input.size >= _BLOCK and axes is None:
        out = add_reduce(_squares(input.reshape(-1)), None)
        out = np.sqrt(out, out=out)
        return (out.reshape((1,) * input.ndim) if keepdim else out).astype(real, copy=False)
    size = np.asarray(np.abs(input))
    if p == math.inf:
        out = _plain(np.maximum, size, axes, keepdim)
    elif p == -math.inf:
        out = _plain(np.minimum, size, axes, keepdim)
    elif p == 1:
        out = add_reduce(size, axes, keepdim)
    elif p == 0:
        out = _plain(np.add, size != 0, axes, keepdim, size.dtype)
    elif p == 2:
        out = add_reduce(np.multiply(size, size, out=size), axes, keepdim)
        np.sqrt(out, out=out)
    else:
        with np.errstate(divide="ignore"):
            out = add_reduce(np.power(size, size.dtype.type(p), out=size), axes, keepdim)
            out = np.power(out, out.dtype.type(1.0 / p))
    return np.asarray(out, real)


def hash_tensor(input, dim=(), *, keepdim=False, mode=0):
    """The bits of the elements over ``dim`` (empty: all), each widened to 64 of them, combined by exclusive or, as uint64.

    ``mode`` 0 is the one way there is.
    """
    axes = axes_of(dim, input.ndim)
    _check_filled(input, axes, "hash_tensor", call="")
    _refuse_complex(input, "xor_sum_cpu")
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    if input.dtype.kind in "biu":
        bits = input.astype(np.int64 if input.dtype != np.uint64 else np.uint64).view(np.uint64)
    else:
        bits = input.astype(np.float64).view(np.uint64)
    return _plain(np.bitwise_xor, bits, axes, keepdim)
