"""Arithmetic and comparison with PyTorch's semantics, where NumPy's own ufunc does something else.

NumPy's ufuncs are used as they are wherever they agree (`add`, `multiply`, `sin`, shifts, `gcd`, comparisons); here are the
operators where they do not: integer division by zero is an error and not 0, `remainder` keeps the sign of zero that `fmod`
gives, integer powers with negative exponents are 0 (or +-1) elementwise, and so on. Operands arrive promoted to one dtype
by the operator table, Python numbers as 0-d arrays; called from a
derivative rule, a plain number may stand for either operand.
"""

import numpy as np

from .. import dtypes
from .arguments import broadcast_shapes_of_two, result_dtype
from .blocks import apply, floating, is_half, select
from .element import element


def legacy(x):
    """The dtype's name in PyTorch's error texts, e.g. ``Long``."""
    return dtypes.of(x.dtype).legacy


def refuse(kernel, x):
    """The error for a dtype that an operator does not take."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy(x)}'")


def require_tensor(operator, name, position, value):
    """TypeError for a Python number where an operator wants a tensor."""
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"{operator}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}"
        )


_FLOAT32 = np.dtype(np.float32)
_ONE = np.ones((), _FLOAT32)  # a Python number costs a ufunc half as much again at small sizes


def tanh_backward(input, other):
    """The cotangent ``input`` of ``other = tanh(x)`` pulled back to x: ``input * (1 - other ** 2)``."""
    slope = other * other
    if slope.__class__ is not np.ndarray:
        return input * (1 - slope)
    np.subtract(_ONE if slope.dtype is _FLOAT32 else 1, slope, slope)
    return input * slope


def pair(input, other):
    """Both operands as arrays of one dtype: a Python number takes the other operand's."""
    if not hasattr(other, "dtype"):
        return input, number(other, input.dtype)
    if not hasattr(input, "dtype"):
        return number(input, other.dtype), other
    return input, other


def number(value, dtype):
    """A Python number as a 0-d array of `dtype`; integers wrap around as PyTorch's do."""
    if dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        value = int(value) & ((1 << bits) - 1)
        return np.asarray(value, f"u{dtype.itemsize}").view(dtype)
    return np.asarray(value).astype(dtype)


# ---------------------------------------------------------------------------------------- addition, multiplication


def check_alpha(x, alpha):
    """PyTorch's checks of the factor `alpha` against the dtype of the result."""
    if isinstance(alpha, bool) and x.dtype.kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    kind = x.dtype.kind
    if kind in "iub" and isinstance(alpha, (float, complex)):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if kind != "c" and isinstance(alpha, complex):
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    element(alpha, dtypes.of(x.dtype))


def refuse_unfit(*operands):
    """RuntimeError for a number among the operands that their common dtype cannot hold."""
    given = [each for each in operands if each is not None]
    common = result_dtype(*given)
    for each in given:
        if not hasattr(each, "dtype"):
            element(each, common)


def refuse_bool_subtraction(*operands):
    """RuntimeError where an operand of a subtraction is bool."""
    bools = [x for x in operands if x is True or x is False or getattr(getattr(x, "dtype", None), "kind", "") == "b"]
    if len(bools) == 2:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if bools:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )


def add(input, other, *, alpha=1):
    """``input + alpha * other``."""
    if alpha is not True and alpha == 1:
        return np.add(*pair(input, other), out=...)
    input, other = pair(input, other)
    check_alpha(input, alpha)
    return np.add(input, np.multiply(other, number(alpha, other.dtype)), out=...)


def sub(input, other, *, alpha=1):
    """``input - alpha * other``; bool has no subtraction."""
    input, other = pair(input, other)
    refuse_bool_subtraction(input, other)
    if alpha is not True and alpha == 1:
        return np.subtract(input, other, out=...)
    check_alpha(input, alpha)
    return np.subtract(input, np.multiply(other, number(alpha, other.dtype)), out=...)


