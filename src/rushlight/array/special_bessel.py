"""Bessel and Airy functions.

Polynomials (see `special_tables`) on [0, 8] for I, J and Y and on [0, 2] for K; beyond, each function's asymptotic factor
(the exponential and 1/sqrt(x), or the two amplitudes of sine and cosine) times a polynomial in 1/x.

Largest errors measured against 40-digit values: I 6 ulp, K 8 ulp (2.6 beyond 2); J 8e-16, Y 4e-15 and Ai 4e-15 absolute, but
Ai 2e-14 towards -100, where the phase 2/3 |x|**1.5 itself is rounded.
"""

import math

import numpy as np

from . import special_tables as tables
from .blocks import polynomial
from .special import in_double, piece, real_only


def _poly(t, coefficients):
    return polynomial(t, coefficients, np.empty_like(t))


# ----------------------------------------------------------------------------------------- modified, first kind: I


def _scaled_i(low, high):
    """exp(-x) I(x) for x >= 0 (the low polynomial of I1 lacks a factor x)."""

    def function(x):
        y = np.full_like(x, math.nan)
        piece(x <= 8, lambda v: _poly(v / 4 - 1, low), y, x)
        piece(x > 8, lambda v: _poly(16 / v - 1, high) / np.sqrt(v), y, x)
        return y

    return function


_i0e_positive = _scaled_i(tables.I0_LOW, tables.I0_HIGH)
_i1e_over = _scaled_i(tables.I1_LOW, tables.I1_HIGH)


def _i1e_positive(x):
    y = _i1e_over(x)
    return np.where(x <= 8, y * x, y)


def _grown(scaled, x):
    """``exp(x) * scaled`` in two halves, so that it overflows no sooner than the product does."""
    half = np.exp(0.5 * x)
    return half * scaled * half


def i0_double(x):
    """At the infinities NaN, as PyTorch's product of an exponential and what it is scaled by is; so too ``i1_double``."""
    size = np.abs(x)
    y = np.where(size < 700, np.exp(size) * _i0e_positive(size), _grown(_i0e_positive(size), size))
    return np.where(np.isinf(x), math.nan, y)


def i1_double(x):
    size = np.abs(x)
    y = np.where(size < 700, np.exp(size) * _i1e_positive(size), _grown(_i1e_positive(size), size))
    return np.copysign(np.where(np.isinf(x), math.nan, y), x)


def i0e_double(x):
    return np.where(np.isinf(x), 0.0, _i0e_positive(np.abs(x)))


def i1e_double(x):
    return np.copysign(np.where(np.isinf(x), 0.0, _i1e_positive(np.abs(x))), x)


# ---------------------------------------------------------------------------------------- modified, second kind: K


def _scaled_k(order):
    low, high = (tables.K0_LOW, tables.K0_HIGH) if order == 0 else (tables.K1_LOW, tables.K1_HIGH)

    def small(x):
        t = x * x / 2 - 1
        if order == 0:
            y = _poly(t, low) - np.log(x / 2) * np.exp(x) * _i0e_positive(x)
        else:
            y = _poly(t, low) / x + np.log(x / 2) * np.exp(x) * _i1e_positive(x)
        return y * np.exp(x)

    def function(x):
        y = np.full_like(x, math.nan)
        piece((x > 0) & (x <= 2), small, y, x)
        piece(x > 2, lambda v: _poly(4 / v - 1, high) / np.sqrt(v), y, x)
        y[x == 0] = math.inf
        return y

    return function


k0e_double, k1e_double = _scaled_k(0), _scaled_k(1)


def k0_double(x):
    return np.where(x == 0, math.inf, k0e_double(x) * np.exp(-x))


def k1_double(x):
    return np.where(x == 0, math.inf, k1e_double(x) * np.exp(-x))


# ------------------------------------------------------------------------------------------------ J and Y


def _amplitudes(x, p, q):
    """P and Q of J = sqrt(2 / (pi x)) (P cos - Q sin), Y = sqrt(2 / (pi x)) (P sin + Q cos)."""
    t = 128 / (x * x) - 1
    scale = np.sqrt(1 / (np.pi * x))  # 1 / sqrt(2) of the phase's shift by pi/4 included
    return scale * _poly(t, p), scale * 8 / x * _poly(t, q)


def _phase(x, order):
    """sqrt(2) times cosine and sine of x - (2 order + 1) pi / 4."""
    c, s = np.cos(x), np.sin(x)
    return (c + s, s - c) if order == 0 else (s - c, -(s + c))


def _far(x, order, second):
    p, q = _amplitudes(x, *((tables.P0, tables.Q0) if order == 0 else (tables.P1, tables.Q1)))
    c, s = _phase(x, order)
    return p * s + q * c if second else p * c - q * s


def _j0_near(x):
    return _poly(x * x / 32 - 1, tables.J0_LOW)


