"""The gamma function's family: lgamma, digamma, polygamma, Hurwitz zeta, and the incomplete gamma functions.

lgamma and digamma: polynomials around their zeros (so that results near a zero keep their digits), Stirling's series from 8
or 10 up, the reflection formulas on the negative side. zeta: a sum of ten terms and the Euler-Maclaurin remainder.
igamma: the power series below a + 1, the continued fraction above (number of steps grows as sqrt(a) around x = a).

Largest errors measured against 40-digit values: for positive arguments lgamma 2.3 ulp, digamma 6 ulp (1.9 around its zero),
polygamma and zeta 5 ulp; for negative arguments the same in proportion to the largest term, not near the zeros between the
poles. igamma and igammac are good to 1e-13 of the larger of the two at a = 3000 and to 1e-15 at a = 5; the smaller one keeps a
relative error that grows with the exponent of x**a exp(-x), 8e-13 at most on those grids.
"""

import math

import numpy as np

from . import special_tables as tables
from .blocks import polynomial
from .special import in_double, piece, real_only

_HALF_LOG_TWO_PI = 0.91893853320467274178
#: B(2k) / (2k (2k - 1)), highest first, for Stirling's series in 1/x**2
_STIRLING = (
    *(-3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12),
)  # fmt: skip
#: B(2k) / (2k), highest first
_DIGAMMA = (*(-3617 / 8160, 1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12),)
_DIGAMMA_ZERO = (1.4616321449683622, 9.5499954299656977e-17)


def _poly(t, coefficients):
    return polynomial(t, coefficients, np.empty_like(t))


def _sin_pi(x):
    """|sin(pi x)|, exact in the reduction of the argument."""
    x = np.abs(x)
    r = x - np.floor(x)
    return np.sin(np.pi * np.minimum(r, 1 - r))


# ---------------------------------------------------------------------------------------------------------- lgamma


def stirling_rest(x):
    """lgamma(x) - ((x - 1/2) log(x) - x + log(2 pi) / 2) for x >= 8."""
    return _poly(1 / (x * x), _STIRLING) / x


def _lgamma_high(x):
    y = (x - 0.5) * np.log(x) - x + _HALF_LOG_TWO_PI + stirling_rest(x)
    return np.where(x > 1e300, np.where(x < 2.5e305, x * (np.log(x) - 1), math.inf), y)


def _lgamma_positive(x):
    y = np.full_like(x, math.nan)
    piece(x >= 8, _lgamma_high, y, x)
    piece((x >= 3) & (x < 8), lambda v: (v - 2) * _poly((v - 5.5) / 2.5, tables.LGAMMA_MIDDLE), y, x)
    piece((x >= 1) & (x < 3), lambda v: (v - 1) * (v - 2) * _poly(v - 2, tables.LGAMMA_LOW), y, x)
    piece(x < 1, lambda v: v * (v - 1) * _poly(v - 1, tables.LGAMMA_LOW) - np.log(v), y, x)
    return y


def lgamma_double(x):
    """log |gamma(x)|; float64 arrays."""
    y = _lgamma_positive(np.abs(x))
    piece(x < 0, lambda v, w: np.log(np.pi / (np.abs(v) * _sin_pi(v))) - w, y, x, y)
    return np.where(np.isinf(x), math.inf, y)


_few = np.frompyfunc(math.lgamma, 1, 1)


def lgamma(input):
    """Logarithm of the absolute value of the gamma function; inf at 0 and the negative integers."""
    real_only("lgamma_vml_cpu", input)
    if input.size <= 64 and input.size and input.min() > 0 and input.max() < 1e30:
        return np.asarray(_few(input)).astype(input.dtype)  # the interpreter's own is quicker on a few numbers
    return in_double(lgamma_double, input)


# --------------------------------------------------------------------------------------------------------- digamma


def _digamma_high(x):
    u = 1 / (x * x)
    return np.log(x) - 0.5 / x - u * _poly(u, _DIGAMMA)


