"""Exponential families: the entropy follows from the log normaliser."""

from ..autograd.calls import grad
from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Density ``exp(<t(x), natural> - log_normalizer(natural) + k(x))``."""

    @property
    def _natural_params(self):
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        """The mean of ``k(x)``, needed for the entropy."""
        raise NotImplementedError

    def entropy(self):
        """By the gradient of the log normaliser, which is the mean of t(x)."""
        result = -self._mean_carrier_measure
        natural = [each.detach().requires_grad_() for each in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        gradients = grad(normalizer.sum(), natural, create_graph=True)
        result = result + normalizer
        for parameter, gradient in zip(natural, gradients):
            result = result - (parameter * gradient).reshape(self._batch_shape + (-1,)).sum(-1)
        return result
