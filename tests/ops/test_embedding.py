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


def test_bags_refuse_what_they_cannot_read():
    table = torch.tensor(TABLE)
    refused = (
        ("padding_idx must be within the number of embeddings, -5 through 4, but got 5", {"padding_idx": 5}),
        (
            "to have the same type as tensor for argument #1 'per_sample_weights'",
            {"mode": "sum", "weights": torch.float32},
        ),
    )
    for text, options in refused:
        given = options.pop("weights", None)
        if given is not None:
            options["per_sample_weights"] = torch.ones(2, 3, dtype=given)
        with pytest.raises(RuntimeError, match=text):
            F["embedding_bag"](INDICES, table, **options)
    outside = torch.tensor([[0, 9]])
    with pytest.raises(RuntimeError, match="Expected idx >= 0 && idx < num_embeddings but found idx to be 9"):
        F["embedding_bag"](outside, table)
    with pytest.raises(RuntimeError, match=r"Index 1 of input takes value 9 which is not in the valid range \[0, 5\)"):
        F["embedding_bag"](outside, table.float())
    with pytest.raises(RuntimeError, match="to have one of the following scalar types: Long, Int; but got torch.Float"):
        torch.embedding_bag(table, torch.ones(2), torch.tensor([0]))


def test_bags_leave_out_the_last_row_where_it_is_named_and_take_no_bags():
    table = torch.tensor(TABLE)
    summed = torch.embedding_bag(table, torch.tensor([1, 4]), torch.tensor([0]), False, 0, False, None, False, -1)[0]
    np.testing.assert_allclose(summed.numpy(), TABLE[[1]])
    assert torch.embedding_bag(table, torch.tensor([1, 4]), torch.tensor([], dtype=torch.int64))[0].shape == (0, 3)


def test_rows_of_bfloat16_are_shortened_and_tangents_are_not():
    table = torch.full((2, 4), 2.0, dtype=torch.bfloat16)
    assert F["embedding"](torch.tensor([1]), table, max_norm=1.0).tolist() == [[0.5] * 4]
    assert table.tolist() == [[2.0] * 4, [0.5] * 4]
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(torch.full((2, 4), 2.0), torch.ones(2, 4))
        looked_up = F["embedding"](torch.tensor([1]), dual, max_norm=1.0)
        assert torch.autograd.forward_ad.unpack_dual(looked_up).tangent.tolist() == [[1.0] * 4]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_gradients_of_bags_may_be_batched_and_kept_but_not_differentiated(mode):
    table = torch.tensor(TABLE, requires_grad=True)
    bags = F["embedding_bag"](INDICES, table, mode=mode)
    cotangents = torch.tensor(rng.standard_normal((3, 2, 3)))
    with pytest.warns(UserWarning, match="performance drop"):
        (batched,) = torch.autograd.grad(bags, table, cotangents, is_grads_batched=True, retain_graph=True)
    for found, each in zip(batched, cotangents):
        np.testing.assert_allclose(found, torch.autograd.grad(bags, table, each, retain_graph=True)[0])
    (slope,) = torch.autograd.grad(bags, table, cotangents[0].requires_grad_(), create_graph=True)
    with pytest.raises(NotImplementedError, match="the derivative for '_embedding_bag_backward' is not implemented."):
        slope.sum().backward()


def test_second_derivatives_by_frequency_are_those_of_rows_unscaled():
    table = torch.zeros(4, 2, requires_grad=True)
    g = torch.ones(3, 2, requires_grad=True)
    rows = F["embedding"](torch.tensor([1, 1, 2]), table, scale_grad_by_freq=True)
    (slope,) = torch.autograd.grad(rows, table, g, create_graph=True)
    assert slope.tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]
    (twice,) = torch.autograd.grad((slope * torch.arange(8.0).reshape(4, 2)).sum(), g)
    assert twice.tolist() == [[2, 3], [2, 3], [4, 5]]
