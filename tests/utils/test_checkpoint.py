"""Checkpoints that run again: once for each pass, in the same precision, and with a report where they do something else."""

import contextlib
import functools

import pytest

import rushlight as torch
from rushlight.utils.checkpoint import (
    CheckpointError,
    CheckpointPolicy,
    GraphExecGroup,
    checkpoint,
    create_selective_checkpoint_contexts,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)


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


def test_selective_checkpoints_keep_what_their_policy_names():
    asked = []

    def policy(ctx, op, *args, **kwargs):
        asked.append((str(op), ctx.is_recompute))
        return CheckpointPolicy.MUST_SAVE if op is torch.ops.aten.sin.default else CheckpointPolicy.PREFER_RECOMPUTE

    x = torch.ones(3, requires_grad=True)
    contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(lambda x: x.sin().cos().exp(), x, use_reentrant=False, context_fn=contexts).sum()
    y.backward(retain_graph=True)
    assert asked == [("aten.sin.default", False), ("aten.cos.default", False), ("aten.exp.default", False)]
    z = x.detach().requires_grad_()
    z.sin().cos().exp().sum().backward()
    assert torch.equal(x.grad, z.grad)
    with pytest.raises(RuntimeError, match="Trying to backward an extra time"):
        y.backward()


def kept_sin(function, **options):
    contexts = functools.partial(create_selective_checkpoint_contexts, [torch.ops.aten.sin.default], **options)
    x = torch.ones(3, requires_grad=True)
    checkpoint(function, x, use_reentrant=False, context_fn=contexts).sum().backward()
    return x.grad


def test_kept_results_must_not_be_written_to_unless_allowed():
    def function(x):
        y = x.sin()
        z = y.cos()
        y.add_(1)
        return z.exp()

    with pytest.raises(RuntimeError, match="Tensor cached during selective activation checkpoint has been mutated"):
        kept_sin(function)
    assert kept_sin(function, allow_cache_entry_mutation=True) is not None


def test_selective_checkpoints_notice_what_did_not_run_before():
    calls = []

    def function(x, first, second):
        calls.append(None)
        return (first if len(calls) % 2 else second)(x).exp()

    with pytest.raises(RuntimeError, match="aten.cos.default encountered during backward but not found in storage"):
        kept_sin(lambda x: function(x, torch.sin, torch.cos))
    with pytest.raises(RuntimeError, match="aten.sin.default invocation index 1 encountered during backward"):
        kept_sin(lambda x: function(x, lambda x: x.sin().cos(), lambda x: x.sin().sin()))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ([2], ValueError, "Expected op in `op_list` to be an OpOverload but got: 2"),
        ([torch.ops.aten.sin], ValueError, "update the OpOverloadPacket to a specific OpOverload"),
        (2, TypeError, "either a function or a list of ops"),
    ],
)
def test_selective_checkpoints_take_operators(wrong, error, text):
    with pytest.raises(error, match=text):
        create_selective_checkpoint_contexts(wrong)


@pytest.mark.parametrize("early", [True, False])
def test_backward_within_a_checkpointed_function(early):
    def function(x):
        torch.autograd.grad(x.sin().exp().sin(), x)
        return x.sin().exp()

    x = torch.tensor(1.0, requires_grad=True)
    with set_checkpoint_early_stop(early):
        checkpoint(function, x, use_reentrant=False).backward()
    expected = x.detach().requires_grad_()
    expected.sin().exp().backward()
    assert torch.equal(x.grad, expected.grad)


def test_arguments_are_saved_as_a_node_saves_them():
    x = torch.ones(3, requires_grad=True)
    z = x * 2
    y = checkpoint(lambda t: t.sin().cos(), z, use_reentrant=False)
    z.add_(1)
    with pytest.raises(RuntimeError, match="which is output 0 of Add, is at version 1; expected version 0"):
        y.sum().backward()
    log = []

    def noted(sign):
        return lambda t: (log.append(sign), t)[1]

    with torch.autograd.graph.saved_tensors_hooks(noted("packed"), noted("unpacked")):
        y = checkpoint(lambda t, u: (t * u).cos(), x, torch.ones(3), use_reentrant=False)
    assert log == ["packed"] * 2
    y.sum().backward()
    assert log == ["packed"] * 2 + ["unpacked"] * 2 and torch.allclose(x.grad, -torch.sin(torch.ones(3)))


def test_a_group_of_passes_runs_a_checkpoint_again_once():
    def passes(group):
        runs = []

        def both(a, b):
            runs.append(1)
            return a.sin() * 2, b.cos() * 3

        a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        x, y = checkpoint(both, a, b, use_reentrant=False)
        with group:
            x.sum().backward(retain_graph=True)
            y.sum().backward()
        return len(runs), a.grad.tolist(), b.grad.tolist()

    alone, together = passes(contextlib.nullcontext()), passes(GraphExecGroup())
    assert (alone[0], together[0]) == (3, 2) and alone[1:] == together[1:]


def test_passes_of_a_group_do_not_overlap():
    y = checkpoint(torch.sin, torch.ones(2, requires_grad=True), use_reentrant=False)
    with GraphExecGroup():
        y.sum().backward(retain_graph=True)
        with pytest.raises(CheckpointError, match="two backward calls that overlap"):
            y.sum().backward()
        with pytest.raises(RuntimeError, match="contexts cannot be nested"), GraphExecGroup():
            pass
