"""``torch.func``: gradients, products and Jacobians as functions of functions, in any nesting."""

import math

import numpy as np
import pytest

import rushlight as torch
from rushlight.func import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap


def values(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def close(found, expected):
    return np.allclose(found.numpy(), np.asarray(expected), rtol=1e-10, atol=1e-12)


X = values(0.3, -1.2, 2.0)


def cubes(x):
    return (x**3).sum()


def test_gradient_and_value():
    assert close(grad(cubes)(X), 3 * X.numpy() ** 2)
    gradient, value = grad_and_value(cubes)(X)
    assert close(gradient, 3 * X.numpy() ** 2) and float(value) == pytest.approx(float((X**3).sum()))
    assert not gradient.requires_grad and not X.requires_grad


def test_gradient_of_gradient():
    second = grad(lambda x: grad(cubes)(x).sum())(X)
    assert close(second, 6 * X.numpy())


def test_variables_of_nested_gradients_are_not_confused():
    # d/dx (x * d/dy (x + y)) = 1
    one = torch.tensor(1.0)
    assert grad(lambda x: x * grad(lambda y: x + y)(one))(one).item() == 1.0


def test_arguments_are_chosen_and_may_be_trees():
    def f(a, b):
        return (a["w"] * b[0]).sum() + b[1].sum()

    a, b = {"w": X}, [X * 2, X]
    first, second = grad(f, argnums=(0, 1))(a, b)
    assert close(first["w"], 2 * X.numpy()) and close(second[0], X.numpy()) and close(second[1], np.ones(3))
    assert close(grad(f, argnums=-1)(a, b)[1], np.ones(3))


def test_auxiliary_output():
    gradient, aux = grad(lambda x: (cubes(x), {"twice": x * 2}), has_aux=True)(X)
    assert close(gradient, 3 * X.numpy() ** 2) and close(aux["twice"], 2 * X.numpy())
    assert not aux["twice"].requires_grad


def test_ordinary_backward_goes_through_a_gradient():
    w = values(1.0, 2.0, 3.0).requires_grad_()
    grad(lambda x: (w * x**2).sum())(X).sum().backward()
    assert close(w.grad, 2 * X.numpy())


def test_no_grad_outside_keeps_the_gradient_and_inside_hides():
    with torch.no_grad():
        assert close(grad(cubes)(X), 3 * X.numpy() ** 2)

    def hidden(x):
        with torch.no_grad():
            c = x**2
        return (x - c).sum()

    assert close(grad(hidden)(X), np.ones(3))


def test_writes_in_place_and_to_views():
    def f(x):
        y = x * 2
        y[0] = x[1] ** 2
        y[1:].mul_(x[1:])
        return (y.add_(1)).sum()

    a, b, c = X.numpy()
    assert close(grad(f)(X), [0, 2 * b + 4 * b, 4 * c])
    assert close(jvp(f, (X,), (torch.ones_like(X),))[1], 6 * b + 4 * c)
    assert close(vmap(grad(f))(torch.stack([X, X]))[1], [0, 6 * b, 4 * c])


def test_a_failing_function_leaves_the_stack_clean():
    for transform in (grad, vmap, lambda f: jacfwd(f), lambda f: lambda x: jvp(f, (x,), (x,))):
        with pytest.raises(ZeroDivisionError):
            transform(lambda x: 1 / 0)(X)
    assert torch.is_grad_enabled() and close(X * 2, 2 * X.numpy())
    assert X.clone().requires_grad_().requires_grad


def test_products():
    output, pull = vjp(lambda x: (x.sin(), x.sum()), X)
    assert close(output[0], np.sin(X.numpy()))
    (pulled,) = pull((torch.ones_like(X), values(2.0)[0]))
    assert close(pulled, np.cos(X.numpy()) + 2)
    output, pushed = jvp(torch.sin, (X,), (X,))
    assert close(pushed, X.numpy() * np.cos(X.numpy()))
    output, push = linearize(lambda x: x.sin() * x, X)
    x = X.numpy()
    assert close(push(X), x * (np.cos(x) * x + np.sin(x)))


def test_forward_mode_nests():
    def along(f):
        return lambda x: jvp(f, (x,), (torch.ones_like(x),))[1]

    assert close(along(along(along(torch.sin)))(X), -np.cos(X.numpy()))


def test_what_jvp_fills_itself():
    def f(x):
        made = torch.zeros(3, dtype=torch.float64)
        made[1:] = x[:2] * 3
        return made

    assert close(jvp(f, (X,), (X,))[1], [0, *(3 * X.numpy()[:2])])
    assert close(jacfwd(f)(X), [[0, 0, 0], [3, 0, 0], [0, 3, 0]])


def quartic(x):
    return (x[0] * x[1] + x[2] ** 2) ** 2


def hessian_of_quartic():
    a, b, c = X.numpy()
    p = a * b + c * c
    first = np.array([b, a, 2 * c])
    second = np.zeros((3, 3))
    second[0, 1] = second[1, 0] = 1
    second[2, 2] = 2
    return 2 * np.outer(first, first) + 2 * p * second


@pytest.mark.parametrize("outer", [jacrev, jacfwd])
@pytest.mark.parametrize("inner", [jacrev, jacfwd, grad])
def test_second_derivatives_by_any_two_modes(outer, inner):
    assert close(outer(inner(quartic))(X), hessian_of_quartic())


def test_hessian_of_a_batch():
    batch = torch.stack([X, X, X * 0])
    found = vmap(hessian(quartic))(batch)
    assert close(found[1], hessian_of_quartic()) and close(found[2], np.zeros((3, 3)))


@pytest.mark.parametrize("chunk", [None, 1, 2])
def test_jacobians_have_the_structure_of_outputs_and_inputs(chunk):
    def f(x, y):
        return {"sum": x + y, "parts": (x * y.sum(),)}

    first, second = jacrev(f, argnums=(0, 1), chunk_size=chunk)(X, X * 2)["parts"][0]
    assert close(first, np.eye(3) * float(2 * X.sum()))
    assert close(second, np.outer(X.numpy(), np.ones(3)))
    first, second = jacfwd(f, argnums=(0, 1))(X, X * 2)["parts"][0]
    assert close(first, np.eye(3) * float(2 * X.sum()))
    assert close(second, np.outer(X.numpy(), np.ones(3)))


def test_refusals():
    with pytest.raises(RuntimeError, match="to return a scalar Tensor, got tensor with 1 dims"):
        grad(lambda x: x)(X)
    with pytest.raises(RuntimeError, match="Got argnum=1, but only 1 positional inputs"):
        grad(cubes, argnums=1)(X)
    with pytest.raises(ValueError, match="Thing passed to transform API must be Tensor"):
        grad(cubes)(2.0)
    with pytest.raises(RuntimeError, match="cotangents: \\*, primal output: \\(\\*, \\*\\)"):
        vjp(lambda x: (x, x), X)[1](X)
    with pytest.raises(RuntimeError, match="backward\\(\\) called inside a functorch transform"):
        grad(lambda x: x.sum().backward())(X)
    with pytest.raises(RuntimeError, match="You are attempting to call Tensor.requires_grad_"):
        grad(lambda x: x.requires_grad_().sum())(X)


class Power(torch.autograd.Function):
    """x ** k with a derivative of its own, counted."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, k):
        return x**k

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.k = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ctx.k * x ** (ctx.k - 1), None

    @staticmethod
    def jvp(ctx, t, _):
        (x,) = ctx.saved_tensors
        return t * ctx.k * x ** (ctx.k - 1)


class OwnRule(Power):
    generate_vmap_rule = False
    calls = 0

    @staticmethod
    def vmap(info, in_dims, x, k):
        OwnRule.calls += 1
        assert info.batch_size == 2 and in_dims == (0, None)
        return OwnRule.apply(x, k), 0


@pytest.mark.parametrize("function", [Power, OwnRule])
def test_custom_functions(function):
    def f(x):
        return function.apply(x, 3).sum()

    batch, x = torch.stack([X, X * 2]), X.numpy()
    assert close(grad(f)(X), 3 * x**2)
    assert close(vmap(grad(f))(batch)[1], 12 * x**2)
    assert close(grad(lambda b: vmap(f)(b).sum())(batch)[1], 12 * x**2)
    assert close(jvp(f, (X,), (X,))[1], (3 * x**3).sum())
    assert close(vmap(lambda v: jvp(f, (v,), (v,))[1])(batch)[0], (3 * x**3).sum())
    assert close(grad(lambda v: grad(f)(v).sum())(X), 6 * x)


def test_custom_functions_without_a_rule_are_refused():
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    with pytest.raises(RuntimeError, match="You tried to vmap over Plain, but it does not have vmap support"):
        vmap(Plain.apply)(X)


def test_custom_functions_must_set_up_their_context_apart():
    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    for transform in (vmap, lambda f: grad(lambda x: f(x).sum())):
        with pytest.raises(RuntimeError, match="it must override the setup_context staticmethod"):
            transform(Old.apply)(X)


def test_values_may_be_read_in_forward_mode():
    assert close(jvp(lambda x: x * 2 if x.sum() > 0 else x, (X,), (X,))[1], 2 * X.numpy())
    assert math.isclose(jvp(lambda x: x.sum() * x.sum().item(), (X,), (X,))[1].item(), float(X.sum()) ** 2)


def test_hooks_within_a_transform_see_samples():
    seen = []

    def f(x):
        x.register_hook(lambda g: seen.append(tuple(g.shape)) or g * 2)
        return (x**2).sum()

    assert close(vmap(grad(f))(torch.stack([X, X]))[0], 4 * X.numpy()) and seen == [(3,)]
