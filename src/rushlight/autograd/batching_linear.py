"""Batching rules of matrix products and of linear algebra, which takes batches in front by itself."""

import numpy as np

from ..ops.table import TENSOR
from ..tensor import Tensor, edge_of, wrap
from . import levels
from .batching import RULES, batched, each_expanded, rule, run
from .modes import state, thread
from .vmap import expanded, front, padded


def _matrices(values, dims, *places):
    """Held tensors at ``places`` with their batches in front, and dimensions of length 1 so that they broadcast."""
    ndim = max(values[i]._a.ndim + (dims[i] is None) for i in places)
    return [padded(front(values[i], dims[i]), ndim, dims[i]) for i in places]


def _product(a, dim_a, b, dim_b):
    """Products of matrices (the last two dimensions), of which at least one has a batch in front."""
    if a._dtype is b._dtype and a._dtype.plain and not levels._stack.interpreters and _unseen(a, b):
        x, y = a._a, b._a
        if dim_b is None and x.ndim == 3:
            size, rows, shared = x.shape
            return wrap(np.dot(x.reshape(size * rows, shared), y).reshape(size, rows, y.shape[1]), a._dtype)
        if x.ndim == 3 and y.ndim == 3 and x.shape[2] == 1:
            return wrap(np.einsum("bij,bjk->bik", x, y), a._dtype)
    if dim_b is None and a._a.ndim == 3 and b._a.ndim == 2:
        # one product of a tall matrix is faster than many small ones
        size, rows, shared = a._a.shape
        flat = run("mm", run("reshape", a, (size * rows, shared)), b)
        return run("reshape", flat, (size, rows, b._a.shape[1]))
    if a._a.ndim == 3 and b._a.ndim == 3:
        if a._a.shape[2] == 1 and a._dtype is b._dtype:
            # outer products
            return run("mul", a, b)
        return run("bmm", a, b)
    return TENSOR.matmul(a, b)


def _unseen(a, b):
    """Whether nothing is recorded of an operator on two held tensors, and neither's class answers for it."""
    if thread.grad and (edge_of(a) is not None or edge_of(b) is not None):
        return False
    return not state.shells or (a.__class__ is Tensor and b.__class__ is Tensor)


def _check_ranks(name, a, dim_a, b, dim_b, *wanted):
    n, m = a._a.ndim - (dim_a is not None), b._a.ndim - (dim_b is not None)
    if (n, m) != wanted:
        raise RuntimeError(
            f"Shape mismatch: Got incorrect dims for {name}(a, b). a has dim {n}and b has dim {m}but expected them to have dim "
            f"{wanted[0]} and dim {wanted[1]}"
        )


def _check_product(name, a, dim_a, b, dim_b):
    _check_ranks(name, a, dim_a, b, dim_b, 2, 2)
    if dim_a is not None and dim_b is not None:
        return  # a product of batches says what is wrong
    inner, outer = front(a, dim_a)._a.shape[-2:], front(b, dim_b)._a.shape[-2:]
    if inner[1] != outer[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({inner[0]}x{inner[1]} and {outer[0]}x{outer[1]})"
        )


def _mm(a, dim_a, b, dim_b):
    _check_product("mm", a, dim_a, b, dim_b)
    return _product(front(a, dim_a), dim_a, front(b, dim_b), dim_b)


def _mv(a, dim_a, v, dim_v):
    _check_ranks("mv", a, dim_a, v, dim_v, 2, 1)
    a, v = front(a, dim_a), front(v, dim_v)
    if dim_v is None:
        return TENSOR.matmul(a, v)
    if dim_a is None:
        return run("mm", v, run("transpose", a, 0, 1))
    return run("squeeze", run("bmm", a, run("unsqueeze", v, -1)), -1)


def _dot(level, a, dim_a, b, dim_b):
    if a._a.ndim - (dim_a is not None) != 1 or b._a.ndim - (dim_b is not None) != 1:
        raise RuntimeError("Got wrong shapes for dot")
    if dim_b is None:
        return TENSOR.mv(front(a, dim_a), b)
    if dim_a is None:
        return TENSOR.mv(front(b, dim_b), a)
    a, b = front(a, dim_a), front(b, dim_b)
    found = TENSOR.bmm(TENSOR.unsqueeze(a, 1), TENSOR.unsqueeze(b, 2))
    return TENSOR.reshape(found, (level.size,))


