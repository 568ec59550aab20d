"""Subscripts: ``x[index]`` and ``x[index] = value`` with PyTorch's rules, on arrays.

An index is split into a basic part (ints, slices, None, Ellipsis), which makes a view, and index arrays applied to that
view: int64 or int32 arrays, and masks (bool, or uint8 as PyTorch still allows). Taking the ints out first is what makes
PyTorch's results differ in shape from NumPy's: ``x[0, :, [0, 1]]`` has the indexed dimension where it stood, not in front.
"""

import operator
import warnings

import numpy as np

from ..settings import is_warn_always_enabled
from .accumulate import add_at
from .arguments import legacy_name, shape_text
from .masks import fill_value

__all__ = ["getitem", "index", "index_put", "setitem", "split"]

_ALL = slice(None)
_BASIC = frozenset([int, slice, type(None), type(Ellipsis)])


# --------------------------------------------------------------------------------------------------------- reading


_told_of_bytes = False


def _tell_of_bytes():
    """Bytes as masks are told of once in a process, unless each time is asked for."""
    global _told_of_bytes
    if not _told_of_bytes or is_warn_always_enabled():
        _told_of_bytes = True
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
            UserWarning,
            stacklevel=6,
        )


def _as_index_array(item):
    """An item that is no int, slice, None or Ellipsis as an array of indices or a mask."""
    if isinstance(item, np.ndarray):
        found = item
    elif isinstance(item, (list, tuple, range)):
        found = np.asarray(item)
        if not found.size:
            found = found.astype(np.int64)
    elif hasattr(item, "__index__"):
        return operator.index(item)
    else:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(item).__name__})"
        )
    kind = found.dtype
    if kind == np.uint8:
        _tell_of_bytes()
        return np.not_equal(found, 0, out=...)
    if kind != np.bool_ and kind not in (np.int64, np.int32):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if not found.ndim and kind != np.bool_:
        return int(found)
    return found


def split(index, shape):
    """An index as (basic, arrays): a NumPy basic index for the view, and what to index that view's dimensions with.

    ``arrays`` lists an int array, a mask (which takes as many dimensions as it has) or None (the dimension is kept) from the
    view's first dimension on; it is empty where the index is basic.
    """
    items = []
    specified = 0
    for item in index if index.__class__ is tuple else (index,):
        if item is True or item is False or isinstance(item, np.bool_):
            item = np.array(bool(item))
        elif item.__class__ not in _BASIC:
            item = _as_index_array(item)
        items.append(item)
        if isinstance(item, np.ndarray):
            specified += item.ndim if item.dtype == np.bool_ else 1
        elif item is not None and item is not Ellipsis:
            specified += 1
    if not shape and len(items) == 1 and items[0].__class__ is int:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    if not shape and len(items) == 1 and items[0].__class__ is slice:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if specified > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    basic, arrays = [], []
    source = view = 0  # the dimension of the array, and of the view, that comes next
    skipped = len(shape) - specified
    for place, item in enumerate(items):
        if item is None:
            basic.append(None)
            view += 1
        elif item is Ellipsis:
            basic += [_ALL] * skipped
            source += skipped
            view += skipped
            skipped = 0
        elif item.__class__ is int:
            n = shape[source]
            if not -n <= item < n:
                raise IndexError(f"index {item} is out of bounds for dimension {place} with size {n}")
            basic.append(item)
            source += 1
        elif item.__class__ is slice:
            if item.step is not None and operator.index(item.step) <= 0:
                if operator.index(item.step) == 0:
                    raise ValueError("slice step cannot be zero")
                raise ValueError("step must be greater than zero")
            basic.append(item)
            source += 1
            view += 1
        else:
            arrays += [None] * (view - _taken_by(arrays))
            if item.ndim:
                arrays.append(item)
                taken = item.ndim if item.dtype == np.bool_ else 1
                basic += [_ALL] * taken
                source += taken
                view += taken
            else:  # True or False: a new dimension of size one, kept or emptied
                basic.append(None)
                arrays.append(np.zeros(1 if item else 0, np.int64))
                view += 1
    return tuple(basic), arrays


def _taken_by(arrays):
    return sum(each.ndim if each is not None and each.dtype == np.bool_ else 1 for each in arrays)


