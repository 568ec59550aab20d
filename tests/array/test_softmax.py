"""Softmax kernels: small and blockwise, every dimension, infinities, half precision; and their backward kernels."""

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import softmax

RNG = np.random.default_rng(1)


def reference(x, dim):
    e = np.exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


@pytest.mark.parametrize("shape", [(3, 4), (400, 300), (70000, 2), (2, 50000), (30, 40, 50)], ids=str)
def test_values_of_any_size(shape):
    x = 5 * RNG.standard_normal(shape)
    g = RNG.standard_normal(shape)
    for dim in range(len(shape)):
        y = reference(x, dim)
        np.testing.assert_allclose(softmax.softmax(x, dim), y, rtol=1e-12)
        np.testing.assert_allclose(softmax.log_softmax(x, dim - len(shape)), np.log(y), rtol=1e-12, atol=1e-12)
        back = y * (g - (g * y).sum(dim, keepdims=True))
        np.testing.assert_allclose(softmax._softmax_backward_data(g, y, dim), back, rtol=1e-10, atol=1e-14)
        back = g - y * g.sum(dim, keepdims=True)
        np.testing.assert_allclose(softmax._log_softmax_backward_data(g, np.log(y), dim), back, rtol=1e-10, atol=1e-11)


def test_a_row_does_not_depend_on_its_neighbours():
    x = RNG.standard_normal((1000, 77)).astype(np.float32)
    whole = softmax.softmax(x, 1)
    assert np.array_equal(softmax.softmax(x[:500].copy(), 1), whole[:500])


def test_infinities():
    x = np.array([[-np.inf, 0.0], [-np.inf, -np.inf], [np.nan, 0.0], [1e30, -1e30]])
    with np.errstate(all="ignore"):
        y = softmax.softmax(x, 1)
    assert y[0].tolist() == [0, 1] and np.isnan(y[1]).all() and np.isnan(y[2]).all() and y[3].tolist() == [1, 0]


def test_dtypes():
    x = RNG.standard_normal((4, 5)).astype(np.float16)
    assert softmax.softmax(x, 1).dtype == np.float16
    np.testing.assert_array_equal(softmax.softmax(x, 1), reference(x.astype(np.float32), 1).astype(np.float16))
    assert softmax.softmax(np.arange(3), 0, dtypes.float64).dtype == np.float64
    with pytest.raises(NotImplementedError, match="\"softmax_lastdim_kernel_impl\" not implemented for 'Long'"):
        softmax.softmax(np.arange(3), 0)


def test_no_dimensions_and_no_elements():
    assert softmax.softmax(np.array(3.0), 0) == 1 and softmax.log_softmax(np.array(3.0), -1) == 0
    assert softmax.softmax(np.zeros((2, 0)), 1).shape == (2, 0)


def test_rows_are_worked_on_alone_whatever_stands_beside_them():
    rng = np.random.default_rng(1)
    tame = rng.standard_normal((64, 1000)).astype(np.float32)
    wild = tame.copy()
    wild[1] += 1000
    wild[2] -= 1000
    wild[3] = -np.inf
    wild[4, 7] = np.nan
    wild[5, 7] = np.inf
    wild[6, 3] = -np.inf
    for function in (softmax.softmax, softmax.log_softmax):
        calm, stormy = function(tame, 1), function(wild, 1)
        assert np.array_equal(calm[7:], stormy[7:])
        assert np.isnan(stormy[3:6]).all()
        np.testing.assert_allclose(stormy[1:3], calm[1:3], rtol=1e-3, atol=1e-4)  # the shift rounds the input
        exact = tame[7:].astype(np.float64)
        exact -= np.log(np.exp(exact).sum(1, keepdims=True))
        exact = exact if function is softmax.log_softmax else np.exp(exact)
        np.testing.assert_allclose(calm[7:], exact, rtol=1e-6)
    assert softmax.softmax(wild, 1)[6, 3] == 0
    assert softmax.log_softmax(wild, 1)[6, 3] == -np.inf
