"""Divergences of distributions of two families, put together from the means that they need.

The divergence is ``-entropy(p) - E[log q(x)]``. For each q the second term needs a few expectations under p: of x, x squared, log x,
log(1 - x) and ``exp(-x / s)``; for each p these have closed forms.
"""

import math

from .. import full_like, inf, maximum, where, xlogy
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .continuous_bernoulli import ContinuousBernoulli
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .kl import register_kl
from .laplace import Laplace
from .normal import Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import euler_constant


def _square(p):
    """The mean of x squared."""
    return p.variance + p.mean.pow(2)


def _uniform_log(low, high):
    """The mean of log x over an interval."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


#: the mean of log x under p
_LOG = {
    Beta: lambda p: p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma(),
    Exponential: lambda p: -euler_constant - p.rate.log(),
    Gamma: lambda p: p.concentration.digamma() - p.rate.log(),
    Pareto: lambda p: p.scale.log() + p.alpha.reciprocal(),
    Uniform: lambda p: _uniform_log(p.low, p.high),
}
#: the mean of exp(-x / s) under p
_EXP = {
    Exponential: lambda p, s: p.rate * s / (p.rate * s + 1),
    Gamma: lambda p, s: (1 + (p.rate * s).reciprocal()).pow(-p.concentration),
    Normal: lambda p, s: (-p.loc / s + 0.5 * (p.scale / s).pow(2)).exp(),
    Uniform: lambda p, s: s / (p.high - p.low) * ((-p.low / s).exp() - (-p.high / s).exp()),
}


def _to_normal(p, q):
    apart = _square(p) - 2 * q.loc * p.mean + q.loc.pow(2)
    return -0.5 * (2 * math.pi * q.scale.pow(2)).log() - apart / (2 * q.scale.pow(2))


def _to_gamma(p, q):
    normalizer = q.concentration * q.rate.log() - q.concentration.lgamma()
    return normalizer + (q.concentration - 1) * _LOG[_family(p)](p) - q.rate * p.mean


def _to_gumbel(p, q):
    return -q.scale.log() - (p.mean - q.loc) / q.scale - (q.loc / q.scale).exp() * _EXP[_family(p)](p, q.scale)


def _to_beta(p, q):
    a, b = q.concentration1, q.concentration0
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    return (a - 1) * _uniform_log(p.low, p.high) + (b - 1) * _uniform_log(1 - p.high, 1 - p.low) - log_beta


def _to_pareto(p, q):
    return q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _LOG[_family(p)](p)


def _to_continuous_bernoulli(p, q):
    return p.mean * q.logits + (-q.probs).log1p() + q._cont_bern_log_norm()


def _family(p):
    """The family a distribution belongs to, of those with closed forms."""
    return next(kind for kind in type(p).__mro__ if kind in _LOG or kind in _EXP)


#: the mean of log q(x) under p
_LOG_DENSITY = {
    Beta: _to_beta,
    ContinuousBernoulli: _to_continuous_bernoulli,
    Exponential: lambda p, q: q.rate.log() - q.rate * p.mean,
    Gamma: _to_gamma,
    Gumbel: _to_gumbel,
    Normal: _to_normal,
    Pareto: _to_pareto,
    Poisson: lambda p, q: p.probs * q.rate.log() - q.rate,
    Uniform: lambda p, q: -(q.high - q.low).log(),
}


def _beyond(p, q):
    """Where p reaches out of q's support."""
    low, high = (p.low, p.high) if isinstance(p, Uniform) else (p.support.lower_bound, p.support.upper_bound)
    result = low < _bounds(q)[0]
    return result | (high > _bounds(q)[1])


def _bounds(q):
    if isinstance(q, Uniform):
        return q.low, q.high
    return q.support.lower_bound, getattr(q.support, "upper_bound", inf)


#: for which distributions a divergence is infinite, though it has closed forms
_INFINITE_AT = {
    (Beta, Uniform): _beyond,
    (Uniform, Beta): _beyond,
    (Uniform, Exponential): _beyond,
    (Uniform, Gamma): _beyond,
    (Uniform, Pareto): _beyond,
    (Pareto, Exponential): lambda p, q: p.alpha <= 1,
    (Pareto, Gamma): lambda p, q: p.alpha <= 1,
    (Pareto, Normal): lambda p, q: p.alpha <= 2,
    # PyTorch's conditions, which ask for the bounds to lie strictly within
    (ContinuousBernoulli, Uniform): lambda p, q: maximum(q.low >= 0, q.high <= 1),
    (Uniform, ContinuousBernoulli): lambda p, q: maximum(p.high >= 1, p.low <= 0),
}


def _closed_form(p_kind, q_kind):
    density, infinite_at = _LOG_DENSITY[q_kind], _INFINITE_AT.get((p_kind, q_kind))

    def kl(p, q):
        result = -p.entropy() - density(p, q)
        return result if infinite_at is None else where(infinite_at(p, q), inf, result)

    return kl


for _p, _q_kinds in {
    Bernoulli: (Poisson,),
    Beta: (ContinuousBernoulli, Exponential, Gamma, Normal, Uniform),
    ContinuousBernoulli: (Exponential, Normal, Uniform),
    Exponential: (Gamma, Gumbel, Normal),
    Gamma: (Exponential, Gumbel, Normal),
    Gumbel: (Normal,),
    Laplace: (Normal,),
    Normal: (Gumbel,),
    Pareto: (Exponential, Gamma, Normal),
    Uniform: (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Normal, Pareto),
}.items():
    for _q in _q_kinds:
        register_kl(_p, _q)(_closed_form(_p, _q))


def _infinite(parameter):
    """An infinite divergence of the shape of one of p's parameters: p lives where q cannot."""
    return lambda p, q: full_like(getattr(p, parameter), inf)


_HALF_LINE = (Beta, ContinuousBernoulli, Pareto, Uniform)
for _p, _parameter, _q_kinds in (
    (Beta, "concentration1", (Pareto,)),
    (ContinuousBernoulli, "probs", (Pareto,)),
    (Exponential, "rate", _HALF_LINE),
    (Gamma, "concentration", _HALF_LINE),
    (Gumbel, "loc", (*_HALF_LINE, Exponential, Gamma)),
    (Laplace, "loc", (*_HALF_LINE, Exponential, Gamma)),
    (Normal, "loc", (*_HALF_LINE, Exponential, Gamma)),
    (Pareto, "scale", (Beta, ContinuousBernoulli, Uniform)),
    (Poisson, "rate", (Bernoulli, Binomial)),
):
    for _q in _q_kinds:
        register_kl(_p, _q)(_infinite(_parameter))


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    # by the mean of |x - loc| of a normal variable
    apart = p.loc - q.loc
    ratio = apart / p.scale
    mean_abs = math.sqrt(2 / math.pi) * p.scale * (-0.5 * ratio.pow(2)).exp() + apart * (math.sqrt(0.5) * ratio).erf()
    return -p.entropy() + (2 * q.scale).log() + mean_abs / q.scale
