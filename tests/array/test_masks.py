"""Choosing by mask: the branchless and the plain way agree, dtypes promote, NaN does not leak, error texts."""

import numpy as np
import pytest

from rushlight.array import masks

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(7,), (60, 50), (300, 400), (3, 1)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.complex64, np.float16])
def test_choices_agree_at_every_size_and_dtype(shape, dtype):
    a, b = (RNG.integers(-9, 9, shape).astype(dtype) for _ in range(2))
    if a.dtype.kind == "f":
        a.reshape(-1)[:3] = [np.nan, np.inf, -0.0]
        b.reshape(-1)[-3:] = [np.nan, -np.inf, 0.0]
    mask = RNG.random(shape) < 0.5
    for left, right, chosen in ((a, b, mask), (a.T, b.T, mask.T), (a[::-1], b, mask)):
        np.testing.assert_array_equal(masks.where(chosen, left, right), np.where(chosen, left, right))
        filled = masks.masked_fill(left, chosen, 3)
        assert filled.dtype == dtype
        np.testing.assert_array_equal(filled, np.where(chosen, np.asarray(3, dtype), left))


def test_where_promotes_as_pytorch_does():
    mask = np.array([True, False])
    assert masks.where(mask, 1, 2).dtype == np.int64
    assert masks.where(mask, 1.0, 2).dtype == np.float32
    assert masks.where(mask, np.array([1, 2]), 0.5).dtype == np.float32
    assert masks.where(mask, np.array([1.0, 2.0]), np.array(1, np.int64)).dtype == np.float64
    assert masks.where(mask, 1j, np.zeros(2)).dtype == np.complex128


def test_masks_broadcast():
    x = np.arange(6.0).reshape(2, 3)
    row = np.array([True, False, True])
    assert masks.masked_select(x, row).tolist() == [0, 2, 3, 5]
    assert masks.masked_scatter(x, row, np.arange(10.0, 20)).tolist() == [[10, 1, 11], [12, 4, 13]]
    assert masks.masked_fill(np.array(1.0), row, 0.0).tolist() == [0, 1, 0]


def test_places_of_what_is_not_zero():
    x = np.array([[0.0, np.nan], [2.0, 0.0]])
    assert masks.nonzero(x).tolist() == [[0, 1], [1, 0]]
    assert [each.tolist() for each in masks.nonzero_tuple(x)] == [[0, 1], [1, 0]]
    assert masks.nonzero(np.array(1.0)).shape == (1, 0) and masks.nonzero(np.array(0.0)).shape == (0, 0)
    assert masks.nonzero(np.array([0, 3])).tolist() == [[1]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda x, m: masks.where(x > 0, x, x[:, :2]),
            r"The size of tensor a \(3\) must match the size of tensor b \(2\)",
        ),
        (lambda x, m: masks.where(x, x, x), "where expected condition to be a boolean tensor"),
        (
            lambda x, m: masks.masked_fill(x, x, 0),
            "masked_fill_ only supports boolean masks, but got mask with dtype double",
        ),
        (lambda x, m: masks.masked_fill(x, m, x), "only supports a 0-dimensional value tensor, but got tensor with 2"),
        (lambda x, m: masks.masked_fill(x, m, 1j), "value cannot be converted to type double without overflow"),
        (lambda x, m: masks.masked_select(x, m[:, :2]), "must match the size of tensor b"),
        (lambda x, m: masks.masked_scatter(x, m, np.zeros(1)), "Number of elements of source < number of ones in mask"),
    ],
)
def test_what_does_not_fit_is_refused(call, text):
    x = np.ones((2, 3))
    with pytest.raises(RuntimeError, match=text):
        call(x, x > 0)
