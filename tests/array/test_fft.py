"""Fourier kernels on raw arrays, against the sums they stand for."""

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import fft


def transform(x, axis, sign):
    n = x.shape[axis]
    matrix = np.exp(sign * 2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


@pytest.mark.parametrize("normalization", [0, 1, 2])
@pytest.mark.parametrize("forward", [False, True])
def test_complex_transform_is_the_sum_it_stands_for(normalization, forward):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 5)) + 1j * rng.standard_normal((3, 4, 5))
    wanted = transform(transform(x, 0, -1 if forward else 1), 2, -1 if forward else 1)
    wanted = wanted * (1, 15**-0.5, 1 / 15)[normalization]
    np.testing.assert_allclose(fft.c2c(x, (0, 2), normalization, forward), wanted, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("dim", [(1,), (0, 1), (2, 1), (0, 2, 1)])
def test_whole_transform_of_real_data_is_mirrored_from_its_half(n, dim):
    x = np.random.default_rng(0).standard_normal((3, n, 4))
    np.testing.assert_allclose(fft.r2c(x, dim, 1, False), fft.c2c(x + 0j, dim, 1, True), atol=1e-12)


@pytest.mark.parametrize("n", [5, 6])
def test_back_to_real(n):
    x = np.random.default_rng(0).standard_normal((3, n)).astype(np.float32)
    half = fft.r2c(x, (1,), 0, True)
    assert half.dtype == np.complex64
    back = fft.c2r(half, (1,), 2, n)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, x, atol=1e-6)


@pytest.mark.parametrize(("length", "hop"), [(4, 4), (4, 1), (5, 2), (3, 5)])
def test_frames_are_added_where_they_overlap(length, hop):
    frames = np.random.default_rng(0).standard_normal((2, length, 6))
    wanted = np.zeros((2, hop * 5 + length))
    for k in range(6):
        wanted[:, k * hop : k * hop + length] += frames[:, :, k]
    np.testing.assert_allclose(fft.overlap_add(frames, hop), wanted)


def test_frequencies_are_numpys():
    for n in (1, 4, 5):
        np.testing.assert_allclose(fft.frequencies(n, 0.5, dtypes.float64, False), np.fft.fftfreq(n, 0.5))
        np.testing.assert_allclose(fft.frequencies(n, 0.5, dtypes.float64, True), np.fft.rfftfreq(n, 0.5))


def test_normalization_is_relative_to_the_direction():
    assert [fft.normalization(norm, True) for norm in (None, "ortho", "forward")] == [0, 1, 2]
    assert [fft.normalization(norm, False) for norm in (None, "ortho", "forward")] == [2, 1, 0]
    with pytest.raises(RuntimeError, match='Invalid normalization mode: "x"'):
        fft.normalization("x", True)
