"""QR, singular values, eigenvalues, least squares and the pseudoinverse, with their derivatives.

Eigenvectors and singular vectors are only defined up to a phase: where a complex loss depends on it, backward refuses, as
PyTorch does. Formulas: M. Giles, "An extended collection of matrix derivative results" (2008), and Z. Wan and S. Zhang, "Automatic
differentiation for complex valued SVD" (2019).
"""

import numpy as np

from .. import dtypes
from ..array import linalg_spectral as kernels
from ..array.arguments import shape_text
from ..autograd.modes import is_grad_enabled, state
from .linalg import H, complex_dtype, dtype_of, minus
from .linalg_out import accept_out, castable, same_dtype
from .linalg_warnings import tell_once
from .reduce import raw
from .results import result_type
from .table import composite, differentiable

_function = dict(method=False)
_private = dict(method=False, function=False)


# ------------------------------------------------------------------------------------------------------------------ QR


def _hermitian_from_lower(F, x):
    lower = F.tril(x, -1)
    diagonal = F.diagonal(x, 0, -2, -1)
    if complex_dtype(x):
        diagonal = F.real(diagonal)
    return lower + H(F, lower) + F.diag_embed(diagonal)


def _qr_vjp(F, g, A_shape, y, mode):
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
            "mode='reduced') if you are going to require gradients."
        )
    m, n = A_shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
    q, r = y
    g_q, g_r = g
    if g_q is None and g_r is None:
        return None
    if m >= n:
        return _qr_tall(F, g_q, g_r, q, r)
    # A = [X | Y]: X = Q U is a square problem, and Y = Q V hands G Vᴴ on to Q
    u, v = F.narrow(r, -1, 0, m), F.narrow(r, -1, m, n - m)
    g_u = g_rest = None
    if g_r is not None:
        g_u, g_v = F.narrow(g_r, -1, 0, m), F.narrow(g_r, -1, m, n - m)
        g_rest = F.matmul(q, g_v)
        passed = F.matmul(F.matmul(q, v), H(F, g_v))
        g_q = passed if g_q is None else g_q + passed
    left = _qr_tall(F, g_q, g_u, q, u)
    if g_rest is None:
        g_rest = F.zeros_like(v)
    return F.cat([left, g_rest], -1)


def _qr_tall(F, g_q, g_r, q, r):
    inner = None
    if g_r is not None:
        inner = F.matmul(r, H(F, g_r))
    if g_q is not None:
        part = minus(F.matmul(H(F, g_q), q))
        inner = part if inner is None else inner + part
    right = F.matmul(q, _hermitian_from_lower(F, inner))
    if g_q is not None:
        right = right + g_q
    return F.linalg_solve_triangular(H(F, r), right, upper=False, left=False)


differentiable("linalg_qr", kernels.linalg_qr, vjp=_qr_vjp, returns=("Q", "R"), out="same")


@composite("qr")
def qr(F, input, some=True):
    tell_once("qr")
    return result_type("qr", ("Q", "R"))(*F.linalg_qr(input, "reduced" if some else "complete"))


def _householder_vjp(F, g, A, tau, A_shape):
    """Backwards through the reflections, first to last: each turns Q' into Q = Q' - tau v (vᴴ Q')."""
    m, n = A_shape[-2:]
    count = tau.shape[-1]
    if not count:
        return None, None
    eye = F.eye(m, dtype=dtype_of(A))
    below = F.tril(A, -1) + F.narrow(eye, -1, 0, n)
    vectors = [F.narrow(below, -1, i, 1) for i in range(count)]
    taus = [F.unsqueeze(F.narrow(tau, -1, i, 1), -1) for i in range(count)]
    start = F.zeros_like(A) + F.narrow(eye, -1, 0, n)
    states = [start]
    for v, t in zip(reversed(vectors), reversed(taus)):
        states.append(states[-1] - t * F.matmul(v, F.matmul(H(F, v), states[-1])))
    states.pop()
    g_vectors, g_taus = [], []
    for v, t, before in zip(vectors, taus, reversed(states)):
        along = F.matmul(H(F, before), v)  # (vᴴ Q')ᴴ
        pulled = F.matmul(H(F, g), v)
        g_taus.append(minus(F.squeeze(F.matmul(H(F, v), F.matmul(g, along)), -1)))
        g_vectors.append(minus(F.conj(t) * F.matmul(g, along) + t * F.matmul(before, pulled)))
        g = g - F.conj(t) * F.matmul(v, H(F, pulled))
    if count < n:
        g_vectors.append(F.zeros_like(F.narrow(A, -1, count, n - count)))
    return F.tril(F.cat(g_vectors, -1), -1), F.cat(g_taus, -1)


