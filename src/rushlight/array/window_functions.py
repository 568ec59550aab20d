"""Window functions of signal processing, as arrays of the dtype asked for.

Every window is computed in double precision and rounded once. A *periodic* window of n samples is a symmetric one of n + 1
without its last sample, so each function takes the number of samples and the length `span` that the formula divides by.
"""

import math

import numpy as np

from .special_bessel import i0_double


def _positions(count, span):
    """0, 1, ..., count - 1 over `span` - 1, the place in the window from 0 to 1."""
    return np.arange(count, dtype=np.float64) / max(span - 1, 1)


def general_cosine(count, span, coefficients, dtype):
    """Sum of (-1)**k a[k] cos(2 pi k x) over the place x in the window."""
    angle = 2 * math.pi * _positions(count, span)
    total = np.zeros(count)
    for k, a in enumerate(coefficients):
        total += (-a if k % 2 else a) * np.cos(k * angle)
    return total.astype(dtype)


def bartlett(count, span, dtype):
    """A triangle from 0 up to 1 and back to 0."""
    return (1 - np.abs(2 * _positions(count, span) - 1)).astype(dtype)


def cosine(count, span, dtype):
    """Half a period of the sine, sampled in the middle of each step."""
    return np.sin(math.pi * (np.arange(count, dtype=np.float64) + 0.5) / span).astype(dtype)


def exponential(count, span, center, tau, dtype):
    """exp(-|n - center| / tau); the centre is the middle of the window where None."""
    center = (span - 1) / 2 if center is None else center
    return np.exp(-np.abs(np.arange(count, dtype=np.float64) - center) / tau).astype(dtype)


def gaussian(count, span, std, dtype):
    """exp(-(n - middle)**2 / (2 std**2))."""
    offset = (np.arange(count, dtype=np.float64) - (span - 1) / 2) / std
    return np.exp(-0.5 * offset * offset).astype(dtype)


def kaiser(count, span, beta, dtype):
    """I0(beta sqrt(1 - (2 x - 1)**2)) / I0(beta) over the place x in the window."""
    offset = 2 * _positions(count, span) - 1
    arch = beta * np.sqrt(np.maximum(1 - offset * offset, 0))
    return (i0_double(arch) / i0_double(np.array([float(beta)]))).astype(dtype)
