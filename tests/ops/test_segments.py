"""Reductions of runs of slices."""

import math

import pytest

import rushlight as torch

DATA = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]


@pytest.mark.parametrize(
    ("reduce", "first", "empty", "last"),
    [
        ("sum", [1, 2], 0, [15, 18]),
        ("max", [1, 2], -math.inf, [7, 8]),
        ("min", [1, 2], math.inf, [3, 4]),
        ("prod", [1, 2], 1, [105, 192]),
    ],
)
def test_runs_by_lengths_and_by_offsets(reduce, first, empty, last):
    data = torch.tensor(DATA)
    expected = [first, [empty] * 2, last]
    assert torch.segment_reduce(data, reduce, lengths=torch.tensor([1, 0, 3])).tolist() == expected
    assert torch.segment_reduce(data, reduce, offsets=torch.tensor([0, 1, 1, 4])).tolist() == expected


def test_a_mean_of_nothing_is_nan_unless_there_is_an_initial_value():
    lengths = torch.tensor([4, 0])
    assert torch.isnan(torch.segment_reduce(torch.tensor(DATA), "mean", lengths=lengths)[1]).all()
    assert torch.segment_reduce(torch.tensor(DATA), "mean", lengths=lengths, initial=2).tolist() == [[4.5, 5.5], [2, 2]]


def test_runs_along_a_later_dimension_have_their_own_lengths_in_each_row():
    made = torch.segment_reduce(
        torch.tensor(DATA), "sum", axis=1, lengths=torch.tensor([[1, 1], [2, 0], [0, 2], [1, 1]])
    )
    assert made.tolist() == [[1, 2], [7, 0], [0, 11], [7, 8]]


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_derivatives(reduce):
    x = torch.tensor([0.3, -1.2, 2.5, 0.7, 1.1], dtype=torch.float64, requires_grad=True)

    def f(x):
        return torch.segment_reduce(x, reduce, lengths=torch.tensor([2, 0, 3]), initial=1)

    assert torch.autograd.gradcheck(f, x)
    (g,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for aten::_segment_reduce_backward is not implemented"):
        g.sum().backward()
    with pytest.raises(NotImplementedError, match="Trying to use forward AD with segment_reduce"):
        torch.func.jvp(f, (x,), (x,))


def test_the_only_zero_of_a_product_gets_the_product_of_the_others():
    x = torch.tensor([2.0, 0.0, 5.0, 0.0, 0.0], requires_grad=True)
    torch.segment_reduce(x, "prod", lengths=torch.tensor([3, 2])).sum().backward()
    assert x.grad.tolist() == [0, 10, 0, 0, 0]


def test_lengths_must_add_up():
    with pytest.raises(RuntimeError, match="Expected all rows of lengths along axis to sum to data.size"):
        torch.segment_reduce(torch.tensor(DATA), "sum", lengths=torch.tensor([1, 1]))
    with pytest.raises(RuntimeError, match="lengths contains negative value!"):
        torch.segment_reduce(torch.tensor(DATA), "sum", lengths=torch.tensor([-1, 5]))
    with pytest.raises(RuntimeError, match="Either lengths or offsets must be defined"):
        torch.segment_reduce(torch.tensor(DATA), "sum")
