"""Rules written out as array calls, and the programs large stretches of the graph are run by."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import engine
from rushlight.ops.fast import _constant_of
from rushlight.ops.steps import trace
from rushlight.ops.table import OPS


def traced(name, saved):
    op = OPS[name]
    rule = op.rules["input"]
    return trace(rule, _constant_of(op, rule), saved, op.defaults())


def test_arithmetic_in_a_rule_becomes_ufunc_calls():
    calls, result = traced("tanh", ["y"])
    assert [(function, fills) for function, _, fills in calls] == [
        (np.multiply, True),
        (np.subtract, True),
        (np.multiply, True),
    ]
    assert calls[0][1] == (("v", 0), ("v", 0))
    assert calls[1][1] == (("k", 1), ("t", 0))
    assert result == ("t", 2)


def test_a_partial_of_one_needs_no_call():
    assert traced("add", ["input", "other", "y"]) == ([], ("g", 0))


def test_a_rule_that_looks_at_its_arguments_stays_one_call():
    calls, _ = traced("acosh", ["input"])
    assert not calls[0][2] and calls[0][1] == (("v", 0),)
    x = np.array([2.0, 3.0])
    assert np.allclose(calls[0][0](x), 1 / np.sqrt(x * x - 1))


CHAINS = {
    "branches that meet": lambda w: (torch.tanh(1.5 * w + 0.3) * torch.sigmoid(w) + torch.exp(-w * w)).mean(),
    "masks and quotients": lambda w: (torch.relu(w) * w.abs() - torch.sin(w) / (1 + w * w)).sum(),
    "rules that stay opaque": lambda w: (torch.acosh(w.abs() + 2) * torch.erf(w) + w.clamp(-1, 1) ** 3).sum(),
    "a value that leaves twice": lambda w: (-(w * 2.0)).sum() + (w * 2.0 - w).exp().mean(),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_stretch_in_blocks_gives_what_its_nodes_give_one_by_one(chain, threads, dtype, monkeypatch):
    x = torch.randn(300_001, generator=torch.Generator().manual_seed(3), dtype=dtype)
    gradients = []
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for limit in (engine.LARGE, x.numel()):
            monkeypatch.setattr(engine, "LARGE", limit)
            w = x.clone().requires_grad_()
            CHAINS[chain](w).backward()
            gradients.append(w.grad)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*gradients, rtol=4 * torch.finfo(dtype).eps, atol=4 * torch.finfo(dtype).eps)
