"""Norms of vectors and matrices, condition numbers, ranks, and the few matrices that are written down rather than computed."""

import math

from ..array.arguments import wrap_dim
from ..array.linalg import check_matrix, check_square
from ..tensor import Tensor, wrap
from .linalg import dtype_of
from .linalg_out import accept_out, castable, same_dtype, worded
from .linalg_spectral import tolerances
from .table import composite

_function = dict(method=False)


def _check_norm_dtype(name, input, dtype):
    own = dtype_of(input)
    if own.category < 2:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {own.legacy}")
    if dtype is None:
        return
    if dtype.category < 2:
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {dtype.legacy}")
    if own.is_complex != dtype.is_complex:
        kind = "complex" if own.is_complex else "real"
        raise RuntimeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.legacy}")
    from .. import dtypes

    if dtypes.promote_types(own, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({own.legacy}) should be convertible without narrowing to the specified dtype "
            f"({dtype.legacy})"
        )


def _refuse_complex_order(name, ord):
    if isinstance(ord, complex):
        raise RuntimeError(f"{name}: Expected a non-complex scalar as the order of norm.")


@composite("linalg_vector_norm", **_function)
def linalg_vector_norm(F, x, ord=2, dim=None, keepdim=False, *, dtype=None):
    _refuse_complex_order("linalg.vector_norm", ord)
    if isinstance(ord, bool) or not isinstance(ord, (int, float)):
        kind = type(ord).__name__
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {kind}")
    _check_norm_dtype("linalg.vector_norm", x, dtype)
    if (ord < 0 or ord == math.inf) and not _product(x.shape):
        dims = range(x.ndim) if dim is None or dim == () else [dim] if isinstance(dim, int) else dim
        shown = "inf" if ord == math.inf else "-inf" if ord == -math.inf else f"{ord:g}"
        if dim is None or dim == ():
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {shown} norm on an empty tensor because the operation does not have "
                "an identity"
            )
        for d in dims:
            if x.shape[wrap_dim(d, x.ndim)] == 0:
                raise RuntimeError(
                    f"linalg.vector_norm cannot compute the {shown} norm on the dimension {d} because this dimension is "
                    "empty and the operation does not have an identity"
                )
    return F._norm(x, ord, None if dim == () else dim, keepdim, dtype=dtype)


def _product(sizes):
    total = 1
    for size in sizes:
        total *= size
    return total


