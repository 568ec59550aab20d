"""Activation functions of torch.nn.functional: derivatives, kinks, `inplace=`, and the names of their nodes."""

import math

import numpy as np
import pytest

import rushlight as torch
import rushlight.nn.functional as F
from rushlight.autograd import grad

D = torch.float64
nan = math.nan

SMOOTH = {
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softplus(2, 1)": lambda x: F.softplus(x, 2, 1),
    "logsigmoid": F.logsigmoid,
    "gelu": F.gelu,
    "gelu(tanh)": lambda x: F.gelu(x, approximate="tanh"),
    "elu": F.elu,
    "elu(1.7)": lambda x: F.elu(x, 1.7),
    "selu": F.selu,
    "celu(0.6)": lambda x: F.celu(x, 0.6),
    "softsign": F.softsign,
    "tanhshrink": F.tanhshrink,
    "hardswish": F.hardswish,
    "glu": F.glu,
}


@pytest.mark.parametrize("name", SMOOTH)
def test_first_and_second_derivatives_agree_with_differences(name):
    f = SMOOTH[name]
    x = torch.tensor([-2.6, -1.3, -0.2, 0.35, 1.1, 2.4], dtype=D, requires_grad=True)
    weights = torch.arange(1.0, f(x).numel() + 1, dtype=D)

    def total(v):
        return (f(v) * weights).sum()

    (g,) = grad(total(x), x, create_graph=True)
    (backward_only,) = grad(total(x), x)
    assert torch.allclose(g, backward_only, rtol=1e-13)

    def slope(v):
        v = v.clone().requires_grad_()
        return grad(total(v), v)[0]

    h = 1e-5
    for k in range(6):
        step = torch.zeros(6, dtype=D)
        step[k] = h
        plain = x.detach()
        assert g[k].item() == pytest.approx(((total(plain + step) - total(plain - step)) / (2 * h)).item(), abs=1e-7)
        if g.requires_grad:
            (row,) = grad(g[k], x, retain_graph=True)
            assert torch.allclose(row, (slope(plain + step) - slope(plain - step)) / (2 * h), rtol=1e-6, atol=1e-7)


KINKS = {
    # name: (function, points, derivative there)
    "relu": (F.relu, (-1.0, 0.0, 1.0, nan), [0, 0, 1, 1]),
    "relu6": (F.relu6, (0.0, 6.0, 3.0, 7.0), [0, 0, 1, 0]),
    "hardtanh": (F.hardtanh, (-1.0, 1.0, 0.0, 2.0), [0, 0, 1, 0]),
    "leaky_relu": (F.leaky_relu, (0.0, -1.0, 1.0), [0.01, 0.01, 1]),
    "leaky_relu(0.2)": (lambda x: F.leaky_relu(x, 0.2), (0.0, -1.0, 1.0), [0.2, 0.2, 1]),
    "elu": (F.elu, (0.0, 1.0), [1, 1]),
    "threshold": (lambda x: F.threshold(x, 0.5, 9.0), (0.5, 0.4, 0.6, nan), [0, 0, 1, 1]),
    "hardshrink": (F.hardshrink, (0.5, -0.5, 0.6, 0.0), [0, 0, 1, 0]),
    "softshrink": (F.softshrink, (0.5, -0.5, 0.6, 0.0), [0, 0, 1, 0]),
    "hardswish": (F.hardswish, (-3.0, 3.0, 4.0, -4.0), [0, 1, 1, 0]),
    "hardsigmoid": (F.hardsigmoid, (-3.0, 3.0, 0.0), [0, 0, 1 / 6]),
}


@pytest.mark.parametrize("name", KINKS)
def test_derivatives_at_kinks(name):
    f, points, expected = KINKS[name]
    x = torch.tensor(points, dtype=D, requires_grad=True)
    (g,) = grad(f(x).sum(), x)
    assert g.tolist() == pytest.approx(expected)


def test_relu_blocks_infinite_cotangents_and_has_zero_second_derivative():
    x = torch.tensor([-1.0, 2.0], dtype=D, requires_grad=True)
    assert grad(F.relu(x), x, torch.tensor([math.inf, 3.0], dtype=D))[0].tolist() == [0, 3]
    seed = torch.ones(2, dtype=D, requires_grad=True)
    (g,) = grad(F.relu(x), x, seed, create_graph=True)
    assert [each.tolist() for each in grad(g.sum(), (x, seed))] == [[0, 0], [0, 1]]


