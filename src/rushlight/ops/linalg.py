"""Inverses, determinants and linear systems: general, triangular, by LU and by Cholesky; each with its derivative.

Most rules are one matrix identity. For ``X = A⁻¹B`` the cotangents are ``B' = A⁻ᴴG`` and ``A' = -B'Xᴴ``. Rules of factorizations
follow I. Murray, "Differentiation of the Cholesky decomposition" (2016), and S. Walter and L. Lehmann, "Algorithmic
differentiation of linear algebra functions" (2010).
"""

from .. import dtypes
from ..array import linalg as shared
from ..array import linalg_cholesky as cholesky_kernels
from ..array import linalg_exp, linalg_lu, linalg_solve, linalg_triangular
from ..tensor import Tensor
from . import undifferentiable
from .linalg_out import accept_out, castable, same_dtype, worded
from .linalg_warnings import tell_once
from .reduce import raw
from .results import result_type
from .table import PLACES, RAW, TENSOR, composite, differentiable

_function = dict(method=False)
PLACES["linalg"]["LinAlgError"] = shared.LinAlgError


def H(F, x):
    """The conjugate transpose of each matrix."""
    return F.conj(F.transpose(x, -2, -1))


def minus(x):
    return x * -1


def complex_dtype(x):
    dtype = x.dtype
    return dtype.is_complex if hasattr(dtype, "is_complex") else dtype.kind == "c"


def dtype_of(x):
    """The rushlight dtype of a tensor or an array."""
    return x.dtype if hasattr(x.dtype, "legacy") else dtypes.of(x.dtype)


# ------------------------------------------------------------------------------------------------ inverse, determinant


def _inverse_vjp(F, g, y):
    y = y[0] if isinstance(y, (tuple, list)) else y
    return minus(F.matmul(H(F, y), F.matmul(g, H(F, y))))


_inv = dict(vjp=_inverse_vjp, node_name="LinalgInvExBackward0")
differentiable("linalg_inv", linalg_solve.linalg_inv, out="same", spoken_out="linalg_inv_ex", **_inv)
differentiable(
    "linalg_inv_ex", linalg_solve.linalg_inv_ex, returns=("inverse", "info"), nondiff=(1,), out="same", **_inv
)


@composite("inverse")
def inverse(F, input):
    return F.linalg_inv(input)


def _det_vjp(F, g, A, y):
    if F is TENSOR and (raw(y) == 0).any():
        return _singular_det_vjp(F, g, A)
    # as PyTorch: where the determinant is 0 so is this, although the true derivative is the matrix of cofactors
    scale = F.unsqueeze(F.unsqueeze(g * F.conj(y), -1), -1)
    eye = F.eye(A.shape[-1], dtype=dtype_of(A))
    return F.linalg_solve(H(F, F._nonsingular(A, y)), scale * eye)


def _singular_det_vjp(F, g, A):
    """The cofactors through singular values: for A = U S V, det U det V times U diag(products of the other S) V."""
    u, s, vh = F.linalg_svd(A, False)
    n = A.shape[-1]
    others = F.unsqueeze(s, -2) * (1 - F.eye(n, dtype=dtype_of(s))) + F.eye(n, dtype=dtype_of(s))
    products = F.prod(others, -1)
    scale = g * F.conj(F.linalg_det(u) * F.linalg_det(vh))
    return F.matmul(u * F.unsqueeze(F.unsqueeze(scale, -1) * products, -2), vh)


def _nonsingular(input, determinant):
    return linalg_solve.nonsingular(input, determinant)


differentiable("_nonsingular", _nonsingular, vjp=lambda F, g: g, method=False, function=False)
differentiable("linalg_det", linalg_solve.linalg_det, vjp=_det_vjp, out="same", spoken_out="_linalg_det")


_slogdet_out = dict(out="same", spoken_out="_linalg_slogdet")


def _slogdet_vjp(F, g, A, y):
    sign, _ = y
    g_sign, g_size = g
    scale = g_size
    if complex_dtype(A) and g_sign is not None:
        twist = F.imag(F.conj(g_sign) * sign) * -1j
        scale = twist if scale is None else scale + twist
    if scale is None:
        return None
    scale = F.unsqueeze(F.unsqueeze(scale, -1), -1)
    return F.linalg_solve(H(F, A), scale * F.eye(A.shape[-1], dtype=dtype_of(A)))


