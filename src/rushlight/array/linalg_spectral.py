"""QR, singular values, eigenvalues, least squares and the pseudoinverse, through NumPy's LAPACK."""

import numpy as np

from .. import dtypes
from .arguments import broadcast_shapes_of_two, legacy_name, shape_text
from .linalg import (
    LinAlgError,
    adjoint,
    check_floating,
    check_kernel,
    check_matrix,
    check_square,
    first_failure,
    real_dtype,
)

__all__ = [
    *("linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh", "linalg_householder_product", "linalg_lstsq"),
    *("linalg_qr", "linalg_svd", "pinv", "svdvals"),
]

# -------------------------------------------------------------------------------------------------------------- QR


def linalg_qr(A, mode="reduced"):  # noqa: N803 - PyTorch's names
    """(Q, R): reduced, complete, or R alone (then Q is empty)."""
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    check_matrix("linalg.qr", A)
    check_floating("linalg.qr", A)
    check_kernel("geqrf_cpu", A)
    *batch, m, n = A.shape
    k = min(m, n)
    if not A.size:
        width = m if mode == "complete" else k
        q = np.broadcast_to(np.eye(m, width, dtype=A.dtype), (*batch, m, width)).copy()
        r = np.zeros((*batch, width, n), A.dtype)
        return (np.zeros(0, A.dtype) if mode == "r" else q), r
    if mode == "r":
        return np.zeros(0, A.dtype), np.linalg.qr(A, "r")
    q, r = np.linalg.qr(A, mode)
    return q, r


def linalg_householder_product(A, tau):  # noqa: N803
    """The first columns of ``H_1 H_2 ... H_k``, where ``H_i = I - tau_i v_i v_iᴴ`` and v_i stands below A's diagonal."""
    name = "torch.linalg.householder_product"
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if tau.ndim == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if A.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if A.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {A.ndim}"
        )
    if A.ndim > 2 and A.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {shape_text(tau.shape[:-1])}"
        )
    if A.dtype != tau.dtype:
        raise RuntimeError(f"{name}: tau dtype {legacy_name(tau)} does not match input dtype {legacy_name(A)}")
    check_kernel("orgqr_cpu", A)
    q = np.zeros(A.shape, A.dtype)
    np.einsum("...ii->...i", q[..., : A.shape[-1], :])[...] = 1
    for i in range(tau.shape[-1] - 1, -1, -1):
        v = A[..., i:, i].copy()
        v[..., 0] = 1
        rest = q[..., i:, :]
        along = np.matmul(v.conj()[..., None, :], rest)
        rest -= tau[..., i, None, None] * v[..., :, None] * along
    return q


# -------------------------------------------------------------------------------------------------- singular values


def _check_svd(a):
    check_matrix("linalg.svd", a)
    check_floating("linalg.svd", a)
    check_kernel("linalg_svd_cpu", a)


def _refuse_svd(a):
    if not np.isfinite(a).all():
        text = "because the input matrix contained non-finite values."
    else:
        text = "because the input matrix is ill-conditioned or has too many repeated singular values."
    raise LinAlgError(f"linalg.svd: The algorithm failed to converge {text}") from None


def linalg_svd(A, full_matrices=True, *, driver=None):  # noqa: N803
    """(U, S, Vh) with ``A = U diag(S) Vh``, singular values from the largest down."""
    _check_svd(A)
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )
    *batch, m, n = A.shape
    if not A.size:
        k = min(m, n)
        u = np.broadcast_to(np.eye(m, m if full_matrices else k, dtype=A.dtype), (*batch, m, m if full_matrices else k))
        v = np.broadcast_to(np.eye(n if full_matrices else k, n, dtype=A.dtype), (*batch, n if full_matrices else k, n))
        return u.copy(), np.zeros((*batch, k), real_dtype(A.dtype)), v.copy()
    try:
        u, s, vh = np.linalg.svd(A, full_matrices=full_matrices)
    except np.linalg.LinAlgError:
        _refuse_svd(A)
    return u, s, vh


def svdvals(A):  # noqa: N803
    """The singular values alone."""
    _check_svd(A)
    if not A.size:
        return np.zeros((*A.shape[:-2], min(A.shape[-2:])), real_dtype(A.dtype))
    try:
        return np.linalg.svd(A, compute_uv=False)
    except np.linalg.LinAlgError:
        _refuse_svd(A)


def pinv(A, atol, rtol, hermitian):  # noqa: N803
    """The pseudoinverse; singular values up to max(atol, rtol times the largest) count as zero."""
    if not A.size:
        return np.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype)
    if hermitian:
        s, u = linalg_eigh(A, "L")
        size = np.abs(s)
        top = size.max(-1, keepdims=True)
        vh = adjoint(u)
    else:
        u, s, vh = linalg_svd(A, False)
        size, top = s, s[..., :1]
    limit = np.maximum(np.asarray(atol)[..., None], np.asarray(rtol)[..., None] * top)
    with np.errstate(all="ignore"):
        inverse = np.where(size > limit, 1 / s, 0).astype(s.dtype)
    return np.matmul(adjoint(vh) * inverse[..., None, :], adjoint(u))


