"""The Dirichlet distribution."""

from ..ops.random import _sample_dirichlet
from ..ops.table import PLACES, TENSOR
from ..size import Size
from . import constraints
from .distribution import Distribution
from .exp_family import ExponentialFamily

__all__ = ["Dirichlet"]

_torch = PLACES[""]


def _Dirichlet_backward(x, concentration, grad_output):
    """The cotangent of ``concentration`` from that of a sample x: implicit reparametrisation (arXiv:1805.08498), on the simplex."""
    slope = TENSOR._dirichlet_grad(x, concentration, concentration.sum(-1, True).expand_as(concentration))
    return slope * (grad_output - (x * grad_output).sum(-1, True))


class Dirichlet(ExponentialFamily):
    """Points of the simplex; ``concentration`` has shape (..., K)."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration, validate_args=None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(Dirichlet, _instance)
        batch_shape = Size(batch_shape)
        new.concentration = self.concentration.expand(batch_shape + self.event_shape)
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def rsample(self, sample_shape=()):
        return _sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return (
            _torch["xlogy"](self.concentration - 1.0, value).sum(-1)
            + _torch["lgamma"](self.concentration.sum(-1))
            - _torch["lgamma"](self.concentration).sum(-1)
        )

    @property
    def mean(self):
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self):
        less = (self.concentration - 1).clamp(min=0.0)
        mode = less / less.sum(-1, True)
        flat = (self.concentration < 1).all(dim=-1)
        mode[flat] = PLACES["nn.functional"]["one_hot"](mode[flat].argmax(dim=-1), less.shape[-1]).to(mode)
        return mode

    @property
    def variance(self):
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self):
        k = self.concentration.size(-1)
        total = self.concentration.sum(-1)
        return (
            _torch["lgamma"](self.concentration).sum(-1)
            - _torch["lgamma"](total)
            - (k - total) * _torch["digamma"](total)
            - ((self.concentration - 1.0) * _torch["digamma"](self.concentration)).sum(-1)
        )

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - _torch["lgamma"](x.sum(-1))
