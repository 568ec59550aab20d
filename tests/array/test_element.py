"""Python numbers as elements: what fits, what wraps around, what is refused."""

import math

import numpy as np
import pytest

import rushlight as torch
from rushlight.array.element import element, fits, scalar


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (300, torch.uint8),
        (-256, torch.uint8),
        (-0.5, torch.uint8),
        (255.5, torch.uint8),
        (-129, torch.int8),
        (math.nan, torch.int64),
        (math.inf, torch.int64),
        (65505, torch.float16),
        (1e39, torch.float32),
        (1j, torch.float64),
        (1e39j, torch.complex64),
    ],
)
def test_refused(value, dtype):
    assert not fits(value, dtype)
    with pytest.raises(RuntimeError, match="value cannot be converted to type .* without overflow"):
        element(value, dtype)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (-1, torch.uint8, 255),
        (-3, torch.uint16, 65533),
        (3.9, torch.int32, 3),
        (1 + 0j, torch.int32, 1),
        (math.inf, torch.float16, math.inf),
        (2j, torch.bool, True),
        (2**63, torch.uint64, 2**63),
    ],
)
def test_converted(value, dtype, expected):
    made = element(value, dtype)
    assert made.shape == () and made.dtype == dtype.numpy and made.item() == expected


def test_integers_of_more_than_64_bits():
    with pytest.raises(OverflowError, match="int too big to convert"):
        element(2**64, torch.float32)
    with pytest.raises(OverflowError, match="int too big to convert"):
        torch.ones(2) * 2**64


def test_half_precision_scalars_go_by_way_of_a_double():
    assert scalar(1e9, torch.float16) == np.inf
    with pytest.raises(RuntimeError, match="type double"):
        scalar(1j, torch.float16)


def test_operators_refuse_what_does_not_fit():
    bytes_ = torch.ones(2, dtype=torch.uint8)
    mask = torch.tensor([True, False])
    for refused in (
        lambda: bytes_.fill_(300),
        lambda: bytes_.masked_fill(mask, 300),
        lambda: bytes_.__setitem__(0, 300),
        lambda: bytes_.scatter(0, torch.tensor([0]), 300),
        lambda: bytes_.clamp(max=300),
        lambda: torch.full((2,), 300, dtype=torch.uint8),
        lambda: torch.where(mask, bytes_, 300),
    ):
        with pytest.raises(RuntimeError, match="type uint8_t without overflow"):
            refused()
    with pytest.raises(RuntimeError, match="Integers to negative integer powers"):
        bytes_**-3