# ------------------------------------------------------------------------------------------------------ eigenvalues


def _check_eig(name, a):
    if dtypes.of(a.dtype).category < 2:
        raise RuntimeError(f"Unknown Complex ScalarType for {legacy_name(a)}")
    check_square(name, a)
    check_kernel("linalg_eig_out_cpu", a)
    if not np.isfinite(a).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


def _complex(array, like):
    return array.astype(np.complex64 if like.dtype.itemsize <= (8 if like.dtype.kind == "c" else 4) else np.complex128)


def linalg_eig(A):  # noqa: N803
    """(eigenvalues, eigenvectors) of square matrices, always complex; the vectors have norm 1."""
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        if dtypes.of(A.dtype).category >= 2:
            check_square("linalg.eig", A)
    _check_eig("linalg.eig", A)
    if not A.size:
        return _complex(np.zeros(A.shape[:-1]), A), _complex(np.zeros(A.shape), A)
    values, vectors = np.linalg.eig(A)
    return _complex(values, A), _complex(vectors, A)


def linalg_eigvals(A):  # noqa: N803
    """The eigenvalues alone."""
    _check_eig("linalg.eigvals", A)
    if not A.size:
        return _complex(np.zeros(A.shape[:-1]), A)
    return _complex(np.linalg.eigvals(A), A)


def _check_eigh(a, uplo):
    check_square("linalg.eigh", a)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    check_kernel("linalg_eigh_cpu", a)


def linalg_eigh(A, UPLO="L"):  # noqa: N803
    """(eigenvalues from the smallest up, eigenvectors) of Hermitian matrices, of which one triangle is read."""
    _check_eigh(A, UPLO)
    if not A.size:
        return np.zeros(A.shape[:-1], real_dtype(A.dtype)), np.zeros(A.shape, A.dtype)
    try:
        values, vectors = np.linalg.eigh(A, UPLO.upper())
    except np.linalg.LinAlgError:
        _refuse_eigh(A)
    return values, vectors


def linalg_eigvalsh(A, UPLO="L"):  # noqa: N803
    """The eigenvalues alone."""
    _check_eigh(A, UPLO)
    if not A.size:
        return np.zeros(A.shape[:-1], real_dtype(A.dtype))
    try:
        return np.linalg.eigvalsh(A, UPLO.upper())
    except np.linalg.LinAlgError:
        _refuse_eigh(A)


def _refuse_eigh(a):
    broken = ~np.isfinite(a).all((-2, -1))
    where, _ = first_failure(broken.astype(np.int32)) if broken.any() else ("", 0)
    raise LinAlgError(
        f"linalg.eigh: {where}The algorithm failed to converge because the input matrix is ill-conditioned or has too many "
        "repeated eigenvalues."
    ) from None


# ------------------------------------------------------------------------------------------------------ least squares

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def linalg_lstsq(input, b, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular values) of ``min |A X - B|``, X the shortest; by singular values in all drivers.

    Residuals are sums of squares by column, given where ``m > n``, the rank is full and the driver is not gelsy. The rank is
    empty with gels, the singular values with gels and gelsy.
    """
    name = "torch.linalg.lstsq"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if b.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if input.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype {legacy_name(input)} and "
            f"other's dtype {legacy_name(b)}"
        )
    if not 0 <= input.ndim - b.ndim <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    vector = input.ndim - b.ndim == 1
    column = b[..., None] if vector else b
    if input.shape[-2] != column.shape[-2]:
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({-1 if vector else -2})")
    if input.dtype.kind not in "fc" or input.dtype.itemsize < 4:
        raise RuntimeError("This function doesn't handle types other than float and double")
    driver = "gelsy" if driver is None else driver
    if driver not in _DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    m, n = input.shape[-2:]
    real = real_dtype(input.dtype)
    if rcond is None:
        rcond = np.finfo(real).eps * max(m, n)
    batch = broadcast_shapes_of_two(input.shape[:-2], column.shape[:-2])
    u, s, vh = linalg_svd(input, False)
    big = s > rcond * (s[..., :1] if s.shape[-1] else 0)
    with np.errstate(all="ignore"):
        inverse = np.where(big, 1 / s, 0).astype(real)
    x = np.matmul(adjoint(vh), inverse[..., :, None] * np.matmul(adjoint(u), column))
    rank = np.asarray(np.broadcast_to(big.sum(-1), batch), np.int64)
    residuals = np.zeros(0, real)
    if m > n and driver != "gelsy" and (rank == n).all():
        off = np.matmul(input, x) - column
        residuals = (off.real**2 + off.imag**2 if off.dtype.kind == "c" else off**2).sum(-2)
    values = np.array(np.broadcast_to(s, (*batch, s.shape[-1]))) if driver in ("gelsd", "gelss") else np.zeros(0, real)
    if driver == "gels":
        rank = np.zeros(0, np.int64)
    return (x[..., 0] if vector else x), residuals, rank, values
