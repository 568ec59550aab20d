"""Layers that move elements: shuffles, folds, resampling, padding, flattening, fractional pooling."""

import numpy as np
import pytest

import rushlight as torch
from rushlight import nn


def counted(*sizes):
    return torch.arange(float(np.prod(sizes)), dtype=torch.float64).reshape(sizes)


def test_pixel_shuffle_and_back():
    x = counted(2, 8, 3, 4)
    y = nn.PixelShuffle(2)(x)
    assert y.shape == (2, 2, 6, 8)
    assert y[0, 0, :2, :2].tolist() == [[0.0, 12.0], [24.0, 36.0]]
    assert torch.equal(nn.PixelUnshuffle(2)(y), x)


def test_channels_of_groups_alternate():
    assert nn.ChannelShuffle(2)(counted(1, 4, 1, 1)).flatten().tolist() == [0.0, 2.0, 1.0, 3.0]


def test_fold_adds_up_what_unfold_cut_out():
    x = counted(1, 2, 4, 5)
    columns = nn.Unfold((2, 3))(x)
    assert columns.shape == (1, 12, 9)
    back = nn.Fold((4, 5), (2, 3))(columns)
    times = nn.Fold((4, 5), (2, 3))(nn.Unfold((2, 3))(torch.ones_like(x)))
    assert torch.equal(back, x * times)


def test_upsampling_repeats_or_interpolates():
    x = counted(1, 1, 2, 2)
    assert nn.UpsamplingNearest2d(scale_factor=2)(x)[0, 0].tolist() == [
        *([[0.0, 0.0, 1.0, 1.0]] * 2),
        *([[2.0, 2.0, 3.0, 3.0]] * 2),
    ]
    assert nn.UpsamplingBilinear2d((3, 3))(x)[0, 0].tolist() == [[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 2.5, 3.0]]
    assert repr(nn.Upsample(scale_factor=(2, 3))) == "Upsample(scale_factor=(2.0, 3.0), mode='nearest')"
    with pytest.raises(ValueError, match="either size or scale_factor should be defined"):
        nn.Upsample()(x)


def test_fractional_pooling_takes_windows_at_the_given_places():
    x = counted(1, 1, 5, 5)
    samples = torch.zeros(1, 1, 2, dtype=torch.float64)
    m = nn.FractionalMaxPool2d(2, output_size=3, return_indices=True, _random_samples=samples)
    values, indices = m(x)
    # windows begin at 0, 1 and 3: floor(i * (5 - 2) / (3 - 1)), the last at the end
    assert values[0, 0].tolist() == [[6.0, 7.0, 9.0], [11.0, 12.0, 14.0], [21.0, 22.0, 24.0]]
    assert torch.equal(indices.double(), values)
    x.requires_grad_()
    m(x)[0].sum().backward()
    assert x.grad.sum().item() == 9.0


def test_fractional_pooling_draws_its_places_from_the_random_stream():
    x = torch.randn(2, 3, 9, 9)
    torch.manual_seed(1)
    first = nn.FractionalMaxPool2d(2, output_ratio=0.5)(x)
    second = nn.FractionalMaxPool2d(2, output_ratio=0.5)(x)
    torch.manual_seed(1)
    assert torch.equal(first, nn.FractionalMaxPool2d(2, output_ratio=0.5)(x))
    assert not torch.equal(first, second)
    assert first.shape == (2, 3, 4, 4)


def test_flatten_and_back():
    x = counted(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Unflatten(1, (3, -1))(nn.Flatten()(x)).shape == (2, 3, 4)
