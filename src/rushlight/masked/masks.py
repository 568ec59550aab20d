"""What all masked functions share: the mask brought to the input's shape, and the value that takes a masked place.

A masked-out element is replaced by the identity of the operation (0 for a sum, -inf for a maximum), so that the plain
operator then gives the masked result, and its derivative is zero at the masked places.
"""

from .. import dtypes
from ..ops.creation import full, ones
from ..ops.table import TENSOR as F

__all__ = ["canonical_dims", "canonical_input_mask", "canonical_mask", "reduction_identity", "replace_masked"]


def canonical_dims(dim, ndim):
    """The dimensions meant by `dim`, sorted and not negative; None and () mean all of them.

    Raises `IndexError` for a dimension out of range and `RuntimeError` for one named twice.
    """
    if dim is None or dim == ():
        return tuple(range(ndim))
    ndim = max(ndim, 1)
    dims = []
    for each in (dim,) if isinstance(dim, int) else dim:
        # as PyTorch: a dimension named once from the front and once from the back passes here
        if each in dims:
            raise RuntimeError(f"dim={each} appears multiple times in the list of dims")
        if not -ndim <= each < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {each})"
            )
        dims.append(each % ndim)
    return tuple(sorted(dims))


def canonical_mask(input, mask):
    """`mask` as a bool tensor of the shape of `input`.

    Raises `IndexError` if the mask has more dimensions than the input, `RuntimeError` if it does not broadcast.
    """
    if mask.shape != input.shape:
        if mask.ndim > input.ndim:
            raise IndexError(
                "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"
            )
        mask = F.broadcast_to(mask, input.shape)
    return mask.to(dtype=dtypes.bool)


def replace_masked(operation, input, mask, ord=None):
    """`input` with the identity of `operation` (its name; `ord` for "norm") where `mask` is false; None masks nothing."""
    if mask is None:
        return input
    mask = canonical_mask(input, mask)
    return F.where(mask, input, _identity(operation, input.dtype, ord))


def _identity(operation, dtype, ord):
    if operation == "median":
        # nanmedian passes over nan
        return full((), float("nan"), dtype=dtype if dtype.is_floating_point else dtypes.float32)
    value = _identity_value(operation, dtype, ord)
    if value is None:
        raise NotImplementedError(f"identity of {operation} on {dtype} input")
    return full((), value, dtype=dtype)


def _identity_value(operation, dtype, ord):
    if operation == "sum":
        return 0
    if operation == "prod":
        return 1
    if operation == "norm":
        if ord != float("-inf"):
            return 0
        if not dtype.is_floating_point:
            raise AssertionError(f"input must be floating point, got {dtype}")
        return float("inf")
    if operation in ("amin", "argmin"):
        return _bound(dtype, least=False)
    if operation == "logsumexp" and dtype.is_complex:
        return float("-inf")
    return _bound(dtype, least=True)


def _bound(dtype, least):
    """The least or greatest value of an ordered dtype; None for bool and complex."""
    if dtype.is_floating_point:
        return float("-inf" if least else "inf")
    if dtype is dtypes.bool or dtype.is_complex:
        return None
    info = dtypes.iinfo(dtype)
    return info.min if least else info.max


def canonical_input_mask(input, *args, mask=None):
    """``torch.masked._input_mask``: the mask a masked function sees, in its input's shape; all true without a mask."""
    return ones(input.shape, dtype=dtypes.bool) if mask is None else canonical_mask(input, mask)


def reduction_identity(op_name, input, *args):
    """``torch.masked._reduction_identity``: what leaves a reduction as it is, as a 0-d tensor; None where there is nothing.

    ``op_name`` may be written with dots, ``args`` is the order of a norm.
    """
    name = op_name.rpartition(".")[2]
    return None if name in ("mean", "var", "std") else _identity(name, input.dtype, args[0] if args else None)
