"""Operators in situations that PyTorch's database does not ask about, compared with PyTorch: value, dtype, shape, strides, error.

Integer overflow and division, special values, NumPy's numbers beside tensors, permuted and expanded memory, in-place writes into
memory that overlaps, and arguments of the wrong type or number.
"""

import math
import warnings

import numpy as np
import pytest
import torch

import rushlight

inf, nan = math.inf, math.nan


def picture(value):
    """What is compared of a result."""
    if isinstance(value, (tuple, list)):
        return [picture(each) for each in value]
    if hasattr(value, "detach"):
        numbers = [f"{n:.5g}" for n in value.detach().reshape(-1).tolist()] if value.numel() < 100 else None
        return str(value.dtype), tuple(value.shape), value.stride(), value.requires_grad, numbers
    return type(value).__name__, repr(value)


def outcome(library, situation):
    """The picture of a situation's result in one of the libraries, or its error's type and text."""
    library.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return picture(situation(library))
        except Exception as error:
            return type(error).__name__, str(error)


def agree(situation):
    assert outcome(rushlight, situation) == outcome(torch, situation)


def counted(t, *shape):
    return t.arange(1, 1 + math.prod(shape), dtype=t.float32).reshape(shape)


# ------------------------------------------------------------------------------------------------------------- whole numbers

WHOLE = {
    "square": lambda t, v: v**2,
    "overflowing_power": lambda t, v: v**9,
    "negative": lambda t, v: -v,
    "difference": lambda t, v: v - 5,
    "from_a_number": lambda t, v: 5 - v,
    "product": lambda t, v: v * v,
    "floor_division": lambda t, v: v // -2,
    "remainder": lambda t, v: v % -3,
    "shift": lambda t, v: v << 7,
    "wide_shift": lambda t, v: v >> 9,
    "number_out_of_range": lambda t, v: v + 300,
    "compared_out_of_range": lambda t, v: v < 300,
    "by_zero": lambda t, v: v // 0,
    "remainder_by_zero": lambda t, v: v % 0,
    "truncated": lambda t, v: t.div(v, -2, rounding_mode="trunc"),
    "beside_a_float": lambda t, v: v + 0.5,
    "beside_a_complex": lambda t, v: v * 1j,
    "made_out_of_range": lambda t, v: t.tensor(300, dtype=v.dtype),
    "times_a_float_in_place": lambda t, v: v.clone().mul_(1.5),
    "power_of_a_number": lambda t, v: 2**v,
    "summed": lambda t, v: v.sum(),
    "running_sum": lambda t, v: v.cumsum(0),
}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name, dtype):
    agree(lambda t: WHOLE[name](t, t.tensor([0, 1, 2, 3, 100]).to(getattr(t, dtype))))


# ------------------------------------------------------------------------------------------------------------- special values

UNARY = (
    "sin exp log sqrt tanh sigmoid floor round trunc sign erf digamma reciprocal rsqrt log1p atan asin acosh abs neg "
    "frac isfinite isinf nan_to_num logit sinc exp2 square ceil sgn"
).split()


@pytest.mark.parametrize("name", UNARY)
def test_unary_of_special_values_numbers_and_nothing(name):
    agree(lambda t: getattr(t, name)(t.tensor([nan, inf, -inf, 0.0, -0.0, 1e30, -1e30, 1.5, -2.5])))
    agree(lambda t: getattr(t, name)(t.tensor(1.5)))
    agree(lambda t: getattr(t, name)(t.zeros(0, 3)))
    agree(lambda t: getattr(t, name)(t.tensor([1, -2])))
    agree(lambda t: getattr(t, name)(t.tensor([True, False])))


BINARY = "add sub mul div pow fmod remainder atan2 eq lt ne logical_and floor_divide copysign hypot xlogy".split()


@pytest.mark.parametrize("name", BINARY)
def test_binary_of_special_values_and_shapes_that_do_not_fit(name):
    first, second = [nan, inf, -inf, 0.0, -0.0, 1.5], [1.0, -inf, inf, nan, 0.0, -2.5]
    agree(lambda t: getattr(t, name)(t.tensor(first), t.tensor(second)))
    agree(lambda t: getattr(t, name)(counted(t, 2, 3), counted(t, 2, 2)))
    agree(lambda t: getattr(t, name)(t.tensor([7, -7]), t.tensor([2, 2])))
    agree(lambda t: getattr(t, name)(t.tensor([7, -7]), t.tensor([0, 0])))
    agree(lambda t: getattr(t, name)(t.tensor([1, 2]), t.tensor(2.5)))


# ------------------------------------------------------------------------------------------------------------- NumPy's numbers

