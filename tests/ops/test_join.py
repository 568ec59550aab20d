"""Joining, repeating, turning: derivatives by differences, and what only the functions on tensors do."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

RNG = np.random.default_rng(1)
A, B = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
V, W = RNG.standard_normal(3), RNG.standard_normal(2)

CASES = {
    "cat": (lambda a, b: torch.cat([a, b * a], 1), A, B),
    "cat skips nothing": (lambda a: torch.cat([torch.zeros(0, dtype=torch.float64), a]), A),
    "stack": (lambda a, b: torch.stack([a, b, a], 1), A, B),
    "hstack": (lambda a, b: torch.hstack([a, b]), V, W),
    "vstack": (lambda a, b: torch.vstack([a, b]), A, V),
    "dstack": (lambda a, b: torch.dstack([a, b]), A, B),
    "column_stack": (lambda a, b: torch.column_stack([a, b]), A, W),
    "block_diag": (lambda a, b: torch.block_diag(a, b, a[0, 0]), A, V),
    "meshgrid": (lambda a, b: torch.meshgrid(a, b, indexing="xy"), V, W),
    "cartesian_prod": (lambda a, b: torch.cartesian_prod(a, b), V, W),
    "combinations": (lambda a: torch.combinations(a, 2, True), V),
    "broadcast_tensors": (lambda a, b: torch.broadcast_tensors(a, b), A, V),
    "vander": (lambda a: torch.vander(a, 4), V),
    "repeat": (lambda a: a.repeat(2, 1, 3), A),
    "tile": (lambda a: a.tile(2), A),
    "repeat_interleave": (lambda a: a.repeat_interleave(2), A),
    "repeat_interleave counts": (lambda a: a.repeat_interleave(torch.tensor([2, 0, 1]), 1), A),
    "roll": (lambda a: a.roll((1, -2), (0, 1)), A),
    "flip": (lambda a: a.flip(0, 1), A),
    "rot90": (lambda a: a.rot90(), A),
    "tril": (lambda a: a.tril(-1), A),
    "triu": (lambda a: a.triu(1), A),
    "diag": (lambda a: a.diag(1), A),
    "diag of a vector": (lambda a: a.diag(-1), V),
    "diag_embed": (lambda a: a.diag_embed(1, 0, 2), A),
    "diagflat": (lambda a: a.diagflat(1), A),
    "atleast_3d": (lambda a, b: torch.atleast_3d(a, b), A, V),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_agree_with_differences(name):
    f, *inputs = CASES[name]
    check(f, *inputs)


def test_meshgrid_warns_without_indexing():
    with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
        torch.meshgrid(torch.arange(2), torch.arange(3))


def test_broadcast_shapes():
    assert torch.broadcast_shapes((2, 1), 3, (1, 1, 1)) == (1, 2, 3)
    with pytest.raises(RuntimeError, match=r"Attempting to broadcast a dimension of length 4 at -1!"):
        torch.broadcast_shapes((2, 3), (4,))


def test_gradients_keep_the_dtype_of_each_part():
    a = torch.ones(2, requires_grad=True)
    b = torch.ones(2, dtype=torch.float64, requires_grad=True)
    torch.cat([a, b]).sum().backward()
    assert a.grad.dtype == torch.float32 and b.grad.dtype == torch.float64


def test_out():
    out = torch.empty(0)
    assert torch.cat([torch.ones(2), torch.zeros(1)], out=out) is out and out.tolist() == [1, 1, 0]
