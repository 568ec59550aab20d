"""Making tensors: from data, from sizes, like other tensors; and the legacy constructors."""

import math
import operator

import numpy as np

from .. import devices, dtypes
from ..array.element import element, fits, scalar
from ..autograd.graph import warn_user
from ..autograd.modes import enable_grad, state, thread
from ..size import Size
from ..tensor import Tensor, _new, set_legacy, strided, wrap
from .answering import disabled
from .asking import asking
from .binding import spoken_type
from .table import METHODS, PLACES, TENSOR, as_array

_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


# ----------------------------------------------------------------------------------------------------- options


def check_options(name, layout=None, device=None, pin_memory=False, memory_format=None):
    """Refuse what tensors here cannot be; the CPU's strided layout is all there is."""
    if device is not None:
        devices.check(device)
    if layout is not None and layout is not strided:
        raise NotImplementedError(f"{name}(): rushlight has the strided layout only, not {layout!r}")
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available.")


def as_dtype(value, default=None, name=None):
    """A rushlight dtype from what callers pass for ``dtype`` of the function ``name``."""
    if value is None:
        return default if default is not None else dtypes.get_default_dtype()
    if isinstance(value, dtypes.dtype):
        return value
    found = {float: dtypes.float64, int: dtypes.int64, bool: dtypes.bool, complex: dtypes.complex128}.get(value)
    if found is None:
        where = "" if name is None else f"{name}(): "
        raise TypeError(f"{where}argument 'dtype' must be torch.dtype, not {type(value).__name__}")
    return found


def give(name, array, out, dtype, requires_grad):
    """A constructor's result: a new tensor, or ``array`` written into ``out``, whose dtype must be ``dtype`` if that was named."""
    if out is None:
        return finish(wrap(as_array(array)), requires_grad)
    from .dispatch import store

    check_out(name, out, dtype)
    store(out, as_array(array))
    return out


def give_range(name, array, out, dtype, requires_grad):
    """``give`` for numbers in a row, which fill an ``out`` of as many elements whatever its shape."""
    if out is not None and out._a.size != array.size:
        if out._a.size and name == "arange":
            warn_user(
                f"The number of elements in the out tensor of shape {list(out._a.shape)} is {out._a.size} which does not match the "
                f"computed number of elements {array.size}. Note that this may occur as a result of rounding error. The out tensor "
                f"will be resized to a tensor of shape ({array.size},)."
            )
        out.resize_(array.shape)
    return give(name, array if out is None else array.reshape(out._a.shape), out, dtype, requires_grad)


