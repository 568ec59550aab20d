"""Normalisation layers against their formulas."""

import numpy as np
import pytest

import rushlight as torch
from rushlight import nn


@pytest.fixture
def images():
    return torch.from_numpy(np.random.default_rng(0).normal(2.0, 3.0, (4, 6, 5, 3)))


def standard(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def test_batch_norm_normalises_over_the_batch_and_remembers(images):
    m = nn.BatchNorm2d(6).double()
    x = images.numpy()
    assert np.allclose(m(images).detach().numpy(), standard(x, (0, 2, 3)))
    assert np.allclose(m.running_mean.numpy(), 0.1 * x.mean((0, 2, 3)))
    assert np.allclose(m.running_var.numpy(), 0.9 + 0.1 * x.var((0, 2, 3), ddof=1))
    assert m.num_batches_tracked.item() == 1


def test_cumulative_batch_norm_takes_the_mean_over_all_batches(images):
    m = nn.BatchNorm2d(6, momentum=None).double()
    m(images)
    m(images * 3)
    assert np.allclose(m.running_mean.numpy(), images.numpy().mean((0, 2, 3)) * 2)


def test_batch_norm_uses_what_it_remembers_in_evaluation(images):
    m = nn.BatchNorm2d(6).double().eval()
    assert np.allclose(m(images).detach().numpy(), images.numpy() / np.sqrt(1 + 1e-5))


def test_instance_norm_normalises_each_sample(images):
    assert np.allclose(nn.InstanceNorm2d(6)(images).numpy(), standard(images.numpy(), (2, 3)))
    assert nn.InstanceNorm2d(6)(images[0]).shape == (6, 5, 3)


def test_layer_norm_normalises_the_last_dimensions(images):
    m = nn.LayerNorm((5, 3)).double()
    assert np.allclose(m(images).detach().numpy(), standard(images.numpy(), (2, 3)))


def test_group_norm_normalises_groups_of_channels(images):
    m = nn.GroupNorm(2, 6).double()
    x = images.numpy().reshape(4, 2, 3, 5, 3)
    assert np.allclose(m(images).detach().numpy(), standard(x, (2, 3, 4)).reshape(4, 6, 5, 3))
    with pytest.raises(ValueError, match=r"num_channels \(6\) must be divisible by num_groups \(4\)"):
        nn.GroupNorm(4, 6)


def test_rms_norm_divides_by_the_root_mean_square(images):
    m = nn.RMSNorm(3, eps=1e-3).double()
    x = images.numpy()
    assert np.allclose(m(images).detach().numpy(), x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-3))


def test_response_norms_divide_by_a_power_of_the_neighbours(images):
    x = images.numpy()
    squares = np.pad(x * x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    sums = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]
    assert np.allclose(nn.LocalResponseNorm(3, 0.3, 0.5, 2.0)(images).numpy(), x / (2 + 0.1 * sums) ** 0.5)
    older = nn.CrossMapLRN2d(3, 0.3, 0.5, 2.0)(images).numpy()
    sums[:, 2:] += x[:, :1] ** 2  # as in PyTorch, the first channel stays in the later sums
    assert np.allclose(older, x / (2 + 0.1 * sums) ** 0.5)


def test_sync_batch_norm_takes_the_place_of_batch_norm():
    m = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm1d(2)))
    assert isinstance(m[0], nn.SyncBatchNorm)
    assert list(m.state_dict()) == list(nn.Sequential(nn.BatchNorm1d(2)).state_dict())


@pytest.mark.parametrize(
    "layer", [nn.BatchNorm2d(6), nn.InstanceNorm2d(6), nn.GroupNorm(2, 6), nn.LayerNorm((5, 3)), nn.MaxPool2d(2)]
)
def test_the_result_may_be_written_over(layer, images):
    layer = layer.double()
    x = images.clone().requires_grad_()
    twice = images.clone().requires_grad_()
    (layer(x) * 2).square().sum().backward()
    layer(twice).mul_(2).square().sum().backward()
    assert torch.allclose(twice.grad, x.grad)


@pytest.mark.parametrize("layer", [nn.LayerNorm(6), nn.GroupNorm(2, 6), nn.BatchNorm1d(6)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_parameters_in_single_precision_have_unrounded_gradients_beside_half_input(layer, dtype):
    def gradients(x, cotangent):
        layer.zero_grad()
        layer(x).backward(cotangent)
        return layer.weight.grad, layer.bias.grad

    torch.manual_seed(0)
    x, cotangent = torch.randn(64, 6).to(dtype), torch.randn(64, 6).to(dtype)
    half, single = gradients(x, cotangent), gradients(x.float(), cotangent.float())
    for ours, exact in zip(half, single):
        assert ours.dtype == torch.float32
        assert torch.allclose(ours, exact, rtol=1e-6, atol=1e-6)
