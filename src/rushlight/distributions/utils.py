"""What distributions share: broadcasting of parameters, and the two ways to give probabilities."""

from functools import update_wrapper
from numbers import Number

from .. import dtypes
from ..autograd.modes import enable_grad
from ..ops.creation import arange, empty, tensor, zeros
from ..ops.table import PLACES
from ..size import Size
from ..tensor import Tensor

__all__ = [
    *("broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits"),
    *("tril_matrix_to_vec", "vec_to_tril_matrix"),
]

euler_constant = 0.57721566490153286060
_torch = PLACES[""]


def is_number(value):
    """Whether a parameter is a plain number."""
    return isinstance(value, Number)


def broadcast_all(*values):
    """Tensors and numbers as tensors of one shape. Numbers take the first tensor's dtype, or the default one.

    Raises ValueError for anything else.
    """
    first = values[0]
    if first.__class__ is Tensor and all([v.__class__ is Tensor and v._a.shape == first._a.shape for v in values]):
        return values
    if not all(isinstance(v, Tensor) or hasattr(v, "__torch_function__") or is_number(v) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    if not all(isinstance(v, Tensor) or hasattr(v, "__torch_function__") for v in values):
        dtype = dtypes.get_default_dtype()
        for value in values:
            if isinstance(value, Tensor):
                dtype = value.dtype
                break
        values = [v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values]
    return _torch["broadcast_tensors"](*values)


def number_shape(parameter, *given):
    """The batch shape: none where all parameters were plain numbers, else that of the broadcast ``parameter``."""
    return Size() if all(isinstance(each, Number) for each in given) else parameter.size()


def as_tensor_of(value, like):
    """A value as a tensor of the dtype of ``like``, if it is not a tensor."""
    return value if isinstance(value, Tensor) else tensor(value, dtype=like.dtype)


def standard_normal(shape, dtype, device=None):
    """Independent draws from the normal distribution."""
    return empty(shape, dtype=dtype, device=device).normal_()


def sum_rightmost(value, dim):
    """The sum over the last ``dim`` dimensions."""
    if dim == 0:
        return value
    required = value.shape[: value.ndim - dim] + (-1,)
    return value.reshape(required).sum(-1)


def clamp_probs(probs):
    """Probabilities kept away from 0 and 1 by the dtype's rounding error."""
    eps = dtypes.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits, is_binary=False):
    """Probabilities of log odds (binary), or of unnormalised log probabilities along the last dimension."""
    return _torch["sigmoid"](logits) if is_binary else _torch["softmax"](logits, -1)


def probs_to_logits(probs, is_binary=False):
    """Log odds of probabilities (binary), or their logarithms."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property:  # noqa: N801 - PyTorch's name
    """A property that is computed at first use and kept as an attribute from then on."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return property(self.wrapped)
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat, diag=0):
    """The lower triangle up to a diagonal, row by row, as a vector (batched)."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    index = arange(n)
    return mat[..., index < index.view(-1, 1) + (diag + 1)]


def vec_to_tril_matrix(vec, diag=0):
    """A lower triangular matrix of a vector of its elements, row by row (batched)."""
    n = int((-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2)
    if not (vec.shape[-1] * 2 == (n + diag) * (n + diag + 1) if diag <= 0 else True) and round(n) - n > 1e-5:
        raise ValueError(
            f"The size of last dimension is {vec.shape[-1]} which cannot be expressed as the lower triangular part of a square D x D matrix."
        )
    mat = zeros(vec.shape[:-1] + (n, n), dtype=vec.dtype)
    index = arange(n)
    mat[..., index < index.view(-1, 1) + (diag + 1)] = vec
    return mat


# the names under which programs import these from PyTorch
_standard_normal = standard_normal
_sum_rightmost = sum_rightmost
