"""Activation functions of torch.nn.functional, with `inplace=` and the `name_` forms.

Smooth ones have a fused partial (`_silu_partial`, `_gelu_partial`, ...) for the plain backward pass, which is an operator of
its own whose derivative is written in elementary functions, for double backward. Kinks follow PyTorch: relu'(0) = 0,
hardtanh' = 0 on its limits, leaky_relu'(0) = negative_slope.
"""

import math

import numpy as np

from .. import dtypes
from ..array import elementwise_activation as kernels
from ..array import gelu as gelu_kernels
from ..array.elementwise_parts import relu as relu_kernel
from ..array.large import LARGE, chain_rule
from ..array.random_create import rrelu_noise
from ..autograd.modes import state, thread
from ..parameter import Parameter
from ..tensor import Tensor
from . import undifferentiable
from .asking import asking
from .elementwise import same_dtype
from .table import METHODS, PLACES, RAW, TENSOR, binary, composite, differentiable, elementwise, face_of, unary

_private = dict(method=False, function=False)
_functional = PLACES["nn.functional"]


def _show(name, function, text=None):
    function.__name__ = function.__qualname__ = name
    function.__module__ = "torch.nn.functional"
    function.__doc__ = text
    _functional[name] = function


def _plain(name, text):
    """torch.nn.functional.name(input, inplace=False) over the operator `name` of one argument."""
    public, written = face_of(name, "nn.functional"), _in_place(name)

    def function(input, inplace=False):
        return written(input, inplace=True) if inplace else public(input)

    _show(name, function, text)


def _in_place(name):
    """The function `name_` as torch.nn.functional.name(..., inplace=True), which it is shown as."""
    write = getattr(TENSOR, name + "_")

    def function(*args, inplace):
        return write(*args)

    return asking(function, ("nn.functional", name))


# --------------------------------------------------------------------------------------------------------- sigmoid

unary(
    *("sigmoid", kernels.sigmoid, lambda F, g, y: F._sigmoid_backward(g, F.conj(y))),
    **dict(kind="float", aliases=("special_expit",)),
)
binary(
    *("_sigmoid_backward", lambda input, other: input * ((1 - other) * other)),
    lambda F, g, other: F._sigmoid_backward(g, F.conj(other)),
    lambda F, x, other: x * (1 - 2 * other),
    **dict(node_name="SigmoidBackwardBackward0", method=False, function=False, inplace=False, out=False),
)
for _name in ("sigmoid", "tanh"):
    _functional[_name] = face_of(_name, METHODS)


def _silu_second(F, x):
    s = F.sigmoid(x)
    return s * (1 - s) * (2 + x * (1 - 2 * s))


unary("_silu_partial", kernels.silu_partial, _silu_second, **_private)
unary("silu", kernels.silu, lambda F, x: F._silu_partial(x), **_private)
_plain("silu", "``x * sigmoid(x)``, also called swish.")


def _logsigmoid_out(result, out):
    if result is not out:
        raise RuntimeError(f"expected scalar type {result.legacy} but found {out.legacy}")


unary(
    *("logsigmoid", kernels.logsigmoid, lambda F, x: F.sigmoid(-x)),
    **dict(node_name="LogSigmoidBackward0", check_out=_logsigmoid_out, spoken_out="log_sigmoid_forward", **_private),
)
_functional["logsigmoid"] = TENSOR.logsigmoid


def _softplus_partial(F, x, beta, threshold):
    scaled = x if beta == 1 else x * beta
    linear = scaled > threshold
    return F._masked(F.sigmoid(scaled), ~linear) + linear


elementwise("softplus", kernels.softplus, ("input",), dict(input=_softplus_partial), check_out=same_dtype, **_private)
_functional["softplus"] = TENSOR.softplus


def _mish_second(F, x):
    w, s = F.tanh(F.softplus(x)), F.sigmoid(x)
    slope = s * (1 - w * w)
    return slope * (2 + x * (1 - s - 2 * s * w))


unary("_mish_partial", kernels.mish_partial, _mish_second, **_private)
unary("mish", kernels.mish, lambda F, x: F._mish_partial(x), **_private)
_plain("mish", "``x * tanh(softplus(x))``.")


def _gelu_second(F, x, approximate):
    if approximate == "none":
        return F.exp(x * x * -0.5) * (2 - x * x) * (1 / math.sqrt(2 * math.pi))
    k, c = math.sqrt(2 / math.pi), 0.044715
    u = F.tanh((x + x * x * x * c) * k)
    slope, bend = (x * x * (3 * c) + 1) * k, x * (6 * k * c)
    return (1 - u * u) * (slope + x * (bend * 0.5 - u * slope * slope))


