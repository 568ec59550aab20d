"""Inverse, determinant and general linear systems, through NumPy's LAPACK; our own LU only where a matrix is singular."""

import numpy as np

from .linalg import (
    LinAlgError,
    batch_shape,
    check_floating,
    check_kernel,
    check_same_dtype,
    check_solve_shapes,
    check_square,
    first_failure,
)
from .linalg_lu import factor, permutation, solve_factored

__all__ = [
    *("linalg_det", "linalg_inv", "linalg_inv_ex", "linalg_slogdet", "linalg_solve", "linalg_solve_ex"),
    *("nonsingular", "vector_case"),
]


def _inverse(a):
    try:
        return np.linalg.inv(a), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        lu, pivots, info = factor(a)
        with np.errstate(all="ignore"):
            return solve_factored(lu, pivots, np.eye(a.shape[-1], dtype=a.dtype)), info


def _refuse_inverse(name, info):
    where, number = first_failure(info)
    raise LinAlgError(
        f"{name}: {where}The diagonal element {number} is zero, the inversion could not be completed because the input "
        "matrix is singular."
    )


def _check_inverse(a):
    check_square("linalg.inv", a)
    check_floating("linalg.inv", a, half=False)


def linalg_inv_ex(A, *, check_errors=False):  # noqa: N803 - PyTorch's names
    """(inverse, info); info is the number of the first zero pivot, or 0."""
    _check_inverse(A)
    inverse, info = _inverse(A)
    if check_errors and info.any():
        _refuse_inverse("linalg.inv_ex", info)
    return inverse, info


def linalg_inv(A):  # noqa: N803
    """The inverse; LinAlgError where a matrix is singular."""
    _check_inverse(A)
    inverse, info = _inverse(A)
    if info.any():
        _refuse_inverse("linalg.inv", info)
    return inverse


def linalg_det(A):  # noqa: N803
    """The determinant."""
    check_square("linalg.det", A)
    check_floating("linalg.det", A)
    check_kernel("lu_cpu", A)
    return np.asarray(np.linalg.det(A))


def linalg_slogdet(A):  # noqa: N803
    """(sign, logarithm of the absolute value) of the determinant."""
    check_square("linalg.slogdet", A)
    check_floating("linalg.slogdet", A, half=False)
    sign, size = np.linalg.slogdet(A)
    return np.asarray(sign), np.asarray(size)


def nonsingular(a, determinant):
    """A matrix near ``a`` that can be inverted: zeros on U's diagonal become epsilon. Others are returned as they are."""
    if not (determinant == 0).any():
        return a
    lu, pivots, _ = factor(a)
    diagonal = np.einsum("...ii->...i", lu)
    diagonal[diagonal == 0] = np.finfo(a.dtype).eps
    lower = np.tril(lu, -1) + np.eye(a.shape[-1], dtype=a.dtype)
    back = np.argsort(permutation(pivots, a.shape[-1]), -1)
    return np.take_along_axis(np.matmul(lower, np.triu(lu)), back[..., None], -2)


def vector_case(a_shape, b_shape):
    """Whether B of a linear system is a vector, or a batch of them shaped as A's batch."""
    return len(b_shape) == 1 or (len(a_shape) - 1 == len(b_shape) and tuple(b_shape) == tuple(a_shape[:-1]))


def _solve(a, b, left):
    vector = vector_case(a.shape, b.shape)
    if b.ndim < 1:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    if vector:
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
            )
        b = b[..., None]
    check_solve_shapes("linalg.solve", a, b, left)
    batch_shape(b, a)
    if not left:
        a, b = a.swapaxes(-1, -2), b.swapaxes(-1, -2)
    info = np.zeros(a.shape[:-2], np.int32)
    try:
        x = np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        lu, pivots, info = factor(a)
        with np.errstate(all="ignore"):
            x = solve_factored(lu, pivots, b)
    if not left:
        x = x.swapaxes(-1, -2)
    return (x[..., 0] if vector else x), info


def _check_solve(a, b):
    check_floating("linalg.solve", a)
    check_square("linalg.solve", a)
    check_same_dtype("linalg.solve", a, b)
    check_kernel("lu_cpu", a)


def _refuse_solve(info, name="torch.linalg.solve"):
    where, _ = first_failure(info)
    raise LinAlgError(f"{name}: {where}The solver failed because the input matrix is singular.")


def linalg_solve_ex(A, B, *, left=True, check_errors=False):  # noqa: N803
    """(X of ``A X = B`` or ``X A = B``, info)."""
    _check_solve(A, B)
    x, info = _solve(A, B, left)
    if check_errors and info.any():
        _refuse_solve(info, "torch.linalg.solve_ex")
    return x, info


def linalg_solve(A, B, *, left=True):  # noqa: N803
    """X of ``A X = B`` or ``X A = B``; LinAlgError where a matrix is singular."""
    _check_solve(A, B)
    x, info = _solve(A, B, left)
    if info.any():
        _refuse_solve(info)
    return x