def rsub(input, other, *, alpha=1):
    """``other - alpha * input``."""
    return sub(other, input, alpha=alpha)


def mul(input, other):
    return np.multiply(*pair(input, other), out=...)


def neg(input):
    if input.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return np.negative(input, out=...)


# ------------------------------------------------------------------------------------------------------- division


def div(input, other, *, rounding_mode=None):
    """Quotient, exact (None), rounded towards zero ("trunc") or down ("floor"); exact ones of integers are floating."""
    if rounding_mode is None:
        input, other = pair(input, other)
        return np.true_divide(floating(input), floating(other), out=...)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    input, other = pair(input, other)
    kind = input.dtype.kind
    if kind in "bc":
        refuse("div_trunc_cpu", input)
    if kind in "iu":
        _refuse_zero(other)
        quotient = np.floor_divide(input, other)
        if kind == "i":
            down = (np.remainder(input, other) != 0) & ((input < 0) != (other < 0))
            quotient = np.add(quotient, down)
        return np.asarray(quotient)
    if is_half(input.dtype):
        quotient = np.true_divide(input.astype(np.float32), other.astype(np.float32))
        return np.asarray(np.trunc(quotient).astype(input.dtype))
    quotient = np.true_divide(input, other, out=...)
    return np.asarray(np.trunc(quotient, out=quotient if quotient.ndim else None))


def _refuse_zero(other):
    if not other.all():
        raise RuntimeError("ZeroDivisionError")


def floor_divide(input, other):
    """Quotient rounded down, exact for floats: computed from `fmod`, as Python's own division is."""
    input, other = pair(input, other)
    kind = input.dtype.kind
    if kind in "bc":
        refuse("div_floor_cpu", input)
    if kind in "iu":
        _refuse_zero(other)
        return np.floor_divide(input, other, out=...)
    return apply(_floor_divide, (input, other), scratch=1)


def _fmod(a, b, y):
    """`fmod` into `y`: the same numbers as NumPy's, in float32 from one exact multiplication in float64 where that suffices.

    C's fmod subtracts bit by bit. A quotient below 2**28 times a float32 divisor has at most 53 bits, so a - trunc(a / b) b is
    exact in float64; only a quotient that was rounded up to a whole number is one divisor off, and shows by its sign.
    """
    if y.dtype != np.float32 or y.size < 256:
        np.fmod(a, b, out=y)
        return
    wide, divisor = a.astype(np.float64), b.astype(np.float64)
    quotient = np.divide(wide, divisor)
    np.trunc(quotient, out=quotient)
    if not (np.abs(quotient).max() < 2**28 and np.isfinite(divisor).all()):
        np.fmod(a, b, out=y)
        return
    np.multiply(quotient, divisor, out=quotient)
    np.subtract(wide, quotient, out=quotient)
    beyond = (quotient != 0) & (np.signbit(quotient) != np.signbit(wide))
    if beyond.any():
        quotient[beyond] += np.copysign(divisor[beyond], wide[beyond])
    np.copysign(quotient, wide, out=quotient)
    y[...] = quotient


def _floor_divide(a, b, y, t):
    _fmod(a, b, t)
    np.subtract(a, t, out=y)
    np.divide(y, b, out=y)
    below = (t != 0) & ((b < 0) != (t < 0))
    np.subtract(y, below, out=y)
    np.add(y, 0.5, out=y)
    np.floor(y, out=y)  # it was a whole number up to rounding: take the nearest
    np.divide(a, b, out=t)
    np.copysign(y, t, out=y)
    if not b.all():
        select(b == 0, t, y, y)


def remainder(input, other):
    """Modulus with the sign of the divisor: `fmod`, moved by one divisor where the signs differ."""
    input, other = pair(input, other)
    kind = input.dtype.kind
    if kind in "bc":
        refuse("remainder_cpu", input)
    if kind in "iu":
        _refuse_zero(other)
        return np.remainder(input, other, out=...)
    return apply(_remainder, (input, other), scratch=1)


