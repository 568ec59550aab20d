"""Subscripts and writes within ``vmap``, beside the loop: values, gradients and Hessians."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.func import grad, hessian, jvp, vmap

torch.manual_seed(0)
X = torch.randn(4, 3, 5, dtype=torch.float64)
ROWS = torch.tensor([[0, 2], [1, 1], [2, 0], [0, 1]])


def read_rows(v, i):
    return v[i]


def read_columns(v, i):
    return v[:, i]


def read_apart(v, i):
    return v[i, None, i]


def read_pairs(v, i):
    return v[i, i + 1]


def read_after_number(v, i):
    return v[1, i]


def read_fixed(v, i):
    return v[torch.tensor([0, 2]), 1:, None][:, torch.tensor([1, 0])]


def read_mask(v, i):
    return v[torch.tensor([True, False, True])]


def write_number(v, i):
    v = v.clone()
    v[i] = 1.0
    return v


def write_columns(v, i):
    v = v.clone()
    v[:, i] = v[:, 3:] * 2
    return v


def write_pairs(v, i):
    v = v.clone()
    v[i, 0] = v[0, 3:].clone()
    return v


def write_slices(v, i):
    v = v.clone()
    v[0] = v[1]
    v[1:, 2:] *= 2
    v[-1, ..., :2] = 5
    return v


def write_fixed(v, i):
    v = v.clone()
    v[:, torch.tensor([0, 1])] = v[:, 3:].clone() ** 2
    v[torch.tensor([True, False, True]), 4:] = v[:2, 3:4] * 3
    return v


def write_views(v, i):
    v = v.clone()
    v.masked_fill_(v > 1, 0.0)
    v.t().add_(1)
    v.view(-1)[2] = 9
    v.diagonal().mul_(v[0, :3].clone())
    return v


def write_by_method(v, i):
    v = v.clone()
    w = v.clone()
    v.index_add_(0, i, w[:2] * w[1:])
    v.scatter_(1, i.reshape(2, 1), 7.0)
    v.index_fill_(1, torch.tensor([3]), 2.0)
    return v


FUNCTIONS = [value for name, value in list(globals().items()) if name.startswith(("read_", "write_"))]


def cubes(function):
    return lambda v, i: (function(v, i) ** 3).sum()


def pushed(function):
    return lambda v, i: jvp(lambda u: function(u, i), (v,), (v.cos(),))[1]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("transform", [lambda f: f, lambda f: grad(cubes(f)), pushed, lambda f: hessian(cubes(f))])
def test_every_sample_as_alone(function, transform):
    transformed = transform(function)
    alone = np.stack([transformed(v, i).numpy() for v, i in zip(X, ROWS)])
    assert np.allclose(vmap(transformed)(X, ROWS).numpy(), alone)
    assert np.allclose(vmap(transformed, (2, 1))(X.movedim(0, 2), ROWS.t()).numpy(), alone)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.__name__.startswith("read_")])
def test_indices_that_differ_into_what_is_the_same(function):
    found = vmap(function, (None, 0))(X[0], ROWS)
    assert np.allclose(found.numpy(), np.stack([function(X[0], i).numpy() for i in ROWS]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradient_of_the_whole_batch(function):
    found = grad(lambda x: vmap(cubes(function))(x, ROWS).sum())(X)
    assert np.allclose(found.numpy(), np.stack([grad(cubes(function))(v, i).numpy() for v, i in zip(X, ROWS)]))