elementwise("_gelu_partial", gelu_kernels.gelu_partial, ("input",), dict(input=_gelu_second), **_private)
elementwise(
    *("gelu", gelu_kernels.gelu, ("input",)),
    dict(input=lambda F, x, approximate: F._gelu_partial(x, approximate=approximate)),
    **dict(check_out=same_dtype, **_private),
)
unary(
    *("_gelu_tanh", lambda input: gelu_kernels.gelu(input, approximate="tanh")),
    lambda F, x: F._gelu_partial(x, approximate="tanh"),
    **dict(node_name="GeluBackward0", **_private),
)


def _gelu_kept(input, made, slope, approximate="none"):
    return made


def _pull_gelu_kept(F, g, x, slope, approximate):
    if F is RAW:
        return chain_rule(g, lambda F, known: known, (slope,))
    return g * F._gelu_partial(x, approximate=approximate)


# `made` and `slope` are arrays: GELU of a large input and its derivative, which together cost little more than one of them
differentiable("_gelu_kept", _gelu_kept, vjp=_pull_gelu_kept, node_name="GeluBackward0", **_private)


def _gelu(input, *, approximate="none", out=None):
    if out is not None:
        return TENSOR.gelu(input, approximate=approximate, out=out)
    if approximate == "none":
        if input.__class__ in (Tensor, Parameter) and input._a.size > LARGE and _keeps_slope(input):
            return TENSOR._gelu_kept(input, *gelu_kernels.gelu_and_slope(input._a))
        return TENSOR.gelu(input)
    return _other_gelu(input, approximate=approximate)


def _other_gelu(input, *, approximate):
    return TENSOR._gelu_tanh(input) if approximate == "tanh" else TENSOR.gelu(input, approximate=approximate)


_other_gelu = asking(_other_gelu, ("nn.functional", "gelu"))


def _keeps_slope(input):
    """Whether a call will be recorded and nothing but that is on, so that its derivative may as well be made at once."""
    return not state.rare and thread.grad and input.requires_grad and input._dtype is dtypes.float32


_show("gelu", _gelu, "``x`` times the normal distribution function at ``x``; `approximate` is 'none' or 'tanh'.")

# ------------------------------------------------------------------------------------------------------ elu's family


def _elu_rule(F, x, alpha, scale, input_scale):
    return F._elu_partial(x, alpha, scale, input_scale)


elementwise(
    *("_elu_partial", kernels.elu_partial, ("input",)),
    dict(
        input=lambda F, x, alpha, scale, input_scale: F._masked(
            F._elu_partial(x, alpha, scale, input_scale) * input_scale, ~(x > 0)
        )
    ),
    **_private,
)
elementwise("elu", kernels.elu, ("input",), dict(input=_elu_rule), **_private)


def _selu(input):
    return kernels.elu(input, kernels.SELU_ALPHA, kernels.SELU_SCALE)


def _celu(input, alpha=1.0):
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return kernels.elu(input, alpha, 1.0, 1.0 / alpha)


unary(
    *("selu", _selu, lambda F, x: F._elu_partial(x, kernels.SELU_ALPHA, kernels.SELU_SCALE)),
    **dict(node_name="EluBackward0", method=False, out=False),
)
elementwise(
    *("celu", _celu, ("input",), dict(input=lambda F, x, alpha: F._elu_partial(x, alpha, 1.0, 1.0 / alpha))),
    **dict(method=False, out=False),
)
_plain("selu", "Scaled exponential linear unit.")


_elu_in_place, _celu, _celu_in_place = _in_place("elu"), face_of("celu", "nn.functional"), _in_place("celu")


def _elu_function(input, alpha=1.0, inplace=False):
    if inplace:
        return _elu_in_place(input, alpha, inplace=True)
    # without further arguments the call is quicker
    return TENSOR.elu(input) if alpha == 1 else TENSOR.elu(input, alpha)


def _celu_function(input, alpha=1.0, inplace=False):
    if inplace:
        return _celu_in_place(input, alpha, inplace=True)
    return _celu(input) if alpha == 1 else _celu(input, alpha)


_show("elu", _elu_function, "Exponential linear unit: ``alpha * expm1(x)`` below zero.")
_show("celu", _celu_function, "Continuously differentiable elu: ``alpha * expm1(x / alpha)`` below zero.")

