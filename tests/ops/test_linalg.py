"""Linear algebra on tensors: derivatives of first and second order against differences, real and complex."""

import warnings

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

linalg = torch.linalg


@pytest.fixture(params=[np.float64, np.complex128])
def draw(request):
    rng = np.random.default_rng(3)

    def values(*shape):
        x = rng.standard_normal(shape)
        return x + 1j * rng.standard_normal(shape) if request.param is np.complex128 else x

    return values


def hermitian(x):
    return x + torch.conj(x).mT


def positive(x):
    return x @ torch.conj(x).mT + 2 * torch.eye(x.shape[-1], dtype=x.dtype)


def test_inverse_and_determinant(draw):
    a = draw(2, 3, 3) + 2 * np.eye(3)
    check(linalg.inv, a)
    check(linalg.det, a)
    check(lambda x: linalg.slogdet(x)[1], a)
    check(lambda x: linalg.slogdet(x), a, second=False)
    check(torch.logdet, np.einsum("...ij,...kj->...ik", a, a.conj()))


def test_determinant_of_a_singular_matrix():
    a = torch.tensor([[1.0, 1.0], [1.0, 1.0]], requires_grad=True)
    # PyTorch's plain backward gives zeros here, its recorded one the cofactors; so do ours
    assert torch.autograd.grad(linalg.det(a), a)[0].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    (slope,) = torch.autograd.grad(linalg.det(a), a, create_graph=True)
    np.testing.assert_allclose(slope.detach().numpy(), [[1, -1], [-1, 1]], atol=1e-6)


@pytest.mark.parametrize("left", [True, False])
def test_systems(draw, left):
    a, b = draw(3, 3) + 2 * np.eye(3), draw(2, 3, 3)
    check(lambda x, y: linalg.solve(x, y, left=left), a, b)
    check(lambda x, y: linalg.solve_triangular(x, y, upper=True, left=left), a, b)
    check(lambda x, y: linalg.solve_triangular(x, y, upper=False, left=left, unitriangular=True), a, b)
    check(linalg.solve, a, draw(3))
    check(lambda y, x: torch.triangular_solve(y, x, transpose=not left)[0], draw(3, 2), a)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 3, 3)])
def test_lu(draw, shape):
    a = draw(*shape)
    check(lambda x: linalg.lu(x)[1:], a, tol=2e-5)
    check(lambda x: linalg.lu_factor(x)[0], a, tol=2e-5)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(draw, left, adjoint):
    def solve(a, b):
        return linalg.lu_solve(*linalg.lu_factor(a), b, left=left, adjoint=adjoint)

    check(solve, draw(3, 3) + 2 * np.eye(3), draw(3, 3), tol=1e-5)


@pytest.mark.parametrize("upper", [True, False])
def test_cholesky(draw, upper):
    x, b = draw(2, 3, 3), draw(3, 2)
    check(lambda x: linalg.cholesky(positive(x), upper=upper), x)
    check(lambda x: torch.cholesky_inverse(linalg.cholesky(positive(x), upper=upper), upper), x)
    check(lambda x, b: torch.cholesky_solve(b, linalg.cholesky(positive(x), upper=upper), upper), x, b)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_qr(draw, shape):
    check(lambda x: linalg.qr(x), draw(*shape), tol=1e-5)


