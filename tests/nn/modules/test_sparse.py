"""Embedding and EmbeddingBag."""

import pytest

import rushlight as torch
from rushlight import nn

TABLE = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


def test_rows_at_indices_of_any_shape():
    layer = nn.Embedding.from_pretrained(torch.tensor(TABLE))
    assert layer(torch.tensor([[2], [0]])).tolist() == [[[4, 5]], [[0, 1]]]
    assert not layer.weight.requires_grad


def test_the_padding_row_is_zero_and_stays_so():
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2 and layer.weight[2].tolist() == [0, 0]
    layer(torch.tensor([0, 2, 2])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


def test_rows_are_shortened_in_place_when_looked_up():
    layer = nn.Embedding(3, 2, max_norm=1.0, _weight=torch.tensor(TABLE))
    layer(torch.tensor([2]))
    assert layer.weight[2].norm().item() == pytest.approx(1.0, abs=1e-5)
    assert layer.weight[1].tolist() == [2, 3]


@pytest.mark.parametrize(("mode", "expected"), [("sum", [6, 8]), ("mean", [3, 4]), ("max", [4, 5])])
def test_bags_are_reduced(mode, expected):
    layer = nn.EmbeddingBag.from_pretrained(torch.tensor(TABLE), mode=mode)
    assert layer(torch.tensor([[1, 2]])).tolist() == [expected]
    assert layer(torch.tensor([1, 2, 0]), torch.tensor([0, 2])).tolist() == [expected, [0, 1]]


def test_bags_leave_padding_out():
    layer = nn.EmbeddingBag.from_pretrained(torch.tensor(TABLE), mode="mean", padding_idx=0)
    assert layer(torch.tensor([[1, 0, 0]])).tolist() == [[2, 3]]


def test_sparse_gradients_say_that_they_are_missing():
    with pytest.raises(NotImplementedError, match="no sparse tensors"):
        nn.Embedding(3, 2, sparse=True)(torch.tensor([0]))


def test_printed_forms():
    assert repr(nn.Embedding(3, 2, 1, max_norm=2.0)) == "Embedding(3, 2, padding_idx=1, max_norm=2.0)"
    assert repr(nn.EmbeddingBag(3, 2)) == "EmbeddingBag(3, 2, mode='mean')"