def _j1_near(x):
    return x * _poly(x * x / 32 - 1, tables.J1_LOW)


def j0_double(x):
    size = np.abs(x)
    y = np.full_like(x, math.nan)
    piece(size <= 8, _j0_near, y, size)
    piece(size > 8, lambda v: _far(v, 0, False), y, size)
    return np.where(np.isinf(x), 0.0, y)


def j1_double(x):
    size = np.abs(x)
    y = np.full_like(x, math.nan)
    piece(size <= 8, _j1_near, y, size)
    piece(size > 8, lambda v: _far(v, 1, False), y, size)
    return np.where(np.isinf(x), 0.0, np.where(x < 0, -y, y))


def y0_double(x):
    y = np.full_like(x, math.nan)
    near = lambda v: _poly(v * v / 32 - 1, tables.Y0_LOW) + 2 / math.pi * np.log(v) * _j0_near(v)  # noqa: E731
    piece((x > 0) & (x <= 8), near, y, x)
    piece(x > 8, lambda v: _far(v, 0, True), y, x)
    return np.where(x == 0, -math.inf, np.where(x == math.inf, 0.0, y))


def y1_double(x):
    def near(v):
        return v * _poly(v * v / 32 - 1, tables.Y1_LOW) + 2 / math.pi * (np.log(v) * _j1_near(v) - 1 / v)

    y = np.full_like(x, math.nan)
    piece((x > 0) & (x <= 8), near, y, x)
    piece(x > 8, lambda v: _far(v, 1, True), y, x)
    return np.where(x == 0, -math.inf, np.where(x == math.inf, 0.0, y))


def spherical_j0_double(x):
    y = np.where(np.isinf(x), 0.0, np.sin(x) / x)
    return np.where(x == 0, 1.0, y)


# ------------------------------------------------------------------------------------------------------------ Airy

_Z2, _Z5 = 2 / 3 * 2**1.5, 2 / 3 * 5**1.5


def _airy_high(x):
    z = 2 / 3 * x * np.sqrt(x)
    return np.exp(-z) / (2 * math.sqrt(math.pi) * np.sqrt(np.sqrt(x))) * _poly(2 * _Z2 / z - 1, tables.AIRY_HIGH)


def _airy_low(x):
    x = -x
    z = 2 / 3 * x * np.sqrt(x)
    t = 2 * (_Z5 / z) ** 2 - 1
    p, q = _poly(t, tables.AIRY_P), _poly(t, tables.AIRY_Q) / z
    c, s = np.cos(z), np.sin(z)
    return (p * (c + s) + q * (s - c)) / np.sqrt(2 * math.pi * np.sqrt(x))


def airy_double(x):
    y = np.full_like(x, math.nan)
    piece(x > 2, _airy_high, y, x)
    piece((x <= 2) & (x >= -5), lambda v: _poly((v + 1.5) / 3.5, tables.AIRY_MIDDLE), y, x)
    piece(x < -5, _airy_low, y, x)
    return np.where(np.isinf(x), math.nan, np.where(x > 103.892, 0.0, y))


# --------------------------------------------------------------------------------------------- the kernels by name


def _kernel(name, double, text):
    def kernel(input):
        real_only("i0_vml_cpu" if name == "i0" else name + "_cpu", input)
        return in_double(double, input)

    kernel.__name__ = kernel.__qualname__ = name
    kernel.__doc__ = text
    return kernel


i0 = _kernel("i0", i0_double, "Modified Bessel function of the first kind, order 0.")
i0e = _kernel("i0e", i0e_double, "exp(-|x|) i0(x).")
i1 = _kernel("i1", i1_double, "Modified Bessel function of the first kind, order 1.")
i1e = _kernel("i1e", i1e_double, "exp(-|x|) i1(x).")
modified_bessel_k0 = _kernel("modified_bessel_k0", k0_double, "Modified Bessel function of the second kind, order 0.")
modified_bessel_k1 = _kernel("modified_bessel_k1", k1_double, "Modified Bessel function of the second kind, order 1.")
scaled_modified_bessel_k0 = _kernel("scaled_modified_bessel_k0", k0e_double, "exp(x) K0(x).")
scaled_modified_bessel_k1 = _kernel("scaled_modified_bessel_k1", k1e_double, "exp(x) K1(x).")
bessel_j0 = _kernel("bessel_j0", j0_double, "Bessel function of the first kind, order 0.")
bessel_j1 = _kernel("bessel_j1", j1_double, "Bessel function of the first kind, order 1.")
bessel_y0 = _kernel("bessel_y0", y0_double, "Bessel function of the second kind, order 0.")
bessel_y1 = _kernel("bessel_y1", y1_double, "Bessel function of the second kind, order 1.")
spherical_bessel_j0 = _kernel("spherical_bessel_j0", spherical_j0_double, "sin(x) / x.")
airy_ai = _kernel("airy_ai", airy_double, "Airy function Ai.")