def check_out(name, out, dtype):
    """What PyTorch asks of a constructor's ``out``: the named dtype, and no gradient."""
    if dtype is not None and dtype is not out._dtype:
        raise RuntimeError(f"dtype {dtype.legacy} does not match dtype of out parameter ({out._dtype.legacy})")
    if thread.grad and out.requires_grad:
        if name in ("empty", "randn", "rand"):
            raise RuntimeError("cannot resize variables that require grad")
        raise RuntimeError(
            f"aten::{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )


def named_dtype(name, dtype, out):
    """The dtype a constructor was asked for: by name, or by the tensor it is to write into; None where neither."""
    if dtype is not None:
        return as_dtype(dtype, name=name)
    return None if out is None else out._dtype


def finish(tensor, requires_grad):
    if requires_grad:
        if not (tensor._dtype.is_floating_point or tensor._dtype.is_complex):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        tensor._require_grad(True)
    return tensor


def sizes(name, args, size=None):
    """The tuple of ints meant by ``zeros(2, 3)``, ``zeros((2, 3))`` or ``zeros(size=(2, 3))``; errors in PyTorch's words."""
    if size is not None:
        if not isinstance(size, (tuple, list)):
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, not {spoken_type(size)}")
        args = (size,)
    elif not args:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    given = args
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    made = []
    for i, each in enumerate(args):
        if each.__class__ is int:
            made.append(each)
            continue
        try:
            made.append(operator.index(each))
        except TypeError:
            raise _size_error(name, i, each, given) from None
        if isinstance(each, bool):
            raise _size_error(name, i, each, given)
    for each in made:
        if each < 0:
            if name == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {each}: {made}")
    return tuple(made)


def _size_error(name, place, value, given):
    """What PyTorch says of a size that is no whole number; ``given`` are the arguments as they came."""
    shown = spoken_type(value)
    if place:
        return TypeError(
            f"{name}(): argument 'size' failed to unpack the object at pos {place + 1} with error "
            f'"type must be tuple of ints,but got {shown}"'
        )
    if value is given[0]:
        return TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {shown}")
    return TypeError(
        f"{name}(): argument 'size' (position 1) must be tuple of ints, but found element of type {shown} at pos 0"
    )


# ----------------------------------------------------------------------------------------------------- from data


def infer(data):
    """The dtype PyTorch infers for nested sequences of numbers; errors in its words."""
    if isinstance(data, Tensor):
        return data._dtype
    if isinstance(data, (np.ndarray, np.generic)):
        return dtypes.of(data.dtype)
    kind = type(data)
    if kind is bool:
        return dtypes.bool
    if kind is float:
        return dtypes.get_default_dtype()
    if kind is int:
        return dtypes.int64
    if kind is complex:
        return dtypes.default_complex()
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(data, (int, float, complex)):
        return dtypes.of_number(data)
    if isinstance(data, bytes):
        raise TypeError("new(): invalid data type 'bytes'")
    if not _is_sequence(data):
        raise RuntimeError(f"Could not infer dtype of {kind.__name__}")
    result = None
    for place, each in enumerate(data):
        if isinstance(each, str) and not place:
            raise ValueError("too many dimensions 'str'")
        found = infer(each)
        result = found if result is None or result is found else dtypes.promote_types(result, found)
    return dtypes.get_default_dtype() if result is None else result


def _is_sequence(data):
    if isinstance(data, (list, tuple, range)):
        return True
    return hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, (dict, set))


def _shape(data):
    shape = []
    while _is_sequence(data) and not isinstance(data, str):
        if isinstance(data, (np.ndarray, Tensor)):
            shape.extend(data.shape)
            break
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
    return shape


def _check_ragged(data, shape, depth=0):
    if depth == len(shape):
        if isinstance(data, (list, tuple)):
            raise TypeError(f"'{type(data).__name__}' object cannot be interpreted as an integer")
        return
    if isinstance(data, (np.ndarray, Tensor)):
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for each in data:
        _check_ragged(each, shape, depth + 1)


