"""Comparisons of whole tensors: one Python bool."""

import numpy as np

from ..dtypes import promote_types
from ..tensor import Tensor
from .asking import asking
from .table import METHODS, PLACES, TENSOR

__all__ = ["allclose", "equal"]


def equal(input, other):
    """Whether two tensors have the same shape and elements, in their common dtype (a NaN equals nothing)."""
    for position, (name, each) in enumerate((("input", input), ("other", other)), 1):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"equal(): argument '{name}' (position {position}) must be Tensor, not {type(each).__name__}"
            )
    if hasattr(input._a, "held") or hasattr(other._a, "held"):
        raise RuntimeError("Batching rule not implemented for aten::equal. We could not generate a fallback.")
    a, b = input._a, other._a
    if a.dtype != b.dtype:
        common = promote_types(input._dtype, other._dtype).numpy
        a, b = a.astype(common), b.astype(common)
    return bool(np.array_equal(a, b))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether ``abs(input - other) <= atol + rtol * abs(other)`` for all elements."""
    if hasattr(input._a, "held") or hasattr(other._a, "held"):
        raise RuntimeError(
            "vmap over torch.allclose isn't supported yet. Please file an issue at https://github.com/pytorch/pytorch/issues if you need "
            "this feature."
        )
    return bool(TENSOR.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)._a.all())


for _function in (equal, allclose):
    PLACES[""][_function.__name__] = asking(_function, ("", _function.__name__))
    setattr(Tensor, _function.__name__, asking(_function, (METHODS, _function.__name__)))
equal, allclose = PLACES[""]["equal"], PLACES[""]["allclose"]
