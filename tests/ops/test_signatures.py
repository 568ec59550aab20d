"""What `help` and `inspect.signature` show of operators."""

import inspect

import pytest

import rushlight as torch
from rushlight.ops.table import COMPOSITES, OPS


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (torch.sum, "(input, dim=None, keepdim=False, *, dtype=None, out=None)"),
        (torch.Tensor.sum, "(input, dim=None, keepdim=False, *, dtype=None, out=None)"),
        (torch.exp, "(input, *, out=None)"),
        (torch.add, "(input, other, *, alpha=1, out=None)"),
        (torch.Tensor.add_, "(input, other, *, alpha=1)"),
        (torch.cat, "(tensors, dim=0, *, out=None)"),
        (torch.nn.functional.linear, "(input, weight, bias=None, *, out=None)"),
    ],
)
def test_signature(function, shown):
    assert str(inspect.signature(function)) == shown


def test_every_operator_has_a_signature():
    for function in (*(op.public for op in OPS.values()), *(public for public, _ in COMPOSITES.values())):
        assert isinstance(inspect.signature(function), inspect.Signature)


def test_functions_say_what_their_kernels_say():
    assert "sum over" in torch.sum.__doc__
    # a ufunc's words are NumPy's and speak of other arguments
    assert torch.exp.__doc__ is None
