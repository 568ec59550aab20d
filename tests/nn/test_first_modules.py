"""The first modules: parameters, states and gradients of a stack of linear layers."""

import pytest

import rushlight as torch
from rushlight.nn.modules.container import Sequential
from rushlight.nn.modules.linear import Linear


def test_a_stack_of_linear_layers_computes_and_differentiates():
    model = Sequential(Linear(3, 4), Linear(4, 2))
    x = torch.randn(5, 3)
    first, second = model[0], model[1]
    expected = (x @ first.weight.T + first.bias) @ second.weight.T + second.bias
    assert torch.allclose(model(x), expected)
    model(x).sum().backward()
    assert second.bias.grad.tolist() == [5.0, 5.0]


def test_the_state_goes_out_and_comes_back():
    model, other = Sequential(Linear(3, 4), Linear(4, 2)), Sequential(Linear(3, 4), Linear(4, 2))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    other.load_state_dict(model.state_dict())
    x = torch.randn(2, 3)
    assert torch.equal(model(x), other(x))
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict({"a": torch.ones(1)})
