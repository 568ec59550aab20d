"""Gradients and gradients of gradients against central differences, for the tests of operators."""

import numpy as np

import rushlight as torch

STEP = 1e-5


def tensors(arrays):
    return [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]


def _value(function, arrays, cotangent):
    with torch.no_grad():
        result = function(*[torch.tensor(a, dtype=torch.float64) for a in arrays])
    return float((result.numpy() * cotangent).sum())


def _numeric(value, arrays, number, step=STEP):
    slope = np.empty_like(arrays[number])
    for i in np.ndindex(slope.shape):
        sides = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[number][i] += sign * step
            sides.append(value(moved))
        slope[i] = (sides[0] - sides[1]) / (2 * step)
    return slope


def check(function, *arrays, second=True, atol=1e-6):
    """The gradient of `function` (of float64 tensors, to one tensor) in every argument; with `second` that of the gradient too."""
    arrays = [np.array(a, dtype=np.float64) for a in arrays]
    rng = np.random.default_rng(7)
    inputs = tensors(arrays)
    result = function(*inputs)
    cotangent = rng.standard_normal(tuple(result.shape))
    g = torch.tensor(cotangent, dtype=torch.float64)
    plain = torch.autograd.grad(result, inputs, g)
    for number, found in enumerate(plain):
        expected = _numeric(lambda moved: _value(function, moved, cotangent), arrays, number)
        np.testing.assert_allclose(found.numpy(), expected, atol=atol, rtol=1e-4)
    recorded = torch.autograd.grad(function(*inputs), inputs, g, create_graph=True)
    for one, other in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), atol=1e-9, rtol=1e-7)
    if not second:
        return
    directions = [rng.standard_normal(a.shape) for a in arrays]
    total = sum((r * torch.tensor(d, dtype=torch.float64)).sum() for r, d in zip(recorded, directions, strict=True))
    if not total.requires_grad:
        return

    def along(moved):
        each = tensors(moved)
        pulled = torch.autograd.grad(function(*each), each, g)
        return float(sum((p.numpy() * d).sum() for p, d in zip(pulled, directions, strict=True)))

    for number, found in enumerate(torch.autograd.grad(total, inputs, allow_unused=True)):
        expected = _numeric(along, arrays, number)
        actual = np.zeros_like(expected) if found is None else found.numpy()
        np.testing.assert_allclose(actual, expected, atol=10 * atol, rtol=1e-3)


def node(tensor):
    """The name of a tensor's node."""
    return tensor.grad_fn.name()