def array_of(data, dtype=None):
    """An array of its own memory from nested data, of the given or inferred dtype."""
    if isinstance(data, Tensor):
        if hasattr(data._a, "held"):
            raise RuntimeError(
                "the values of a tensor of a transform (vmap, jvp) cannot be copied into another; use clone()"
            )
        return _cast(data._a, data._dtype if dtype is None else dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
        return _cast(array, dtypes.of(array.dtype) if dtype is None else dtype)
    if hasattr(data, "untyped"):  # a storage: its memory, read as elements of the dtype
        own = getattr(data, "dtype", None)
        d = dtype or own or dtypes.int64
        if own not in (None, d):
            raise RuntimeError(f"Expected a Storage of type {d.legacy} or an UntypedStorage, but got {own.legacy}")
        return _cast(data.untyped().strided(d, 0, (data.nbytes() // d.itemsize,)), d)
    if hasattr(data, "__dlpack__"):
        from ..interop import from_dlpack

        return array_of(from_dlpack(data), dtype)
    wanted = infer(data) if dtype is None else dtype
    if _is_sequence(data) and not isinstance(data, str):
        if not isinstance(data, (list, tuple)):
            data = list(data)
        data = _plain(data)
    try:
        array = np.array(data)
    except (ValueError, OverflowError):
        _check_ragged(data, _shape(data))
        raise ValueError("Overflow when unpacking long long") from None
    if array.dtype.kind not in _KINDS:
        infer(data)
        if array.dtype.kind == "O":
            _check_ragged(data, _shape(data))
            if wanted.category == 1:
                raise ValueError("Overflow when unpacking long long")
            array = array.astype({0: bool, 2: np.float64, 3: np.complex128}[wanted.category])
    if array.dtype.kind == "u" and wanted.category < 2 and wanted is not dtypes.uint64 and (array > 2**63 - 1).any():
        raise ValueError("Overflow when unpacking long long")
    if array.size and wanted.category == 1 and array.dtype.kind in "iuf" and array.dtype != wanted.numpy:
        if wanted is dtypes.uint64 and array.dtype.kind == "i" and array.min() < 0:
            raise OverflowError("can't convert negative int to unsigned")
        if not (fits(array.max().item(), wanted) and fits(array.min().item(), wanted)):
            raise RuntimeError(f"value cannot be converted to type {wanted.name} without overflow")
    if array.dtype.kind == "c" and not wanted.is_complex and wanted.category:
        raise TypeError("must be real number, not complex")
    return _cast(array, wanted)


def _plain(data):
    """Nested lists with tensors and arrays turned into what NumPy reads."""
    if any(isinstance(each, (Tensor, list, tuple)) for each in data):
        return [
            _scalar(each) if isinstance(each, Tensor) else _plain(each) if isinstance(each, (list, tuple)) else each
            for each in data
        ]
    return data


def _scalar(tensor):
    if tensor._a.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    if hasattr(tensor._a, "held"):
        return tensor._a.item()
    return tensor._a.reshape(())[()]


def _cast(array, dtype):
    with np.errstate(all="ignore"):
        if array.dtype.kind == "c" and not (dtype.is_complex or dtype is dtypes.bool):
            array = array.real
        return np.array(array, dtype=dtype.numpy, order="C")


_NOTHING = object()


def tensor(data=_NOTHING, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor that copies ``data`` (nested sequences of numbers, an array, or a tensor).

    The dtype is inferred from the numbers: Python floats have the default dtype, ints ``int64``, bools ``bool``.
    Raises ValueError for ragged sequences, RuntimeError for what is no number.

        >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        tensor([[1., 2.],
                [3., 4.]], requires_grad=True)
    """
    if data is _NOTHING:
        raise TypeError('tensor() missing 1 required positional arguments: "data"')
    check_options("tensor", device=device, pin_memory=pin_memory)
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        if hasattr(data._a, "held"):
            copy = TENSOR.clone(data.detach())
            return finish(copy if dtype is None else copy.to(as_dtype(dtype, name="tensor")), requires_grad)
    return finish(wrap(array_of(data, None if dtype is None else as_dtype(dtype, name="tensor"))), requires_grad)


def from_numpy(ndarray):
    """A tensor that shares the memory of a NumPy array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {spoken_type(ndarray)})")
    dtype = dtypes.of(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not ndarray.flags.writeable:
        import warnings

        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to "
            "this tensor will result in undefined behavior. You may want to copy the array to protect its data or make it "
            "writable before converting it to a tensor. This type of warning will be suppressed for the rest of this program.",
            UserWarning,
            stacklevel=2,
        )
    from ..storage import borrow

    return wrap(ndarray.view(np.ndarray) if ndarray.base is None else borrow(ndarray), dtype)


def as_tensor(data, dtype=None, device=None):
    """``data`` as a tensor, sharing its memory where that is possible."""
    check_options("as_tensor", device=device)
    if isinstance(data, Tensor):
        return data if dtype is None or dtype is data._dtype else data.to(dtype)
    if isinstance(data, np.ndarray):
        made = from_numpy(data)
        return made if dtype is None else made.to(as_dtype(dtype))
    if hasattr(data, "__dlpack__"):
        from ..interop import from_dlpack

        made = from_dlpack(data)
        return made if dtype is None else made.to(as_dtype(dtype))
    return wrap(array_of(data, None if dtype is None else as_dtype(dtype)))


def scalar_tensor(s, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A 0-d tensor of one number, of the default dtype."""
    check_options("scalar_tensor", layout, device, pin_memory)
    return finish(wrap(scalar(s, as_dtype(dtype))), requires_grad)


# ----------------------------------------------------------------------------------------------------- from sizes


def _filler(name, fill):
    def make(
        *args, size=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False,
        memory_format=None,
    ):  # fmt: skip
        shape = sizes(name, args, size)
        check_options(name, layout, device, pin_memory)
        if memory_format is not None and fill is not np.empty:
            raise TypeError(f"{name}() got an unexpected keyword argument 'memory_format'")
        if out is None:
            d = as_dtype(dtype, name=name)
            made = fill(shape, d.numpy) if memory_format is None else _in_format(fill, shape, d.numpy, memory_format)
            return finish(wrap(made, d), requires_grad)
        d = named_dtype(name, dtype, out)
        return give(name, fill(shape, d.numpy), out, d, requires_grad)

    make.__name__ = make.__qualname__ = name
    return make


zeros = _filler("zeros", np.zeros)
ones = _filler("ones", np.ones)
empty = _filler("empty", np.empty)


def full(
    size, fill_value=_NOTHING, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """A tensor of ``size`` filled with a number, whose dtype it has unless one is given."""
    if fill_value is _NOTHING:
        raise TypeError('full() missing 1 required positional arguments: "fill_value"')
    check_options("full", layout, device, pin_memory)
    shape = sizes("full", (size,)) if not isinstance(size, int) else (size,)
    if isinstance(fill_value, Tensor) and not fill_value._a.ndim:
        inferred, fill_value = fill_value._dtype, fill_value.item()
    elif isinstance(fill_value, (int, float, complex, np.generic)):
        inferred = dtypes.of_number(fill_value)
    else:
        shown = spoken_type(fill_value)
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {shown}")
    d = named_dtype("full", dtype, out) or inferred
    return give("full", _full(shape, fill_value, d), out, d, requires_grad)


def _full(shape, value, dtype):
    if isinstance(value, Tensor):
        value = value.item()
    return np.full(shape, element(value, dtype))


def empty_permuted(
    size, physical_layout, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """An uninitialised tensor whose axes lie in memory in the order ``physical_layout``, outermost first."""
    check_options("empty_permuted", layout, device, pin_memory)
    shape, order = tuple(size), tuple(physical_layout)
    if len(order) != len(shape):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = {len(shape)} is not "
            f"equal to len(physical_layout) = {len(order)}"
        )
    seen = set()
    for i, axis in enumerate(order):
        if not 0 <= axis < len(shape):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {axis} at index {i}).  NB: negative "
                "dims not currently supported; file an issue if you want it."
            )
        if axis in seen:
            raise RuntimeError("Duplicate dim not allowed")
        seen.add(axis)
    d = as_dtype(dtype)
    made = np.empty([shape[axis] for axis in order], d.numpy).transpose(np.argsort(order))
    return finish(wrap(made, d), requires_grad)


def empty_strided(size, stride, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An uninitialised tensor with the given strides (in elements)."""
    check_options("empty_strided", layout, device, pin_memory)
    d = as_dtype(dtype)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"empty_strided(): argument 'size' (position 1) must be tuple of ints, not {spoken_type(size)}")
    shape = sizes("empty_strided", (size,))
    if len(stride) != len(shape):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(stride)})"
        )
    if any(step < 0 for step in stride):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)} and strides={list(stride)}")
    return finish(wrap(_strided(np.empty, shape, stride, d.numpy), d), requires_grad)


