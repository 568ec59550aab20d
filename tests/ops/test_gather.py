"""Taking and putting: derivatives by differences, also where places repeat, in place, and of what is not differentiable."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

RNG = np.random.default_rng(3)
X = RNG.permutation(np.linspace(-2, 2, 12)).reshape(3, 4) + 0.1
S = RNG.permutation(np.linspace(-1, 1, 8)).reshape(2, 4) + 0.05
G = torch.tensor([[0, 2, 1, 2], [2, 0, 1, 1]])
ROWS = torch.tensor([2, 0])
TWICE = torch.tensor([1, 1])
MASK = torch.from_numpy(X > 0)

CASES = {
    "gather": (lambda x: x.gather(0, G), X),
    "gather from a number": (lambda x: x[0, 0].gather(0, torch.tensor([0, 0])), X),
    "scatter": (lambda x, s: x.scatter(0, torch.tensor([[0, 2, 1, 2], [2, 0, 0, 1]]), s), X, S),
    "scatter a number": (lambda x: x.scatter(0, G, 2.5), X),
    "scatter_add": (lambda x, s: x.scatter_add(0, G, s), X, S),
    **{
        f"scatter_reduce {how} {own}": (
            lambda x, s, how=how, own=own: x.scatter_reduce(0, G, s, how, include_self=own),
            *(X, S),
        )
        for how in ("sum", "prod", "mean", "amax", "amin")
        for own in (True, False)
    },
    **{
        f"index_reduce {how}": (lambda x, s, how=how: x.index_reduce(0, TWICE, s, how), X, S)
        for how in ("prod", "mean", "amax", "amin")
    },
    "index_select": (lambda x: x.index_select(1, torch.tensor([3, 0, 3])), X),
    "index_add": (lambda x, s: x.index_add(0, TWICE, s, alpha=2), X, S),
    "index_copy": (lambda x, s: x.index_copy(0, ROWS, s), X, S),
    "index_fill": (lambda x, v: x.index_fill(0, TWICE, v), X, np.array(0.7)),
    "take": (lambda x: x.take(torch.tensor([0, -1, 0])), X),
    "put": (lambda x, s: x.put(torch.arange(8).view(2, 4), s), X, S),
    "put and add": (lambda x, s: x.put(torch.tensor([[0, 0, 1, 2], [2, 2, 2, 3]]), s, True), X, S),
    "take_along_dim": (lambda x: torch.take_along_dim(x, torch.tensor([[1], [3], [-1]]), 1), X),
    "index_put": (lambda x, s: x.index_put((ROWS,), s), X, S),
    "index_put and add": (lambda x, s: x.index_put((TWICE, torch.tensor([0, 0])), s[0, :1], True), X, S),
    "index": (lambda x: x[:, torch.tensor([0, 3, 0])], X),
    "index by pairs": (lambda x: x[TWICE, torch.tensor([2, 2])], X),
    "index by mask": (lambda x: x[MASK], X),
    "where": (lambda x, y: torch.where(MASK, x, y[0]), X, S),
    "where with a number": (lambda x: torch.where(MASK, 1.5, x), X),
    "masked_fill": (lambda x, v: x.masked_fill(MASK, v), X, np.array(0.3)),
    "masked_select": (lambda x: x.masked_select(MASK[0]), X),
    "masked_scatter": (lambda x, s: x.masked_scatter(MASK, s), X, S),
    "select_scatter": (lambda x, s: x.select_scatter(s[0], 0, 1), X, S),
    "slice_scatter": (lambda x, s: x.slice_scatter(s, 0, 1), X, S),
    "diagonal_scatter": (lambda x, s: x.diagonal_scatter(s[0, :3]), X, S),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_agree_with_differences(name):
    f, *inputs = CASES[name]
    check(f, *inputs)


@pytest.mark.parametrize(
    "name", ["gather", "scatter_add", "index_add", "index", "where", "masked_scatter", "put and add"]
)
def test_derivatives_at_complex_numbers(name):
    f, *inputs = CASES[name]
    check(f, *[each * (1 + 0.5j) for each in inputs])


def test_products_where_zeros_meet():
    x = X.copy()
    x[0, 0] = 0
    s = S.copy()
    s[0, 1] = 0
    check(lambda x, s: x.scatter_reduce(0, G, s, "prod"), x, s, second=False)


def test_in_place():
    def f(x, s):
        y = x * 1
        y.scatter_(0, torch.tensor([[0, 2, 1, 2]]), s[:1])
        y.index_add_(0, TWICE, s)
        y.masked_fill_(MASK, 2.0)
        y.index_fill_(1, torch.tensor([1]), 0.5)
        y.scatter_(0, torch.tensor([[1]]), 3.0)
        y.index_put_((TWICE,), s, accumulate=True)
        y[0, torch.tensor([0, 2])] = s[0, :2]
        return y * y

    check(f, X, S, second=False)


def test_where_gives_places():
    places = torch.where(torch.tensor([[True, False], [True, True]]))
    assert [p.tolist() for p in places] == [[0, 1, 1], [0, 0, 1]]
    assert torch.tensor([1.0, 2.0]).where(torch.tensor([True, False]), torch.tensor(0.0)).tolist() == [1, 0]


def test_index_put_wants_tensors():
    with pytest.raises(TypeError, match="expected Tensor as element 0 in argument 0, but got NoneType"):
        torch.zeros(2, 2).index_put((None, torch.tensor([1])), torch.tensor([1.0]))
