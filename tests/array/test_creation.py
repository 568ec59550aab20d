"""Ranges: lengths, dtypes and rounding; indices of triangles."""

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import creation


def test_ranges_have_pytorchs_lengths_and_dtypes():
    assert creation.arange(5).tolist() == [0, 1, 2, 3, 4] and creation.arange(5).dtype == np.int64
    assert creation.arange(1, 2.5, 0.5).dtype == np.float32 and len(creation.arange(1, 2.5, 0.5)) == 3
    assert creation.arange(10, 0, -3).tolist() == [10, 7, 4, 1]
    assert creation.arange(0, 5.5, 1.5, dtype=dtypes.int32).tolist() == [0, 1, 2, 3]
    assert creation.arange(2, 2).shape == (0,)


def test_even_spacing_is_symmetric():
    for steps in (1, 2, 7, 100):
        x = creation.linspace(-3, 10, steps)
        assert x.dtype == np.float32 and x[0] == (-3 if steps > 1 else -3) and len(x) == steps
        if steps > 1:
            assert x[-1] == 10
            np.testing.assert_array_equal(creation.linspace(-1, 1, steps), -creation.linspace(-1, 1, steps)[::-1])
    assert creation.linspace(0, 10, 4, dtype=dtypes.int64).tolist() == [0, 3, 6, 10]
    np.testing.assert_allclose(creation.logspace(-1, 2, 4, dtype=dtypes.float64), [0.1, 1, 10, 100], rtol=1e-14)


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_triangles(offset):
    np.testing.assert_array_equal(creation.tril_indices(3, 4, offset), np.tril_indices(3, offset, 4))
    np.testing.assert_array_equal(creation.triu_indices(3, 4, offset), np.triu_indices(3, offset, 4))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: creation.arange(0, 5, 0), RuntimeError, "step must be nonzero"),
        (lambda: creation.arange(0, 5, -1), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
        (lambda: creation.arange(float("nan")), RuntimeError, "unsupported range: 0 -> nan"),
        (
            lambda: creation.arange(3, dtype=dtypes.bool),
            NotImplementedError,
            "\"arange_cpu\" not implemented for 'Bool'",
        ),
        (lambda: creation.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
        (lambda: creation.tril_indices(-1, 2), RuntimeError, "row must be non-negative, got-1"),
    ],
)
def test_impossible_ranges_are_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
