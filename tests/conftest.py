"""Shared by all tests: every test starts from rushlight's default state and leaves no trace in the next."""

import sys

import pytest


def _reset():
    rushlight = sys.modules.get("rushlight")
    if rushlight is None:
        return
    if hasattr(rushlight, "set_default_dtype"):
        rushlight.set_default_dtype(rushlight.float32)
    if hasattr(rushlight, "set_grad_enabled"):
        rushlight.set_grad_enabled(True)
    if hasattr(rushlight, "set_printoptions"):
        rushlight.set_printoptions(profile="default", sci_mode=None)
    if hasattr(rushlight, "manual_seed"):
        rushlight.manual_seed(0)
    autograd = getattr(rushlight, "autograd", None)
    if hasattr(autograd, "set_detect_anomaly"):
        autograd.set_detect_anomaly(False)


@pytest.fixture(autouse=True)
def default_state():
    """Default dtype, gradient mode, print options, seed and anomaly mode, before and after each test."""
    _reset()
    yield
    _reset()
