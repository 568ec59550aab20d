"""Taking and putting elements by index arrays along a dimension, by flat index, and by mask.

All but ``take`` work on the flat array: the index along a dimension and the positions in the others make one flat place,
so that a gather is one take and a scatter one assignment. Memory: one int64 for each element of the index.
"""

import numpy as np

from .accumulate import add_at, sum_rows
from .arguments import broadcast_shapes_of_two, is_half, legacy_name, shape_text, wrap_dim
from .masks import fill_value

__all__ = [
    "_gather_backward",
    "_index_select_backward",
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_reduce",
    "index_select",
    "put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "take",
    "take_along_dim",
]

_INDEX_DTYPES = (np.dtype(np.int64), np.dtype(np.int32))
_UNSIGNED = {np.dtype(np.int64): np.dtype(np.uint64), np.dtype(np.int32): np.dtype(np.uint32)}


def _strides(shape):
    """Element strides of a contiguous array."""
    out, step = [], 1
    for n in reversed(shape):
        out.append(step)
        step *= n
    return out[::-1]


def _check_bounds(index, size, dim, error):
    if not index.size:
        return
    # negative numbers are huge ones without their sign, so one maximum tells both
    if np.maximum.reduce(index.view(_UNSIGNED[index.dtype]), None) >= size:
        flat = index.reshape(-1)
        bad = int(flat[(flat < 0) | (flat >= size)][0])
        raise error(f"index {bad} is out of bounds for dimension {dim} with size {size}")


def flat_places(shape, dim, index):
    """The flat places in an array of ``shape`` that ``index`` (of its number of dimensions) names along ``dim``."""
    strides = _strides(shape)
    places = np.multiply(index, strides[dim], dtype=np.int64, order="C")
    ndim = len(shape)
    for d in range(ndim):
        if d != dim and index.shape[d] > 1:
            step = np.arange(index.shape[d]) * strides[d]
            places += step.reshape((1,) * d + (-1,) + (1,) * (ndim - d - 1))
    return places


# ------------------------------------------------------------------------------------------------- gather and scatter


def gather(input, dim, index, *, sparse_grad=False):
    """``out[i][j][k] = input[index[i][j][k]][j][k]`` for ``dim`` 0, and so on; the result has the shape of ``index``."""
    dim = wrap_dim(dim, input.ndim)
    if not index.size:
        return np.empty(index.shape, input.dtype)
    if index.dtype not in _INDEX_DTYPES:
        raise RuntimeError("gather(): Expected dtype int32/int64 for index")
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    shape = input.shape or (1,)
    index_shape = index.shape
    index = index.reshape(index_shape or (1,))
    if any(d != dim and n > shape[d] for d, n in enumerate(index.shape)):
        at = next(d for d, n in enumerate(index.shape) if d != dim and n > shape[d])
        raise RuntimeError(
            f"Size does not match at dimension {at} expected index {shape_text(index_shape)} to be no larger than self "
            f"{shape_text(input.shape)} apart from dimension {dim}"
        )
    _check_bounds(index, shape[dim], dim, RuntimeError)
    return input.reshape(-1)[flat_places(shape, dim, index)].reshape(index_shape)


def _scatter_places(input, dim, index, src, method="scatter"):
    """(flat places, values), checked as every scatter is."""
    dim = wrap_dim(dim, input.ndim)
    if index.size and index.dtype not in _INDEX_DTYPES:
        raise RuntimeError(f"{method}(): Expected dtype int32/int64 for index")
    given = isinstance(src, np.ndarray)
    if given and src.dtype != input.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not index.size:
        return np.empty(0, np.int64), np.empty(0, input.dtype)
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if given and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    shape = input.shape or (1,)
    index = index.reshape(index.shape or (1,))
    source_shape = (src.shape or (1,)) if given else index.shape
    too_big = any(d != dim and n > shape[d] for d, n in enumerate(index.shape))
    if too_big or any(n > m for n, m in zip(index.shape, source_shape, strict=True)):
        more = f" and to be no larger size than src {shape_text(src.shape)}" if given else ""
        raise RuntimeError(
            f"Expected index {shape_text(index.shape)} to be no larger than self {shape_text(input.shape)} apart from "
            f"dimension {dim}{more}"
        )
    _check_bounds(index, shape[dim], dim, RuntimeError)
    places = flat_places(shape, dim, index)
    if not given:
        return places.reshape(-1), np.broadcast_to(fill_value(src, input.dtype, "scatter_"), places.size)
    values = src.reshape(source_shape)[tuple([slice(n) for n in index.shape])]
    return places.reshape(-1), values.reshape(-1)


def _copy(input):
    """A contiguous copy."""
    return np.array(input, order="C")


