"""New arrays of random numbers: the array side of ``rand``, ``randn``, ``randint``, ``normal``, ``bernoulli``, dropout, ...

``size`` is a tuple of ints (or one int), ``dtype`` a rushlight dtype or None for PyTorch's default, ``generator`` None for
the default generator. Results are contiguous, except where PyTorch keeps the input's layout (dropout noise).

Memory: the result, and scratch for 32768 elements; `multinomial` without replacement keeps two copies of its input.
"""

import math
import operator

import numpy as np

from .. import dtypes
from .arguments import broadcast_shapes_of_two, is_floating, legacy_name, shape_text
from .random_fill import bernoulli_, exponential_, normal_, random_, rrelu_noise_, uniform_
from .random_generator import default_generator
from .ties import largest

__all__ = [
    "bernoulli",
    "dropout_noise",
    "feature_dropout_noise",
    "multinomial",
    "normal",
    "rand",
    "randint",
    "randn",
    "rrelu_noise",
]

_CHUNK = 32768


def _shape(size):
    """``size`` as a tuple of non-negative ints."""
    shape = tuple([operator.index(n) for n in size]) if isinstance(size, (tuple, list)) else (operator.index(size),)
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shape_text(shape)}")
    return shape


def rand(size, *, dtype=None, generator=None):
    """Uniform numbers in [0, 1) (the parts of a complex dtype are uniform each)."""
    shape = _shape(size)
    dtype = dtype or dtypes.get_default_dtype()
    if dtype is dtypes.float32:
        n = math.prod(shape)
        if n <= _CHUNK:
            return (generator or default_generator).floats(n).reshape(shape)
    return uniform_(np.empty(shape, dtype.numpy), generator=generator)


def randn(size, *, dtype=None, generator=None):
    """Standard normal numbers (of a complex dtype: the parts have variance 1/2 each)."""
    return normal_(np.empty(_shape(size), (dtype or dtypes.get_default_dtype()).numpy), generator=generator)


def randint(low, high, size, *, dtype=None, generator=None):
    """Integers in [low, high), int64 or the dtype named."""
    return random_(np.empty(_shape(size), (dtype or dtypes.int64).numpy), low, high, generator=generator)


def normal(mean, std, size=None, *, dtype=None, generator=None):
    """Normal numbers with the given means and standard deviations: numbers with a ``size``, or arrays broadcast together.

    The dtype is that of ``mean`` where it is an array, else that of ``std``.
    """
    if not hasattr(mean, "dtype") and not hasattr(std, "dtype"):
        out = np.empty(_shape(size), (dtype or dtypes.get_default_dtype()).numpy)
        return normal_(out, mean, std, generator=generator)
    if not hasattr(std, "dtype"):
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        out = normal_(np.empty(mean.shape, mean.dtype), 0.0, std, generator=generator)
        return np.add(out, mean, out=out)
    if std.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if std.size and not std.min() >= 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    like = mean if hasattr(mean, "dtype") else std
    shape = broadcast_shapes_of_two(mean.shape, std.shape) if like is mean else std.shape
    out = normal_(np.empty(shape, like.dtype), generator=generator)
    np.multiply(out, std, out=out, casting="same_kind")
    return np.add(out, mean, out=out, casting="same_kind")


def bernoulli(input, p=None, *, generator=None):
    """Ones with the probabilities ``input`` (a floating array), or with the probability ``p`` in the shape of ``input``."""
    return bernoulli_(np.empty(input.shape, input.dtype), input if p is None else p, generator=generator)