def _strided(make, shape, stride, numpy_dtype):
    extent = 0 if 0 in shape else 1 + sum((n - 1) * s for n, s in zip(shape, stride))
    flat = make(max(extent, 1), numpy_dtype)
    return np.ndarray(shape, numpy_dtype, flat, 0, tuple(s * numpy_dtype.itemsize for s in stride))


# ------------------------------------------------------------------------------------------------------ like others


def _like(name, fill):
    def make(input, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        check_options(name, layout, device, pin_memory)
        d = input._dtype if dtype is None else as_dtype(dtype)
        if state.rare:
            made = _made_like(input, lambda held: make(held, dtype=d, memory_format=memory_format))
            if made is not None:
                return finish(made, requires_grad)
        return finish(wrap(layout_like(fill, input._a, d.numpy, memory_format), d), requires_grad)

    make.__name__ = make.__qualname__ = name
    return make


def _made_like(input, make, shape=None):
    """A new tensor beside one of a transform: ``make`` on what it holds, so that it can be written to like it; else None.

    With ``shape``, that of a sample, ``make(held, shape)`` is told the shape to make.
    """
    if input._a.__class__ is np.ndarray:
        return None
    from ..autograd.levels import made_like

    return made_like(input, make, shape)


def empty_beside(array, numpy_dtype):
    """An uninitialised array shaped like ``array``, its dimensions in the same order in memory.

    NumPy's order but for expanded dimensions (stride 0): those have no order of their own, and stay between their neighbours, which
    matters for the order in which random numbers are drawn.
    """
    strides, shape = array.strides, array.shape
    if 0 not in strides:
        return np.empty_like(array, numpy_dtype)
    order = list(range(array.ndim - 1, -1, -1))  # the fastest first; sorted by insertion, as PyTorch does it
    for place in range(1, array.ndim):
        moving = place
        for before in range(place - 1, -1, -1):
            a, b = order[before], order[moving]
            if strides[a] == 0 or strides[b] == 0:
                continue
            if strides[a] < strides[b]:
                break
            if strides[a] > strides[b] or shape[a] > shape[b]:
                order[before], order[moving] = b, a
                moving = before
    order.reverse()
    made = np.empty([shape[dim] for dim in order], numpy_dtype)
    return made.transpose([order.index(dim) for dim in range(array.ndim)])


#: memory formats by name, and how many dimensions they are for
CHANNELS_LAST = {"channels_last": 4, "channels_last_3d": 5}


def _in_format(fill, shape, numpy_dtype, memory_format):
    """A new array whose elements lie in the order of a memory format other than preserve_format."""
    format = memory_format.name
    if format == "contiguous_format":
        return fill(shape, numpy_dtype)
    if format not in CHANNELS_LAST:
        raise RuntimeError("unsupported memory format Preserve")
    if len(shape) != CHANNELS_LAST[format]:
        raise RuntimeError(f"required rank {CHANNELS_LAST[format]} tensor to use {format} format")
    return np.moveaxis(fill((shape[0], *shape[2:], shape[1]), numpy_dtype), -1, 1)


def layout_like(fill, array, numpy_dtype, memory_format=None):
    """A new array shaped like ``array``, with its strides where those are dense."""
    if memory_format is not None and memory_format.name != "preserve_format":
        return _in_format(fill, array.shape, numpy_dtype, memory_format)
    if array.flags.c_contiguous or array.ndim < 2:
        return fill(array.shape, numpy_dtype)
    made = empty_beside(array, numpy_dtype)
    if fill is np.zeros:
        made.fill(0)
    elif fill is np.ones:
        made.fill(1)
    return made


zeros_like = _like("zeros_like", np.zeros)
ones_like = _like("ones_like", np.ones)
empty_like = _like("empty_like", np.empty)


def full_like(
    input,
    fill_value,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    memory_format=None,
):
    """A tensor shaped like ``input`` filled with a number."""
    if not isinstance(input, Tensor):
        raise TypeError(f"full_like(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    check_options("full_like", layout, device, pin_memory)
    d = input._dtype if dtype is None else as_dtype(dtype)
    if state.rare:
        made = _made_like(input, lambda held: full_like(held, fill_value, dtype=d, memory_format=memory_format))
        if made is not None:
            return finish(made, requires_grad)
    made = layout_like(np.empty, input._a, d.numpy, memory_format)
    made[...] = _full((), fill_value, d)
    return finish(wrap(made, d), requires_grad)


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A new tensor of ``data`` with this tensor's dtype."""
    d = self._dtype if dtype is None else as_dtype(dtype)
    return finish(wrap(array_of(data, d)), requires_grad)


def _new_method(name, fill):
    def make(self, *args, size=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
        shape = sizes(name, args, size)
        check_options(name, layout, device, pin_memory)
        d = self._dtype if dtype is None else as_dtype(dtype)
        if state.rare:
            made = _made_like(self, lambda held, shape: make(held, shape, dtype=d), shape)
            if made is not None:
                return finish(made, requires_grad)
        return finish(wrap(fill(shape, d.numpy), d), requires_grad)

    make.__name__ = make.__qualname__ = name
    return make


new_zeros = _new_method("new_zeros", np.zeros)
new_ones = _new_method("new_ones", np.ones)
new_empty = _new_method("new_empty", np.empty)


def new_full(self, size, fill_value, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor of ``size`` filled with a number, with this tensor's dtype."""
    check_options("new_full", layout, device, pin_memory)
    d = self._dtype if dtype is None else as_dtype(dtype)
    if state.rare:
        shape = sizes("new_full", (size,))
        made = _made_like(self, lambda held, shape: new_full(held, shape, fill_value, dtype=d), shape)
        if made is not None:
            return finish(made, requires_grad)
    return finish(wrap(_full(sizes("new_full", (size,)), fill_value, d), d), requires_grad)


def new_empty_strided(
    self, size, stride, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """As ``empty_strided``, with this tensor's dtype."""
    if state.rare:

        def make(held, shape):
            # samples lie one after the other, each as it was asked for
            extent = 0 if 0 in size else 1 + sum([(n - 1) * step for n, step in zip(size, stride)])
            strides = stride if len(shape) == len(stride) else (extent, *stride)
            return new_empty_strided(held, shape, strides, dtype=dtype)

        made = _made_like(self, make, tuple(size))
        if made is not None:
            return finish(made, requires_grad)
    return empty_strided(size, stride, dtype=dtype or self._dtype, device=device, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------------------------ ranges


def _number(value):
    return value.item() if isinstance(value, Tensor) else value


def arange(
    *args,
    start=0,
    end=None,
    step=1,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Numbers from ``start`` up to, not including, ``end`` in steps of ``step``; ints give int64."""
    from ..array import creation as kernels

    check_options("arange", layout, device, pin_memory)
    if len(args) == 1 and end is None:
        end = args[0]
    elif args and end is not None:
        start, *rest = args
        step = rest[0] if rest else step
    elif args:
        start, end, *rest = args
        step = rest[0] if rest else step
    if end is None:
        raise TypeError('arange() missing 1 required positional arguments: "end"')
    given = [_number(v) for v in (start, end, step)]
    d = named_dtype("arange", dtype, out)
    return give_range("arange", kernels.arange(*given, dtype=d), out, d, requires_grad)


def range_(start=0, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """As arange with ``end`` included (deprecated in PyTorch)."""
    if end is None:
        raise TypeError('range() missing 1 required positional arguments: "end"')
    check_options("range", layout, device)
    warn_user(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's range "
        "builtin. Instead, use torch.arange, which produces values in [start, end)."
    )
    start, end, step = map(_number, (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    d = named_dtype("range", dtype, out) or as_dtype(None)
    numbers = start + np.arange(math.floor((end - start) / step) + 1) * step
    return give_range("range", numbers.astype(d.numpy), out, d, requires_grad)


def is_batch(value):
    """Whether a value is a tensor whose elements differ between samples of a ``vmap``, so that it cannot be read."""
    return isinstance(value, Tensor) and getattr(value._a, "bdim", None) is not None


def _spaced_by_sample(start, end, steps, dtype):
    """``linspace`` between tensors of which some are batches: from either end to the middle."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    places = arange(steps)
    step = (end - start) / max(steps - 1, 1)
    made = TENSOR.where(places < steps / 2, start + step * places, end - step * (steps - 1 - places))
    return TENSOR._to_dtype(made, dtype or as_dtype(None))


def linspace(
    start, end, steps, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced."""
    from ..array import creation as kernels

    check_options("linspace", layout, device, pin_memory)
    d = named_dtype("linspace", dtype, out)
    _check_ends("linspace", "", start, end, steps)
    if out is None and (is_batch(start) or is_batch(end)):
        return finish(_spaced_by_sample(start, end, _number(steps), d), requires_grad)
    return give_range(
        "linspace", kernels.linspace(_number(start), _number(end), _number(steps), dtype=d), out, d, requires_grad
    )


def logspace(
    start,
    end,
    steps,
    base=10.0,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """``steps`` powers of ``base``, with exponents evenly spaced from ``start`` to ``end``."""
    from ..array import creation as kernels

    check_options("logspace", layout, device, pin_memory)
    d = named_dtype("logspace", dtype, out)
    _check_ends("logspace", ", float base = 10.0", start, end, steps)
    if out is None and (is_batch(start) or is_batch(end)):
        exponents = _spaced_by_sample(start, end, _number(steps), None)
        return finish(TENSOR._to_dtype(base**exponents, d or as_dtype(None)), requires_grad)
    made = kernels.logspace(_number(start), _number(end), _number(steps), base, dtype=d)
    return give_range("logspace", made, out, d, requires_grad)


_FACTORY = (
    "*, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, "
    "bool pin_memory = False, bool requires_grad = False"
)


def _check_ends(name, further, start, end, steps):
    if not isinstance(steps, (int, np.integer, Tensor)) or isinstance(steps, bool):
        kinds = [(a, b) for b in ("Tensor", "Number") for a in ("Tensor", "Number")]
        overloads = "".join([f" * ({a} start, {b} end, int steps{further}, {_FACTORY})\n" for a, b in kinds])
        given = ", ".join(type(each).__name__ for each in (start, end, steps))
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({given}), but expected one of:\n{overloads}"
        )
    ranks = [each._a.ndim if isinstance(each, Tensor) else 0 for each in (start, end)]
    if any(ranks):
        raise RuntimeError(
            f"{name} only supports 0-dimensional start and end tensors, but got start with {ranks[0]} dimension(s) and end with "
            f"{ranks[1]} dimension(s)."
        )


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """Ones on the diagonal of an n x m matrix, zeros elsewhere."""
    check_options("eye", layout, device, pin_memory)
    for name, value in (("n", n), ("m", m)):
        if value is not None and value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    d = named_dtype("eye", dtype, out) or dtypes.get_default_dtype()
    return give("eye", np.eye(n, m, dtype=d.numpy), out, d, requires_grad)


def complex_(real, imag, *, out=None):
    """A complex tensor from its parts; differentiable."""
    for position, (name, each) in enumerate((("real", real), ("imag", imag)), 1):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"complex(): argument '{name}' (position {position}) must be Tensor, not {type(each).__name__}"
            )
    from .dispatch import broadcast, store_out

    broadcast(real._a.shape, imag._a.shape)
    made = TENSOR._complex(real, imag)
    if out is None:
        return made
    if made._dtype is not out._dtype:
        raise RuntimeError(
            f"Expected object of scalar type {made._dtype.legacy} but got scalar type {out._dtype.legacy} for argument 'out'"
        )
    return store_out("complex", made, out)


# ----------------------------------------------------------------------------------------------------------- legacy


def legacy(cls, args, kwargs):
    """``torch.Tensor(...)`` and its typed forms: sizes, or a sequence, or a tensor to share memory with."""
    d = getattr(cls, "_legacy_dtype", None) or dtypes.get_default_dtype()
    device = kwargs.pop("device", None)
    if device is not None and devices.device(device).type != "cpu":
        kind = devices.device(device).type
        raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {kind} was passed")
    if kwargs:
        raise TypeError(
            "new() received an invalid combination of arguments - got "
            f"({', '.join([type(a).__name__ for a in args] + [f'{k}={type(v).__qualname__}' for k, v in kwargs.items()])}), "
            "but expected one of:\n * (*, torch.device device = None)\n * (torch.Storage storage)\n * (Tensor other)\n"
            " * (tuple of ints size, *, torch.device device = None)\n * (object data, *, torch.device device = None)\n"
        )
    if args and isinstance(args[0], Tensor) and type(args[0]).__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return args[0].as_subclass(cls)
    if len(args) == 1 and isinstance(args[0], Tensor):
        made = _alias_of(args[0], d)
        return made if cls is Tensor or hasattr(cls, "_legacy_dtype") else made.as_subclass(cls)
    array = _legacy_array(args, d)
    made = _new(Tensor if getattr(cls, "_legacy_dtype", None) else cls)
    made._a, made._dtype, made._edge, made._vc, made._view = array, dtypes.of(array.dtype), None, [0], None
    return made


def _alias_of(tensor, d):
    """A view of a whole tensor, recorded whatever the mode; TypeError for one of another dtype than ``d``, if that is not the default."""
    if tensor._dtype is not d and d is not dtypes.get_default_dtype():
        raise TypeError(f"expected {d.legacy} (got {tensor._dtype.legacy})")
    with enable_grad():
        return disabled(TENSOR._alias, (), (tensor,))


def _legacy_array(args, d):
    if not args:
        return np.empty((0,), d.numpy)
    first = args[0]
    if len(args) == 1:
        if isinstance(first, Size):
            return np.empty(tuple(first), d.numpy)
        if isinstance(first, str):
            raise TypeError("new(): invalid data type 'str'")
        if isinstance(first, (list, tuple, np.ndarray, range)):
            return _truncated(first, d)
        if not isinstance(first, (int, np.integer)):
            raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
    return np.empty(sizes("new", args), d.numpy)


def _truncated(data, d):
    """Legacy constructors convert each number to their dtype without the checks of ``tensor``."""
    array = array_of(data, dtypes.float64 if d.is_floating_point and infer(data).is_floating_point else None)
    with np.errstate(all="ignore"):
        return array.astype(d.numpy)


set_legacy(legacy)


class _Typed(type):
    """Makes ``torch.FloatTensor`` callable and usable with isinstance."""

    def __call__(cls, *args, **kwargs):
        return legacy(cls, args, kwargs)

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor) and instance._dtype is cls._legacy_dtype

    def __repr__(cls):
        return f"<class 'torch.{cls.__name__}'>"


def _typed(d):
    return _Typed(f"{d.legacy}Tensor", (), {"_legacy_dtype": d, "dtype": d, "__module__": "torch", "__slots__": ()})


#: torch.FloatTensor and its kin, by name
TYPED = {
    f"{d.legacy}Tensor": _typed(d)
    for d in (
        *(
            dtypes.float32,
            dtypes.float64,
            dtypes.float16,
            dtypes.bfloat16,
            dtypes.uint8,
            dtypes.int8,
            dtypes.int16,
            dtypes.int32,
        ),
        *(dtypes.int64, dtypes.bool),
    )
}


def new(self, *args, **kwargs):
    """Legacy: ``torch.Tensor(...)`` with this tensor's dtype."""
    kwargs.pop("device", None)
    if len(args) == 1 and isinstance(args[0], Tensor):
        return _alias_of(args[0], self._dtype)
    return wrap(_legacy_array(args, self._dtype))


for _name in ("new_tensor", "new_zeros", "new_ones", "new_empty", "new_full", "new_empty_strided", "new"):
    setattr(Tensor, _name, asking(globals()[_name], (METHODS, _name)))

for _name in ("zeros_like", "ones_like", "empty_like", "full_like"):
    PLACES[""][_name] = globals()[_name] = asking(globals()[_name], ("", _name))
# these learn to ask with the other functions of the top module that are no operators (``asking``)
for _name in (
    *("tensor", "as_tensor", "from_numpy", "scalar_tensor", "zeros", "ones", "empty", "full", "eye", "empty_strided"),
    *("empty_permuted", "arange", "linspace", "logspace"),
):
    PLACES[""][_name] = globals()[_name]
PLACES[""].update(range=range_, complex=complex_)
for _name in ("zeros_like", "ones_like", "empty_like", "full_like", "empty", "zeros", "ones", "full", "eye", "arange"):
    setattr(TENSOR, _name, globals()[_name])


# the same for derivative rules on arrays


def _raw_like(fill):
    def make(input, dtype=None):
        return layout_like(fill, np.asarray(input), np.asarray(input).dtype if dtype is None else dtype.numpy)

    return make


def _raw_full_like(input, value, dtype=None):
    input = np.asarray(input)
    return np.full_like(input, value, dtype=input.dtype if dtype is None else dtype.numpy)


def _raw_new_zeros(input, size):
    return np.zeros(size, np.asarray(input).dtype)


def hang_raw(namespace):
    """Put the constructors that rules use on the raw namespace."""
    namespace.zeros_like = _raw_like(np.zeros)
    namespace.ones_like = _raw_like(np.ones)
    namespace.empty_like = _raw_like(np.empty)
    namespace.full_like = _raw_full_like
    namespace.new_zeros = _raw_new_zeros
    namespace.new_ones = lambda input, size: np.ones(size, np.asarray(input).dtype)
    namespace.new_full = lambda input, size, value: np.full(size, value, np.asarray(input).dtype)
    namespace.eye = lambda n, m=None, dtype=None: np.eye(n, m, dtype=as_dtype(dtype).numpy)
    namespace.arange = lambda *args, dtype=None: np.arange(*args, dtype=None if dtype is None else dtype.numpy)


TENSOR.new_zeros = Tensor.new_zeros
TENSOR.new_ones = Tensor.new_ones
TENSOR.new_full = Tensor.new_full

__all__ = ["TYPED", "thread"]
