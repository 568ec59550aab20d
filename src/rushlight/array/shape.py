"""Views: the same memory under another shape, order or stride.

Every function here returns a NumPy view of ``input`` (``reshape``, ``flatten``, ``ravel`` and ``contiguous`` copy only
where PyTorch does), so writes show through; none costs more than a few hundred nanoseconds whatever the size.
"""

import math
import operator

import numpy as np

from .. import dtypes
from .arguments import legacy_name, shape_text, wrap_dim, wrap_dims

__all__ = [
    "H",
    "T",
    "adjoint",
    "as_strided",
    "broadcast_to",
    "chunk",
    "clone",
    "contiguous",
    "diagonal",
    "dsplit",
    "expand",
    "flatten",
    "flattened",
    "hsplit",
    "mH",
    "mT",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "reshape",
    "resized",
    "select",
    "slice",
    "split",
    "split_bounds",
    "split_with_sizes",
    "squeeze",
    "strided_view",
    "swapaxes",
    "t",
    "tensor_split",
    "transpose",
    "unbind",
    "unflatten",
    "unfold",
    "unsqueeze",
    "view",
    "view_as_complex",
    "view_as_real",
    "view_dtype",
    "vsplit",
]

_ALL = np.s_[:]
_NOT_VIEWABLE = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
    "contiguous subspaces). Use .reshape(...) instead."
)


# --------------------------------------------------------------------------------------------------------- shapes


def infer_size(shape, numel):
    """``shape`` as a tuple with its one ``-1`` worked out for ``numel`` elements, or PyTorch's error."""
    shape = tuple([operator.index(n) for n in shape])
    if -1 in shape:
        at = shape.index(-1)
        known = 1
        for i, n in enumerate(shape):
            if n == -1:
                if i != at:
                    raise RuntimeError("only one dimension can be inferred")
            elif n < 0:
                raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {shape_text(shape)}")
            else:
                known *= n
        if known == 0 and numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {shape_text(shape)} because the unspecified "
                "dimension size -1 can be any value and is ambiguous"
            )
        if known == 0 or numel % known:
            raise RuntimeError(f"shape '{shape_text(shape)}' is invalid for input of size {numel}")
        return (*shape[:at], numel // known, *shape[at + 1 :])
    for i, n in enumerate(shape):
        if n < 0:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {shape_text(shape)}")
    if math.prod(shape) != numel:
        raise RuntimeError(f"shape '{shape_text(shape)}' is invalid for input of size {numel}")
    return shape


def view(input, size):
    """The same memory as ``size`` (one entry may be -1), or as another dtype where ``size`` is a dtype.

    RuntimeError where the strides do not allow it without a copy.
    """
    if isinstance(size, dtypes.dtype):
        return view_dtype(input, size)
    if not size or min(size) >= -1:  # NumPy takes any negative size for one to be inferred
        try:
            return input.reshape(size, copy=False)
        except (ValueError, TypeError):
            pass
    size = infer_size(size, input.size)
    try:
        return input.reshape(size, copy=False)
    except ValueError:
        raise RuntimeError(_NOT_VIEWABLE) from None


def reshape(input, shape):
    """``input`` as ``shape`` (one entry may be -1): a view where the strides allow it, else a copy."""
    if not shape or min(shape) >= -1:  # NumPy takes any negative size for one to be inferred
        try:
            return input.reshape(shape)
        except (ValueError, TypeError):
            pass
    return input.reshape(infer_size(shape, input.size))


def view_dtype(input, dtype):
    """The same bytes read as ``dtype``; the last dimension shrinks or grows with the element size."""
    target = dtype.numpy
    old, new = input.dtype.itemsize, target.itemsize
    if old == new:
        return input.view(target)
    names = f"to view {legacy_name(input)} as {dtype.legacy} (different element sizes)"
    if input.ndim == 0:
        raise RuntimeError(f"self.dim() cannot be 0 {names}")
    last = input.strides[-1] // old
    if last != 1 and input.shape[-1] != 1 and input.size:  # NumPy gives empty arrays strides of 0
        raise RuntimeError(f"self.stride(-1) must be 1 {names}, but got {last}")
    if new > old:
        ratio = new // old
        if input.shape[-1] % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {names}, but got {input.shape[-1]}")
        if _offset(input) % ratio:
            raise RuntimeError(f"self.storage_offset() must be divisible by {ratio} {names}, but got {_offset(input)}")
        for i, stride in enumerate(input.strides[:-1]):
            if stride // old % ratio and input.shape[i] != 1:
                raise RuntimeError(f"self.stride({i}) must be divisible by {ratio} {names}, but got {stride // old}")
    return input.view(target)


def expand(input, size, *, implicit=False):
    """``input`` with size-1 dimensions repeated to ``size`` at stride 0; -1 keeps a dimension, new ones go in front."""
    shape = input.shape
    size = tuple(size)
    if size == shape:
        return input[...]
    lead = len(size) - len(shape)
    if lead < 0:
        kind = f"torch.{legacy_name(input)}Tensor"
        raise RuntimeError(
            f"expand({kind}{{{shape_text(shape)}}}, size={shape_text(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    out = list(size)
    for i in range(lead):
        if size[i] < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({size[i]}) isn't allowed in a leading, non-existing dimension {i}"
            )
    for i, have in enumerate(shape, lead):
        want = size[i]
        if want == -1:
            out[i] = have
        elif want != have and (have != 1 or want < 0):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) at non-singleton "
                f"dimension {i}.  Target sizes: {shape_text(size)}.  Tensor sizes: {shape_text(shape)}"
            )
    if not out:
        return input[...]
    if 1 in out:
        # NumPy gives dimensions of size 1 a stride of 0
        return strided_view(input, out, _expanded_strides(input, out))
    # what np.broadcast_to does, but writable: an iterator over the wanted shape has the view
    access = _WRITABLE if input.flags.writeable else _READ_ONLY
    return np.nditer((input,), _ITERATE, access, None, "C", "no", None, out).itviews[0]


