"""Calls of a module with other tensors than its own."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils.stateless import _functional_call


def test_a_call_with_other_tensors_leaves_the_module_alone():
    layer = nn.Linear(2, 2, bias=False)
    weight, other = layer.weight, torch.eye(2, requires_grad=True)
    y = _functional_call(layer, {"weight": other}, torch.tensor([1.0, 2.0]))
    assert y.tolist() == [1, 2] and layer.weight is weight
    y.sum().backward()
    assert other.grad.tolist() == [[1, 2], [1, 2]] and weight.grad is None


def test_buffers_that_a_call_replaces_are_written_back_to_the_dictionary():
    norm = nn.BatchNorm1d(1)
    given = {"running_mean": torch.zeros(1), "num_batches_tracked": torch.tensor(4)}
    _functional_call(norm, given, torch.tensor([[1.0], [3.0]]))
    assert given["running_mean"].item() == pytest.approx(0.2) and given["num_batches_tracked"].item() == 5
    assert norm.running_mean.item() == 0 and norm.num_batches_tracked.item() == 0


def test_tied_names_are_replaced_together():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    twice = _functional_call(model, {"0.weight": 2 * torch.eye(2)}, torch.ones(2))
    assert twice.tolist() == [4, 4]


def test_strict_calls_name_what_is_missing():
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'x'.*\n\tMissing key\(s\): 'bias', 'weight'"):
        _functional_call(nn.Linear(2, 2), {"x": torch.ones(1)}, torch.ones(2), strict=True)
