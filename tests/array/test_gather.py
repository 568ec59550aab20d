"""Gather, scatter and their kin: values by the defining loop, what happens at repeated places, error texts."""

import itertools

import numpy as np
import pytest

from rushlight.array import gather

RNG = np.random.default_rng(2)
X = np.arange(12.0).reshape(3, 4)
INDEX = np.array([[0, 2, 1, 2], [2, 0, 0, 1]])


def by_definition(shape, dim, index):
    """Pairs (place in the index, place in the array) that the documentation of gather spells out."""
    for at in itertools.product(*map(range, index.shape)):
        yield at, tuple(index[at] if d == dim else i for d, i in enumerate(at))


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_gather_and_scatter_follow_their_definition(dim, kind):
    x = RNG.standard_normal((4, 5, 3))
    index = RNG.integers(0, x.shape[dim], (3, 2, 2)).astype(kind)
    src = RNG.standard_normal((3, 3, 3))
    taken = gather.gather(x, dim, index)
    put, added = x.copy(), x.copy()
    for at, place in by_definition(x.shape, dim, index):
        assert taken[at] == x[place]
        put[place] = src[at]
        added[place] += src[at]
    np.testing.assert_array_equal(gather.scatter(x, dim, index, src), put)
    np.testing.assert_allclose(gather.scatter_add(x, dim, index, src), added, rtol=1e-13)
    np.testing.assert_allclose(gather.scatter(x, dim, index, src, reduce="add"), added, rtol=1e-13)
    np.testing.assert_allclose(
        gather._gather_backward(src[:3, :2, :2], x.shape, dim, index),
        gather.scatter_add(np.zeros_like(x), dim, index, src),
        rtol=1e-13,
    )


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float16])
def test_reductions_of_what_meets_in_one_place(reduce, include_self, dtype):
    x = (RNG.integers(1, 5, (3, 4))).astype(dtype)
    src = RNG.integers(1, 5, (2, 4)).astype(dtype)
    meeting = {at: [] for at in np.ndindex(3, 4)}
    for at, place in by_definition(x.shape, 0, INDEX):
        meeting[place].append(src[at])
    expected = x.copy()
    combine = dict(sum=np.sum, prod=np.prod, mean=np.mean, amax=np.max, amin=np.min)[reduce]
    for place, met in meeting.items():
        if met:
            values = np.array([*met, x[place]] if include_self else met, np.float64)
            expected[place] = np.floor(combine(values)) if dtype == np.int64 else combine(values)
    found = gather.scatter_reduce(x, 0, INDEX, src, reduce, include_self=include_self)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    if reduce != "sum":
        rows = np.array([2, 0, 2])
        by_index = gather.index_reduce(x, 0, rows, src[[0, 1, 0]], reduce, include_self=include_self)
        spread = np.repeat(rows[:, None], 4, 1)
        np.testing.assert_array_equal(
            by_index, gather.scatter_reduce(x, 0, spread, src[[0, 1, 0]], reduce, include_self=include_self)
        )


def test_whole_slices():
    rows = np.array([2, 0, 2])
    np.testing.assert_array_equal(gather.index_select(X, 0, rows), X[rows])
    np.testing.assert_array_equal(gather.index_select(X, -1, rows), X[:, rows])
    added = X.copy()
    np.add.at(added, (slice(None), rows), 2 * np.ones((3, 3)))
    np.testing.assert_array_equal(gather.index_add(X, 1, rows, np.ones((3, 3)), alpha=2), added)
    assert gather.index_copy(X, 0, np.array([1]), np.ones((1, 4)))[1].tolist() == [1] * 4
    assert gather.index_fill(X, 1, np.array([-1, 0]), 7)[:, [0, 3]].tolist() == [[7, 7]] * 3
    np.testing.assert_array_equal(gather._index_select_backward(np.ones((3, 3)), (3, 4), 1, rows), [[1, 0, 2, 0]] * 3)


def test_flat_places():
    assert gather.take(X, np.array([[0, -1], [5, 5]])).tolist() == [[0, 11], [5, 5]]
    put = gather.put(X, np.array([0, -1, 0]), np.array([1.0, 2.0, 3.0]), True)
    assert put[0, 0] == 4 and put[2, 3] == 13 and X[2, 3] == 11
    found = gather.take_along_dim(X, np.array([[0], [1], [2]]), 1)
    assert found.tolist() == [[0], [5], [10]]
    assert gather.take_along_dim(X, np.array([3, 4])).tolist() == [3, 4]


def test_numbers_are_taken_for_vectors():
    one = np.array(5.0)
    assert gather.gather(one, 0, np.array([0, 0])).tolist() == [5, 5]
    assert gather.index_select(one, 0, np.array([0])).shape == ()
    assert gather.scatter(one, 0, np.array(0), np.array(2.0)).tolist() == 2


REFUSED = [
    (
        lambda: gather.gather(X, 0, np.array([[5]])),
        RuntimeError,
        "index 5 is out of bounds for dimension 0 with size 3",
    ),
    (
        lambda: gather.gather(X, 1, np.array([[-1]])),
        RuntimeError,
        "index -1 is out of bounds for dimension 1 with size 4",
    ),
    (
        lambda: gather.gather(X, 0, np.array([0])),
        RuntimeError,
        "must have the same number of dimensions as input tensor",
    ),
    (lambda: gather.gather(X, 0, np.array([[0.0]])), RuntimeError, r"gather\(\): Expected dtype int32/int64 for index"),
    (lambda: gather.gather(X, 0, np.zeros((3, 5), int)), RuntimeError, "Size does not match at dimension 1"),
    (
        lambda: gather.scatter(X, 0, np.array([[0]]), X.astype(np.float32)),
        RuntimeError,
        "self.dtype to be equal to src",
    ),
    (lambda: gather.scatter(X, 0, np.zeros((1, 5), int), X), RuntimeError, r"no larger size than src \[3, 4\]"),
    (lambda: gather.scatter_reduce(X, 0, INDEX, X, "x"), RuntimeError, "sum, prod, mean, amax or amin, got x"),
    (lambda: gather.index_select(X, 0, np.array([3])), IndexError, "index out of range in self"),
    (lambda: gather.index_select(X, 0, np.array([-1])), IndexError, "index out of range in self"),
    (lambda: gather.index_add(X, 0, np.array([0]), X), RuntimeError, r"Number of indices \(1\) should be equal to"),
    (lambda: gather.index_copy(X, 0, np.array([3]), X[:1]), IndexError, r"index_copy_\(\): index 3 is out of bounds"),
    (
        lambda: gather.index_fill(X, 0, np.array([3]), 1),
        IndexError,
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    (lambda: gather.take(X, np.array([12])), IndexError, "tried to access index 12 on a tensor of 12 elements."),
    (lambda: gather.put(X, np.array([0]), np.zeros(2)), IndexError, r"source.numel\(\) = 2, index.numel\(\) = 1"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = REFUSED[number]
    with pytest.raises(error, match=text):
        call()
