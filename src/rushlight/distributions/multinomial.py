"""The multinomial distribution."""

from ..ops.creation import ones_like, tensor, zeros
from ..ops.table import PLACES
from ..size import Size
from . import constraints
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["Multinomial"]

_torch = PLACES[""]


class Multinomial(Distribution):
    """How often each of K categories comes in ``total_count`` draws; ``probs`` and ``logits`` as for ``Categorical``."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _bases = ("_categorical",)

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)
        batch_shape = self._categorical.batch_shape
        super().__init__(batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    def _expand_more(self, new, batch_shape):
        new.total_count = self.total_count
        new._binomial = self._binomial

    def _new(self, *args, **kwargs):
        return self._categorical._new(*args, **kwargs)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    @property
    def logits(self):
        return self._categorical.logits

    @property
    def probs(self):
        return self._categorical.probs

    @property
    def param_shape(self):
        return self._categorical.param_shape

    def sample(self, sample_shape=Size()):  # noqa: B008
        sample_shape = Size(sample_shape)
        drawn = self._categorical.sample(Size((self.total_count,)) + sample_shape)
        # the draws of one sample along the last dimension
        drawn = drawn.permute(*range(1, drawn.dim()), 0)
        counts = zeros(self._extended_shape(sample_shape), dtype=drawn.dtype)
        counts.scatter_add_(-1, drawn, ones_like(drawn))
        return counts.type_as(self.probs)

    def entropy(self):
        n = tensor(self.total_count)
        categorical = self._categorical.entropy()
        term1 = n * categorical - _torch["lgamma"](n + 1)
        support = self._binomial.enumerate_support(expand=False)[1:]
        binomial = _torch["exp"](self._binomial.log_prob(support))
        weights = _torch["lgamma"](support + 1)
        term2 = (binomial * weights).sum([0, -1])
        return term1 + term2

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.clone()
        log_factorial_n = _torch["lgamma"](value.sum(-1) + 1)
        log_factorial_xs = _torch["lgamma"](value + 1).sum(-1)
        logits[(value == 0) & (logits == -float("inf"))] = 0
        return log_factorial_n - log_factorial_xs + (logits * value).sum(-1)
