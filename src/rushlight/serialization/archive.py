"""PyTorch's container: a zip file of records, none compressed, each starting at a multiple of 64 bytes.

``NAME/data.pkl`` is the pickle, ``NAME/data/KEY`` the bytes of a storage. Records are looked up in the file's own directory by name;
nothing is ever unpacked to disk, so a record's name cannot point anywhere.
"""

import mmap
import sys
import zipfile
import zlib

import numpy as np

__all__ = ["ALIGNMENT", "Archive", "fill_from", "map_file", "write_archive"]

ALIGNMENT = 64
_BROKEN = (
    "PytorchStreamReader failed {}. This is an internal miniz error. If you are seeing this error, there is a high likelihood that "
    "your checkpoint file is corrupted. This can happen if the checkpoint was not saved properly, was transferred incorrectly, or the "
    "file was modified after saving."
)
_BROKEN_TAIL = "reading zip archive: failed finding central directory"


def fill_from(file, array):
    """Read as many bytes of a file as an array of uint8 holds, with ``readinto`` where there is one; whether there were as many."""
    view, filled = memoryview(array), 0
    while filled < len(view):
        if hasattr(file, "readinto"):
            got = file.readinto(view[filled:])
        else:
            data = file.read(len(view) - filled)
            got = len(data)
            view[filled : filled + got] = data
        if not got:
            break
        filled += got
    return filled == len(view)


class _Sink:
    """A file that is only ever appended to, and knows how much it was given."""

    def __init__(self, file):
        self._file = file
        self._written = 0

    def write(self, data):
        self._file.write(data)
        self._written += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self):
        return self._written

    def seek(self, *place):
        raise OSError("written from start to end")

    def flush(self):
        flush = getattr(self._file, "flush", None)
        if flush is not None:
            flush()


def write_archive(file, name, pickled, storages, byteorder=True):
    """Write a checkpoint to a binary file.

    Args:
        file: an object with ``write``.
        name: the folder of the records.
        pickled: the bytes of the pickle.
        storages: key to array of uint8.
        byteorder: whether to write the record that says so.
    """
    sink = _Sink(file)
    checksum = namesum = 0
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as container:

        def record(path, data):
            nonlocal checksum, namesum
            info = zipfile.ZipInfo(f"{name}/{path}")
            info.file_size = size = memoryview(data).nbytes
            info.CRC = info.compress_size = 0
            wide = size * 1.05 > zipfile.ZIP64_LIMIT
            start = sink.tell() + len(info.FileHeader(wide)) + 4
            padding = -start % ALIGNMENT
            info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
            container.writestr(info, data)
            namesum = zlib.crc32(path.encode(), namesum)
            checksum = zlib.crc32(info.CRC.to_bytes(4, "little"), checksum)

        record("data.pkl", pickled)
        record(".format_version", b"1")
        record(".storage_alignment", str(ALIGNMENT).encode())
        if byteorder:
            record("byteorder", sys.byteorder.encode())
        for key, data in storages.items():
            record(f"data/{key}", data)
        record("version", b"3\n")
        record(".data/serialization_id", f"{namesum:020d}{checksum:020d}".encode())
    sink.flush()


class Archive:
    """The records of a checkpoint that is open for reading.

    RuntimeError with PyTorch's texts where the file is cut off or a record is not there.
    """

    def __init__(self, file):
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
            raise RuntimeError(_BROKEN.format(_BROKEN_TAIL)) from error
        names = self._zip.namelist()
        self._folder = names[0].partition("/")[0] if names else ""

    def __contains__(self, name):
        return f"{self._folder}/{name}" in self._zip.NameToInfo

    def _info(self, name):
        try:
            return self._zip.NameToInfo[f"{self._folder}/{name}"]
        except KeyError:
            raise RuntimeError(_BROKEN.format(f"locating file {name}: file not found")) from None

    def read(self, name):
        """The bytes of a record."""
        return self.array(name).tobytes()

    def size(self, name):
        return self._info(name).file_size

    def offset(self, name):
        """Where the bytes of a record begin in the file; RuntimeError if they do not lie there as they are."""
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise RuntimeError(f"record {name} is compressed or encrypted, so it cannot be mapped into memory")
        header = b""
        if info.header_offset >= 0:
            self._file.seek(info.header_offset)
            header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise RuntimeError(_BROKEN.format(f"reading file {name}: invalid header"))
        return (
            info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        )

    def array(self, name):
        """The bytes of a record as an array of uint8 of its own."""
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED:
            # somebody packed the file again
            try:
                return np.frombuffer(bytearray(self._zip.read(info)), np.uint8)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, NotImplementedError) as error:
                raise RuntimeError(_BROKEN.format(f"reading file {name}: {error}")) from error
        self._file.seek(self.offset(name))
        data = self._take(info, name)
        if zlib.crc32(data) != info.CRC:
            raise RuntimeError(_BROKEN.format(f"reading file {name}: CRC-32 check failed"))
        return data

    def _take(self, info, name):
        """As many bytes as the record is said to have; memory is only asked for as the file gives them."""
        if info.file_size == info.compress_size <= self._length():
            data = np.empty(info.file_size, np.uint8)
            if fill_from(self._file, data):
                return data
        raise RuntimeError(_BROKEN.format(f"reading file {name}: the file ends before the record does"))

    def _length(self):
        place = self._file.tell()
        length = self._file.seek(0, 2)
        length = self._file.tell() if length is None else length
        self._file.seek(place)
        return length


def map_file(path, shared):
    """The bytes of a file as an array over its mapping; writes stay in this process unless ``shared``."""
    with open(path, "r+b" if shared else "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    return mapped
