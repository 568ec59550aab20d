"""The example programs learn, come back from their checkpoints, and follow their seeds. PyTorch is not needed."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

import rushlight as torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(program, *options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "rushlight", "run", str(ROOT / "examples" / f"{program}.py"), *map(str, options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(text):
    return [float(loss) for loss in re.findall(r"^step .*? loss (\d+\.\d+)", text, flags=re.MULTILINE)]


@pytest.mark.parametrize(
    "program, options, factor",
    [
        ("digits_mlp", ["--steps", 150, "--log-every", 10], 0.25),
        ("digits_cnn", ["--steps", 40, "--log-every", 4], 0.5),
        ("char_gpt", ["--steps", 30, "--block-size", 32, "--characters", 0, "--log-every", 3], 0.8),
        ("lstm_series", ["--steps", 2, "--waves", 10, "--length", 30], 0.2),
        ("vae", ["--steps", 60, "--log-every", 6], 0.75),
        ("pinn", ["--steps", 60, "--points", 100, "--log-every", 6], 0.5),
        ("gaussian_process", ["--steps", 60, "--log-every", 6], 0.7),
        ("graph_network", ["--steps", 60, "--log-every", 6], 0.6),
    ],
)
def test_the_loss_falls(program, options, factor):
    seen = losses(run(program, *options))
    assert len(seen) >= 10
    assert seen[-1] < factor * seen[0]


def test_the_seed_decides_everything():
    first, again, other = (run("gan", "--steps", 5, "--log-every", 1, "--seed", seed) for seed in (1, 1, 2))
    assert first == again != other


def test_training_goes_on_from_a_checkpoint(tmp_path):
    file = tmp_path / "digits.pt"
    run("digits_mlp", "--steps", 100, "--save", file)
    saved = torch.load(file)
    assert saved["step"] == 100 and saved["optimizer"]["state"][0]["step"] == 100
    text = run("digits_mlp", "--steps", 110, "--log-every", 1, "--resume", file)
    assert re.findall(r"step +(\d+)", text) == [str(step) for step in range(101, 111)]
    assert losses(text)[0] < 0.8  # a new model's is 2.3


def test_a_saved_gpt_writes_again(tmp_path):
    file = tmp_path / "gpt.pt"
    run("char_gpt", "--steps", 2, "--block-size", 16, "--characters", 0, "--save", file)
    text = run("char_gpt", "--steps", 0, "--block-size", 16, "--characters", 40, "--resume", file)
    assert len(text.split("validation loss")[1]) > 40


@pytest.mark.parametrize("program", ["gan", "gaussian_process", "graph_network", "lstm_series", "pinn"])
def test_weights_are_saved(program, tmp_path):
    file = tmp_path / "weights.pt"
    run(program, "--steps", 1, "--save", file)
    assert len(torch.load(file)) > 0


def test_the_pole_is_balanced_longer():
    text = run("reinforce", "--steps", 60, "--log-every", 20)
    rewards = [float(reward) for reward in re.findall(r"running (\d+\.\d+)", text)]
    assert len(rewards) == 3
    assert rewards[-1] > 2 * rewards[0]