differentiable(
    *("linalg_householder_product", kernels.linalg_householder_product),
    **dict(vjp_all=_householder_vjp, out=True, check_out=castable("torch.linalg.householder_product")),
)


@composite("orgqr")
def orgqr(F, input, input2):
    return F.linalg_householder_product(input, input2)


# ---------------------------------------------------------------------------------------------------- singular values


def _skew(F, x):
    return x - H(F, x)


def _column(F, x):
    return F.unsqueeze(x, -1)


def _row(F, x):
    return F.unsqueeze(x, -2)


def _svd_vjp(F, g, A_shape, y, full_matrices):
    u, s, vh = y
    g_u, g_s, g_vh = g
    m, n = A_shape[-2:]
    k = min(m, n)
    if full_matrices:
        u, vh = F.narrow(u, -1, 0, k), F.narrow(vh, -2, 0, k)
        g_u = None if g_u is None else F.narrow(g_u, -1, 0, k)
        g_vh = None if g_vh is None else F.narrow(g_vh, -2, 0, k)
    if g_u is None and g_vh is None:
        return None if g_s is None else F.matmul(u * _row(F, g_s), vh)
    is_complex = complex_dtype(u)
    turn_u = None if g_u is None else _skew(F, F.matmul(H(F, u), g_u))
    turn_v = None if g_vh is None else _skew(F, F.matmul(vh, H(F, g_vh)))
    if is_complex:
        _check_phase(turn_u, turn_v)
    squares = s * s
    gaps = _row(F, squares) - _column(F, squares) + F.eye(k, dtype=dtype_of(s))
    inner = None
    if turn_u is not None:
        inner = turn_u / gaps * _row(F, s)
    if turn_v is not None:
        part = _column(F, s) * (turn_v / gaps)
        inner = part if inner is None else inner + part
    # the diagonals of the two turns are imaginary: they say nothing of S, and are shared through U's phase
    if is_complex and turn_u is not None:
        inner = _off_diagonal(F, inner)
        inner = inner + F.diag_embed(F.diagonal(turn_u, 0, -2, -1) / (s * 2))
    elif is_complex:
        inner = _off_diagonal(F, inner)
    if g_s is not None:
        inner = inner + F.diag_embed(g_s)
    if m > k and g_u is not None:
        left = F.matmul(u, inner)
        away = g_u - F.matmul(u, F.matmul(H(F, u), g_u))
        result = F.matmul(left + away / _row(F, s), vh)
    else:
        result = F.matmul(u, F.matmul(inner, vh))
    if n > k and g_vh is not None:
        away = g_vh - F.matmul(F.matmul(g_vh, H(F, vh)), vh)
        result = result + F.matmul(u, away / _column(F, s))
    return result


def _check_phase(turn_u, turn_v):
    total = 0
    for turn in (turn_u, turn_v):
        if turn is not None:
            total = total + np.einsum("...ii->...i", raw(turn)).imag
    if not np.allclose(total, 0, rtol=1e-2, atol=1e-2):
        raise RuntimeError(
            "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The "
            "specified loss function depends on this phase term, making it ill-defined."
        )


