"""Normalisation operators: derivatives to second order, running statistics, names."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)


def test_layer_norm():
    check(lambda x, w, b: F["layer_norm"](x, (3, 2), w, b), *map(rng.standard_normal, [(2, 3, 2), (3, 2), (3, 2)]))
    check(lambda x: F["layer_norm"](x, (4,)), rng.standard_normal((3, 4)))
    check(lambda x, b: F["layer_norm"](x, (4,), None, b), rng.standard_normal((3, 4)), rng.standard_normal(4))


def test_group_norm_also_through_its_statistics():
    check(lambda x, w, b: F["group_norm"](x, 2, w, b), *map(rng.standard_normal, [(2, 4, 3), (4,), (4,)]))
    for number in (1, 2):

        def statistic(x, number=number):
            return torch.native_group_norm(x, None, None, 2, 4, 3, 2, 1e-5)[number]

        check(statistic, rng.standard_normal((2, 4, 3)))


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(training):
    mean, var = torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64), torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    call = lambda x, w, b: F["batch_norm"](x, mean.clone(), var.clone(), w, b, training)  # noqa: E731
    check(call, *map(rng.standard_normal, [(3, 3, 2), (3,), (3,)]))
    check(call, *map(rng.standard_normal, [(4, 3), (3,), (3,)]))


def test_instance_and_root_mean_square_and_local_response():
    check(lambda x, w, b: F["instance_norm"](x, weight=w, bias=b), *map(rng.standard_normal, [(2, 3, 4), (3,), (3,)]))
    check(lambda x, w: F["rms_norm"](x, (4,), w, 1e-5), rng.standard_normal((3, 4)), rng.standard_normal(4))
    check(lambda x: F["local_response_norm"](x, 3), rng.standard_normal((2, 4, 3)))
    check(lambda x: F["normalize"](x, 3.0), rng.standard_normal((2, 4)))


def test_running_statistics_move_by_the_momentum():
    x = torch.tensor(rng.standard_normal((6, 3, 4)))
    mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    F["batch_norm"](x, mean, var, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.25 * x.numpy().mean(axis=(0, 2)))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * x.numpy().var(axis=(0, 2), ddof=1), rtol=1e-6)
    before = mean.numpy().copy()
    F["batch_norm"](x, mean, var)
    np.testing.assert_array_equal(mean.numpy(), before)


def test_a_second_forward_pass_before_backward_is_allowed():
    x = torch.tensor(rng.standard_normal((4, 2)), requires_grad=True)
    mean, var = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    first = F["batch_norm"](x, mean, var, training=True)
    F["batch_norm"](x, mean, var, training=True)
    first.sum().backward()
    assert x.grad.shape == x.shape


def test_names_and_refusals():
    x = torch.ones(2, 4, requires_grad=True)
    assert node(F["layer_norm"](x, (4,))) == "NativeLayerNormBackward0"
    assert node(F["batch_norm"](x, None, None, training=True)) == "NativeBatchNormBackward0"
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        F["batch_norm"](torch.ones(1, 3), None, None, training=True)
    with pytest.raises(RuntimeError, match="Expected number of channels in input to be divisible by num_groups"):
        F["group_norm"](torch.ones(2, 7, 4), 2)
