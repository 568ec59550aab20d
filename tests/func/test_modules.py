"""Modules as functions of their state: per-sample gradients and ensembles."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.func import functional_call, grad, stack_module_state, vmap


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def test_called_with_other_tensors():
    model = nn.Linear(2, 2)
    found = functional_call(model, ({"weight": torch.eye(2)}, {"bias": torch.ones(2)}), torch.tensor([[1.0, 2.0]]))
    assert found.tolist() == [[2.0, 3.0]] and model.weight.requires_grad
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        functional_call(model, ({"weight": torch.eye(2)}, {"weight": torch.eye(2)}), torch.ones(2))


def test_gradients_of_samples_are_those_of_each_alone():
    model, x, target = network(), torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1])
    state = {name: p.detach() for name, p in model.named_parameters()}

    def loss(state, x, target):
        return nn.functional.cross_entropy(functional_call(model, state, (x.unsqueeze(0),)), target.unsqueeze(0))

    found = vmap(grad(loss), (None, 0, 0))(state, x, target)
    for k in range(5):
        model.zero_grad()
        nn.functional.cross_entropy(model(x[k : k + 1]), target[k : k + 1]).backward()
        for name, parameter in model.named_parameters():
            assert torch.allclose(found[name][k], parameter.grad, atol=1e-6)


def test_ensemble():
    models = [network() for _ in range(3)]
    for i, model in enumerate(models):
        with torch.no_grad():
            model[0].weight.add_(i)
    parameters, buffers = stack_module_state(models)
    x = torch.randn(4, 3)
    found = vmap(lambda p, b, x: functional_call(models[0], (p, b), (x,)), (0, 0, None))(parameters, buffers, x)
    for each, model in zip(found, models):
        assert torch.allclose(each, model(x), atol=1e-6)
    found.sum().backward()
    assert parameters["0.weight"].grad.shape == (3, 4, 3)


def test_ensembles_of_one_kind_only():
    with pytest.raises(RuntimeError, match="Expected at least one model, got 0"):
        stack_module_state([])
    with pytest.raises(RuntimeError, match="of the same class"):
        stack_module_state([nn.Linear(1, 1), nn.ReLU()])