# ------------------------------------------------------------------------------------------------ relu and its kin

unary("relu", relu_kernel, lambda F, g, y: F._above(g, y), out=False)
_plain("relu", "``max(x, 0)``.")

# `input` where `gate` is positive, else times `slope` (a number or a tensor): leaky_relu, prelu and their pullbacks
differentiable(
    *("_leaky", kernels.leaky),
    vjp=dict(
        input=lambda F, g, gate, slope: F._leaky(g, gate, slope),
        gate=lambda F, g, gate_shape: F.sum_to(F.zeros_like(g), gate_shape),
        slope=lambda F, g, x, gate: F._gated(g * x, ~(gate > 0), gate),
    ),
    jvp=dict(
        input=lambda F, t, gate, slope: F._leaky(t, gate, slope),
        gate=lambda F, t: F.zeros_like(t),
        slope=lambda F, t, x, gate: F._gated(t * x, ~(gate > 0), gate),
    ),
    **_private,
)
elementwise(
    *("leaky_relu", kernels.leaky_relu, ("input",)),
    dict(input=lambda F, g, x, negative_slope: F._leaky(g, x, negative_slope)),
    **_private,
)


_leaky_in_place = _in_place("leaky_relu")


def _leaky_function(input, negative_slope=0.01, inplace=False):
    if inplace:
        return _leaky_in_place(input, negative_slope, inplace=True)
    return TENSOR.leaky_relu(input) if negative_slope == 0.01 else TENSOR.leaky_relu(input, negative_slope)


_show("leaky_relu", _leaky_function, "``x`` above zero, ``negative_slope * x`` below.")

differentiable(
    *("_prelu", kernels.prelu),
    vjp=dict(
        input=lambda F, g, x, weight: F._leaky(g, x, weight),
        weight=lambda F, g, x: F._gated(g * x, ~(x > 0), x),
    ),
    **dict(node_name="PreluKernelBackward0", **_private),
)


@composite("prelu")
def prelu(F, input, weight):
    """``x`` above zero, ``weight * x`` below; `weight` holds one number, or one for each channel (dimension 1)."""
    if input.dtype != weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {_legacy(input)} and {_legacy(weight)}")
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    count = math.prod(weight.shape)
    if weight.ndim and count != 1:
        if not input.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if count != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. "
                f"Found parameter numbers = {count} and channel size = {channels}."
            )
    shape = [1] * input.ndim
    if input.ndim > 1:
        shape[1] = count
    return F._prelu(input, F.reshape(weight, tuple(shape)))


def _legacy(x):
    dtype = x.dtype
    if dtype.__class__ is np.dtype:
        from .. import dtypes

        dtype = dtypes.of(dtype)
    return dtype.legacy


_functional["prelu"] = TENSOR.prelu

differentiable("_rrelu_noise", rrelu_noise, **_private)
# input times noise; `gate` stays in the graph with derivative 0
differentiable(
    *("_noisy", lambda input, noise, gate: np.multiply(input, noise, out=...)),
    vjp=dict(input=lambda F, g, noise, gate: F._noisy(g, noise, gate), gate=lambda F, g: F.zeros_like(g)),
    jvp=dict(input=lambda F, t, noise, gate: F._noisy(t, noise, gate), gate=lambda F, t: F.zeros_like(t)),
    **_private,
)
differentiable(
    *("_rrelu_with_noise", lambda input, noise: np.multiply(input, noise, out=...)),
    **dict(vjp=lambda F, g, x, noise: F._noisy(g, noise, x), jvp=lambda F, t, noise: t * noise),
    **dict(node_name="RreluWithNoiseBackward0", inplace=True, **_private),
)


def _rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None, inplace=False):
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if state.rare:
        _refuse_rrelu_in_vmap(inplace)
    if not training:
        return _leaky_function(input, (lower + upper) / 2, inplace)
    noise = TENSOR._rrelu_noise(input.detach(), lower, upper, generator=generator)
    return (TENSOR._rrelu_with_noise_ if inplace else TENSOR._rrelu_with_noise)(input, noise)


def _refuse_rrelu_in_vmap(inplace):
    from ..autograd.batching_random import batched_around

    if batched_around():
        raise RuntimeError(f"vmap: we do not yet support aten::rrelu{'_' * inplace}. Please file an issue")


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """leaky_relu with a slope drawn from [lower, upper] for each negative element; their mean when not training."""
    return _rrelu(input, lower, upper, training, generator)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """`rrelu`, written into `input`."""
    return _rrelu(input, lower, upper, training, generator, inplace=True)