def test_qr_refuses_what_has_no_derivative():
    a = torch.rand(3, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete' and nrows > ncols"):
        linalg.qr(a, "complete")[1].sum().backward()
    with pytest.raises(RuntimeError, match="depends on Q, which is not computed when mode='r'"):
        linalg.qr(a, "r")[1].sum().backward()


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("full", [True, False])
def test_svd_of_what_does_not_depend_on_phases(draw, shape, full):
    k = min(shape)

    def f(x):
        u, s, vh = linalg.svd(x, full_matrices=full)
        u, vh = u[..., :k], vh[..., :k, :]
        return s, (u * s**2) @ vh, torch.abs(u), torch.abs(vh)

    check(f, draw(*shape), tol=2e-5)
    check(linalg.svdvals, draw(*shape))


def test_eigenvalues_of_hermitian_matrices(draw):
    def f(x):
        values, vectors = linalg.eigh(hermitian(x))
        return values, (vectors * values**3) @ torch.conj(vectors).mT, torch.abs(vectors)

    check(f, draw(3, 3), tol=2e-5)
    check(lambda x: linalg.eigvalsh(hermitian(x)), draw(2, 3, 3))


def test_eigenvalues_of_general_matrices(draw):
    def f(x):
        values, vectors = linalg.eig(x)
        return values, torch.abs(vectors)

    check(f, draw(3, 3), tol=2e-5)
    check(linalg.eigvals, draw(3, 3), tol=2e-5)


def test_losses_that_depend_on_a_phase_are_refused():
    x = torch.randn(3, 3, dtype=torch.complex128, requires_grad=True)
    phase = torch.tensor([1.0, 2.0, 3.0]) * 1j
    with pytest.raises(RuntimeError, match="linalg_eigh_backward: The eigenvectors in the complex case"):
        (linalg.eigh(hermitian(x))[1] * phase).real.sum().backward()
    with pytest.raises(RuntimeError, match="linalg_eig_backward: The eigenvectors in the complex case"):
        (linalg.eig(x)[1] * phase).real.sum().backward()
    with pytest.raises(RuntimeError, match="svd_backward: The singular vectors in the complex case"):
        (linalg.svd(x)[0] * phase).real.sum().backward()


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_pseudoinverse_and_least_squares(draw, shape):
    check(linalg.pinv, draw(*shape), tol=2e-5)
    check(lambda a, b: linalg.lstsq(a, b)[0], draw(*shape), draw(shape[0], 2), tol=2e-5)
    if shape[0] > shape[1]:
        check(lambda a, b: linalg.lstsq(a, b, driver="gelsd")[:2], draw(*shape), draw(shape[0], 2), tol=2e-5)
    check(lambda x: linalg.pinv(hermitian(x), hermitian=True), draw(3, 3), tol=2e-4, second=False)


def test_matrix_exponential_and_reflections(draw):
    check(torch.matrix_exp, draw(2, 3, 3))
    check(linalg.householder_product, draw(4, 3) / 2, draw(2), tol=1e-5)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")])
@pytest.mark.parametrize(("dim", "keepdim"), [((-2, -1), False), ((2, 0), True)])
def test_norms_of_matrices(draw, ord, dim, keepdim):
    a = draw(2, 3, 3)
    found = linalg.matrix_norm(torch.from_numpy(a), ord, dim, keepdim)
    np.testing.assert_allclose(found.numpy(), np.linalg.norm(a, ord, dim, keepdim), rtol=1e-12)
    check(lambda x: linalg.matrix_norm(x, ord, dim, keepdim), a, second=False, tol=1e-5)


@pytest.mark.parametrize("p", [None, "fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")])
def test_condition_numbers(draw, p):
    a = draw(2, 3, 3)
    wanted = [np.linalg.cond(each, p) for each in a]
    np.testing.assert_allclose(linalg.cond(torch.from_numpy(a), p).numpy(), wanted, rtol=1e-9)
    assert linalg.cond(torch.ones(2, 2), 1) == float("inf")


@pytest.mark.parametrize("ord", [0, 1, 2, 3.5, -1, float("inf"), -float("inf")])
def test_norms_of_vectors(draw, ord):
    a = draw(4)
    np.testing.assert_allclose(linalg.vector_norm(torch.from_numpy(a), ord).numpy(), np.linalg.norm(a, ord))
    if ord:
        check(lambda x: linalg.vector_norm(x, ord), a, second=False)


def test_rank_counts_what_is_above_the_tolerance():
    a = torch.diag(torch.tensor([4.0, 1.0, 1e-9]))
    assert linalg.matrix_rank(a) == 2
    assert linalg.matrix_rank(a, tol=2.0) == 1
    assert linalg.matrix_rank(a, atol=0.0, rtol=0.5) == 1
    assert linalg.matrix_rank(-a, hermitian=True) == 2
    assert linalg.matrix_rank(torch.zeros(2, 0, 3)).tolist() == [0, 0]


def test_tensor_inverse_and_solution(draw):
    a = np.eye(6).reshape(2, 3, 6) + draw(2, 3, 6) / 10
    check(lambda x: linalg.tensorinv(x, ind=2), a)
    check(linalg.tensorsolve, a, draw(2, 3))
    check(lambda x: linalg.vander(x, N=4), draw(2, 3))


def test_results_are_named_as_in_pytorch():
    found = linalg.eigh(torch.eye(2))
    assert repr(found).startswith("torch.return_types.linalg_eigh(\neigenvalues=tensor([1., 1.])")
    assert torch.qr(torch.eye(2))._fields == ("Q", "R")
    assert linalg.lstsq(torch.eye(2), torch.eye(2))._fields == ("solution", "residuals", "rank", "singular_values")
    assert type(torch.lu(torch.eye(2))) is tuple


def test_failures_are_linalg_errors():
    with pytest.raises(linalg.LinAlgError, match="linalg.inv: The diagonal element 2 is zero"):
        linalg.inv(torch.ones(2, 2))
    with pytest.raises(RuntimeError, match="linalg.svd: The algorithm failed to converge"):
        linalg.svd(torch.full((2, 2), float("nan")))


def test_replaced_functions_say_so_once_at_the_callers_line():
    from rushlight.ops.linalg_warnings import forget

    calls = {
        "torch.cholesky": lambda: torch.cholesky(torch.eye(2)),
        "torch.qr": lambda: torch.qr(torch.eye(2)),
        "torch.lu": lambda: torch.eye(2).lu(),
        "torch.triangular_solve": lambda: torch.triangular_solve(torch.eye(2), torch.eye(2)),
        "torch.chain_matmul": lambda: torch.chain_matmul(torch.eye(2), torch.eye(2)),
        "torch.cross": lambda: torch.cross(torch.eye(3), torch.eye(3)),
    }
    for name, call in calls.items():
        forget()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
            call()
        assert len(caught) == 1
        assert name in str(caught[0].message)
        assert caught[0].filename == __file__


