"""Sorting tensors: derivatives go where values came from; searches take numbers; sets return what is asked for."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

X = np.random.default_rng(4).permutation(np.linspace(-2, 2, 24)).reshape(4, 6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sort(0),
        lambda x: torch.sort(x, stable=True, descending=True),
        lambda x: x.topk(3),
        lambda x: x.topk(2, 0, largest=False),
        lambda x: x.msort(),
        lambda x: x.sum().sort(0),
    ],
)
def test_derivatives_agree_with_differences(f):
    check(f, X)


def test_argsort_has_no_derivative():
    assert not torch.argsort(torch.ones(3, requires_grad=True)).requires_grad


def test_numbers_are_searched_for():
    edges = torch.tensor([1.0, 2.0, 3.0])
    assert torch.searchsorted(edges, 2.0) == 1 and torch.searchsorted(edges, 2.0, right=True) == 2
    assert torch.bucketize(2.5, edges) == 2 and torch.isin(2.0, edges)
    with pytest.raises(RuntimeError, match="side and right can't be set to opposites"):
        torch.searchsorted(edges, edges, right=True, side="left")


def test_sets_return_what_is_asked_for():
    x = torch.tensor([2, 1, 2])
    assert x.unique().tolist() == [1, 2]
    values, counts = torch.unique(x, return_counts=True)
    assert counts.tolist() == [1, 2]
    values, inverse, counts = torch.unique_consecutive(x, return_inverse=True, return_counts=True)
    assert values.tolist() == [2, 1, 2] and inverse.tolist() == [0, 1, 2]


def test_what_is_sorted_keeps_the_order_in_memory():
    x = torch.tensor([[3.0, 1.0], [2.0, 5.0], [4.0, 0.0]]).t()
    values, indices = x.sort(1)
    assert values.stride() == indices.stride() == x.stride() == x.argsort(1).stride()
    assert values.tolist() == [[2, 3, 4], [0, 1, 5]] and indices.tolist() == [[1, 0, 2], [2, 0, 1]]
