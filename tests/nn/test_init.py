"""`nn.init`: bounds, deviations and shapes, and PyTorch's numbers for a seed."""

import math

import pytest

import rushlight as torch
from rushlight.nn import init


@pytest.mark.parametrize(
    ("fill", "bound"),
    [
        (lambda t: init.xavier_uniform_(t, gain=2.0), 2 * math.sqrt(6 / 500)),
        (lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), math.sqrt(6 / 200)),
        (lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"), math.sqrt(6 / 300)),
    ],
)
def test_uniform_rules_keep_to_their_bounds(fill, bound):
    drawn = fill(torch.empty(300, 200)).abs()
    assert bound * 0.999 < drawn.max().item() <= bound


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda t: init.normal_(t, std=0.3), 0.3),
        (init.xavier_normal_, math.sqrt(2 / 500)),
        (lambda t: init.kaiming_normal_(t, nonlinearity="linear"), math.sqrt(1 / 200)),
    ],
)
def test_normal_rules_have_their_deviation(fill, std):
    assert abs(fill(torch.empty(300, 200)).std().item() / std - 1) < 0.02


def test_orthogonal_rows_are_orthonormal():
    q = init.orthogonal_(torch.empty(4, 3, 5, dtype=torch.float64)).reshape(4, 15)
    assert torch.allclose(q @ q.T, torch.eye(4, dtype=torch.float64))


def test_dirac_passes_channels_on():
    weight = init.dirac_(torch.empty(2, 2, 3))
    x = torch.randn(1, 2, 8)
    assert torch.equal(torch.nn.functional.conv1d(x, weight, padding=1), x)


def test_sparse_sets_a_share_of_each_column_to_zero():
    assert ((init.sparse_(torch.empty(10, 6), 0.3) == 0).sum(0) == 3).all()


@pytest.mark.parametrize(("low", "high"), [(-2.0, 2.0), (0.4, 0.5), (1.5, 2.5)])
def test_truncated_normal_stays_inside(low, high):
    drawn = init.trunc_normal_(torch.empty(1000), a=low, b=high)
    assert low <= drawn.min().item() <= drawn.max().item() <= high


def test_a_seed_gives_pytorchs_numbers():
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 2)
    assert torch.allclose(layer.weight, torch.tensor([[-0.0053, 0.3793], [-0.5820, -0.5204]]), atol=1e-4)
    assert torch.allclose(layer.bias, torch.tensor([-0.2723, 0.1896]), atol=1e-4)


def test_older_names_warn():
    with pytest.warns(FutureWarning, match=r"`nn.init.uniform` is now deprecated in favor of `nn.init.uniform_`"):
        init.uniform(torch.empty(1))
