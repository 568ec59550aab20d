"""Padding in every mode against NumPy's, negative widths, and the transposes by inner products."""

import numpy as np
import pytest

from rushlight.array import pad

X = np.random.default_rng(6).standard_normal((2, 3, 5, 4))
NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def test_constant_padding_and_cropping():
    expected = np.pad(X, ((0, 0), (0, 0), (3, 0), (1, 2)), constant_values=7)
    np.testing.assert_array_equal(pad.constant_pad_nd(X, (1, 2, 3, 0), 7), expected)
    np.testing.assert_array_equal(pad.constant_pad_nd(X, (-1, 1), 0)[..., :3], X[..., 1:])
    assert pad.constant_pad_nd(np.arange(3), (1, 0), 2.7).tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize("widths", [(1, 2), (0, 3, 2, 1), (2, 0)])
def test_padding_with_own_elements(mode, widths):
    given = [(0, 0)] * (4 - len(widths) // 2) + [widths[i : i + 2] for i in range(len(widths) - 2, -1, -2)]
    found = pad._pad_by_index(X, widths, mode)
    np.testing.assert_array_equal(found, np.pad(X, given, mode=NUMPY[mode]))


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize("widths", [(1, 2), (3, 0, 2, 1), (-1, 2), (-2, -1, 1, -1)])
def test_the_transpose_has_the_same_inner_products(mode, widths):
    y = pad._pad_by_index(X, widths, mode)
    g = np.random.default_rng(7).standard_normal(y.shape)
    back = pad._pad_by_index_backward(g, X.shape, widths, mode)
    assert back.shape == X.shape
    np.testing.assert_allclose((y * g).sum(), (X * back).sum(), rtol=1e-11)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pad.constant_pad_nd(X, (1,)), "Length of pad must be even but instead it equals 1"),
        (lambda: pad.constant_pad_nd(X[0, 0, 0], (1,) * 4), "no more than twice the number of dimensions"),
        (lambda: pad.constant_pad_nd(X, (-3, -3)), "resulted in a negative output size"),
        (lambda: pad._pad_by_index(X, (4, 0), "reflect"), "Padding size should be less than the corresponding input"),
        (lambda: pad._pad_by_index(X, (5, 0), "circular"), "Padding value causes wrapping around more than once."),
    ],
)
def test_impossible_widths_are_refused(call, text):
    with pytest.raises(RuntimeError, match=text):
        call()
