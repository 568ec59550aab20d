"""GELU and its derivative on raw arrays, against the formula in double precision."""

import math

import numpy as np
import pytest

from rushlight.array import gelu as kernels
from rushlight.array import threads


def exact(x):
    """(gelu, derivative) in float64."""
    x = x.astype(np.float64)
    cdf = np.array([0.5 * math.erfc(-v * math.sqrt(0.5)) for v in x.ravel()]).reshape(x.shape)
    return x * cdf, cdf + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


X = np.linspace(-9, 9, 20001)


def test_single_precision_is_as_near_as_pytorch():
    x = X.astype(np.float32)
    value, slope = exact(x)
    found, found_slope = kernels.gelu_and_slope(x)
    # PyTorch's errors at these: 1.2e-6 and 3e-7
    assert np.abs(found - value).max() < 1.2e-6
    assert np.abs(found_slope - slope).max() < 4e-7
    near = np.abs(x) < 1
    np.testing.assert_allclose(found[near], value[near], rtol=1e-6)


def test_each_alone_is_the_same():
    x = X.astype(np.float32)
    found, slope = kernels.gelu_and_slope(x)
    np.testing.assert_allclose(kernels.gelu(x), found, rtol=3e-7, atol=1e-7)
    np.testing.assert_allclose(kernels.gelu_partial(x), slope, rtol=3e-7, atol=1e-7)


def test_double_precision():
    value, slope = exact(X)
    np.testing.assert_allclose(kernels.gelu(X), value, rtol=1e-13, atol=2e-15)
    np.testing.assert_allclose(kernels.gelu_partial(X), slope, rtol=1e-13, atol=2e-15)


def test_far_away_it_is_the_ramp():
    x = np.array([-math.inf, -1e30, -40.0, -6.0, -0.0, 6.0, 40.0, 1e30, math.inf, math.nan], np.float32)
    found = kernels.gelu(x)
    np.testing.assert_array_equal(found[1:3], [0, 0])
    np.testing.assert_array_equal(found[5:9], x[5:9])
    assert np.isnan(found[[0, 9]]).all()
    np.testing.assert_allclose(kernels.gelu_partial(x)[[1, 2, 6, 7]], [0, 0, 1, 1], atol=4e-7)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layout_and_shape_are_kept(approximate, dtype):
    x = np.random.default_rng(0).standard_normal((6, 5, 4)).astype(dtype)
    expected = kernels.gelu(x, approximate=approximate)
    for turned in ((2, 0, 1), (2, 1, 0)):
        found = kernels.gelu(x.transpose(turned), approximate=approximate)
        np.testing.assert_allclose(found, expected.transpose(turned), rtol=1e-6, atol=1e-7)
        assert found.strides == np.empty_like(x.transpose(turned)).strides
    assert kernels.gelu(dtype(0.5) * np.ones(()), approximate=approximate).shape == ()
    assert kernels.gelu(np.empty((0, 3), dtype), approximate=approximate).shape == (0, 3)
    np.testing.assert_allclose(kernels.gelu(x[:, ::2], approximate=approximate), expected[:, ::2], rtol=1e-6, atol=1e-7)


def test_bits_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(0).standard_normal(200_001).astype(np.float32)
    was = threads.get_num_threads()
    try:
        made = []
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            made.append(kernels.gelu_and_slope(x))
    finally:
        threads.set_num_threads(was)
    for value, slope in made[1:]:
        assert np.array_equal(value, made[0][0])
        assert np.array_equal(slope, made[0][1])


def test_unknown_approximations_are_refused():
    with pytest.raises(RuntimeError, match="approximate argument must be either none or tanh"):
        kernels.gelu(np.ones(3), approximate="erf")
