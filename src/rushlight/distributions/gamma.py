"""The gamma distribution."""

from .. import dtypes
from ..ops.creation import as_tensor
from ..ops.random import _standard_gamma
from ..ops.table import PLACES
from ..size import Size
from . import constraints
from .exp_family import ExponentialFamily
from .utils import broadcast_all, is_number

__all__ = ["Gamma"]

_torch = PLACES[""]


class Gamma(ExponentialFamily):
    """Shape ``concentration`` and ``rate`` (the inverse scale)."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    _parameters = ("concentration", "rate")

    def __init__(self, concentration, rate, validate_args=None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        numbers = is_number(concentration) and is_number(rate)
        super().__init__(Size() if numbers else self.concentration.size(), validate_args=validate_args)

    @property
    def mean(self):
        return self.concentration / self.rate

    @property
    def mode(self):
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self):
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        value = _standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=dtypes.finfo(value.dtype).tiny)  # the value, not its gradient
        return value

    def log_prob(self, value):
        value = as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (
            _torch["xlogy"](self.concentration, self.rate)
            + _torch["xlogy"](self.concentration - 1, value)
            - self.rate * value
            - _torch["lgamma"](self.concentration)
        )

    def entropy(self):
        return (
            self.concentration
            - _torch["log"](self.rate)
            + _torch["lgamma"](self.concentration)
            + (1.0 - self.concentration) * _torch["digamma"](self.concentration)
        )

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return PLACES["special"]["gammainc"](self.concentration, self.rate * value)

    @property
    def _natural_params(self):
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x, y):
        return _torch["lgamma"](x + 1) + (x + 1) * _torch["log"](-y.reciprocal())