def _remainder(a, b, y, t):
    _fmod(a, b, y)
    move = (y != 0) & ((b < 0) != (y < 0))
    if move.any():
        select(move, np.add(y, b, out=t), y, y)


def fmod(input, other):
    """C's remainder, with the sign of the dividend."""
    input, other = pair(input, other)
    kind = input.dtype.kind
    if kind in "bc":
        refuse("fmod_cpu", input)
    if kind in "iu":
        _refuse_zero(other)
    return np.fmod(input, other, out=...)


# ---------------------------------------------------------------------------------------------------------- powers


def refuse_powers(input, exponent):
    """RuntimeError for integers to the power of a negative integer, or of one that their dtype cannot hold."""
    if isinstance(exponent, int) and input.dtype.kind in "iu":
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        element(exponent, dtypes.of(input.dtype))


def pow(input, exponent):
    """``input ** exponent``. Integers to negative integer powers are errors for a number, 0 or +-1 for a tensor."""
    if not hasattr(exponent, "ndim"):
        return _power_number(input, exponent)
    if not exponent.ndim and input.ndim:
        return _power_number(input, exponent.item())
    base, exponent = pair(input, exponent)
    kind = base.dtype.kind
    if kind == "b":
        refuse("pow", base)
    if kind == "i":
        negative = exponent < 0
        if negative.any():
            result = np.power(base, np.where(negative, 0, exponent).astype(base.dtype))
            odd = (exponent & 1).astype(bool)
            small = np.where(base == -1, np.where(odd, -1, 1), base == 1).astype(base.dtype)
            return np.asarray(np.where(negative, small, result))
    return np.power(base, exponent, out=...)


def _power_number(base, exponent):
    kind = base.dtype.kind
    if kind in "iu":
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if exponent == 2:
            return np.square(base, out=...)
        return np.power(base, number(exponent, base.dtype), out=...)
    if kind == "b":
        return base.copy() if exponent else np.ones_like(base)
    if exponent == 2:
        return np.square(base, out=...)
    if kind == "f" and base.dtype.itemsize > 2:
        if exponent == 0.5:
            return np.sqrt(base, out=...)
        if exponent == 1:
            return np.positive(base, out=...)
        if exponent == -1:
            return np.reciprocal(base, out=...)
        if exponent == 3:
            return apply(_cube, (base,))
        if exponent == -0.5:
            return apply(_rsqrt, (base,))
        if exponent == -2:
            return apply(_inverse_square, (base,))
    return np.power(base, number(exponent, base.dtype), out=...)


def _cube(x, y):
    np.multiply(x, x, out=y)
    np.multiply(y, x, out=y)


def _rsqrt(x, y):
    np.sqrt(x, out=y)
    np.reciprocal(y, out=y)


def _inverse_square(x, y):
    np.multiply(x, x, out=y)
    np.reciprocal(y, out=y)


def ldexp(input, other):
    """``input * 2**other``, the power taken in the floating dtype of the result."""
    input, other = pair(input, other)
    return np.multiply(input, np.exp2(other), out=...)


# ---------------------------------------------------------------------------------------- integers bit by bit, gcd


def _bits(ufunc, kernel, takes_bool=True):
    def operator(input, other):
        input, other = pair(input, other)
        if input.dtype.kind not in ("biu" if takes_bool else "iu"):
            refuse(kernel, input)
        return ufunc(input, other, out=...)

    return operator


bitwise_and = _bits(np.bitwise_and, "bitwise_and_cpu")
bitwise_or = _bits(np.bitwise_or, "bitwise_or_cpu")
bitwise_xor = _bits(np.bitwise_xor, "bitwise_xor_cpu")
bitwise_left_shift = _bits(np.left_shift, "lshift_cpu", takes_bool=False)
bitwise_right_shift = _bits(np.right_shift, "rshift_cpu", takes_bool=False)
gcd = _bits(np.gcd, "gcd_cpu", takes_bool=False)
lcm = _bits(np.lcm, "lcm_cpu", takes_bool=False)


