"""Special functions against values computed with 40 digits."""

import math

import numpy as np
import pytest

from rushlight.array import special, special_bessel, special_gamma, special_polynomials

#: (argument, value) by function, from mpmath with 40 digits
EXPECTED = {
    "erf": (
        (1e-10, 1.1283791670955126e-10),
        (0.1, 0.1124629160182849),
        (0.5, 0.5204998778130465),
        (0.9, 0.7969082124228322),
        (1.0, 0.8427007929497149),
        (1.1, 0.8802050695740817),
        (2.0, 0.9953222650189527),
        (3.5, 0.9999992569016276),
        (-0.7, -0.6778011938374184),
        (-2.5, -0.999593047982555),
    ),
    "erfc": (
        (-2.0, 1.9953222650189528),
        (0.0, 1.0),
        (0.3, 0.6713732405408726),
        (1.0, 0.15729920705028513),
        (2.5, 0.0004069520174449589),
        (6.0, 2.1519736712498913e-17),
        (12.0, 1.3562611692059042e-64),
        (26.0, 5.663192408856143e-296),
    ),
    "erfcx": (
        (-3.0, 16205.988853999586),
        (-0.5, 1.952360489182557),
        (0.0, 1.0),
        (0.7, 0.525930337349441),
        (4.0, 0.13699945762506138),
        (30.0, 0.01879588886141675),
        (100000.0, 5.6418958351954685e-06),
    ),
    "erfinv": (
        (-0.99, -1.8213863677184494),
        (-0.5, -0.4769362762044699),
        (1e-08, 8.86226925452758e-09),
        (0.1, 0.08885599049425769),
        (0.74, 0.7964788056117074),
        (0.76, 0.8308411284745602),
        (0.999, 2.3267537655135246),
        (0.9999999, 3.7665625816384707),
    ),
    "ndtr": (
        (-30.0, 4.906713927148187e-198),
        (-12.0, 1.776482112077679e-33),
        (-3.0, 0.0013498980316300946),
        (-0.5, 0.3085375387259869),
        (0.0, 0.5),
        (0.5, 0.6914624612740131),
        (3.0, 0.9986501019683699),
    ),
    "log_ndtr": (
        (-40.0, -804.6084420137538),
        (-3.0, -6.607726221510349),
        (-1.0, -1.8410216450092636),
        (-0.5, -1.1759117615936185),
        (0.0, -0.6931471805599453),
        (0.5, -0.3689464152886564),
        (5.0, -2.866516129637636e-07),
    ),
    "lgamma": (
        (1e-05, 11.512919692895826),
        (0.3, 1.0957979948180756),
        (0.999, 0.0005780385328913802),
        (1.5, -0.12078223763524522),
        (2.001, 0.000423106734800117),
        (2.9, 0.6028696102493114),
        (5.5, 3.9578139676187165),
        (12.25, 18.115669505710894),
        (100.5, 361.4355404677776),
        (-0.3, 1.4648400508576025),
        (-1e-10, 23.025850929998178),
        (-2.5, -0.056243716497674054),
    ),
    "digamma": (
        (1e-05, -100000.57719921567),
        (0.4, -2.561384544585116),
        (1.0, -0.5772156649015329),
        (1.4, -0.06138454458511624),
        (2.0, 0.42278433509846713),
        (5.5, 1.6110931485817512),
        (12.0, 2.442661679975812),
        (300.0, 5.702114882064637),
        (-0.4, 0.9593807861068093),
        (-3.3, 3.620353460592126),
    ),
    "trigamma": (
        (0.01, 10001.621213528313),
        (0.5, 4.934802200544679),
        (1.0, 1.6449340668482264),
        (4.5, 0.24872510303901038),
        (50.0, 0.020201333226697125),
        (-0.4, 9.886209670902357),
        (-3.3, 14.817739525515929),
    ),
    "i0": (
        (0.0, 1.0),
        (0.5, 1.0634833707413236),
        (7.9, 389.406283282158),
        (8.1, 469.5006067101215),
        (30.0, 781672297823.9775),
        (-3.0, 4.8807925858650245),
    ),
    "i0e": (
        (0.0, 1.0),
        (0.5, 0.6450352704491501),
        (7.9, 0.14436986414104191),
        (8.1, 0.14251180948829528),
        (300.0, 0.02304255841508546),
        (-3.0, 0.2430003541618254),
    ),
    "i1": (
        (0.0, 0.0),
        (0.5, 0.2578943053908963),
        (7.9, 363.8539440845084),
        (8.1, 439.48430891035844),
        (30.0, 768532038938.957),
        (-3.0, -3.9533702174026093),
    ),
    "i1e": (
        (0.0, 0.0),
        (0.5, 0.1564208031848717),
        (7.9, 0.13489649943989376),
        (8.1, 0.13340068832583662),
        (300.0, 0.02300412204026895),
        (-3.0, -0.19682671329730086),
    ),
    "bessel_j0": (
        (0.0, 1.0),
        (1.0, 0.7651976865579666),
        (7.9, 0.19436184484127825),
        (8.1, 0.14751745404437766),
        (50.0, 0.055812327669251816),
    ),
    "bessel_j1": (
        (0.0, 0.0),
        (1.0, 0.4400505857449335),
        (7.9, 0.2191793999217512),
        (8.1, 0.24760776698159287),
        (50.0, -0.09751182812517514),
    ),
    "bessel_y0": (
        (0.1, -1.5342386513503667),
        (1.0, 0.08825696421567696),
        (7.9, 0.20652094814437577),
        (8.1, 0.23809132870223482),
        (50.0, -0.09806499547007708),
    ),
    "bessel_y1": (
        (0.1, -6.4589510947020266),
        (1.0, -0.7812128213002887),
        (7.9, -0.18172107728057313),
        (8.1, -0.13314879595249593),
        (50.0, -0.05679566856201477),
    ),
    "modified_bessel_k0": (
        (0.1, 2.4270690247020164),
        (1.9, 0.1288459792760475),
        (2.1, 0.10078374088996693),
        (20.0, 5.741237815336525e-10),
    ),
    "modified_bessel_k1": (
        (0.1, 9.853844780870606),
        (1.9, 0.15966015303266762),
        (2.1, 0.12274641153350789),
        (20.0, 5.883057969557038e-10),
    ),
    "airy_ai": (
        (-20.0, -0.1764061270779847),
        (-5.5, 0.017781541276574976),
        (-1.0, 0.5355608832923521),
        (0.0, 0.3550280538878172),
        (1.0, 0.13529241631288141),
        (3.0, 0.006591139357460719),
        (20.0, 1.6916728686705404e-27),
    ),
}

