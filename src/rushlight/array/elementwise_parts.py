"""Rounding, signs, parts of complex numbers, limits and tests of values, with PyTorch's semantics.

Where NumPy differs: the sign of NaN is 0, rounding knows decimals and refuses bool, `clamp` lets either limit be a tensor,
an integer's angle is 0 or pi, and `isposinf` of an integer is an answer rather than an error.
"""

import math

import numpy as np

from .. import dtypes
from .arguments import broadcast_shapes_of_two
from .blocks import SMALL, apply, blockwise, is_half, keep, zeros
from .elementwise import legacy, refuse, require_tensor

# -------------------------------------------------------------------------------------------------------- rounding


def _rounding(ufunc, kernel):
    def operator(input):
        kind = input.dtype.kind
        if kind in "iu":
            return input.copy()
        if kind == "c" and ufunc is not np.rint:
            raise NotImplementedError(f"{ufunc.__name__} is not supported for complex inputs")
        if kind in "bc":
            refuse(kernel, input)
        return ufunc(input, out=...)

    operator.__name__ = ufunc.__name__
    return operator


floor = _rounding(np.floor, "floor_vml_cpu")
ceil = _rounding(np.ceil, "ceil_vml_cpu")
trunc = _rounding(np.trunc, "trunc_vml_cpu")
_rint = _rounding(np.rint, "round_vml_cpu")


def round(input, *, decimals=0):
    """To the nearest, half to even; to `decimals` places (negative: tens, hundreds, ...) by scaling there and back."""
    if decimals == 0:
        return _rint(input)
    if input.dtype.kind in "biuc":
        refuse("round_cpu", input)
    places = max(decimals, -decimals)
    scale = input.dtype.type(10.0**places if places < 309 else math.inf)
    if decimals > 0:
        return np.divide(np.rint(np.multiply(input, scale)), scale, out=...)
    return np.multiply(np.rint(np.divide(input, scale)), scale, out=...)


def special_round(input, *, decimals=0):
    """`round`, which under this name PyTorch does not give for integers."""
    if input.dtype.kind in "iu":
        refuse("round_vml_cpu", input)
    return round(input, decimals=decimals)


def frac(input):
    """The part behind the point, with the sign of `input`."""
    if input.dtype.kind in "biuc":
        refuse("frac_cpu", input)
    return apply(_frac, (input,))


def _frac(x, y):
    np.trunc(x, out=y)
    np.subtract(x, y, out=y)


# ----------------------------------------------------------------------------------------------------------- signs


def sign(input):
    """-1, 0 or 1; 0 for NaN; bool stays as it is."""
    kind = input.dtype.kind
    if kind == "b":
        return input.copy()
    if kind == "c":
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    positive, negative = np.greater(input, 0, out=...), np.less(input, 0, out=...)
    return np.subtract(positive.view(np.int8), negative.view(np.int8), out=...).astype(input.dtype)


def sgn(input):
    """As `sign`; a complex number keeps its direction and gets length 1 (0 stays 0)."""
    if input.dtype.kind != "c":
        return sign(input)
    size = np.abs(input, out=...)
    return np.where(size == 0, 0, input / np.where(size == 0, 1, size)).astype(input.dtype)


def signbit(input):
    if input.dtype.kind == "b":
        return np.zeros(input.shape, bool)
    if input.dtype.kind == "c":
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    if input.dtype.kind in "iu":
        return np.less(input, 0, out=...)
    return np.signbit(input, out=...)


def abs(input):
    """Absolute value; the modulus of a complex number, in its real dtype."""
    if input.dtype.kind == "b":
        refuse("abs_cpu", input)
    return np.abs(input, out=...)


def positive(input):
    if input.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# --------------------------------------------------------------------------------------------------- complex numbers


def angle(input):
    """Argument of a complex number; for real numbers pi where negative, 0 where not, NaN for NaN."""
    kind = input.dtype.kind
    if kind == "c":
        return np.arctan2(input.imag, input.real, out=...)
    if kind in "biu":
        dtype = dtypes.get_default_dtype().numpy
        return np.less(input, 0, out=...).astype(dtype) * dtype.type(math.pi)
    return np.where(np.isnan(input), input, (input < 0) * input.dtype.type(math.pi)).astype(input.dtype)