def _numpy_index(shape, arrays):
    """``arrays`` as a NumPy index, masks checked against the dimensions they cover."""
    made = []
    dim = 0
    masks = 0
    for each in arrays:
        if each is None:
            made.append(_ALL)
            dim += 1
        elif each.dtype == np.bool_:
            masks += 1
            if dim + each.ndim > len(shape):
                raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
            for j, n in enumerate(each.shape):
                if n != shape[dim + j]:
                    raise IndexError(
                        f"The shape of the mask {shape_text(each.shape)} at index {j} does not match the shape of the "
                        f"indexed tensor {shape_text(shape)} at index {dim + j}"
                    )
            made.append(each)
            dim += each.ndim
        else:
            made.append(each)
            dim += 1
    if dim > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    if masks and len(made) > 1:
        made = [part for each in made for part in (each.nonzero() if _is_mask(each) else (each,))]
    return tuple(made)


def _is_mask(each):
    return isinstance(each, np.ndarray) and each.dtype == np.bool_


def _translated(error, shape, where):
    """NumPy's complaint about index arrays in PyTorch's words."""
    arrays = [each for each in where if isinstance(each, np.ndarray)]
    if "broadcast" in str(error):
        shapes = ", ".join(shape_text(each.shape) for each in arrays)
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}")
    count = 0
    for dim, each in enumerate(where):
        if isinstance(each, np.ndarray):
            n = shape[dim]
            if not n:
                return IndexError("index is out of bounds for dimension with size 0")
            wrong = (each < -n) | (each >= n)
            if wrong.any():
                bad = int(each[wrong].reshape(-1)[0])
                return IndexError(f"index {bad} is out of bounds for dimension {count} with size {n}")
            count += 1
    return error


# ---------------------------------------------------------------------------------------------------------- taking


def getitem(input, index):
    """``input[index]``: a view where the index is basic, else a copy."""
    basic, arrays = split(index, input.shape)
    found = input[(*basic, ...)]
    return take_at(found, arrays) if arrays else found


def index(input, indices):
    """The elements of ``input`` at index arrays or masks, one for each leading dimension, None to keep a dimension."""
    indices = [each if each is None else np.atleast_1d(_checked(each)) if _is_zero_dim_mask(each) else _checked(each)
               for each in indices]  # fmt: skip
    given = _taken_by(indices)
    if given > input.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input.ndim} (got {given})")
    return take_at(input, indices)


def _is_zero_dim_mask(each):
    return each.dtype == np.bool_ and not each.ndim


def _checked(each):
    found = _as_index_array(each)
    return np.asarray(found, np.int64) if found.__class__ is int else found


def take_at(view, arrays):
    where = _numpy_index(view.shape, arrays)
    try:
        found = view[where]
        # NumPy lays the dimensions of index arrays out in front, PyTorch the elements of what is in order in order
        return found.copy() if view.flags.c_contiguous and not found.flags.c_contiguous else np.asarray(found)
    except IndexError as error:
        raise _translated(error, view.shape, where) from None


# ---------------------------------------------------------------------------------------------------------- writing


def setitem(input, index, value):
    """``input[index] = value`` in place; ``value`` is an array (broadcast, and cast where PyTorch casts) or a number.

    RuntimeError where ``value`` does not broadcast, or, at index arrays, where its dtype is another one (but one element is
    cast for a mask).
    """
    basic, arrays = split(index, input.shape)
    part = input[(*basic, ...)]
    value = np.asarray(value)
    if not arrays:
        value = _without_leading_ones(value)
        _check_expandable(value, part.shape)
        np.copyto(part, value.real if value.dtype.kind == "c" and part.dtype.kind != "c" else value, casting="unsafe")
        return
    value = _without_leading_ones(value)
    put_at(part, arrays, value if value.dtype == part.dtype else _matched(part, arrays, value), False)