def _expanded_strides(input, size):
    """The strides of ``expand``: 0 for what is repeated, and for new dimensions of size 1 what they would have in C order."""
    strides = []
    for i in range(len(size) - 1, -1, -1):
        at = i - len(size) + input.ndim
        have, stride = (
            (input.shape[at], input.strides[at])
            if at >= 0
            else (1, size[i + 1] * strides[-1] if strides else input.itemsize)
        )
        strides.append(stride if size[i] == have else 0)
    return strides[::-1]


_ITERATE = ["multi_index", "refs_ok", "zerosize_ok", "reduce_ok"]
_WRITABLE, _READ_ONLY = [["readwrite"]], [["readonly"]]


def strided_view(input, shape, strides, byte_offset=0):
    """A view of ``input`` with the given shape and strides in bytes, unchecked; its bases lead to ``input``'s memory."""
    owner = input
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if not owner.flags.c_contiguous:
        order = sorted(range(owner.ndim), key=owner.strides.__getitem__, reverse=True)
        owner = owner.transpose(order)
        if not owner.flags.c_contiguous:
            out = np.lib.stride_tricks.as_strided(input, shape, strides, writeable=input.flags.writeable)
            if byte_offset:
                raise NotImplementedError("a strided view with an offset of memory that itself has gaps")
            return out
    offset = byte_offset + address(input) - address(owner)
    if 0 in shape:
        # PyTorch lets what has no elements begin anywhere
        offset = min(offset, owner.nbytes)
    out = np.ndarray(shape, input.dtype, owner, offset, strides)
    if not input.flags.writeable:
        out.flags.writeable = False
    return out


def resized(array, shape):
    """An array of another shape in C order: over the same memory where that is large enough, else new with what there was."""
    count = math.prod(shape)
    if count <= array.size and array.flags.c_contiguous:
        return array.reshape(-1)[:count].reshape(shape)
    flat = np.empty(count, array.dtype)
    kept = array.reshape(-1)[:count]
    flat[: kept.size] = kept
    return flat.reshape(shape)


def address(array):
    """The address of the first element, in bytes."""
    return array.__array_interface__["data"][0]


def broadcast_to(input, size):
    """``expand`` under NumPy's name."""
    return expand(input, size)


# ---------------------------------------------------------------------------------------------- order of dimensions


def permute(input, dims):
    """Dimension ``dims[i]`` of ``input`` becomes dimension ``i``."""
    ndim = input.ndim
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    wrapped = [wrap_dim(dim, ndim) for dim in dims]
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return input.transpose(wrapped)


def transpose(input, dim0, dim1):
    """Two dimensions exchanged."""
    ndim = input.ndim
    dim0 = wrap_dim(dim0, ndim)
    dim1 = wrap_dim(dim1, ndim)
    return input.swapaxes(dim0, dim1) if ndim else input[...]


