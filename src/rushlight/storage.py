"""The memory behind tensors: ``untyped_storage()`` and its typed view, and PyTorch's old class for each dtype (``FloatStorage``)."""

import sys
import warnings

import numpy as np

from . import dtypes
from .tensor import Tensor, address, memory, wrap


class Borrowed:
    """Holds memory that belongs to somebody else, so that the array over it counts as the start of a storage."""

    def __init__(self, array):
        self._array = array
        self.__array_interface__ = array.__array_interface__


def borrow(array):
    """An array over the memory of ``array`` that has no ndarray as its base."""
    return np.asarray(Borrowed(array)).view(array.dtype) if array.dtype.kind != "V" else array


def root(array):
    """The array that owns (or borrows) the memory ``array`` is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _check_place(index, size):
    if not -size <= index < size:
        raise IndexError(f"index {index} out of range for storage of size {size}")


class UntypedStorage:
    """A block of bytes shared by all tensors that are views of it.

    ``UntypedStorage(n)`` makes ``n`` zero bytes, ``UntypedStorage([1, 2])`` bytes of these values.
    """

    __slots__ = ("__dict__", "__weakref__", "_root")

    def __init__(self, source=0, *, device=None):
        if isinstance(source, (int, np.integer)):
            self._root = np.zeros(source, np.uint8)
        elif isinstance(source, np.ndarray):
            self._root = root(source)
        else:
            self._root = np.array(list(source), np.uint8)

    def bytes(self):
        """The memory as an array of uint8 that shares it."""
        flat = self._root.reshape(-1) if self._root.flags.c_contiguous else self._root.ravel(order="K")
        return flat.view(np.uint8)

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The first ``nbytes`` bytes of a file, mapped into memory.

        With ``shared`` writes go to the file, which is made or lengthened at need; without, they stay in this process.
        """
        import mmap

        class Mapping(mmap.mmap):
            """Memory that knows the file it is written to."""

        with open(filename, "a+b" if shared else "rb") as file:
            length = file.seek(0, 2)
            if shared and length < nbytes:
                file.truncate(nbytes)
            elif length < nbytes:
                raise RuntimeError(
                    f"file <{filename}> size <{length}> is smaller than the required mapping size <{nbytes}>"
                )
            if not nbytes:
                return cls(0)
            mapped = Mapping(file.fileno(), nbytes, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
            mapped.filename = str(filename) if shared else None
            return cls(np.frombuffer(mapped, np.uint8))

    @property
    def filename(self):
        """The file that writes to this memory go to; None for memory of this process alone."""
        owner = self._root.base
        return getattr(getattr(owner, "obj", owner), "filename", None)

    def is_pinned(self, device="cuda"):
        """False: pinned memory is for copies to an accelerator."""
        return False

    def data_ptr(self):
        """The address of the first byte."""
        return address(self._root)

    def nbytes(self):
        return self._root.nbytes

    size = nbytes
    __len__ = nbytes

    def element_size(self):
        return 1

    def strided(self, dtype, offset, shape, stride=None):
        """An array over this memory; offset and stride in elements, none of them negative.

        RuntimeError with PyTorch's texts where they are, or where they reach beyond the memory.
        """
        item = dtype.itemsize
        if stride is None:
            stride, step = [], 1
            for n in reversed(shape):
                stride.insert(0, step)
                step *= max(n, 1)
        if len(stride) != len(shape):
            raise RuntimeError(
                f"mismatch in length of strides and shape: {len(stride)} strides for {len(shape)} dimensions"
            )
        if any(n < 0 for n in shape):
            raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
        if any(s < 0 for s in stride):
            raise RuntimeError(
                f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
            )
        if offset < 0:
            raise RuntimeError(f"Tensor: invalid storage offset {offset}")
        need = (offset + 1 + sum((n - 1) * s for n, s in zip(shape, stride))) * item if 0 not in shape else 0
        if need > self.nbytes():
            raise RuntimeError(
                f"setStorage: sizes {list(shape)}, strides {list(stride)}, storage offset {offset}, and itemsize {item} requiring "
                f"a storage size of {need} are out of bounds for storage of size {self.nbytes()}"
            )
        if 0 in shape:
            return np.empty(tuple(shape), dtype.numpy)
        return np.ndarray(tuple(shape), dtype.numpy, self.bytes(), offset * item, tuple(s * item for s in stride))

    def tolist(self):
        return self.bytes().tolist()

    def __getitem__(self, index):
        if not isinstance(index, slice):
            if not hasattr(index, "__index__"):
                raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
            _check_place(index, self.nbytes())
        part = self.bytes()[index]
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RuntimeError(f"Trying to slice with a step of {index.step}, but only a step of 1 is supported")
            return UntypedStorage(borrow(part))
        return part.tolist()

    def __array__(self, dtype=None, copy=None):
        found = self.bytes()
        return found.copy() if copy else found

    def __setitem__(self, index, value):
        self.bytes()[index] = value

    def __iter__(self):
        return iter(self.tolist())

    @property
    def device(self):
        from .devices import cpu

        return cpu

    @property
    def is_cuda(self):
        return False

    @property
    def _cdata(self):
        return id(self._root)

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and other._root is self._root

    def __hash__(self):
        return id(self._root)

    def clone(self):
        return UntypedStorage(self.bytes().copy())

    def cpu(self):
        """The storage itself: it is there already."""
        return self

    def untyped(self):
        return self

    def copy_(self, source, non_blocking=None):
        """Take over the bytes of another storage of the same size."""
        if source.nbytes() != self.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes"
            )
        self.bytes()[...] = source.untyped().bytes()
        return self

    def fill_(self, value):
        self.bytes()[...] = value
        return self

    def is_shared(self):
        """Whether other processes may see this memory; see ``torch.multiprocessing``."""
        from .multiprocessing.shared import is_shared

        return is_shared(self._root)

    def __repr__(self):
        body = "\n".join(f" {v}" for v in self.tolist())
        return f"{body}\n[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


