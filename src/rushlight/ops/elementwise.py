"""Elementwise arithmetic, comparison, rounding, and the elementary functions.

A rule is the partial derivative; where its first name is `g` it is the whole pullback, which is how PyTorch's masks are kept:
`F._masked(g, mask)` is 0 outside the mask even where `g` is infinite or NaN. Subgradients follow PyTorch: 0 for `abs` at 0,
one half for each side where `maximum` ties, 1 on the boundary of `clamp`.
"""

import math

import numpy as np

from .. import dtypes
from ..array import elementwise as kernels
from ..array import elementwise_parts as parts
from ..tensor import Tensor
from . import undifferentiable
from .asking import asking
from .dispatch import inplace_function, public_function, store_out
from .table import METHODS, OPS, PLACES, RAW, TENSOR, binary, camel, composite, differentiable, elementwise, unary

differentiable(
    *("_masked", parts.masked),
    **dict(vjp=lambda F, g, mask: F._masked(g, mask), jvp=lambda F, t, mask: F._masked(t, mask)),
    **dict(method=False, function=False),
)
differentiable(
    *("_gated", parts.gated),
    **dict(vjp=dict(input=lambda F, g, mask: F._masked(g, mask), gate=lambda F, g: F.zeros_like(g))),
    **dict(jvp=dict(input=lambda F, t, mask: F._masked(t, mask), gate=lambda F, t, mask: F.zeros_like(t))),
    **dict(method=False, function=False),
)


def zero(F, g):
    """The rule of piecewise constant functions."""
    return F.zeros_like(g)


differentiable(
    *("_above", parts.above),
    vjp=dict(
        input=lambda F, g, gate, threshold: F._above(g, gate, threshold),
        gate=lambda F, g: F.zeros_like(g),
    ),
    jvp=dict(
        input=lambda F, t, gate, threshold: F._above(t, gate, threshold),
        gate=lambda F, t: F.zeros_like(t),
    ),
    **dict(node_name="ThresholdBackwardBackward0", method=False, function=False),
)


def _by_operand(name, values, tensor, number):
    """PyTorch's name of a node: it counts the overloads with a tensor and with a number as second operand."""
    second = next((value for value in values[1:] if value is not None), None)
    return f"{name}Backward{tensor if hasattr(second, 'requires_grad') else number}"


def is_complex(x):
    """Whether an array, a tensor or a number is complex."""
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return isinstance(x, complex)
    return dtype.is_complex if dtype.__class__ is dtypes.dtype else dtype.kind == "c"


def conj(F, x):
    """`x` conjugated where that is something else than `x`, also a plain number."""
    if not is_complex(x):
        return x
    return F.conj(x) if hasattr(x, "dtype") else x.conjugate()


def number(x):
    """The value of an operand that is a plain number (which may arrive as a 0-d array), or None."""
    if x.__class__ is np.ndarray:
        return None if x.ndim else x.item()
    if hasattr(x, "requires_grad"):
        return None if x.ndim or x.requires_grad or x._a.__class__ is not np.ndarray else x.item()
    return x if isinstance(x, (int, float, complex)) else None


def same_dtype(result, out):
    """The check of `out=` in PyTorch's kernels that compute in place: its dtype must be the result's."""
    if result is not out:
        raise RuntimeError(f"Found dtype {out.legacy} but expected {result.legacy}")


def only_bool(name):
    """The check of `out=` of tests that refuse any other dtype than bool."""

    def check(result, out):
        if out is not dtypes.bool:
            raise RuntimeError(f"{name} does not support non-boolean outputs.")

    return check


# ------------------------------------------------------------------------------------------------------ arithmetic

binary("add", kernels.add, lambda F: 1, lambda F, alpha: alpha, plain=np.add)
binary(
    *("sub", kernels.sub, lambda F: 1, lambda F, alpha: -alpha),
    **dict(plain=np.subtract, aliases=("subtract",), refuse=kernels.refuse_bool_subtraction),
)
_RSUB = dict(
    refuse=kernels.refuse_bool_subtraction,
    inplace=False,
    method=False,
    out=False,
    numbers="other",
    node_name=lambda values: _by_operand("Rsub", values, 0, 1),
)
binary("rsub", kernels.rsub, lambda F, alpha: -alpha, lambda F: 1, **_RSUB)
binary("mul", np.multiply, lambda F, other: other, lambda F, x: x, aliases=("multiply",))
unary("neg", kernels.neg, lambda F: -1, plain=np.negative, aliases=("negative",), check_out=same_dtype)


