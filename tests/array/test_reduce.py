"""Reductions on arrays: values at every layout and size, accuracy of sums, dtypes, NaN, empty arrays and error texts."""

import math

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import reduce

RNG = np.random.default_rng(0)
SHAPES = [(7,), (3, 5), (40000,), (300, 257), (20000, 3), (3, 20000), (30, 20, 40), (20, 5, 4, 50), (5000, 1, 4)]


def axes_of(shape):
    yield None
    for i in range(len(shape)):
        yield (i,)
    if len(shape) > 2:
        yield (0, 2)
        yield (0, 1)
        yield (1, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_agree_with_long_sums(shape, dtype):
    x = RNG.standard_normal(shape).astype(dtype)
    for axes in axes_of(shape):
        exact = x.astype(np.longdouble).sum(axes)
        size = np.abs(x).astype(np.longdouble).sum(axes)
        for keepdim in (False, True):
            found = reduce.add_reduce(x, axes, keepdim)
            assert found.dtype == dtype
            assert found.shape == x.sum(axes, keepdims=keepdim).shape
            assert (np.abs(found.reshape(exact.shape) - exact) <= 30 * np.finfo(dtype).eps * size).all()


@pytest.mark.parametrize("layout", ["transposed", "strided", "reversed", "expanded"])
def test_sums_of_other_layouts_agree(layout):
    x = RNG.standard_normal((120, 150))
    y = {
        "transposed": x.T,
        "strided": np.repeat(x, 2, 1)[:, ::2],
        "reversed": x[::-1, ::-1],
        "expanded": np.broadcast_to(x[:, None, :1], (120, 150, 1)),
    }[layout]
    for axes in (None, (0,), (1,), (0, 1)):
        np.testing.assert_allclose(reduce.add_reduce(y, axes), y.sum(axes), rtol=1e-12, atol=1e-11)


def test_a_tall_sum_is_accurate():
    ones = np.full((1 << 20, 2), 0.1, np.float32)
    exact = np.float64(np.float32(0.1)) * (1 << 20)
    assert abs(reduce.sum(ones, 0)[0] - exact) / exact < 1e-5
    assert abs(ones.sum(0)[0] - exact) / exact > 1e-4  # what adding in a row gives


def test_half_precision_is_summed_in_single():
    x = np.full(5000, 1.0, np.float16)
    assert reduce.sum(x) == 5000 and reduce.sum(x).dtype == np.float16
    assert reduce.mean(np.full(70000, 2.0, np.float16)) == 2.0


def test_integers_and_bools_sum_to_int64():
    for dtype in (np.bool_, np.uint8, np.int8, np.int32, np.int64):
        found = reduce.sum(np.ones((200, 3), dtype))
        assert found.dtype == np.int64 and found == 600
        assert reduce.prod(np.ones(3, dtype)).dtype == np.int64
    assert reduce.sum(np.ones(3), dtype=dtypes.bool).dtype == np.bool_
    assert reduce.sum(np.ones(3, np.float32), dtype=dtypes.float64).dtype == np.float64


def test_an_empty_tuple_of_dimensions_means_all():
    x = np.arange(6.0).reshape(2, 3)
    assert reduce.sum(x, ()) == 15 and reduce.amax(x, ()) == 5


def test_results_are_arrays_also_without_dimensions():
    for f in (reduce.sum, reduce.mean, reduce.prod, reduce.amax, reduce.max, reduce.argmax, reduce.any, reduce.norm):
        for x in (np.arange(3.0), np.float64(2).reshape(())):
            assert isinstance(f(x), np.ndarray) and f(x).shape == ()


def test_mean_refuses_integers():
    with pytest.raises(RuntimeError, match="Input dtype must be either a floating point or complex dtype. Got: Long"):
        reduce.mean(np.arange(3))
    assert reduce.mean(np.arange(3), dtype=dtypes.float64) == 1
    assert math.isnan(reduce.mean(np.zeros(0)))


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("shape", [(4, 5, 3), (60, 30, 20)])
def test_extremes_and_their_places(shape, dim):
    x = RNG.integers(0, 9, shape).astype(np.float32)
    values, places = reduce.max(x, dim)
    np.testing.assert_array_equal(values, x.max(dim))
    np.testing.assert_array_equal(places, x.argmax(dim))
    values, places = reduce.min(x, dim, True)
    np.testing.assert_array_equal(values, x.min(dim, keepdims=True))
    np.testing.assert_array_equal(places, x.argmin(dim, keepdims=True))
    np.testing.assert_array_equal(reduce.amax(x, dim), x.max(dim))


def test_nan_wins_every_extreme():
    x = np.array([[1.0, np.nan, 3.0, np.nan], [4.0, 2.0, 0.0, 1.0]])
    values, places = reduce.max(x, 1)
    assert np.isnan(values[0]) and places.tolist() == [1, 0]
    values, places = reduce.min(x, 1)
    assert np.isnan(values[0]) and places.tolist() == [1, 2]
    low, high = reduce.aminmax(x, dim=1)
    assert np.isnan(low[0]) and np.isnan(high[0]) and (low[1], high[1]) == (0, 4)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: reduce.sum(np.zeros((2, 3)), 2), IndexError, "Dimension out of range"),
        (
            lambda: reduce.sum(np.zeros((2, 3)), (0, 0)),
            RuntimeError,
            "dim 0 appears multiple times in the list of dims",
        ),
        (lambda: reduce.amax(np.zeros((0, 3))), RuntimeError, "Expected reduction dim to be specified"),
        (lambda: reduce.amax(np.zeros((0, 3)), 0), IndexError, r"amax\(\): Expected reduction dim 0 to have non-zero"),
        (lambda: reduce.max(np.zeros((0, 3)), 0), IndexError, r"max\(\): Expected reduction dim 0 to have non-zero"),
        (lambda: reduce.argmax(np.zeros(0)), IndexError, r"argmax\(\): Expected reduction dim to be specified"),
        (lambda: reduce.norm(np.zeros(0), math.inf), RuntimeError, "cannot compute the inf norm on an empty tensor"),
    ],
)
def test_what_cannot_be_reduced_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf])
def test_norms(p):
    x = RNG.standard_normal((40, 50))
    np.testing.assert_allclose(reduce.norm(x, p), np.linalg.norm(x.ravel(), p), rtol=1e-12)
    np.testing.assert_allclose(reduce.norm(x, p, 1), np.linalg.norm(x, p, axis=1), rtol=1e-12)
    z = x + 1j * x[::-1]
    assert reduce.norm(z, p).dtype == np.float64
    np.testing.assert_allclose(reduce.norm(z, p, 0, True), np.linalg.norm(z, p, axis=0, keepdims=True), rtol=1e-12)


