"""Normalisations folded into the layers before them, and modules made without drawing."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval, skip_init


def normalisation(kind, channels):
    made = kind(channels, dtype=torch.float64)
    for each in (made.running_mean, made.weight.data, made.bias.data):
        each.normal_()
    made.running_var.uniform_(0.5, 2.0)
    return made.eval()


@pytest.mark.parametrize("transpose", [False, True])
def test_a_convolution_takes_its_normalisation_in(transpose):
    kind = nn.ConvTranspose2d if transpose else nn.Conv2d
    conv, norm = kind(3, 4, 2, dtype=torch.float64).eval(), normalisation(nn.BatchNorm2d, 4)
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(fuse_conv_bn_eval(conv, norm, transpose)(x), norm(conv(x)))


def test_a_linear_layer_takes_its_normalisation_in():
    linear, norm = nn.Linear(3, 4, bias=False, dtype=torch.float64).eval(), normalisation(nn.BatchNorm1d, 4)
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)))


def test_fusion_is_for_evaluation():
    with pytest.raises(AssertionError, match="Fusion only for eval!"):
        fuse_linear_bn_eval(nn.Linear(3, 4), normalisation(nn.BatchNorm1d, 4))


def test_skipping_initialisation_draws_nothing():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    layer = skip_init(nn.Linear, 3, 4)
    assert layer.weight.shape == (4, 3) and torch.equal(torch.rand(1), expected)
