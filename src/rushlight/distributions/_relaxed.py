"""What relaxed discrete distributions share."""

from .transformed_distribution import TransformedDistribution


class Relaxed(TransformedDistribution):
    """A transform of a distribution with ``temperature``, ``probs`` and ``logits``, which are shown as its own."""

    has_rsample = True

    @property
    def temperature(self):
        return self.base_dist.temperature

    @property
    def logits(self):
        return self.base_dist.logits

    @property
    def probs(self):
        return self.base_dist.probs