def _matched(view, arrays, value):
    """A value of another dtype than what it is written to: cast if it is one element for a mask, else refused."""
    given = [each for each in arrays if each is not None]
    if value.size == 1 and len(given) == 1 and _is_mask(given[0]) and given[0].ndim:
        return fill_value(value.reshape(()), view.dtype, "masked_fill_")
    target = _shape_at(view, _numpy_index(view.shape, arrays))
    if _broadcast_fails(value.shape, target):
        raise _mismatch(value.shape, target)
    raise RuntimeError(
        f"Index put requires the source and destination dtypes match, got {legacy_name(view)} for the "
        f"destination and {legacy_name(value)} for the source."
    )


def _broadcast_fails(shape, target):
    return len(shape) > len(target) or any(n not in (1, m) for n, m in zip(reversed(shape), reversed(target)))


def _mismatch(shape, target):
    return RuntimeError(
        f"shape mismatch: value tensor of shape {shape_text(shape)} cannot be broadcast to indexing result "
        f"of shape {shape_text(target)}"
    )


def _without_leading_ones(value):
    shape = value.shape
    lead = 0
    while lead < len(shape) and shape[lead] == 1:
        lead += 1
    return value.reshape(shape[lead:]) if lead else value


def _check_expandable(value, shape):
    from .shape import expand

    expand(value, shape)


def is_whole(item, size):
    """Whether PyTorch takes a slice for all of a dimension, as it stands."""
    return not item.start and item.step in (None, 1) and (item.stop is None or item.stop >= size)


def put_at(view, arrays, values, accumulate):
    """Write (or add) ``values`` at index arrays of ``view``, in place."""
    where = _numpy_index(view.shape, arrays)
    try:
        if accumulate:
            _add_at(view, where, values)
        elif not values.size and values.shape != (target := _shape_at(view, where)):
            _check_expandable(values, target)  # NumPy writes nothing without looking at the shapes
        else:
            view[where] = values
    except IndexError as error:
        raise _translated(error, view.shape, where) from None
    except (ValueError, TypeError, RuntimeError) as error:
        if len(where) == 1 and _is_mask(where[0]) and not isinstance(error, RuntimeError):
            # NumPy's mask writes broadcast less than index arrays do
            return put_at(view, [*where[0].nonzero()], values, accumulate)
        raise _mismatch(values.shape, _shape_at(view, where)) from None


def _shape_at(view, where):
    """The shape of ``view[where]`` without its elements."""
    from .shape import expand

    return expand(np.zeros((), np.int8), view.shape)[where].shape


def _add_at(view, where, values):
    """``view[where] += values`` where places may repeat."""
    if len(where) == 1 and _is_mask(where[0]):
        view[where[0]] += values
        return
    arrays = [each for each in where if isinstance(each, np.ndarray)]
    if not arrays:
        view += values
        return
    dims = [dim for dim, each in enumerate(where) if isinstance(each, np.ndarray)]
    shape = np.broadcast_shapes(*[each.shape for each in arrays])
    sizes = [view.shape[dim] for dim in dims]
    flat = np.zeros(shape, np.int64)
    for each, n in zip(arrays, sizes, strict=True):
        each = each.astype(np.int64)
        if each.size and (each.min() < -n or each.max() >= n):
            raise IndexError("out of bounds")
        flat *= n
        flat += np.where(each < 0, each + n, each)
    rest = [dim for dim in range(view.ndim) if dim not in dims]
    adjacent = dims == list(range(dims[0], dims[0] + len(dims)))
    front = dims[0] if adjacent else 0
    target = (*[view.shape[d] for d in rest[:front]], *shape, *[view.shape[d] for d in rest[front:]])
    if _broadcast_fails(values.shape, target):
        raise ValueError("values do not broadcast")
    values = np.broadcast_to(values, target)
    if front:
        values = np.moveaxis(values, range(front), range(len(shape), len(shape) + front))
    kept = [view.shape[d] for d in rest]
    moved = view.transpose(dims + rest)
    add_at(moved, flat.reshape(-1), values.reshape(flat.size, *kept), len(dims))


def index_put(input, indices, values, accumulate=False):
    """A copy of ``input`` with ``values`` written (or, with ``accumulate``, added) at index arrays."""
    given = [each if each is None else _checked(each) for each in indices]
    if _taken_by(given) > input.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input.ndim} (got {_taken_by(given)})")
    if values.dtype != input.dtype:
        values = _matched(input, given, values)
    out = np.array(input)
    put_at(out, given, values, accumulate)
    return out
