"""Layers that take their shapes from the first input, or from a file."""

import pytest

import rushlight as torch
from rushlight import nn


@pytest.mark.parametrize(
    ("layer", "sizes", "shown"),
    [
        (lambda: nn.LazyLinear(2), (5, 3), "Linear(in_features=3, out_features=2, bias=True)"),
        (lambda: nn.LazyConv2d(4, 3), (1, 2, 5, 5), "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))"),
        (lambda: nn.LazyConvTranspose1d(4, 3), (1, 2, 5), "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))"),
        (
            lambda: nn.LazyBatchNorm1d(),
            (5, 3),
            "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        ),
        (
            lambda: nn.LazyInstanceNorm2d(track_running_stats=False),
            (1, 3, 2, 2),
            "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=False)",
        ),
    ],
)
def test_the_first_input_makes_a_plain_layer(layer, sizes, shown):
    m = layer()
    m(torch.ones(sizes))
    assert repr(m) == shown
    assert "Lazy" not in type(m).__name__


def test_an_unknown_shape_says_what_to_do():
    weight = nn.LazyLinear(2).weight
    assert repr(weight) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        weight.shape  # noqa: B018
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        weight * 2


def test_a_state_gives_the_shapes_too():
    m = nn.LazyLinear(2)
    m.load_state_dict(nn.Linear(3, 2).state_dict())
    assert m.weight.shape == (2, 3)
    assert m(torch.ones(1, 3)).shape == (1, 2)
