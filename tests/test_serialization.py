"""Saving and loading; what a file may not do."""

import collections
import io
import os
import pickle
import zipfile

import pytest

import rushlight as torch
from rushlight import serialization


def file_of(obj, **options):
    file = io.BytesIO()
    torch.save(obj, file, **options)
    file.seek(0)
    return file


def archive_of(data, **records):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", data)
        archive.writestr("a/version", "3\n")
        for name, content in records.items():
            archive.writestr(f"a/data/{name[1:]}", content)
    file.seek(0)
    return file


def test_tensors_come_back_sharing_what_they_shared(tmp_path):
    base = torch.arange(6.0)
    torch.save({"whole": base, "turned": base.view(2, 3).t(), "n": 3}, tmp_path / "x.pt")
    got = torch.load(tmp_path / "x.pt")
    got["whole"][1] = 10
    assert got["turned"].tolist() == [[0, 3], [10, 4], [2, 5]] and got["n"] == 3


def test_parameters_and_ordered_dicts_keep_what_they_are():
    state = collections.OrderedDict(w=torch.nn.Parameter(torch.ones(2)))
    state._metadata = {"": {"version": 1}}
    got = torch.load(file_of(state))
    assert isinstance(got["w"], torch.nn.Parameter) and got._metadata == {"": {"version": 1}}


class Marked:
    def __reduce__(self):
        return os.mkdir, (os.environ["RUSHLIGHT_HOSTILE"],)


def hostile_pickles():
    def name(*parts):
        return b"c" + b"\n".join(p.encode() for p in parts) + b"\n"

    path = os.environ["RUSHLIGHT_HOSTILE"].encode()
    text = b"X" + len(path).to_bytes(4, "little") + path
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return {
        "reduce": pickle.dumps(Marked(), 2),
        "reduce, protocol 4": pickle.dumps(Marked(), 4),
        "old instance": b"(" + text + b"ios\nmkdir\n.",
        "object": b"(" + name("os", "mkdir") + text + b"o.",
        "builtin": name("builtins", "eval") + b"(X\x04\x00\x00\x001+11tR.",
        "getattr": name("builtins", "getattr") + b".",
        "import": name("builtins", "__import__") + b"(" + text + b"tR.",
        "through torch": name("torch.serialization", "os.mkdir") + b"(" + text + b"tR.",
        "torch's own import": name("torch.hub", "load") + b"(" + text + b"tR.",
        "pickle within pickle": name("pickle", "loads") + b"(C\x01.tR.",
        "numpy": name("numpy._core.multiarray", "_reconstruct") + b".",
        "extension": b"\x82\x01.",
        "attributes of a function": rebuild + b"}X\x01\x00\x00\x00aK\x01sb.",
        "slots of a function": rebuild + b"N}X\x0c\x00\x00\x00__defaults__K\x01s\x86b.",
        "attributes of a class": name("torch", "Size") + b"}X\x07\x00\x00\x00__new__K\x01sb.",
        "state of a list": b"]}X\x01\x00\x00\x00aK\x01sb.",
        "new object": name("builtins", "object") + b")\x81.",
        "call of a number": b"K\x01)R.",
        "call of a dtype": name("torch", "float32") + b")R.",
        "foreign codec": name("_codecs", "encode") + b"X\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
        "no storage": b"X\x01\x00\x00\x00aQ.",
    }


@pytest.fixture(autouse=True)
def hostile(tmp_path, monkeypatch):
    """The folder that a hostile file would make, had it its way."""
    monkeypatch.setenv("RUSHLIGHT_HOSTILE", str(tmp_path / "hacked"))
    yield tmp_path / "hacked"
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_no_code_of_a_file_runs(legacy):
    for kind, data in hostile_pickles().items():
        file = io.BytesIO(data) if legacy else archive_of(data)
        try:
            with pytest.warns(UserWarning) if b"\x80\x04" == data[:2] else _nothing():
                torch.load(file)
        except (pickle.UnpicklingError, RuntimeError) as error:
            assert legacy or "Weights only load failed" in str(error), kind
        else:
            raise AssertionError(f"{kind} was loaded")


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_hostile_saves_need_trust_to_load():
    with pytest.raises(pickle.UnpicklingError, match="whose module posix is blocked|whose module nt is blocked"):
        torch.load(file_of(Marked()))


class Point:
    def __init__(self, x):
        self.x = x


def test_classes_are_allowed_by_name_and_for_a_while():
    file = file_of(Point(3))
    with pytest.raises(pickle.UnpicklingError, match="add_safe_globals"):
        torch.load(file)
    file.seek(0)
    assert serialization.get_unsafe_globals_in_checkpoint(file) == [f"{__name__}.Point"]
    file.seek(0)
    with serialization.safe_globals([Point]):
        assert torch.load(file).x == 3
    file.seek(0)
    assert torch.load(file, weights_only=False).x == 3
    assert serialization.get_safe_globals() == []


