"""Hooks: their order, what they may replace, and that none is left behind."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.modules.module import register_module_forward_hook


@pytest.fixture
def doubled():
    m = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        m.weight.fill_(2.0)
    return m


def test_order_of_all_kinds(doubled):
    seen = []
    doubled.register_forward_pre_hook(lambda m, args: seen.append("pre"))
    doubled.register_forward_hook(lambda m, args, result: seen.append("after"))
    doubled.register_full_backward_pre_hook(lambda m, grads: seen.append("back pre"))
    doubled.register_full_backward_hook(lambda m, inputs, outputs: seen.append("back"))
    x = torch.ones(1, 1, requires_grad=True)
    doubled(x).sum().backward()
    assert seen == ["pre", "after", "back pre", "back"]


def test_hooks_replace_what_they_return_something_for(doubled):
    doubled.register_forward_pre_hook(lambda m, args: args[0] * 10)
    doubled.register_forward_hook(lambda m, args, result: result + 1)
    doubled.register_full_backward_hook(lambda m, inputs, outputs: (inputs[0] * 100,))
    x = torch.ones(1, 1, requires_grad=True)
    y = doubled(x)
    assert y.item() == 21.0
    y.backward()
    assert x.grad.item() == 2 * 10 * 100


def test_a_removed_hook_is_not_called(doubled):
    seen = []
    with doubled.register_forward_hook(lambda *a: seen.append(1)):
        doubled(torch.ones(1, 1))
    doubled(torch.ones(1, 1))
    assert seen == [1]


def test_a_hook_common_to_all_modules():
    seen = []
    handle = register_module_forward_hook(lambda m, args, result: seen.append(type(m).__name__))
    try:
        nn.Sequential(nn.Linear(1, 1), nn.ReLU())(torch.ones(1, 1))
    finally:
        handle.remove()
    nn.ReLU()(torch.ones(1))
    assert seen == ["Linear", "ReLU", "Sequential"]


def test_a_hook_that_is_always_called_sees_an_error_pass(doubled):
    seen = []
    doubled.register_forward_hook(lambda m, args, result: seen.append(result), always_call=True)
    with pytest.raises(RuntimeError):
        doubled(torch.ones(1, 7))
    assert seen == [None]


def test_a_backward_hook_forbids_writing_over_the_result(doubled):
    doubled.register_full_backward_hook(lambda *a: None)
    y = doubled(torch.ones(1, 1, requires_grad=True))
    with pytest.raises(RuntimeError, match="BackwardHookFunction is a view and is being modified inplace"):
        y.mul_(2)
