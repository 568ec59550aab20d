"""Activation functions: each a few in-place passes over one cache-sized block (see `blocks`).

The formulas are those of PyTorch's documentation, arranged so that no intermediate overflows into NaN and so that no pass
needs a branch: for instance elu is ``scale * (max(x, 0) + alpha * expm1(min(x, 0)))``.
"""

import numpy as np

from .. import dtypes
from .blocks import BLOCK, apply, keep, select
from .elementwise import legacy, refuse
from .elementwise_parts import clamp


def _real(input, kernel):
    """Only floating tensors from here on."""
    if input.dtype.kind in "biuc":
        refuse(kernel, input)


# --------------------------------------------------------------------------------------------------------- sigmoid


def sigmoid(input):
    """1 / (1 + exp(-x))."""
    return apply(_sigmoid, (input,))


def _sigmoid(x, y):
    np.negative(x, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.reciprocal(y, out=y)


def silu(input):
    """x * sigmoid(x)."""
    if input.dtype.kind in "biu":
        refuse("silu_cpu", input)
    return apply(_silu, (input,))


def _silu(x, y):
    np.negative(x, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.divide(x, y, out=y)


def silu_partial(input):
    """d silu / dx = s (1 + x (1 - s)) with s = sigmoid(x)."""
    return apply(_silu_partial, (input,), scratch=1)


def _silu_partial(x, y, t):
    _sigmoid(x, t)
    np.subtract(1, t, out=y)
    np.multiply(y, x, out=y)
    np.add(y, 1, out=y)
    np.multiply(y, t, out=y)


def logsigmoid(input):
    """log(sigmoid(x)) = min(x, 0) - log1p(exp(-|x|))."""
    _real(input, "log_sigmoid_cpu")
    return apply(_logsigmoid, (input,), scratch=1)


def _logsigmoid(x, y, t):
    np.abs(x, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    np.log1p(t, out=t)
    np.minimum(x, 0, out=y)
    np.subtract(y, t, out=y)


def softplus(input, beta=1, threshold=20):
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    _real(input, "softplus_cpu")

    def step(x, y, t):
        np.multiply(x, beta, out=t)
        linear = t > threshold
        np.exp(t, out=y)
        np.log1p(y, out=y)
        if beta != 1:
            np.divide(y, beta, out=y)
        if linear.any():
            select(linear, x, y, y)

    return apply(step, (input,), scratch=1)


def mish(input):
    """x * tanh(softplus(x)), by tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2) with e = exp(x)."""
    _real(input, "mish_cpu")
    return apply(_mish, (input,), scratch=1)


def _mish(x, y, t):
    np.minimum(x, 20, out=y)  # beyond, the quotient is 1 to the last digit
    np.exp(y, out=y)
    np.add(y, 2, out=t)
    np.multiply(y, t, out=y)
    np.add(y, 2, out=t)
    np.divide(y, t, out=y)
    np.multiply(y, x, out=y)


def mish_partial(input):
    """d mish / dx = w + x sigmoid(x) (1 - w**2), w = tanh(softplus(x))."""
    return apply(_mish_partial, (input,), scratch=2)


def _mish_partial(x, y, t, s):
    np.minimum(x, 20, out=y)
    np.exp(y, out=y)
    np.add(y, 2, out=t)
    np.multiply(y, t, out=y)
    np.add(y, 2, out=t)
    np.divide(y, t, out=t)  # w
    _sigmoid(x, s)
    np.multiply(t, t, out=y)
    np.subtract(1, y, out=y)
    np.multiply(y, s, out=y)
    np.multiply(y, x, out=y)
    np.add(y, t, out=y)


# ------------------------------------------------------------------------------------------------------ elu's family

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def elu(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """``scale * x`` where positive, ``scale * alpha * expm1(input_scale * x)`` where not."""
    _real(input, "elu_cpu")

    def step(x, y, t):
        np.minimum(x, 0, out=y)
        if input_scale != 1:
            np.multiply(y, input_scale, out=y)
        np.expm1(y, out=y)
        if alpha * scale != 1:
            np.multiply(y, alpha * scale, out=y)
        np.maximum(x, 0, out=t)
        if scale != 1:
            np.multiply(t, scale, out=t)
        np.add(y, t, out=y)

    return apply(step, (input,), scratch=1)


def elu_partial(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """d elu / dx: `scale` where positive, ``scale * alpha * input_scale * exp(input_scale * x)`` where not."""

    def step(x, y):
        np.minimum(x, 0, out=y)
        np.multiply(y, input_scale, out=y)
        np.exp(y, out=y)
        np.multiply(y, scale * alpha * input_scale, out=y)
        positive = x > 0
        if positive.any():
            select(positive, np.full(x.shape, scale, x.dtype), y, y)

    return apply(step, (input,))


def leaky_relu(input, negative_slope=0.01):
    """x where positive, ``negative_slope * x`` where not."""
    _real(input, "leaky_relu_cpu")

    def step(x, y, t):
        if 0 < negative_slope <= 1:
            np.multiply(x, negative_slope, out=y)
            np.maximum(x, y, out=y)
        else:
            np.minimum(x, 0, out=y)
            np.multiply(y, negative_slope, out=y)
            np.maximum(x, 0, out=t)
            np.add(y, t, out=y)

    return apply(step, (input,), scratch=1)


def prelu(input, weight):
    """x where positive, ``weight * x`` where not; `weight` has been shaped to broadcast with `input`."""
    _real(input, "prelu_cpu")
    return leaky(input, input, weight)


def leaky(input, gate, slope):
    """`input` where `gate` is positive, ``slope * input`` where not; `slope` is a number or an array that broadcasts."""
    shape = np.broadcast_shapes(input.shape, gate.shape)
    if input.dtype.itemsize == 2:
        return leaky(input.astype(np.float32), gate, slope).astype(input.dtype)
    scaled = np.multiply(input, slope, out=...)
    if scaled.shape != shape or not input.shape == gate.shape == shape or not input.ndim:
        return np.where(gate > 0, input, scaled)
    if input.size > BLOCK and not hasattr(slope, "ndim"):
        return apply(lambda x, v, y: select(v > 0, x, np.multiply(x, slope, out=y), y), (input, gate))
    return select(np.greater(gate, 0), input, scaled, scaled)


# ------------------------------------------------------------------------------------------- straight-line pieces


def threshold(input, threshold, value):
    """x where x > threshold (or NaN), else `value`."""
    if input.dtype.kind in "bc":
        refuse("threshold_cpu", input)
    return np.where(input <= threshold, input.dtype.type(value), input)


def hardtanh(input, min_val=-1.0, max_val=1.0):
    """x limited to [min_val, max_val]."""
    if input.dtype.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if input.dtype.kind == "u" and min_val < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    return clamp(input, input.dtype.type(min_val), input.dtype.type(max_val))


def hardsigmoid(input):
    """x / 6 + 1 / 2 limited to [0, 1]."""
    _real(input, "hardsigmoid_cpu")
    return apply(_hardsigmoid, (input,))


def _hardsigmoid(x, y):
    np.add(x, 3, out=y)
    np.maximum(y, 0, out=y)
    np.minimum(y, 6, out=y)
    np.divide(y, 6, out=y)


def hardswish(input):
    """x * hardsigmoid(x)."""
    _real(input, "hardswish_cpu")
    return apply(_hardswish, (input,))


def _hardswish(x, y):
    np.add(x, 3, out=y)
    np.maximum(y, 0, out=y)
    np.minimum(y, 6, out=y)
    np.multiply(y, x, out=y)
    np.divide(y, 6, out=y)


def hardshrink(input, lambd=0.5):
    """x outside [-lambd, lambd], 0 inside."""
    _real(input, "hardshrink_cpu")

    def step(x, y):
        inside = (x >= -lambd) & (x <= lambd)
        keep(~inside, x, y)

    return apply(step, (input,))


def softshrink(input, lambd=0.5):
    """x moved towards 0 by `lambd`, and 0 where that crosses it."""
    if input.dtype.kind in "biuc":
        refuse("softshrink_check", input)
    limit = dtypes.finfo(dtypes.of(input.dtype)).max
    if not 0 <= lambd <= limit:
        raise RuntimeError(
            f"lambda must be in range [0, {limit:g}] for input dtype {legacy(input)}, but found {lambd:g}"
        )

    def step(x, y):
        np.maximum(x, -lambd, out=y)
        np.minimum(y, lambd, out=y)
        np.subtract(x, y, out=y)

    return apply(step, (input,))


def glu(input, dim=-1):
    """First half along `dim` times the sigmoid of the second half."""
    if not input.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but got {dim})"
        )
    dim %= input.ndim
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    _real(input, "glu_cpu")
    a, b = np.split(input, 2, axis=dim)
    return apply(_glu, (a, b))


def _glu(a, b, y):
    _sigmoid(b, y)
    np.multiply(a, y, out=y)
