"""What transforms refuse, and what happens at their edges: grad modes outside, views written to within, how tensors show themselves."""

import pytest

import rushlight as torch
from rushlight.autograd import forward_ad
from rushlight.func import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize("output", [None, (), {}])
def test_functions_that_return_nothing_are_refused(x, output):
    for run in (
        lambda: vjp(lambda _: output, x),
        lambda: jvp(lambda _: output, (x,), (x,)),
        lambda: jacrev(lambda _: output)(x),
        lambda: jacfwd(lambda _: output)(x),
    ):
        with pytest.raises(RuntimeError, match="Expected f to be a function that has non-empty output"):
            run()


@pytest.mark.parametrize("aux", [1, "abc", [1.0], None])
def test_what_is_returned_beside_the_output_must_be_tensors(x, aux):
    for run in (
        lambda: grad(lambda x: (x.sum(), aux), has_aux=True)(x),
        lambda: grad_and_value(lambda x: (x.sum(), aux), has_aux=True)(x),
        lambda: vjp(lambda x: (x, aux), x, has_aux=True),
        lambda: jvp(lambda x: (x, aux), (x,), (x,), has_aux=True),
        lambda: jacfwd(lambda x: (x, aux), has_aux=True)(x),
    ):
        with pytest.raises(RuntimeError, match="Expected tensors, got unsupported type"):
            run()


@pytest.mark.parametrize("jacobian, name", [(jacrev, "jacrev"), (jacfwd, "jacfwd"), (hessian, "jacfwd")])
def test_jacobians_are_of_real_functions(x, jacobian, name):
    with pytest.raises(RuntimeError, match=f"{name}: Expected all inputs to be real .* idx: 0"):
        jacobian(lambda z: z.abs().sum())(torch.ones(2, dtype=torch.complex64))
    if jacobian is not hessian:
        with pytest.raises(RuntimeError, match=f"{name}: Expected all outputs to be real .* idx: 1"):
            jacobian(lambda x: (x, x * 1j))(x)


def test_a_vjp_made_without_grad_mode_may_be_used_with_it():
    p = torch.tensor(3.0, requires_grad=True)
    with torch.no_grad():
        out, pull = vjp(lambda x: x**2, p)
    (pulled,) = pull(torch.tensor(1.0))
    assert torch.is_grad_enabled() and not out.requires_grad and pulled.requires_grad
    assert torch.autograd.grad(pulled, p)[0].item() == 2.0
    with torch.no_grad():
        out, push = linearize(lambda x: x**2, p)
    assert push(torch.tensor(1.0)).item() == 6.0 and torch.is_grad_enabled()


def test_hooks_on_saved_tensors_are_refused(x):
    def hooked(x):
        with torch.autograd.graph.save_on_cpu():
            return x.sin().sum()

    for transform in (grad, grad_and_value, jacrev, hessian, lambda f: lambda x: vjp(f, x)):
        with pytest.raises(RuntimeError, match="don't yet support saved tensor hooks"):
            transform(hooked)(x)
        with pytest.raises(RuntimeError, match="don't yet support saved tensor hooks"):
            with torch.autograd.graph.save_on_cpu():
                transform(lambda x: x.sin().sum())(x)
    with torch.autograd.graph.save_on_cpu():
        torch.ones(2, requires_grad=True).sin()


def test_retain_grad_is_for_outside(x):
    def retaining(x):
        y = x.sin()
        y.retain_grad()
        return y.sum()

    with pytest.raises(RuntimeError, match=r"call Tensor.retain_grad\(\) inside of a function being transformed"):
        grad(retaining)(x)


def test_what_is_computed_without_forward_mode_is_constant(x):
    def shifted(x):
        with forward_ad._set_fwd_grad_enabled(False):
            shift = x**2
        return x**2 - shift

    assert jvp(shifted, (x,), (torch.ones(3),))[1].tolist() == [2.0, 4.0, 6.0]
    with forward_ad._set_fwd_grad_enabled(False):
        assert jvp(torch.square, (x,), (torch.ones(3),))[1].tolist() == [2.0, 4.0, 6.0]