def conj_physical(input):
    return np.conjugate(input, out=...) if input.dtype.kind == "c" else input.copy()


def complex(real, imag):
    """`real` + i `imag` from two floating arrays of one dtype."""
    _check_parts("complex", real=real, imag=imag)
    result = np.empty(np.broadcast_shapes(real.shape, imag.shape), dtypes.of(real.dtype).to_complex().numpy)
    result.real = real
    result.imag = imag
    return result


def polar(abs, angle):
    """The complex number of this length and direction."""
    _check_parts("polar", abs=abs, angle=angle)
    result = np.empty(broadcast_shapes_of_two(abs.shape, angle.shape), dtypes.of(abs.dtype).to_complex().numpy)
    result.real = abs * np.cos(angle)
    result.imag = abs * np.sin(angle)
    return result


def _check_parts(operator, **parts):
    for position, (name, part) in enumerate(parts.items(), 1):
        require_tensor(operator, name, position, part)
    names = [legacy(each) for each in parts.values()]
    if any(name not in ("Half", "Float", "Double") for name in names):
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {names[0]} and {names[1]}"
        )
    if names[0] != names[1]:
        raise RuntimeError(
            f"Expected object of scalar type {names[0]} but got scalar type {names[1]} for second argument"
        )


# ---------------------------------------------------------------------------------------------------------- limits


def maximum(input, other):
    """The larger one; NaN if either is."""
    if input.dtype.kind == "c":
        raise RuntimeError("maximum not implemented for complex tensors.")
    return np.maximum(input, other, out=...)


def minimum(input, other):
    """The smaller one; NaN if either is."""
    if input.dtype.kind == "c":
        raise RuntimeError("minimum not implemented for complex tensors.")
    return np.minimum(input, other, out=...)


def fmax(input, other):
    """The larger one; NaN only if both are."""
    if input.dtype.kind == "c":
        raise RuntimeError("fmax not implemented for complex tensors.")
    return np.fmax(input, other, out=...)


def fmin(input, other):
    """The smaller one; NaN only if both are."""
    if input.dtype.kind == "c":
        raise RuntimeError("fmin not implemented for complex tensors.")
    return np.fmin(input, other, out=...)


