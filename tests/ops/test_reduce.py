"""Reductions of tensors: derivatives by differences, at ties, zeros, NaN and single elements; named results; in all modes."""

import math

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

X = np.random.default_rng(2).permutation(np.linspace(-2, 2, 24)).reshape(2, 3, 4)
Z = X + 1j * X[::-1, ::-1]

CASES = {
    "sum": lambda x: x.sum(),
    "sum over some": lambda x: x.sum((0, -1)),
    "mean": lambda x: x.mean(1, keepdim=True),
    "nansum": lambda x: x.nansum(0),
    "nanmean": lambda x: x.nanmean(0),
    "prod": lambda x: x.prod(),
    "prod over one": lambda x: x.prod(1),
    "prod over the last": lambda x: x.prod(-1, keepdim=True),
    "amax": lambda x: x.amax((0, 2)),
    "amin": lambda x: x.amin(),
    "aminmax": lambda x: torch.aminmax(x, dim=1),
    "max": lambda x: x.max(),
    "max over one": lambda x: x.max(1),
    "min over one": lambda x: x.min(-1, keepdim=True),
    "logsumexp": lambda x: x.logsumexp((0, 1)),
    "var": lambda x: x.var(1),
    "var of all": lambda x: x.var(unbiased=False),
    "std": lambda x: x.std((0, 2), correction=2, keepdim=True),
    "var_mean": lambda x: torch.var_mean(x, 0, unbiased=False),
    "std_mean": lambda x: torch.std_mean(x, 2),
    "norm": lambda x: x.norm(),
    "norm 1": lambda x: x.norm(1, 1),
    "norm 3": lambda x: x.norm(3, (0, 1), keepdim=True),
    "norm 1.5": lambda x: x.norm(1.5, 2),
    "norm inf": lambda x: x.norm(math.inf, 2),
    "norm -inf": lambda x: x.norm(-math.inf, 0),
    "norm 0.5": lambda x: x.norm(0.5),
    "dist": lambda x: torch.dist(x, x * 2 + 1, 3),
    "trace": lambda x: x[0].trace(),
    "median": lambda x: x.median(1),
    "nanmedian": lambda x: x.nanmedian(),
    "mode": lambda x: x.mode(2),
    "kthvalue": lambda x: x.kthvalue(2, 1),
    "quantile": lambda x: x.quantile(torch.tensor([0.1, 0.6], dtype=torch.float64), 1),
    "nanquantile": lambda x: x.nanquantile(0.3, 2, keepdim=True),
    "cov": lambda x: torch.cov(x[0]),
    "corrcoef": lambda x: torch.corrcoef(x[0]),
}
COMPLEX = ("sum", "mean", "prod", "prod over one", "var", "std", "var_mean", "norm", "norm 1", "norm 3", "cov", "trace")


@pytest.mark.parametrize("name", CASES)
def test_derivatives_agree_with_differences(name):
    check(CASES[name], X)


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_at_complex_numbers(name):
    check(CASES[name], Z)


def gradient(f, *values):
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    f(x).backward()
    return x.grad.tolist()


def test_products_with_zeros():
    for zeros in ((1,), (1, 3), (0, 1, 2)):
        x = np.array([2.0, 3.0, -1.0, 4.0])
        x[list(zeros)] = 0
        check(lambda x: x.prod(), x)
        check(lambda x: torch.stack([x, x + 1]).prod(1), x)


def test_ties_share_or_the_first_takes_all():
    assert gradient(lambda x: x.amax(), 1, 3, 3, 2) == [0, 0.5, 0.5, 0]
    assert gradient(lambda x: x.max(), 1, 3, 3, 3) == [0, 1 / 3, 1 / 3, 1 / 3]
    assert gradient(lambda x: x.max(0).values, 1, 3, 3, 2) == [0, 1, 0, 0]
    assert gradient(lambda x: x.median(), 1, 1, 2) == [0.5, 0.5, 0]


def test_nan_at_extremes():
    assert gradient(lambda x: x.max(), 1, math.nan, math.nan) == [0, 0.5, 0.5]
    assert all(map(math.isnan, gradient(lambda x: x.amax(), 1, math.nan, 2)))
    assert gradient(lambda x: x.nansum(), 1, math.nan) == [1, 0]


