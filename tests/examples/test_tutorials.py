"""The tutorial programs print exactly what PyTorch 2.13.0 printed for them (the ``.out`` beside each; addresses masked)."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "examples" / "tutorials").glob("*.py"))


def masked(text):
    return re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)


def output_of(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_seventeen_are_there():
    assert len(PROGRAMS) == 17


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_prints_what_pytorch_prints(program):
    printed = output_of(sys.executable, "-m", "rushlight", "run", str(program))
    assert masked(printed) == program.with_suffix(".out").read_text()
