"""Arithmetic, rounding, limits and activations on raw arrays: where PyTorch differs from NumPy."""

import math

import numpy as np
import pytest

from rushlight.array import elementwise as kernels
from rushlight.array import elementwise_activation as activation
from rushlight.array import elementwise_parts as parts

inf, nan = math.inf, math.nan


def same(found, expected):
    """Equal, also in the signs of zeros; NaN equals NaN."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype.kind != "f":
        return np.array_equal(found, expected)
    number = ~np.isnan(found)
    signs = np.array_equal(np.signbit(found[number]), np.signbit(expected[number]))
    return np.array_equal(found, expected, equal_nan=True) and signs


# --------------------------------------------------------------------------------------------------------- division


def test_integer_division_by_zero_is_an_error():
    a, b = np.array([3, -3]), np.array([2, 0])
    for divide in (
        kernels.floor_divide,
        kernels.remainder,
        kernels.fmod,
        lambda a, b: kernels.div(a, b, rounding_mode="trunc"),
    ):
        with pytest.raises(RuntimeError, match="^ZeroDivisionError$"):
            divide(a, b)


def test_rounding_modes_on_integers():
    a, b = np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2])
    assert same(kernels.div(a, b, rounding_mode="floor"), [3, -4, -4, 3])
    assert same(kernels.div(a, b, rounding_mode="trunc"), [3, -3, -3, 3])
    assert kernels.div(a, b).dtype == np.float32
    with pytest.raises(RuntimeError, match="expected rounding_mode to be one of None, 'trunc', or 'floor'"):
        kernels.div(a, b, rounding_mode="up")


def test_remainder_has_the_sign_of_the_divisor_and_keeps_the_sign_of_zero():
    a = np.array([5.0, -5.0, 5.0, -5.0, -0.0, 3.0, -3.0])
    b = np.array([3.0, 3.0, -3.0, -3.0, 2.0, inf, inf])
    assert same(kernels.remainder(a, b), [2.0, 1.0, -1.0, -2.0, -0.0, 3.0, inf])
    assert same(kernels.fmod(a, b), [2.0, -2.0, 2.0, -2.0, -0.0, 3.0, -3.0])


def test_floor_division_of_floats_follows_python():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.standard_normal(2000) * 10, [0.0, -0.0, 1.0, -1.0, 6.0, 0.3, -0.3]])
    b = np.concatenate([rng.standard_normal(2000), [2.0, 2.0, inf, inf, 0.1, 0.7, -0.7]])
    assert same(kernels.floor_divide(a, b), [x // y for x, y in zip(a.tolist(), b.tolist(), strict=True)])
    with np.errstate(all="ignore"):
        assert same(kernels.floor_divide(np.array([1.0, -1.0, 0.0]), np.zeros(3)), [inf, -inf, nan])


@pytest.mark.parametrize("spread", (1.0, 1e-3, 1e-12))
def test_single_precision_fmod_is_exact(spread):
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.standard_normal(5000) * 100, np.arange(-300, 300) * 0.1, [0.0, -0.0]]).astype(np.float32)
    b = np.concatenate([rng.standard_normal(5000), np.full(600, 0.1), [3.0, 3.0]]).astype(np.float32)
    b[:5000] *= np.float32(spread)
    found = np.empty_like(a)
    kernels._fmod(a, b, found)
    assert same(found, np.fmod(a, b))
    b[17] = inf
    kernels._fmod(a, b, found)
    assert same(found, np.fmod(a, b))


# ----------------------------------------------------------------------------------------------------------- powers


def test_integer_powers():
    base = np.array([1, -1, -1, 2, 3])
    assert same(kernels.pow(base, np.array([-2, -2, -3, -1, 2])), [1, 1, -1, 0, 9])
    with pytest.raises(RuntimeError, match="Integers to negative integer powers are not allowed"):
        kernels.pow(base, -1)
    with pytest.raises(NotImplementedError, match="\"pow\" not implemented for 'Bool'"):
        kernels.pow(np.array([True]), np.array([True]))


@pytest.mark.parametrize("exponent", (-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 2.5))
def test_powers_by_a_number(exponent):
    x = np.array([0.25, 1.0, 3.0, 7.5])
    assert np.allclose(kernels.pow(x, exponent), np.exp(exponent * np.log(x)), rtol=1e-14)


# ---------------------------------------------------------------------------------------------------- bools and bits


def test_bool_has_no_subtraction():
    b = np.array([True, False])
    with pytest.raises(RuntimeError, match="with two bool tensors is not supported"):
        kernels.sub(b, b)
    with pytest.raises(RuntimeError, match="Negation, the `-` operator, on a bool tensor is not supported"):
        kernels.neg(b)
    assert same(kernels.add(b, b), [True, False])


def test_alpha_is_checked_against_the_dtype():
    i, f = np.array([1, 2]), np.array([1.0, 2.0])
    assert same(kernels.add(i, i, alpha=3), [4, 8])
    assert same(kernels.sub(f, f, alpha=0.5), [0.5, 1.0])
    with pytest.raises(RuntimeError, match="argument alpha must not be a floating point number"):
        kernels.add(i, i, alpha=1.5)
    with pytest.raises(RuntimeError, match="argument alpha must not be a complex number"):
        kernels.add(f, f, alpha=1j)
    with pytest.raises(RuntimeError, match="Boolean alpha only supported for Boolean results"):
        kernels.add(i, i, alpha=True)


def test_shifts_out_of_range():
    x = np.array([5, -5, 5, -5])
    by = np.array([64, 70, -1, -1])
    assert same(kernels.bitwise_left_shift(x, by), [0, 0, 0, 0])
    assert same(kernels.bitwise_right_shift(x, by), [0, -1, 0, -1])
    with pytest.raises(NotImplementedError, match="\"bitwise_and_cpu\" not implemented for 'Double'"):
        kernels.bitwise_and(np.ones(2), np.ones(2))


# -------------------------------------------------------------------------------------------------- rounding, signs


def test_rounding_is_half_to_even_and_knows_decimals():
    x = np.array([0.5, 1.5, 2.5, -0.5, 2.675])
    assert same(parts.round(x), [0.0, 2.0, 2.0, -0.0, 3.0])
    assert np.allclose(parts.round(x, decimals=1), [0.5, 1.5, 2.5, -0.5, 2.7])
    assert same(parts.round(np.array([1250.0, -1251.0]), decimals=-2), [1200.0, -1300.0])
    assert same(parts.floor(np.array([3, -3])), [3, -3])
    with pytest.raises(NotImplementedError, match="\"round_cpu\" not implemented for 'Long'"):
        parts.round(np.array([3]), decimals=1)


def test_signs():
    x = np.array([2.0, -3.0, 0.0, -0.0, nan])
    assert same(parts.sign(x), [1.0, -1.0, 0.0, 0.0, 0.0])
    assert np.allclose(parts.sgn(np.array([3 + 4j, 0j])), [0.6 + 0.8j, 0])
    assert same(parts.angle(np.array([-1.0, 1.0, -0.0, nan])), [math.pi, 0.0, 0.0, nan])
    assert parts.angle(np.array([-1, 1])).dtype == np.float32
    with pytest.raises(NotImplementedError, match="torch.sign is not intended to support complex numbers"):
        parts.sign(np.array([1j]))


def test_maximum_passes_nan_on_and_fmax_does_not():
    a, b = np.array([1.0, nan, nan]), np.array([nan, 2.0, nan])
    assert same(parts.maximum(a, b), [nan, nan, nan])
    assert same(parts.fmax(a, b), [1.0, 2.0, nan])


def test_clamp_where_limits_cross_the_upper_wins():
    x = np.array([-2.0, 0.5, 3.0, nan])
    assert same(parts.clamp(x, 2, 1), [1.0, 1.0, 1.0, nan])
    assert same(parts.clamp(x, min=0), [0.0, 0.5, 3.0, nan])
    with pytest.raises(RuntimeError, match="At least one of 'min' or 'max' must not be None"):
        parts.clamp(x)


def test_clamp_of_many_is_clamp_of_few():
    x = np.random.default_rng(0).standard_normal(100_000)
    for low, high in ((-0.5, 0.5), (None, 0.5), (-0.5, None), (1.0, -1.0)):
        few = np.concatenate([parts.clamp(piece, low, high) for piece in np.split(x, 100)])
        assert same(parts.clamp(x, low, high), few)


def test_short_integers_wrap_around():
    x = np.array([300, -5], np.int16)
    assert same(kernels.addcmul(x, x, x, value=1), np.array([(300 + 90000 + 32768) % 65536 - 32768, 20], np.int16))
    assert parts.clamp(np.arange(40_000).astype(np.int16), np.int16(3), np.int16(5)).dtype == np.int16


def test_nan_to_num_uses_the_limits_of_the_dtype():
    x = np.array([nan, inf, -inf, 1.0], np.float32)
    largest = np.finfo(np.float32).max
    assert same(parts.nan_to_num(x), np.array([0, largest, -largest, 1], np.float32))
    assert same(parts.nan_to_num(x, 1.0, 2.0, 3.0), np.array([1, 2, 3, 1], np.float32))


def test_heaviside_of_nan_is_zero():
    x = np.array([-1.0, 0.0, 2.0, nan])
    assert same(kernels.heaviside(x, np.full(4, 0.5)), [0.0, 0.5, 1.0, 0.0])
    with pytest.raises(RuntimeError, match="different dtypes"):
        kernels.heaviside(x, np.array([1]))


def test_x_log_y_at_zero():
    with np.errstate(all="ignore"):
        assert same(kernels.xlogy(np.array([0.0, 0.0, 2.0]), np.array([0.0, nan, 1.0])), [0.0, nan, 0.0])
        assert same(kernels.xlog1py(np.array([0.0, 0.0]), np.array([-1.0, nan])), [0.0, nan])


def test_isclose():
    a, b = np.array([1.0, inf, nan, 1.0]), np.array([1.0 + 1e-9, inf, nan, 2.0])
    assert same(kernels.isclose(a, b), [True, True, False, False])
    assert same(kernels.isclose(a, b, equal_nan=True), [True, True, True, False])
    with pytest.raises(RuntimeError, match="Double did not match Long"):
        kernels.isclose(a, np.array([1, 2, 3, 4]))
    with pytest.raises(RuntimeError, match="rtol must be greater than or equal to zero"):
        kernels.isclose(a, b, rtol=-1.0)


def test_lerp_is_exact_at_both_ends():
    a, b = np.array([1e16, 0.1]), np.array([1.0, 0.7])
    assert same(kernels.lerp(a, b, 0.0), a) and same(kernels.lerp(a, b, 1.0), b)
    assert same(kernels.lerp(a, b, np.array([1.0, 0.0])), [1.0, 0.1])
    with pytest.raises(RuntimeError, match="expected dtype double for `end` but got dtype float"):
        kernels.lerp(a, b.astype(np.float32), 0.5)


# ------------------------------------------------------------------------------------------------------- activations

X = np.concatenate([np.linspace(-30, 30, 241), [-1000.0, -100.0, 100.0, 1000.0, -0.0]])


def reference(name):
    """The formulas of PyTorch's documentation, one number at a time."""

    def log1pexp(v):
        return max(v, 0) + math.log1p(math.exp(-abs(v)))

    def sigmoid(v):
        return 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v))

    return dict(
        sigmoid=sigmoid,
        silu=lambda v: v * sigmoid(v),
        logsigmoid=lambda v: -log1pexp(-v),
        softplus=lambda v: v if v > 20 else math.log1p(math.exp(v)),
        mish=lambda v: v * math.tanh(log1pexp(v)),
        elu=lambda v: v if v > 0 else math.expm1(v),
        leaky_relu=lambda v: v if v > 0 else 0.01 * v,
        hardsigmoid=lambda v: min(max(v + 3, 0), 6) / 6,
        hardswish=lambda v: v * min(max(v + 3, 0), 6) / 6,
        hardtanh=lambda v: min(max(v, -1), 1),
        hardshrink=lambda v: v if abs(v) > 0.5 else 0.0,
        softshrink=lambda v: v - 0.5 if v > 0.5 else v + 0.5 if v < -0.5 else 0.0,
    )[name]


