"""Joining and repeating: kernels whose result holds its arguments' elements several to an array, and a few that broadcast.

All of these copy. A joined result has the dtype its parts promote to.
"""

import operator

import numpy as np

from .arguments import common_dtype, legacy_name, shape_text, wrap_dim, wrap_dims
from .reduce import add_reduce
from .shape import diagonal as take_diagonal

__all__ = [
    "block_diag",
    "cat",
    "diag",
    "diag_embed",
    "flip",
    "repeat",
    "repeat_interleave",
    "roll",
    "rot90",
    "stack",
    "sum_to",
    "tile",
    "tril",
    "triu",
]


def _check_list(name, tensors):
    """TypeError for anything but a list of tensors."""
    if not isinstance(tensors, (list, tuple)):
        kind = "Tensor" if hasattr(tensors, "ndim") else type(tensors).__name__
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {kind}")
    for i, each in enumerate(tensors):
        if not hasattr(each, "ndim"):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(each).__name__}")


def cat(tensors, dim=0):
    """Arrays joined along ``dim``; the other sizes must agree. Empty 1-d arrays are skipped, as PyTorch does."""
    _check_list("cat", tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for i, part in enumerate(tensors):
        if not part.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    dtype = common_dtype(tensors)
    kept = [part for part in tensors if part.shape != (0,)]
    if not kept:
        wrap_dim(dim, 1)
        return np.empty((0,), dtype)
    first = kept[0].shape
    dim = wrap_dim(dim, len(first))
    try:
        if all([part.dtype == dtype for part in kept]):
            joined = np.concatenate(kept, dim)
        else:
            joined = np.concatenate(kept, dim, dtype=dtype, casting="unsafe")
        # only channels-last memory is kept, by images and volumes
        return joined if joined.ndim in (4, 5) else np.ascontiguousarray(joined)
    except ValueError:
        pass
    rest = first[:dim] + first[dim + 1 :]
    for i, part in enumerate(tensors):
        shape = part.shape
        if shape == (0,):
            continue
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        if shape[:dim] + shape[dim + 1 :] != rest:
            at = next(d for d in range(len(shape)) if d != dim and shape[d] != first[d])
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {first[at]} but got size "
                f"{shape[at]} for tensor number {i} in the list."
            )
    raise AssertionError("np.concatenate refused arrays that agree")


def stack(tensors, dim=0):
    """Arrays of one shape joined along a new dimension ``dim``."""
    _check_list("stack", tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = tensors[0].shape
    dim = wrap_dim(dim, len(shape) + 1)
    for i, part in enumerate(tensors):
        if part.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {shape_text(shape)} at entry 0 and "
                f"{shape_text(part.shape)} at entry {i}"
            )
    dtype = common_dtype(tensors)
    wanted = (*shape[:dim], 1, *shape[dim:])
    parts = [part.reshape(wanted) for part in tensors]
    if all([part.dtype == dtype for part in parts]):
        joined = np.concatenate(parts, dim)
    else:
        joined = np.concatenate(parts, dim, dtype=dtype, casting="unsafe")
    return joined if joined.ndim in (4, 5) else np.ascontiguousarray(joined)


def block_diag(tensors):
    """Matrices (vectors count as rows, numbers as 1 by 1) along the diagonal of a matrix of zeros."""
    blocks = []
    for i, part in enumerate(tensors):
        if part.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {part.ndim} dimensions"
            )
        blocks.append(part.reshape((1, -1)) if part.ndim < 2 else part)
    if not blocks:
        from .. import dtypes

        return np.zeros((1, 0), dtypes.get_default_dtype().numpy)
    out = np.zeros(
        (sum(block.shape[0] for block in blocks), sum(block.shape[1] for block in blocks)), common_dtype(tensors)
    )
    row = column = 0
    for block in blocks:
        rows, columns = block.shape
        out[row : row + rows, column : column + columns] = block
        row += rows
        column += columns
    return out


def repeat(input, repeats):
    """``input`` laid ``repeats[i]`` times side by side along each dimension; new dimensions go in front."""
    repeats = tuple([operator.index(n) for n in repeats])
    lead = len(repeats) - input.ndim
    if lead < 0:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * lead + input.shape
    out_shape = tuple([n * r for n, r in zip(shape, repeats, strict=True)])
    for n in out_shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shape_text(out_shape)}")
    out = np.empty(out_shape, input.dtype)
    if out.size:
        apart = [size for pair in zip(repeats, shape, strict=True) for size in pair]
        out.reshape(apart)[...] = input.reshape([size for n in shape for size in (1, n)])
    return out