def _svd_jvp(F, t, A_shape, y, full_matrices):
    """With X = Uᴴ t V: dS is X's real diagonal, and U and Vh turn by what is left of X; in the complex case they share its phase."""
    u, s, vh = y
    m, n = A_shape[-2:]
    k = min(m, n)
    if full_matrices:
        u, vh = F.narrow(u, -1, 0, k), F.narrow(vh, -2, 0, k)
    turned_u, v = H(F, u), H(F, vh)
    inner = F.matmul(F.matmul(turned_u, t), v)
    diagonal = F.diagonal(inner, 0, -2, -1)
    moved_s = F.real(diagonal) if complex_dtype(inner) else diagonal
    squares = s * s
    gaps = _row(F, squares) - _column(F, squares) + F.eye(k, dtype=dtype_of(s))
    right, left = inner * _row(F, s), _column(F, s) * inner
    turn_u, turn_v = _off_diagonal(F, (right + H(F, right)) / gaps), _off_diagonal(F, (left + H(F, left)) / gaps)
    if complex_dtype(inner):
        phase = F.diag_embed((diagonal - moved_s) / (s * 2))
        turn_u, turn_v = turn_u + phase, turn_v - phase
    moved_u, moved_vh = F.matmul(u, turn_u), minus(F.matmul(turn_v, vh))
    if m > k:
        along = F.matmul(t, v)
        moved_u = moved_u + (along - F.matmul(u, F.matmul(turned_u, along))) / _row(F, s)
    if n > k:
        along = F.matmul(turned_u, t)
        moved_vh = moved_vh + (along - F.matmul(F.matmul(along, v), vh)) / _column(F, s)
    if full_matrices:  # the further singular vectors are any basis of a space: they stay where they are
        moved_u, moved_vh = F.constant_pad_nd(moved_u, (0, m - k)), F.constant_pad_nd(moved_vh, (0, 0, 0, n - k))
    return moved_u, moved_s, moved_vh


def _off_diagonal(F, x):
    return F.tril(x, -1) + F.triu(x, 1)


differentiable(
    *("linalg_svd", kernels.linalg_svd),
    **dict(vjp=_svd_vjp, jvp=_svd_jvp, returns=("U", "S", "Vh"), out="same", spoken_out="_linalg_svd"),
)
differentiable("_svdvals", kernels.svdvals, **_private)


def _recording(x):
    return (getattr(x, "requires_grad", False) and is_grad_enabled()) or (
        state.rare > 0 and hasattr(x, "requires_grad")
    )


@composite("linalg_svdvals", **_function)
def linalg_svdvals(F, A):
    return F.linalg_svd(A, False)[1] if _recording(A) else F._svdvals(A)


@composite("svd")
def svd(F, input, some=True, compute_uv=True):
    if input.ndim < 2:
        raise RuntimeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {input.ndim} dimensions instead"
        )
    made = result_type("svd", ("U", "S", "V"))
    if not compute_uv:
        m, n = input.shape[-2:]
        s = F.linalg_svdvals(input)
        empty = dict(dtype=dtype_of(input))
        batch = tuple(input.shape[:-2])
        return made(F.zeros((*batch, m, m), **empty), s, F.zeros((*batch, n, n), **empty))
    u, s, vh = F.linalg_svd(input, not some)
    return made(u, s, H(F, vh))


# --------------------------------------------------------------------------------------------------------- eigenvalues


def _eigen_vjp(name, hermitian):
    def rule(F, g, y):
        values, vectors = y
        g_values, g_vectors = g
        if g_values is None and g_vectors is None:
            return None
        turned = H(F, vectors)
        if g_vectors is None:
            scaled = _column(F, g_values) * turned
            return F.matmul(vectors, scaled) if hermitian else F.linalg_solve(turned, scaled)
        inner = F.matmul(turned, g_vectors)
        if complex_dtype(vectors):
            _check_eigen_phase(name, inner)
        gaps = F.conj(_row(F, values) - _column(F, values)) + F.eye(values.shape[-1], dtype=dtype_of(values))
        if hermitian:
            inner = inner / gaps
        else:
            along = F.real(F.diagonal(inner, 0, -2, -1))
            inner = (inner - F.matmul(turned, vectors * _row(F, along))) / gaps
        inner = _off_diagonal(F, inner)
        if g_values is not None:
            inner = inner + F.diag_embed(g_values)
        if hermitian:
            pulled = F.matmul(vectors, F.matmul(inner, turned))
            return (pulled + H(F, pulled)) * 0.5
        return F.linalg_solve(turned, F.matmul(inner, turned))

    return rule


