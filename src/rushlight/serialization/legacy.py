"""PyTorch's older format: pickles one after the other, and then the bytes of the storages.

The pickles are a magic number, a protocol version, a note on the machine, the object, and the list of storage keys; each storage is
its number of elements as a little-endian int64 and the elements. ``torch.save(_use_new_zipfile_serialization=False)`` writes it, and
plain pickles of PyTorch's storages hold it.
"""

import pickle
import struct

import numpy as np

from .. import dtypes
from ..storage import TypedStorage, UntypedStorage, storage_class
from .archive import fill_from
from .locations import location_tag
from .pickling import pickler
from .reading import Reader

__all__ = ["load_legacy", "save_legacy"]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


def save_legacy(obj, file, pickle_module, protocol):
    """Write ``obj`` in the older format."""
    storages, seen = {}, {}

    def identify(storage):
        if isinstance(storage, TypedStorage):
            dtype, untyped = storage.dtype, storage._untyped
            kind = storage_class(dtype)
        else:
            dtype, untyped, kind = dtypes.uint8, storage, UntypedStorage
        if untyped.nbytes() and seen.setdefault(untyped.data_ptr(), dtype) is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        key = str(untyped._cdata)
        storages[key] = untyped, dtype
        return "storage", kind, key, location_tag(untyped), len(untyped) // dtype.itemsize, None

    note = {
        "protocol_version": PROTOCOL_VERSION,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for head in (MAGIC_NUMBER, PROTOCOL_VERSION, note):
        pickle.dump(head, file, protocol=protocol)
    pickler(pickle_module, file, protocol, identify).dump(obj)
    keys = sorted(storages)
    pickle.dump(keys, file, protocol=protocol)
    for key in keys:
        untyped, dtype = storages[key]
        count = untyped.nbytes() // dtype.itemsize
        file.write(struct.pack("<q", count))
        file.write(memoryview(untyped.bytes()[: count * dtype.itemsize]))


def load_legacy(file, unpickler, restore):
    """The object of a file in the older format.

    ``unpickler(file, persistent_load)`` reads one pickle; ``restore(storage, location)`` brings a storage to its place. RuntimeError or
    UnpicklingError where the file is another kind of file, or is cut off.
    """
    reader = Reader(restore)
    sizes = {}

    def persistent_load(saved):
        if not isinstance(saved, tuple):
            raise AssertionError(f"saved_id must be a tuple, got {type(saved).__name__}")
        kind = reader.text(saved[0])
        if kind == "module":
            return saved[1]
        if kind != "storage":
            raise RuntimeError(f"Unknown saved id type: {saved[0]}")
        storage_type, key, location, count, view = reader.parts(saved, 5)
        dtype, nbytes = reader.dtype_and_size(storage_type, count)
        sizes.setdefault(key, (dtype, nbytes))
        storage = reader.storage(key, dtype, location, lambda: np.zeros(_held(file, nbytes), np.uint8))
        if view is None:
            return storage
        if type(view) is not tuple or [type(each) for each in view[1:]] != [int, int]:
            raise RuntimeError(f"the file describes a part of a storage by {view!r}: it is corrupt")
        _, offset, size = view
        part = storage._untyped[offset * dtype.itemsize : (offset + size) * dtype.itemsize]
        return TypedStorage(wrap_storage=part, dtype=dtype)

    def read():
        return unpickler(file, persistent_load)

    if read() != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = read()
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    read()
    result = read()
    for key in read():
        if key not in sizes:
            raise AssertionError(f"storage key {key!r} not found in deserialized_objects")
        dtype, nbytes = sizes[key]
        head = file.read(8)
        count = struct.unpack("<q", head)[0] if len(head) == 8 else -1
        if count < 0 or count * dtype.itemsize != nbytes or not fill_from(file, reader.raw[key]):
            raise RuntimeError(
                f"the storage {key} should have {nbytes // dtype.itemsize} elements, but the file ends or says otherwise: it is corrupt"
            )
    return result


def _held(file, nbytes):
    """``nbytes``, if the rest of the file can hold as many: what a file claims is not worth allocating memory for."""
    place = file.tell()
    left = file.seek(0, 2) - place
    file.seek(place)
    if nbytes > left:
        raise RuntimeError(f"the file is cut off: a storage should have {nbytes} bytes, and {left} are left")
    return nbytes