def _rrelu_function(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    return _rrelu(input, lower, upper, training, None, inplace)


PLACES[""]["rrelu"], PLACES[""]["rrelu_"] = asking(rrelu, ("", "rrelu")), asking(rrelu_, ("", "rrelu_"))
_show("rrelu", asking(_rrelu_function, ("nn.functional", "rrelu")), rrelu.__doc__)

# ------------------------------------------------------------------------------------------- straight-line pieces


def _threshold_rule(F, g, x, threshold):
    return F._above(g, x, threshold)


elementwise("threshold", kernels.threshold, ("input",), dict(input=_threshold_rule), method=False)


_threshold, _threshold_in_place = face_of("threshold", "nn.functional"), _in_place("threshold")


def _threshold_function(input, threshold, value, inplace=False):
    if inplace:
        return _threshold_in_place(input, threshold, value, inplace=True)
    return _threshold(input, threshold, value)


_show("threshold", _threshold_function, "``x`` where above `threshold`, else `value`.")

elementwise(
    *("hardtanh", kernels.hardtanh, ("input",)),
    dict(input=lambda F, g, x, min_val, max_val: F._gated(g, (x > min_val) & (x < max_val), x)),
    **_private,
)


_hardtanh_in_place = _in_place("hardtanh")


def _hardtanh_function(input, min_val=-1.0, max_val=1.0, inplace=False):
    if inplace:
        return _hardtanh_in_place(input, min_val, max_val, inplace=True)
    if min_val == -1 and max_val == 1:
        return TENSOR.hardtanh(input)
    return TENSOR.hardtanh(input, min_val, max_val)


_show("hardtanh", _hardtanh_function, "``x`` limited to [min_val, max_val].")
unary(
    *("relu6", lambda input: kernels.hardtanh(input, 0.0, 6.0), lambda F, g, x: F._gated(g, (x > 0) & (x < 6), x)),
    **dict(node_name="HardtanhBackward0", **_private),
)
_plain("relu6", "``min(max(x, 0), 6)``.")

differentiable(
    *("_hardsigmoid_backward", lambda grad, input: RAW._gated(grad * (1 / 6), (input > -3) & (input < 3), input)),
    **undifferentiable.entirely("hardsigmoid_backward", "grad", "input"),
)
unary("hardsigmoid", kernels.hardsigmoid, lambda F, g, x: F._hardsigmoid_backward(g, x), **_private)
_plain("hardsigmoid", "``x / 6 + 1 / 2`` limited to [0, 1].")
unary(
    *("hardswish", kernels.hardswish),
    lambda F, g, x: F._masked(g * (x / 3 + 0.5), ~((x <= -3) | (x >= 3))) + F._masked(g, x >= 3),
    **_private,
)
_plain("hardswish", "``x * hardsigmoid(x)``.")


def _outside(F, g, x, lambd):
    return F._gated(g, (x < -lambd) | (x > lambd), x)


elementwise("hardshrink", kernels.hardshrink, ("input",), dict(input=_outside), inplace=False, check_out=same_dtype)
_functional["hardshrink"] = TENSOR.hardshrink
elementwise(
    "softshrink", kernels.softshrink, ("input",), dict(input=_outside), inplace=False, check_out=same_dtype, **_private
)
_functional["softshrink"] = TENSOR.softshrink

for _name in ("relu", "elu", "selu", "celu", "leaky_relu", "hardtanh", "threshold"):
    _functional[_name + "_"] = PLACES[""].get(_name + "_", getattr(TENSOR, _name + "_"))
_functional["rrelu_"] = PLACES[""]["rrelu_"]


def _tanhshrink(input):
    return input - input.tanh()


def _softsign(input):
    return input / (input.abs() + 1)


_show("tanhshrink", asking(_tanhshrink, ("nn.functional", "tanhshrink")), "``x - tanh(x)``.")
_show("softsign", asking(_softsign, ("nn.functional", "softsign")), "``x / (1 + |x|)``.")

# ------------------------------------------------------------------------------------------------------------- glu


def _glu_rule(F, g, x, dim):
    half = x.shape[dim] // 2
    a, b = F.narrow(x, dim, 0, half), F.narrow(x, dim, half, half)
    s = F.sigmoid(b)
    return F.cat([g * s, g * a * (s * (1 - s))], dim)


differentiable("glu", kernels.glu, vjp=_glu_rule, **_private)
_functional["glu"] = TENSOR.glu

PLACES["special"].pop("expit_", None)