def _eigen_jvp(hermitian):
    """With X = V⁻¹ t V: the eigenvalues move by X's diagonal, V by V (X / gaps), kept at columns of norm 1."""

    def rule(F, t, y):
        values, vectors = y
        moved = F.matmul(F._to_dtype(t, vectors.dtype), vectors)
        inner = F.matmul(H(F, vectors), moved) if hermitian else F.linalg_solve(vectors, moved)
        diagonal = F.diagonal(inner, 0, -2, -1)
        gaps = _row(F, values) - _column(F, values) + F.eye(values.shape[-1], dtype=dtype_of(values))
        turn = F.matmul(vectors, _off_diagonal(F, inner / gaps))
        if hermitian:
            return F.real(diagonal) if complex_dtype(inner) else diagonal, turn
        stretch = F.real(F.sum(F.conj(vectors) * turn, -2, True))
        return diagonal, turn - vectors * stretch

    return rule


def _check_eigen_phase(name, inner):
    if not np.allclose(np.einsum("...ii->...i", raw(inner)).imag, 0, rtol=1e-2, atol=1e-2):
        raise RuntimeError(
            f"{name}: The eigenvectors in the complex case are specified up to multiplication by e^{{i phi}}. The specified "
            "loss function depends on this quantity, so it is ill-defined."
        )


_pair = ("eigenvalues", "eigenvectors")
differentiable(
    *("linalg_eigh", kernels.linalg_eigh),
    **dict(vjp=_eigen_vjp("linalg_eigh_backward", True), jvp=_eigen_jvp(True), returns=_pair),
    **dict(out="same, last first", spoken_out="_linalg_eigh"),
)
differentiable(
    "linalg_eig",
    kernels.linalg_eig,
    vjp=_eigen_vjp("linalg_eig_backward", False),
    jvp=_eigen_jvp(False),
    returns=_pair,
    out=True,
    check_out=castable("torch.linalg.eig", "eigenvalues"),
)
differentiable("_eigvals", kernels.linalg_eigvals, **_private)
differentiable("_eigvalsh", kernels.linalg_eigvalsh, **_private)


@composite("linalg_eigvals", **_function)
def linalg_eigvals(F, A):
    if _recording(A):
        kernels._check_eig("linalg.eigvals", raw(A))
        return F.linalg_eig(A)[0]
    return F._eigvals(A)


@composite("linalg_eigvalsh", **_function)
def linalg_eigvalsh(F, A, UPLO="L"):
    return F.linalg_eigh(A, UPLO)[0] if _recording(A) else F._eigvalsh(A, UPLO)


# ------------------------------------------------------------------------------------------------------- pseudoinverse


def _pinv_vjp(F, g, A, y):
    """G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)."""
    m, n = A.shape[-2:]
    turned, g = H(F, y), H(F, g)
    if m <= n:
        k = F.matmul(g, y)
        k_turned = F.matmul(k, turned)
        result = k_turned - H(F, F.matmul(y, k)) - F.matmul(F.matmul(A, y), k_turned)
        return result + F.matmul(F.matmul(turned, y), g - F.matmul(k, A))
    k = F.matmul(y, g)
    turned_k = F.matmul(turned, k)
    result = F.matmul(F.matmul(g - F.matmul(A, k), y), turned) - H(F, F.matmul(k, y))
    return result + turned_k - F.matmul(F.matmul(turned_k, y), A)


differentiable(
    *("_pinv", kernels.pinv),
    **dict(vjp=dict(A=_pinv_vjp), node_name="LinalgPinvBackward0", **_private),
)


