"""Subscripts: what counts as a tuple of indices, masks of bytes, and the dtypes of values written."""

import pytest

import rushlight as torch


def test_short_sequence_of_more_than_numbers_is_a_tuple_of_indices():
    x = torch.arange(4.0).view(2, 2)
    with pytest.warns(UserWarning, match="non-tuple sequence for multidimensional indexing"):
        assert x[[[0, 1], [1, 1]]].tolist() == [1, 3]
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[torch.tensor(0), torch.tensor(1)]].item() == 1
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        x[[None, 0]] = 7
    assert x.tolist() == [[7, 7], [2, 3]]


def test_lists_of_numbers_are_indices():
    x = torch.arange(4.0)
    assert x[[0, 2]].tolist() == [0, 2]
    assert x[[True, False, False, True]].tolist() == [0, 3]


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
def test_byte_without_dimensions_is_a_mask():
    assert torch.tensor(3.0)[torch.tensor(1, dtype=torch.uint8)].shape == (1,)
    assert torch.ones(2, 3)[torch.tensor(0, dtype=torch.uint8)].shape == (0, 2, 3)


def test_values_of_another_dtype():
    x = torch.zeros(3)
    x[torch.tensor([True, False, True])] = torch.tensor([[2]])
    x[1] = torch.tensor(5)
    x[True] = x.long() + 1
    assert x.tolist() == [3, 6, 3]
    with pytest.raises(RuntimeError, match="dtypes match, got Float for the destination and Long for the source"):
        x[torch.tensor([0])] = torch.tensor(2)
    with pytest.raises(RuntimeError, match=r"value tensor of shape \[4\] cannot be broadcast to indexing result"):
        x[torch.tensor([0, 1])] = torch.arange(4)


def test_refusals():
    x = torch.zeros(0, 3)
    with pytest.raises(IndexError, match="index is out of bounds for dimension with size 0"):
        x[torch.tensor([0])]
    with pytest.raises(TypeError, match="does not support deleting items"):
        del x[0]


def test_a_row_may_be_filled_with_one_of_its_own_elements():
    x = torch.arange(6.0).reshape(2, 3)
    x[1] = x[1][2]
    assert x.tolist() == [[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]]
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x[1] = x.flatten()[2:5]