def _digamma_middle(x):
    rest = sum(1 / (x + k) for k in range(6, -1, -1))
    return _digamma_high(x + 7) - rest


def _digamma_positive(x):
    def low(v):
        return ((v - _DIGAMMA_ZERO[0]) - _DIGAMMA_ZERO[1]) * _poly(v - 2, tables.DIGAMMA)

    y = np.full_like(x, math.nan)
    piece(x >= 10, _digamma_high, y, x)
    piece((x > 3) & (x < 10), _digamma_middle, y, x)
    piece((x >= 1) & (x <= 3), low, y, x)
    piece(x < 1, lambda v: low(v + 1) - 1 / v, y, x)
    return y


def digamma_double(x):
    """The logarithmic derivative of gamma; float64 arrays."""

    def reflected(v):
        r = v - np.rint(v)
        y = _digamma_positive(1 - v) - np.pi / np.tan(np.pi * r)
        return np.where(r == 0, math.nan, y)

    y = _digamma_positive(np.where(x > 0, x, math.nan))
    piece(x < 0, reflected, y, x)
    return np.where(x == 0, np.copysign(math.inf, -x), np.where(x == math.inf, math.inf, y))


def digamma(input):
    """Derivative of `lgamma`; -+inf at +-0, NaN at the negative integers."""
    real_only("digamma", input)
    return in_double(digamma_double, input)


# ------------------------------------------------------------------------------------------------ zeta, polygamma

#: (2k)! / B(2k): the divisors of the Euler-Maclaurin terms
_EULER_MACLAURIN = (
    *(12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10),
    *(-2.950130727918164224e12, 1.1646782814350067249e14, -4.5979787224074726105e15),
    *(1.8152105401943546773e17, -7.1661652561756670113e18),
)


def zeta_double(s, q):
    """Hurwitz zeta; float64 arrays."""
    lowest = np.nanmin(q) if q.size and not np.isnan(q).all() else 0.0
    shift = 10 + (int(min(math.ceil(-lowest), 100000)) if lowest < 0 and math.isfinite(lowest) else 0)
    total = np.zeros(np.broadcast_shapes(s.shape, q.shape))
    for k in range(shift):
        total += np.power(q + k, -s)
    w = q + shift
    power = np.power(w, -s)
    rest = power * w / (s - 1) + 0.5 * power
    factor = np.ones_like(total)
    k = 0.0
    for divisor in _EULER_MACLAURIN:
        factor = factor * (s + k)
        power = power / w
        rest = rest + factor * power / divisor
        k += 1
        factor = factor * (s + k)
        power = power / w
        k += 1
    result = total + rest
    result = np.where(np.isfinite(result) | np.isnan(s) | np.isnan(q), result, total)
    result = np.where((q <= 0) & (s != np.floor(s)), math.nan, result)
    result = np.where((q <= 0) & (q == np.floor(q)), math.inf, result)
    return np.where(s == 1, math.inf, np.where(s < 1, math.nan, result))


def zeta(input, other):
    """Hurwitz zeta: the sum of 1 / (other + k)**input over k >= 0. NaN for input < 1, inf at 1 and at other = 0, -1, ..."""
    real_only("zeta_cpu", input)
    return in_double(zeta_double, input, other)


def _trigamma_double(x):
    def reflected(v):
        return (np.pi / _sin_pi(v)) ** 2 - zeta_double(np.full_like(v, 2.0), 1 - v)

    y = np.full_like(x, math.nan)
    piece(x > 0, lambda v: zeta_double(np.full_like(v, 2.0), v), y, x)
    piece(x <= 0, reflected, y, x)
    return y


def polygamma(n, input):
    """The n-th derivative of `digamma`."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma(input)
    real_only("trigamma" if n == 1 else "polygamma", input)
    if n == 1:
        return in_double(_trigamma_double, input)
    factor = (1.0 if n % 2 else -1.0) * (math.gamma(n + 1) if n < 170 else math.inf)
    return in_double(lambda x: factor * zeta_double(np.full_like(x, n + 1.0), x), input)


def mvlgamma(input, p):
    """log of the multivariate gamma function of dimension `p`: the lgammas of input - k / 2 and p (p - 1) / 4 log(pi)."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    real_only("mvlgamma", input)
    total = lgamma(input)
    for k in range(1, p):
        total = total + lgamma(np.subtract(input, 0.5 * k, out=...))
    return np.add(total, p * (p - 1) / 4 * math.log(math.pi), out=...)


