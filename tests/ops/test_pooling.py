"""Pooling operators: derivatives to second order, indices, unpooling, names."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]


def distinct(*shape):
    """Numbers far enough apart that small steps change no maximum."""
    return np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape) * 0.1


CALLS = {
    "max_pool1d": lambda x: F["max_pool1d"](x, 3, 2, 1),
    "max_pool2d": lambda x: F["max_pool2d"](x, (2, 3), 1, (1, 0), ceil_mode=True),
    "max_pool3d": lambda x: F["max_pool3d"](x, 2, 1),
    "avg_pool1d": lambda x: F["avg_pool1d"](x, 2, 1),
    "avg_pool2d": lambda x: F["avg_pool2d"](x, 3, 2, 1, True, False),
    "avg_pool3d": lambda x: F["avg_pool3d"](x, 2, divisor_override=3),
    "lp_pool2d": lambda x: F["lp_pool2d"](x + 0.05, 3, 2),
    "adaptive_avg_pool1d": lambda x: F["adaptive_avg_pool1d"](x, 3),
    "adaptive_avg_pool2d": lambda x: F["adaptive_avg_pool2d"](x, (3, None)),
    "adaptive_avg_pool3d": lambda x: F["adaptive_avg_pool3d"](x, 1),
    "adaptive_max_pool2d": lambda x: F["adaptive_max_pool2d"](x, (2, 3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_derivatives(name):
    x = distinct(1, 2, *(4, 5, 3)[: int(name[-2])])
    check(CALLS[name], x, second=name == "lp_pool2d")


def test_the_second_derivative_of_a_maximum_passes_to_the_cotangent():
    x = torch.tensor(distinct(1, 1, 4, 4), requires_grad=True)
    y = F["max_pool2d"](x, 2)
    g = torch.ones_like(y).requires_grad_()
    (gx,) = torch.autograd.grad(y, x, g, create_graph=True)
    back, zero = torch.autograd.grad((gx * x).sum(), (g, x))
    np.testing.assert_allclose(back.numpy(), y.detach().numpy())
    np.testing.assert_allclose(zero.numpy(), gx.detach().numpy())


def test_unpooling_inverts_and_has_a_gradient():
    x = torch.tensor(distinct(1, 2, 4, 6))
    values, indices = F["max_pool2d"](x, 2, return_indices=True)
    back = F["max_unpool2d"](values, indices, 2)
    np.testing.assert_array_equal(F["max_pool2d"](back, 2).numpy(), values.numpy())
    check(lambda v: F["max_unpool2d"](v, indices, 2), values.numpy())
    with pytest.raises(ValueError, match=r"invalid output_size"):
        F["max_unpool2d"](values, indices, 2, output_size=(9, 9))


def test_names_of_nodes():
    x = torch.ones(1, 1, 4, 4, requires_grad=True)
    assert node(F["max_pool2d"](x, 2)) == "MaxPool2DWithIndicesBackward0"
    assert node(F["avg_pool2d"](x, 2)) == "AvgPool2DBackward0"
    assert node(F["adaptive_avg_pool2d"](x, 2)) == "AdaptiveAvgPool2DBackward0"


def test_refuses_what_pytorch_refuses():
    with pytest.raises(ValueError, match="Input dimension should be at least 3"):
        F["adaptive_avg_pool2d"](torch.ones(2, 2), (2, 2))
    with pytest.raises(RuntimeError, match="max_pool1d: Expected 2D or 3D"):
        F["max_pool1d"](torch.ones(3), 1)


def test_adaptive_pooling_to_nothing_and_to_too_much():
    functional = torch.nn.functional
    x = torch.zeros(1, 2, 4, 4, requires_grad=True)
    for kind in ("avg", "max"):
        pooled = getattr(functional, f"adaptive_{kind}_pool2d")(x, 0)
        text = f"adaptive_{kind}_pool2d_backward.*non-zero size for non-batch dimensions.* sizes .1, 2, 0, 0. with dimension 2"
        with pytest.raises(RuntimeError, match=text):
            pooled.sum().backward()
    with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
        functional.adaptive_max_pool1d(torch.zeros(2, 2, 2), 0x3FFFFFFFFFFFFFFF)
