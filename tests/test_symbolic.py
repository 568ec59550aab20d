"""Assertions with PyTorch's exceptions, and arithmetic that works on sizes of either kind."""

import pytest

import rushlight as torch


@pytest.mark.parametrize(
    "check, error",
    [
        (torch._check, RuntimeError),
        (torch._check_index, IndexError),
        (torch._check_value, ValueError),
        (torch._check_type, TypeError),
        (torch._check_not_implemented, NotImplementedError),
    ],
)
def test_a_condition_that_does_not_hold(check, error):
    check(True)
    with pytest.raises(error, match="^why$"):
        check(False, lambda: "why")
    with pytest.raises(error, match="Expected cond to be True, but got False"):
        check(False)


def test_conditions_are_bools_and_messages_are_functions():
    with pytest.raises(TypeError, match="cond must be a bool, but got <class 'int'>"):
        torch._check(1)
    with pytest.raises(TypeError, match="message must be a callable"):
        torch._check(False, "why")


def test_conditions_on_tensors():
    torch._check_tensor_all(torch.tensor([True, True]))
    with pytest.raises(RuntimeError, match="Expected cond to be True"):
        torch._check_tensor_all(torch.tensor([True, False]))
    with pytest.raises(TypeError, match="must have dtype torch.bool, but got torch.int64"):
        torch._check_tensor_all(torch.tensor([1]))
    with pytest.raises(RuntimeError, match="single nonzero value, but got zero"):
        torch._assert_async(torch.tensor(0))
    with pytest.raises(AssertionError, match="^no$"):
        torch._assert(False, "no")
    with pytest.raises(RuntimeError):
        torch._check_is_size(-1)


def test_arithmetic_on_sizes():
    assert (torch.sym_int(2.7), torch.sym_int(-2.7)) == (2, -2)
    assert type(torch.sym_max(3, 2.0)) is float and torch.sym_min(3, 2) == 2
    assert torch.sym_not(False) and torch.sym_ite(False, 1, 2) == 2 and torch.sym_sum([1, 2]) == 3
    assert not isinstance(3, (torch.SymInt, torch.SymFloat, torch.SymBool))
