"""Sorting and searching: order, stability and NaN at every dtype and size, both ways; searches row by row; sets."""

import numpy as np
import pytest

from rushlight.array import sort

RNG = np.random.default_rng(4)
DTYPES = [np.float32, np.float64, np.float16, np.int8, np.int32, np.int64, np.uint8, np.bool_]


def sample(shape, dtype):
    x = RNG.integers(0, 50, shape).astype(dtype)
    if x.dtype.kind == "f":
        flat = x.reshape(-1)
        for at, value in enumerate((np.nan, -np.inf, -0.0, 0.0, np.inf, -3.0, np.nan)):
            flat[at :: max(9, len(flat) // 4)] = value
    return x


@pytest.mark.parametrize("shape", [(9,), (40, 60), (5, 3000), (700, 20)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_order_is_stable_and_puts_nan_last(shape, dtype):
    x = sample(shape, dtype)
    for dim in range(len(shape)):
        ascending = np.argsort(x, dim, kind="stable")
        values, places = sort.sort(x, dim)
        np.testing.assert_array_equal(places, ascending)
        np.testing.assert_array_equal(values, np.take_along_axis(x, ascending, dim))
        rank = np.where(np.isnan(x), np.inf, x.astype(np.float64)) if x.dtype.kind == "f" else x.astype(np.float64)
        twice = np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
        descending = np.lexsort((-rank, ~twice), axis=dim) if len(shape) > 1 else np.lexsort((-rank, ~twice))
        np.testing.assert_array_equal(sort.argsort(x, dim, True), descending)


@pytest.mark.parametrize("shape", [(30,), (40, 100), (3, 5000)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32])
@pytest.mark.parametrize("largest", [True, False])
def test_the_first_few(shape, dtype, largest):
    x = RNG.permutation(np.arange(np.prod(shape))).reshape(shape).astype(dtype)
    for dim in range(len(shape)):
        for k in (0, 1, min(5, shape[dim]), shape[dim]):
            values, places = sort.topk(x, k, dim, largest)
            expected = np.sort(x, dim)
            expected = np.flip(expected, dim) if largest else expected
            np.testing.assert_array_equal(values, np.take(expected, range(k), dim))
            np.testing.assert_array_equal(np.take_along_axis(x, places, dim), values)


def test_the_first_few_count_nan_as_largest():
    x = np.array([1.0, np.nan, 3.0, -np.inf] * 50, np.float32)
    assert np.isnan(sort.topk(x, 3)[0]).all()
    assert (sort.topk(x, 3, largest=False)[0] == -np.inf).all()


@pytest.mark.parametrize("right", [False, True])
def test_searching_row_by_row(right):
    rows = np.sort(RNG.integers(0, 10, (4, 3, 7)), -1)
    values = RNG.integers(-1, 12, (4, 3, 5))
    found = sort.searchsorted(rows, values, right=right, out_int32=True)
    assert found.dtype == np.int32
    for at in np.ndindex(4, 3):
        np.testing.assert_array_equal(found[at], np.searchsorted(rows[at], values[at], "right" if right else "left"))
    order = RNG.permutation(7)
    shuffled = rows[0, 0][order]
    sorter = np.argsort(shuffled)
    assert sort.searchsorted(shuffled, np.array([4]), sorter=sorter, right=right) == sort.searchsorted(
        rows[0, 0], 4, right=right
    )


def test_sets():
    x = np.array([[3, 1, 3], [1, 2, 3]])
    values, inverse, counts = sort.unique(x)
    assert values.tolist() == [1, 2, 3] and counts.tolist() == [2, 1, 3]
    np.testing.assert_array_equal(values[inverse], x)
    rows = np.array([[1, 2], [0, 5], [1, 2]])
    values, inverse, counts = sort.unique(rows, dim=0)
    assert values.tolist() == [[0, 5], [1, 2]] and inverse.tolist() == [1, 0, 1] and counts.tolist() == [1, 2]
    values, inverse, counts = sort.unique_consecutive(np.array([1, 1, 2, 1, 1, 1]))
    assert values.tolist() == [1, 2, 1] and counts.tolist() == [2, 1, 3] and inverse.tolist() == [0, 0, 1, 2, 2, 2]
    assert sort.unique_consecutive(rows[[0, 2, 1]], dim=0)[0].tolist() == [[1, 2], [0, 5]]
    assert len(sort.unique(np.array([np.nan, np.nan]))[0]) == 2
    assert sort.isin(np.array([1, 2, 5]), np.array([5, 1]), invert=True).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: sort.topk(x, 4), RuntimeError, "selected index k out of range"),
        (lambda x: sort.sort(x + 0j), RuntimeError, " Sort does not support complex dtypes on CPU"),
        (
            lambda x: sort.searchsorted(x[0], x, side="up"),
            RuntimeError,
            "side can only be 'left' or 'right' but got up",
        ),
        (
            lambda x: sort.searchsorted(x, x[0]),
            RuntimeError,
            r"we got boundaries tensor \[2, 3\] and input value tensor",
        ),
        (lambda x: sort.bucketize(x, x), RuntimeError, r"boundaries tensor must be 1 dimension, but got dim\(2\)"),
        (lambda x: sort.unique(x + 0j), (NotImplementedError, RuntimeError), "not implemented for 'ComplexDouble'"),
    ],
)
def test_what_has_no_order_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call(np.arange(6.0).reshape(2, 3))
