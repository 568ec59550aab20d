"""What rushlight shows under the name torch is what PyTorch has there."""

import importlib
import pathlib

import pytest

torch = pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

import rushlight  # noqa: E402
from rushlight import alias  # noqa: E402


def test_every_public_module_is_one_of_pytorchs():
    package = pathlib.Path(rushlight.__file__).parent
    modules = {entry.stem for entry in package.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()}
    shown = {name for name in modules - {"__init__"} if alias._public(f"torch.{name}")}
    for name in sorted(shown):
        assert importlib.import_module(f"torch.{name}") is not getattr(rushlight, name, None)
