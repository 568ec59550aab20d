"""Cholesky factors and what is solved with them."""

import numpy as np

from .linalg import (
    LinAlgError,
    adjoint,
    batch_shape,
    check_floating,
    check_kernel,
    check_matrix,
    check_square,
    first_failure,
)
from .linalg_triangular import invert_blocks, substitute

__all__ = ["cholesky", "cholesky_inverse", "cholesky_solve", "linalg_cholesky", "linalg_cholesky_ex"]


def _factor(a, upper):
    """(factor, info): info is the order of the first leading minor that is not positive-definite, or 0."""
    info = np.zeros(a.shape[:-2], np.int32)
    if not a.size:
        return np.zeros(a.shape, a.dtype), info
    try:
        factor = np.linalg.cholesky(a, upper=upper)
        if not np.isnan(np.einsum("...ii->...i", factor)).any():
            return factor, info
    except np.linalg.LinAlgError:
        pass
    lower = np.tril(adjoint(a) if upper else a)
    flat, orders = lower.reshape(-1, *a.shape[-2:]), info.reshape(-1)
    for i, each in enumerate(flat):  # the matrices of a batch that failed, one at a time
        orders[i] = _factor_one(each)
    return (adjoint(lower) if upper else lower), info


def _factor_one(a):
    """Factor one lower triangle in place; the order of the minor that failed, or 0."""
    try:
        factor = np.linalg.cholesky(a)
        if not np.isnan(np.diagonal(factor)).any():
            a[...] = factor
            return 0
    except np.linalg.LinAlgError:
        pass
    for j in range(a.shape[0]):
        row = a[j, :j]
        head = a[j, j].real - np.vdot(row, row).real
        if not head > 0:
            return j + 1
        a[j, j] = np.sqrt(head)
        a[j + 1 :, j] = (a[j + 1 :, j] - a[j + 1 :, :j] @ row.conj()) / a[j, j]
    return 0


def _refuse(name, info):
    where, order = first_failure(info)
    raise LinAlgError(
        f"{name}: {where}The factorization could not be completed because the input is not positive-definite (the leading "
        f"minor of order {order} is not positive-definite)."
    )


def linalg_cholesky_ex(input, *, upper=False, check_errors=False):
    """(L, info) with ``A = L Lᴴ`` (upper: ``Uᴴ U``) for Hermitian positive-definite A, of which one triangle is read."""
    check_square("linalg.cholesky", input)
    check_floating("linalg.cholesky", input)
    check_kernel("cholesky_cpu", input)
    factor, info = _factor(input, upper)
    if check_errors and info.any():
        _refuse("linalg.cholesky_ex", info)
    return factor, info


def linalg_cholesky(input, *, upper=False):
    """The Cholesky factor; LinAlgError where the input is not positive-definite."""
    factor, info = linalg_cholesky_ex(input, upper=upper)
    if info.any():
        _refuse("linalg.cholesky", info)
    return factor


def cholesky(input, upper=False):
    """The older form of ``linalg_cholesky``."""
    if not input.size and input.ndim >= 2:
        return np.zeros(input.shape, input.dtype)
    check_square("cholesky", input)
    check_kernel("cholesky_cpu", input)
    factor, info = _factor(input, upper)
    if info.any():
        _refuse("cholesky", info)
    return factor


def cholesky_solve(input, input2, upper=False):
    """X of ``A X = input`` where ``input2`` is the Cholesky factor of A."""
    for label, each in (("b", input), ("u", input2)):
        if each.ndim < 2:
            raise RuntimeError(f"{label} should have at least 2 dimensions, but has {each.ndim} dimensions instead")
    check_square("", input2)
    if input2.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {input2.shape[-1]} by {input2.shape[-1]} but "
            f"each b matrix is {input.shape[-2]} by {input.shape[-1]}"
        )
    check_kernel("cholesky_solve_cpu", input)
    batch_shape(input, input2)
    return _solve(input2, input, upper)


def _solve(factor, b, upper):
    turned = adjoint(factor)
    lower, higher = (turned, factor) if upper else (factor, turned)
    inverses = invert_blocks(lower, False)
    y = substitute(lower, b, False, inverses=inverses)
    return substitute(higher, y, True, inverses=None if inverses is None else adjoint(inverses))


def cholesky_backward(lower, g):
    """The cotangent ``L⁻ᴴ Φ L⁻¹`` of A = L Lᴴ from that of L: Φ is half of ``Lᴴ g``'s lower triangle, made Hermitian.

    Of Lᴴ g only three quarters are made, and L's diagonal blocks are inverted once for both systems.
    """
    n = lower.shape[-1]
    phi = np.empty(np.broadcast_shapes(lower.shape, g.shape), np.result_type(lower, g))
    half = n // 2
    below = np.matmul(adjoint(lower[..., half:, half:]), g[..., half:, :half])
    phi[..., half:, :half] = below
    phi[..., :half, half:] = adjoint(below)
    for part in (slice(0, half), slice(half, None)):
        corner = np.tril(np.matmul(adjoint(lower[..., part.start :, part]), g[..., part.start :, part]))
        diagonal = np.einsum("...ii->...i", corner).copy()
        corner = corner + adjoint(corner)
        np.einsum("...ii->...i", corner)[...] = diagonal
        phi[..., part, part] = corner
    phi *= 0.5
    inverses = invert_blocks(lower, False)
    turned = lower.swapaxes(-1, -2)
    inner = substitute(
        *(turned, phi.swapaxes(-1, -2), True),
        inverses=None if inverses is None else inverses.swapaxes(-1, -2),
    ).swapaxes(-1, -2)
    return substitute(adjoint(lower), inner, True, inverses=None if inverses is None else adjoint(inverses))


def cholesky_inverse(input, upper=False):
    """The inverse of the matrix whose Cholesky factor is given."""
    check_matrix("cholesky_inverse", input)
    check_square("cholesky_inverse", input)
    check_kernel("cholesky_inverse_out_cpu", input)
    n = input.shape[-1]
    zero = np.einsum("...ii->...i", input) == 0
    if zero.any():
        where, number = first_failure(np.where(zero.any(-1), zero.argmax(-1) + 1, 0))
        raise LinAlgError(
            f"cholesky_inverse: {where}The diagonal element {number} is zero, the inversion could not be completed because "
            "the input matrix is singular."
        )
    inverse = _solve(input, np.eye(n, dtype=input.dtype), upper)
    return (inverse + adjoint(inverse)) / 2
