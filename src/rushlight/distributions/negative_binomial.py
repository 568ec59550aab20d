"""The negative binomial distribution."""

from ..autograd.modes import no_grad
from ..nn import functional
from ..ops.table import PLACES
from ..size import Size
from . import constraints
from ._by_logits import BinaryByLogits
from .gamma import Gamma
from .utils import lazy_property

__all__ = ["NegativeBinomial"]

_torch = PLACES[""]


class NegativeBinomial(BinaryByLogits):
    """The number of successes (each with probability ``probs``) before ``total_count`` failures."""

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _parameters = ("total_count", "probs", "logits")

    def __init__(self, total_count, probs=None, logits=None, validate_args=None) -> None:
        (self.total_count,), batch_shape = self._take(probs, logits, total_count)
        self.total_count = self.total_count.type_as(self._param)
        super().__init__(batch_shape, validate_args=validate_args)

    @property
    def mean(self):
        return self.total_count * _torch["exp"](self.logits)

    @property
    def mode(self):
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self):
        return self.mean / _torch["sigmoid"](-self.logits)

    @lazy_property
    def _gamma(self):
        return Gamma(concentration=self.total_count, rate=_torch["exp"](-self.logits), validate_args=False)

    def sample(self, sample_shape=Size()):  # noqa: B008
        with no_grad():
            return _torch["poisson"](self._gamma.sample(sample_shape=sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        unnormalized = self.total_count * functional.logsigmoid(-self.logits) + value * functional.logsigmoid(
            self.logits
        )
        normalization = (
            -_torch["lgamma"](self.total_count + value)
            + _torch["lgamma"](1.0 + value)
            + _torch["lgamma"](self.total_count)
        )
        normalization = normalization.masked_fill(self.total_count + value == 0.0, 0.0)
        return unnormalized - normalization
