"""The von Mises distribution, the normal distribution's counterpart on the circle."""

import math
from functools import reduce

from .. import bool as bool_
from .. import empty, float64, rand, where, zeros
from ..autograd.modes import no_grad
from ..size import Size
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]

# polynomials for the modified Bessel functions of orders 0 and 1: Abramowitz and Stegun, 9.8.1 to 9.8.4
_SMALL = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3),
)
# fmt: off
_LARGE = (
    (0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2,
     -0.2057706e-1, 0.2635537e-1, -0.1647633e-1, 0.392377e-2),
    (0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1,
     0.2282967e-1, -0.2895312e-1, 0.1787654e-1, -0.420059e-2),
)
# fmt: on


def _polynomial(x, coefficients):
    return reduce(lambda value, each: each + x * value, reversed(coefficients))


def _log_modified_bessel_fn(x, order=0):
    """``log(I_order(x))`` for positive x and order 0 or 1."""
    if order not in (0, 1):
        raise AssertionError(f"order must be 0 or 1, got {order}")
    small = _polynomial((x / 3.75) ** 2, _SMALL[order])
    if order == 1:
        small = x.abs() * small
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return where(x < 3.75, small.log(), large)


class VonMises(Distribution):
    """Angles in radians around ``loc``, the closer the larger ``concentration``. Mean and variance are the circular ones."""

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = False

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, Size(), validate_args)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        result = self.concentration * (value - self.loc).cos()
        return result - math.log(2 * math.pi) - _log_modified_bessel_fn(self.concentration, order=0)

    @lazy_property
    def _loc(self):
        return self.loc.to(float64)

    @lazy_property
    def _concentration(self):
        return self.concentration.to(float64)

    @lazy_property
    def _proposal_r(self):
        """The parameter of the wrapped Cauchy distribution that candidates are drawn from."""
        kappa = self._concentration
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        return where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))

    def sample(self, sample_shape=Size()):  # noqa: B008
        """By rejection, in float64: D. J. Best and N. I. Fisher, Applied Statistics 28 (1979), 152 to 157."""
        with no_grad():
            angles = self._deviations(empty(self._extended_shape(sample_shape), dtype=float64))
            return ((angles + math.pi + self._loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def _deviations(self, x):
        done = zeros(x.shape, dtype=bool_)
        r = self._proposal_r
        while not done.all():
            first, second, third = rand((3, *x.shape), dtype=x.dtype).unbind()
            z = (math.pi * first).cos()
            f = (1 + r * z) / (r + z)
            c = self._concentration * (r - f)
            accept = ((c * (2 - c) - second) > 0) | ((c / second).log() + 1 - c >= 0)
            if accept.any():
                # an accepted angle may be replaced by a later one, as long as others are still sought
                x = where(accept, (third - 0.5).sign() * f.acos(), x)
                done = done | accept
        return x

    def expand(self, batch_shape, _instance=None):
        return type(self)(
            self.loc.expand(batch_shape),
            self.concentration.expand(batch_shape),
            validate_args=self.__dict__.get("_validate_args"),
        )

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        kappa = self.concentration
        return 1 - (_log_modified_bessel_fn(kappa, order=1) - _log_modified_bessel_fn(kappa, order=0)).exp()
