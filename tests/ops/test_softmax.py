"""Softmax of tensors: derivatives of first and second order, the functions of torch.nn.functional, implicit dimensions."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.nn import functional
from tests.ops.differences import check

X = np.random.default_rng(6).standard_normal((3, 4))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.softmax(1),
        lambda x: torch.log_softmax(x, 0),
        lambda x: functional.softmin(x, dim=-1),
        lambda x: functional.softmax(x, 0, dtype=torch.float64) * x,
        lambda x: x.sum().softmax(0),
    ],
)
def test_derivatives_agree_with_differences(f):
    check(f, X)


def test_a_large_softmax_has_the_same_gradient_as_its_rows():
    x = torch.from_numpy(np.random.default_rng(7).standard_normal((300, 200))).requires_grad_()
    w = torch.from_numpy(np.random.default_rng(8).standard_normal((300, 200)))
    for f in (torch.softmax, torch.log_softmax):
        (whole,) = torch.autograd.grad((f(x, 1) * w).sum(), x)
        (part,) = torch.autograd.grad((f(x[:10], 1) * w[:10]).sum(), x)
        assert torch.allclose(whole[:10], part[:10], rtol=1e-12, atol=1e-14)


def test_an_implicit_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated."):
        assert functional.softmax(torch.zeros(2, 4)).tolist() == [[0.25] * 4] * 2


def test_a_wider_dtype():
    x = torch.zeros(2, dtype=torch.float16, requires_grad=True)
    y = x.softmax(0, dtype=torch.float32)
    y[0].backward()
    assert y.dtype == torch.float32 and x.grad.dtype == torch.float16 and x.grad.tolist() == [0.25, -0.25]


def test_special_names_and_out():
    x = torch.tensor([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]])
    for name in ("softmax", "log_softmax"):
        expected = getattr(torch, name)(x, 1)
        assert torch.equal(getattr(torch.special, name)(x, 1), expected)
        out = torch.empty(0)
        assert getattr(torch, name)(x, 1, out=out) is out
        assert torch.equal(out, expected)
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got double instead"):
            getattr(torch, name)(x, 1, out=torch.empty(2, 3, dtype=torch.float64))
    assert torch.equal(torch.special.logsumexp(x, 1), torch.logsumexp(x, 1))
