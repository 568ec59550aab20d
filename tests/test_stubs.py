"""What type checkers see of Tensor."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

RIGHT = """
import rushlight as torch

def f(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    c = 1 / (a + b) @ -a
    c += a.sum(axis=1, keepdims=True).softmax(dim=0).view(2, -1).permute(1, 0)
    c[0] = 1
    if (a > b).all():
        print(len(a), a.shape[0] + a.dim(), [row.item() for row in a], a.max(dim=1)[0])
    return c.exp().add_(1, alpha=2)

f(torch.zeros(2), torch.randn(3, 3)).backward()
"""


def test_stub_is_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/stubs.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def checked(program, path):
    """What mypy says of a program."""
    api = pytest.importorskip("mypy.api")
    path.write_text(program)
    return api.run(
        [*("--follow-imports=silent", "--no-incremental", "--cache-dir", str(path.parent / "cache"), str(path))]
    )


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setenv("MYPYPATH", str(ROOT / "src"))


def test_right_program_passes(found, tmp_path):
    said, _, status = checked(RIGHT, tmp_path / "right.py")
    assert status == 0, said


def test_wrong_attribute_is_reported(found, tmp_path):
    said, _, status = checked("import rushlight as torch\n\ntorch.Tensor(2).summ()\n", tmp_path / "wrong.py")
    assert status == 1
    assert '"Tensor" has no attribute "summ"' in said