@pytest.mark.parametrize(
    "name",
    (
        *("sigmoid", "silu", "logsigmoid", "softplus", "mish", "elu", "leaky_relu", "hardsigmoid", "hardswish"),
        *("hardtanh", "hardshrink", "softshrink"),
    ),
)
def test_activations_against_their_formulas(name):
    expected = np.array([reference(name)(v) for v in X.tolist()])
    with np.errstate(all="ignore"):
        for dtype, rtol in ((np.float64, 1e-14), (np.float32, 2e-6)):
            found = getattr(activation, name)(X.astype(dtype))
            assert found.dtype == dtype
            atol = 1e-15 if dtype == np.float64 else 1e-7
            assert np.allclose(found, expected, rtol=rtol, atol=atol)
        assert np.isnan(getattr(activation, name)(np.array([nan]))).all()


@pytest.mark.parametrize("dtype", (np.float64, np.float32))
def test_relu_of_many_and_of_few(dtype):
    for size in (3, 1000, 100_000):
        x = np.random.default_rng(0).standard_normal(size).astype(dtype)
        assert np.array_equal(parts.relu(x), np.where(x > 0, x, 0))


def test_glu_needs_an_even_size():
    x = np.arange(6.0).reshape(2, 3)
    with pytest.raises(RuntimeError, match="Halving dimension must be even, but dimension 1 is size 3"):
        activation.glu(x)
    half = activation.glu(x, 0)
    assert np.allclose(half, x[:1] / (1 + np.exp(-x[1:])))
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 2"):
        activation.glu(x, 2)


def test_activation_arguments_are_checked():
    x = np.ones(3)
    with pytest.raises(ValueError, match="min_val cannot be greater than max_val"):
        activation.hardtanh(x, 2.0, 1.0)
    with pytest.raises(RuntimeError, match=r"lambda must be in range \[0,"):
        activation.softshrink(x, -1.0)
    with pytest.raises(NotImplementedError, match="\"mish_cpu\" not implemented for 'Long'"):
        activation.mish(np.array([1]))