def bitwise_not(input):
    if input.dtype.kind not in "biu":
        refuse("bitwise_not_cpu", input)
    return np.invert(input, out=...)


# ------------------------------------------------------------------------------------------- floating, two operands


def _float_only(ufunc, kernel, complex_too=False):
    def operator(input, other):
        input, other = pair(input, other)
        kind = input.dtype.kind
        if kind in "biu" or (kind == "c" and not complex_too):
            refuse(kernel, input)
        if is_half(input.dtype) and kind != "f":  # bfloat16 has no such loop in NumPy
            return np.asarray(ufunc(input.astype(np.float32), other.astype(np.float32)).astype(input.dtype))
        return ufunc(input, other, out=...)

    return operator


hypot = _float_only(np.hypot, "hypot_cpu")
logaddexp2 = _float_only(np.logaddexp2, "logaddexp2_cpu")
_logaddexp_real = _float_only(np.logaddexp, "logaddexp_cpu")


def logaddexp(input, other):
    """log(exp(input) + exp(other)) without overflow; complex operands are ordered by their real parts."""
    input, other = pair(input, other)
    if input.dtype.kind != "c":
        return _logaddexp_real(input, other)
    swap = input.real < other.real
    low, high = np.where(swap, input, other), np.where(swap, other, input)
    result = high + np.log1p(np.exp(low - high))
    same_infinity = (low.real == high.real) & ~np.isfinite(low.real)
    if same_infinity.any():
        # inf - inf: the sum of two infinities is taken as it is, that of two zeros (-inf) keeps its first operand
        direct = np.where(low.real < 0, low, np.log(np.exp(low) + np.exp(high)))
        result = np.where(same_infinity, direct, result)
    return np.asarray(result.astype(input.dtype))


def nextafter(input, other):
    """The next number of the dtype after `input` towards `other`; half precision too steps in its own dtype."""
    require_tensor("nextafter", "input", 1, input)
    require_tensor("nextafter", "other", 2, other)
    dtype = dtypes.promote_types(dtypes.of(input.dtype), dtypes.of(other.dtype))
    broadcast_shapes_of_two(input.shape, other.shape)
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"nextafter_cpu\" not implemented for '{dtype.legacy}'")
    return np.nextafter(input.astype(dtype.numpy), other.astype(dtype.numpy), out=...)


def atan2(input, other):
    """The angle of the point (other, input)."""
    input, other = pair(input, other)
    if input.dtype.kind == "c":
        refuse("atan2_cpu", input)
    return np.arctan2(input, other, out=...)


def copysign(input, other):
    input, other = pair(input, other)
    if input.dtype.kind == "c":
        refuse("copysign_cpu", input)
    return np.copysign(input, other, out=...)


def heaviside(input, values):
    """0 where `input` is negative or NaN, 1 where positive, `values` where zero."""
    require_tensor("heaviside", "values", 2, values)
    if input.dtype.kind == "c":
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    broadcast_shapes_of_two(input.shape, values.shape)
    return np.asarray(np.where(input == 0, values, (input > 0).astype(input.dtype)))


def xlogy(input, other):
    """``input * log(other)``, 0 where `input` is 0 unless `other` is NaN."""
    return _x_log(np.log, "xlogy_cpu", input, other)


def xlog1py(input, other):
    """``input * log1p(other)``, 0 where `input` is 0 unless `other` is NaN."""
    return _x_log(np.log1p, "xlog1py_cpu", input, other)