def swapaxes(input, axis0, axis1):
    """``transpose`` under NumPy's name."""
    return transpose(input, axis0, axis1)


def t(input):
    """The transpose of a matrix; arrays of fewer dimensions unchanged."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.transpose()


def T(input):  # noqa: N802 - PyTorch's name
    """All dimensions reversed."""
    return input.transpose()


def _matrix(input, name):
    if input.ndim == 1:
        raise RuntimeError(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got {input.ndim}-D tensor."
        )
    return input.swapaxes(-1, -2) if input.ndim else input[...]


def mT(input):  # noqa: N802
    """The last two dimensions exchanged."""
    return _matrix(input, "mT")


def mH(input):  # noqa: N802
    """The conjugate transpose of the last two dimensions (a view for real input)."""
    return _conj(_matrix(input, "mH"))


def adjoint(input):
    """``mH`` as a function."""
    return _conj(_matrix(input, "adjoint()"))


def H(input):  # noqa: N802
    """The conjugate transpose of a matrix."""
    if input.ndim not in (0, 2):
        more = ". For batches of matrices, consider using tensor.mH" if input.ndim > 2 else "."
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {input.ndim}-D tensor{more}")
    return _conj(input.transpose())


def _conj(array):
    return np.conjugate(array) if array.dtype.kind == "c" else array


def movedim(input, source, destination):
    """Dimensions moved from ``source`` to ``destination``; the others keep their order."""
    source, destination = _as_tuple(source), _as_tuple(destination)
    ndim = input.ndim
    if len(source) != len(destination):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({shape_text(source)} dims) should contain the same number of dims as destination "
            f"({shape_text(destination)} dims)"
        )
    wrapped_source = [wrap_dim(dim, ndim) for dim in source]
    wrapped_destination = [wrap_dim(dim, ndim) for dim in destination]
    if len(set(wrapped_source)) != len(wrapped_source):
        raise RuntimeError(f"movedim: repeated dim in `source` ({shape_text(source)})")
    if len(set(wrapped_destination)) != len(wrapped_destination):
        raise RuntimeError(f"movedim: repeated dim in `destination` ({shape_text(destination)})")
    if ndim == 0:
        return input[...]
    order = [dim for dim in range(ndim) if dim not in wrapped_source]
    for to, dim in sorted(zip(wrapped_destination, wrapped_source, strict=True)):
        order.insert(to, dim)
    return input.transpose(order)


def _as_tuple(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


# ------------------------------------------------------------------------------------------- size-1 dimensions, flat


def squeeze(input, dim=None):
    """Size-1 dimensions dropped: all of them, or those of ``dim`` (an int or a tuple) that have size 1."""
    if dim is None:
        return input.squeeze()
    shape = input.shape
    if not shape:
        wrap_dims(dim, 0)
        return input[...]
    return input.squeeze(tuple([d for d in wrap_dims(dim, len(shape)) if shape[d] == 1]))


def unsqueeze(input, dim):
    """A dimension of size 1 put in at ``dim``."""
    shape = input.shape
    dim = wrap_dim(dim, len(shape) + 1)
    size = (*shape[:dim], 1, *shape[dim:])
    if input.flags.c_contiguous:
        return input.reshape(size)
    strides = input.strides
    new = shape[dim] * strides[dim] if dim < len(shape) else input.itemsize
    return strided_view(input, size, (*strides[:dim], new, *strides[dim:]))


def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions ``start_dim`` to ``end_dim`` as one; a 0-d array becomes 1-d."""
    shape = flattened(input.shape, start_dim, end_dim)
    return input if shape == input.shape else input.reshape(shape)


def flattened(shape, start_dim, end_dim):
    """The shape of ``flatten``."""
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return (1,)
    return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


def ravel(input):
    """All dimensions as one: a view of a contiguous array, else a copy."""
    return np.ascontiguousarray(input).reshape(-1)


