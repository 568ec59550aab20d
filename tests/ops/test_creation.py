"""Constructors: memory formats, ``out=`` of ranges, capsules, and what they refuse."""

import pytest

import rushlight as torch


def test_like_obeys_the_memory_format():
    x = torch.ones(2, 3, 4, 5)
    for make in (torch.zeros_like, torch.ones_like, torch.empty_like, lambda t, **k: torch.full_like(t, 2, **k)):
        assert make(x, memory_format=torch.channels_last).stride() == (60, 1, 15, 3)
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        torch.zeros_like(torch.ones(2, 3, 4), memory_format=torch.channels_last)


def test_resize_obeys_the_memory_format_and_keeps_strides():
    x = torch.arange(120.0)
    assert x.resize_(2, 3, 4, 5, memory_format=torch.channels_last).stride() == (60, 1, 15, 3)
    assert x[0, 1, 0, 0].item() == 1
    y = torch.ones(3, 2).t()
    assert y.resize_as_(torch.ones(2, 3)).stride() == (1, 2)
    assert torch.ones(4).resize_as_(x, memory_format=torch.preserve_format).stride() == x.stride()
    with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
        y.resize_(2**40, 2**40)


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda out: torch.arange(0, 4, out=out), [0, 1, 2, 3]),
        (lambda out: torch.linspace(0, 3, 4, out=out), [0, 1, 2, 3]),
        (lambda out: torch.logspace(0, 3, 4, base=2, out=out), [1, 2, 4, 8]),
    ],
)
def test_ranges_fill_an_out_of_another_shape(make, values):
    x = torch.zeros(2, 3)
    make(x[:, 1:])
    assert x[:, 1:].reshape(-1).tolist() == values and x[:, 0].tolist() == [0, 0]


def test_range_is_deprecated_and_includes_its_end():
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        assert torch.range(0, 3).tolist() == [0, 1, 2, 3]
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="inconsistent with step sign"):
        torch.range(1, 0)


def test_capsules():
    x = torch.arange(3.0)
    made = torch.from_dlpack(torch.to_dlpack(x))
    made[0] = 7
    assert x[0].item() == 7
    with pytest.raises(RuntimeError, match="received an invalid capsule"):
        torch.from_dlpack(3)
    with pytest.raises(TypeError, match="stream must be"):
        x.__dlpack__(stream=1.5)


def test_lists_of_tensors():
    for stack in (torch.hstack, torch.vstack, torch.dstack, torch.column_stack):
        with pytest.raises(TypeError, match=r"argument 'tensors' \(position 1\) must be tuple of Tensors, not Tensor"):
            stack(torch.ones(2))
        with pytest.raises(TypeError, match="expected Tensor as element 1 in argument 0, but got int"):
            stack([torch.ones(2), 1])


def test_whole_numbers_of_any_size():
    assert torch.tensor([2**80, 1.0]).tolist() == [2.0**80, 1.0]
    assert torch.tensor([2**64, 0], dtype=torch.bool).tolist() == [True, False]
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8 without overflow"):
        torch.tensor([255.5], dtype=torch.uint8)


def test_out_that_overlaps_an_operand_in_part_is_refused():
    x = torch.arange(6.0)
    for write in (lambda: torch.add(x[:5], 1, out=x[1:]), lambda: torch.sin(x[1:], out=x[:5])):
        with pytest.raises(
            RuntimeError, match="input tensor and the written-to tensor refer to a single memory location"
        ):
            write()
    assert torch.add(x, 1, out=x).tolist() == [1, 2, 3, 4, 5, 6]
    assert torch.add(x[:3], 1, out=x[3:]).tolist() == [2, 3, 4]


def test_empty_lies_in_the_format_it_is_asked_for():
    assert torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride() == (60, 1, 15, 3)
    assert torch.empty(2, 3, memory_format=torch.contiguous_format).stride() == (3, 1)
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        torch.empty(2, 3, memory_format=torch.channels_last)
    with pytest.raises(RuntimeError, match="unsupported memory format Preserve"):
        torch.empty(2, 3, memory_format=torch.preserve_format)
    with pytest.raises(TypeError, match="unexpected keyword argument 'memory_format'"):
        torch.zeros(2, 3, 4, 5, memory_format=torch.channels_last)
