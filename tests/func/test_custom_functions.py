"""Custom Functions under several transforms at once."""

import pytest

import rushlight as torch
from rushlight.func import grad, jvp, vmap


class Square(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def backward(ctx, cotangent):
        return 2 * ctx.saved_tensors[0] * cotangent

    @staticmethod
    def jvp(ctx, tangent):
        return 2 * ctx.saved_tensors[0] * tangent


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.mul_(2)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_dirty(inputs[0])

    @staticmethod
    def backward(ctx, cotangent):
        return 2 * cotangent

    @staticmethod
    def jvp(ctx, tangent):
        return tangent.mul_(2)


X = torch.arange(12.0).view(3, 2, 2)


@pytest.mark.parametrize("outer, inner", [(0, 0), (2, 1), (1, 0)])
@pytest.mark.parametrize("chunk", [None, 1])
def test_a_made_batching_rule_nests(outer, inner, chunk):
    function = vmap(vmap(Square.apply, inner, chunk_size=chunk), outer)
    assert torch.equal(grad(lambda x: function(x).sum())(X), 2 * X)
    moved = X.movedim(outer, 0).movedim(inner + 1, 1)
    assert torch.equal(jvp(function, (X,), (X,))[1], 2 * moved * moved)


def written(x):
    x = x.clone()
    result = Doubled.apply(x)
    assert result is x
    return result.sin()


def test_what_a_function_writes_is_itself_in_forward_mode():
    x = torch.tensor([0.5, 1.5])
    value, tangent = jvp(written, (x,), (torch.ones(2),))
    assert torch.allclose(value, (2 * x).sin()) and torch.allclose(tangent, 2 * (2 * x).cos())
    curved = jvp(grad(lambda x: written(x).sum()), (x,), (torch.ones(2),))[1]
    assert torch.allclose(curved, -4 * (2 * x).sin())
    crossed = grad(lambda x: jvp(written, (x,), (torch.ones(2),))[1].sum())(x)
    assert torch.allclose(crossed, -4 * (2 * x).sin())
