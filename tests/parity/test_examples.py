"""The examples on the real PyTorch: the recorded outputs are its own, and every program learns the same."""

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


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?|-?inf|nan")

# Sizes that keep a program's run to a second or two; --log-every 1 shows the loss of every step.
SHORT_RUNS = {
    "digits_mlp": ["--steps", 30, "--log-every", 1],
    "digits_cnn": ["--steps", 20, "--channels", 8, "--log-every", 1],
    "char_gpt": ["--steps", 20, "--batch-size", 4, "--block-size", 32, "--characters", 20, "--log-every", 1],
    "lstm_series": ["--steps", 2, "--max-iter", 10, "--waves", 10, "--length", 30],
    "vae": ["--steps", 30, "--log-every", 1],
    "gan": ["--steps", 30, "--log-every", 1],
    "reinforce": ["--steps", 20, "--log-every", 1],
    "pinn": ["--steps", 30, "--points", 100, "--log-every", 1],
    "gaussian_process": ["--steps", 30, "--log-every", 1],
    "graph_network": ["--steps", 30, "--log-every", 1],
}


def assert_same_but_for_rounding(ours, theirs):
    """The same text, line by line, and each number in it within 1e-4 of itself or one in its last printed digit."""
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    for our_line, their_line in zip(ours.splitlines(), theirs.splitlines()):
        for our, their in zip(NUMBER.findall(our_line), NUMBER.findall(their_line)):
            last_digit = 10.0 ** -len(their.partition(".")[2])
            allowed = {"rel": 1e-4, "abs": 1.01 * last_digit if "." in their else 0}
            assert float(our) == pytest.approx(float(their), nan_ok=True, **allowed), f"{our_line} | {their_line}"


def test_every_program_is_compared():
    programs = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"digits"}
    assert programs == set(SHORT_RUNS)


@pytest.mark.parametrize("program", SHORT_RUNS)
def test_the_losses_agree(program):
    script = ROOT / "examples" / f"{program}.py"
    theirs = output_of(script, *SHORT_RUNS[program])
    ours = output_of("-m", "rushlight", "run", script, *SHORT_RUNS[program])
    assert len(re.findall(r"loss", theirs)) >= 20
    assert_same_but_for_rounding(ours, theirs)


@pytest.mark.parametrize("writer, reader", [("torch", "rushlight"), ("rushlight", "torch")])
def test_one_goes_on_from_the_others_checkpoint(writer, reader, tmp_path):
    script = ROOT / "examples" / "digits_mlp.py"
    start = {"torch": [script], "rushlight": ["-m", "rushlight", "run", script]}
    file = tmp_path / "digits.pt"
    output_of(*start[writer], "--steps", 20, "--save", file)
    resumed = [output_of(*start[who], "--steps", 30, "--log-every", 1, "--resume", file) for who in (reader, writer)]
    assert_same_but_for_rounding(*resumed)
