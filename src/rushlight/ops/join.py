"""Joining, repeating, turning and masking by place, with their derivatives (each the transpose of the operator)."""

import itertools
import math

import numpy as np

from .. import dtypes
from ..array import creation
from ..array import join as kernels
from ..array.arguments import shape_text, wrap_dim
from ..array.element import element
from ..tensor import Tensor, wrap
from .binding import spoken_type
from .creation import as_dtype, check_options, finish
from .linalg_out import accept_out, same_dtype
from .refusals import castable
from .table import PLACES, TENSOR, composite, differentiable

_function = dict(method=False)

# ----------------------------------------------------------------------------------------------------------- joining


def _cat_vjp(F, g, tensors_shape, dim):
    dim = wrap_dim(dim, g.ndim)
    parts, start = [], 0
    for shape in tensors_shape:
        shape = tuple(shape)
        if shape == (0,) and g.ndim != 1:
            parts.append(F.new_zeros(g, (0,)))
            continue
        parts.append(F._narrow(g, dim, start, shape[dim]))
        start += shape[dim]
    return parts


_joined_out = castable("torch.cat(): input types can't be cast to the desired output type {out}", TypeError)
differentiable(
    *("cat", kernels.cat),
    **dict(vjp=_cat_vjp, out=True, check_out=_joined_out, apart=True, aliases=("concat", "concatenate"), **_function),
)
differentiable(
    *("stack", kernels.stack),
    **dict(vjp=lambda F, g, dim: list(F.unbind(g, dim)), out=True, check_out=_joined_out, **_function),
)


def _joined(F, parts, dim, out):
    return F.cat(parts, dim) if out is None else F.cat(parts, dim, out=out)


def _at_least(F, tensors, ndim):
    return tuple([(F.atleast_1d, F.atleast_2d, F.atleast_3d)[ndim - 1](each) for each in tensors])


def _check_some(name, tensors):
    """TypeError for what is no list of tensors, RuntimeError for none at all."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {spoken_type(tensors)}"
        )
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    for place, each in enumerate(tensors):
        if not hasattr(each, "shape"):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {spoken_type(each)}")


@composite("hstack", **_function)
def hstack(F, tensors, *, out=None):
    _check_some("hstack", tensors)
    parts = _at_least(F, tensors, 1)
    return _joined(F, parts, 0 if parts[0].ndim == 1 else 1, out)


@composite("vstack", aliases=("row_stack",), **_function)
def vstack(F, tensors, *, out=None):
    _check_some("vstack", tensors)
    return _joined(F, _at_least(F, tensors, 2), 0, out)


@composite("dstack", **_function)
def dstack(F, tensors, *, out=None):
    _check_some("dstack", tensors)
    return _joined(F, _at_least(F, tensors, 3), 2, out)


@composite("column_stack", **_function)
def column_stack(F, tensors, *, out=None):
    _check_some("column_stack", tensors)
    return _joined(F, [each if each.ndim > 1 else F.reshape(each, (-1, 1)) for each in tensors], 1, out)


def _one_or_several(function):
    """Let a function of one tensor also take several, or a list of them, as PyTorch's atleast_nd does."""

    def apply(F, *tensors):
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            return tuple([function(F, each) for each in tensors[0]])
        if len(tensors) == 1:
            return function(F, tensors[0])
        return tuple([function(F, each) for each in tensors])

    return apply


@_one_or_several
def _atleast_1d(F, input):
    return input if input.ndim else F.reshape(input, (1,))


@_one_or_several
def _atleast_2d(F, input):
    if input.ndim == 1:
        return F.unsqueeze(input, 0)
    return input if input.ndim else F.reshape(input, (1, 1))


@_one_or_several
def _atleast_3d(F, input):
    if input.ndim > 2:
        return input
    if input.ndim == 2:
        return F.unsqueeze(input, 2)
    return F.unsqueeze(F.unsqueeze(input, 0), -1) if input.ndim else F.reshape(input, (1, 1, 1))


composite("atleast_1d", **_function)(_atleast_1d)
composite("atleast_2d", **_function)(_atleast_2d)
composite("atleast_3d", **_function)(_atleast_3d)


def _block_diag_vjp(F, g, tensors_shape):
    parts = []
    row = column = 0
    for shape in tensors_shape:
        rows, columns = (1,) * (2 - len(shape)) + tuple(shape)
        block = F._narrow(F._narrow(g, 0, row, rows), 1, column, columns)
        parts.append(F.reshape(block, tuple(shape)))
        row += rows
        column += columns
    return parts


differentiable(
    "_block_diag", kernels.block_diag, vjp=_block_diag_vjp, method=False, function=False, node_name="CatBackward0"
)


def _tensors(given):
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


