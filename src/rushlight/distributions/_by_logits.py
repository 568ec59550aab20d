"""Distributions that are given either probabilities or logits, and compute the other when it is asked for."""

from ..size import Size
from .distribution import Distribution
from .utils import broadcast_all, is_number, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["BinaryByLogits"]


class BinaryByLogits(Distribution):
    """One probability for each set of parameters: ``probs``, or ``logits``, the log odds."""

    _parameters = ("probs", "logits")

    def _take(self, probs, logits, *others):
        """Set whichever was given, broadcast against further parameters; returns those, and the batch shape of numbers alone."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, given = ("probs", probs) if probs is not None else ("logits", logits)
        if others:
            *others, value = broadcast_all(*others, given)
        else:
            (value,) = broadcast_all(given)
        setattr(self, name, value)
        self._param = value
        return others, Size() if is_number(given) and not others else value.size()

    def _expand_more(self, new, batch_shape):
        new._param = new.__dict__["probs" if "probs" in new.__dict__ else "logits"]

    def _new(self, *args, **kwargs):
        return self._param.new(*args, **kwargs)

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self):
        return self._param.size()
