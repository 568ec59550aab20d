"""Factorizations of raw arrays: that they multiply back, and what they say of matrices they cannot factor."""

import numpy as np
import pytest

from rushlight.array import linalg_cholesky, linalg_exp, linalg_lu, linalg_solve, linalg_spectral, linalg_triangular
from rushlight.array.linalg import LinAlgError

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def random(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def tolerance(dtype):
    return 2e-4 if np.finfo(dtype).eps > 1e-10 else 1e-11


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 7, 32, 33, 70])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems_are_solved_from_one_triangle_alone(dtype, n, upper, unit):
    a = random((2, n, n), dtype) / n + 2 * np.eye(n, dtype=dtype)
    b = random((2, n, 3), dtype, 1)
    x = linalg_triangular.linalg_solve_triangular(a, b, upper=upper, unitriangular=unit)
    triangle = np.triu(a) if upper else np.tril(a)
    if unit:
        triangle[:, np.arange(n), np.arange(n)] = 1
    np.testing.assert_allclose(triangle @ x, b, atol=tolerance(dtype))
    turned = linalg_triangular.linalg_solve_triangular(
        a, b.swapaxes(-1, -2), upper=upper, left=False, unitriangular=unit
    )
    np.testing.assert_allclose(turned @ triangle, b.swapaxes(-1, -2), atol=tolerance(dtype))


@pytest.mark.parametrize("n", [3, 40])
def test_a_zero_on_the_diagonal_divides_by_zero_as_blas_does(n):
    a = np.eye(n)
    a[n - 1, n - 1] = 0
    with np.errstate(all="ignore"):
        x = linalg_triangular.linalg_solve_triangular(a, np.ones((n, 1)), upper=False)
    assert np.isinf(x[n - 1, 0])
    assert (x[: n - 1] == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 5), (2, 60, 60), (4, 7), (3, 7, 4), (2, 3, 0), (0, 0)])
def test_lu_factors_multiply_back(dtype, shape):
    a = random(shape, dtype)
    p, lower, upper = linalg_lu.linalg_lu(a)
    np.testing.assert_allclose(p @ lower @ upper, a, atol=tolerance(dtype))
    packed, pivots = linalg_lu.linalg_lu_factor(a)
    assert pivots.dtype == np.int32
    for whole, part in zip((p, lower, upper), linalg_lu.lu_unpack(packed, pivots)):
        assert (whole == part).all()
    assert np.abs(lower).max(initial=0) <= 1 + 1e-6 or np.dtype(dtype).kind == "c"  # partial pivoting


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("adjoint", [False, True])
def test_lu_solves_from_either_side_and_for_the_adjoint(dtype, left, adjoint):
    a, b = random((2, 6, 6), dtype) + 3 * np.eye(6, dtype=dtype), random((2, 6, 6), dtype, 1)
    packed, pivots = linalg_lu.linalg_lu_factor(a)
    x = linalg_lu.linalg_lu_solve(packed, pivots, b, left=left, adjoint=adjoint)
    matrix = a.conj().swapaxes(-1, -2) if adjoint else a
    np.testing.assert_allclose(matrix @ x if left else x @ matrix, b, atol=tolerance(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_reads_one_triangle_and_solves(dtype, upper):
    m = random((2, 40, 40), dtype)
    a = m @ m.conj().swapaxes(-1, -2) + 40 * np.eye(40, dtype=dtype)
    given = np.triu(a) if upper else np.tril(a)
    factor = linalg_cholesky.linalg_cholesky(given, upper=upper)
    turned = factor.conj().swapaxes(-1, -2)
    np.testing.assert_allclose(turned @ factor if upper else factor @ turned, a, rtol=1e-4, atol=1e-3)
    b = random((40, 2), dtype, 1)
    b = np.broadcast_to(b, (2, 40, 2))
    np.testing.assert_allclose(a @ linalg_cholesky.cholesky_solve(b, factor, upper), b, atol=2e-4)
    np.testing.assert_allclose(linalg_cholesky.cholesky_inverse(factor, upper) @ a - np.eye(40), 0, atol=2e-4)


def test_cholesky_names_the_first_minor_that_fails():
    good, bad = np.eye(3), np.diag([1.0, -1.0, 1.0])
    with pytest.raises(LinAlgError) as caught:
        linalg_cholesky.linalg_cholesky(np.stack([good, bad]))
    assert str(caught.value) == (
        "linalg.cholesky: (Batch element 1): The factorization could not be completed because the input is not "
        "positive-definite (the leading minor of order 2 is not positive-definite)."
    )
    factor, info = linalg_cholesky.linalg_cholesky_ex(np.stack([good, bad]))
    assert info.tolist() == [0, 2]
    assert (factor[0] == good).all()
    assert linalg_cholesky.linalg_cholesky_ex(np.full((2, 2), np.nan))[1] == 1


def test_a_singular_matrix_is_named_by_its_pivot():
    with pytest.raises(LinAlgError, match="The diagonal element 2 is zero"):
        linalg_solve.linalg_inv(np.ones((2, 2)))
    with pytest.raises(LinAlgError, match=r"torch.linalg.solve: \(Batch element 1\): The solver failed"):
        linalg_solve.linalg_solve(np.stack([np.eye(2), np.ones((2, 2))]), np.ones((2, 2, 1)))
    assert linalg_solve.linalg_inv_ex(np.ones((2, 2)))[1] == 2
    assert issubclass(LinAlgError, RuntimeError)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 5), (4, 4), (2, 0, 3)])
