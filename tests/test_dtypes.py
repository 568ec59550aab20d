"""Promotion: by category, dimensioned tensors before 0-d tensors before numbers."""

import pickle

import pytest

import rushlight as torch


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        (torch.uint8, torch.int8, torch.int16),
        (torch.int32, torch.int64, torch.int64),
        (torch.bool, torch.uint8, torch.uint8),
        (torch.int64, torch.float16, torch.float16),
        (torch.float16, torch.bfloat16, torch.float32),
        (torch.complex64, torch.float64, torch.complex128),
        (torch.uint16, torch.float32, torch.float32),
    ],
)
def test_promote_types(a, b, result):
    assert torch.promote_types(a, b) is result and torch.promote_types(b, a) is result


def test_wide_unsigned_types_do_not_promote():
    with pytest.raises(RuntimeError, match="Promotion for uint16, uint32, uint64 types is not supported"):
        torch.promote_types(torch.uint16, torch.int32)


def test_a_dimensioned_tensor_outranks_zero_dim_tensors_and_numbers_of_its_category():
    half = torch.ones(2, dtype=torch.float16)
    assert (half * torch.tensor(2.0, dtype=torch.float64)).dtype is torch.float16
    assert (half * 2.5).dtype is torch.float16
    assert (torch.ones(2, dtype=torch.int32) * 2.5).dtype is torch.float32
    assert (torch.ones(2, dtype=torch.uint8) + 1).dtype is torch.uint8
    assert (torch.tensor(1.0) + torch.tensor(1.0, dtype=torch.float64)).dtype is torch.float64
    assert (torch.ones(2, dtype=torch.float64) * 1j).dtype is torch.complex128
    assert (torch.ones(2) * 1j).dtype is torch.complex64


def test_integers_become_the_default_dtype_in_float_functions():
    assert torch.sin(torch.tensor([1, 2])).dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    assert torch.sin(torch.tensor([1, 2])).dtype is torch.float64 and torch.tensor(1.5).dtype is torch.float64
    with pytest.raises(TypeError):
        torch.set_default_dtype(torch.int32)


def test_division_is_true_division():
    assert (torch.tensor([3]) / torch.tensor([2])).tolist() == [1.5]


def test_half_precision_is_computed_in_single_and_rounded_once():
    x = torch.tensor([0.1], dtype=torch.float16)
    # 0.1 in half is 0.0999755859375; times 0.3 in single precision, rounded to half
    assert (x * 0.3).item() == 0.029998779296875


def test_limits():
    assert torch.finfo(torch.float32).eps == 2.0**-23 and torch.iinfo(torch.int8).max == 127
    assert torch.finfo(torch.bfloat16).max == 3.3895313892515355e38
    with pytest.raises(TypeError):
        torch.finfo(torch.int32)
    assert repr(torch.float32) == "torch.float32"


def test_schemes_of_quantised_tensors_are_names():
    assert (
        isinstance(torch.per_tensor_affine, torch.qscheme)
        and repr(torch.per_tensor_affine) == "torch.per_tensor_affine"
    )
    assert pickle.loads(pickle.dumps(torch.per_channel_symmetric)) is torch.per_channel_symmetric


def test_limits_compare_by_dtype():
    assert torch.finfo(torch.float32) == torch.finfo(torch.complex64) != torch.finfo(torch.float64)
    assert torch.iinfo(torch.int8) == torch.iinfo(torch.int8) != torch.finfo(torch.float32)
    assert len({torch.iinfo(torch.int8), torch.iinfo(torch.int8)}) == 1
