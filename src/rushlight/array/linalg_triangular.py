"""Triangular systems by blocked substitution.

NumPy exposes no triangular solver, but its general one is exactly back substitution on an upper triangular matrix: partial
pivoting finds nothing below the diagonal to move. So a system is turned until its matrix is upper triangular, diagonal blocks
go to ``numpy.linalg.solve`` and everything off the diagonal is one matrix product a block.
"""

import numpy as np

from .linalg import batch_shape, check_kernel, check_same_dtype, check_solve_shapes, check_square

__all__ = ["linalg_solve_triangular", "substitute", "triangular_solve"]

_BLOCK = 48


def substitute(a, b, upper, unit=False):
    """X of ``A X = B`` for triangular A ``(..., n, n)``; the other triangle is not read, nor the diagonal where ``unit``."""
    n = a.shape[-1]
    shape = (*batch_shape(b, a), n, b.shape[-1])
    if not b.size or not n:
        return np.zeros(shape, b.dtype)
    if not upper:  # rows and columns in reverse order make a lower triangular matrix upper
        return substitute(a[..., ::-1, ::-1], b[..., ::-1, :], True, unit)[..., ::-1, :]
    x = np.empty(shape, b.dtype)
    for stop in range(n, 0, -_BLOCK):
        start = max(0, stop - _BLOCK)
        part = b[..., start:stop, :]
        if stop < n:
            part = part - np.matmul(a[..., start:stop, stop:], x[..., stop:, :])
        x[..., start:stop, :] = _solve_block(a[..., start:stop, start:stop], part, unit)
    return x


def _solve_block(a, b, unit):
    block = np.triu(a, 1 if unit else 0)
    if unit:
        np.einsum("...ii->...i", block)[...] = 1
    try:
        return np.linalg.solve(block, b)
    except np.linalg.LinAlgError:  # a zero on the diagonal: divide by it, as BLAS does
        return _by_rows(block, b)


def _by_rows(a, b):
    x = np.array(np.broadcast_to(b, (*batch_shape(a, b), *b.shape[-2:])))
    with np.errstate(all="ignore"):
        for i in range(a.shape[-1] - 1, -1, -1):
            x[..., i, :] /= a[..., i, i, None]
            x[..., :i, :] -= a[..., :i, i, None] * x[..., i, None, :]
    return x


def linalg_solve_triangular(A, B, *, upper, left=True, unitriangular=False):  # noqa: N803 - PyTorch's names
    """X of ``A X = B`` (or ``X A = B``) for triangular A; batches broadcast."""
    name = "linalg.solve_triangular"
    check_square(name, A)
    if B.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    check_solve_shapes(name, A, B, left)
    if A.dtype != B.dtype:
        check_same_dtype(name, A, B)
    check_kernel("triangular_solve_cpu", A)
    if left:
        return substitute(A, B, upper, unitriangular)
    return substitute(A.swapaxes(-1, -2), B.swapaxes(-1, -2), not upper, unitriangular).swapaxes(-1, -2)


def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):  # noqa: N803
    """(solution of ``A X = input``, a copy of A); the older form of ``linalg_solve_triangular``."""
    for label, each in (("b", input), ("A", A)):
        if each.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {label} to have at least 2 dimensions, but it has {each.ndim} "
                "dimensions instead"
            )
    check_square("", A)
    if A.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for triangular_solve: each A matrix is {A.shape[-1]} by {A.shape[-1]} but each b "
            f"matrix is {input.shape[-2]} by {input.shape[-1]}"
        )
    check_kernel("triangular_solve_cpu", A)
    batch = batch_shape(A, input)
    kept = np.array(np.broadcast_to(A, (*batch, *A.shape[-2:])))
    if transpose:
        return substitute(A.swapaxes(-1, -2), input, not upper, unitriangular), kept
    return substitute(A, input, upper, unitriangular), kept