def _x_log(logarithm, kernel, input, other):
    input, other = pair(input, other)
    if input.dtype.kind == "c":
        refuse(kernel, input)

    def step(x, v, y):
        logarithm(v, out=y)
        np.multiply(x, y, out=y)
        nothing = (x == 0) & ~np.isnan(v)
        if nothing.any():
            y[nothing] = 0

    return apply(step, (input, other))


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """``|input - other| <= atol + rtol * |other|`` for finite differences; equal values are always close."""
    require_tensor("isclose", "other", 2, other)
    if input.dtype != other.dtype:
        raise RuntimeError(f"{legacy(input)} did not match {legacy(other)}")
    if rtol < 0:
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol:g}")
    if atol < 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol:g}")
    broadcast_shapes_of_two(input.shape, other.shape)
    close = np.equal(input, other)
    inexact = input.dtype.kind in "fc" or is_half(input.dtype)
    if equal_nan and inexact:
        close = close | (np.isnan(input) & np.isnan(other))
    if rtol == 0 and atol == 0:
        return np.asarray(close)
    if not inexact:
        dtype = dtypes.get_default_dtype().numpy
        difference = np.abs((input.astype(np.int64) - other.astype(np.int64)).astype(dtype))
        other = other.astype(dtype)
    else:
        difference = np.abs(input - other)
    allowed = atol + np.abs(rtol * other)
    return np.asarray(close | (np.isfinite(difference) & (difference <= allowed)))


# ---------------------------------------------------------------------------------------------------- three operands


def addcmul(input, tensor1, tensor2, *, value=1):
    """``input + value * tensor1 * tensor2``."""
    if input.dtype == bool:
        refuse("addcmul_cpu_out", input)
    return _fused(np.multiply, input, tensor1, tensor2, value)


def addcdiv(input, tensor1, tensor2, *, value=1):
    """``input + value * tensor1 / tensor2`` for floating operands."""
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
            "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
            "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    return _fused(np.divide, input, tensor1, tensor2, value)


def _fused(ufunc, input, tensor1, tensor2, value):
    dtype = np.result_type(input, tensor1, tensor2) if not is_half(input.dtype) else input.dtype
    if isinstance(value, complex):
        element(value, dtypes.of(dtype))
    input, tensor1, tensor2 = (x if x.dtype == dtype else x.astype(dtype) for x in (input, tensor1, tensor2))
    factor = None if value == 1 else number(value, np.dtype(np.float32) if is_half(dtype) else dtype)

    def step(x, a, b, y):
        if factor is None:
            ufunc(a, b, out=y)
        else:
            np.multiply(a, factor, out=y)
            ufunc(y, b, out=y)
        np.add(x, y, out=y)

    return apply(step, (input, tensor1, tensor2))


def lerp(input, end, weight):
    """``input + weight * (end - input)``, computed from `end` where the weight is a half or more."""
    if input.dtype.kind in "biu":
        refuse("lerp_kernel_tensor" if hasattr(weight, "dtype") else "lerp_kernel_scalar", input)
    if input.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {_spoken(input)} for `end` but got dtype {_spoken(end)}")
    if input.shape != end.shape:
        broadcast_shapes_of_two(input.shape, end.shape)
    if hasattr(weight, "dtype"):
        if input.dtype != weight.dtype:
            raise RuntimeError(f"expected dtype {_spoken(input)} for `weight` but got dtype {_spoken(weight)}")

        def step(a, b, w, y):
            far = np.abs(w) >= 0.5
            np.subtract(b, a, out=y)
            near = np.where(far, w - 1, w)
            np.multiply(near, y, out=y)
            np.add(np.where(far, b, a), y, out=y)

        return apply(step, (input, end, weight))

    def step(a, b, y):
        np.subtract(b, a, out=y)
        if abs(weight) < 0.5:
            np.multiply(y, weight, out=y)
            np.add(a, y, out=y)
        else:
            np.multiply(y, 1 - weight, out=y)
            np.subtract(b, y, out=y)

    return apply(step, (input, end))


_SPOKEN = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int32": "int",
    "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def _spoken(x):
    return _SPOKEN[dtypes.of(x.dtype).name]