@rule("mm")
def _mm_rule(level, op, values, dims):
    return _mm(values[0], dims[0], values[1], dims[1]), 0


@rule("bmm")
def _bmm(level, op, values, dims):
    _check_ranks("bmm", values[0], dims[0], values[1], dims[1], 3, 3)
    return TENSOR.matmul(*_matrices(values, dims, 0, 1)), 0


@rule("mv")
def _mv_rule(level, op, values, dims):
    return _mv(values[0], dims[0], values[1], dims[1]), 0


@rule("dot")
def _dot_rule(level, op, values, dims):
    return _dot(level, values[0], dims[0], values[1], dims[1]), 0


@rule("vdot")
def _vdot(level, op, values, dims):
    return _dot(level, TENSOR.conj(values[0]), dims[0], values[1], dims[1]), 0


def _added(values, dims, product, ndim):
    """beta * input + alpha * product, for a product with the batch in front of ``ndim`` dimensions."""
    beta, alpha = values[-2], values[-1]
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product, 0
    added = padded(front(values[0], dims[0]), ndim + 1, dims[0])
    return (added if beta == 1 else added * beta) + product, 0


def _pair(level, values, dims):
    """The two factors, at least one of them with a batch."""
    if dims[1] is None and dims[2] is None:
        return (expanded(values[1], None, level.size), 0), (values[2], None)
    return (values[1], dims[1]), (values[2], dims[2])


@rule("addmm")
def _addmm(level, op, values, dims):
    (a, i), (b, j) = _pair(level, values, dims)
    return _added(values, dims, _mm(a, i, b, j), 2)


@rule("addmv")
def _addmv(level, op, values, dims):
    (a, i), (b, j) = _pair(level, values, dims)
    return _added(values, dims, _mv(a, i, b, j), 1)


@rule("addr")
def _addr(level, op, values, dims):
    (a, i), (b, j) = _pair(level, values, dims)
    product = TENSOR.unsqueeze(front(a, i), -1) * TENSOR.unsqueeze(front(b, j), -2)
    return _added(values, dims, product, 2)


@rule("baddbmm", "addbmm")
def _baddbmm(level, op, values, dims):
    (a, i), (b, j) = _pair(level, values, dims)
    product = TENSOR.matmul(*_matrices((a, b), (i, j), 0, 1))
    if op.name == "baddbmm":
        return _added(values, dims, product, 3)
    return _added(values, dims, TENSOR.sum(product, 1), 2)


# ------------------------------------------------------------------------------------------------------ linear algebra


#: how operators call themselves where a sample is no matrix, if not by their names
_SPOKEN = dict(
    linalg_cholesky_ex="linalg.cholesky",
    _eigvals="linalg.eig",
    _eigvalsh="linalg.eigh",
    linalg_inv="linalg.inv_ex",
    _svdvals="linalg.svd",
    linalg_matrix_exp="torch.matrix_exp",
    linalg_solve_ex="linalg.solve",
    cholesky_inverse="cholesky_inverse",
)


def _check_matrix(op, x, dim):
    """Refuse samples with fewer than two dimensions, of which the batch would make one."""
    rank = x._a.ndim - (dim is not None)
    if rank >= 2 or not (op.name.startswith("linalg_") or op.name in _SPOKEN):
        return
    if op.name in ("linalg_lu_factor", "linalg_lu_factor_ex"):
        # as PyTorch has it, with the batch
        size = list(x._a.shape)
        raise RuntimeError(f"torch.lu_factor_ex: Expected tensor with 2 or more dimensions. Got size: {size} instead")
    if op.name == "linalg_lu":
        size = list(x._a.shape if dim is None else front(x, dim)._a.shape[1:])
        raise RuntimeError(f"linalg.lu: Expected tensor with 2 or more dimensions. Got size: {size} instead")
    name = _SPOKEN.get(op.name) or op.name.replace("_", ".", 1)
    raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")