def tile(input, dims):
    """``repeat`` that fills ``dims`` up with ones in front."""
    return repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (slice along ``dim``) ``repeats`` times in a row; with only ``input``, the indices it counts out."""
    if repeats is None:
        return _interleave_indices(input, output_size)
    if dim is None:
        input, dim = input.reshape(-1), 0
    dim = wrap_dim(dim, input.ndim)
    if isinstance(repeats, np.ndarray):
        if repeats.ndim > 1:
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        if repeats.dtype not in (np.int64, np.int32):
            raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{legacy_name(repeats)}'")
        n = input.shape[dim] if input.ndim else 1
        if repeats.ndim == 1 and repeats.size != 1 and repeats.size != n:
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got "
                f"repeats.size(0) = {repeats.size} and input.size({dim}) = {n}"
            )
        if repeats.size and repeats.min() < 0:
            raise RuntimeError("repeats can not be negative")
        repeats = repeats.reshape(-1)
    elif repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    out = np.repeat(input if input.ndim else input.reshape(1), repeats, dim)
    if output_size is not None and out.shape[dim] != output_size:
        raise RuntimeError("allocated size does not match required size")
    return out if input.ndim else out.reshape(-1)


def _interleave_indices(repeats, output_size):
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.dtype not in (np.int64, np.int32):
        raise RuntimeError("repeats has to be Long or Int tensor")
    if repeats.size and repeats.min() < 0:
        raise RuntimeError("repeats can not be negative")
    out = np.repeat(np.arange(repeats.size, dtype=repeats.dtype), repeats)
    if output_size is not None and out.size != output_size:
        raise RuntimeError("allocated size does not match required size")
    return out


def roll(input, shifts, dims=()):
    """Elements moved ``shifts`` places along ``dims``, those that fall off the end put back in front."""
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = dims if isinstance(dims, (tuple, list)) else () if dims is None else (dims,)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return roll(input.reshape(-1), shifts, (0,)).reshape(input.shape)
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    out = input if input.flags.c_contiguous else np.ascontiguousarray(input)
    for shift, dim in zip(shifts, dims, strict=True):
        if not input.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        dim = wrap_dim(dim, input.ndim)
        if not out.size:
            continue
        shift %= out.shape[dim]
        if shift:
            head = (np.s_[:],) * dim
            out = np.concatenate([out[(*head, np.s_[-shift:])], out[(*head, np.s_[:-shift])]], dim)
    return out.copy() if out is input else out


def flip(input, dims):
    """The order along each of ``dims`` reversed."""
    index = [np.s_[:]] * input.ndim
    for dim in wrap_dims(dims, input.ndim):
        if input.ndim:
            index[dim] = np.s_[::-1]
    made = np.empty_like(input)
    made[...] = input[tuple(index)]
    return made


def rot90(input, k=1, dims=(0, 1)):
    """A quarter turn ``k`` times in the plane of ``dims``, from the first towards the second."""
    ndim = input.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if wrap_dim(dims[0], ndim) == wrap_dim(dims[1], ndim):
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    first, second = wrap_dim(dims[0], ndim), wrap_dim(dims[1], ndim)
    k %= 4
    if k == 2:
        return flip(input, (first, second))
    if k == 1:
        return flip(input, (second,)).swapaxes(first, second)
    if k == 3:
        return flip(input, (first,)).swapaxes(first, second)
    return input.copy()


def _triangle(input, diagonal, name, lower):
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    rows, columns = input.shape[-2:]
    mask = np.tri(rows, columns, diagonal if lower else diagonal - 1, dtype=bool)
    zero = np.zeros((), input.dtype)
    return np.where(mask, input, zero) if lower else np.where(mask, zero, input)


def tril(input, diagonal=0):
    """The elements on and below diagonal ``diagonal`` of the last two dimensions; zero elsewhere."""
    return _triangle(input, diagonal, "tril", True)


def triu(input, diagonal=0):
    """The elements on and above diagonal ``diagonal`` of the last two dimensions; zero elsewhere."""
    return _triangle(input, diagonal, "triu", False)


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Arrays of zeros with the last dimension of ``input`` along diagonal ``offset`` of ``dim1`` and ``dim2``."""
    ndim = input.ndim + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    if input.ndim == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for dim in sorted((first, second)):
        shape.insert(dim, n)
    out = np.zeros(shape, input.dtype)
    take_diagonal(out, offset, first, second)[...] = input
    return out


def diag(input, diagonal=0):
    """A matrix with vector ``input`` on diagonal ``diagonal``, or a copy of that diagonal of matrix ``input``."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return take_diagonal(input, diagonal).copy()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")


def summed_dims(shape, size):
    """The dimensions of ``shape`` that broadcasting ``size`` to it repeats."""
    lead = len(shape) - len(size)
    dims = [*range(lead)]
    for i, n in enumerate(size, lead):
        if lead < 0 or (n != shape[i] and n != 1):
            raise RuntimeError(f"size {{{shape_text(size)}}} is not expandable to size {{{shape_text(shape)}}}.")
        if n != shape[i]:
            dims.append(i)
    return tuple(dims)


def sum_to(input, size):
    """The sum over the dimensions that broadcasting ``size`` to ``input``'s shape repeats: broadcasting's transpose."""
    shape = input.shape
    if shape == size:
        return input
    size = tuple(size)
    dims = summed_dims(shape, size)
    return (add_reduce(input, dims, True) if dims else input).reshape(size)
