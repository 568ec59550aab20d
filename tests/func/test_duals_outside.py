"""Reverse transforms of tensors that carry tangents: results carry theirs, which are at no place of the transform's graph."""

import rushlight as torch
from rushlight.autograd import forward_ad
from rushlight.func import grad, grad_and_value, jacrev, vjp

X, T = torch.tensor([0.5, -1.0]), torch.tensor([2.0, 3.0])


def tangent(tensor):
    found = forward_ad.unpack_dual(tensor).tangent
    assert found.grad_fn is None
    return found


def test_the_tangent_of_a_gradient_is_the_hessian_times_the_tangent():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(X, T)
        found = grad(lambda x: (x**3).sum())(dual)
        assert torch.allclose(found, 3 * X**2) and torch.allclose(tangent(found), 6 * X * T)
        assert torch.allclose(tangent(grad(lambda x: grad(lambda y: (y**3).sum())(x).sum())(dual)), 6 * T)


def test_tangents_of_values_products_and_jacobians():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(X, T)
        _, value = grad_and_value(lambda x: x.exp().sum())(dual)
        assert torch.allclose(tangent(value), (X.exp() * T).sum())
        output, pull = vjp(torch.exp, dual)
        assert torch.allclose(tangent(output), X.exp() * T)
        assert torch.allclose(tangent(pull(torch.ones(2))[0]), X.exp() * T)
        assert torch.allclose(tangent(jacrev(torch.exp)(dual)), torch.diag(X.exp() * T))


def test_a_captured_dual_passes_its_tangent_on():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(X, T)
        assert torch.allclose(tangent(grad(lambda y: (y.sin() * dual).sum())(X)), X.cos() * T)