@composite("linalg_matrix_norm", **_function)
def linalg_matrix_norm(F, A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    name = "linalg.matrix_norm"
    _refuse_complex_order(name, ord)
    known = ord in ("fro", "nuc") if isinstance(ord, str) else abs(ord) in (1, 2, math.inf)
    if isinstance(ord, str) and not known:
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    check_matrix(name, A)
    _check_norm_dtype(name, A, dtype)
    if isinstance(dim, int) or len(dim) != 2:
        shown = dim if isinstance(dim, int) else ", ".join(str(d) for d in dim)
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {shown}")
    rows, columns = (wrap_dim(d, A.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    if not known:
        raise RuntimeError(f"{name}: Order {ord:g} not supported.")
    if ord == "fro":
        return F.linalg_vector_norm(A, 2, (rows, columns), keepdim, dtype=dtype)
    if dtype is not None:
        A = F._to_dtype(A, dtype)
    if ord == "nuc" or abs(ord) == 2:
        order = [d for d in range(A.ndim) if d not in (rows, columns)]
        values = F.linalg_svdvals(F.permute(A, (*order, rows, columns)))
        if ord == "nuc":
            result = F.sum(values, -1)
        else:
            result = F.amax(_filled(F, values), -1) if ord > 0 else F.amin(values, -1)
        if keepdim:
            order += [rows, columns]
            back = tuple([order.index(d) for d in range(A.ndim)])
            result = F.permute(F.reshape(result, (*result.shape, 1, 1)), back)
        return result
    if abs(ord) == math.inf:
        rows, columns = columns, rows
    sums = F.linalg_vector_norm(A, 1, rows, keepdim)
    if not keepdim and columns > rows:
        columns -= 1
    if ord > 0:
        return F.amax(_filled(F, sums, columns), columns, keepdim)
    return F.amin(sums, columns, keepdim)


def _filled(F, values, dim=-1):
    """The largest of no values is the norm of an empty matrix, 0."""
    if values.shape[dim]:
        return values
    shape = list(values.shape)
    shape[dim] = 1
    return F.zeros(tuple(shape), dtype=dtype_of(values))


@composite("linalg_norm", **_function)
def linalg_norm(F, A, ord=None, dim=None, keepdim=False, *, dtype=None):
    if dim is not None and not isinstance(dim, int):
        dim = tuple(dim)
        if len(dim) not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got [{', '.join(str(d) for d in dim)}]"
            )
    if dim is None and ord is not None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    many = (len(dim) == 2 if isinstance(dim, tuple) else False) if dim is not None else A.ndim == 2
    if ord is None:
        return F.linalg_vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if many or isinstance(ord, str):
        return F.linalg_matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return F.linalg_vector_norm(A, ord, dim, keepdim, dtype=dtype)


@composite("linalg_cond", **_function)
def linalg_cond(F, A, p=None):
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = F.linalg_svdvals(A)
        if not _product(A.shape):
            return F.zeros(tuple(A.shape[:-2]), dtype=dtype_of(values))
        top, bottom = F.narrow(values, -1, 0, 1), F.narrow(values, -1, values.shape[-1] - 1, 1)
        return F.squeeze(top / bottom if p != -2 else bottom / top, -1)
    shown = p if isinstance(p, str) else format(p, "g")
    known = p in ("fro", "nuc") if isinstance(p, str) else abs(p) in (1, math.inf)
    if known or isinstance(p, str):
        check_square(f"linalg.cond(ord={shown})", A)
    if not known:
        raise RuntimeError(f"linalg.cond got an invalid norm type: {shown}")
    if not _product(A.shape):
        return F.zeros(tuple(A.shape[:-2]), dtype=dtype_of(A).to_real())
    if p == "nuc":
        values = F.linalg_svdvals(A)
        return F.sum(values, -1) * F.sum(F.reciprocal(values), -1)
    inverse, info = F.linalg_inv_ex(A)
    size = F.linalg_matrix_norm(A, p) * F.linalg_matrix_norm(inverse, p)
    # a singular matrix has the condition number infinity
    return F.nan_to_num(F.masked_fill(size, F.ne(info, 0), math.inf), math.inf, math.inf, -math.inf)


@composite("linalg_matrix_rank", **_function)
def linalg_matrix_rank(F, A, *args, tol=None, atol=None, rtol=None, hermitian=False):
    if args:  # matrix_rank(A, tol, hermitian)
        tol = args[0]
        hermitian = args[1] if len(args) > 1 else hermitian
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    dtype = dtype_of(A)
    if dtype.category < 2 or dtype.itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    A = A.detach() if hasattr(A, "detach") else A
    if tol is not None:
        atol, rtol = tol, 0.0
    atol, rtol = tolerances(A, atol, rtol)
    values = F.abs(F.linalg_eigvalsh(A)) if hermitian else F.linalg_svdvals(A)
    if not values.shape[-1]:
        return F.zeros(tuple(values.shape[:-1]), dtype=_int64())
    atol, rtol = (wrap(each) if isinstance(values, Tensor) else each for each in (atol, rtol))
    limit = F.maximum(atol, rtol * F.amax(values, -1))
    return F.sum(F.gt(values, F.unsqueeze(limit, -1)), -1)


def _int64():
    from .. import dtypes

    return dtypes.int64


@composite("linalg_diagonal", **_function)
def linalg_diagonal(F, A, *, offset=0, dim1=-2, dim2=-1):
    return F.diagonal(A, offset, dim1, dim2)


@composite("linalg_vander", **_function)
def linalg_vander(F, x, *, N=None):
    dtype = dtype_of(x)
    if dtype.name in ("bool", "float16", "bfloat16"):
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {dtype.legacy}"
        )
    count = (x.shape[-1] if x.ndim else 1) if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    x = F.unsqueeze(x if x.ndim else F.reshape(x, (1,)), -1)
    first = F.ones_like(x)
    powers = F.cumprod(F.expand(x, (*x.shape[:-1], count - 1)), -1)
    return F.cat([first, powers], -1)


accept_out("linalg_vector_norm", same_dtype)
for _name in ("norm", "matrix_norm"):
    accept_out(
        f"linalg_{_name}",
        worded(f"linalg.{_name} expected out tensor dtype {{dtype}} but got: {{target}}"),
        copies=True,
    )
accept_out("linalg_cond", castable("linalg.cond"), copies=True)
accept_out("linalg_matrix_rank", castable("torch.linalg.matrix_rank"))
