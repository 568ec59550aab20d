"""GELU, exact and through tanh, with its derivative.

How. In float32 the normal distribution function less a half and GELU's derivative less a half are odd; on -5.7 ... 5.7 each is
``w N(w^2) / D(w^2)`` with one denominator for both (`_RATIONAL`, fitted here; of the same error as PyTorch's). The three
polynomials of a block are one matrix product of their coefficients with the powers of w^2, so that a value costs some fifteen
passes over a block in cache and its derivative three more. Other dtypes take erf and exp.

Memory. Beyond the results some 800 KB in each thread that calls, kept between calls.
"""

import math
import threading

import numpy as np

from .blocks import apply
from .elementwise import refuse
from .special import erf_step

__all__ = ["gelu", "gelu_and_slope", "gelu_partial"]

_SQRT_HALF = math.sqrt(0.5)
_TANH_SCALE = math.sqrt(2 / math.pi)
_TANH_CUBIC = 0.044715

#: the block and its powers stay in a core's second cache. Threads would not help: calls of 3 us meet at the interpreter lock.
_BLOCK = 16384
_FLOAT32 = np.dtype(np.float32)


def _float32(value):
    return np.array(value, _FLOAT32)


_LOWEST, _HIGHEST = _float32(-5.7), _float32(5.7)
_HALF, _MINUS_HALF = _float32(0.5), _float32(-0.5)
#: coefficients of 1, s, s^2, ... with s = w^2, for the distribution function, for the derivative, and of the denominator. Fitted by
#: least squares with weights moved towards the largest errors; the first is fitted to overshoot by 1.5e-7 at 5.7, and then clipped,
#: so that it is exactly 0 and 1 beyond.
_RATIONAL = _float32(
    [
        [0.398942584, 0.0551674541, 0.00722537951, 0.00049247403, 2.5281821e-05, 8.25147651e-07, 7.54651085e-09, 0],
        [0.797884343, -0.0226419027, 0.0137867886, 0.000187392323, 3.34949055e-05, 7.04356127e-07, 8.30093815e-09, 0],
        [1, 0.304955276, 0.0439302818, 0.00391361634, 0.000233440521, 9.93052333e-06, 2.01344119e-07, 5.07724431e-10],
    ]
)


def gelu(input, *, approximate="none"):
    """x times the normal distribution function at x, exact or through tanh."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    if input.dtype.kind in "biuc":
        refuse("GeluKernelImpl", input)
    if approximate == "tanh":
        return apply(_gelu_tanh, (input,))
    return _rational(input, True, False)[0] if input.dtype is _FLOAT32 else apply(_gelu, (input,), scratch=3)


def gelu_partial(input, *, approximate="none"):
    """d gelu / dx: cdf(x) + x pdf(x), or the derivative of the tanh formula."""
    if approximate == "tanh":
        return apply(_gelu_tanh_partial, (input,), scratch=2)
    return _rational(input, False, True)[1] if input.dtype is _FLOAT32 else apply(_gelu_partial, (input,), scratch=3)


def gelu_and_slope(input):
    """(gelu, d gelu / dx) of a float32 array at a little more than the cost of one."""
    return _rational(input, True, True)


# ------------------------------------------------------------------------------------------- float32: rational functions


class _Scratch(threading.local):
    """A thread's arrays for one block: the powers of w^2 in rows, the polynomials, and w."""

    def __init__(self):
        self.powers = np.empty((8, _BLOCK), _FLOAT32)
        self.powers[0] = 1
        self.polynomials = np.empty((3, _BLOCK), _FLOAT32)
        self.clipped = np.empty(_BLOCK, _FLOAT32)


_scratch = _Scratch()