binary(
    *("div", np.true_divide),
    lambda F, g, other: g / conj(F, other),
    lambda F, g, x, other: -g * conj(F, (x / other) / other),
    kind="float",
)
binary(
    *("_div_rounded", kernels.div, zero, zero),
    **dict(node_name="DivBackward2", spoken_out="div", shown="div", method=False, function=False),
)


def _with_rounding(suffix):
    """`div` takes `rounding_mode`; the rounded quotient of integers stays whole, so it is an operator of its own."""
    make = inplace_function if suffix else public_function

    def made(place, name):
        exact, rounded = make(OPS["div"], (place, name)), make(OPS["_div_rounded"], (place, name))

        def function(*args, rounding_mode=None, **kwargs):
            if rounding_mode is None:
                return exact(*args, **kwargs)
            return rounded(*args, rounding_mode=rounding_mode, **kwargs)

        function.__name__, function.__qualname__, function.__module__ = name, name, "torch"
        return function

    for name in ("div" + suffix, "divide" + suffix, "true_divide" + suffix):
        setattr(Tensor, name, made(METHODS, name))
        PLACES[""][name] = made("", name)
    setattr(TENSOR, "div" + suffix, Tensor.div_ if suffix else PLACES[""]["div"])


_with_rounding("")
_with_rounding("_")
RAW.div = kernels.div
Tensor.__div__ = lambda self, other: self / other
Tensor.__idiv__ = lambda self, other: self.div_(other)
binary(
    *("floor_divide", kernels.floor_divide, *[undifferentiable.derivative("floor_divide")] * 2),
    jvp=dict.fromkeys(("input", "other"), undifferentiable.tangent("aten::floor_divide")),
    spoken_out="aten::floor_divide",
    **undifferentiable.NODE,
)
binary(
    "fmod",
    kernels.fmod,
    lambda F: 1,
    lambda F, g, x, other: -g * F.div(x, other, rounding_mode="trunc"),
    **dict(plain=np.fmod, numbers="other", node_name=lambda values: _by_operand("Fmod", values, 1, 0)),
)
binary(
    *("remainder", kernels.remainder, lambda F: 1),
    lambda F, g, x, other: -g * F.div(x, other, rounding_mode="floor"),
    **dict(numbers="one", node_name=lambda values: _by_operand("Remainder", values, 1, 0)),
)


def _pow_input(F, g, x, exponent):
    n = number(exponent)
    if n is None:
        # a zero exponent has derivative 0, also at x = 0 where the general form says 0 * inf
        return F._masked(g * conj(F, exponent * F.pow(x, exponent - 1)), exponent != 0)
    if n == 2:
        return g * (2 * conj(F, x))
    if n == 0:
        return F.zeros_like(g)
    return g * conj(F, n * F.pow(x, n - 1))


def _pow_exponent(F, g, x, exponent, y):
    n = number(x)
    # powers of 0 that stay 0 nearby
    settled = (F.real(exponent) >= 0) & (F.imag(exponent) == 0) if is_complex(exponent) else exponent >= 0
    if n == 0:
        return F._masked(g * conj(F, y * -math.inf), ~settled)
    if n is not None:
        return g * conj(F, y * F.log(F.zeros_like(y) + n))
    # the logarithm of a negative number is complex where the power is
    base = F.zeros_like(y) + x if is_complex(exponent) and not is_complex(x) else x
    return F._masked(g * conj(F, y * F.log(base)), ~((x == 0) & settled))


def _pow_name(values):
    """PyTorch counts the overloads: a number as exponent, two tensors, a number as base."""
    return "PowBackward2" if not hasattr(values[0], "requires_grad") else _by_operand("Pow", values, 1, 0)


elementwise(
    *("pow", kernels.pow, ("input", "exponent"), dict(input=_pow_input, exponent=_pow_exponent)),
    **dict(numbers="one", node_name=_pow_name, refuse=kernels.refuse_powers),
)