def test_truncated_damaged_and_foreign_files_say_so():
    whole = file_of({"a": torch.arange(1000.0)}).getvalue()
    with pytest.raises(RuntimeError, match="failed finding central directory"):
        torch.load(io.BytesIO(whole[: len(whole) // 2]))
    at = whole.index(b"\x00\x00\x80?\x00\x00\x00@")
    with pytest.raises(RuntimeError, match="failed reading file data/0"):
        torch.load(io.BytesIO(whole[:at] + b"\x01" + whole[at + 1 :]))
    with pytest.raises(EOFError):
        torch.load(io.BytesIO(b""))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(io.BytesIO(b"hello, this is no checkpoint"))
    legacy = file_of([torch.arange(1000.0)], _use_new_zipfile_serialization=False).getvalue()
    with pytest.raises(RuntimeError, match="left|whole"):
        torch.load(io.BytesIO(legacy[:-100]))


def lying(count, size, offset=0, stride=1):
    reference = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ"
        + count.to_bytes(4, "little")
        + b"tQ"
    )
    place = b"J" + offset.to_bytes(4, "little", signed=True) + b"J" + size.to_bytes(4, "little") + b"\x85"
    place += b"J" + stride.to_bytes(4, "little", signed=True) + b"\x85"
    data = b"ctorch._utils\n_rebuild_tensor_v2\n(" + reference + place + b"\x89ccollections\nOrderedDict\n)RtR."
    return archive_of(data, d0=b"\x00" * 16)


def test_tensors_stay_within_their_storage():
    assert torch.load(lying(4, 4)).tolist() == [0, 0, 0, 0]
    for file in (lying(100, 100), lying(4, 5), lying(4, 4, offset=1), lying(4, 3, stride=2), lying(4, 2, offset=-1)):
        with pytest.raises((RuntimeError, ValueError)):
            torch.load(file)


def test_locations_are_mapped_to_the_only_device():
    file = file_of(torch.ones(2))
    for where in ("cpu", torch.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage):
        file.seek(0)
        assert torch.load(file, map_location=where).tolist() == [1, 1]
    file.seek(0)
    with pytest.raises(RuntimeError, match="torch.cuda.is_available\\(\\) is False"):
        torch.load(file, map_location="cuda")


def test_mapped_files_are_read_when_they_are_used(tmp_path):
    path = tmp_path / "big.pt"
    torch.save({"a": torch.arange(100_000.0)}, path)
    got = torch.load(path, mmap=True)["a"]
    assert got.sum().item() == torch.arange(100_000.0).sum().item()
    got[0] = 5
    assert torch.load(path)["a"][0] == 0
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        torch.load(io.BytesIO(path.read_bytes()), mmap=True)


def test_storages_lie_where_they_can_be_mapped():
    file = file_of([torch.ones(3), torch.ones(5, dtype=torch.int8), torch.ones(2)])
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if "/data/" in info.filename:
                header = info.header_offset
                data = file.getvalue()
                lengths = (
                    int.from_bytes(data[header + 26 : header + 28], "little"),
                    int.from_bytes(data[header + 28 : header + 30], "little"),
                )
                assert (header + 30 + sum(lengths)) % 64 == 0


def test_modules_come_back_whole_where_trusted():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    got = torch.load(file_of(model), weights_only=False)
    assert repr(got) == repr(model) and torch.equal(got[0].weight, model[0].weight)
    with pytest.raises(pickle.UnpicklingError, match="torch.nn.modules.container.Sequential"):
        torch.load(file_of(model))


@pytest.mark.parametrize("legacy", [False, True])
def test_changed_bytes_are_refused_or_harmless(legacy):
    import random

    state = torch.nn.Linear(3, 2).state_dict()
    given = {
        "m": state,
        "t": torch.arange(6).reshape(2, 3).t(),
        "p": torch.nn.Parameter(torch.ones(2)),
        "n": [1, "s", (2.5, None)],
    }
    whole = file_of(given, _use_new_zipfile_serialization=not legacy).getvalue()
    pickled = None if legacy else zipfile.ZipFile(io.BytesIO(whole)).read("archive/data.pkl")
    random.seed(0)
    for round_ in range(400):
        changed = bytearray(whole if legacy or round_ % 2 else pickled)
        for _ in range(random.choice((1, 1, 2, 5))):
            changed[random.randrange(len(changed))] = random.randrange(256)
        records = {f"d{i}": bytes(24) for i in range(4)}
        file = io.BytesIO(changed) if legacy or round_ % 2 else archive_of(bytes(changed), **records)
        try:
            repr(torch.load(file))
        except (pickle.UnpicklingError, RuntimeError, EOFError, AssertionError):
            continue


def test_structure_without_data():
    weight = torch.ones(2, 3)
    with serialization.skip_data():
        short = file_of({"a": weight, "row": weight[1]})
        with pytest.raises(RuntimeError, match="Cannot use skip_data=True with _use_new_zipfile_serialization=False"):
            torch.save(weight, io.BytesIO(), _use_new_zipfile_serialization=False)
    full = file_of({"a": weight, "row": weight[1]})
    assert len(short.getvalue()) == len(full.getvalue())
    loaded = torch.load(short)
    assert loaded["a"].tolist() == [[0, 0, 0]] * 2 and loaded["row"].shape == (3,)
    loaded["a"].fill_(2)
    assert loaded["row"].tolist() == [2, 2, 2]


@pytest.mark.parametrize("legacy", [False, True])
def test_what_is_saved_into_a_file_reaches_the_disk_at_once(tmp_path, legacy):
    with open(tmp_path / "a", "wb") as file:
        torch.save(torch.ones(5), file, _use_new_zipfile_serialization=not legacy)
        assert torch.load(tmp_path / "a").tolist() == [1] * 5


@pytest.mark.parametrize("legacy", [False, True])
def test_storages_are_read_into_their_place(legacy):
    class Counting(io.BytesIO):
        into = 0

        def readinto(self, buffer):
            self.into += len(buffer)
            return super().readinto(buffer)

    file = Counting(file_of(torch.ones(1000), _use_new_zipfile_serialization=not legacy).getvalue())
    assert torch.load(file).sum() == 1000 and file.into >= 4000
