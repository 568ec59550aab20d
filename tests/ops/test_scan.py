"""Running reductions, differences and integrals: derivatives by differences, with zeros and equal elements."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

X = np.random.default_rng(5).permutation(np.linspace(-2, 2, 12)).reshape(3, 4) + 0.05

CASES = {
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(0),
    "cummax": lambda x: x.cummax(1),
    "cummin": lambda x: x.cummin(0),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "diff": lambda x: x.diff(n=2, dim=1, prepend=x[:, :1] * 2),
    "trapezoid": lambda x: torch.trapezoid(x, x[0] * x[0], dim=1),
    "trapezoid dx": lambda x: torch.trapezoid(x, dx=0.5, dim=0),
    "cumulative_trapezoid": lambda x: torch.cumulative_trapezoid(x, dim=1),
    "gradient": lambda x: torch.gradient(x, spacing=2.0),
    "gradient at places": lambda x: torch.gradient(
        x, spacing=(torch.tensor([0.0, 1.0, 4.0, 6.0], dtype=torch.float64),), dim=1, edge_order=2
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_agree_with_differences(name):
    check(CASES[name], X)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "diff"])
def test_derivatives_at_complex_numbers(name):
    check(CASES[name], X * (1 + 0.3j))


def test_running_products_with_zeros():
    x = X.copy()
    x[0, 1] = x[2, 0] = x[2, 2] = 0
    check(lambda x: x.cumprod(1), x)


def test_in_place():
    x = torch.tensor([1.0, 2.0, 3.0])
    assert x.cumsum_(0) is x and x.tolist() == [1, 3, 6]


def test_gradients_of_a_parabola_are_exact():
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    (slope,) = torch.gradient(t * t, spacing=0.1, edge_order=2)
    assert torch.allclose(slope, 2 * t)
    assert torch.allclose(torch.trapezoid(2 * t, t), torch.tensor(1.0, dtype=torch.float64))