@composite("float_power", function=False)
def float_power(F, input, exponent):
    """``input ** exponent`` in double precision, whatever the dtypes."""
    wide = dtypes.complex128 if is_complex(input) or is_complex(exponent) else dtypes.float64
    if not hasattr(input, "dtype") and not hasattr(exponent, "dtype"):
        raise TypeError(
            "float_power() received an invalid combination of arguments - got "
            f"({type(input).__name__}, {type(exponent).__name__}), but expected one of:\n"
            " * (Tensor input, Tensor exponent, *, Tensor out = None)\n"
            " * (Number self, Tensor exponent, *, Tensor out = None)\n"
            " * (Tensor input, Number exponent, *, Tensor out = None)\n"
        )

    def widened(x):
        return F._to_dtype(x, wide) if hasattr(x, "dtype") else x

    if not hasattr(input, "dtype"):
        input = complex(input) if wide.is_complex else float(input)
    return F.pow(widened(input), widened(exponent))


def _float_power(input, exponent, *, out=None):
    result = TENSOR.float_power(input, exponent)
    if out is None:
        return result
    if out.dtype is not result.dtype:
        raise RuntimeError(
            f"the output given to float_power has dtype {out.dtype.legacy} but the operation's result requires dtype "
            f"{result.dtype.legacy}"
        )
    return store_out("pow", result, out)


_float_power.__name__ = _float_power.__qualname__ = "float_power"
_float_power.__doc__ = float_power.__doc__
PLACES[""]["float_power"] = asking(_float_power, ("", "float_power"))


def _float_power_(self, exponent):
    """`float_power` written into `self`, which must have the double precision dtype of the result."""
    wide = dtypes.complex128 if is_complex(self) or is_complex(exponent) else dtypes.float64
    if self.dtype is not wide:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.legacy} but the operation's result requires dtype "
            f"{wide.legacy}"
        )
    return TENSOR.pow_(self, exponent)


Tensor.float_power_ = _float_power_


elementwise(
    *("addcmul", kernels.addcmul, ("input", "tensor1", "tensor2")),
    dict(
        input=lambda F: 1,
        tensor1=lambda F, tensor2, value: tensor2 * value,
        tensor2=lambda F, tensor1, value: tensor1 * value,
    ),
)
elementwise(
    *("addcdiv", kernels.addcdiv, ("input", "tensor1", "tensor2")),
    dict(
        input=lambda F: 1,
        tensor1=lambda F, tensor2, value: value / tensor2,
        tensor2=lambda F, tensor1, tensor2, value: -value * (tensor1 / (tensor2 * tensor2)),
    ),
)


def _lerp_out(arguments, outs):
    """With weights in a tensor PyTorch's ``lerp`` computes in ``out=`` itself."""
    if hasattr(arguments[2], "shape"):
        same_dtype(dtypes.of(arguments[0].dtype), outs[0]._dtype)
    return arguments


differentiable(
    *("lerp", kernels.lerp),
    vjp=dict(
        input=lambda F, g, weight: g * conj(F, 1 - weight),
        end=lambda F, g, weight: g * conj(F, weight),
        weight=lambda F, g, x, end: g * conj(F, end - x),
    ),
    **dict(inplace=True, out=True, node_name=lambda values: _by_operand("Lerp", values[1:], 1, 0)),
    prepare_out=_lerp_out,
)

# ------------------------------------------------------------------------------------------ comparison and logic


def _ordered(ufunc, name):
    def kernel(input, other):
        if input.dtype.kind == "c":
            kernels.refuse(f"{name}_cpu", input)
        return ufunc(input, other, out=...)

    return kernel


def _compared(name):
    """What comparisons are declared with; in place they are recorded, by a node for numbers and one for tensors."""
    named = camel(name) + "Backward"
    return dict(
        kind="bool", numbers="other", node_name=lambda values: named + ("1" if isinstance(values[1], Tensor) else "0")
    )


binary("eq", np.equal, **_compared("eq"))
binary("ne", np.not_equal, aliases=("not_equal",), **_compared("ne"))
for _name, _ufunc, _alias in (
    *(("lt", np.less, "less"), ("le", np.less_equal, "less_equal")),
    *(("gt", np.greater, "greater"), ("ge", np.greater_equal, "greater_equal")),
):
    binary(_name, _ordered(_ufunc, _name), plain=_ufunc, aliases=(_alias,), **_compared(_name))

binary("logical_and", np.logical_and, kind="bool", numbers="none")
binary("logical_or", np.logical_or, kind="bool", numbers="none")
binary("logical_xor", np.logical_xor, kind="bool", numbers="none")
unary("logical_not", np.logical_not, kind="bool")
differentiable("isclose", kernels.isclose)

