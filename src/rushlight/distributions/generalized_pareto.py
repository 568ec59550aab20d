"""The generalised Pareto distribution."""

from .. import broadcast_to, inf, isclose, nan, ones_like, rand, tensor, where, zeros_like
from ..size import Size
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, number_shape

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Exceedances from ``loc`` on: ``(1 + c (x - loc) / scale)^(-1 / c)`` is the probability beyond x, c the ``concentration``.

    At c = 0 it is exponential; for c < 0 it ends at ``loc - scale / c``.
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _parameters = ("loc", "scale", "concentration")

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(number_shape(self.loc, loc, scale, concentration), validate_args=validate_args)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def _standardized(self, value):
        """``(value - loc) / scale``, where the concentration counts as zero, and one that may be divided by."""
        exponential = isclose(self.concentration, tensor(0.0))
        safe = where(exponential, ones_like(self.concentration), self.concentration)
        return (value - self.loc) / self.scale, exponential, safe

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        z, exponential, safe = self._standardized(value)
        power = 1 / safe + ones_like(z)
        exponent = where(power == 0, power, power * (safe * z).log1p())
        return -self.scale.log() - where(exponential, z, exponent)

    def log_survival_function(self, value):
        """The logarithm of the probability beyond ``value``."""
        if self._validate_args:
            self._validate_sample(value)
        z, exponential, safe = self._standardized(value)
        return where(exponential, -z, -(safe * z).log1p() / safe)

    def log_cdf(self, value):
        """The logarithm of the probability up to ``value``."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value):
        return self.log_cdf(value).exp()

    def icdf(self, value):
        exponential = isclose(self.concentration, zeros_like(self.concentration))
        safe = where(exponential, ones_like(self.concentration), self.concentration)
        log_beyond = (-value).log1p()
        curved = self.loc + self.scale / safe * (-safe * log_beyond).expm1()
        return where(exponential, self.loc - self.scale * log_beyond, curved)

    @property
    def mean(self):
        exists = self.concentration < 1
        safe = where(exists, self.concentration, 0.5)
        return where(exists, self.loc + self.scale / (1 - safe), nan)

    @property
    def variance(self):
        exists = self.concentration < 0.5
        safe = where(exists, self.concentration, 0.25)
        return where(exists, self.scale**2 / ((1 - safe) ** 2 * (1 - 2 * safe)), nan)

    def entropy(self):
        return broadcast_to(self.scale.log() + self.concentration + 1, self._batch_shape)

    @property
    def mode(self):
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = where(self.concentration < 0, self.loc - self.scale / self.concentration, inf)
        return constraints.interval(self.loc, end)
