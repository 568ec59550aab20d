"""Parametrisations: the mechanism, and the ready ones."""

import copy

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils import parametrizations, parametrize, remove_spectral_norm, spectral_norm, weight_norm


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


class Double(nn.Module):
    def forward(self, x):
        return 2 * x

    def right_inverse(self, x):
        return x / 2


def test_a_parametrised_weight_is_computed():
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert torch.equal(layer.weight, layer.weight.mT)
    layer(torch.ones(3)).sum().backward()
    assert layer.parametrizations.weight.original.grad.tril(-1).abs().sum() == 0
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)


def test_assignment_goes_back_through_the_chain():
    layer = nn.Linear(2, 2)
    for each in (Symmetric(), Double()):
        parametrize.register_parametrization(layer, "weight", each)
    layer.weight = torch.tensor([[2.0, 4.0], [4.0, 6.0]])
    assert layer.weight.tolist() == [[2, 4], [4, 6]]
    assert layer.parametrizations.weight.original.tolist() == [[1, 2], [0, 3]]


@pytest.mark.parametrize("leave", [True, False])
def test_removal_leaves_the_value_or_the_original(leave):
    layer = nn.Linear(2, 2)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Double())
    layer.weight = torch.ones(2, 2)
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert layer.weight is weight and type(layer) is nn.Linear
    assert layer.weight.tolist() == [[1 if leave else 0.5] * 2] * 2


def test_within_cached_a_weight_is_computed_once_for_each_module():
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Double())
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.parametrizations.weight.original.zero_()
    with parametrize.cached():
        assert layer.weight is layer.weight
        # the copy has the same class, and so the same property
        assert other.weight.tolist() == [[0, 0], [0, 0]]
    assert layer.weight is not layer.weight


def test_a_parametrisation_that_changes_the_shape_leaves_the_module_alone():
    class Row(nn.Module):
        def forward(self, x):
            return x[:1]

    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="may not change the shape"):
        parametrize.register_parametrization(layer, "weight", Row())
    assert type(layer) is nn.Linear and list(layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("sizes", [(3, 3), (5, 3), (3, 5)])
def test_orthogonal_weights_stay_orthogonal_as_they_learn(kind, sizes):
    layer = parametrizations.orthogonal(nn.Linear(*sizes, dtype=torch.float64), orthogonal_map=kind)
    identity = torch.eye(3, dtype=torch.float64)
    for _ in range(3):
        weight = layer.weight
        product = weight @ weight.mT if sizes[0] >= sizes[1] else weight.mT @ weight
        torch.testing.assert_close(product, identity)
        weight.pow(3).sum().backward()
        with torch.no_grad():
            for each in layer.parameters():
                if each.grad is not None:
                    each -= 0.1 * each.grad
                    each.grad = None


def test_weight_norm_splits_into_length_and_direction():
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    parametrizations.weight_norm(layer)
    torch.testing.assert_close(layer.weight, before)
    with torch.no_grad():
        layer.parametrizations.weight.original0.fill_(2.0)
    torch.testing.assert_close(layer.weight.norm(dim=1), torch.full((2,), 2.0))


@pytest.mark.parametrize("function", [spectral_norm, parametrizations.spectral_norm])
def test_spectral_norm_brings_the_largest_singular_value_to_one(function):
    layer = function(nn.Linear(4, 3), n_power_iterations=50)
    layer(torch.ones(4))
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1.0, rel=1e-4)


def test_after_removal_a_spectral_norm_asks_nothing_of_state_dictionaries():
    layer = spectral_norm(nn.Linear(4, 3))
    remove_spectral_norm(layer)
    assert str(layer.load_state_dict(nn.Linear(4, 3).state_dict())) == "<All keys matched successfully>"


def test_the_older_weight_norm_says_so():
    with pytest.warns(FutureWarning, match="in favor of `torch.nn.utils.parametrizations.weight_norm`"):
        weight_norm(nn.Linear(2, 2))