for _name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"):
    binary(_name, getattr(kernels, _name), numbers="one")
binary("gcd", kernels.gcd, numbers="none")
binary("lcm", kernels.lcm, numbers="none")
unary("bitwise_not", kernels.bitwise_not, check_out=same_dtype)

for _name in ("isnan", "isinf", "isfinite"):
    unary(_name, getattr(parts, _name), kind="bool", plain=getattr(np, _name), inplace=False, out=False)
unary("isposinf", parts.isposinf, kind="bool", inplace=False, check_out=only_bool("isposinf"))
unary("isneginf", parts.isneginf, kind="bool", inplace=False, check_out=only_bool("isneginf"))
unary("isreal", parts.isreal, kind="bool", inplace=False, out=False)
unary("signbit", parts.signbit, kind="bool", plain=np.signbit, inplace=False, check_out=only_bool("signbit"))

# ------------------------------------------------------------------------------------------- rounding and signs

unary("floor", parts.floor, zero, plain=np.floor, check_out=same_dtype)
unary("ceil", parts.ceil, zero, plain=np.ceil, check_out=same_dtype)
unary("trunc", parts.trunc, zero, plain=np.trunc, aliases=("fix",), check_out=same_dtype)
unary(
    *("round", parts.round, zero),
    **dict(plain=np.rint, check_out=same_dtype),
    node_name=lambda values: "RoundBackward1" if len(values) > 1 and values[1] else "RoundBackward0",
)
unary("special_round", parts.special_round, zero, plain=np.rint, inplace=False, node_name="RoundBackward0")
unary("frac", parts.frac, lambda F: 1, check_out=same_dtype)


def _sgn(F, g, x, y):
    """Only the direction of a complex number moves its sgn: the part of g across it, over its length."""
    if not is_complex(x):
        return F.zeros_like(g)
    across = g - y * F.real(g * F.conj(y))
    return F._masked(across / F.abs(x), x != 0)


def _abs_jvp(F, t, x):
    return F.real(t * F.conj(F.sgn(x))) if is_complex(x) else t * F.sgn(x)


def _abs_out(arguments, outs):
    """Of real numbers it is computed in ``out=`` itself, of complex ones cast into it."""
    own = dtypes.of(arguments[0].dtype)
    if not own.is_complex:
        same_dtype(own, outs[0]._dtype)
    return arguments


unary(
    "abs",
    parts.abs,
    lambda F, g, x: g * F.sgn(x),
    plain=np.abs,
    aliases=("absolute",),
    prepare_out=_abs_out,
    jvp=_abs_jvp,
)


