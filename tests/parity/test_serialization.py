"""Files written by PyTorch are read here, and the other way round."""

import io
import warnings

import numpy as np
import pytest

theirs = pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

import rushlight as ours  # noqa: E402

DTYPES = (
    *(
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "complex64",
        "complex128",
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
    ),
    *("uint8", "uint16", "uint32", "uint64"),
)
WAYS = pytest.mark.parametrize("saves, loads", [(theirs, ours), (ours, theirs)], ids=["read", "written"])
FORMATS = pytest.mark.parametrize("archive", [True, False], ids=["archive", "legacy"])


def passed(obj, saves, loads, archive=True, **options):
    file = io.BytesIO()
    saves.save(obj, file, _use_new_zipfile_serialization=archive)
    file.seek(0)
    return loads.load(file, **options)


def array(tensor):
    tensor = tensor.detach()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def same(a, b):
    if isinstance(a, dict):
        assert type(a).__name__ == type(b).__name__ and list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert type(a).__name__ == type(b).__name__ and len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif hasattr(a, "requires_grad"):
        assert str(a.dtype) == str(b.dtype) and a.stride() == b.stride() and a.requires_grad == b.requires_grad
        assert type(a).__name__ == type(b).__name__
        np.testing.assert_array_equal(array(a), array(b))
    else:
        assert str(a) == str(b)


@WAYS
@FORMATS
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype, saves, loads, archive):
    if not archive and dtype in ("uint16", "uint32", "uint64"):
        pytest.skip("PyTorch's older format has no storage class for it")
    tensor = saves.tensor([[0, 1, 0], [3, 1, 0]]).to(getattr(saves, dtype))
    same(tensor, passed(tensor, saves, loads, archive))


@WAYS
@FORMATS
def test_plain_data_and_what_is_shared(saves, loads, archive):
    base = saves.arange(12.0)
    given = {
        "whole": base,
        "part": base[2:5],
        "turned": base.view(3, 4).t(),
        "row": base.view(3, 4)[1:2],
        "number": saves.tensor(2.5, requires_grad=True),
        "empty": saves.zeros(0, 3),
        "expanded": saves.ones(1, 3).expand(4, 3),
        "parameter": saves.nn.Parameter(saves.ones(2, 2)),
        "size": base.shape,
        "dtype": saves.bfloat16,
        "device": saves.device("cpu"),
        "plain": [1, 2.5, "text", None, True, b"bytes", 2**70, {1, 2}, (1, (2,)), 1j],
    }
    got = passed(given, saves, loads, archive)
    same(given, got)
    got["whole"][2] = 50
    assert got["part"][0] == 50 and got["turned"][2, 0] == 50


def network(torch):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 36, 5),
        torch.nn.Dropout(0.2),
    )


@WAYS
@FORMATS
def test_states_of_modules_and_optimisers(saves, loads, archive):
    model = network(saves)
    optimiser = saves.optim.Adam(model.parameters(), lr=0.01)
    model(saves.ones(2, 1, 8, 8)).sum().backward()
    optimiser.step()
    given = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3}
    got = passed(given, saves, loads, archive)
    same(given, got)
    assert got["model"]._metadata == model.state_dict()._metadata
    other = network(loads)
    other.load_state_dict(got["model"])
    again = loads.optim.Adam(other.parameters())
    again.load_state_dict(got["optimiser"])
    assert again.param_groups[0]["lr"] == 0.01


@WAYS
@pytest.mark.parametrize(
    "make",
    [
        network,
        lambda torch: torch.nn.LSTM(3, 4, 2, batch_first=True),
        lambda torch: torch.nn.MultiheadAttention(8, 2),
        lambda torch: torch.nn.TransformerEncoderLayer(8, 2, 16),
        lambda torch: torch.nn.ModuleDict({"a": torch.nn.Embedding(3, 2), "b": torch.nn.ModuleList([torch.nn.GELU()])}),
        lambda torch: torch.nn.Sequential(torch.nn.LayerNorm(3), torch.nn.CrossEntropyLoss()),
    ],
)
def test_whole_modules(make, saves, loads):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(saves).eval()
        got = passed(model, saves, loads, weights_only=False)
    assert repr(got) == repr(model) and not got.training
    same(model.state_dict(), got.state_dict())
    assert type(got).__module__ == type(model).__module__
    assert {k for k in vars(model) if not k.startswith("__")} == {k for k in vars(got) if not k.startswith("__")}


@WAYS
def test_files_mapped_into_memory(saves, loads, tmp_path):
    path = tmp_path / "weights.pt"
    given = {"a": saves.arange(1000.0), "b": saves.ones(3, 5, dtype=saves.int64)}
    saves.save(given, path)
    got = loads.load(path, mmap=True)
    same(given, got)
    got["a"][0] = 7  # a private copy of the page
    same(given, loads.load(path))


