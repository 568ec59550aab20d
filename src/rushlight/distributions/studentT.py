"""Student's t distribution."""

import math

from ..ops.table import PLACES
from ..size import Size
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .utils import broadcast_all, is_number, standard_normal

__all__ = ["StudentT"]

_torch = PLACES[""]


class StudentT(Distribution):
    """``df`` degrees of freedom, shifted by ``loc`` and scaled by ``scale``."""

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _parameters = ("df", "loc", "scale")
    _bases = ("_chi2",)

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(
            Size() if is_number(df) and is_number(loc) and is_number(scale) else self.df.size(),
            validate_args=validate_args,
        )

    @property
    def mean(self):
        mean = self.loc.clone()
        mean[self.df <= 1] = math.nan
        return mean

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        variance = self.df.clone()
        finite = self.df > 2
        variance[finite] = self.scale[finite].pow(2) * self.df[finite] / (self.df[finite] - 2)
        variance[(self.df <= 2) & (self.df > 1)] = math.inf
        variance[self.df <= 1] = math.nan
        return variance

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        normal = standard_normal(shape, self.df.dtype)
        chi2 = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (normal * _torch["rsqrt"](chi2 / self.df))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + _torch["lgamma"](0.5 * self.df)
            - _torch["lgamma"](0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * _torch["log1p"](y**2.0 / self.df) - normalizer

    def entropy(self):
        log_beta = _torch["lgamma"](0.5 * self.df) + math.lgamma(0.5) - _torch["lgamma"](0.5 * (self.df + 1))
        return (
            self.scale.log()
            + 0.5 * (self.df + 1) * (_torch["digamma"](0.5 * (self.df + 1)) - _torch["digamma"](0.5 * self.df))
            + 0.5 * self.df.log()
            + log_beta
        )
