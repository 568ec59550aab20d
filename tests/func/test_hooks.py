"""Hooks on tensors within reverse transforms: they answer in the backward pass of the innermost one around their registration."""

import rushlight as torch
from rushlight.func import grad

X = torch.tensor([1.0, 2.0])


def hooked(x):
    y = x**2
    y.register_hook(lambda cotangent: cotangent * 3)
    return (y**2).sum()


def test_a_hook_answers_once():
    assert torch.equal(grad(hooked)(X), 12 * X**3)
    assert torch.equal(grad(lambda x: grad(hooked)(x).sum())(X), 36 * X**2)


def test_backward_outside_passes_it_by():
    x = X.clone().requires_grad_()
    grad(hooked)(x).sum().backward()
    assert torch.equal(x.grad, 36 * X**2)


def test_a_hook_of_an_outer_transform_stays_its_own():
    def outer(x):
        y = x**2
        y.register_hook(lambda cotangent: cotangent * 3)
        return grad(lambda z: (y * z**2).sum())(x).sum()

    # d(2 x y)/dx with y's part three times
    assert torch.equal(grad(outer)(X), 2 * X**2 + 3 * 4 * X**2)