def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of ``input`` with the elements of ``src`` (or one number) put where ``index`` says along ``dim``.

    ``reduce`` is None, ``"add"`` or ``"multiply"``.
    """
    src = value if src is None else src
    if reduce is not None and reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    places, values = _scatter_places(input, dim, index, src)
    out = _copy(input)
    flat = out.reshape(-1)
    if reduce == "add":
        add_at(flat, places, values)
    elif reduce == "multiply":
        np.multiply.at(flat, places, values)
    else:
        flat[places] = values
    return out


def scatter_add(input, dim, index, src):
    """``scatter`` that adds."""
    places, values = _scatter_places(input, dim, index, src)
    out = _copy(input)
    add_at(out.reshape(-1), places, values)
    return out


_REDUCTIONS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _identity(reduce, dtype):
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return info.min if reduce == "amax" else info.max
    return -np.inf if reduce == "amax" else np.inf


def _reduce_at(out, places, values, reduce, include_self):
    """``out.flat[places]`` combined with ``values`` in place; without ``include_self`` as if it had held nothing."""
    own = out.dtype
    flat = out.reshape(-1)
    if is_half(own):
        wide = flat.astype(np.float32)
        _reduce_at(wide, places, values.astype(np.float32), reduce, include_self)
        flat[...] = wide.astype(own)
        return
    if not include_self:
        flat[places] = _identity(reduce, own)
    if reduce in ("sum", "mean"):
        add_at(flat, places, values)
        if reduce == "mean":
            counts = np.bincount(places, minlength=flat.size)
            if include_self:
                counts += 1
            np.maximum(counts, 1, out=counts)
            if own.kind in "iu":
                np.floor_divide(flat, counts.astype(own), out=flat)
            else:
                np.divide(flat, counts.astype(own), out=flat)
        return
    _REDUCTIONS[reduce].at(flat, places, values)


def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """``scatter`` that combines what meets in one place: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    places, values = _scatter_places(input, dim, index, src)
    out = _copy(input)
    _reduce_at(out, places, values, reduce, include_self)
    return out


def _gather_backward(grad_output, input_sizes, dim, index):
    """The transpose of ``gather``: zeros with the cotangent added where it was taken from."""
    own, shape = grad_output.dtype, tuple(input_sizes) or (1,)
    if not index.size:
        return np.zeros(input_sizes, own)
    places = flat_places(shape, wrap_dim(dim, len(shape)), index.reshape(index.shape or (1,)))
    count = 1
    for n in shape:
        count *= n
    return sum_rows(places.reshape(-1), grad_output.reshape(-1), count).reshape(input_sizes).astype(own, copy=False)


# ----------------------------------------------------------------------------------------------- whole slices by index


def index_select(input, dim, index):
    """The slices of ``input`` along ``dim`` that ``index`` (a vector) lists."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype not in _INDEX_DTYPES:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input.ndim:
        if index.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)")
        _check_inside(index, 1)
        return input.copy()
    index = index.reshape(-1)
    _check_inside(index, input.shape[dim])
    return np.take(input, index, dim, mode="clip") if index.size else input[(slice(None),) * dim + (index,)]


def _index_select_backward(grad_output, input_sizes, dim, index):
    """The transpose of ``index_select``: each slice added where it was taken from."""
    if not input_sizes:
        return grad_output.reshape(())
    rows = np.moveaxis(grad_output, dim, 0)
    out = sum_rows(index.reshape(-1), rows, input_sizes[dim])
    return np.moveaxis(out, 0, dim).astype(grad_output.dtype, copy=False)


def _check_inside(index, size):
    if index.size and np.maximum.reduce(index.view(_UNSIGNED[index.dtype]), None) >= size:
        raise IndexError("index out of range in self")


def _index_vector(index, name, source, dim, input, out_of_bounds):
    """A vector of indices, checked as index_add and index_reduce do."""
    if index.ndim > 1:
        raise IndexError(
            f"{name}_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {legacy_name(index)} and "
            f"size: {shape_text(index.shape)}"
        )
    if index.dtype not in _INDEX_DTYPES:
        raise RuntimeError(f"{name}_(): Expected dtype int32/int64 for index but got: {legacy_name(index)}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"{name}_(): self ({legacy_name(input)}) and source ({legacy_name(source)}) must have the same scalar type"
        )
    have = source.shape[dim] if dim < source.ndim else 1
    if index.size != have:
        raise RuntimeError(
            f"{name}_(): Number of indices ({index.size}) should be equal to source.size(dim): ({have}), for dim: {dim}"
        )
    if input.ndim and source.ndim:
        rest = [n for d, n in enumerate(input.shape) if d != dim]
        if rest != [n for d, n in enumerate(source.shape) if d != dim]:
            raise RuntimeError(
                "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
                f"{shape_text(input.shape)} source.shape = {shape_text(source.shape)}"
            )
    _check_bounds(index, input.shape[dim] if input.ndim else 1, dim, out_of_bounds)
    return index.reshape(-1)


def index_add(input, dim, index, source, *, alpha=1):
    """A copy of ``input`` with ``alpha`` times the slices of ``source`` added to the slices ``index`` lists."""
    dim = wrap_dim(dim, input.ndim)
    index = _index_vector(index, "index_add", source, dim, input, RuntimeError)
    if alpha != 1:
        source = source * source.dtype.type(alpha)
    out = _copy(input)
    if not input.ndim:
        np.add(out, source.reshape(-1).sum(), out=out, casting="unsafe")
        return out
    if not source.ndim:
        source = source.reshape(1)
    add_at(np.moveaxis(out, dim, 0), index, np.moveaxis(source, dim, 0))
    return out


def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """A copy of ``input`` with slices of ``source`` combined into the slices ``index`` lists: prod, mean, amax, amin."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = wrap_dim(dim, input.ndim)
    index = _index_vector(index, "index_reduce", source, dim, input, RuntimeError)
    out = _copy(input)
    shape = out.shape or (1,)
    source = source.reshape([len(index) if d == dim else n for d, n in enumerate(shape)])
    spread = np.broadcast_to(index.reshape([-1 if d == dim else 1 for d in range(len(shape))]), source.shape)
    _reduce_at(out, flat_places(shape, dim, spread).reshape(-1), source.reshape(-1), reduce, include_self)
    return out