# ------------------------------------------------------------------------------------------------ incomplete gamma


def _log1p_minus(u):
    """log(1 + u) - u without cancellation."""
    near = np.abs(u) < 0.3
    v = np.where(near, u, 0.0)
    # log(1 + u) = 2 atanh(w), w = u / (2 + u); u = 2 w / (1 - w)
    w = v / (2 + v)
    w2 = w * w
    series = np.zeros_like(w)
    for k in range(21, 1, -2):
        series = (series + 1 / k) * w2
    small = 2 * w * series - v * w
    return np.where(near, small, np.log1p(np.where(near, 1.0, u)) - u)


def _igamma_factor(a, x):
    """x**a exp(-x) / gamma(a)."""
    large = a >= 10
    A, X = np.where(large, a, 10.0), np.where(large, x, 10.0)
    high = np.exp(A * _log1p_minus((X - A) / A) - stirling_rest(A)) * np.sqrt(A / (2 * np.pi))
    A, X = np.where(large, 1.0, a), np.where(large, 1.0, x)
    low = np.exp(A * np.log(X) - X - lgamma_double(A))
    return np.where(large, high, low)


def _lower_series(a, x):
    """igamma by its power series, for x <= a + 1."""
    total = np.ones_like(a)
    term = np.ones_like(a)
    k = 1.0
    while True:
        term = term * (x / (a + k))
        total += term
        k += 1
        if not (term > total * 1e-17).any():
            return total * _igamma_factor(a, x) / a


def _upper_fraction(a, x):
    """igammac by its continued fraction (modified Lentz), for x > a + 1."""
    b = x + 1 - a
    c = np.full_like(a, 1e300)
    d = 1 / b
    h = d.copy()
    k = 1
    while True:
        numerator = -k * (k - a)
        b = b + 2
        d = numerator * d + b
        d = 1 / np.where(d == 0, 1e-300, d)
        c = b + numerator / c
        c = np.where(c == 0, 1e-300, c)
        change = d * c
        h = h * change
        k += 1
        # steps of one unit in the last place may go on for ever
        if not (np.abs(change - 1) > 1e-15).any():
            return h * _igamma_factor(a, x)
        if k > 200000:
            raise RuntimeError("igammac: the continued fraction did not converge")


def _incomplete(upper):
    def function(a, x):
        ordinary = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
        y = np.full_like(a, math.nan)
        below = x <= a + 1
        if upper:
            piece(ordinary & below, lambda p, q: 1 - _lower_series(p, q), y, a, x)
            piece(ordinary & ~below, _upper_fraction, y, a, x)
        else:
            piece(ordinary & below, _lower_series, y, a, x)
            piece(ordinary & ~below, lambda p, q: 1 - _upper_fraction(p, q), y, a, x)
        full, empty = (0.0, 1.0) if upper else (1.0, 0.0)
        y[(a > 0) & (x == 0)] = empty
        y[(a == 0) & (x > 0)] = full
        y[(a >= 0) & (x == math.inf)] = full
        y[(a == math.inf) & (x >= 0)] = empty
        y[(a == math.inf) & (x == math.inf)] = math.nan
        return y

    return function


_igamma_double, _igammac_double = _incomplete(False), _incomplete(True)


def igamma(input, other):
    """Regularised lower incomplete gamma function P(input, other)."""
    real_only("igamma_cpu", input)
    return in_double(_igamma_double, input, other)


def igammac(input, other):
    """Regularised upper incomplete gamma function Q(input, other)."""
    real_only("igammac_cpu", input)
    return in_double(_igammac_double, input, other)