def clamp(input, min=None, max=None):
    """``minimum(maximum(input, min), max)``: `max` wins where the limits cross, NaN stays."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    if input.dtype.kind == "b":
        refuse("clamp_scalar_cpu" if not getattr(max if min is None else min, "ndim", 0) else "clamp", input)
    if input.size > SMALL and not getattr(min, "ndim", 0) and not getattr(max, "ndim", 0):

        def step(x, y):
            if min is not None:
                x = np.maximum(x, min, out=y)
            if max is not None:
                np.minimum(x, max, out=y)

        return apply(step, (input,))
    result = input if min is None else np.maximum(input, min, out=...)
    return result if max is None else np.minimum(result, max, out=...)


def clamp_min(input, min):
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    return np.maximum(input, min, out=...)


def clamp_max(input, max):
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    return np.minimum(input, max, out=...)


def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """NaN replaced by `nan` (0), infinities by `posinf` and `neginf` (the dtype's largest and smallest)."""
    kind = input.dtype.kind
    if kind in "biu":
        return input.copy()
    if kind == "c":
        result = np.empty_like(input)
        result.real = nan_to_num(input.real, nan, posinf, neginf)
        result.imag = nan_to_num(input.imag, nan, posinf, neginf)
        return result
    limit = dtypes.finfo(dtypes.of(input.dtype)).max
    result = np.where(np.isnan(input), input.dtype.type(0 if nan is None else nan), input)
    result = np.where(input == math.inf, input.dtype.type(limit if posinf is None else posinf), result)
    return np.where(input == -math.inf, input.dtype.type(-limit if neginf is None else neginf), result)


# ----------------------------------------------------------------------------------------------------------- tests


def _inexact(input):
    return input.dtype.kind in "fc" or is_half(input.dtype)


def isnan(input):
    return np.isnan(input, out=...) if _inexact(input) else np.zeros(input.shape, bool)


def isinf(input):
    return np.isinf(input, out=...) if _inexact(input) else np.zeros(input.shape, bool)


def isfinite(input):
    return np.isfinite(input, out=...) if _inexact(input) else np.ones(input.shape, bool)


def isposinf(input):
    if input.dtype.kind == "c":
        raise RuntimeError("isposinf does not support complex inputs.")
    return np.equal(input, math.inf, out=...) if _inexact(input) else np.zeros(input.shape, bool)


def isneginf(input):
    if input.dtype.kind == "c":
        raise RuntimeError("isneginf does not support complex inputs.")
    return np.equal(input, -math.inf, out=...) if _inexact(input) else np.zeros(input.shape, bool)


def isreal(input):
    return np.equal(input.imag, 0, out=...) if input.dtype.kind == "c" else np.ones(input.shape, bool)


def frexp(input):
    """(mantissa, exponent): ``input = mantissa * 2**exponent`` with the mantissa in [0.5, 1)."""
    if not _inexact(input) or input.dtype.kind == "c":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    wide = input if input.dtype.kind == "f" else input.astype(np.float32)
    mantissa, exponent = np.frexp(wide)
    return np.asarray(mantissa).astype(input.dtype, copy=False), np.asarray(exponent, np.int32)


# ----------------------------------------------------------------------------------------------- a few smooth ones


def rsqrt(input):
    """1 / sqrt(input)."""
    return apply(_rsqrt, (input,))


def _rsqrt(x, y):
    np.sqrt(x, out=y)
    np.reciprocal(y, out=y)


def square(input):
    if input.dtype.kind == "b":
        return input.astype(np.int64)
    return np.square(input, out=...)


def sinc(input):
    """sin(pi x) / (pi x), 1 at 0."""
    return apply(_sinc, (input,), scratch=1)


def _sinc(x, y, t):
    np.multiply(x, math.pi, out=t)
    np.sin(t, out=y)
    np.divide(y, t, out=y)
    nothing = x == 0
    if nothing.any():
        y[nothing] = 1


def deg2rad(input):
    if input.dtype.kind == "c":
        raise RuntimeError("deg2rad is not supported for complex tensors.")
    return np.multiply(input, math.pi / 180, out=...)


def rad2deg(input):
    if input.dtype.kind == "c":
        raise RuntimeError("rad2deg is not supported for complex tensors.")
    return np.multiply(input, 180 / math.pi, out=...)


def exp2(input):
    if input.dtype.kind == "c":
        return np.exp(input * math.log(2), out=...)
    return np.exp2(input, out=...)


# ------------------------------------------------------------------------- cotangents that pass through a mask only


def relu(input):
    """max(input, 0)."""
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    if input.size < 512:
        return np.maximum(input, 0, out=...)
    return apply(_relu, (input,))


def _relu(x, y):
    if x.ndim == 1 and x.size <= 16384:
        np.maximum(x, zeros(x.size, x.dtype), out=y)
    else:
        np.maximum(x, 0, out=y)


def masked(grad, mask):
    """`grad` where `mask` holds, else 0: unlike a product, 0 also where `grad` is infinite or NaN."""
    shape = np.broadcast_shapes(grad.shape, mask.shape)
    if grad.shape != shape:
        grad = np.broadcast_to(grad, shape)
    if mask.shape != shape:
        mask = np.broadcast_to(mask, shape)
    return blockwise(_masked, (grad, mask), np.empty(shape, grad.dtype))


def share(input, wins, ties):
    """`input` where `wins` holds, half of it where `ties` does, else 0: the pullback of maximum."""
    result = masked(input, wins)
    if ties.any():
        half = input.dtype.type(0.5)
        np.multiply(input, half, out=result, where=np.broadcast_to(ties, result.shape))
    return result


def _masked(grad, mask, y):
    keep(mask, grad, y)


def above(input, gate, threshold=0):
    """`input` where `gate` is above `threshold` or NaN, else 0: the pullback of relu and of threshold."""
    if gate.shape != input.shape or gate.dtype.itemsize == 2:
        return masked(input, ~(gate <= threshold))

    def step(g, v, y):
        keep(np.logical_not(np.less_equal(v, threshold)), g, y)

    return blockwise(step, (input, gate), np.empty(input.shape, input.dtype))


def gated(input, mask, gate):
    """`masked` by a mask that was computed from `gate`, which thus stays in the graph with derivative 0."""
    return masked(input, mask)