def test_edges_of_norms_and_deviations():
    assert gradient(lambda x: x.norm(), 0, 0) == [0, 0]
    assert gradient(lambda x: x.norm(1), 0, -2) == [0, -1]
    assert gradient(lambda x: x.std(), 1, 1) == [0, 0]
    with pytest.warns(UserWarning, match="degrees of freedom is <= 0"):
        assert math.isnan(gradient(lambda x: x.var(), 1)[0])
    assert all(math.isnan(g) for g in gradient(lambda x: x.logsumexp(0), -math.inf, -math.inf))  # as PyTorch has it


def test_named_results():
    found = torch.max(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    assert found.values.tolist() == [5, 7] and found.indices.tolist() == [1, 0]
    assert type(found).__name__ == "max" and "torch.return_types.max(" in repr(found)
    low, high = torch.aminmax(torch.arange(3))
    assert (low, high) == (0, 2)
    assert torch.max(torch.tensor([1, 5]), torch.tensor([3, 3])).tolist() == [3, 5]


def test_names_of_nodes():
    x = torch.ones(2, 2, requires_grad=True)
    names = [
        f(x).grad_fn.name() for f in (torch.sum, lambda x: x.sum(0), torch.mean, lambda x: x.prod(1), lambda x: x.max())
    ]
    assert names == ["SumBackward0", "SumBackward1", "MeanBackward0", "ProdBackward1", "MaxBackward1"]


def test_numpys_names_of_arguments():
    x = torch.arange(6.0).view(2, 3)
    assert x.sum(axis=1, keepdims=True).tolist() == [[3], [12]]


def test_results_without_derivatives():
    x = torch.ones(3, requires_grad=True)
    for f in (torch.argmax, torch.any, torch.all, torch.count_nonzero):
        assert not f(x).requires_grad


def test_out_writes_values_and_places():
    values, places = torch.empty(0), torch.empty(0, dtype=torch.int64)
    found = torch.max(torch.tensor([[1.0, 5.0]]), 1, out=(values, places))
    assert values.tolist() == [5] and places.tolist() == [1] and found.values is values


def test_all_and_any_take_an_empty_list_of_dimensions_at_its_word():
    x = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    assert (
        torch.all(x, dim=()).tolist() == torch.any(x, dim=[], keepdim=True).tolist() == [[False, True], [True, False]]
    )
    assert torch.sum(x, dim=()).item() == 5


def test_products_run_along_one_dimension():
    with pytest.raises(TypeError, match="argument 'dim' must be int, not list"):
        torch.prod(torch.ones(2, 2), dim=[0, 1])


def test_histograms_check_their_edges_limits_and_weights():
    x = torch.tensor([0.5, 1.5, 2.5])
    for text, bins, given in (
        ("bins tensor should have one dimension", torch.ones(2, 2), {}),
        ("bins tensor should have at least 1 element", torch.ones(0), {}),
        ("min should not exceed max, but got min 2 max 1 for dimension 0", 3, {"range": (2.0, 1.0)}),
        ("range should have 2 elements, but got 3", 3, {"range": (0.0, 1.0, 2.0)}),
        ("it should have the same shape as the input tensor", 3, {"weight": torch.ones(4)}),
        ("input tensor and weight tensor should have the same dtype", 3, {"weight": torch.ones(3).double()}),
    ):
        with pytest.raises(RuntimeError, match=text):
            torch.histogram(x, bins, **given)


def test_a_histogram_of_points_without_coordinates():
    hist, edges = torch.histogramdd(torch.zeros(3, 0), bins=[])
    assert hist.item() == 0 and edges == ()


def test_sums_and_products_are_made_in_the_dtype_of_out():
    x = torch.tensor([1.5, 2.5])
    assert torch.sum(x, 0, out=torch.empty((), dtype=torch.int32)).item() == 3
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype int, but got long int instead"):
        torch.prod(x, 0, dtype=torch.int32, out=torch.empty((), dtype=torch.int64))


def test_reductions_of_permuted_input_are_contiguous():
    x = torch.zeros(3, 4, 5).permute(2, 0, 1)
    for made in (x.sum(1), x.mean(1), x.amax(1), x.var(1), x.sum(1, dtype=torch.float64)):
        assert made.shape == (5, 4) and made.is_contiguous()


def test_medians_of_bools_are_refused():
    for call in (torch.median, lambda x: torch.median(x, 0), lambda x: torch.kthvalue(x, 1)):
        with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
            call(torch.tensor([True, False]))
