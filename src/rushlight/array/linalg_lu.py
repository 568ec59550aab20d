"""LU factorization with partial pivoting, and what is solved with it.

NumPy does not give its LU factors away, so they are computed here: panels of a few columns by rank-one updates, the rest of the
matrix by one triangular solve and one matrix product a panel, all matrices of a batch at once.
"""

import math

import numpy as np

from .. import dtypes
from .arguments import shape_text
from .linalg import (
    adjoint,
    batch_shape,
    check_kernel,
    check_same_dtype,
    check_solve_shapes,
    check_square,
    first_failure,
)
from .linalg_triangular import substitute

__all__ = [
    *("factor", "linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_lu_solve", "lu_unpack"),
    *("permutation", "solve_factored"),
]

_PANEL = 24


def factor(a):
    """(LU, pivots from 0, info) of matrices ``(..., m, n)``; info is the number of the first zero on U's diagonal, or 0."""
    *batch, m, n = a.shape
    count, k = math.prod(batch), min(m, n)
    lu = np.array(a).reshape(count, m, n)
    pivots = np.zeros((count, k), np.int64)
    info = np.zeros(count, np.int32)
    rows = np.arange(count)
    for start in range(0, k, _PANEL):
        stop = min(k, start + _PANEL)
        for j in range(start, stop):
            _pivot(lu, pivots, info, rows, j)
            if stop > j + 1 and m > j + 1:
                lu[:, j + 1 :, j + 1 : stop] -= lu[:, j + 1 :, j, None] * lu[:, None, j, j + 1 : stop]
        if stop < n:
            right = substitute(lu[:, start:stop, start:stop], lu[:, start:stop, stop:], False, True)
            lu[:, start:stop, stop:] = right
            if stop < m:
                lu[:, stop:, stop:] -= np.matmul(lu[:, stop:, start:stop], right)
    return lu.reshape(a.shape), pivots.reshape(*batch, k), info.reshape(batch)


def _pivot(lu, pivots, info, rows, j):
    """Bring the largest entry of column j to the diagonal, and divide what is below by it."""
    column = lu[:, j:, j]
    size = np.abs(column.real) + np.abs(column.imag) if column.dtype.kind == "c" else np.abs(column)
    chosen = size.argmax(1) + j
    pivots[:, j] = chosen
    if (chosen != j).any():
        lower = lu[rows, chosen]  # a copy
        lu[rows, chosen] = lu[:, j]
        lu[:, j] = lower
    head = lu[:, j, j]
    zero = head == 0
    if zero.any():
        info[zero & (info == 0)] = j + 1
        head = np.where(zero, 1, head)
    lu[:, j + 1 :, j] /= head[:, None]


def permutation(pivots, rows):
    """The order of rows that row exchanges ``pivots`` (from 0) lead to: ``A[order] = L U``."""
    batch = pivots.shape[:-1]
    flat = pivots.reshape(math.prod(batch), pivots.shape[-1])
    order = np.tile(np.arange(rows), (flat.shape[0], 1))
    each = np.arange(flat.shape[0])
    for j in range(flat.shape[1]):
        chosen = flat[:, j]
        moved = order[each, chosen]
        order[each, chosen] = order[:, j]
        order[:, j] = moved
    return order.reshape(*batch, rows)


def _permutation_matrix(order, dtype):
    out = np.zeros((*order.shape, order.shape[-1]), dtype)
    np.put_along_axis(out, order[..., None, :], 1, -2)
    return out


def _split(lu):
    m, n = lu.shape[-2:]
    k = min(m, n)
    lower = np.tril(lu[..., :, :k], -1)
    np.einsum("...ii->...i", lower[..., :k, :])[...] = 1
    return lower, np.triu(lu[..., :k, :])


def _check(name, a, pivot):
    if a.ndim < 2:
        raise RuntimeError(
            f"{name}: Expected tensor with 2 or more dimensions. Got size: {shape_text(a.shape)} instead"
        )
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    check_kernel("lu_cpu", a)


