"""Running reductions: values, precision, the places of running extremes, dtypes."""

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import scan

X = np.random.default_rng(5).standard_normal((4, 6))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_values(dim):
    np.testing.assert_allclose(scan.cumsum(X, dim), X.cumsum(dim), rtol=1e-14)
    np.testing.assert_allclose(scan.cumprod(X, dim), X.cumprod(dim), rtol=1e-14)
    np.testing.assert_allclose(scan.logcumsumexp(X, dim), np.log(np.exp(X).cumsum(dim)), rtol=1e-13)
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(np.exp(scan.logcumsumexp(z, dim)), np.exp(z).cumsum(dim), rtol=1e-12)


def test_single_precision_runs_in_double():
    x = np.full(1 << 20, 0.1, np.float32)
    exact = np.float64(np.float32(0.1)) * (1 << 20)
    assert scan.cumsum(x, 0)[-1] == np.float32(exact)


def test_dtypes():
    assert scan.cumsum(np.ones(3, np.int8), 0).dtype == np.int64
    assert scan.cumsum(np.ones(3, bool), 0).tolist() == [1, 2, 3]
    assert scan.cumsum(np.ones(3, np.float16), 0).dtype == np.float16
    assert scan.cumprod(np.ones(3, np.int64), 0, dtype=dtypes.float32).dtype == np.float32
    with pytest.raises(NotImplementedError, match="\"logcumsumexp_out_cpu\" not implemented for 'Long'"):
        scan.logcumsumexp(np.arange(3), 0)


def test_running_extremes_name_the_last_of_equals():
    values, places = scan.cummax(np.array([1.0, 3.0, 3.0, 2.0, 4.0]), 0)
    assert values.tolist() == [1, 3, 3, 3, 4] and places.tolist() == [0, 1, 2, 2, 4]
    values, places = scan.cummin(np.array([1.0, np.nan, 0.0, np.nan]), 0)
    assert np.isnan(values[1:]).all() and places.tolist() == [0, 1, 1, 3]
    assert scan.cummax(np.array(2.0), 0)[1] == 0


def test_logarithms_of_running_sums_keep_infinities():
    x = np.array([-np.inf, -np.inf, 1000.0, np.inf])
    assert scan.logcumsumexp(x, 0).tolist() == [-np.inf, -np.inf, 1000, np.inf]


def test_complex_logarithms_of_running_sums_go_on_across_the_cut():
    x = np.array([2.5j, 1 + 4j, 1 + 6j, 0.5 + 7j])
    got = scan.logcumsumexp(x, 0)
    np.testing.assert_allclose(np.exp(got), np.cumsum(np.exp(x)))
    # adding the terms up one by one, the smaller to the larger
    expected = [x[0]]
    for term in x[1:]:
        small, large = sorted((expected[-1], term), key=lambda z: z.real)
        expected.append(np.log(1 + np.exp(small - large)) + large)
    np.testing.assert_allclose(got, expected)
    assert abs(got.imag).max() > np.pi
