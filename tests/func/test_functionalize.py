"""``functionalize``: what is written shows from outside, but no result shares memory with it."""

import pytest

import rushlight as torch
from rushlight.func import functionalize, grad


def test_results_of_written_arguments_are_copies():
    x = torch.zeros(4)
    result = functionalize(lambda x: x.view(2, 2).add_(1))(x)
    assert x.tolist() == [1.0] * 4 and result.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert result._base is None and result.data_ptr() != x.data_ptr()


def test_views_stay_views_unless_they_are_removed():
    x = torch.arange(4.0).view(2, 2)
    assert functionalize(lambda x: x.t())(x)._base is x._base
    copied = functionalize(lambda x: x.t(), remove="mutations_and_views")(x)
    assert copied._base is None and copied.is_contiguous() and torch.equal(copied, x.t())
    assert functionalize(lambda x: x, remove="mutations_and_views")(x) is x


def test_it_counts_as_a_transform():
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class Apart(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    with pytest.raises(RuntimeError, match="must override the setup_context"):
        functionalize(Plain.apply)(torch.ones(2))
    with pytest.raises(RuntimeError, match="NYI: Functionalize rule for custom_function_call"):
        functionalize(Apart.apply)(torch.ones(2))
    assert functionalize(grad(lambda x: (x * 2).mul_(3).sum()))(torch.ones(2)).tolist() == [6.0, 6.0]
