"""The examples on the real PyTorch: the recorded outputs are its own, and the classifier learns the same."""

import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "examples" / "tutorials").glob("*.py"))


def output_of(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_release_compared_with_is_the_one_rebuilt():
    assert importlib.metadata.version("torch").startswith("2.13.0")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_the_recorded_output_is_pytorchs(program):
    assert re.sub(r"0x[0-9a-f]+", "0xADDRESS", output_of(program)) == program.with_suffix(".out").read_text()


def test_the_classifier_learns_the_same():
    script = ROOT / "examples" / "digits.py"
    theirs = output_of(script, "--epochs", 10)
    ours = output_of("-m", "rushlight", "run", script, "--epochs", 10)
    assert ours == theirs