def _rational(x, value, slope):
    """(gelu, its derivative), each None where it is not asked for."""
    if not x.flags.forc:
        found = _rational(np.ascontiguousarray(x), value, slope)
        return tuple(None if each is None else _laid_out(each, x) for each in found)
    results = [np.empty_like(x) if wanted else None for wanted in (value, slope)]
    source = x.reshape(-1, order="A")
    values, slopes = [None if each is None else each.reshape(-1, order="A") for each in results]
    coefficients = _RATIONAL if value and slope else _RATIONAL[::2] if value else _RATIONAL[1:]

    for at in range(0, x.size, _BLOCK):
        end = min(at + _BLOCK, x.size)
        _rational_block(
            source[at:end],
            None if values is None else values[at:end],
            None if slopes is None else slopes[at:end],
            coefficients,
        )
    return tuple(results)


def _laid_out(array, like):
    """A contiguous array's elements in the memory order of another."""
    made = np.empty_like(like)
    made[...] = array
    return made


def _rational_block(x, value, slope, coefficients):
    size = x.size
    powers, w = _scratch.powers[:, :size], _scratch.clipped[:size]
    polynomials = _scratch.polynomials[: len(coefficients), :size]
    _, s, s2, s3, s4, s5, s6, s7 = powers
    np.clip(x, _LOWEST, _HIGHEST, out=w)
    np.square(w, s)
    np.square(s, s2)
    np.multiply(s, s2, s3)
    np.square(s2, s4)
    np.multiply(s2, s3, s5)
    np.square(s3, s6)
    np.multiply(s3, s4, s7)
    np.matmul(coefficients, powers, polynomials)
    ratio = np.divide(w, polynomials[-1], polynomials[-1])
    if value is not None:
        cdf = np.multiply(polynomials[0], ratio, polynomials[0])
        np.clip(cdf, _MINUS_HALF, _HALF, out=cdf)
        np.add(cdf, _HALF, cdf)
        np.multiply(cdf, x, value)
    if slope is not None:
        np.multiply(polynomials[-2], ratio, slope)
        np.add(slope, _HALF, slope)


# ----------------------------------------------------------------------------------------------- through erf and tanh


def _gelu(x, y, t, s, r):
    np.multiply(x, _SQRT_HALF, out=t)
    erf_step(t, y, s, r)
    np.add(y, 1, out=y)
    np.multiply(y, x, out=y)
    np.multiply(y, 0.5, out=y)


def _gelu_tanh(x, y):
    np.multiply(x, x, out=y)
    np.multiply(y, _TANH_CUBIC, out=y)
    np.add(y, 1, out=y)
    np.multiply(y, x, out=y)
    np.multiply(y, _TANH_SCALE, out=y)
    np.tanh(y, out=y)
    np.add(y, 1, out=y)
    np.multiply(y, x, out=y)
    np.multiply(y, 0.5, out=y)


def _gelu_partial(x, y, t, s, r):
    np.multiply(x, _SQRT_HALF, out=t)
    erf_step(t, y, s, r)
    np.add(y, 1, out=y)
    np.multiply(y, 0.5, out=y)
    np.multiply(t, t, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    np.multiply(t, x, out=t)
    np.multiply(t, 1 / math.sqrt(2 * math.pi), out=t)
    np.add(y, t, out=y)


def _gelu_tanh_partial(x, y, t, s):
    np.multiply(x, x, out=s)
    np.multiply(s, _TANH_CUBIC, out=t)
    np.add(t, 1, out=t)
    np.multiply(t, x, out=t)
    np.multiply(t, _TANH_SCALE, out=t)
    np.tanh(t, out=t)  # u = tanh(inner)
    np.multiply(s, 3 * _TANH_CUBIC * _TANH_SCALE, out=s)
    np.add(s, _TANH_SCALE, out=s)
    np.multiply(s, x, out=s)  # x * inner'
    np.multiply(t, t, out=y)
    np.subtract(1, y, out=y)
    np.multiply(y, s, out=y)
    np.add(y, t, out=y)
    np.add(y, 1, out=y)
    np.multiply(y, 0.5, out=y)
