"""Comparisons of whole tensors: one Python bool."""

import numpy as np

from ..dtypes import promote_types
from ..tensor import Tensor
from .asking import asking
from .reduce import raw
from .table import METHODS, PLACES, TENSOR

__all__ = ["allclose", "equal"]


def equal(input, other):
    """Whether two tensors have the same shape and elements, in their common dtype (a NaN equals nothing)."""
    for position, (name, each) in enumerate((("input", input), ("other", other)), 1):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"equal(): argument '{name}' (position {position}) must be Tensor, not {type(each).__name__}"
            )
    no_rule = "Batching rule not implemented for aten::equal. We could not generate a fallback."
    _refuse_batches(no_rule, input, other)
    a, b = raw(input), raw(other)
    if a.dtype != b.dtype:
        common = promote_types(input._dtype, other._dtype).numpy
        a, b = a.astype(common), b.astype(common)
    return bool(np.array_equal(a, b))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether ``abs(input - other) <= atol + rtol * abs(other)`` for all elements."""
    _refuse_batches(
        "vmap over torch.allclose isn't supported yet. Please file an issue at https://github.com/pytorch/pytorch/issues if you need "
        "this feature.",
        *(input, other),
    )
    return bool(raw(TENSOR.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)).all())


def _refuse_batches(text, *tensors):
    """RuntimeError with ``text`` where a tensor is a batch of ``vmap``, which has no single answer."""
    if any(hasattr(each._a, "held") for each in tensors):
        from ..autograd.levels import batches

        if any(batches(each) for each in tensors):
            raise RuntimeError(text)


for _function in (equal, allclose):
    PLACES[""][_function.__name__] = asking(_function, ("", _function.__name__))
    setattr(Tensor, _function.__name__, asking(_function, (METHODS, _function.__name__)))
equal, allclose = PLACES[""]["equal"], PLACES[""]["allclose"]
