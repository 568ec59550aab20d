"""``torch.testing.make_tensor``: ranges, gaps and refusals."""

import pytest

import rushlight as torch

make_tensor = torch.testing.make_tensor


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.uint16, torch.int8, torch.float16, torch.complex64])
def test_range_is_cut_to_the_dtype(dtype):
    made = make_tensor(50, dtype=dtype, device="cpu", low=-1e9, high=1e9)
    assert made.dtype is dtype and bool(made.isfinite().all())


def test_range_wider_than_the_largest_value_is_reached_on_both_sides():
    made = make_tensor(200, dtype=torch.float32, device="cpu", low=float("-inf"), high=float("inf"))
    assert bool(made.isfinite().all()) and made.min() < -1e38 and made.max() > 1e38


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(dtype=torch.int32, low=2, high=2), "`low` must be less than `high`, but got 2 >= 2"),
        (dict(dtype=torch.float32, low=3, high=2), "`low` must be less than `high`, but got 3 >= 2"),
        (dict(dtype=torch.float32, low=float("nan")), "cannot be NaN, but got low=nan and high=9"),
        (dict(dtype=torch.uint8, low=300, high=400), r"is \[300, 400\), but torch.uint8 only supports \[0, 256\)"),
        (dict(dtype=torch.int32, requires_grad=True), "not supported for boolean and integral dtypes"),
        (dict(dtype=torch.int32, noncontiguous=True, memory_format=torch.channels_last), "mutually exclusive"),
    ],
)
def test_refusals(options, text):
    with pytest.raises(ValueError, match=text):
        make_tensor(2, device="cpu", **options)


def test_layouts():
    assert make_tensor(2, 3, dtype=torch.float32, device="cpu", noncontiguous=True).stride() == (6, 2)
    made = make_tensor(2, 3, 4, 5, dtype=torch.float32, device="cpu", memory_format=torch.channels_last)
    assert made.stride() == (60, 1, 15, 3)


def test_exclude_zero():
    assert bool(make_tensor(20, dtype=torch.bool, device="cpu", exclude_zero=True).all())
