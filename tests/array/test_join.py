"""Joining, repeating, turning: values against NumPy, promoted dtypes, and error texts."""

import numpy as np
import pytest

from rushlight.array import join

X = np.arange(6.0).reshape(2, 3)


def test_joining_promotes_and_skips_empty_vectors():
    joined = join.cat([X.astype(np.float32), np.arange(3).reshape(1, 3)])
    assert joined.dtype == np.float32 and joined.shape == (3, 3)
    assert join.cat([np.zeros(0, np.float64), X.astype(np.float32)]).dtype == np.float64
    assert join.stack([np.array(1), np.array(2.5)]).tolist() == [1, 2.5]
    np.testing.assert_array_equal(join.stack([X, X + 1], -1), np.stack([X, X + 1], -1))


def test_block_diagonals():
    found = join.block_diag([np.ones((1, 2)), np.array(5.0), np.array([6.0, 7.0])])
    assert found.tolist() == [[1, 1, 0, 0, 0], [0, 0, 5, 0, 0], [0, 0, 0, 6, 7]]


def test_repeating():
    np.testing.assert_array_equal(join.repeat(X, (2, 1, 3)), np.tile(X, (2, 1, 3)))
    np.testing.assert_array_equal(join.tile(X, (2,)), np.tile(X, 2))
    assert join.repeat(X, (0, 2)).shape == (0, 6)
    np.testing.assert_array_equal(join.repeat_interleave(X, np.array([1, 2, 0]), 1), np.repeat(X, [1, 2, 0], 1))
    assert join.repeat_interleave(np.array([2, 0, 3])).tolist() == [0, 0, 2, 2, 2]


def test_turning():
    np.testing.assert_array_equal(join.roll(X, (1, -1), (0, 1)), np.roll(X, (1, -1), (0, 1)))
    np.testing.assert_array_equal(join.roll(X, 2), np.roll(X, 2))
    np.testing.assert_array_equal(join.flip(X, (0, 1)), X[::-1, ::-1])
    for k in range(-1, 5):
        np.testing.assert_array_equal(join.rot90(X, k), np.rot90(X, k))


@pytest.mark.parametrize("k", [-5, -1, 0, 1, 5])
def test_triangles_and_diagonals(k):
    cube = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(join.tril(cube, k), np.tril(cube, k))
    np.testing.assert_array_equal(join.triu(cube, k), np.triu(cube, k))
    np.testing.assert_array_equal(join.diag(np.arange(3.0), k), np.diag(np.arange(3.0), k))
    np.testing.assert_array_equal(join.diag(X, k), np.diag(X, k))
    embedded = join.diag_embed(X, k, 0, 2)
    np.testing.assert_array_equal(np.diagonal(embedded, k, 0, 2), X)
    assert embedded.sum() == X.sum()


def test_summing_back_what_was_broadcast():
    x = np.ones((4, 2, 3))
    assert join.sum_to(x, (2, 1)).tolist() == [[12], [12]]
    assert join.sum_to(x, (4, 2, 3)) is x
    assert join.sum_to(x, ()).tolist() == 24
    with pytest.raises(RuntimeError, match=r"size \{\[5\]\} is not expandable to size \{\[4, 2, 3\]\}."):
        join.sum_to(x, (5,))


REFUSED = [
    (lambda: join.cat([]), ValueError, "expected a non-empty list of Tensors"),
    (lambda: join.cat([X, X[0]]), RuntimeError, "Tensors must have same number of dimensions: got 2 and 1"),
    (lambda: join.cat([X, X[:, :2]]), RuntimeError, "Expected size 3 but got size 2 for tensor number 1 in the list."),
    (lambda: join.cat([np.array(1.0)]), RuntimeError, r"zero-dimensional tensor \(at position 0\) cannot be concat"),
    (lambda: join.stack([X, X[0]]), RuntimeError, r"but got \[2, 3\] at entry 0 and \[3\] at entry 1"),
    (lambda: join.repeat(X, (2,)), RuntimeError, "Number of dimensions of repeat dims can not be smaller"),
    (lambda: join.repeat_interleave(X, np.array([1, -2]), 0), RuntimeError, "repeats can not be negative"),
    (lambda: join.roll(X, (1, 2), 0), RuntimeError, "shifts and dimensions must align. shifts: 2, dims:1"),
    (lambda: join.rot90(X[0]), RuntimeError, "expected total dims >= 2, but got total dims = 1"),
    (lambda: join.tril(X[0]), RuntimeError, "tril: input tensor must have at least 2 dimensions"),
    (lambda: join.diag(np.zeros((1, 1, 1))), RuntimeError, r"diag\(\): Supports 1D or 2D tensors. Got 3D"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = REFUSED[number]
    with pytest.raises(error, match=text):
        call()
