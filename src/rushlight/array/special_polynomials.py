"""Orthogonal polynomials of a tensor of arguments and a tensor of degrees.

Each runs its three-term recurrence up to the largest degree asked for (memory: four arrays like the result) and picks each
element's value when its degree is reached. Degrees are cut to whole numbers; a negative degree gives 0. Inside (-1, 1) the
Chebyshev polynomials of higher degree come from their trigonometric forms, as in PyTorch.
"""

import math

import numpy as np

from .special import in_double, real_only


def _recur(x, n, first, step):
    """Value at degree n of p(0) = 1, p(1) = first(x), p(k + 1) = step(k, x, p(k), p(k - 1))."""
    result = np.where(n == 0, 1.0, 0.0)
    p, q = np.ones_like(x), first(x)
    top = int(n.max()) if n.size else 0
    for k in range(1, top + 1):
        result = np.where(n == k, q, result)
        if k < top:
            p, q = q, step(k, x, q, p)
    return np.where(np.isnan(x) & (n > 0), math.nan, result)


def _degrees(n):
    return np.trunc(np.where(np.isfinite(n), n, -1.0))


def _chebyshev(x, n, first, trigonometric, limit, edge):
    n = _degrees(n)
    inside = (n > limit) & (np.abs(x) < 1)
    result = _recur(x, np.where(inside, 0.0, n), first, lambda k, x, q, p: 2 * x * q - p)
    if inside.any():
        angle = np.arccos(np.where(inside, x, 0.0))
        result = np.where(inside, trigonometric(n, angle), result)
    at_edge = (np.abs(x) == 1) & (n >= 0)
    return np.where(at_edge, edge(n, np.where(x > 0, 1.0, 1 - 2 * (n % 2)), x > 0), result)


def _t(x, n):
    return _chebyshev(x, n, lambda x: x, lambda n, a: np.cos(n * a), 6, lambda n, sign, right: sign)


def _u(x, n):
    return _chebyshev(
        *(x, n, lambda x: 2 * x, lambda n, a: np.sin((n + 1) * a) / np.sin(a), 8),
        lambda n, sign, right: (n + 1) * sign,
    )


def _v(x, n):
    return _chebyshev(
        *(x, n, lambda x: 2 * x - 1, lambda n, a: np.cos((n + 0.5) * a) / np.cos(a / 2), 8),
        lambda n, sign, right: np.where(right, 1.0, (2 * n + 1) * sign),
    )


def _w(x, n):
    return _chebyshev(
        *(x, n, lambda x: 2 * x + 1, lambda n, a: np.sin((n + 0.5) * a) / np.sin(a / 2), 8),
        lambda n, sign, right: np.where(right, 2 * n + 1, sign),
    )


def _hermite(x, n, scale):
    """Physicists' (scale 2) and probabilists' (scale 1) Hermite polynomials."""
    return _recur(x, _degrees(n), lambda x: scale * x, lambda k, x, q, p: scale * (x * q - k * p))


def _laguerre(x, n):
    return _recur(x, _degrees(n), lambda x: 1 - x, lambda k, x, q, p: ((2 * k + 1 - x) * q - k * p) / (k + 1))


def _legendre(x, n):
    return _recur(x, _degrees(n), lambda x: x, lambda k, x, q, p: ((2 * k + 1) * x * q - k * p) / (k + 1))


def _kernel(name, double, text):
    def kernel(input, n):
        real_only(name, input)
        return in_double(double, input, n)

    kernel.__name__ = kernel.__qualname__ = name
    kernel.__doc__ = text
    return kernel


chebyshev_polynomial_t = _kernel("chebyshev_polynomial_t", _t, "Chebyshev polynomial of the first kind.")
chebyshev_polynomial_u = _kernel("chebyshev_polynomial_u", _u, "Chebyshev polynomial of the second kind.")
chebyshev_polynomial_v = _kernel("chebyshev_polynomial_v", _v, "Chebyshev polynomial of the third kind.")
chebyshev_polynomial_w = _kernel("chebyshev_polynomial_w", _w, "Chebyshev polynomial of the fourth kind.")
shifted_chebyshev_polynomial_t = _kernel("shifted_chebyshev_polynomial_t", lambda x, n: _t(2 * x - 1, n), "T(2x - 1).")
shifted_chebyshev_polynomial_u = _kernel("shifted_chebyshev_polynomial_u", lambda x, n: _u(2 * x - 1, n), "U(2x - 1).")
shifted_chebyshev_polynomial_v = _kernel("shifted_chebyshev_polynomial_v", lambda x, n: _v(2 * x - 1, n), "V(2x - 1).")
shifted_chebyshev_polynomial_w = _kernel("shifted_chebyshev_polynomial_w", lambda x, n: _w(2 * x - 1, n), "W(2x - 1).")
hermite_polynomial_h = _kernel(
    "hermite_polynomial_h", lambda x, n: _hermite(x, n, 2.0), "Physicists' Hermite polynomial."
)
hermite_polynomial_he = _kernel(
    "hermite_polynomial_he", lambda x, n: _hermite(x, n, 1.0), "Probabilists' Hermite polynomial."
)
laguerre_polynomial_l = _kernel("laguerre_polynomial_l", _laguerre, "Laguerre polynomial.")
legendre_polynomial_p = _kernel("legendre_polynomial_p", _legendre, "Legendre polynomial.")
