"""``gradcheck``: what it finds, in which words, and what it leaves alone."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import Function, gradcheck, gradgradcheck
from rushlight.autograd.gradcheck import GradcheckError, get_analytical_jacobian, get_numerical_jacobian

both_ways = pytest.mark.parametrize("fast_mode", [False, True])


def leaf(*shape, dtype=torch.float64):
    made = np.random.RandomState(0).rand(*shape)
    return torch.tensor(made).to(dtype).requires_grad_()


class Square(Function):
    """Its derivatives are those of ``backward`` and ``jvp`` times the factors in ``wrong``."""

    wrong = (1, 1)

    @classmethod
    def of(cls, *wrong):
        return type("Wrong", (cls,), {"wrong": wrong}).apply

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x * ctx._forward_cls.wrong[0]

    @staticmethod
    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return 2 * t * x * ctx._forward_cls.wrong[1]


@both_ways
def test_each_mode_finds_its_own_mistakes(fast_mode):
    x = leaf(3)
    assert gradcheck(Square.of(1, 1), x, check_forward_ad=True, fast_mode=fast_mode)
    assert gradcheck(Square.of(1, 2), x, fast_mode=fast_mode)
    assert gradcheck(Square.of(2, 1), x, check_forward_ad=True, check_backward_ad=False, fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="^Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"):
        gradcheck(Square.of(2, 1), x, fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="^Jacobian computed with forward mode mismatch for output 0"):
        gradcheck(Square.of(1, 2), x, check_forward_ad=True, fast_mode=fast_mode)


def test_fast_mode_shows_the_jacobians_of_slow_mode_too():
    with pytest.raises(GradcheckError, match=r"in slow mode:\n\nNumerical:\n tensor\(\[\[") as error:
        gradcheck(Square.of(2, 1), torch.ones(2, dtype=torch.float64, requires_grad=True), fast_mode=True)
    assert "The max per-element difference (slow mode) is: " in str(error.value)


@both_ways
def test_an_input_that_changes_the_shape_or_dtype_of_the_output_is_refused(fast_mode):
    x = torch.ones(1, dtype=torch.float64, requires_grad=True)
    with pytest.raises(AssertionError, match="outputs with the same shape when inputs are perturbed"):
        gradcheck(lambda x: torch.cat([x, x]) if (x >= 1).all() else x, x, fast_mode=fast_mode)
    with pytest.raises(AssertionError, match=r"outputs with the same dtype when inputs are perturbed .*by 1e-06"):
        gradcheck(lambda x: x.float() if (x >= 1).all() else x, x, fast_mode=fast_mode)


@both_ways
def test_the_users_random_stream_is_drawn_from_for_batches_only(fast_mode):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    gradcheck(torch.sin, leaf(3), check_forward_ad=True, fast_mode=fast_mode)
    assert torch.equal(torch.rand(2), expected)


@both_ways
def test_the_order_of_outputs_does_not_matter(fast_mode):
    assert gradcheck(lambda x: (x.argmax(), x.detach() * 2, x * 2), leaf(3), check_forward_ad=True, fast_mode=fast_mode)


def test_inputs_come_back_as_they_were():
    x, held = leaf(2, 3), leaf(2, 3)
    gradcheck(lambda x: x.sin(), x, check_forward_ad=True, check_batched_grad=True)
    gradgradcheck(lambda x: x.sin(), x, check_fwd_over_rev=True)
    assert torch.equal(x, held) and x._version == 0 and x.grad is None


class Jittery(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g * (1 + 1e-6 * torch.rand_like(g))


@both_ways
def test_what_is_not_repeatable_needs_a_tolerance(fast_mode):
    with pytest.raises(GradcheckError, match="^Backward is not reentrant, .*The tolerance for nondeterminism was 0.0"):
        gradcheck(Jittery.apply, leaf(3), fast_mode=fast_mode)
    assert gradcheck(Jittery.apply, leaf(3), nondet_tol=1e-4, fast_mode=fast_mode)


def test_jacobians_by_the_older_entries():
    a, b = leaf(2), leaf(2)
    with pytest.warns(FutureWarning, match="`get_numerical_jacobian` was part of PyTorch's private API"):
        by_a, by_b = get_numerical_jacobian(lambda pair: (2 * pair[0] + 3 * pair[1],), (a, b), eps=1e-6)
    np.testing.assert_allclose(by_a.numpy(), 2 * np.eye(2), atol=1e-8)
    np.testing.assert_allclose(by_b.numpy(), 3 * np.eye(2), atol=1e-8)
    with pytest.warns(FutureWarning, match="`get_analytical_jacobian` was part of PyTorch's private API"):
        (by_a, by_b), *sound = get_analytical_jacobian((a, b), 2 * a + 3 * b)
    assert by_a.tolist() == [[2, 0], [0, 2]] and by_b.tolist() == [[3, 0], [0, 3]] and sound == [True] * 3


def test_second_derivatives_of_batches_go_through_functions_whose_forward_has_a_ctx():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return Twice.apply(g * x) * x * 1.5

    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (found,) = torch.autograd.grad(Cube.apply(x), x, torch.eye(2), is_grads_batched=True, create_graph=True)
    assert found.tolist() == [[3, 0], [0, 12]]
    (second,) = torch.autograd.grad(found.sum(), x)
    assert second.tolist() == [6, 12]
