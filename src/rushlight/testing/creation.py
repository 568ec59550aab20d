"""``make_tensor``: tensors of random values to test with."""

import collections.abc
import math
import warnings

import numpy as np

from .. import dtypes
from ..array import random as streams
from ..ops.core import in_format
from ..ops.creation import sizes
from ..tensor import wrap

__all__ = ["make_tensor"]

#: where values lie that are not asked for elsewhere, by the category of the dtype
_USUAL = {0: (0, 2), 1: (-9, 10), 2: (-9, 9), 3: (-9, 9)}
_USUAL_UNSIGNED = (0, 10)


def make_tensor(
    *shape,
    dtype,
    device,
    low=None,
    high=None,
    requires_grad=False,
    noncontiguous=False,
    exclude_zero=False,
    memory_format=None,
):
    """A tensor of random values in [low, high), by default those PyTorch picks for the dtype.

    A range that reaches beyond the dtype is cut to it. ``noncontiguous`` leaves a gap before every element, ``exclude_zero``
    replaces zeros by the smallest positive value (1 for integers).

    Raises ValueError for a range that is empty, holds NaN or lies outside of the dtype, and for options that contradict each
    other; TypeError for a dtype that cannot be filled.
    """
    if not isinstance(dtype, dtypes.dtype) or dtype not in dtypes.ALL:
        raise TypeError(
            f"The requested dtype '{dtype}' is not supported by torch.testing.make_tensor(). To request support, file an issue at: "
            "https://github.com/pytorch/pytorch/issues"
        )
    if len(shape) == 1 and isinstance(shape[0], collections.abc.Sequence):
        shape = shape[0]
    inexact = dtype.category >= 2
    if requires_grad and not inexact:
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype!r}"
        )
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous} and memory_format={memory_format!r}"
        )
    low, high = _range(dtype, low, high)
    shape = sizes("empty", (tuple(shape),))
    apart = noncontiguous and math.prod(shape) > 1
    made = np.empty((*shape[:-1], 2 * shape[-1]) if apart else shape, dtype.numpy)
    if not inexact:
        streams.random_(made, math.ceil(low), math.ceil(high))
    elif low == high:
        made[...] = low if not dtype.is_complex else complex(low, low)
    elif high - low >= dtypes.finfo(dtype).max:
        # uniform_ takes no wider range
        made = np.asarray(streams.uniform_(made, low / 2, high / 2)) * made.dtype.type(2)
    else:
        streams.uniform_(made, low, high)
    if exclude_zero:
        made[made == 0] = dtypes.finfo(dtype).tiny if inexact else 1
    if apart:
        made = made[..., 1::2]
    elif memory_format is not None:
        made = in_format(made, memory_format)
    tensor = wrap(made, dtype)
    return tensor.requires_grad_() if requires_grad else tensor


def _range(dtype, low, high):
    """Where the values shall lie: as asked for, and cut to what the dtype can hold."""
    usual = _USUAL_UNSIGNED if dtype.name.startswith("uint") else _USUAL[dtype.category]
    low, high = (usual[0] if low is None else low), (usual[1] if high is None else high)
    if any(isinstance(each, float) and math.isnan(each) for each in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if dtype.category >= 2:
        if low == high:
            warnings.warn(
                "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 and "
                "will be removed in 2.3. Use `torch.full(...)` instead.",
                FutureWarning,
                stacklevel=3,
            )
        limits = dtypes.finfo(dtype)
        least, bound = limits.min, limits.max
    elif dtype is dtypes.bool:
        least, bound = 0, 2
    else:
        limits = dtypes.iinfo(dtype)
        # random_ takes its bound as an int64
        least, bound = limits.min, limits.max + (dtype is not dtypes.int64)
    if low > high or (low == high and dtype.category < 2):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if high < least or low >= bound:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype!r} only supports [{least}, {bound})"
        )
    return max(low, least), min(high, bound)