def test_qr_and_svd_multiply_back(dtype, shape):
    a = random(shape, dtype)
    for mode in ("reduced", "complete"):
        q, r = linalg_spectral.linalg_qr(a, mode)
        np.testing.assert_allclose(q @ r, a, atol=tolerance(dtype))
    for full in (False, True):
        u, s, vh = linalg_spectral.linalg_svd(a, full)
        k = s.shape[-1]
        np.testing.assert_allclose(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a, atol=tolerance(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_householder_product_is_unitary_and_agrees_with_qr(dtype):
    a = random((5, 3), dtype)
    # LAPACK's own reflectors, rebuilt: the product's first columns must be orthonormal
    v = np.tril(a, -1) / 4
    unit = v + np.eye(5, 3, dtype=dtype)
    tau = (2 / (np.abs(unit) ** 2).sum(0)).astype(dtype)
    q = linalg_spectral.linalg_householder_product(v, tau)
    np.testing.assert_allclose(q.conj().T @ q, np.eye(3), atol=tolerance(dtype))
    whole = np.eye(5, dtype=dtype)
    for i in range(3):
        whole = whole @ (np.eye(5) - tau[i] * np.outer(unit[:, i], unit[:, i].conj()))
    np.testing.assert_allclose(q, whole[:, :3], atol=tolerance(dtype))


def test_lstsq_of_a_rank_deficient_matrix_is_the_shortest_solution():
    a = np.outer(np.arange(1.0, 5), [1.0, 2.0])
    b = random((4, 2), np.float64)
    x, residuals, rank, values = linalg_spectral.linalg_lstsq(a, b, driver="gelsd")
    np.testing.assert_allclose(x, np.linalg.pinv(a) @ b)
    assert rank == 1
    assert residuals.size == 0  # only full rank has residuals
    assert values.shape == (2,)
    full = random((4, 2), np.float64, 2)
    x, residuals, rank, values = linalg_spectral.linalg_lstsq(full, b, driver="gels")
    np.testing.assert_allclose(residuals, ((full @ x - b) ** 2).sum(0))
    assert rank.size == values.size == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0, 30.0])
def test_matrix_exp_by_eigenvalues(dtype, scale):
    m = random((3, 5, 5), dtype)
    a = (m + m.conj().swapaxes(-1, -2)) * np.dtype(dtype).type(scale / 10)
    values, vectors = np.linalg.eigh(a.astype(np.complex128))
    wanted = vectors * np.exp(values)[..., None, :] @ vectors.conj().swapaxes(-1, -2)
    found = linalg_exp.linalg_matrix_exp(a)
    assert found.dtype == dtype
    size = np.abs(wanted).max()
    np.testing.assert_allclose(found / size, wanted / size, atol=50 * np.finfo(dtype).eps * max(1, scale))


def test_matrix_exp_of_a_nilpotent_matrix_is_exact_and_nan_stays_in_its_matrix():
    a = np.stack([np.array([[0.0, 3.0], [0.0, 0.0]]), np.full((2, 2), np.nan)])
    found = linalg_exp.linalg_matrix_exp(a)
    np.testing.assert_allclose(found[0], [[1, 3], [0, 1]])
    assert np.isnan(found[1]).all()
