"""The demonstration of the README: a classifier trained by an unmodified PyTorch script."""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def train(*options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "rushlight", "run", str(ROOT / "examples" / "digits.py"), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_reads_95_of_100_held_out_digits_within_20_seconds():
    started = time.perf_counter()
    done = train()
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stderr
    assert "1437 digits to learn from, 360 held out" in done.stdout
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", done.stdout)]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.01
    assert float(re.search(r"held-out digits: (\d+\.\d)%", done.stdout).group(1)) >= 95
    assert seconds < 20


def test_the_seed_decides_everything():
    first, again, other = train("--epochs", "2"), train("--epochs", "2"), train("--epochs", "2", "--seed", "1")
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout != other.stdout