def unflatten(input, dim, sizes):
    """Dimension ``dim`` split into ``sizes`` (one entry may be -1)."""
    shape = input.shape
    dim = wrap_dim(dim, len(shape))
    sizes = tuple(sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not shape:
        raise RuntimeError("unflatten got an unexpected error:\nDimension specified as 0 but tensor has no dimensions")
    if sizes.count(-1) > 1:
        raise RuntimeError("unflatten got an unexpected error:\nonly one dimension can be inferred")
    try:
        inner = infer_size(sizes, shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {shape_text(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        ) from None
    return input.reshape((*shape[:dim], *inner, *shape[dim + 1 :]))


# --------------------------------------------------------------------------------------------------------- parts


def select(input, dim, index):
    """The slice of ``input`` at ``index`` along ``dim``, which is dropped."""
    shape = input.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    index = operator.index(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {shape_text(shape)} at dimension {dim}"
        )
    return input[(*(_ALL,) * dim, index, ...)]


def narrow(input, dim, start, length):
    """``length`` elements of dimension ``dim`` from ``start`` on (negative counts from the end)."""
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    start = int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = wrap_dim(dim, len(shape))
    n = shape[dim]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    if start < 0:
        start += n
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return input[(*(_ALL,) * dim, np.s_[start : start + length])]


def slice(input, dim=0, start=None, end=None, step=1):
    """Elements ``start:end:step`` of dimension ``dim`` (``step`` positive)."""
    if not input.ndim:
        raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return input[(*(_ALL,) * wrap_dim(dim, input.ndim), np.s_[start:end:step])]


def unbind(input, dim=0):
    """A tuple of the slices along ``dim``."""
    if wrap_dim(dim, max(input.ndim, 1)) == 0 and not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    head = (_ALL,) * wrap_dim(dim, input.ndim)
    return tuple([input[(*head, i, ...)] for i in range(input.shape[len(head)])])


def _sections(input, dim, bounds):
    head = (_ALL,) * dim
    return tuple([input[(*head, np.s_[start:end])] for start, end in bounds])


def split(tensor, split_size_or_sections, dim=0):
    """Parts of ``split_size`` (the last may be smaller) along ``dim``, or parts of the listed sizes."""
    if not isinstance(split_size_or_sections, (int, np.integer)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size = operator.index(split_size_or_sections)
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    dim = wrap_dim(dim, tensor.ndim)
    n = tensor.shape[dim]
    if size == 0:
        if n:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
        return (tensor[...],)
    return _sections(tensor, dim, [(i, min(i + size, n)) for i in range(0, max(n, 1), size)])


def split_with_sizes(input, split_sizes, dim=0):
    """Parts of the listed sizes along ``dim``; they must add up to its size."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, input.ndim)
    sizes = [operator.index(n) for n in split_sizes]
    n = input.shape[dim]
    if any(size < 0 for size in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
        )
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={sizes}"
        )
    bounds, start = [], 0
    for size in sizes:
        bounds.append((start, start + size))
        start += size
    return _sections(input, dim, bounds)


def chunk(input, chunks, dim=0):
    """At most ``chunks`` parts of equal size along ``dim``, the last one smaller where it does not divide."""
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim]
    size = -(-n // chunks)
    if size == 0:
        return _sections(input, dim, [(0, 0)] * chunks)
    return _sections(input, dim, [(i, min(i + size, n)) for i in range(0, n, size)])


def tensor_split(input, indices_or_sections, dim=0):
    """``indices_or_sections`` nearly equal parts along ``dim``, or the parts between the listed indices."""
    bounds = split_bounds(input.shape, indices_or_sections, dim)
    return _sections(input, wrap_dim(dim, input.ndim), bounds)


def split_bounds(shape, given, dim):
    """Where the parts of ``tensor_split`` begin and end."""
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    n = shape[wrap_dim(dim, len(shape))]
    if isinstance(given, np.ndarray):
        if given.dtype != np.int64:
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {legacy_name(given)}"
            )
        if given.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {given.ndim} dims"
            )
        given = given.tolist()
    if isinstance(given, (tuple, list)):
        return list(zip((0, *given), (*given, n)))
    if given <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {given}")
    least, more = divmod(n, given)
    bounds, start = [], 0
    for i in range(given):
        end = start + least + (i < more)
        bounds.append((start, end))
        start = end
    return bounds


def _named_split(input, given, dim, name, needed):
    if input.ndim < needed:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {needed} dimension, but got a tensor with "
            f"{input.ndim} dimensions!"
        )
    if isinstance(given, (int, np.integer)):
        n = input.shape[dim]
        if given == 0 or n % given:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {n} is not "
                f"divisible by the split_size {given}!"
            )
    return tensor_split(input, given, dim)


def hsplit(input, indices_or_sections):
    """``tensor_split`` along the columns (the only dimension of a vector)."""
    return _named_split(input, indices_or_sections, 0 if input.ndim == 1 else 1, "hsplit", 1)


def vsplit(input, indices_or_sections):
    """``tensor_split`` along the rows."""
    return _named_split(input, indices_or_sections, 0, "vsplit", 2)


def dsplit(input, indices_or_sections):
    """``tensor_split`` along the third dimension."""
    return _named_split(input, indices_or_sections, 2, "dsplit", 3)


def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal ``offset`` places right of the main one in the planes of ``dim1`` and ``dim2``, put last."""
    ndim = input.ndim
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    out = input.diagonal(offset, first, second)
    if input.flags.writeable:
        out.flags.writeable = True  # NumPy protects its diagonals, PyTorch does not
    return out


def unfold(input, dimension, size, step):
    """All windows of ``size`` elements, ``step`` apart, along ``dimension``; a window's elements go last."""
    shape = input.shape
    dim = wrap_dim(dimension, len(shape))
    n = shape[dim] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not shape:
        return strided_view(input, (size,), (input.itemsize,))
    windows = (n - size) // step + 1
    stride = input.strides[dim]
    out_strides = (*input.strides[:dim], stride * step, *input.strides[dim + 1 :], stride)
    return strided_view(input, (*shape[:dim], windows, *shape[dim + 1 :], size), out_strides)


# ------------------------------------------------------------------------------------------------- raw memory, copies


def _root(array):
    while isinstance(array.base, np.ndarray) and array.base.dtype == array.dtype:
        array = array.base
    return array


def _offset(array):
    """Elements between the start of an array's memory and its first element."""
    root = _root(array)
    return (address(array) - address(root)) // array.itemsize


def memory_of(array):
    """Where an array lies in its memory: its shape, its steps, its first place, and how many places there are, in elements."""
    steps = tuple(step // array.itemsize for step in array.strides)
    return array.shape, steps, _offset(array), _root(array).size


def as_strided(input, size, stride, storage_offset=None):
    """Any layout over ``input``'s memory; ``stride`` and ``storage_offset`` count elements.

    ``storage_offset`` counts from the start of the memory that ``input`` is a view of; without it, from ``input``'s own
    first element. RuntimeError where the layout would reach outside.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {shape_text(stride)}"
        )
    own = _offset(input)
    offset = own if storage_offset is None else storage_offset
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    item, root = input.itemsize, _root(input)
    if math.prod(size):
        needed = (offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1) * item
        if needed > root.nbytes:
            raise RuntimeError(
                f"setStorage: sizes {shape_text(size)}, strides {shape_text(stride)}, storage offset {offset}, and "
                f"itemsize {item} requiring a storage size of {needed} are out of bounds for storage of size "
                f"{root.nbytes}"
            )
    return strided_view(input, size, tuple([s * item for s in stride]), (offset - own) * item)


def view_as_real(input):
    """A complex array as a real one with a last dimension of 2 (real part, imaginary part)."""
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    input = np.asarray(input)  # a product of 0-d cotangents is a NumPy number
    part = np.dtype(f"f{input.itemsize // 2}")
    return strided_view(input.real, (*input.shape, 2), (*input.strides, part.itemsize))


def view_as_complex(input):
    """A real array whose last dimension has size 2 as a complex one."""
    if input.dtype not in (np.float32, np.float64):
        if input.dtype == np.float16:
            raise NotImplementedError("rushlight has no complex32, which view_as_complex of a float16 tensor needs.")
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            + legacy_name(input)
        )
    if not input.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if not input.size:
        # no bytes at the start of the input's memory, of which NumPy makes no view by itself
        kind = np.complex64 if input.itemsize == 4 else np.complex128
        return np.ndarray(input.shape[:-1], kind, _root(input))
    if input.strides[-1] != input.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    for stride in input.strides[:-1]:
        if stride % (2 * input.itemsize):
            raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if _offset(input) % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return input.view(np.complex64 if input.itemsize == 4 else np.complex128)[..., 0]


def contiguous(input):
    """``input`` itself where its rows lie one after the other, else a copy that does."""
    return np.ascontiguousarray(input) if input.ndim else input


def clone(input):
    """A copy; a dense array keeps its strides, any other is laid out row by row (``torch.preserve_format``)."""
    return input.copy("K") if _dense(input) else input.copy()


def _dense(array):
    """Whether an array fills its memory without gaps or overlaps, in some order of its dimensions."""
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return True
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n == 1:
            continue
        if stride != expected:
            return False
        expected *= n
    return True