def index_copy(input, dim, index, source):
    """A copy of ``input`` with the slices ``index`` lists along ``dim`` replaced by those of ``source``."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if not source.ndim and index.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.size})")
    if source.ndim != input.ndim and source.ndim and input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if index.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {legacy_name(index)}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {legacy_name(input)} and "
            f"(source) {legacy_name(source)}"
        )
    rest = [n for d, n in enumerate(input.shape) if d != dim]
    have = [n for d, n in enumerate(source.shape) if d != dim]
    if source.ndim and input.ndim and rest != have:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, rest))} at dimension {dim} and source slice shape: {' '.join(map(str, have))} at "
            "dimension 0."
        )
    count = source.shape[dim] if source.ndim else 1
    if source.ndim and index.size != count:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) ({count})"
        )
    out = _copy(input)
    size = input.shape[dim] if input.ndim else 1
    index = index.reshape(-1)
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        raise IndexError(f"index_copy_(): index {wrong[0]} is out of bounds for dimension {dim} with size {size}")
    if not input.ndim:
        out[...] = source.reshape(-1)[-1] if source.size else out
        return out
    out[(*(slice(None),) * dim, index)] = source
    return out


def index_fill(input, dim, index, value):
    """A copy of ``input`` with the slices ``index`` lists along ``dim`` filled with a number."""
    dim = wrap_dim(dim, input.ndim)
    if index.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if np.iscomplexobj(value) and input.dtype.kind != "c":
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    size = input.shape[dim] if input.ndim else 1
    index = index.reshape(-1)
    wrong = index[(index < -size) | (index >= size)]
    if wrong.size:
        raise IndexError(f"index {wrong[0]} is out of bounds for dimension {dim} with size {size}")
    out = _copy(input)
    target = out if input.ndim else out.reshape(1)
    target[(*(slice(None),) * dim, index)] = fill_value(value, out.dtype, "index_fill_")
    return out


# ------------------------------------------------------------------------------------------------------ by flat index


def _flat_index(index, input, name):
    if index.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {legacy_name(index)}")
    n = input.size
    wrong = index[(index < -n) | (index >= n)]
    if wrong.size:
        raise IndexError(f"out of range: tried to access index {wrong[0]} on a tensor of {n} elements.")
    return index


def take(input, index):
    """The elements at flat places; the result has the shape of ``index``."""
    if index.dtype == np.int64 and index.size and not input.size:
        raise IndexError("take(): tried to take from an empty tensor")
    return np.asarray(input.reshape(-1)[_flat_index(index, input, "take")])


def put(input, index, source, accumulate=False):
    """A copy of ``input`` with ``source`` written (or added) at flat places."""
    if index.dtype != np.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {legacy_name(index)}")
    if source.dtype != input.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{legacy_name(input)} and source.dtype = {legacy_name(source)}"
        )
    if source.size != index.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.size}, index.numel() = {index.size}"
        )
    if index.size and not input.size:
        raise IndexError("put_(): Tried to put elements into an empty tensor")
    index = _flat_index(index, input, "put_").reshape(-1)
    out = _copy(input)
    flat = out.reshape(-1)
    if accumulate:
        add_at(flat, np.where(index < 0, index + flat.size, index), source.reshape(-1))
    else:
        flat[index] = source.reshape(-1)
    return out


def take_along_dim(input, indices, dim=None):
    """``gather`` whose arguments broadcast (apart from ``dim``); over the flat array without ``dim``."""
    if indices.dtype != np.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {legacy_name(indices)}")
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    source, wanted = along_shapes(input.shape, indices.shape, wrap_dim(dim, input.ndim))
    return gather(np.broadcast_to(input, source), dim, np.broadcast_to(indices, wanted))


def along_shapes(input_shape, index_shape, dim):
    """The shapes that ``take_along_dim`` broadcasts its arguments to."""
    kept = broadcast_shapes_of_two(
        (*input_shape[:dim], 1, *input_shape[dim + 1 :]), (*index_shape[:dim], 1, *index_shape[dim + 1 :])
    )
    source = (*kept[:dim], input_shape[dim], *kept[dim + 1 :])
    return source, (*kept[:dim], index_shape[dim], *kept[dim + 1 :])