differentiable(
    "linalg_slogdet", linalg_solve.linalg_slogdet, vjp=_slogdet_vjp, returns=("sign", "logabsdet"), **_slogdet_out
)


@composite("det")
def det(F, input):
    return F.linalg_det(input)


@composite("slogdet")
def slogdet(F, input):
    return result_type("slogdet", ("sign", "logabsdet"))(*F.linalg_slogdet(input))


@composite("logdet")
def logdet(F, input):
    shared.check_square("logdet", input)
    _check_precision("logdet", dtype_of(input))
    sign, size = F.linalg_slogdet(input)
    if complex_dtype(input):
        return size + F.log(sign)
    return F.where(F.eq(sign, -1.0), float("nan"), size)


def _check_precision(name, dtype):
    if dtype.category < 2:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {dtype.legacy}")
    if dtype.itemsize == 2:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {dtype.legacy}")


# --------------------------------------------------------------------------------------------------- general systems


def _solve_vjp(F, g, needs, A, B_shape, y, left):
    x = y[0] if isinstance(y, (tuple, list)) else y
    vector = linalg_solve.vector_case(tuple(A.shape), tuple(B_shape))
    g_b = F.linalg_solve(H(F, A), g, left=left)
    if not needs[0]:
        return None, g_b
    if vector:
        return minus(F.unsqueeze(g_b, -1) * F.conj(F.unsqueeze(x, -2))), g_b
    g_a = F.matmul(g_b, H(F, x)) if left else F.matmul(H(F, x), g_b)
    return minus(g_a), g_b


_solve = dict(vjp_all=_solve_vjp, node_name="LinalgSolveExBackward0")
differentiable("linalg_solve", linalg_solve.linalg_solve, out="same", spoken_out="_linalg_solve_ex", **_solve)
differentiable(
    "linalg_solve_ex", linalg_solve.linalg_solve_ex, returns=("result", "info"), nondiff=(1,), out="same", **_solve
)


@composite("linalg_tensorinv", **_function)
def linalg_tensorinv(F, A, ind=2):
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > A.ndim:
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {A.ndim}")
    head, tail = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    rows, columns = _product(head), _product(tail)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    try:
        inverse = F.linalg_inv(F.reshape(A, (rows, columns)))
    except shared.LinAlgError as error:
        raise shared.LinAlgError(str(error).replace("linalg.inv:", "inv:")) from None
    return F.reshape(inverse, (*tail, *head))


def _product(sizes):
    total = 1
    for size in sizes:
        total *= size
    return total


@composite("linalg_tensorsolve", **_function)
def linalg_tensorsolve(F, A, B, dims=None):
    if dims is not None:
        A = F.movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    tail = tuple(A.shape[B.ndim :])
    columns = _product(tail)
    if columns != _product(B.shape):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but "
            f"got {columns} != {_product(B.shape)}"
        )
    x = F.linalg_solve(F.reshape(A, (_product(B.shape), columns)), F.reshape(B, (_product(B.shape),)))
    return F.reshape(x, tail)


# ------------------------------------------------------------------------------------------------- triangular systems


def _triangle(F, x, upper, unit):
    return F.triu(x, 1 if unit else 0) if upper else F.tril(x, -1 if unit else 0)


def _solve_triangular_vjp(F, g, needs, A, y, upper, left, unitriangular):
    g_b = F.linalg_solve_triangular(H(F, A), g, upper=not upper, left=left, unitriangular=unitriangular)
    if not needs[0]:
        return None, g_b
    g_a = F.matmul(g_b, H(F, y)) if left else F.matmul(H(F, y), g_b)
    return _triangle(F, minus(g_a), upper, unitriangular), g_b


differentiable(
    *("linalg_solve_triangular", linalg_triangular.linalg_solve_triangular),
    **dict(
        vjp_all=_solve_triangular_vjp, out=True, check_out=worded("expected scalar type {dtype} but found {target}")
    ),
)


