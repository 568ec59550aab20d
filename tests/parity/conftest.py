"""The tests in this directory compare with the real PyTorch; where it is not installed they are skipped, with a sentence."""

import importlib.util
import pathlib

import pytest

WHY = "PyTorch is not installed here: tests/parity compares with it (`make parity` installs it)"
HERE = pathlib.Path(__file__).parent
HAVE_TORCH = importlib.util.find_spec("torch") is not None

# Without PyTorch the test modules cannot even be imported, so one stand-in test is collected in their place.
collect_ignore_glob = [] if HAVE_TORCH else ["test_*.py"]


if HAVE_TORCH:
    import torch

    torch.set_num_threads(1)


def pytest_collect_directory(path, parent):
    if HAVE_TORCH or pathlib.Path(path) != HERE:
        return None
    return _Skipped.from_parent(parent, path=path)


class _Skipped(pytest.Directory):
    """Collects as one skipped test."""

    def collect(self):
        yield _SkippedItem.from_parent(self, name="comparison-with-pytorch")


class _SkippedItem(pytest.Item):
    def runtest(self):
        pytest.skip(WHY)

    def reportinfo(self):
        return self.path, None, self.name


@pytest.fixture(autouse=True)
def pytorch_default_state():
    """PyTorch's own defaults, which some of the compared calls change."""
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.manual_seed(0)