def _check_matrices(op, values, dims):
    """The same of operators on pairs of matrices, each of which PyTorch has its own words for."""
    tensors = [(value, dim) for value, dim in zip(values, dims) if isinstance(value, Tensor)]
    ranks = [value._a.ndim - (dim is not None) for value, dim in tensors]
    if op.name in ("linalg_solve_triangular", "triangular_solve"):
        for name, rank in zip("AB", ranks):
            if rank < 2:
                spoken = op.name.replace("linalg_", "linalg.")
                raise RuntimeError(f"{spoken}: The input tensor {name} must have at least 2 dimensions.")
    elif op.name == "linalg_lu_solve":
        for name, least, rank in zip(("LU", "pivots", "B"), (2, 1, 2), ranks):
            if rank < least:
                raise RuntimeError(
                    f"{name} should have at least {least} dimensions, but has {rank} dimensions instead."
                )
    elif op.name == "cholesky_solve":
        for name, (value, _), rank in zip("bu", tensors, ranks):
            if rank < 2:
                # as PyTorch has it, with the batch
                raise RuntimeError(
                    f"{name} should have at least 2 dimensions, but has {value._a.ndim} dimensions instead"
                )


def _stacked(level, op, values, dims):
    """Operators on stacks of matrices: every tensor gets the batch in front, those of fewer dimensions ones after it."""
    _check_matrix(op, values[0], dims[0])
    places = [i for i, each in enumerate(values) if isinstance(each, Tensor)]
    made = each_expanded(level, values, dims, places)
    return _with_empties(level, batched(op, made))


def _with_empties(level, result):
    """(result, dims): what comes back empty, because it was not asked for, has no batch."""
    if isinstance(result, Tensor):
        return result, 0
    return result, tuple(None if each._a.shape == (0,) and level.size else 0 for each in result)


for _name in (
    "linalg_inv linalg_inv_ex linalg_det linalg_slogdet linalg_lu linalg_lu_factor linalg_lu_factor_ex lu_unpack linalg_cholesky "
    "linalg_cholesky_ex cholesky cholesky_inverse linalg_matrix_exp linalg_qr linalg_householder_product linalg_svd _svdvals "
    "linalg_eigh linalg_eig _eigvals _eigvalsh _pinv _nonsingular _attention"
).split():
    RULES[_name] = _stacked


@rule("linalg_solve_triangular", "triangular_solve", "cholesky_solve", "linalg_lu_solve")
@rule("_cdist", "_cdist_backward", "_euclidean_dist")
def _pairs_of_matrices(level, op, values, dims):
    _check_matrices(op, values, dims)
    places = [i for i, each in enumerate(values) if isinstance(each, Tensor)]
    made = each_expanded(level, values, dims, places)
    # pivots have one dimension less than the matrices they belong to
    ranks = [made[i]._a.ndim + (op.params[i] == "pivots") for i in places]
    ndim = max(ranks)
    for i, rank in zip(places, ranks):
        made[i] = padded(made[i], made[i]._a.ndim + ndim - rank, 0)
    return _with_empties(level, batched(op, made))


@rule("linalg_solve", "linalg_solve_ex")
def _solve(level, op, values, dims):
    a, b, *rest = values
    _check_matrix(op, a, dims[0])
    rank_a, rank_b = a._a.ndim - (dims[0] is not None), b._a.ndim - (dims[1] is not None)
    shape_a = front(a, dims[0])._a.shape[dims[0] is not None :]
    shape_b = front(b, dims[1])._a.shape[dims[1] is not None :]
    vector = rank_b == 1 or (rank_b == rank_a - 1 and shape_b == shape_a[:-1])
    a, b = each_expanded(level, (a, b), dims, (0, 1))
    if vector:
        b = TENSOR.unsqueeze(b, -1)
    ndim = max(a._a.ndim, b._a.ndim)
    found = batched(op, (padded(a, ndim, 0), padded(b, ndim, 0), *rest))
    if not vector:
        return _with_empties(level, found)
    if isinstance(found, Tensor):
        return TENSOR.squeeze(found, -1), 0
    return type(found)(TENSOR.squeeze(found[0], -1), *found[1:]), 0
