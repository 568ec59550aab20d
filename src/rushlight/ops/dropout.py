"""Dropouts: random zeros in training, the rest scaled so that the mean stays.

The mask is drawn as PyTorch draws it on the CPU (one Bernoulli draw an element, kept with probability 1 - p), so a seed
gives PyTorch's mask. Element-wise dropout is one multiplication by the mask, hence `MulBackward0`.
"""

import warnings

import numpy as np

from .. import dtypes
from ..autograd.modes import state, thread
from .creation import empty, empty_like
from .functional import functional
from .table import composite

_ALPHA = 1.7580993408473766  # minus the limit of SELU at minus infinity (G. Klambauer et al., 2017)


def _check(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _noise(F, shape, like, p, along_memory=True):
    """Zeros with probability p, else ones, laid out as the input if they are of its shape.

    Draws follow the order in memory, or with ``along_memory=False`` that of the elements.
    """

    def draw(shape):
        if like._a.__class__ is not np.ndarray or shape != tuple(like.shape) or like.is_contiguous():
            return F.bernoulli_(empty(shape, dtype=like.dtype), 1 - p)
        if along_memory:
            return F.bernoulli_(empty_like(like), 1 - p)
        return empty_like(like).copy_(F.bernoulli_(empty(shape, dtype=like.dtype), 1 - p))

    if not state.rare:
        return draw(shape)
    from ..autograd.batching_random import drawn

    return drawn(draw, shape)


def _feature_shape(shape):
    return (*shape[:2], *(1,) * (len(shape) - 2))


def _noise_of(F, shape, like, p, features, alpha):
    if features:
        return _noise(F, _feature_shape(shape), like, p, along_memory=False)
    # in PyTorch's reverse transforms ordinary dropout draws by elements
    return _noise(F, shape, like, p, along_memory=alpha or not thread.reverse)


def _dropped(F, input, p, training, features=False, alpha=False):
    """The result of any dropout; `features` zeroes whole channels, `alpha` keeps mean and variance under SELU."""
    if p < 0 or p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not training or input.numel() == 0:
        return input
    if features and input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = tuple(input.shape)
    if p == 1:
        return F.mul(input, F.zeros((), dtype=input.dtype))
    noise = _noise_of(F, shape, input, p, features, alpha)
    if not alpha:
        return F.mul(input, F.div(noise, 1 - p))
    a = 1 / ((_ALPHA * _ALPHA * p + 1) * (1 - p)) ** 0.5
    shift = F.add(F.mul(F.sub(noise, 1), _ALPHA * a), _ALPHA * a * p)
    return F.add(F.mul(input, F.mul(noise, a)), shift)


def _declare(name, **how):
    """torch.<name>(input, p, train) and torch.<name>_, its in-place form."""

    @composite(name, method=False)
    def outward(F, input, p, train):
        return _dropped(F, input, p, train, **how)

    @composite(name + "_", method=False)
    def inward(F, input, p, train):
        return _dropped_inplace(F, input, p, train, **how)

    outward.__name__, inward.__name__ = name, name + "_"


def _dropped_inplace(F, input, p, train, features=False, alpha=False):
    if p < 0 or p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not train or input.numel() == 0:
        return input
    if features and input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = tuple(input.shape)
    if p == 1:
        return F.mul_(input, F.zeros((), dtype=input.dtype))
    noise = _noise_of(F, shape, input, p, features, alpha)
    if not alpha:
        return F.mul_(input, F.div(noise, 1 - p))
    a = 1 / ((_ALPHA * _ALPHA * p + 1) * (1 - p)) ** 0.5
    shift = F.add(F.mul(F.sub(noise, 1), _ALPHA * a), _ALPHA * a * p)
    return F.add_(F.mul_(input, F.mul(noise, a)), shift)


_declare("dropout")
_declare("feature_dropout", features=True)
_declare("alpha_dropout", alpha=True)
_declare("feature_alpha_dropout", features=True, alpha=True)


@composite("native_dropout", method=False)
def native_dropout(F, input, p, train):
    """`dropout` with the mask of what was kept: (result, mask)."""
    if not train or p == 0:
        return F.clone(input), F.ones(tuple(input.shape), dtype=dtypes.bool)
    kept = F.ne(_noise(F, tuple(input.shape), input, p), 0)
    return F.mul(F.masked_fill(input, F.logical_not(kept), 0), 1 / (1 - p) if p < 1 else 0.0), kept


@functional("dropout")
def dropout(F, input, p=0.5, training=True, inplace=False):
    """Zeroes each element with probability `p` and divides the others by 1 - p, in training."""
    _check(p)
    return (F.dropout_ if inplace else F.dropout)(input, p, training)


@functional("alpha_dropout")
def alpha_dropout(F, input, p=0.5, training=False, inplace=False):
    """Sets elements to SELU's limit with probability `p`, and keeps mean and variance, in training."""
    _check(p)
    return (F.alpha_dropout_ if inplace else F.alpha_dropout)(input, p, training)


@functional("feature_alpha_dropout")
def feature_alpha_dropout(F, input, p=0.5, training=False, inplace=False):
    """`alpha_dropout` of whole channels (dimension 1)."""
    _check(p)
    return (F.feature_alpha_dropout_ if inplace else F.feature_alpha_dropout)(input, p, training)


@functional("dropout1d")
def dropout1d(F, input, p=0.5, training=True, inplace=False):
    """Zeroes whole channels of (N, C, L) or (C, L) with probability `p`, in training."""
    _check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    return _channels(F, input, p, training, inplace, input.ndim == 3)


@functional("dropout2d")
def dropout2d(F, input, p=0.5, training=True, inplace=False):
    """Zeroes whole channels of (N, C, H, W) with probability `p`, in training."""
    _check(p)
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            "dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a channel dimension, and "
            "an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=3,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future "
            "release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=3,
        )
    return _channels(F, input, p, training, inplace, True)


@functional("dropout3d")
def dropout3d(F, input, p=0.5, training=True, inplace=False):
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W) with probability `p`, in training."""
    _check(p)
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            "dropout3d exists to provide channel-wise dropout on inputs with 3 spatial dimensions, a channel dimension, and "
            "an optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=3,
        )
    return _channels(F, input, p, training, inplace, input.ndim == 5)


def _channels(F, input, p, training, inplace, batched):
    if inplace:
        if batched:
            return F.feature_dropout_(input, p, training)
        return F.feature_dropout_(input.unsqueeze_(0), p, training).squeeze_(0)
    if batched:
        return F.feature_dropout(input, p, training)
    return F.squeeze(F.feature_dropout(F.unsqueeze(input, 0), p, training), 0)