def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):
    tell_once("triangular_solve")
    return linalg_triangular.triangular_solve(input, A, upper, transpose, unitriangular)


def _triangular_solve_vjp(F, g, needs, A, y, upper, transpose, unitriangular):
    x = y[0]
    g_x, g_kept = g
    g_b = g_a = None
    if g_x is not None:
        turned = F.conj(A) if transpose else H(F, A)
        g_b = F.linalg_solve_triangular(
            turned, g_x, upper=upper if transpose else not upper, unitriangular=unitriangular
        )
        if needs[1]:
            if transpose:
                g_a = minus(F.matmul(F.conj(x), F.transpose(g_b, -2, -1)))
            else:
                g_a = minus(F.matmul(g_b, H(F, x)))
            g_a = _triangle(F, g_a, upper, unitriangular)
    if g_kept is not None and needs[1]:
        g_a = g_kept if g_a is None else g_a + g_kept
    return g_b, g_a


differentiable(
    *("triangular_solve", triangular_solve),
    **dict(vjp_all=_triangular_solve_vjp, returns=("solution", "cloned_coefficient"), out="same"),
)


# ---------------------------------------------------------------------------------------------------------------- LU


def _lu_vjp(F, g_l, g_u, p, lower, upper):
    """The cotangent of A = P L U from those of L and U (either may be None)."""
    m, n = lower.shape[-2], upper.shape[-1]
    k = min(m, n)
    square_l, square_u = F.narrow(lower, -2, 0, k), F.narrow(upper, -1, 0, k)
    # the part that only L (tall) or only U (wide) has: solved for directly, and its share handed on to the square part
    inner_l = None if g_l is None else F.matmul(H(F, square_l), F.narrow(g_l, -2, 0, k))
    inner_u = None if g_u is None else F.matmul(F.narrow(g_u, -1, 0, k), H(F, square_u))
    extra = None
    if m > k and g_l is not None:
        rest = F.narrow(g_l, -2, k, m - k)
        inner_u = _plus(inner_u, minus(F.matmul(H(F, F.narrow(lower, -2, k, m - k)), rest)))
        extra = F.linalg_solve_triangular(H(F, square_u), rest, upper=False, left=False)
    if n > k and g_u is not None:
        rest = F.narrow(g_u, -1, k, n - k)
        inner_l = _plus(inner_l, minus(F.matmul(rest, H(F, F.narrow(upper, -1, k, n - k)))))
        extra = F.linalg_solve_triangular(H(F, square_l), rest, upper=True, unitriangular=True)
    inner = _plus(None if inner_l is None else F.tril(inner_l, -1), None if inner_u is None else F.triu(inner_u))
    if inner is None:
        return None
    inner = F.linalg_solve_triangular(H(F, square_l), inner, upper=True, unitriangular=True)
    result = F.linalg_solve_triangular(H(F, square_u), inner, upper=False, left=False)
    if m > k:
        result = F.cat([result, F.zeros_like(F.narrow(lower, -2, k, m - k)) if extra is None else extra], -2)
    if n > k:
        result = F.cat([result, F.zeros_like(F.narrow(upper, -1, k, n - k)) if extra is None else extra], -1)
    return F.matmul(p, result)


