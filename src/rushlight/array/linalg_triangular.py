"""Triangular systems by blocked substitution.

NumPy exposes no triangular solver, but its general one is exactly back substitution on an upper triangular matrix: partial
pivoting finds nothing below the diagonal to move. So a small system is turned until its matrix is upper triangular and given to
``numpy.linalg.solve``. Larger ones go block by block: the diagonal blocks are inverted (all in one call, as GPU libraries do) and
everything else is matrix products.
"""

import numpy as np

from .linalg import batch_shape, check_kernel, check_same_dtype, check_solve_shapes, check_square

__all__ = ["invert_blocks", "linalg_solve_triangular", "substitute", "triangular_solve"]

_BLOCK = 32
#: blocks are halved down to this size before LAPACK inverts them
_SMALLEST = 8


def substitute(a, b, upper, unit=False, inverses=None):
    """X of ``A X = B`` for triangular A ``(..., n, n)``; the other triangle is not read, nor the diagonal where ``unit``.

    ``inverses`` is what ``invert_blocks`` gives for the same A, for whoever has several systems to solve.
    """
    n = a.shape[-1]
    batch = batch_shape(b, a)
    if not b.size or not n:
        return np.zeros((*batch, n, b.shape[-1]), b.dtype)
    if n <= _BLOCK:
        if upper:
            return _solve_small(a, b, unit)
        # rows and columns in reverse order make a lower triangular matrix upper
        return _solve_small(a[..., ::-1, ::-1], b[..., ::-1, :], unit)[..., ::-1, :]
    if inverses is None:
        inverses = invert_blocks(a, upper, unit)
        if inverses is None:  # a zero on the diagonal
            return _by_rows(_triangle(a, upper, unit), b, upper)
    x = np.empty((*batch, n, b.shape[-1]), b.dtype)
    count = -(-n // _BLOCK)
    for i in reversed(range(count)) if upper else range(count):
        start, stop = i * _BLOCK, min(n, (i + 1) * _BLOCK)
        part = b[..., start:stop, :]
        if upper and stop < n:
            part = part - np.matmul(a[..., start:stop, stop:], x[..., stop:, :])
        elif not upper and start:
            part = part - np.matmul(a[..., start:stop, :start], x[..., :start, :])
        np.matmul(inverses[..., i, : stop - start, : stop - start], part, out=x[..., start:stop, :])
    return x


def invert_blocks(a, upper, unit=False):
    """The inverses of A's diagonal blocks ``(..., count, block, block)``, the last filled up with the identity; None if singular."""
    n = a.shape[-1]
    if n <= _BLOCK:
        return None
    whole, rest = divmod(n, _BLOCK)
    count = whole + (1 if rest else 0)
    blocks = np.zeros((*a.shape[:-2], count, _BLOCK, _BLOCK), a.dtype)
    for i in range(count):
        start = i * _BLOCK
        part = a[..., start : start + _BLOCK, start : start + _BLOCK]
        blocks[..., i, : part.shape[-2], : part.shape[-1]] = part
    blocks = _triangle(blocks, upper, unit)
    if rest:
        np.einsum("...ii->...i", blocks[..., -1, rest:, rest:])[...] = 1
    try:
        return _invert_upper(blocks) if upper else _invert_upper(blocks.swapaxes(-1, -2)).swapaxes(-1, -2)
    except np.linalg.LinAlgError:
        return None


def _invert_upper(blocks):
    """The inverses of upper triangular matrices (count, n, n), n a power of two: those of the halves, and what joins them."""
    n = blocks.shape[-1]
    if n <= _SMALLEST:
        return np.linalg.inv(blocks)
    half = n // 2
    first, last = slice(None, half), slice(half, None)
    halves = np.stack([blocks[..., first, first], blocks[..., last, last]])
    ahead, behind = _invert_upper(halves)
    result = np.zeros_like(blocks)
    result[..., first, first], result[..., last, last] = ahead, behind
    result[..., first, last] = -np.matmul(np.matmul(ahead, blocks[..., first, last]), behind)
    return result


def _triangle(a, upper, unit):
    part = np.triu(a) if upper else np.tril(a)
    if unit:
        np.einsum("...ii->...i", part)[...] = 1
    return part


def _solve_small(a, b, unit):
    block = _triangle(a, True, unit)
    try:
        return np.linalg.solve(block, b)
    except np.linalg.LinAlgError:
        return _by_rows(block, b, True)


def _by_rows(a, b, upper):
    """Plain substitution, which divides by zeros on the diagonal as BLAS does."""
    x = np.array(np.broadcast_to(b, (*batch_shape(b, a), *b.shape[-2:])))
    n = a.shape[-1]
    with np.errstate(all="ignore"):
        for i in reversed(range(n)) if upper else range(n):
            x[..., i, :] /= a[..., i, i, None]
            rest = slice(0, i) if upper else slice(i + 1, n)
            x[..., rest, :] -= a[..., rest, i, None] * x[..., i, None, :]
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
