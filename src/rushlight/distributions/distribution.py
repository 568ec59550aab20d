"""The base of all distributions."""

import inspect
import warnings
from functools import lru_cache
from typing import ClassVar

from ..autograd.modes import no_grad
from ..ops.table import PLACES
from ..shown import Shown
from ..size import Size
from ..tensor import Tensor
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution"]


@lru_cache(256)
def _is_lazy(kind, name):
    """Whether a parameter of a class of distributions is computed from another."""
    return isinstance(inspect.getattr_static(kind, name), lazy_property)


class Distribution(Shown):
    """A distribution of values of shape ``event_shape``, for each of ``batch_shape`` sets of parameters.

    A subclass names its parameters and where they lie in ``arg_constraints``. If all of them have the batch's shape, ``_parameters`` lists
    them, and ``expand`` follows.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    #: parameters whose shape is the batch shape, and attributes that are distributions to be expanded along
    _parameters: ClassVar[tuple] = ()
    _bases: ClassVar[tuple] = ()

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions check parameters and values unless they are told otherwise."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=Size(), event_shape=Size(), validate_args=None) -> None:  # noqa: B008 - immutable
        self._batch_shape = batch_shape
        self._event_shape = event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()
        super().__init__()

    def _check_parameters(self):
        try:
            known = self.arg_constraints
        except NotImplementedError:
            known = {}
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
        for name, constraint in known.items():
            if constraints.is_dependent(constraint):
                continue  # known only once all parameters are right
            if name not in self.__dict__ and _is_lazy(type(self), name):
                continue  # computed from another parameter
            value = getattr(self, name)
            if not constraint.check(value)._is_all_true():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} to "
                    f"satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape, _instance=None):
        """The same distribution for a larger batch shape; parameters are expanded, not copied."""
        if not (self._parameters or self._bases):
            raise NotImplementedError
        home = next(kind for kind in type(self).__mro__ if "_parameters" in vars(kind) or "_bases" in vars(kind))
        new = self._get_checked_instance(home, _instance)
        batch_shape = Size(batch_shape)
        for name in self._parameters:
            if name in self.__dict__:
                setattr(new, name, getattr(self, name).expand(batch_shape))
        for name in self._bases:
            setattr(new, name, getattr(self, name).expand(batch_shape))
        self._expand_more(new, batch_shape)
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _expand_more(self, new, batch_shape):
        """Give the expanded distribution what else it needs."""

    def _get_checked_instance(self, cls, _instance=None):
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom __init__ method must also define a custom "
                ".expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    @property
    def batch_shape(self):
        """The shape of the parameters."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one value."""
        return self._event_shape

    @property
    def arg_constraints(self):
        """Where each parameter lies, by name."""
        raise NotImplementedError

    @property
    def support(self):
        """Where values lie."""
        raise NotImplementedError

    @property
    def mean(self):
        raise NotImplementedError

    @property
    def mode(self):
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        raise NotImplementedError

    @property
    def stddev(self):
        return self.variance.sqrt()

    def sample(self, sample_shape=Size()):  # noqa: B008
        """Draws of shape ``sample_shape + batch_shape + event_shape``, cut off from the parameters."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        """Draws that can be differentiated with respect to the parameters."""
        raise NotImplementedError

    def sample_n(self, n):
        """``n`` draws. Deprecated for ``sample((n,))``."""
        warnings.warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.", UserWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, at ``value``."""
        raise NotImplementedError

    def cdf(self, value):
        """The probability of a value up to ``value``."""
        raise NotImplementedError

    def icdf(self, value):
        """The value up to which the probability is ``value``."""
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution along a new first dimension."""
        raise NotImplementedError

    def entropy(self):
        raise NotImplementedError

    def perplexity(self):
        """``exp(entropy)``."""
        return PLACES[""]["exp"](self.entropy())

    def _extended_shape(self, sample_shape=Size()):  # noqa: B008
        if not isinstance(sample_shape, Size):
            sample_shape = Size(sample_shape)
        return Size(sample_shape + self._batch_shape + self._event_shape)

    def _validate_sample(self, value):
        """Raise ValueError unless ``value`` has a fitting shape and lies in the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        start = len(value.size()) - len(self._event_shape)
        if value.size()[start:] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.size()} vs {self._event_shape}."
            )
        actual, expected = value.size(), self._batch_shape + self._event_shape
        for i, j in zip(reversed(actual), reversed(expected)):
            if i != 1 and j != 1 and i != j:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {actual} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. Please initialize the distribution with "
                "`validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not support.check(value)._is_all_true():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self):
        names = [name for name in self.arg_constraints if name in self.__dict__]
        shown = [
            f"{n}: {self.__dict__[n] if self.__dict__[n].numel() == 1 else self.__dict__[n].size()}" for n in names
        ]
        return f"{self.__class__.__name__}({', '.join(shown)})"
