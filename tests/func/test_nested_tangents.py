"""Forward mode over forward mode, within batches and under reverse mode, of operators whose tangent comes from their vjp."""

import pytest

import rushlight as torch
from rushlight.func import grad, jacfwd, jacrev, jvp, vmap

X = torch.tensor([[0.1, 0.2], [0.3, 0.7]], dtype=torch.float64)
T = torch.eye(2, dtype=torch.float64)

OPERATORS = {
    "softmax": lambda x: x.softmax(0),
    "mm": lambda x: x @ x,
    "prod": lambda x: x.prod(1),
    "inverse": torch.linalg.inv,
    "logsumexp": lambda x: x.logsumexp(1),
    "var": lambda x: x.var(0),
}


@pytest.mark.parametrize("function", OPERATORS.values(), ids=OPERATORS)
def test_forward_twice_equals_reverse_twice(function):
    expected = jacrev(jacrev(function))(X)
    torch.testing.assert_close(jacfwd(jacfwd(function))(X), expected)
    torch.testing.assert_close(jacfwd(jacrev(function))(X), expected)
    torch.testing.assert_close(jacrev(jacfwd(function))(X), expected)


@pytest.mark.parametrize("function", OPERATORS.values(), ids=OPERATORS)
def test_batched_tangents_are_differentiated_from_outside(function):
    def along(x):
        return vmap(lambda t: jvp(function, (x,), (t,))[1])(T.expand(2, 2, 2)).square().sum()

    def each(x):
        return sum(jvp(function, (x,), (t,))[1].square().sum() for t in T.expand(2, 2, 2))

    leaf = X.clone().requires_grad_()
    along(leaf).backward()
    torch.testing.assert_close(leaf.grad, grad(each)(X))
    torch.testing.assert_close(grad(along)(X), leaf.grad)


def test_batch_of_primals_keeps_its_place_in_the_graph():
    leaf = X.clone().requires_grad_()
    made = vmap(lambda x, t: jvp(lambda v: v.softmax(0), (x,), (t,))[1])(leaf, T)
    assert made.requires_grad
    assert not vmap(lambda x, t: jvp(lambda v: v.softmax(0), (x,), (t,))[1])(X, T).requires_grad


def test_running_statistics_move_under_jvp_and_must_be_batched_where_the_input_is():
    mean, var = torch.zeros(2), torch.ones(2)
    image = torch.arange(12.0).reshape(3, 2, 2)

    def normalised(x):
        return torch.nn.functional.batch_norm(x, mean, var, training=True)

    _, tangent = jvp(normalised, (image,), (torch.ones_like(image),))
    torch.testing.assert_close(tangent, torch.zeros_like(image))
    torch.testing.assert_close(mean, 0.1 * image.mean((0, 2)))
    assert jacfwd(normalised)(image).shape == (*image.shape, *image.shape)
    with pytest.raises(RuntimeError, match="Batch norm got a batched tensor as input"):
        vmap(normalised)(image.expand(2, 3, 2, 2))


class _Cube(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])
        ctx.save_for_forward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, g, slope_g):
        x, slope = ctx.saved_tensors
        return g * slope + 6 * x * slope_g

    @staticmethod
    def jvp(ctx, t):
        x, slope = ctx.saved_tensors
        return t * slope, 6 * x * t


def test_saved_results_of_functions_come_back_with_their_tangents():
    forward = torch.autograd.forward_ad
    x = torch.tensor([1.0, 2.0])
    with forward.dual_level():
        dual = forward.make_dual(x.clone().requires_grad_(), torch.ones(2))
        (pulled,) = torch.autograd.grad(_Cube.apply(dual)[0], dual, torch.ones(2), create_graph=True)
        torch.testing.assert_close(forward.unpack_dual(pulled).tangent, 6 * x)


def test_tangents_of_complex_results_along_real_operands():
    z = torch.tensor([0.3 + 0.4j], dtype=torch.complex128)
    r, one = torch.tensor([0.7], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    torch.testing.assert_close(jvp(lambda r: z / r, (r,), (one,))[1], -z / r**2)
    torch.testing.assert_close(jvp(lambda r: z**r, (r,), (one,))[1], z**r * z.log())
    torch.testing.assert_close(jvp(lambda r: r**z, (r,), (one,))[1], z * r ** (z - 1))
    slope = jvp(lambda r: jvp(lambda z: z / r, (z,), (z,))[1], (r,), (one,))[1]
    torch.testing.assert_close(slope, -z / r**2)


def test_duals_can_be_compared_but_batches_cannot():
    x = torch.tensor([1.0, 2.0])
    assert jvp(lambda x: x * (2 if torch.allclose(x, x) and torch.equal(x, x) else 3), (x,), (x,))[1].tolist() == [2, 4]
    for compare in (torch.equal, torch.allclose):
        with pytest.raises(
            RuntimeError, match="vmap over torch.allclose|Batching rule not implemented for aten::equal"
        ):
            vmap(lambda x, compare=compare: x * compare(x, x))(x)


def test_tangents_of_maxima_of_no_samples_are_empty():
    x = torch.ones(0, 2, 5, 5, 5)
    for pool in (
        lambda x: torch.nn.functional.fractional_max_pool3d(x, 2, output_size=3),
        lambda x: torch.nn.functional.max_pool3d(x, 2),
    ):
        value, tangent = jvp(pool, (x,), (x,))
        assert tangent.shape == value.shape == (0, 2, *value.shape[2:])


def test_sequences_with_slices_stand_for_tuples_within_transforms():
    x = torch.arange(24.0).reshape(2, 3, 4)
    for index in ([slice(0, 1), 1], [Ellipsis, 0], [[0, 1], [1, 2]]):
        with pytest.warns(UserWarning, match="Using a non-tuple sequence for multidimensional indexing"):
            _, tangent = jvp(lambda x, index=index: x[index], (x,), (x,))
            batch = vmap(lambda x, index=index: x[index])(torch.stack([x, x]))
        assert torch.equal(tangent, x[tuple(index)]) and torch.equal(batch[1], tangent)


def _real_part(r):
    made = torch.zeros(3, dtype=torch.complex64)
    made.real.copy_(r)
    made.imag.mul_(2).add_(3 * r)
    return torch.view_as_real(made)


def _complex_view(r):
    made = torch.zeros(3, 2)
    torch.view_as_complex(made).copy_(r + 3j * r)
    return made


@pytest.mark.parametrize("written", [_real_part, _complex_view])
def test_parts_of_complex_tensors_are_written_with_their_tangents(written):
    r = torch.arange(3.0)
    slope = torch.tensor([1.0, 3.0]).expand(3, 2)
    torch.testing.assert_close(jvp(written, (r,), (torch.ones(3),))[1], slope)
    torch.testing.assert_close(jacfwd(written)(r).sum(-1), slope)


@pytest.mark.parametrize("order", [0.5, 1, 1.5, 2, 2.5, 3, 4])
@pytest.mark.parametrize("size", [0, 3])
def test_the_norm_of_zeros_has_no_tangent_and_no_slope(order, size):
    def norm(x):
        return torch.linalg.vector_norm(x, order)

    x = torch.zeros(size, dtype=torch.float64)
    assert jvp(norm, (x,), (x + 1,))[1].item() == 0
    assert grad(norm)(x).tolist() == [0] * size