def _plus(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _lu_rule(F, g, y):
    return _lu_vjp(F, g[0], g[1], *y)


def _packed_lu_rule(F, g, y):
    packed, pivots = y[0], y[1]
    p, lower, upper = F.lu_unpack(packed, pivots)
    m, n = packed.shape[-2:]
    k = min(m, n)
    return _lu_vjp(F, F.tril(F.narrow(g, -1, 0, k), -1), F.triu(F.narrow(g, -2, 0, k)), p, lower, upper)


differentiable(
    *("linalg_lu", linalg_lu.linalg_lu),
    **dict(vjp=_lu_rule, returns=("P", "L", "U"), nondiff=(0,), out="same"),
)
_factor = dict(vjp=_packed_lu_rule, node_name="LinalgLuFactorExBackward0", out="same")
differentiable("linalg_lu_factor", linalg_lu.linalg_lu_factor, returns=("LU", "pivots"), nondiff=(1,), **_factor)
differentiable(
    *("linalg_lu_factor_ex", linalg_lu.linalg_lu_factor_ex),
    **dict(returns=("LU", "pivots", "info"), nondiff=(1, 2), **_factor),
)


@composite("lu", **_function)
def lu(F, A, pivot=True, get_infos=False, out=None):
    tell_once("lu")
    packed, pivots, info = F.linalg_lu_factor_ex(A, pivot=pivot)
    made = (packed, pivots, info) if get_infos else (packed, pivots)
    if get_infos:
        made = result_type("_lu_with_info", ("LU", "pivots", "info"))(*made)
    if out is None:
        return made
    for target, each in zip(out, made):
        target.resize_as_(each).copy_(each)
    return out


def _lu_method(self, pivot=True, get_infos=False):
    """(LU, pivots), and info where asked for."""
    return tuple(TENSOR.lu(self, pivot, get_infos))


Tensor.lu = _lu_method


def _unpack_vjp(F, g, LU_data_shape):
    g_l, g_u = g
    m, n = LU_data_shape[-2:]
    g_l = None if g_l is None or g_l.ndim < 2 else F.tril(g_l, -1)
    g_u = None if g_u is None or g_u.ndim < 2 else F.triu(g_u)
    if g_l is not None and n > m:
        g_l = F.constant_pad_nd(g_l, (0, n - m))
    if g_u is not None and m > n:
        g_u = F.constant_pad_nd(g_u, (0, 0, 0, m - n))
    return _plus(g_l, g_u)


differentiable(
    *("lu_unpack", linalg_lu.lu_unpack),
    **dict(vjp=_unpack_vjp, returns=("P", "L", "U"), nondiff=(0,), out="same", method=False),
)


def _lu_solve_vjp(F, g, needs, LU, pivots, y, left, adjoint):
    g_b = F.linalg_lu_solve(LU, pivots, g, left=left, adjoint=not adjoint)
    if not needs[0]:
        return None, None, g_b
    p, lower, upper = F.lu_unpack(LU, pivots)
    if left:
        g_a = F.matmul(y, H(F, g_b)) if adjoint else F.matmul(g_b, H(F, y))
    else:
        g_a = F.matmul(H(F, g_b), y) if adjoint else F.matmul(H(F, y), g_b)
    turned = F.matmul(H(F, p), minus(g_a))  # the cotangent of L U
    g_l = F.tril(F.matmul(turned, H(F, upper)), -1)
    return g_l + F.triu(F.matmul(H(F, lower), turned)), None, g_b


differentiable("linalg_lu_solve", linalg_lu.linalg_lu_solve, vjp_all=_lu_solve_vjp, out="same")


@composite("lu_solve")
def lu_solve(F, input, LU_data, LU_pivots):
    tell_once("lu_solve")
    return F.linalg_lu_solve(LU_data, LU_pivots, input)


# ----------------------------------------------------------------------------------------------------------- Cholesky


def _cholesky_vjp(F, g, y, upper):
    y = y[0] if isinstance(y, (tuple, list)) else y
    lower = H(F, y) if upper else y
    g = H(F, g) if upper else g
    if F is RAW:
        return cholesky_kernels.cholesky_backward(lower, g)
    phi = F.matmul(H(F, lower), g)
    phi = (F.tril(phi) + H(F, F.tril(phi, -1))) * 0.5
    inner = F.linalg_solve_triangular(lower, phi, upper=False, left=False)
    return F.linalg_solve_triangular(H(F, lower), inner, upper=True)


def _cholesky_jvp(F, t, y, upper):
    many = isinstance(y, (tuple, list))
    y = y[0] if many else y
    lower = H(F, y) if upper else y
    phi = F.linalg_solve_triangular(lower, t, upper=False)
    phi = F.linalg_solve_triangular(H(F, lower), phi, upper=True, left=False)
    moved = F.matmul(lower, (F.tril(phi) + F.tril(phi, -1)) * 0.5)
    moved = H(F, moved) if upper else moved
    return (moved, None) if many else moved


_cholesky = dict(vjp=_cholesky_vjp, jvp=_cholesky_jvp)
_ex = "LinalgCholeskyExBackward0"
differentiable(
    "linalg_cholesky",
    cholesky_kernels.linalg_cholesky,
    node_name=_ex,
    out="same",
    spoken_out="linalg_cholesky_ex",
    **_cholesky,
)
differentiable(
    *("linalg_cholesky_ex", cholesky_kernels.linalg_cholesky_ex),
    **dict(returns=("L", "info"), nondiff=(1,), out="same", **_cholesky),
)


def cholesky(input, upper=False):
    tell_once("cholesky")
    return cholesky_kernels.cholesky(input, upper)


differentiable(
    *("cholesky", cholesky),
    **dict(vjp=_cholesky_vjp, jvp=undifferentiable.tangent("cholesky"), out=True, check_out=castable("cholesky")),
)


def _cholesky_solve_vjp(F, g, needs, input2, y, upper):
    g_b = F.cholesky_solve(g, input2, upper)
    if not needs[1]:
        return g_b, None
    if y.shape[-1] * 4 > y.shape[-2]:
        return g_b, _factor_vjp(F, minus(F.matmul(g_b, H(F, y))), input2, upper)
    # few right-hand sides: the products of narrow matrices first
    if upper:
        near, far = F.matmul(F.matmul(input2, g_b), H(F, y)), F.matmul(F.matmul(input2, y), H(F, g_b))
    else:
        near, far = F.matmul(g_b, F.matmul(H(F, y), input2)), F.matmul(y, F.matmul(H(F, g_b), input2))
    return g_b, minus(near + far)


def _factor_vjp(F, g_a, factor, upper):
    """The cotangent of the factor of A = L Lᴴ (or Uᴴ U) from that of A."""
    g_a = g_a + H(F, g_a)
    return F.matmul(factor, g_a) if upper else F.matmul(g_a, factor)  # of both triangles, as PyTorch's


differentiable(
    "cholesky_solve",
    cholesky_kernels.cholesky_solve,
    vjp_all=_cholesky_solve_vjp,
    out=True,
    check_out=castable("cholesky_solve"),
)


def _cholesky_inverse_vjp(F, g, x, y, upper):
    return _factor_vjp(F, minus(F.matmul(H(F, y), F.matmul(g, H(F, y)))), x, upper)


def _cholesky_inverse_jvp(F, t, x, y, upper):
    moved = F.matmul(H(F, t), x) if upper else F.matmul(t, H(F, x))
    return minus(F.matmul(y, F.matmul(moved + H(F, moved), y)))


differentiable(
    "cholesky_inverse",
    cholesky_kernels.cholesky_inverse,
    vjp=_cholesky_inverse_vjp,
    jvp=_cholesky_inverse_jvp,
    out=True,
    check_out=castable("cholesky_inverse"),
)


# ------------------------------------------------------------------------------------------------------ exponential


def _matrix_exp_vjp(F, g, A):
    """The derivative of exp at Aᴴ in direction G is the upper right block of exp [[Aᴴ, G], [0, Aᴴ]]."""
    turned = H(F, A)
    n = A.shape[-1]
    top = F.cat([turned, g], -1)
    bottom = F.cat([F.zeros_like(turned), turned], -1)
    return F.narrow(F.narrow(F.linalg_matrix_exp(F.cat([top, bottom], -2)), -2, 0, n), -1, n, n)


differentiable("linalg_matrix_exp", linalg_exp.linalg_matrix_exp, vjp=_matrix_exp_vjp)


@composite("matrix_exp")
def matrix_exp(F, input):
    return F.linalg_matrix_exp(input)


accept_out("inverse", same_dtype, "linalg_inv_ex")
accept_out("slogdet", same_dtype, "_linalg_slogdet")
accept_out("linalg_tensorinv", castable("tensorinv"), copies=True)
accept_out("linalg_tensorsolve", castable("tensorsolve"), copies=True)
accept_out("lu_solve", same_dtype, "linalg_lu_solve")

from . import linalg_norm, linalg_spectral  # noqa: E402, F401 - declare norms and factorizations by singular and eigenvalues