#: the largest error, in units of the last place (J, Y and Ai: of the last place of 1)
TOLERANCE = dict(
    erf=2, erfc=4, erfcx=3, erfinv=4, ndtr=5, log_ndtr=5, lgamma=3, digamma=7, trigamma=5, i0=3, i0e=3, i1=6, i1e=5,
    bessel_j0=6, bessel_j1=6, bessel_y0=12, bessel_y1=20, modified_bessel_k0=9, modified_bessel_k1=6, airy_ai=30,
)  # fmt: skip
ABSOLUTE = ("bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai")


def function(name):
    if name == "trigamma":
        return lambda x: special_gamma.polygamma(1, x)
    for module in (special, special_gamma, special_bessel):
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(name)


def ulps(found, expected, absolute=False):
    unit = np.spacing(np.ones_like(expected)) if absolute else np.spacing(np.abs(expected))
    return np.max(np.abs(found - expected) / unit)


# a few values go through the interpreter's own functions, many through the polynomials: both must be right
@pytest.mark.parametrize("copies", (1, 100, 40000))
@pytest.mark.parametrize("name", EXPECTED)
def test_double_precision_is_good_to_the_last_places(name, copies):
    table = np.array(EXPECTED[name])
    x, expected = np.repeat(table[:, 0], copies), np.repeat(table[:, 1], copies)
    with np.errstate(all="ignore"):
        found = function(name)(x)
    assert found.dtype == np.float64
    assert ulps(found, expected, name in ABSOLUTE) <= TOLERANCE[name]


@pytest.mark.parametrize("copies", (1, 100))
@pytest.mark.parametrize("name", EXPECTED)
def test_single_precision_is_computed_in_double_or_within_three_units(name, copies):
    table = np.array(EXPECTED[name])
    x = np.repeat(table[:, 0].astype(np.float32), copies)
    with np.errstate(all="ignore"):
        found, wide = function(name)(x), function(name)(x.astype(np.float64))
    assert found.dtype == np.float32
    rounded = wide.astype(np.float32)
    assert np.max(np.abs(found - rounded) / np.spacing(np.abs(rounded))) <= (3 if name == "erf" else 1)


