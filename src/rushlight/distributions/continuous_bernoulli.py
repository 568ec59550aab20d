"""The continuous Bernoulli distribution."""

import math

from ..nn import functional
from ..ops.random import rand
from ..ops.table import PLACES
from ..size import Size
from . import constraints
from ._by_logits import BinaryByLogits
from .exp_family import ExponentialFamily
from .utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["ContinuousBernoulli"]

_torch = PLACES[""]


class ContinuousBernoulli(BinaryByLogits, ExponentialFamily):
    """Density on [0, 1] proportional to ``probs**x (1 - probs)**(1 - x)``.

    Near ``probs = 1/2`` (within ``lims``) formulas are replaced by their Taylor expansions.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True
    _parameters = ("probs", "logits")

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None) -> None:
        _, batch_shape = self._take(probs, logits)
        if probs is not None:
            if validate_args is not None and not self.arg_constraints["probs"].check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(batch_shape, validate_args=validate_args)

    def _expand_more(self, new, batch_shape):
        super()._expand_more(new, batch_shape)
        new._lims = self._lims

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _far(self):
        """Where ``probs`` is far enough from 1/2 for the plain formulas."""
        return _torch["max"](_torch["le"](self.probs, self._lims[0]), _torch["gt"](self.probs, self._lims[1]))

    def _cut(self):
        """``probs`` where it is far, and a point that is elsewhere."""
        return _torch["where"](self._far(), self.probs, self.probs * 0 + self._lims[0])

    def _cont_bern_log_norm(self):
        cut = self._cut()
        below = _torch["where"](_torch["le"](cut, 0.5), cut, cut * 0)
        above = _torch["where"](_torch["ge"](cut, 0.5), cut, cut * 0 + 1)
        log_norm = _torch["log"](_torch["abs"](_torch["log1p"](-cut) - _torch["log"](cut))) - _torch["where"](
            _torch["le"](cut, 0.5), _torch["log1p"](-2.0 * below), _torch["log"](2.0 * above - 1.0)
        )
        x = _torch["pow"](self.probs - 0.5, 2)
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return _torch["where"](self._far(), log_norm, taylor)

    @property
    def mean(self):
        cut = self._cut()
        plain = cut / (2.0 * cut - 1.0) + 1.0 / (_torch["log1p"](-cut) - _torch["log"](cut))
        x = self.probs - 0.5
        taylor = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * _torch["pow"](x, 2)) * x
        return _torch["where"](self._far(), plain, taylor)

    @property
    def stddev(self):
        return _torch["sqrt"](self.variance)

    @property
    def variance(self):
        cut = self._cut()
        plain = cut * (cut - 1.0) / _torch["pow"](1.0 - 2.0 * cut, 2) + 1.0 / _torch["pow"](
            _torch["log1p"](-cut) - _torch["log"](cut), 2
        )
        x = _torch["pow"](self.probs - 0.5, 2)
        taylor = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return _torch["where"](self._far(), plain, taylor)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return (
            -functional.binary_cross_entropy_with_logits(logits, value, reduction="none") + self._cont_bern_log_norm()
        )

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        cut = self._cut()
        plain = (_torch["pow"](cut, value) * _torch["pow"](1.0 - cut, 1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        inside = _torch["where"](self._far(), plain, value)
        low = _torch["where"](_torch["le"](value, 0.0), value * 0, inside)
        return _torch["where"](_torch["ge"](value, 1.0), value * 0 + 1, low)

    def icdf(self, value):
        cut = self._cut()
        plain = (_torch["log1p"](-cut + value * (2.0 * cut - 1.0)) - _torch["log1p"](-cut)) / (
            _torch["log"](cut) - _torch["log1p"](-cut)
        )
        return _torch["where"](self._far(), plain, value)

    def entropy(self):
        log_zero = _torch["log1p"](-self.probs)
        log_one = _torch["log"](self.probs)
        return self.mean * (log_zero - log_one) - self._cont_bern_log_norm() - log_zero

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log((e^x - 1) / x), by its Taylor expansion near zero."""
        far = _torch["max"](_torch["le"](x, self._lims[0] - 0.5), _torch["gt"](x, self._lims[1] - 0.5))
        cut = _torch["where"](far, x, x * 0 + (self._lims[0] - 0.5))
        plain = _torch["log"](_torch["abs"](_torch["expm1"](cut))) - _torch["log"](_torch["abs"](cut))
        taylor = 0.5 * x + _torch["pow"](x, 2) / 24.0 - _torch["pow"](x, 4) / 2880.0
        return _torch["where"](far, plain, taylor)