def test_large_arrays_agree_with_small_ones():
    x = torch.linspace(-4, 4, 100_000, dtype=D)
    for f in (*SMOOTH.values(), F.relu, F.hardtanh, F.leaky_relu, F.hardshrink):
        if f is F.glu:
            continue
        big = x.clone().requires_grad_()
        y = f(big)
        (g,) = grad(y.sum(), big)
        at = torch.arange(0, 100_000, 9973)
        small = x[at].clone().requires_grad_()
        z = f(small)
        assert torch.allclose(y[at], z, rtol=1e-14, atol=1e-15)
        assert torch.allclose(g[at], grad(z.sum(), small)[0], rtol=1e-13, atol=1e-15)


INPLACE = ("relu", "relu6", "elu", "selu", "celu", "silu", "mish", "hardtanh", "hardswish", "hardsigmoid", "leaky_relu")


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_writes_the_same_and_has_the_same_gradient(name):
    f = getattr(F, name)
    x = torch.tensor([-4.0, -0.5, 0.5, 7.0], dtype=D, requires_grad=True)
    y = f(x)
    (expected,) = grad(y.sum(), x)
    z = x * 1
    assert f(z, inplace=True) is z
    assert torch.equal(z, y)
    assert torch.equal(grad(z.sum(), x)[0], expected)


def test_names_of_the_nodes():
    x = torch.ones(4, requires_grad=True)
    for function, node in (
        *((F.relu, "ReluBackward0"), (F.elu, "EluBackward0"), (F.selu, "EluBackward0"), (F.celu, "CeluBackward0")),
        *(
            (F.gelu, "GeluBackward0"),
            (F.silu, "SiluBackward0"),
            (F.mish, "MishBackward0"),
            (F.relu6, "HardtanhBackward0"),
        ),
        *((F.logsigmoid, "LogSigmoidBackward0"), (F.leaky_relu, "LeakyReluBackward0"), (F.glu, "GluBackward0")),
    ):
        assert type(function(x).grad_fn).__name__ == node


def test_prelu_by_one_weight_and_by_channel():
    x = torch.tensor([[-1.0, 2.0], [3.0, -4.0]], dtype=D, requires_grad=True)
    one = torch.tensor([0.5], dtype=D, requires_grad=True)
    y = F.prelu(x, one)
    assert y.tolist() == [[-0.5, 2], [3, -2]]
    gx, gw = grad(y.sum(), (x, one))
    assert gx.tolist() == [[0.5, 1], [1, 0.5]] and gw.tolist() == [-5]
    each = torch.tensor([0.1, 0.2], dtype=D, requires_grad=True)
    assert grad(F.prelu(x, each).sum(), each)[0].tolist() == [-1, -4]
    with pytest.raises(RuntimeError, match="Found parameter numbers = 3 and channel size = 2."):
        F.prelu(x, torch.ones(3, dtype=D))
    with pytest.raises(RuntimeError, match="Type promoting not supported. Got Double and Float"):
        F.prelu(x, torch.ones(1))


def test_rrelu_draws_in_training_and_takes_the_mean_otherwise():
    x = torch.tensor([-2.0, 3.0], dtype=D, requires_grad=True)
    assert F.rrelu(x, 0.2, 0.4).tolist() == pytest.approx([-0.6, 3])
    y = F.rrelu(x, 0.2, 0.4, training=True)
    slope = y[0].item() / -2
    assert 0.2 <= slope <= 0.4 and y[1].item() == 3
    assert grad(y.sum(), x)[0].tolist() == pytest.approx([slope, 1])
    with pytest.raises(RuntimeError, match="Lower bound should be less than or equal to the upper bound"):
        F.rrelu(x, 0.5, 0.1)


def test_celu_refuses_alpha_zero():
    with pytest.raises(RuntimeError, match="ZeroDivisionError: alpha cannot be 0 for CELU"):
        F.celu(torch.ones(1), 0.0)


def test_gelu_of_many_keeps_its_derivative():
    torch.manual_seed(0)
    many = torch.randn(300, 300, requires_grad=True)
    few = many.detach()[:2].requires_grad_()
    weights = torch.randn(300, 300)
    for graph in (False, True):
        (slope,) = torch.autograd.grad(F.gelu(many), many, weights, create_graph=graph)
        (expected,) = torch.autograd.grad(F.gelu(few), few, weights[:2], create_graph=graph)
        np.testing.assert_allclose(slope.detach().numpy()[:2], expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    (second,) = torch.autograd.grad(slope.sum(), many)
    (expected,) = torch.autograd.grad(expected.sum(), few)
    np.testing.assert_allclose(second.numpy()[:2], expected.numpy(), rtol=1e-5, atol=1e-6)
    assert type(F.gelu(many).grad_fn).__name__ == "GeluBackward0"
    y = F.gelu(many)
    many.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
