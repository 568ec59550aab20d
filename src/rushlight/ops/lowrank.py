"""Singular values of nearly low-rank matrices by random projection (Halko, Martinsson and Tropp, 2009, algorithms 4.4 and 5.1)."""

from .random import randn
from .table import composite


def _basis(F, A, q, niter):
    """An orthonormal basis (..., m, q) of nearly the range of A (..., m, n): a random projection and `niter` subspace iterations."""
    A_h = F.conj(F.transpose(A, -2, -1))
    start = randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = F.linalg_qr(F.matmul(A, start))[0]
    for _ in range(niter):
        Q = F.linalg_qr(F.matmul(A_h, Q))[0]
        Q = F.linalg_qr(F.matmul(A, Q))[0]
    return Q


@composite("svd_lowrank", method=False)
def svd_lowrank(F, A, q=6, niter=2, M=None):
    """(U, S, V) with ``A - M`` close to ``U diag(S) V^H``: the ``q`` largest singular values of a batch of (m, n) matrices.

    Shapes (..., m, q), (..., q), (..., n, q). The projection is random: seed it by ``manual_seed``.
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    if M is not None:
        A = A - F.broadcast_to(M, tuple(A.shape))
    m, n = A.shape[-2:]
    wide = m < n
    if wide:
        A = F.conj(F.transpose(A, -2, -1))
    Q = _basis(F, A, q, niter)
    U, S, Vh = F.linalg_svd(F.matmul(F.conj(F.transpose(Q, -2, -1)), A), full_matrices=False)
    U, V = F.matmul(Q, U), F.conj(F.transpose(Vh, -2, -1))
    return (V, S, U) if wide else (U, S, V)


@composite("pca_lowrank", method=False)
def pca_lowrank(F, A, q=None, center=True, niter=2):
    """(U, S, V) of the rows of ``A`` (..., m, n), by default less their mean: ``V`` holds the principal directions.

    ``q`` is min(6, m, n) by default. Raises ValueError where ``q`` is more than m or n, or ``niter`` negative.
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return F.svd_lowrank(A - F.mean(A, -2, True) if center else A, q, niter)
