"""Subscripts: which are views, where indexed dimensions land, writes and their casts, sums at repeated places, error texts."""

import warnings

import numpy as np
import pytest

from rushlight.array import accumulate, indexing

X = np.arange(24.0).reshape(2, 3, 4)
ALL = slice(None)


def get(index):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return indexing.getitem(X, index)


@pytest.mark.parametrize(
    "index",
    [
        0,
        (0, 1),
        (ALL, 1),
        ...,
        (..., 0),
        None,
        (None, 0, None),
        slice(0, 2),
        (0, 1, 2),
        (),
        np.array(1),
        (ALL, ALL, slice(None, None, 2)),
    ],
    ids=repr,
)
def test_basic_indices_are_views(index):
    found = get(index)
    assert np.shares_memory(found, X)
    np.testing.assert_array_equal(found, X[index if not isinstance(index, np.ndarray) else int(index)])


@pytest.mark.parametrize(
    ("index", "shape"),
    [
        (([0, 1],), (2, 3, 4)),
        ((0, ALL, np.array([0, 1])), (3, 2)),
        ((np.array([0, 1]), ALL, np.array([0, 1])), (2, 3)),
        ((np.array([0, 1]), None, np.array([0, 1])), (2, 1, 4)),
        ((np.array([0, 1]), 0, np.array([0, 1])), (2,)),
        ((ALL, np.array([[0], [1]]), np.array([0, 1, 2])), (2, 2, 3)),
        ((ALL, True, np.array([0, 1])), (2, 2, 4)),
        (True, (1, 2, 3, 4)),
        (False, (0, 2, 3, 4)),
        (X[..., 0] > 3, (5, 4)),
        ((X[..., 0] > 3, 0), (5,)),
        ((..., np.array([True, False, True, False])), (2, 3, 2)),
        (([0, 1], [0, 1]), (2, 4)),
        ([0, 1], (2, 3, 4)),
        (np.zeros(0, np.int64), (0, 3, 4)),
        ([], (0, 3, 4)),
    ],
    ids=lambda v: repr(v)[:40],
)
def test_indexed_dimensions_land_where_pytorch_puts_them(index, shape):
    found = get(index)
    assert found.shape == shape and not np.shares_memory(found, X)


REFUSED = [
    (2, IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
    ((0, 3), IndexError, "index 3 is out of bounds for dimension 1 with size 3"),
    ((0, 0, 0, 0), IndexError, "too many indices for tensor of dimension 3"),
    (np.array([5]), IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (slice(None, None, -1), ValueError, "step must be greater than zero"),
    (np.array([True, False, True]), IndexError, r"The shape of the mask \[3\] at index 0 does not match the shape of"),
    (np.array([1.0]), IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    ((np.array([0, 1]), np.array([0, 1, 2])), IndexError, r"could not be broadcast together with shapes \[2\], \[3\]"),
    (1.5, IndexError, r"None and long or byte Variables are valid indices \(got float\)"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_wrong_indices_are_refused(number):
    index, error, text = REFUSED[number]
    with pytest.raises(error, match=text):
        get(index)


def test_a_number_has_no_elements():
    with pytest.raises(IndexError, match="invalid index of a 0-dim tensor"):
        indexing.getitem(np.array(1.0), 0)


def test_writes_broadcast_and_cast():
    x = np.zeros((2, 3), np.float32)
    indexing.setitem(x, 0, np.arange(3))
    indexing.setitem(x, (1, [0, 2]), np.array([5.0], np.float32))
    indexing.setitem(x, x == 1, np.array(9))
    assert x.tolist() == [[0, 9, 2], [5, 0, 5]]
    indexing.setitem(x, ..., np.ones((1, 1, 1, 3)))
    assert x.min() == 1
    n = np.zeros(3, np.int64)
    indexing.setitem(n, n == 0, np.array([2.7]))
    assert n.tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="dtypes match, got Long for the destination and Double"):
        indexing.setitem(n, [0], np.array(2.7))


@pytest.mark.parametrize(
    ("index", "value", "text"),
    [
        (0, np.zeros(4), r"The expanded size of the tensor \(3\) must match the existing size \(4\)"),
        ([0], np.zeros(3, np.int32), "Index put requires the source and destination dtypes match, got Double"),
        ([0], np.zeros(2), r"value tensor of shape \[2\] cannot be broadcast to indexing result of shape \[1, 3\]"),
        (np.ones((2, 3), bool), np.zeros(5), r"value tensor of shape \[5\] cannot be broadcast to indexing result"),
    ],
)
def test_wrong_values_are_refused(index, value, text):
    with pytest.raises(RuntimeError, match=text):
        indexing.setitem(np.zeros((2, 3)), index, value)


@pytest.mark.parametrize("front", [0, 1, 2])
def test_repeated_places_add_up(front):
    rng = np.random.default_rng(0)
    shape = (5, 6, 7)
    places = [rng.integers(-n, n, (3, 40)) for n in shape[front:]]
    indices = [None] * front + places
    where = (ALL,) * front + tuple(places)
    values = rng.standard_normal(np.zeros(shape)[where].shape)
    expected = np.ones(shape)
    np.add.at(expected, where, values)
    np.testing.assert_allclose(indexing.index_put(np.ones(shape), indices, values, True), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64, np.float16, np.bool_])
@pytest.mark.parametrize("width", [1, 3, 50])
@pytest.mark.parametrize(("count", "rows"), [(5, 60), (200, 10), (50, 60), (1000, 999)])
def test_row_sums_at_places(dtype, width, count, rows):
    rng = np.random.default_rng(count)
    places = rng.integers(0, count, rows)
    given = rng.integers(0, 3, (rows, width)).astype(dtype)
    expected = np.zeros((count, width), dtype)
    np.add.at(expected, places, given)
    np.testing.assert_array_equal(accumulate.sum_rows(places, given, count), expected)
    target = np.zeros((count, width), dtype)
    accumulate.add_at(target, places, given)
    np.testing.assert_array_equal(target, expected)
