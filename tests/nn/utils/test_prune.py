"""Pruning: what is chosen, and what becomes of the module."""

import pickle

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils import prune


def layer():
    made = nn.Linear(3, 2)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([[1.0, -6.0, 3.0], [-2.0, 5.0, 4.0]]))
    return made


def mask(module, name="weight"):
    return getattr(module, name + "_mask").tolist()


def test_the_smallest_elements_go():
    module = prune.l1_unstructured(layer(), "weight", 2)
    assert mask(module) == [[0, 1, 1], [0, 1, 1]]
    assert module.weight.tolist() == [[0, -6, 3], [0, 5, 4]]
    assert [name for name, _ in module.named_parameters()] == ["bias", "weight_orig"]


def test_a_part_is_a_part_of_all_elements():
    assert mask(prune.l1_unstructured(layer(), "weight", 0.5)) == [[0, 1, 0], [0, 1, 1]]


def test_whole_rows_go_by_their_norm():
    assert mask(prune.ln_structured(layer(), "weight", 1, n=1, dim=0)) == [[0, 0, 0], [1, 1, 1]]
    assert mask(prune.ln_structured(layer(), "weight", 1, n=2, dim=1)) == [[0, 1, 1], [0, 1, 1]]


def test_random_choices_have_the_right_number():
    assert sum(map(sum, mask(prune.random_unstructured(layer(), "weight", 4)))) == 2
    assert sorted(map(sum, mask(prune.random_structured(layer(), "weight", 1, dim=0)))) == [0, 3]


def test_pruning_again_works_on_what_is_left():
    module = prune.l1_unstructured(layer(), "weight", 2)
    prune.l1_unstructured(module, "weight", 1)
    assert mask(module) == [[0, 1, 0], [0, 1, 1]]
    prune.ln_structured(module, "weight", 1, n=1, dim=1)  # the first column has gone already
    assert mask(module) == [[0, 1, 0], [0, 1, 0]]


def test_the_mask_holds_while_the_original_learns():
    module = prune.l1_unstructured(layer(), "weight", 2)
    module(torch.ones(3)).sum().backward()
    assert module.weight_orig.grad.tolist() == [[0, 1, 1], [0, 1, 1]]
    with torch.no_grad():
        module.weight_orig.fill_(7.0)
    module(torch.ones(3))
    assert module.weight.tolist() == [[0, 7, 7], [0, 7, 7]]


def test_several_parameters_are_pruned_as_one():
    a, b = layer(), layer()
    with torch.no_grad():
        b.weight.mul_(10)
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=6)
    assert mask(a) == [[0, 0, 0], [0, 0, 0]] and mask(b) == [[1, 1, 1], [1, 1, 1]]


def test_pruned_modules_are_pickled():
    module = pickle.loads(pickle.dumps(prune.l1_unstructured(layer(), "weight", 2)))
    assert prune.is_pruned(module) and module.weight.tolist() == [[0, -6, 3], [0, 5, 4]]
    prune.remove(module, "weight")


def test_removal_keeps_the_zeros():
    module = prune.remove(prune.l1_unstructured(layer(), "weight", 2), "weight")
    assert module.weight.tolist() == [[0, -6, 3], [0, 5, 4]]
    assert isinstance(module.weight, nn.Parameter) and not prune.is_pruned(module)


def test_a_failure_leaves_the_module_alone():
    module = layer()
    with pytest.raises(ValueError, match="should be smaller than the number of parameters"):
        prune.l1_unstructured(module, "weight", 7)
    assert sorted(name for name, _ in module.named_parameters()) == ["bias", "weight"]
