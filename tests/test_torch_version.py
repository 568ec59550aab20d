"""The version compares as versions do, with strings and with tuples."""

import copy
import pickle

import pytest

import rushlight as torch
from rushlight.torch_version import TorchVersion

ORDERED = "1.0.dev1 1.0a1.dev2 1.0a1 1.0b2 1.0rc1 1.0 1.0+abc 1.0+5 1.0.post1.dev1 1.0.post1 1.1 1.10 2.0 1!0.1".split()


def test_order():
    for i, a in enumerate(ORDERED):
        for j, b in enumerate(ORDERED):
            assert (TorchVersion(a) < b) is (i < j) and (TorchVersion(a) >= b) is (i >= j)


@pytest.mark.parametrize(("a", "b"), [("1.0", "1"), ("1.0-1", "1.0.post1"), ("v1.0", "1.0"), ("1.0alpha1", "1.0a1")])
def test_spellings_of_one_version(a, b):
    assert TorchVersion(a) == b and TorchVersion(a) == TorchVersion(b)


def test_tuples_and_other_things():
    assert torch.__version__ > (1, 2) and torch.__version__ < (3,) and TorchVersion("1.2") == (1, 2)
    assert TorchVersion("1.2") != 3 and TorchVersion("parrot") > "a"
    with pytest.raises(TypeError):
        TorchVersion("1.2") > None  # noqa: B015


def test_is_a_string():
    version = torch.__version__
    assert isinstance(version, str) and version.split(".")[0] == "2" and {version: 1}[str(version)] == 1
    assert pickle.loads(pickle.dumps(version)) == version == copy.deepcopy(version)