def pushed(function, point, direction):
    """Values and tangents of all results of a function."""
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        made = function(forward.make_dual(torch.tensor(point), torch.tensor(direction)))
        pairs = [forward.unpack_dual(each) for each in (made if isinstance(made, tuple) else (made,))]
        return [pair.primal.numpy() for pair in pairs], [pair.tangent.numpy() for pair in pairs]


def turned(x):
    return np.swapaxes(x.conj(), -1, -2)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_tangents_of_singular_values_rebuild_the_direction(draw, shape):
    point, direction = draw(*shape), draw(*shape)
    (u, s, vh), (tu, ts, tvh) = pushed(lambda x: linalg.svd(x, full_matrices=False), point, direction)
    np.testing.assert_allclose((tu * s) @ vh + (u * ts) @ vh + (u * s) @ tvh, direction, atol=1e-10)
    # the factors stay unitary
    np.testing.assert_allclose(turned(tu) @ u + turned(u) @ tu, 0, atol=1e-10)
    np.testing.assert_allclose(tvh @ turned(vh) + vh @ turned(tvh), 0, atol=1e-10)


def test_tangents_of_eigenvectors_solve_the_differentiated_equation(draw):
    point, direction = draw(4, 4), draw(4, 4)
    (values, vectors), (moved, turn) = pushed(linalg.eig, point, direction)
    # A V = V diag(values), differentiated; and columns stay of norm 1
    np.testing.assert_allclose(direction @ vectors + point @ turn, turn * values + vectors * moved, atol=1e-10)
    np.testing.assert_allclose((vectors.conj() * turn).sum(0).real, 0, atol=1e-10)
    point, direction = point + turned(point), direction + turned(direction)
    (values, vectors), (moved, turn) = pushed(linalg.eigh, point, direction)
    np.testing.assert_allclose(direction @ vectors + point @ turn, turn * values + vectors * moved, atol=1e-10)


@pytest.mark.parametrize("upper", [False, True])
def test_tangent_of_the_inverse_from_a_cholesky_factor(draw, upper):
    factor, direction = np.tril(draw(3, 3)) + 3 * np.eye(3), np.tril(draw(3, 3))
    if upper:
        factor, direction = turned(factor), turned(direction)
    _, (moved,) = pushed(lambda x: torch.cholesky_inverse(x, upper=upper), factor, direction)

    def inverse(x):
        return np.linalg.inv(turned(x) @ x if upper else x @ turned(x))

    step = 1e-6
    slope = (inverse(factor + step * direction) - inverse(factor - step * direction)) / (2 * step)
    np.testing.assert_allclose(moved, slope, rtol=1e-6, atol=1e-8)


def test_gradient_through_eigenvectors_is_hermitian(draw):
    a = torch.tensor(draw(3, 3), requires_grad=True)
    (slope,) = torch.autograd.grad(linalg.eigh(a)[1].abs().sum(), a)
    np.testing.assert_allclose(slope.numpy(), turned(slope.numpy()))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("columns", [1, 12])
def test_plain_and_recorded_cholesky_gradients_agree(draw, upper, columns):
    n = 40  # more than one diagonal block
    a = torch.tensor(draw(n, n))
    a = (a @ torch.conj(a).mT + n * torch.eye(n, dtype=a.dtype)).requires_grad_()
    b = torch.tensor(draw(n, columns), requires_grad=True)
    solution = torch.cholesky_solve(b, linalg.cholesky(a, upper=upper), upper=upper)
    weights = torch.tensor(draw(n, columns))
    plain = torch.autograd.grad(solution, (a, b), weights, retain_graph=True)
    recorded = torch.autograd.grad(solution, (a, b), weights, create_graph=True)
    for one, other in zip(plain, recorded):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-12)
    # A x = b: b' = A^-H w and A' = -b' x^H, in the Hermitian matrices
    pulled = np.linalg.solve(turned(a.detach().numpy()), weights.numpy())
    expected = -pulled @ turned(solution.detach().numpy())
    np.testing.assert_allclose(plain[0].numpy(), (expected + turned(expected)) / 2, rtol=1e-8, atol=1e-11)


def test_orders_of_norms_are_real():
    for name, function in (("matrix_norm", torch.linalg.matrix_norm), ("vector_norm", torch.linalg.vector_norm)):
        with pytest.raises(RuntimeError, match=f"linalg.{name}: Expected a non-complex scalar as the order of norm."):
            function(torch.ones(2, 2), 1 + 2j)


def test_the_nuclear_condition_of_a_singular_matrix_is_its_singular_values():
    A = torch.tensor([[[3.0, 0.0], [0.0, 0.0]], [[3.0, 0.0], [0.0, 2.0]]])
    found = torch.linalg.cond(A, "nuc")
    assert torch.isinf(found[0]) and torch.isclose(found[1], torch.tensor(5 * (1 / 3 + 1 / 2)))


def test_einsum_wants_an_operand():
    with pytest.raises(ValueError, match="at least one operand"):
        torch.einsum("", [])