class TypedStorage:
    """A storage seen as elements of one dtype.

    ``TypedStorage(3, dtype=torch.int64)`` has three elements, ``TypedStorage([1, 2], dtype=...)`` has these values, and
    ``TypedStorage(wrap_storage=untyped, dtype=...)`` is a view of memory that is there.
    """

    def __init__(self, *args, wrap_storage=None, dtype=None, device=None, _internal=False):
        self.dtype = dtype = dtypes.get_default_dtype() if dtype is None else dtype
        if wrap_storage is not None:
            if args:
                raise RuntimeError(
                    "TypedStorage.__init__: No positional arguments should be given when using 'wrap_storage'"
                )
            self._untyped = wrap_storage.untyped()
            return
        if len(args) > 1:
            raise RuntimeError("TypedStorage.__init__: Too many positional arguments: expected at most 1")
        source = args[0] if args else 0
        array = (
            np.zeros(source, dtype.numpy)
            if isinstance(source, (int, np.integer))
            else np.array(list(source), dtype.numpy)
        )
        self._untyped = UntypedStorage(array)

    def untyped(self):
        return self._untyped

    _untyped_storage = property(untyped)

    def data_ptr(self):
        return self._untyped.data_ptr()

    def __len__(self):
        return self._untyped.nbytes() // self.dtype.itemsize

    size = __len__

    def nbytes(self):
        return self._untyped.nbytes()

    def element_size(self):
        return self.dtype.itemsize

    @property
    def device(self):
        return self._untyped.device

    @property
    def is_cuda(self):
        return False

    @property
    def _cdata(self):
        return self._untyped._cdata

    def _array(self):
        count = len(self) * self.dtype.itemsize
        return self._untyped.bytes()[:count].view(self.dtype.numpy)

    def tolist(self):
        return wrap(self._array(), self.dtype).tolist()

    def __getitem__(self, index):
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not hasattr(index, "__index__"):
            raise RuntimeError(f"can't index a {TypedStorage} with {type(index)}")
        _check_place(index, len(self))
        return wrap(self._array(), self.dtype)[index].item()

    def is_pinned(self, device="cuda"):
        """False: pinned memory is for copies to an accelerator."""
        return False

    def __setitem__(self, index, value):
        self._array()[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def __eq__(self, other):
        return isinstance(other, TypedStorage) and other.dtype is self.dtype and other._untyped == self._untyped

    def __hash__(self):
        return hash(self._untyped)

    def clone(self):
        return TypedStorage(wrap_storage=self._untyped.clone(), dtype=self.dtype)

    def cpu(self):
        """The storage itself: it is there already."""
        return self

    def copy_(self, source, non_blocking=None):
        """Take over the values of another storage of as many elements, converted to this dtype."""
        self._array()[...] = source._array() if isinstance(source, TypedStorage) else source.bytes()
        return self

    def fill_(self, value):
        self._array()[...] = value
        return self

    def to(self, dtype):
        """The values in another dtype."""
        return TypedStorage(wrap_storage=UntypedStorage(self._array().astype(dtype.numpy)), dtype=dtype)

    def type(self, dtype=None):
        """The name of the old class of this dtype (``torch.FloatStorage``)."""
        if dtype is not None:
            return self.to(dtype if isinstance(dtype, dtypes.dtype) else dtype.dtype)
        return f"torch.{self.pickle_storage_type()}"

    def pickle_storage_type(self):
        """The name of the old class, by which files know the dtype; KeyError for those that came later."""
        return storage_class(self.dtype).__name__

    _pickle_storage_type = pickle_storage_type

    def is_shared(self):
        return self._untyped.is_shared()

    def __repr__(self):
        body = "\n".join(f" {v}" for v in self.tolist())
        return f"{body}\n[torch.storage.TypedStorage(dtype={self.dtype!r}, device=cpu) of size {len(self)}]"


def _converters(name, dtype):
    """``storage.float()`` and the others; bytes are converted one by one."""
    setattr(TypedStorage, name, lambda self: self.to(dtype))
    setattr(UntypedStorage, name, lambda self: TypedStorage(wrap_storage=self, dtype=dtypes.uint8).to(dtype))


for _name in ("float", "double", "half", "bfloat16", "long", "int", "short", "bool"):
    _converters(_name, dtypes.ALIASES.get(_name) or dtypes.BY_NAME[_name])
for _name, _dtype in dict(byte="uint8", char="int8", complex_float="complex64", complex_double="complex128").items():
    _converters(_name, dtypes.BY_NAME[_dtype])


class _LegacyMeta(type):
    """Classes that name a dtype: their "instances" are the typed storages of it."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype

    def __call__(cls, *args, wrap_storage=None):
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls.dtype)

    def from_buffer(cls, data, byte_order=None, count=-1, offset=0):
        """A storage of the ``count`` elements (all, if negative) in an object with the buffer protocol, from ``offset`` bytes on.

        ``byte_order`` is ``"little"``, ``"big"`` or ``"native"``; elements of one byte need none. ValueError where they do not fit.
        """
        item = cls.dtype.itemsize
        if byte_order is None and item > 1:
            raise RuntimeError("function missing required argument 'byte_order' (pos 2)")
        if byte_order not in (None, "big", "little", "native"):
            raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
        held = memoryview(data).cast("B")
        if count < 0 and (len(held) - offset) % item:
            raise ValueError(f"buffer size ({len(held)}) must be a multiple of element size ({item})")
        there = (len(held) - offset) // item
        if count > there:
            raise ValueError(f"buffer has only {there} elements after offset {offset}, but specified a size of {count}")
        found = np.frombuffer(held[offset:], np.uint8, item * (there if count < 0 else count)).view(cls.dtype.numpy)
        if byte_order not in (None, "native", sys.byteorder):
            found = found.byteswap()
        return TypedStorage(wrap_storage=UntypedStorage(found.copy()), dtype=cls.dtype)

    def from_file(cls, filename, shared=False, size=0):
        """The first ``size`` elements of a file; see ``UntypedStorage.from_file``."""
        mapped = UntypedStorage.from_file(filename, shared, size * cls.dtype.itemsize)
        return TypedStorage(wrap_storage=mapped, dtype=cls.dtype)


#: PyTorch's old storage classes by dtype; the unsigned types of more than eight bits never had any
_LEGACY = {
    each: _LegacyMeta(f"{each.legacy}Storage", (), {"dtype": each, "__module__": "torch", "__slots__": ()})
    for each in dtypes.ALL
    if each.name not in ("uint16", "uint32", "uint64")
}


def storage_class(dtype):
    """The old storage class of a dtype; KeyError where there is none."""
    return _LEGACY[dtype]


#: the old classes by name, which is how files name the dtype
STORAGES = {each.__name__: each for each in _LEGACY.values()}
globals().update(STORAGES)
UntypedStorage.__module__ = TypedStorage.__module__ = "torch.storage"


def _load_from_bytes(b):
    """The storage that PyTorch's plain pickles hold as a file in memory."""
    import io

    from .serialization import load

    return load(io.BytesIO(b), weights_only=False)


def require_storage(array):
    """NotImplementedError for the array of a tensor of a transform, which stands for others."""
    if hasattr(array, "held"):
        raise NotImplementedError("Cannot access storage of BatchedTensorImpl")


class HollowStorage(UntypedStorage):
    """The storage of a wrapper tensor (``autograd.shells``): it has a size, and no bytes to read or write."""

    __slots__ = ()

    def _refuse(self, *args, **kwargs):
        raise RuntimeError("Attempted to access the data pointer on an invalid python storage.")

    bytes = data_ptr = resize_ = copy_ = fill_ = _write_file = _refuse


def untyped_storage(self):
    """The memory of this tensor and of all its views."""
    require_storage(self._a)
    return (HollowStorage if hasattr(self._a, "twin") else UntypedStorage)(memory(self))


_told_of_removal = False


def storage(self):
    """The memory of this tensor as elements of its dtype. The first call in a process warns that PyTorch will remove it."""
    require_storage(self._a)
    global _told_of_removal
    if not _told_of_removal:
        _told_of_removal = True
        warnings.warn(
            "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. This should "
            "only matter to you if you are using storages directly.  To access UntypedStorage directly, use tensor.untyped_storage() "
            "instead of tensor.storage()",
            stacklevel=2,
        )
    return TypedStorage(wrap_storage=UntypedStorage(memory(self)), dtype=self._dtype)


def storage_offset(self):
    """Where the first element lies in the storage, in elements."""
    array = memory(self)
    return (address(array) - address(root(array))) // self._dtype.itemsize


def data_ptr(self):
    """The address of the first element; 0 where there is none, or the elements are not the tensor's own (``autograd.shells``)."""
    if hasattr(self._a, "held"):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")
    return address(memory(self)) if self._a.size and not hasattr(self._a, "twin") else 0


def stride(self, dim=None):
    """Steps between neighbours along each axis, in elements."""
    array = self._a
    # NumPy gives new arrays without elements no strides, and those made from them few
    blank = not array.size and 0 in array.strides
    if blank or array.flags.c_contiguous and 1 in array.shape and array.base is None:
        steps, step = [], 1
        for n in reversed(array.shape):
            steps.insert(0, step)
            step *= max(n, 1)
        steps = tuple(steps)
    else:
        item = array.itemsize
        steps = tuple(s // item for s in array.strides)
    if dim is None:
        return steps
    if not hasattr(dim, "__index__"):
        raise TypeError(f"stride(): argument 'dim' (position 1) must be int, not {type(dim).__name__}")
    if not steps:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -array.ndim <= dim < array.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-array.ndim}, {array.ndim - 1}], but got {dim})"
        )
    return steps[dim]


for _name in ("untyped_storage", "storage", "storage_offset", "data_ptr", "stride"):
    setattr(Tensor, _name, globals()[_name])

__all__ = [*STORAGES, "TypedStorage", "UntypedStorage", "borrow"]
