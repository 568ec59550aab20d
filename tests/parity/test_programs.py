"""Programs that print what custom Functions, gradient checks, loaders and the like do: they must print the same under both libraries."""

import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

PROGRAMS = pathlib.Path(__file__).parent / "programs"
SOURCE = pathlib.Path(__file__).parents[2] / "src"


def printed(*command):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["functions", "gradients", "loading", "passes", "precision"])
def test_programs_print_what_pytorch_prints(name):
    program = str(PROGRAMS / f"{name}.py")
    ours = printed(sys.executable, "-m", "rushlight", "run", program)
    theirs = printed(sys.executable, program)
    for mine, other in zip(ours, theirs):
        assert mine == other
    assert len(ours) == len(theirs)
