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