def test_files_have_the_records_pytorch_writes():
    import zipfile

    for torch in (theirs, ours):
        file = io.BytesIO()
        torch.save({"a": torch.ones(3)}, file)
        names = zipfile.ZipFile(file).namelist()
        assert names == [
            "archive/data.pkl",
            "archive/.format_version",
            "archive/.storage_alignment",
            "archive/byteorder",
            "archive/data/0",
            "archive/version",
            "archive/.data/serialization_id",
        ]


SAFETENSORS = """
import sys, torch
from safetensors.torch import load_file, load_model, save_file, save_model
from safetensors import safe_open

torch.manual_seed(0)
path = sys.argv[1]
given = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.bfloat16), "c": torch.tensor([True, False]),
         "d": torch.zeros(2, dtype=torch.int64), "e": torch.zeros(0), "h": torch.ones(2, dtype=torch.float16)}
save_file(given, path, metadata={"format": "pt"})
print(sorted((name, str(tensor)) for name, tensor in load_file(path).items()))
with safe_open(path, framework="pt", device="cpu") as file:
    print(file.metadata(), file.get_tensor("a"), file.get_slice("a")[0:1])
model = torch.nn.Linear(2, 2)
save_model(model, path)
print(load_model(torch.nn.Linear(2, 2), path), model.weight)
for wrong in ({"a": given["a"], "b": given["a"]}, {"a": given["a"].t()}):
    try:
        save_file(wrong, path)
    except (RuntimeError, ValueError) as error:
        print(type(error).__name__, str(error).split("[")[0])
"""


def test_safetensors_through_the_name_torch(tmp_path):
    import os
    import subprocess
    import sys

    pytest.importorskip("safetensors", reason="needs the package safetensors")
    script = tmp_path / "script.py"
    script.write_text(SAFETENSORS)
    said = []
    for command in ([], ["-m", "rushlight", "run"]):
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(ours.__file__)))
        arguments = [sys.executable, *command, str(script), str(tmp_path / "x.safetensors")]
        done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]


def test_hooks_dtypes_and_odd_objects_go_both_ways():
    for saves, loads in ((theirs, ours), (ours, theirs)):
        packed = saves.nn.utils.rnn.pack_sequence([saves.ones(3, 2), saves.ones(2, 2)])
        got = passed(packed, saves, loads, weights_only=False)
        assert type(got).__name__ == "PackedSequence" and got.batch_sizes.tolist() == [2, 2, 1]
        model = saves.nn.Linear(2, 1)
        optimiser = saves.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        schedule = saves.optim.lr_scheduler.StepLR(optimiser, 2)
        got = passed({"o": optimiser, "s": schedule.state_dict()}, saves, loads, weights_only=False)
        assert got["o"].param_groups[0]["lr"] == 0.1 and isinstance(got["o"], loads.optim.SGD)
        tagged = saves.ones(2)
        tagged.note = "hello"
        assert passed(tagged, saves, loads).note == "hello"
        assert passed(saves.ones(2).untyped_storage(), saves, loads).tolist() == [0, 0, 128, 63] * 2
        assert passed([saves.strided, saves.int8], saves, loads) == [loads.strided, loads.int8]
        generator = saves.Generator().manual_seed(3)
        saves.rand(2, generator=generator)
        got = passed(generator, saves, loads, weights_only=False)
        assert loads.rand(3, generator=got).tolist() == saves.rand(3, generator=generator).tolist()
        assert got.initial_seed() == 3


@pytest.mark.parametrize("where", [None, "cpu", {"cuda:0": "cpu"}, "cuda", "bogus", {"cuda:0": "bogus"}])
@pytest.mark.parametrize("saved", ["cpu", "cuda:0", "xpu", "hpu", "foo"])
def test_locations_are_restored_or_refused_alike(saved, where):
    import zipfile

    file = io.BytesIO()
    theirs.save(theirs.ones(2), file)
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            place = b"X" + len(saved).to_bytes(4, "little") + saved.encode()
            target.writestr(name, data.replace(b"X\x03\x00\x00\x00cpu", place) if name.endswith(".pkl") else data)
    said = []
    for torch in (theirs, ours):
        changed.seek(0)
        try:
            said.append(torch.load(changed, map_location=where).tolist())
        except RuntimeError as error:
            said.append(str(error))
    assert said[0] == said[1]


def test_every_module_of_pytorchs_database_goes_both_ways():
    from torch.testing._internal.common_modules import module_db

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for info in module_db:
            if not hasattr(ours.nn, info.module_cls.__name__):
                continue
            options = dict(device="cpu", dtype=theirs.float32, requires_grad=False, training=True)
            for given in info.module_inputs_func(info, **options)[:2]:
                model = info.module_cls(*given.constructor_input.args, **given.constructor_input.kwargs)
                got = passed(model, theirs, ours, weights_only=False)
                back = passed(got, ours, theirs, weights_only=False)
                assert repr(got) == repr(back) == repr(model)
                assert vars(back).keys() == vars(model).keys()
                for name, value in model.state_dict().items():
                    if "Uninitialized" not in type(value).__name__:
                        same(value, back.state_dict()[name])