@composite("block_diag", **_function)
def block_diag(F, *tensors):
    return F._block_diag(list(_tensors(tensors)))


@composite("broadcast_tensors", **_function)
def broadcast_tensors(F, *tensors):
    tensors = _tensors(tensors)
    shape = ()
    for each in tensors:
        from ..array.arguments import broadcast_shapes_of_two

        shape = broadcast_shapes_of_two(shape, tuple(each.shape))
    return tuple([each if tuple(each.shape) == shape else F.expand(each, shape) for each in tensors])


def broadcast_shapes(*shapes):
    """The shape that tensors of ``shapes`` (tuples or ints) broadcast to, as a ``torch.Size``."""
    from ..size import Size

    shapes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    ndim = max((len(shape) for shape in shapes), default=0)
    out = [1] * ndim
    for k, shape in enumerate(shapes):
        for i in range(-1, -1 - len(shape), -1):
            if shape[i] < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if shape[i] != 1 and out[i] not in (1, shape[i]):
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument at index {k} "
                    f"had {shape}; but expected shape should be broadcastable to {out}"
                )
            if shape[i] != 1:
                out[i] = shape[i]
    return Size(out)


PLACES[""]["broadcast_shapes"] = broadcast_shapes


@composite("meshgrid", **_function)
def meshgrid(F, *tensors, indexing=None):
    import warnings

    tensors = _tensors(tensors)
    _check_some("meshgrid", tensors)
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=3,
        )
        indexing = "ij"
    for each in tensors:
        if each.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {each}")
        if each.dtype != tensors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) >= 2
    if swap:  # the first two change places, and so do their dimensions
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = tuple([each.shape[0] if each.ndim else 1 for each in tensors])
    grids = []
    for i, each in enumerate(tensors):
        column = F.reshape(each, (1,) * i + (-1,) + (1,) * (len(shape) - i - 1))
        grids.append(F.expand(column, shape))
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@composite("cartesian_prod", **_function)
def cartesian_prod(F, *tensors):
    tensors = _tensors(tensors)
    for each in tensors:
        if each.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {shape_text(each.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return F.stack([F.reshape(grid, (-1,)) for grid in F.meshgrid(*tensors, indexing="ij")], 1)


@composite("combinations")
def combinations(F, input, r=2, with_replacement=False):
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {shape_text(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return F.new_zeros(input, (0,))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    flat = places.reshape(-1)
    taken = F.index_select(input, 0, wrap(flat) if isinstance(input, Tensor) else flat)
    return F.reshape(taken, places.shape)


@composite("vander", **_function)
def vander(F, x, N=None, increasing=False):  # noqa: N803 - PyTorch's name
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    if N is not None and N < 0:
        raise RuntimeError("N must be non-negative.")
    n = x.shape[0]
    count = n if N is None else N
    integral = _is_integral(x)
    if integral and not _is_int64(x):
        x = F._to_dtype(x, dtypes.int64)
    ones = F.ones_like(F.reshape(x, (n, 1))) if isinstance(x, Tensor) else np.ones((n, 1), x.dtype)
    if count == 0:
        return F._narrow(ones, 1, 0, 0)
    columns = [ones]
    if count > 1:
        columns.append(F.cumprod(F.expand(F.reshape(x, (n, 1)), (n, count - 1)), 1))
    out = F.cat(columns, 1)
    return out if increasing else F.flip(out, (1,))


def _is_integral(x):
    dtype = x.dtype if x.dtype.__class__ is dtypes.dtype else dtypes.of(x.dtype)
    return dtype.category < 2


def _is_int64(x):
    return (x.dtype if x.dtype.__class__ is dtypes.dtype else dtypes.of(x.dtype)) is dtypes.int64


# --------------------------------------------------------------------------------------------------------- repeating


def _repeat_vjp(F, g, repeats, x_shape):
    lead = len(repeats) - len(x_shape)
    shape = (1,) * lead + tuple(x_shape)
    apart = tuple([size for pair in zip(repeats, shape, strict=True) for size in pair])
    if not apart:
        return g
    summed = F.sum(F.reshape(g, apart), tuple(range(0, 2 * len(shape), 2)))
    return F.reshape(summed, x_shape)


differentiable("repeat", kernels.repeat, vjp=_repeat_vjp, varargs="repeats", linear=True, function=False)
differentiable(
    *("tile", kernels.tile),
    **dict(
        vjp=lambda F, g, dims, x_shape: _repeat_vjp(F, g, (1,) * (len(x_shape) - len(dims)) + tuple(dims), x_shape),
        **dict(varargs="dims", linear=True, node_name="RepeatBackward0"),
    ),
)


def _repeat_interleave_vjp(F, g, repeats, dim, x_shape):
    if repeats is None:
        return None
    shape = tuple(x_shape) if dim is not None and len(x_shape) else (int(np.prod(x_shape, dtype=np.int64)),)
    dim = 0 if dim is None else wrap_dim(dim, len(shape))
    counts = repeats._a if isinstance(repeats, Tensor) else repeats
    counts = np.broadcast_to(np.asarray(counts).reshape(-1), (shape[dim],))
    places = np.repeat(np.arange(shape[dim]), counts)
    if isinstance(g, Tensor):
        places = wrap(places)
    return F.reshape(F.index_add(F.new_zeros(g, shape), dim, places, g), x_shape)


differentiable(
    *("repeat_interleave", kernels.repeat_interleave),
    **dict(vjp=dict(input=_repeat_interleave_vjp), node_name="IndexSelectBackward0"),
)


# ------------------------------------------------------------------------------------------------- turning, triangles


def _negated(shifts):
    return tuple([-n for n in shifts]) if isinstance(shifts, (tuple, list)) else -shifts


differentiable("roll", kernels.roll, vjp=lambda F, g, shifts, dims: F.roll(g, _negated(shifts), dims), linear=True)
differentiable("flip", kernels.flip, vjp=lambda F, g, dims: F.flip(g, dims), varargs="dims", linear=True)
differentiable("rot90", kernels.rot90, vjp=lambda F, g, k, dims: F.rot90(g, -k, dims), linear=True)


@composite("fliplr")
def fliplr(F, input):
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return F.flip(input, (1,))


@composite("flipud")
def flipud(F, input):
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return F.flip(input, (0,))


_written = dict(inplace=True, out="same", linear=True)
differentiable("tril", kernels.tril, vjp=lambda F, g, diagonal: F.tril(g, diagonal), **_written)
differentiable("triu", kernels.triu, vjp=lambda F, g, diagonal: F.triu(g, diagonal), **_written)
differentiable(
    *("diag_embed", kernels.diag_embed),
    **dict(vjp=lambda F, g, offset, dim1, dim2: F.diagonal(g, offset, dim1, dim2), linear=True),
)


@composite("diag")
def diag(F, input, diagonal=0):
    if input.ndim in (1, 2):
        return F.diag_embed(input, diagonal) if input.ndim == 1 else F.diagonal_copy(input, diagonal)
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")


def _cast_diag(result, out):
    if not dtypes.can_cast(result, out):
        raise RuntimeError(f"diag: result type {result.legacy} can't be cast to the desired out= type {out.legacy}")
    same_dtype(result, out)


def _diag_out(input, diagonal=0):
    if input.ndim == 1:
        return _cast_diag, "aten::diag_embed", False
    return same_dtype, "aten::diagonal_copy", False


accept_out("diag", varying=_diag_out)


def _fill_diagonal(input, fill_value, wrap=False):
    """``input`` with ``fill_value`` on its main diagonal; in a tall matrix again below it, where ``wrap`` says so."""
    shape = input.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    made = np.array(input, order="C")
    rows, step = min(shape), sum(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))
    end = None if wrap and len(shape) == 2 else rows * step
    made.reshape(-1)[:end:step] = element(fill_value, dtypes.of(input.dtype))
    return made


differentiable(
    *("_fill_diagonal", _fill_diagonal),
    vjp=lambda F, g, wrap: F._fill_diagonal(g, 0, wrap),
    **dict(linear=False, inplace=True, method=False, function=False, node_name="FillDiagonalBackward0"),
)


def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number onto the main diagonal of a matrix, or of a tensor of equal sizes; see `_fill_diagonal`."""
    if isinstance(fill_value, Tensor) and not fill_value.ndim:
        fill_value = fill_value.item()
    if not isinstance(fill_value, (int, float, complex)):
        raise TypeError(
            f"fill_diagonal_(): argument 'fill_value' (position 1) must be Number, not {type(fill_value).__name__}"
        )
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    return TENSOR._fill_diagonal_(self, fill_value, wrap)


Tensor.fill_diagonal_ = fill_diagonal_


@composite("diagflat")
def diagflat(F, input, offset=0):
    return F.diag_embed(F.reshape(input, (-1,)), offset)


def _triangle(name, kernel):
    def made(row, col, offset=0, *, dtype=None, device=None, layout=None, pin_memory=False, requires_grad=False):
        check_options(name, layout, device, pin_memory)
        return finish(wrap(kernel(row, col, offset, dtype=as_dtype(dtype, dtypes.int64))), requires_grad)

    made.__name__ = made.__qualname__ = name
    made.__doc__ = kernel.__doc__
    PLACES[""][name] = made


_triangle("tril_indices", creation.tril_indices)
_triangle("triu_indices", creation.triu_indices)
