"""Variances, medians, modes and histograms: values, degrees of freedom, NaN, ties."""

import numpy as np
import pytest

from rushlight.array import statistics

X = np.random.default_rng(8).standard_normal((30, 40))


@pytest.mark.parametrize("correction", [0, 1, 2.5])
@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)])
def test_variances(dim, correction):
    found = statistics.var(X, dim, correction=correction)
    np.testing.assert_allclose(found, X.var(dim, ddof=correction), rtol=1e-13)
    std, mean = statistics.std_mean(X, dim, keepdim=True, correction=correction)
    np.testing.assert_allclose(std, X.std(dim, ddof=correction, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(mean, X.mean(dim, keepdims=True), rtol=1e-13, atol=1e-16)
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(statistics.var(z, dim, correction=correction), z.var(dim, ddof=correction), rtol=1e-13)


def test_the_flag_for_unbiased_may_stand_in_the_place_of_dim():
    assert statistics.var(X, False) == statistics.var(X, correction=0)
    assert statistics.var(X, 0, False)[0] == statistics.var(X, 0, correction=0)[0]


def test_too_few_degrees_of_freedom_warn():
    with pytest.warns(UserWarning, match=r"var\(\): degrees of freedom is <= 0."):
        assert np.isnan(statistics.var(np.zeros(1)))
    with pytest.raises(RuntimeError, match="std and var only support floating point and complex dtypes"):
        statistics.std(np.arange(3))


def test_medians_are_the_lower_ones():
    assert statistics.median(np.array([4, 1, 3, 2])) == 2
    x = np.array([[4.0, np.nan, 1.0, 2.0], [1.0, 2.0, 3.0, 0.0]])
    values, places = statistics.median(x, 1)
    assert np.isnan(values[0]) and places[0] == 1 and values[1] == 1 and places[1] == 0
    values, places = statistics.nanmedian(x, 1, True)
    assert values.tolist() == [[2], [1]] and places.tolist() == [[3], [0]]
    assert np.isnan(statistics.median(x)) and statistics.nanmedian(x) == 2
    assert np.isnan(statistics.median(np.zeros(0)))


def test_modes_and_ranks():
    values, places = statistics.mode(np.array([[3, 1, 3, 1, 2], [5, 5, 4, 4, 4]]))
    assert values.tolist() == [1, 4] and places.tolist() == [3, 4]
    values, places = statistics.kthvalue(X, 3, 0)
    np.testing.assert_array_equal(values, np.sort(X, 0)[2])
    np.testing.assert_array_equal(places, np.argsort(X, 0)[2])
    with pytest.raises(RuntimeError, match="selected number k out of range for dimension 1"):
        statistics.kthvalue(X, 41)


def test_histograms():
    x = X.reshape(-1)
    counts, edges = np.histogram(x, 13, (-2, 2))
    assert statistics.histc(x, 13, -2, 2).tolist() == counts.tolist()
    hist, found = statistics.histogram(x, 13, range=(-2.0, 2.0))
    np.testing.assert_allclose(found, edges, atol=1e-15)
    assert hist.tolist() == counts.tolist()
    density, _ = statistics.histogram(x, np.array([-3.0, 0.0, 0.5, 3.0]), density=True)
    np.testing.assert_allclose(density, np.histogram(x, [-3, 0, 0.5, 3], density=True)[0], rtol=1e-13)
    hist, *edges = statistics.histogramdd(X[:, :2], [3, 4])
    expected, given = np.histogramdd(X[:, :2], [3, 4])
    np.testing.assert_array_equal(hist, expected)
    np.testing.assert_allclose(edges[1], given[1], rtol=1e-14)
    assert statistics.bincount(np.array([1, 3, 1]), np.array([1.0, 2.0, 3.0]), 6).tolist() == [0, 4, 0, 2, 0, 0]
    with pytest.raises(RuntimeError, match="bincount only supports 1-d non-negative integral inputs."):
        statistics.bincount(np.array([1, -1]))
