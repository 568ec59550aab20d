"""Reading checkpoints: storages by key, and the unpickler that knows PyTorch's names."""

import io
import sys

import numpy as np

from .. import dtypes
from ..storage import TypedStorage, UntypedStorage
from .names import find

__all__ = ["Reader", "load_archive", "unpickler_class"]


def unpickler_class(pickle_module):
    """The unpickler of ``pickle_module`` with PyTorch's names found in rushlight. It runs what the file says: for trusted files only."""

    class Unpickler(pickle_module.Unpickler):
        def find_class(self, module, name):
            if module == "torch" or module.startswith("torch."):
                return find(module, name)
            return super().find_class(module, name)

    return Unpickler


class Reader:
    """The storages of a checkpoint, each made once. ``raw`` has the arrays by key."""

    def __init__(self, restore):
        self._restore = restore
        self._made = {}
        self.raw = {}

    @staticmethod
    def text(value):
        """Files of Python 2 have bytes where others have text."""
        return value.decode("ascii") if isinstance(value, bytes) else value

    @staticmethod
    def parts(saved, count):
        """The ``count`` parts of what stands for a storage, without the word; RuntimeError where they are others."""
        parts = saved[1:]
        if len(parts) != count or not all(isinstance(part, (str, bytes)) for part in parts[1:3]):
            raise RuntimeError(f"the file describes a storage by {saved!r}: it is corrupt")
        return parts

    @staticmethod
    def dtype_and_size(storage_type, count):
        """(dtype, bytes) of a storage of ``count`` elements of an old storage class; RuntimeError for what is none."""
        dtype = dtypes.uint8 if storage_type is UntypedStorage else getattr(storage_type, "dtype", None)
        if not isinstance(dtype, dtypes.dtype) or type(count) is not int or count < 0:
            raise RuntimeError(f"the file describes a storage of {count!r} elements of {storage_type!r}: it is corrupt")
        return dtype, count * dtype.itemsize

    def storage(self, key, dtype, location, read):
        """The storage ``key``; ``read()`` gives its bytes, an array of uint8, when it is asked for first."""
        if key not in self._made:
            raw = self.raw[key] = read()
            self._made[key] = self._restore(UntypedStorage(raw), self.text(location)).untyped()
        return TypedStorage(wrap_storage=self._made[key], dtype=dtype)


def _swapped(data, dtype):
    """The bytes of elements that were written on a machine of the other byte order."""
    item = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    return np.ascontiguousarray(data.reshape(-1, item)[:, ::-1]).reshape(-1)


def load_archive(archive, unpickler, restore, mapped=None, order="little"):
    """The object of a checkpoint.

    Args:
        archive: the open ``Archive``.
        unpickler: function (binary file, persistent_load) that reads one pickle.
        restore: function (storage, location) that brings a storage to its place.
        mapped: the mapping of the whole file, if storages shall lie in it.
        order: the byte order of files that do not say theirs.
    """
    reader = Reader(restore)
    if "byteorder" in archive:
        order = archive.read("byteorder").decode("ascii", "replace")
    if order not in ("little", "big"):
        raise ValueError(f"Unknown endianness type: {order}")

    def persistent_load(saved):
        if not isinstance(saved, tuple):
            raise AssertionError(f"saved_id must be a tuple, got {type(saved).__name__}")
        kind = reader.text(saved[0])
        if kind != "storage":
            raise AssertionError(f"Unknown typename for persistent_load, expected 'storage' but got '{kind}'")
        storage_type, key, location, count = reader.parts(saved, 4)
        dtype, nbytes = reader.dtype_and_size(storage_type, count)

        def read():
            name = f"data/{reader.text(key)}"
            if archive.size(name) != nbytes:
                raise RuntimeError(
                    f"record size ({archive.size(name)} bytes) does not match expected size ({nbytes} bytes = {count} elements * "
                    f"{dtype.itemsize} bytes/element) for dtype {dtype.legacy}"
                )
            if mapped is not None and nbytes:
                return np.frombuffer(mapped, np.uint8, nbytes, archive.offset(name))
            data = archive.array(name)
            return data if order == sys.byteorder else _swapped(data, dtype)

        return reader.storage(key, dtype, location, read)

    return unpickler(io.BytesIO(archive.read("data.pkl")), persistent_load)