def test_logsumexp_neither_overflows_nor_loses_infinities():
    x = np.array([[1000.0, 1000.0], [-np.inf, -np.inf], [np.inf, 0.0], [-1000.0, -1001.0]])
    expected = [1000 + math.log(2), -math.inf, math.inf, -1000 + math.log1p(math.exp(-1))]
    np.testing.assert_allclose(reduce.logsumexp(x, 1), expected, rtol=1e-14)
    assert reduce.logsumexp(np.zeros((0, 2)), 0).tolist() == [-math.inf, -math.inf]


def test_truth():
    x = np.array([[0, 2], [0, 0]], np.uint8)
    assert reduce.any(x, 1).tolist() == [1, 0] and reduce.any(x).dtype == np.uint8
    assert reduce.all(x.astype(np.int32), 0).dtype == np.bool_
    assert reduce.count_nonzero(np.array([[1.0, np.nan], [0.0, 3.0]]), 0).tolist() == [1, 2]
    assert reduce.nansum(np.array([1.0, np.nan, 2.0])) == 3


def test_hashes_are_exclusive_ors_of_widened_bits():
    assert int(reduce.hash_tensor(np.array([-2, 3, 5], np.int8))) == 0xFFFFFFFFFFFFFFF8
    assert int(reduce.hash_tensor(np.array([1.0], np.float32))) == 0x3FF0000000000000
    assert int(reduce.hash_tensor(np.array([True, True]))) == 0
    got = reduce.hash_tensor(np.arange(6).reshape(2, 3), 0, keepdim=True)
    assert got.dtype == np.uint64
    assert got.tolist() == [[3, 5, 7]]
    with pytest.raises(RuntimeError, match="Unknown hash_tensor mode: 1"):
        reduce.hash_tensor(np.ones(2), mode=1)
    with pytest.raises(IndexError, match="hash_tensor: Expected reduction dim 0 to have non-zero size."):
        reduce.hash_tensor(np.ones((0, 2)), 0)
