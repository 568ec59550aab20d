"""Embedding, bags and dropout: derivatives, limits, masks."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)
TABLE = rng.standard_normal((5, 3))
INDICES = torch.tensor([[1, 1, 4], [0, 1, 4]])


def test_embedding_derivatives():
    check(lambda w: F["embedding"](INDICES, w), TABLE)
    check(
        lambda w: F["embedding"](INDICES, w, padding_idx=-1),
        np.vstack([TABLE[:4], np.zeros((1, 3))]),
        second=False,
        atol=np.inf,
    )
    w = torch.tensor(TABLE, requires_grad=True)
    F["embedding"](INDICES, w, padding_idx=1).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy()[:, 0], [1, 0, 0, 0, 2])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode):
    w = torch.tensor(TABLE, requires_grad=True)
    out = F["embedding_bag"](INDICES, w, mode=mode)
    rows = TABLE[INDICES.numpy()]
    np.testing.assert_allclose(out.detach().numpy(), getattr(rows, mode)(axis=1))
    out.sum().backward()
    assert w.grad.numpy().sum() == pytest.approx(out.numel() * (3 if mode == "sum" else 1))


def test_max_norm_scales_the_table_in_place():
    w = torch.tensor(TABLE)
    F["embedding"](torch.tensor([0, 2]), w, max_norm=0.1)
    lengths = np.linalg.norm(w.numpy(), axis=1)
    np.testing.assert_allclose(lengths[[0, 2]], 0.1, rtol=1e-5)
    np.testing.assert_array_equal(w.numpy()[[1, 3, 4]], TABLE[[1, 3, 4]])


def test_refusals():
    with pytest.raises(
        NotImplementedError, match="sparse=True is not supported, because rushlight has no sparse tensors"
    ):
        F["embedding"](INDICES, torch.tensor(TABLE), sparse=True)
    with pytest.raises(IndexError, match="index out of range in self"):
        F["embedding"](torch.tensor([5]), torch.tensor(TABLE))
    with pytest.raises(ValueError, match="mode has to be one of sum, mean or max"):
        F["embedding_bag"](INDICES, torch.tensor(TABLE), mode="median")


def test_one_hot_takes_the_largest_index():
    np.testing.assert_array_equal(F["one_hot"](torch.tensor([0, 2])).numpy(), [[1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("name", ["dropout", "dropout1d", "alpha_dropout", "feature_alpha_dropout"])
def test_dropout_is_nothing_in_evaluation_and_has_a_gradient_in_training(name):
    x = torch.tensor(rng.standard_normal((4, 5, 6)), requires_grad=True)
    assert F[name](x, 0.5, training=False) is x
    torch.manual_seed(1)
    y = F[name](x, 0.5, training=True)
    y.sum().backward()
    kept = x.grad.numpy() != 0
    assert 0.2 < kept.mean() < 0.8
    if name in ("dropout", "dropout1d"):
        np.testing.assert_allclose(y.detach().numpy(), np.where(kept, 2 * x.detach().numpy(), 0))
    if name in ("dropout1d", "feature_alpha_dropout"):
        assert (kept.all(axis=2) | ~kept.any(axis=2)).all()


def test_dropout_in_place_and_its_probability():
    x = torch.ones(1000)
    y = F["dropout"](x, 0.25, inplace=True)
    assert y is x
    assert 0.7 < (x.numpy() != 0).mean() < 0.8
    assert F["dropout"](torch.ones(3), 1.0).tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1, but got 1.5"):
        F["dropout"](x, 1.5)