NUMBERS = {
    "times": lambda x: np.float64(2) * x,
    "after": lambda x: x * np.float64(2),
    "single": lambda x: np.float32(2) * x,
    "minus": lambda x: np.float64(2) - x,
    "over": lambda x: np.float64(2) / x,
    "power": lambda x: np.float64(2) ** x,
    "compared": lambda x: np.float64(2) < x,
    "floored": lambda x: np.float64(2) // x,
    "whole": lambda x: np.int64(2) * x.int(),
    "recorded": lambda x: np.float64(2) * x.clone().requires_grad_(),
    "added_array": lambda x: x + np.ones((2, 3)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numpy_numbers_beside_tensors(name):
    agree(lambda t: NUMBERS[name](counted(t, 2, 3)))


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "std", "cumsum", "any", "prod", "unsqueeze"])
def test_numpy_integers_and_single_tensors_as_dimensions(name):
    agree(lambda t: getattr(t, name)(counted(t, 2, 3), np.int64(1)))
    agree(lambda t: getattr(t, name)(counted(t, 2, 3), t.tensor(1)))


# ------------------------------------------------------------------------------------------------------------- memory

LAYOUTS = {
    "permuted": lambda t: counted(t, 4, 2, 3).permute(2, 0, 1),
    "transposed": lambda t: counted(t, 3, 2).t(),
    "strided": lambda t: counted(t, 4, 6)[::2, ::3],
    "channels_last": lambda t: counted(t, 2, 3, 4, 5).contiguous(memory_format=t.channels_last),
}
KEPT = {
    "sin": lambda t, v: v.sin(),
    "plus": lambda t, v: v + 1,
    "with_itself": lambda t, v: v + v,
    "broadcast": lambda t, v: v + t.ones(v.shape[-1]),
    "compared": lambda t, v: v > 2,
    "chosen": lambda t, v: t.where(v > 2, v, 0.0),
    "clamped": lambda t, v: v.clamp(1, 2),
    "clone": lambda t, v: v.clone(),
    "contiguous": lambda t, v: v.contiguous(),
    "zeros_like": lambda t, v: t.zeros_like(v),
    "cast": lambda t, v: v.to(t.float64),
    "lerp": lambda t, v: t.lerp(v, v, 0.5),
    "addcmul": lambda t, v: t.addcmul(v, v, v),
    "running_sum": lambda t, v: v.cumsum(0),
    "dropout": lambda t, v: t.nn.functional.dropout(v, 0.5),
    "rand_like": lambda t, v: t.rand_like(v),
    "indexed": lambda t, v: v[[0]],
    "joined": lambda t, v: t.cat([v, v]),
    "product": lambda t, v: v @ v.transpose(-1, -2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", KEPT)
def test_results_lie_in_memory_as_pytorchs_do(name, layout):
    agree(lambda t: KEPT[name](t, LAYOUTS[layout](t)))


WRITES = {
    "shifted": lambda t, a: a[1:].add_(a[:-1]),
    "copied": lambda t, a: a[:3].copy_(a[1:4]),
    "expanded": lambda t, a: a.expand(2, 6).add_(1),
    "itself": lambda t, a: a.add_(a),
    "interleaved": lambda t, a: a[::2].add_(a[1::2]),
    "zeroed": lambda t, a: a[:1].expand(3).zero_(),
    "joined": lambda t, a: t.cat([a, a], out=a),
    "drawn": lambda t, a: a[:1].expand(3).uniform_(),
    "clamped": lambda t, a: a[:1].expand(3).clamp_(0, 1),
    "assigned": lambda t, a: a[:1].expand(3).__setitem__(0, 1.0),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_into_overlapping_memory(name):
    agree(lambda t: WRITES[name](t, t.arange(1.0, 7.0)))


# ------------------------------------------------------------------------------------------------------------- arguments

CALLS = {
    "dim_is_a_string": lambda t, x: t.cumsum(x, "a"),
    "dim_is_a_float": lambda t, x: t.unsqueeze(x, dim=1.5),
    "dims_are_a_string": lambda t, x: t.amax(x, "a"),
    "second_dim": lambda t, x: t.transpose(x, 0, "a"),
    "no_dim": lambda t, x: t.cumsum(x),
    "nothing": lambda t, x: t.cumsum(),
    "too_many": lambda t, x: t.amax(x, 1, 2, 3, 4),
    "unknown_keyword": lambda t, x: t.cumsum(x, 0, foo=1),
    "array_for_a_tensor": lambda t, x: t.cumsum(np.ones(2), 0),
    "list_for_a_tensor": lambda t, x: t.softmax([1, 2], 0),
    "sections_are_a_string": lambda t, x: t.hsplit(x, "abc"),
    "sections_are_floats": lambda t, x: t.vsplit(x, (1.5, 2)),
    "maximum_of_numbers": lambda t, x: t.max(2, 3),
    "maximum_along_a_float": lambda t, x: t.max(x, 2.5),
    "joined_tensor": lambda t, x: t.cat(x),
    "joined_numbers": lambda t, x: t.cat([x, 2]),
    "stacked_nothing": lambda t, x: t.stack([x, None]),
    "plus_nothing": lambda t, x: t.add(x, None),
    "times_nothing": lambda t, x: t.mul(x, None),
    "largest_of_bools": lambda t, x: t.argmax(x > 2, 1),
    "scalar_dim": lambda t, x: t.cummax(x[0, 0], 1),
    "deviation_of_a_number": lambda t, x: t.std(x[0, 0], 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_that_do_not_fit(name):
    agree(lambda t: CALLS[name](t, counted(t, 2, 3)))