@composite("linalg_pinv", **_function)
def linalg_pinv(F, A, *args, atol=None, rtol=None, rcond=None, hermitian=False):
    if args:  # pinv(A, rcond, hermitian)
        rcond = args[0]
        hermitian = args[1] if len(args) > 1 else hermitian
    dtype = dtype_of(A)
    if A.ndim < 2 or dtype.category < 2 or dtype.itemsize == 2:
        raise RuntimeError(
            f"linalg.pinv({dtype.legacy}{{{shape_text(A.shape)}}}): expected a tensor with 2 or more dimensions of float, "
            "double, cfloat or cdouble types"
        )
    if hermitian and A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.pinv: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    atol, rtol = tolerances(A, atol, rcond if rtol is None else rtol)
    return F._pinv(A, atol, rtol, hermitian)


def tolerances(A, atol, rtol):
    """The absolute and the relative threshold; without either, epsilon times the larger side, relative."""
    if any(hasattr(getattr(each, "_a", None), "held") for each in (atol, rtol)):
        raise RuntimeError(
            "vmap: tolerances that are tensors of a transform are not supported; give numbers or outer tensors"
        )
    if rtol is None:
        given = atol is not None and bool((np.asarray(raw(atol)) > 0).any())
        rtol = 0.0 if given else np.finfo(dtype_of(A).to_real().numpy).eps * max(A.shape[-2:])
    return np.asarray(0.0 if atol is None else raw(atol)), np.asarray(raw(rtol))


@composite("pinverse")
def pinverse(F, input, rcond=1e-15):
    return F.linalg_pinv(input, rcond=rcond)


# ------------------------------------------------------------------------------------------------------- least squares


def _lstsq_vjp(F, g, needs, input, b, y, driver):
    x, wide = y[0], dtypes.complex128 if complex_dtype(input) else dtypes.float64
    # in double precision: the pseudoinverse comes in twice, and a nearly singular matrix magnifies what is rounded in it
    input, b, x = [F._to_dtype(each, wide) for each in (input, b, x)]
    g_x, g_r = [None if each is None else F._to_dtype(each, wide) for each in g]
    vector = input.ndim - b.ndim == 1
    if vector:
        x, b = _column(F, x), _column(F, b)
        g_x = None if g_x is None else _column(F, g_x)
        g_r = None if g_r is None else _column(F, g_r)
    g_a = g_b = None
    if g_x is not None:
        inverse = F.linalg_pinv(input)
        g_b = F.matmul(H(F, inverse), g_x)
        if needs[0]:
            g_a = _pinv_vjp(F, F.matmul(g_x, H(F, b)), input, inverse)
    if g_r is not None and g_r.shape[-1]:
        off = (F.matmul(input, x) - b) * _row(F, g_r) * 2
        g_b = minus(off) if g_b is None else g_b - off
        if needs[0]:
            # X minimises the residual, so that only A's own part counts
            part = F.matmul(off, H(F, x))
            g_a = part if g_a is None else g_a + part
    if vector and g_b is not None:
        g_b = F.squeeze(g_b, -1)
    return g_a, g_b


differentiable(
    *("linalg_lstsq", kernels.linalg_lstsq),
    **dict(vjp_all=_lstsq_vjp, nondiff=(2, 3), out=True, check_out=castable("torch.linalg.lstsq", "solution")),
    returns=("solution", "residuals", "rank", "singular_values"),
)

accept_out("qr", same_dtype, "linalg_qr")
accept_out("orgqr", castable("torch.linalg.householder_product"), "linalg_householder_product")
accept_out("linalg_svdvals", same_dtype, "_linalg_svd")
accept_out("svd", same_dtype, copies=True)
accept_out("linalg_eigvals", castable("torch.linalg.eigvals", "eigenvalues"), "aten::linalg_eigvals")
accept_out("linalg_eigvalsh", same_dtype, "_linalg_eigh")
accept_out("linalg_pinv", castable("linalg.pinv"))

__all__ = ["tolerances"]
