"""The memory behind tensors: ``untyped_storage()`` and its typed view."""

import numpy as np

from . import dtypes
from .tensor import Tensor, address, wrap


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


class UntypedStorage:
    """A block of bytes shared by all tensors that are views of it."""

    __slots__ = ("_root",)

    def __init__(self, source=0, *, device=None):
        self._root = np.zeros(source, np.uint8) if isinstance(source, int) else root(source)

    def bytes(self):
        """The memory as an array of uint8 that shares it."""
        flat = self._root.reshape(-1) if self._root.flags.c_contiguous else self._root.ravel(order="K")
        return flat.view(np.uint8)

    def data_ptr(self):
        """The address of the first byte."""
        return address(self._root)

    def nbytes(self):
        return self._root.nbytes

    size = nbytes
    __len__ = nbytes

    def strided(self, dtype, offset, shape, stride=None):
        """An array over this memory; offset and stride in elements."""
        item = dtype.itemsize
        if stride is None:
            stride, step = [], 1
            for n in reversed(shape):
                stride.insert(0, step)
                step *= max(n, 1)
        need = (offset + 1 + sum((n - 1) * s for n, s in zip(shape, stride))) * item if 0 not in shape else 0
        if need > self.nbytes():
            raise RuntimeError(
                f"setStorage: sizes {list(shape)}, strides {list(stride)}, storage offset {offset}, and itemsize {item} requiring "
                f"a storage size of {need} are out of bounds for storage of size {self.nbytes()}"
            )
        return np.ndarray(tuple(shape), dtype.numpy, self.bytes(), offset * item, tuple(s * item for s in stride))

    def tolist(self):
        return self.bytes().tolist()

    def __getitem__(self, index):
        return self.bytes()[index].tolist() if isinstance(index, int) else UntypedStorage(self.bytes()[index])

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

    def is_shared(self):
        return False

    def __repr__(self):
        return f"{' ' + str(self.tolist()) if self.nbytes() <= 64 else ''}[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


class TypedStorage:
    """A storage seen as elements of one dtype."""

    def __init__(self, *, wrap_storage, dtype, _internal=False):
        self._untyped = wrap_storage
        self.dtype = dtype

    def untyped(self):
        return self._untyped

    def data_ptr(self):
        return self._untyped.data_ptr()

    def __len__(self):
        return self._untyped.nbytes() // self.dtype.itemsize

    size = __len__

    def nbytes(self):
        return self._untyped.nbytes()

    def element_size(self):
        return self.dtype.itemsize

    def _array(self):
        return self._untyped.bytes().view(self.dtype.numpy)

    def tolist(self):
        return self._array().tolist()

    def __getitem__(self, index):
        return self._array()[index].item()

    def __setitem__(self, index, value):
        self._array()[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def __repr__(self):
        body = "\n".join(f" {v}" for v in self.tolist())
        return f"{body}\n[torch.storage.TypedStorage(dtype={self.dtype!r}, device=cpu) of size {len(self)}]"


def untyped_storage(self):
    """The memory of this tensor and of all its views."""
    return UntypedStorage(self._a)


def storage(self):
    return TypedStorage(wrap_storage=UntypedStorage(self._a), dtype=self._dtype)


def storage_offset(self):
    """Where the first element lies in the storage, in elements."""
    return (address(self._a) - address(root(self._a))) // self._dtype.itemsize


def data_ptr(self):
    """The address of the first element."""
    return address(self._a) if self._a.size else 0


def stride(self, dim=None):
    """Steps between neighbours along each axis, in elements."""
    array = self._a
    if array.size == 0 or array.flags.c_contiguous and 1 in array.shape and array.base is None:
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
    if not -max(array.ndim, 1) <= dim < max(array.ndim, 1):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-array.ndim}, {array.ndim - 1}], but got {dim})"
        )
    return steps[dim]


for _name in ("untyped_storage", "storage", "storage_offset", "data_ptr", "stride"):
    setattr(Tensor, _name, globals()[_name])

__all__ = ["TypedStorage", "UntypedStorage", "borrow", "dtypes", "wrap"]