def linalg_lu(A, *, pivot=True):  # noqa: N803 - PyTorch's names
    """(P, L, U) with ``A = P L U``."""
    _check("linalg.lu", A, pivot)
    lu, pivots, _ = factor(A)
    return (_permutation_matrix(permutation(pivots, A.shape[-2]), A.dtype), *_split(lu))


def linalg_lu_factor_ex(A, *, pivot=True, check_errors=False):  # noqa: N803
    """(LU in one matrix, pivots from 1, info)."""
    _check("torch.lu_factor", A, pivot)
    lu, pivots, info = factor(A)
    if check_errors and info.any():
        _refuse(info, "torch.linalg.lu_factor_ex")
    return lu, (pivots + 1).astype(np.int32), info


def linalg_lu_factor(A, *, pivot=True):  # noqa: N803
    """(LU in one matrix, pivots from 1); RuntimeError where U has a zero on its diagonal."""
    lu, pivots, info = linalg_lu_factor_ex(A, pivot=pivot)
    if info.any():
        _refuse(info, "torch.linalg.lu_factor")
    return lu, pivots


def _refuse(info, name):
    where, number = first_failure(info)
    raise RuntimeError(
        f"{name}: {where}U[{number},{number}] is zero and using it on lu_solve would result in a division by zero. If you "
        "still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
    )


def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):  # noqa: N803
    """(P, L, U) of a packed factorization; what is not asked for is an empty array."""
    if unpack_pivots and LU_pivots.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is "
            "intended to be used with the output produced by torch.linalg.lu_factor"
        )
    nothing = np.zeros(0, LU_data.dtype)
    lower, upper = _split(LU_data) if unpack_data else (nothing, nothing)
    if not unpack_pivots:
        return nothing, lower, upper
    k = min(LU_data.shape[-2:])
    order = permutation(LU_pivots[..., :k].astype(np.int64) - 1, LU_data.shape[-2])
    order = np.broadcast_to(order, (*LU_data.shape[:-2], order.shape[-1]))
    return _permutation_matrix(order, LU_data.dtype), lower, upper


def solve_factored(lu, pivots, b):
    """X of ``A X = B`` from the factors of A (pivots from 0)."""
    order = permutation(pivots, lu.shape[-1])
    batch = batch_shape(lu, b)
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    order = np.broadcast_to(order, (*batch, order.shape[-1]))
    return substitute(lu, substitute(lu, np.take_along_axis(b, order[..., None], -2), False, True), True)


def _solve_adjoint(lu, pivots, b):
    """X of ``A^H X = B``: the same three steps, turned, in the other order."""
    order = permutation(pivots, lu.shape[-1])
    turned = adjoint(lu)
    y = substitute(turned, substitute(turned, b, False), True, True)
    back = np.broadcast_to(np.argsort(order, -1), (*y.shape[:-2], order.shape[-1]))
    return np.take_along_axis(y, back[..., None], -2)


def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False):  # noqa: N803
    """X of ``A X = B`` (``X A = B``; A adjoint) from what ``linalg_lu_factor`` returned."""
    name = "linalg.lu_solve"
    if dtypes.of(LU.dtype).category < 2:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtypes.of(LU.dtype).legacy}"
        )
    check_square("torch.linalg.lu_solve", LU)
    if B.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    check_same_dtype(name, LU, B, "LU")
    if pivots.dtype != np.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    check_solve_shapes(name, LU, B, left)
    if LU.shape[:-1] != pivots.shape:
        raise RuntimeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{shape_text(pivots.shape)} instead"
        )
    check_kernel("lu_solve_cpu", LU)
    order = pivots.astype(np.int64) - 1
    if left:
        return (_solve_adjoint if adjoint else solve_factored)(LU, order, B)
    turned = _adjoint(B)  # X A = B is A^H X^H = B^H
    return _adjoint((solve_factored if adjoint else _solve_adjoint)(LU, order, turned))


_adjoint = adjoint  # the argument of that name hides it