def test_a_view_has_the_tangent_that_its_base_is_given_later(x):
    def write(y):
        base = torch.zeros(3)
        view = base[1]
        base.copy_(y)
        return view, view * 2

    assert [each.item() for each in jvp(write, (x,), (x,))[1]] == [2.0, 4.0]


def test_views_of_batches_that_lie_across_are_given_tangents():
    x, y, t = torch.zeros(2, 4, 3), torch.ones(3, 4), torch.arange(12.0).view(3, 4)

    def push(x, y, t):
        def write(y):
            made = x.clone()
            made[0].copy_(y)
            return made

        return jvp(write, (y,), (t,))[1]

    found = vmap(push, in_dims=(1, 1, 1))(x, y, t)
    assert torch.equal(found[:, 0], t.t()) and not found[:, 1].any()


def test_a_tensor_shows_each_transform_that_tracks_it():
    seen = []

    def inner(y, x):
        seen.extend([repr(y), repr(x)])
        return (y * x).sum()

    grad(lambda x: grad(inner)(x, x).sum())(torch.ones(1))
    deep = "GradTrackingTensor(lvl=1, value=\n    tensor([1.])\n)"
    assert seen[1] == deep
    assert seen[0] == "GradTrackingTensor(lvl=2, value=\n    " + deep.replace("\n", "\n    ") + "\n)"


def test_once_differentiable_says_so_after_a_vjp():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.x = inputs[0].detach()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            return 3 * ctx.x**2

    _, pull = vjp(Cube.apply, torch.tensor(2.0, requires_grad=True))
    (pulled,) = pull(torch.tensor(1.0, requires_grad=True))
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        pulled.backward()


@pytest.mark.parametrize(
    "operator", [lambda y: y + 1, lambda y: y - torch.ones(3), lambda y: torch.zeros(3).copy_(y), torch.relu]
)
def test_writing_to_a_result_leaves_the_tangent_of_the_argument(x, operator):
    tangent = torch.ones(3)

    def write(y):
        made = operator(y)
        made.mul_(2.0)
        return y * 1, made

    kept, doubled = jvp(write, (x,), (tangent,))[1]
    assert kept.tolist() == [1.0] * 3 and doubled.tolist() == [2.0] * 3 and tangent.tolist() == [1.0] * 3
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, tangent)
        operator(dual).mul_(2.0)
        assert forward_ad.unpack_dual(dual).tangent.tolist() == [1.0] * 3


def test_what_stands_behind_a_tensor_can_be_asked():
    from rushlight._C import _functorch as asked

    seen = []

    def look(x):
        seen.append((asked.is_batchedtensor(x), asked.maybe_get_level(x), asked.maybe_get_bdim(x)))
        seen.append((asked.is_gradtrackingtensor(x), asked.get_unwrapped(x).shape))
        return x.sum()

    vmap(look, in_dims=1)(torch.ones(2, 3))
    grad(look)(torch.ones(2))
    assert seen == [(True, 1, 1), (False, (2, 3)), (False, 1, -1), (True, (2,))]
    assert asked.maybe_get_level(torch.ones(1)) == -1 and asked.maybe_current_level() is None
    with pytest.raises(RuntimeError, match="No wrappers present!"):
        asked.get_unwrapped(torch.ones(1))


@pytest.mark.parametrize("save", ["save_for_backward", "save_for_forward"])
@pytest.mark.parametrize("which", ["input", "output"])
def test_an_input_that_is_returned_cannot_be_saved_by_setup_context(save, which):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x

        @staticmethod
        def setup_context(ctx, inputs, output):
            getattr(ctx, save)(inputs[0] if which == "input" else output)

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def jvp(ctx, t):
            return t.view_as(t)

    a = torch.tensor(2.0)
    for run in (
        lambda: Same.apply(a),
        lambda: grad(lambda x: Same.apply(x.clone()))(a),
        lambda: jvp(lambda x: Same.apply(x.clone()), (a,), (a,)),
    ):
        with pytest.raises(RuntimeError, match="input that has been returned as-is as output is being saved"):
            run()