def guard_inplace(name, check):
    """Let the method `name` (and the function, if there is one) ask `check(self)` before it writes."""
    write = getattr(TENSOR, name)

    def function(self, *args, **kwargs):
        check(self)
        return write(self, *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    setattr(Tensor, name, function)
    if name in PLACES[""]:
        PLACES[""][name] = function
    return function


def _refuse_complex_abs(self):
    if self.dtype.is_complex:
        raise RuntimeError("In-place abs is not supported for complex tensors.")


Tensor.absolute_ = guard_inplace("abs_", _refuse_complex_abs)
if "absolute_" in PLACES[""]:
    PLACES[""]["absolute_"] = Tensor.absolute_
unary("sign", parts.sign, zero, check_out=same_dtype)
# the pullback of sgn is its own transpose, so forward mode is the same function of the tangent
unary("sgn", parts.sgn, _sgn, check_out=same_dtype, jvp=lambda F, t, x, y: _sgn(F, t, x, y))
binary(
    *("copysign", kernels.copysign, lambda F, g, x, y: F._masked(g * (y / x), x != 0), zero),
    **dict(kind="float", numbers="other", plain=np.copysign),
    node_name=lambda values: _by_operand("Copysign", values, 0, 1),
)


def _heaviside_out(result, out):
    if result is not out:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


differentiable(
    *("heaviside", kernels.heaviside),
    vjp=dict.fromkeys(("input", "values"), undifferentiable.derivative("heaviside")),
    jvp=dict.fromkeys(("input", "values"), undifferentiable.tangent("aten::heaviside")),
    **dict(undifferentiable.NODE, inplace=True, out=True),
    **dict(check_out=_heaviside_out, spoken_out="aten::heaviside"),
)
differentiable(
    *("nextafter", kernels.nextafter),
    vjp=dict(input=lambda F, g, x, other: F._masked(g, x != other), other=zero),
    **dict(inplace=True, out=True),
)

# --------------------------------------------------------------------------------------------- limits and ties


differentiable(
    *("_share", parts.share),
    vjp=lambda F, g, wins, ties: F._share(g, wins, ties),
    **dict(jvp=lambda F, t, wins, ties: F._share(t, wins, ties), method=False, function=False),
)


binary(
    *("maximum", parts.maximum),
    lambda F, g, x, other: F._share(g, ~(x <= other), x == other),
    lambda F, g, x, other: F._share(g, ~(other <= x), x == other),
    plain=np.maximum,
    inplace=False,
    numbers="none",
)
binary(
    *("minimum", parts.minimum),
    lambda F, g, x, other: F._share(g, ~(x >= other), x == other),
    lambda F, g, x, other: F._share(g, ~(other >= x), x == other),
    plain=np.minimum,
    inplace=False,
    numbers="none",
)
binary(
    *("fmax", parts.fmax),
    lambda F, g, x, other: F._masked(g, (x >= other) | F.isnan(other)),
    lambda F, g, x, other: F._masked(g, ~((x >= other) | F.isnan(other))),
    plain=np.fmax,
    inplace=False,
    numbers="none",
)
binary(
    *("fmin", parts.fmin),
    lambda F, g, x, other: F._masked(g, (x <= other) | F.isnan(other)),
    lambda F, g, x, other: F._masked(g, ~((x <= other) | F.isnan(other))),
    plain=np.fmin,
    inplace=False,
    numbers="none",
)


def _inside(F, g, x, min, max):
    if max is None:
        return F._masked(g, x >= min)
    return F._masked(g, x <= max if min is None else (x >= min) & (x <= max))


elementwise(
    *("clamp", parts.clamp, ("input", "min", "max")),
    dict(
        input=_inside,
        min=lambda F, g, x, min, max: F._masked(g, x < min if max is None else (x < min) & (min < max)),
        max=lambda F, g, x, min, max: F._masked(g, x > max if min is None else (x > max) | (max < min)),
    ),
    **dict(node_name=lambda values: _by_operand("Clamp", values, 0, 1), aliases=("clip",), refuse=kernels.refuse_unfit),
)
elementwise(
    *("clamp_min", parts.clamp_min, ("input", "min")),
    dict(input=lambda F, g, x, min: F._masked(g, x >= min), min=lambda F, g, x, min: F._masked(g, x < min)),
    **dict(
        numbers="other", node_name=lambda values: _by_operand("ClampMin", values, 1, 0), refuse=kernels.refuse_unfit
    ),
)
elementwise(
    *("clamp_max", parts.clamp_max, ("input", "max")),
    dict(input=lambda F, g, x, max: F._masked(g, x <= max), max=lambda F, g, x, max: F._masked(g, x > max)),
    **dict(
        numbers="other", node_name=lambda values: _by_operand("ClampMax", values, 1, 0), refuse=kernels.refuse_unfit
    ),
)


def _same_as_input(result, out):
    if result is not out:
        raise RuntimeError(f"nan_to_num: dtype of out: {out.legacy} should be same as input: {result.legacy}")


unary("nan_to_num", parts.nan_to_num, lambda F, g, x: F._masked(g, F.isfinite(x)), check_out=_same_as_input)

# ---------------------------------------------------------------------------------------------- complex numbers


def _angle(F, g, x):
    if not is_complex(x):
        return F.zeros_like(g)
    return F._masked(g * 1j / F.conj(x), x != 0)


def _complex_out(result, out):
    if result is not out:
        raise RuntimeError(
            f"Expected object of scalar type {result.legacy} but got scalar type {out.legacy} for argument 'out'"
        )


def _angle_jvp(F, t, x):
    if not is_complex(x):
        return F.zeros_like(t)
    return F._masked(F.imag(t / x), x != 0)


unary("angle", parts.angle, _angle, inplace=False, jvp=_angle_jvp)
unary(
    *("conj_physical", parts.conj_physical, lambda F, g: F.conj(g)),
    **dict(jvp=lambda F, t: F.conj(t), check_out=same_dtype, spoken_out="aten::conj_physical"),
)
differentiable(
    *("polar", parts.polar),
    vjp=dict(
        abs=lambda F, g, y: F.real(F.conj(g) * F.sgn(y)),
        angle=lambda F, g, y: F.real(F.conj(g) * (y * 1j)),
    ),
    jvp=dict(abs=lambda F, t, y: t * F.sgn(y), angle=lambda F, t, y: t * (y * 1j)),
    **dict(method=False, out=True, check_out=_complex_out),
)
differentiable(
    *("_complex", parts.complex),
    **dict(vjp=dict(real=lambda F, g: F.real(g), imag=lambda F, g: F.imag(g)), node_name="ComplexBackward0"),
    jvp=dict(
        real=lambda F, t: F._complex(t, F.zeros_like(t)),
        imag=lambda F, t: F._complex(F.zeros_like(t), t),
    ),
    **dict(method=False, function=False),
)


@composite("positive")
def positive(F, input):
    """``+input``: the tensor itself; bool tensors have no sign."""
    if (input.dtype.name if hasattr(input.dtype, "name") else str(input.dtype)) == "bool":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# ------------------------------------------------------------------------------------------- powers, exponentials

_LN2, _LN10 = math.log(2), math.log(10)

unary("square", parts.square, lambda F, x: x * 2, plain=np.square, node_name="PowBackward0", spoken_out="pow")
unary("sqrt", np.sqrt, lambda F, g, y: g / (conj(F, y) * 2), kind="float")
unary("rsqrt", parts.rsqrt, lambda F, y: y * y * y * -0.5, kind="float")
unary("reciprocal", np.reciprocal, lambda F, y: -y * y, kind="float")
unary("exp", np.exp, lambda F, y: y, kind="float")
unary("exp2", parts.exp2, lambda F, y: y * _LN2, kind="float", plain=np.exp2, aliases=("special_exp2",))
unary("expm1", np.expm1, lambda F, y: y + 1, kind="float", aliases=("special_expm1",))
unary("log", np.log, lambda F, g, x: g / conj(F, x), kind="float")
unary("log2", np.log2, lambda F, g, x: g / (conj(F, x) * _LN2), kind="float")
unary("log10", np.log10, lambda F, g, x: g / (conj(F, x) * _LN10), kind="float")
unary(
    *("log1p", np.log1p, lambda F, g, x: g / conj(F, x + 1)),
    **dict(kind="float", node_name="Log1PBackward0", aliases=("special_log1p",)),
)
binary(
    *("logaddexp", kernels.logaddexp),
    lambda F, x, other: 1 / (F.exp(other - x) + 1),
    lambda F, x, other: 1 / (F.exp(x - other) + 1),
    inplace=False,
    numbers="none",
    plain=np.logaddexp,
)
binary(
    *("logaddexp2", kernels.logaddexp2),
    lambda F, x, other: 1 / (F.exp2(other - x) + 1),
    lambda F, x, other: 1 / (F.exp2(x - other) + 1),
    inplace=False,
    numbers="none",
    plain=np.logaddexp2,
)


def _xlogy_input(F, g, x, other):
    return F._masked(F.xlogy(g, other), ~((x == 0) & (other <= 0)))


def _xlog1py_input(F, g, x, other):
    return F._masked(F.special_xlog1py(g, other), ~((x == 0) & (other <= -1)))


_XLOGY = dict(kind="float", numbers="one", aliases=("special_xlogy",))
binary("xlogy", kernels.xlogy, _xlogy_input, lambda F, x, other: x / other, **_XLOGY)
binary(
    *("special_xlog1py", kernels.xlog1py, _xlog1py_input, lambda F, x, other: x / (other + 1)),
    **dict(kind="float", inplace=False, numbers="one", node_name="SpecialXlog1PyBackward0"),
)


def _ldexp_out(result, out):
    if not result.is_complex and not dtypes.can_cast(result, out):
        raise RuntimeError(f"ldexp can't be cast to the desired output type {out.legacy}")


binary(
    "ldexp",
    kernels.ldexp,
    lambda F, other: F.exp2(other),
    lambda F, y: y * _LN2,
    kind="float",
    numbers="none",
    check_out=_ldexp_out,
)


def _refuse_integral_ldexp(self):
    if self.dtype.category < dtypes.float32.category:
        raise RuntimeError(f"ldexp can't be cast to the desired output type {self.dtype.legacy}")


guard_inplace("ldexp_", _refuse_integral_ldexp)


def _frexp_out(result, out):
    part = "mantissa" if result.is_floating_point else "exponent"
    if result is not out:
        raise RuntimeError(f"torch.frexp() expects {part} to have dtype {result.cpp_name} but got {out.cpp_name}")


def _frexp(F, g, y):
    """d mantissa / dx = 2**-exponent."""
    return F.ldexp(g, -y[1])


differentiable(
    *("frexp", parts.frexp),
    **dict(vjp=_frexp, returns=("mantissa", "exponent"), nondiff=(1,), saves=(1,), out=True, check_out=_frexp_out),
)

# --------------------------------------------------------------------------------------- trigonometric, hyperbolic

unary("sin", np.sin, lambda F, x: F.cos(x), kind="float")
unary("cos", np.cos, lambda F, x: -F.sin(x), kind="float")
unary("tan", np.tan, lambda F, y: y * y + 1, kind="float")
unary("asin", np.arcsin, lambda F, x: F.rsqrt(1 - x * x), kind="float", aliases=("arcsin",))
unary("acos", np.arccos, lambda F, x: -F.rsqrt(1 - x * x), kind="float", aliases=("arccos",))
unary("atan", np.arctan, lambda F, x: 1 / (x * x + 1), kind="float", aliases=("arctan",))
unary("sinh", np.sinh, lambda F, x: F.cosh(x), kind="float")
unary("cosh", np.cosh, lambda F, x: F.sinh(x), kind="float")
unary("tanh", np.tanh, lambda F, g, y: F._tanh_backward(g, F.conj(y)), kind="float")
binary(
    *("_tanh_backward", kernels.tanh_backward),
    lambda F, g, other: F._tanh_backward(g, F.conj(other)),
    lambda F, x, other: -2 * x * other,
    **dict(node_name="TanhBackwardBackward0", method=False, function=False, inplace=False, out=False),
)
unary("asinh", np.arcsinh, lambda F, x: F.rsqrt(x * x + 1), kind="float", aliases=("arcsinh",))
unary(
    *("acosh", np.arccosh, lambda F, x: F.rsqrt(x + 1) * F.rsqrt(x - 1) if is_complex(x) else F.rsqrt(x * x - 1)),
    **dict(kind="float", aliases=("arccosh",)),
)
unary("atanh", np.arctanh, lambda F, x: 1 / (1 - x * x), kind="float", aliases=("arctanh",))
binary(
    *("atan2", kernels.atan2),
    lambda F, g, x, other: F._masked(g * (other / (x * x + other * other)), (x != 0) | (other != 0)),
    lambda F, g, x, other: F._masked(g * (-x / (x * x + other * other)), (x != 0) | (other != 0)),
    **dict(kind="float", numbers="none", plain=np.arctan2, aliases=("arctan2",)),
)
binary("hypot", kernels.hypot, lambda F, x, y: x / y, lambda F, other, y: other / y, numbers="none", plain=np.hypot)
unary("deg2rad", parts.deg2rad, lambda F: math.pi / 180, kind="float", node_name="Deg2RadBackward0")
unary("rad2deg", parts.rad2deg, lambda F: 180 / math.pi, kind="float", node_name="Rad2DegBackward0")


def _sinc(F, x):
    turned = x * math.pi
    area = turned * x
    return F._masked((F.cos(turned) * turned - F.sin(turned)) / area, area != 0)


unary("sinc", parts.sinc, _sinc, kind="float", aliases=("special_sinc",))

# torch has functions for the in-place forms of unary operators (torch.exp_), but of these there are only methods
for _name in (
    *("add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide", "floor_divide", "fmod", "remainder"),
    *("pow", "addcmul", "addcdiv", "lerp", "eq", "ne", "not_equal", "lt", "less", "le", "less_equal", "gt", "greater"),
    *("ge", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or"),
    *("bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "bitwise_not", "absolute", "sign", "sgn", "copysign"),
    *("heaviside", "nextafter", "atan2", "arctan2", "hypot"),
):
    PLACES[""].pop(_name + "_", None)
for _name in [name for name in PLACES["special"] if name.endswith("_")]:
    del PLACES["special"][_name]

from . import elementwise_inplace  # noqa: E402, F401 - short ways, once everything is declared