def _noise(noise, p, input, generator):
    """Turn an empty array into dropout noise: 1 / (1 - p) with probability 1 - p, else 0."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if p == 0 or noise.size == 0:
        noise[...] = 1
        return noise
    if p == 1:
        noise[...] = 0
        return noise
    if noise.dtype.kind in "iu" or noise.dtype == np.bool_:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {legacy_name(input)}")
    bernoulli_(noise, 1 - p, generator=generator)
    if noise.dtype.itemsize == 2:
        noise[...] = noise.astype(np.float32) / np.float32(1 - p)
        return noise
    noise /= noise.dtype.type(1 - p)
    return noise


def dropout_noise(input, p=0.5, *, generator=None):
    """What ``F.dropout`` multiplies its input by: 0 with probability ``p``, else 1 / (1 - p); a 64-bit draw an element.

    Has the input's dtype and memory layout, and is drawn along memory as PyTorch's. Nothing is drawn for p = 0 and p = 1.
    """
    return _noise(np.empty_like(input, order="K", subok=False), p, input, generator)


def feature_dropout_noise(input, p=0.5, *, generator=None):
    """The same for whole channels (``F.dropout1d`` to ``F.dropout3d``): shape (N, C, 1, ...), a draw a channel."""
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _noise(np.empty(input.shape[:2] + (1,) * (input.ndim - 2), input.dtype), p, input, generator)


def rrelu_noise(input, lower=1.0 / 8, upper=1.0 / 3, *, generator=None):
    """The slopes that ``F.rrelu`` draws in training, in the shape of ``input``; see `random_fill.rrelu_noise_`."""
    return rrelu_noise_(np.empty(input.shape, input.dtype), input, lower, upper, generator=generator)


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with probabilities proportional to the rows of ``input`` (1-d or 2-d, floating), as int64.

    Without replacement, or for one sample, the weights are divided by exponential deviates (one an entry) and the largest
    quotients win, largest first. With replacement each sample is a 64-bit uniform looked up in the row's cumulative sum.
    """
    if not 0 < input.ndim <= 2:
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not is_floating(input.dtype):
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {legacy_name(input)}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    categories = input.shape[-1]
    if not replacement and num_samples > categories:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if categories > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    shape = (*input.shape[:-1], num_samples)
    if math.prod(shape) == 0:
        return np.empty(shape, np.int64)
    weights = input.astype(np.float32) if input.dtype.itemsize == 2 else input
    if replacement and num_samples > 1:
        rows = weights.reshape(math.prod(input.shape[:-1]), categories)
        _check_rows(rows)
        return _with_replacement(rows, num_samples, generator or default_generator).reshape(shape)
    if input.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if not (weights.max() < np.inf and weights.min() >= 0):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (weights.sum(-1) == 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    order = "C" if 0 in input.strides else "K"
    race = exponential_(np.empty_like(input, order=order, subok=False), generator=generator)
    with np.errstate(divide="ignore", invalid="ignore"):
        race = input / race
    if num_samples == 1:
        return np.asarray(race.argmax(-1)).reshape(shape)
    race = race.astype(np.float32) if race.dtype.itemsize == 2 else race
    return np.ascontiguousarray(largest(race, num_samples))


def _check_rows(rows):
    """Refuse the first row that is no distribution, for the first reason met in it."""
    good = (rows >= 0) & np.isfinite(rows)
    bad = ~good.all(-1) | (rows.sum(-1) <= 0)
    if not bad.any():
        return
    row = rows[bad.argmax()]
    good = good[bad.argmax()]
    reason = "sum of probabilities <= 0"
    if not good.all():
        reason = "encountering probability entry " + ("= infinity or NaN" if row[good.argmin()] >= 0 else "< 0")
    raise RuntimeError(f"invalid multinomial distribution ({reason})")


def _with_replacement(rows, num_samples, generator):
    """Samples from each row: uniforms looked up in the cumulative sums, kept in the precision of the weights."""
    cumulative = np.add.accumulate(rows, axis=-1)
    cumulative /= cumulative[:, -1:].copy()
    cumulative[:, -1] = 1
    draws = generator.doubles(rows.shape[0] * num_samples).reshape(-1, num_samples)
    if rows.shape[0] == 1:
        return np.searchsorted(cumulative[0].astype(np.float64), draws[0])
    return _search_rows(cumulative, draws)


def _search_rows(cumulative, draws):
    """The first index in its row of ``cumulative`` that reaches each draw, by bisection of all draws at once."""
    left = np.zeros(draws.shape, np.int64)
    right = np.full(draws.shape, cumulative.shape[1])
    while (left < right).any():
        middle = (left + right) >> 1
        below = np.take_along_axis(cumulative, np.minimum(middle, cumulative.shape[1] - 1), 1) < draws
        below &= left < right
        left = np.where(below, middle + 1, left)
        right = np.where(below, right, middle)
    return left
