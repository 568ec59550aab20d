"""Checkpoints that run again: once for each pass, in the same precision, and with a report where they do something else."""

import pytest

import rushlight as torch
from rushlight.utils.checkpoint import CheckpointError, checkpoint, set_checkpoint_debug_enabled


def fickle():
    """A function that does something else each second time."""
    calls = []

    def function(x):
        calls.append(None)
        return x.sin().exp() if len(calls) % 2 else x.sin() * torch.tensor([1.0, 2.0])

    return function


def test_debug_shows_the_operators_of_both_runs_and_who_called_them():
    x = torch.ones(1, requires_grad=True)
    with pytest.raises(CheckpointError) as caught:
        checkpoint(fickle(), x, use_reentrant=False, debug=True).sum().backward()
    text = str(caught.value)
    assert "You are seeing this error because you passed `debug=True` to checkpoint" in text
    assert text.index("torch.exp(torch.float32[1])") < text.index("torch.mul(torch.float32[1], torch.float32[2])")
    assert __file__ in text and "different metadata" in str(caught.value.__cause__)
    with set_checkpoint_debug_enabled(False), pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(fickle(), x, use_reentrant=False, debug=True).sum().backward()
    with pytest.raises(ValueError, match="debug=True is incompatible with non-default context_fn"):
        checkpoint(fickle(), x, use_reentrant=False, debug=True, context_fn=lambda: None)


@pytest.mark.parametrize("reentrant", [True, False])
def test_mixed_precision_is_as_it_was(reentrant):
    seen = []

    def product(x):
        seen.append((x @ x).dtype)
        return x @ x

    x = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = checkpoint(product, x, use_reentrant=reentrant).sum()
    y.backward()
    assert seen == [torch.bfloat16] * 2


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, constant):
        ctx.save_for_backward(x, constant)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        Twice.saved = ctx.saved_tensors
        with pytest.raises(CheckpointError, match="already unpacked once"):
            ctx.saved_tensors  # noqa: B018
        return g * 2, None


def test_what_is_computed_again_can_be_taken_once_in_a_pass():
    x, constant = torch.ones(2, requires_grad=True), torch.ones(2)
    runs = []

    def function(x):
        runs.append(None)
        return Twice.apply(x * 1, constant)

    y = checkpoint(function, x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0] and len(runs) == 3
    assert Twice.saved[1] is constant