def test_limits_and_poles():
    def value(f, x):
        return float(f(np.array([x]))[0])

    inf, nan = math.inf, math.nan
    with np.errstate(all="ignore"):
        assert value(special.erf, inf) == 1 and value(special.erf, -inf) == -1 and math.isnan(value(special.erf, nan))
        assert value(special.erfc, inf) == 0 and value(special.erfc, -inf) == 2
        assert value(special.erfcx, -inf) == inf
        assert value(special.erfinv, 1.0) == inf and value(special.erfinv, -1.0) == -inf
        assert math.isnan(value(special.erfinv, 1.5))
        assert value(special.ndtri, 0.0) == -inf and value(special.ndtri, 1.0) == inf and value(special.ndtri, 0.5) == 0
        assert value(special.entr, 0.0) == 0 and value(special.entr, -1.0) == -inf
        assert value(special.logit, 1.0) == inf and value(special.logit, 0.0) == -inf
        assert value(special_gamma.lgamma, -3.0) == inf and value(special_gamma.lgamma, 0.0) == inf
        assert value(special_gamma.lgamma, 1.0) == 0 and value(special_gamma.lgamma, 2.0) == 0
        assert value(special_gamma.digamma, 0.0) == -inf and value(special_gamma.digamma, -0.0) == inf
        assert math.isnan(value(special_gamma.digamma, -2.0))
        assert value(special_bessel.modified_bessel_k0, 0.0) == inf
        assert value(special_bessel.bessel_y0, 0.0) == -inf and math.isnan(value(special_bessel.bessel_y0, -1.0))
        assert value(special_bessel.spherical_bessel_j0, 0.0) == 1


def test_ndtri_inverts_ndtr():
    x = np.linspace(-37, 7, 500)
    p = special.ndtr(x)
    back = special.ndtri(p)
    # the inverse cannot be better than p's own rounding: half a unit of p moves x by that over the density
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert np.all(np.abs(back - x) <= 8 * np.spacing(p) / density + 8 * np.spacing(np.abs(x)))


def test_zeta_and_incomplete_gamma():
    def at(f, *values):
        return float(f(*[np.array([float(v)]) for v in values])[0])

    assert at(special_gamma.zeta, 2.5, 0.7) == pytest.approx(2.9028675777573465, rel=2e-15)
    assert at(special_gamma.zeta, 1.1, 20) == pytest.approx(7.430042649595584, rel=2e-15)
    assert at(special_gamma.igamma, 2.5, 1.7) == pytest.approx(0.36143007689620493, rel=1e-14)
    assert at(special_gamma.igammac, 2.5, 9) == pytest.approx(0.0029464045878802906, rel=1e-14)
    assert at(special_gamma.igamma, 300, 310) == pytest.approx(0.7224887541718611, rel=1e-13)
    assert special_gamma.polygamma(3, np.array([0.8]))[0] == pytest.approx(15.370892070482736, rel=2e-15)
    a, x = np.meshgrid(np.array([0.2, 1.0, 7.0, 80.0]), np.array([0.1, 1.0, 6.5, 79.0, 200.0]))
    assert np.allclose(special_gamma.igamma(a, x) + special_gamma.igammac(a, x), 1, rtol=0, atol=1e-14)
    assert at(special_gamma.igamma, 0, 1) == 1 and at(special_gamma.igamma, 1, 0) == 0
    assert math.isnan(at(special_gamma.igamma, -1, 1))


def test_orthogonal_polynomials():
    x = np.array([-1.0, -0.4, 0.3, 1.0, 1.5])
    for n in (0, 1, 2, 5, 12):
        degree = np.full_like(x, n)
        inside = np.abs(x) < 1
        t = special_polynomials.chebyshev_polynomial_t(x, degree)
        assert np.allclose(t[inside], np.cos(n * np.arccos(x[inside])), atol=1e-13)
        assert np.allclose(t, np.polynomial.chebyshev.chebval(x, [0] * n + [1]))
        assert np.allclose(
            special_polynomials.legendre_polynomial_p(x, degree), np.polynomial.legendre.legval(x, [0] * n + [1])
        )
        assert np.allclose(
            special_polynomials.hermite_polynomial_h(x, degree), np.polynomial.hermite.hermval(x, [0] * n + [1])
        )
        assert np.allclose(
            special_polynomials.hermite_polynomial_he(x, degree), np.polynomial.hermite_e.hermeval(x, [0] * n + [1])
        )
        assert np.allclose(
            special_polynomials.laguerre_polynomial_l(x, degree), np.polynomial.laguerre.lagval(x, [0] * n + [1])
        )
    assert special_polynomials.chebyshev_polynomial_u(np.array([0.5]), np.array([-1.0]))[0] == 0


def test_integers_are_refused_by_name():
    with pytest.raises(NotImplementedError, match="\"erfcx_cpu\" not implemented for 'Long'"):
        special.erfcx(np.arange(3))
    with pytest.raises(RuntimeError, match="does not support negative n"):
        special_gamma.polygamma(-1, np.ones(2))
    with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
        special_gamma.mvlgamma(np.ones(2), 0)


@pytest.mark.parametrize("kernel", [special_gamma.lgamma, special_bessel.i0])
def test_results_have_the_order_in_memory_of_their_operand(kernel):
    x = np.linspace(0.5, 3, 24).reshape(2, 3, 4).transpose(2, 0, 1)
    made = kernel(x)
    assert made.strides == x.strides
    assert np.array_equal(made, kernel(x.copy("C")))
