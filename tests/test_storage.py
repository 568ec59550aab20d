"""Storages: read from buffers and files, indexed, converted, and referred to."""

import struct
import weakref

import pytest

import rushlight as torch


def test_from_buffer():
    data = struct.pack("<2f", 1.5, -2.0)
    assert torch.FloatStorage.from_buffer(data, "little").tolist() == [1.5, -2.0]
    assert torch.FloatStorage.from_buffer(struct.pack(">f", 3.0), "big").tolist() == [3.0]
    assert torch.ByteStorage.from_buffer(b"abc", offset=1, count=1).tolist() == [98]
    with pytest.raises(RuntimeError, match="missing required argument 'byte_order'"):
        torch.FloatStorage.from_buffer(data)
    with pytest.raises(ValueError, match="invalid byte_order 'middle'"):
        torch.FloatStorage.from_buffer(data, "middle")
    with pytest.raises(ValueError, match="must be a multiple of element size"):
        torch.FloatStorage.from_buffer(data, "little", offset=1)
    with pytest.raises(ValueError, match="buffer has only 3 elements after offset 0"):
        torch.ByteStorage.from_buffer(b"abc", count=4)


def test_files(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(struct.pack("<4i", 1, 2, 3, 4))
    alone = torch.from_file(str(path), size=4, dtype=torch.int32)
    alone[0] = 9
    shared = torch.from_file(str(path), shared=True, size=4, dtype=torch.int32)
    assert shared.tolist() == [1, 2, 3, 4]
    shared[1] = 7
    assert struct.unpack("<4i", path.read_bytes()) == (1, 7, 3, 4)
    assert shared.untyped_storage().filename == str(path) and alone.untyped_storage().filename is None
    assert torch.IntStorage.from_file(str(path), size=2).tolist() == [1, 7]
    with pytest.raises(RuntimeError, match="size <16> is smaller than the required mapping size <32>"):
        torch.from_file(str(path), size=4, dtype=torch.int64)


def test_indices():
    typed, untyped = torch.FloatStorage([1, 2, 3]), torch.UntypedStorage([1, 2])
    assert typed[-1] == 3.0 and untyped[0:1].tolist() == [1]
    for storage in (typed, untyped):
        with pytest.raises(IndexError, match="index 5 out of range for storage of size"):
            storage[5]
    with pytest.raises(RuntimeError, match="slices are only supported in UntypedStorage"):
        typed[0:2]


def test_conversions():
    assert torch.UntypedStorage([1, 2]).float().tolist() == [1.0, 2.0]
    assert torch.FloatStorage([1, 2]).complex_double().dtype is torch.complex128


def test_untyped_storages_take_attributes_and_weak_references():
    storage = torch.UntypedStorage(2)
    storage.note = "mine"
    assert weakref.ref(storage)() is storage and storage.note == "mine"


def test_tensors_of_storages():
    untyped = torch.UntypedStorage(struct.pack("<2h", 5, -6))
    assert torch.tensor(untyped, dtype=torch.int16).tolist() == [5, -6]
    assert torch.tensor(torch.FloatStorage([1, 2])).dtype is torch.float32
    with pytest.raises(RuntimeError, match="Expected a Storage of type Int or an UntypedStorage, but got Float"):
        torch.tensor(torch.FloatStorage([1, 2]), dtype=torch.int32)
