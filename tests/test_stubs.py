"""What type checkers see of the package, whose names are made when it runs."""

import pathlib
import shutil
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


WRONG = """
import rushlight as torch

torch.Tensor(2).summ()
torch.expp(torch.ones(2))
torch.nn.functional.rellu(torch.ones(2))
torch.nn.Lineer(2, 2)
torch.linalg.svd()
"""

KINDS = """
import rushlight as torch

reveal_type(torch.exp(torch.zeros(2)))
reveal_type(torch.nn.functional.relu(torch.zeros(2)))
reveal_type(torch.nn.Linear(2, 2))
reveal_type(torch.float32)
reveal_type(torch.utils.data.TensorDataset(torch.ones(2)))
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A function of programs that gives what mypy says of them, and its exit status."""
    api = pytest.importorskip("mypy.api")
    home = tmp_path_factory.mktemp("typed")
    shutil.copytree(ROOT / "src/rushlight", home / "rushlight", ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    subprocess.run([sys.executable, str(ROOT / "tools/stubs.py"), str(home / "rushlight")], check=True)

    def check(program):
        (home / "program.py").write_text(program)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MYPYPATH", str(home))
            options = ("--config-file=", "--follow-imports=silent", "--cache-dir", str(home / "cache"))
            said, _, status = api.run([*options, str(home / "program.py")])
        return said, status

    return check


def test_right_programs_pass(checked):
    said, status = checked(RIGHT)
    assert status == 0, said


def test_wrong_names_and_arguments_are_reported(checked):
    said, status = checked(WRONG)
    assert status == 1
    for each in ('"Tensor" has no attribute "summ"', "expp", "rellu", "Lineer", 'Missing positional argument "A"'):
        assert each in said


def test_results_have_their_types(checked):
    said, _ = checked(KINDS)
    kinds = [line.partition("Revealed type is ")[2].strip('"') for line in said.splitlines() if "Revealed" in line]
    assert kinds == [
        *("rushlight.tensor.Tensor", "rushlight.tensor.Tensor", "rushlight.nn.modules.linear.Linear"),
        *("rushlight.dtypes.dtype", "rushlight.utils.data.dataset.TensorDataset"),
    ]
