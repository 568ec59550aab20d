"""Products of matrices and vectors, with their derivatives.

For C = A B the cotangents are A' = G Bᴴ and B' = Aᴴ G; every other product here is that rule or composed of it. ``matmul``
chooses among ``dot``, ``mv``, ``mm`` and ``bmm`` by the ranks of its arguments, as PyTorch's does.
"""

import numpy as np

from .. import dtypes
from ..array import matmul as kernels
from ..array.arguments import broadcast_shapes_of_two, shape_text, wrap_dim
from ..array.shape import expand
from ..autograd.modes import state
from ..parameter import Parameter
from ..tensor import Tensor
from .linalg_out import accept_out, castable, same_dtype, worded
from .linalg_warnings import tell_once
from .table import COMPOSITES, PLACES, RAW, TENSOR, composite, differentiable

_function = dict(method=False)
_private = dict(method=False, function=False)
_ADDMV = "addmv input tensors must have the same dtype, but got {target}, {dtype}, and {dtype}"
_dot_out = dict(out=True, check_out=worded("result dtype {target} does not match input dtype {dtype}"))


def _turned(F, x):
    """The conjugate transpose of a matrix, or of each of a batch."""
    return F.conj(F.transpose(x, -2, -1))


def _scaled(F, g, factor):
    if factor.__class__ is complex:
        factor = factor.conjugate()
    return g if factor == 1 else g * factor


# ----------------------------------------------------------------------------------------------- the basic products

# the two products that pull a matrix product back: A Bᴴ and Aᴴ B
RAW.mm_turned, RAW.turned_mm = kernels.mm_turned, kernels.turned_mm
TENSOR.mm_turned = lambda a, b: TENSOR.mm(a, TENSOR.conj(TENSOR.t(b)))
TENSOR.turned_mm = lambda a, b: TENSOR.mm(TENSOR.conj(TENSOR.t(a)), b)
differentiable(
    *("mm", kernels.mm),
    **dict(
        vjp=dict(input=lambda F, g, mat2: F.mm_turned(g, mat2), mat2=lambda F, g, x: F.turned_mm(x, g)),
        out="same",
    ),
)
differentiable(
    *("bmm", kernels.bmm),
    **dict(
        vjp=dict(input=lambda F, g, mat2: F.bmm(g, _turned(F, mat2)), mat2=lambda F, g, x: F.bmm(_turned(F, x), g)),
        out="same",
    ),
)


def _outer(F, a, b):
    return F.unsqueeze(a, 1) * F.unsqueeze(b, 0)


differentiable(
    *("mv", kernels.mv),
    **dict(
        vjp=dict(input=lambda F, g, vec: _outer(F, g, F.conj(vec)), vec=lambda F, g, x: F.mv(F.conj(F.t(x)), g)),
        **dict(out=True, check_out=worded(_ADDMV)),
    ),
)
differentiable(
    *("dot", kernels.dot),
    **dict(vjp=dict(input=lambda F, g, tensor: g * F.conj(tensor), tensor=lambda F, g, x: g * F.conj(x)), **_dot_out),
)
differentiable(
    *("vdot", kernels.vdot),
    **dict(vjp=dict(input=lambda F, g, other: F.conj(g) * other, other=lambda F, g, x: g * x), **_dot_out),
)


# ------------------------------------------------------------------------------------------- added to something else


_addmm = dict(
    input=lambda F, g, beta: _scaled(F, g, beta),
    mat1=lambda F, g, mat2, alpha: _scaled(F, F.mm_turned(g, mat2), alpha),
    mat2=lambda F, g, mat1, alpha: _scaled(F, F.turned_mm(mat1, g), alpha),
)


def _keep_size(target, arguments, shape):
    raise RuntimeError(
        f"Bad in-place call: input tensor size {list(target._a.shape)} and output tensor size {list(shape)} should match"
    )


def _keep_matrix(target, arguments, shape):
    if target._a.ndim != 2:
        raise RuntimeError(f"2D tensor expected, got {target._a.ndim}D tensor for input")
    _, vec1, vec2, *_ = arguments
    raise RuntimeError(f"size mismatch, input: {list(target._a.shape)}, v1: {list(vec1.shape)}, v2: {list(vec2.shape)}")


def _grow(target, arguments, shape):
    """``addbmm_`` resizes a tensor that expands to the product's shape, as PyTorch's does."""
    target._a = np.empty_like(expand(target._a, shape), order="C")


differentiable("addmm", kernels.addmm, vjp=_addmm, inplace=True, out="same", misfit=_keep_size)
differentiable(
    *("addmv", kernels.addmv),
    **dict(
        vjp=dict(
            input=lambda F, g, beta: _scaled(F, g, beta),
            mat=lambda F, g, vec, alpha: _scaled(F, _outer(F, g, F.conj(vec)), alpha),
            vec=lambda F, g, mat, alpha: _scaled(F, F.mv(F.conj(F.t(mat)), g), alpha),
        ),
        inplace=True,
        out="same",
        misfit=_keep_size,
    ),
)
differentiable(
    *("addr", kernels.addr),
    **dict(
        vjp=dict(
            input=lambda F, g, beta: _scaled(F, g, beta),
            vec1=lambda F, g, vec2, alpha: _scaled(F, F.mv(g, F.conj(vec2)), alpha),
            vec2=lambda F, g, vec1, alpha: _scaled(F, F.mv(F.t(g), F.conj(vec1)), alpha),
        ),
        inplace=True,
        out=True,
        misfit=_keep_matrix,
    ),
)


def _expanded(F, g, batch):
    return F.expand(F.unsqueeze(g, 0), (batch, *g.shape))


differentiable(
    *("addbmm", kernels.addbmm),
    **dict(
        vjp=dict(
            input=lambda F, g, beta: _scaled(F, g, beta),
            batch1=lambda F, g, batch2, alpha: _scaled(
                F, F.bmm(_expanded(F, g, batch2.shape[0]), _turned(F, batch2)), alpha
            ),
            batch2=lambda F, g, batch1, alpha: _scaled(
                F, F.bmm(_turned(F, batch1), _expanded(F, g, batch1.shape[0])), alpha
            ),
        ),
        inplace=True,
        misfit=_grow,
        **dict(out=True, check_out=worded("self and mat2 must have the same dtype, but got {target} and {dtype}")),
    ),
)
differentiable(
    *("baddbmm", kernels.baddbmm),
    **dict(
        vjp=dict(
            input=lambda F, g, beta: _scaled(F, g, beta),
            batch1=lambda F, g, batch2, alpha: _scaled(F, F.bmm(g, _turned(F, batch2)), alpha),
            batch2=lambda F, g, batch1, alpha: _scaled(F, F.bmm(_turned(F, batch1), g), alpha),
        ),
        inplace=True,
        out="same",
        misfit=_keep_size,
    ),
)


# --------------------------------------------------------------------------------------------------- matmul and kin


def _reshape_kernel(input, size):
    return input.reshape(size)


# The reshape of a result that nothing else holds: no view is recorded.
differentiable(
    *("_unsafe_view", _reshape_kernel),
    **dict(vjp=lambda F, g, x_shape: F.reshape(g, x_shape), linear=True, **_private),
)


@composite("matmul")
def matmul(F, input, other):
    n, m = input.ndim, other.ndim
    if n == 2 and m == 2:
        return F.mm(input, other)
    if n == 0 or m == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if n == 1 and m == 1:
        return F.dot(input, other)
    if n == 2 and m == 1:
        return F.mv(input, other)
    if n == 1 and m == 2:
        return F.squeeze(F.mm(F.unsqueeze(input, 0), other), 0)
    if m <= 2:
        return _folded(F, input, other)
    if n <= 2:  # the same from the other side: (other^T input^T)^T
        turned = F.transpose(other, -2, -1)
        if n == 1:
            return _folded(F, turned, input)
        return F.clone(F.transpose(_folded(F, turned, F.t(input)), -2, -1))
    return _batched(F, input, other)


def _folded(F, many, one):
    """Matrices times one matrix or vector: all their rows at once."""
    rows = 1
    for size in many.shape[:-1]:
        rows *= size
    flat = F.reshape(many, (rows, many.shape[-1]))
    if one.ndim == 1:
        return F._unsafe_view(F.mv(flat, one), tuple(many.shape[:-1]))
    return F._unsafe_view(F.mm(flat, one), (*many.shape[:-1], one.shape[1]))


def _batched(F, a, b):
    head, other_head = tuple(a.shape[:-2]), tuple(b.shape[:-2])
    if head == other_head and len(head) == 1:
        product = F.bmm(a, b)
        return F._unsafe_view(product, tuple(product.shape))
    batch = broadcast_shapes_of_two(head, other_head)
    count = 1
    for size in batch:
        count *= size
    left = F.reshape(_spread(F, a, batch), (count, *a.shape[-2:]))
    right = F.reshape(_spread(F, b, batch), (count, *b.shape[-2:]))
    return F._unsafe_view(F.bmm(left, right), (*batch, a.shape[-2], b.shape[-1]))


def _spread(F, x, batch):
    return x if tuple(x.shape[:-2]) == batch else F.expand(x, (*batch, *x.shape[-2:]))


@composite("outer", aliases=("ger",))
def outer(F, input, vec2):
    for name, vec in (("self", input), ("vec2", vec2)):
        if vec.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {vec.ndim}-D")
    return F.mul(F.reshape(input, (input.shape[0], 1)), vec2)


@composite("inner")
def inner(F, input, other):
    if input.ndim == 0 or other.ndim == 0:
        return F.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{shape_text(input.shape)} and {shape_text(other.shape)}"
        )
    return F.tensordot(input, other, ([-1], [-1]))


@composite("tensordot", **_function)
def tensordot(F, a, b, dims=2):
    left, right = _contracted(a, b, dims)
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    shown = list(zip(left, right))
    left, right = [wrap_dim(d, a.ndim) for d in left], [wrap_dim(d, b.ndim) for d in right]
    for i, (d, e) in enumerate(zip(left, right)):
        n, m = a.shape[d], b.shape[e]
        if m == 1 and n != 1:  # size 1 broadcasts: the other side is summed
            a = F.sum(a, d, True)
        elif n == 1 and m != 1:
            b = F.sum(b, e, True)
        elif n != m:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {shown[i][0]} "
                f"and second has size {m} in dim {shown[i][1]}"
            )
    kept_a = [d for d in range(a.ndim) if d not in left]
    kept_b = [d for d in range(b.ndim) if d not in right]
    rows, columns, shared = (
        _size(a.shape[d] for d in kept_a),
        _size(b.shape[d] for d in kept_b),
        _size(a.shape[d] for d in left),
    )
    wide = F.reshape(F.permute(a, (*kept_a, *left)), (rows, shared))
    tall = F.reshape(F.permute(b, (*right, *kept_b)), (shared, columns))
    return F.reshape(F.mm(wide, tall), (*[a.shape[d] for d in kept_a], *[b.shape[d] for d in kept_b]))


def _contracted(a, b, dims):
    """The two lists of dimensions that `dims` (a number, a pair of lists, a tensor of either) stands for."""
    if hasattr(dims, "tolist"):
        dims = dims.tolist()
    if isinstance(dims, (tuple, list)):
        if len(dims) == 2 and all(isinstance(each, (tuple, list)) for each in dims):
            return list(dims[0]), list(dims[1])
        left, right = dims
        return [left], [right]
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(a.ndim, b.ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    return list(range(-dims, 0)), list(range(dims))


def _size(sizes):
    total = 1
    for size in sizes:
        total *= size
    return total


@composite("kron")
def kron(F, input, other):
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + tuple(input.shape)
    b = (1,) * (n - other.ndim) + tuple(other.shape)
    left = F.reshape(input, tuple(size for pair in zip(a, (1,) * n) for size in pair))
    right = F.reshape(other, tuple(size for pair in zip((1,) * n, b) for size in pair))
    return F._unsafe_view(F.mul(left, right), tuple(p * q for p, q in zip(a, b)))


@composite("linalg_vecdot", **_function)
def linalg_vecdot(F, x, y, *, dim=-1):
    if x.dtype != y.dtype:
        names = [
            dtypes.of(each.dtype).legacy if not hasattr(each.dtype, "legacy") else each.dtype.legacy for each in (x, y)
        ]
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{names[0]} and y of type {names[1]} instead"
        )
    if x.ndim == 1 and y.ndim == 1:
        wrap_dim(dim, 1)
        return F.vdot(x, y)
    return F.sum(F.mul(F.conj(x), y), dim)


# ---------------------------------------------------------------------------------------------------------- products of many


@composite("linalg_multi_dot", **_function)
def linalg_multi_dot(F, tensors):
    return _product_of_all(F, list(tensors))


@composite("chain_matmul", **_function)
def chain_matmul(F, *matrices):
    if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)):
        matrices = matrices[0]
    tell_once("chain_matmul")
    for each in matrices:
        if each.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {each.ndim}, expected 2 instead.")
    return F.clone(matrices[0]) if len(matrices) == 1 else _product_of_all(F, list(matrices))


def _legacy(dtype):
    return dtype if hasattr(dtype, "legacy") else dtypes.of(dtype)


def _product_of_all(F, tensors):
    """The product of a chain in the order that takes the fewest multiplications; vectors at the ends count as row and column."""
    count = len(tensors)
    if count < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}")
    shape = []
    for place, name, size in ((0, "first", (1, -1)), (-1, "last", (-1, 1))):
        each = tensors[place]
        if each.ndim == 1:
            tensors[place] = F.reshape(each, size)
        elif each.ndim == 2:
            shape.append(each.shape[0 if place == 0 else 1])
        else:
            raise RuntimeError(f"multi_dot(): the {name} tensor must be 1D or 2D but got {each.ndim}D")
    for i, each in enumerate(tensors):
        if each.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {each.ndim}D")
        if each.dtype != tensors[0].dtype:
            names = [kernels._C_NAMES[_legacy(e.dtype).name] for e in (tensors[0], each)]
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{names[0]} and tensor {i} {names[1]}"
            )
        if i and tensors[i - 1].shape[1] != each.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {shape_text(tensors[i - 1].shape)} and "
                f"{shape_text(each.shape)} cannot be multiplied"
            )
    sizes = [tensors[0].shape[0], *[each.shape[1] for each in tensors]]
    return F.reshape(_in_order(F, tensors, _best_splits(sizes), 0, count - 1), tuple(shape))


def _best_splits(sizes):
    """Where to cut each part of a chain (Cormen et al., Introduction to Algorithms, 15.2)."""
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    cut = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i][j], cut[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return cut


def _in_order(F, tensors, cut, i, j):
    if i == j:
        return tensors[i]
    k = cut[i][j]
    return F.mm(_in_order(F, tensors, cut, i, k), _in_order(F, tensors, cut, k + 1, j))


def _identity_like(input):
    return np.zeros(input.shape, input.dtype) + np.eye(input.shape[-1], dtype=input.dtype)


# A to the power 0: its derivative is zeros, not absent
differentiable(
    "_identity_like", _identity_like, vjp=lambda F, g: F.zeros_like(g), node_name="CopyBackwards", **_private
)


@composite("linalg_matrix_power", **_function)
def linalg_matrix_power(F, A, n):
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if n == 0:
        return F._identity_like(A)
    if n == -1:
        return F.linalg_inv(A)
    if n < 0:
        A, n = F.linalg_inv(A), -n
    if n == 1:
        return F.clone(A)
    if n == 3:
        return F.matmul(F.matmul(A, A), A)
    result = None
    while True:  # the binary digits of n, last first
        if n & 1:
            result = A if result is None else F.matmul(result, A)
        n >>= 1
        if not n:
            return result
        A = F.matmul(A, A)


@composite("matrix_power")
def matrix_power(F, input, n):
    return F.linalg_matrix_power(input, n)


# ---------------------------------------------------------------------------------------------------------- cross product

differentiable(
    *("linalg_cross", kernels.linalg_cross),
    **dict(
        vjp=dict(
            input=lambda F, g, other, dim: F.linalg_cross(F.conj(other), g, dim=dim),
            other=lambda F, g, x, dim: F.linalg_cross(g, F.conj(x), dim=dim),
        ),
        out="same",
    ),
)


@composite("cross")
def cross(F, input, other, dim=None):
    if dim is None:
        tell_once("cross")
        dim = kernels.cross_dim(input, dim)
    return F.linalg_cross(input, other, dim=dim)


def _shorten_matmul():
    """Two plain matrices go straight to ``mm``, where the usual questions are asked; the rest takes the composite's path."""
    plain = (Tensor, Parameter)

    def shorten(general):
        def matmul(*args, **kwargs):
            if not kwargs and len(args) == 2 and not state.rare:
                input, other = args
                if input.__class__ in plain and other.__class__ in plain and input._a.ndim == other._a.ndim == 2:
                    return TENSOR.mm(input, other)
            return general(*args, **kwargs)

        matmul.__module__, matmul.__doc__, matmul.__qualname__ = (
            general.__module__,
            general.__doc__,
            general.__qualname__,
        )
        matmul.__wrapped__ = general
        return matmul

    Tensor.matmul = shorten(Tensor.matmul)
    TENSOR.matmul = PLACES[""]["matmul"] = shorten(TENSOR.matmul)
    COMPOSITES["matmul"] = (TENSOR.matmul, COMPOSITES["matmul"][1])


def _matmul_out(input, other):
    return _dot_out["check_out"] if input.ndim == other.ndim == 1 else same_dtype, "matmul", False


accept_out("matmul", varying=_matmul_out)
_shorten_matmul()
_tensordot_out = worded(
    "tensordot: Expected the output tensor to have dtype {dtype}, but got an output tensor with dtype {target}"
)


def _inner_out(input, other):
    return (_tensordot_out, "inner", True) if input.ndim and other.ndim else (None, "mul", False)


for _name in ("outer", "kron"):
    accept_out(_name, spoken="mul")
accept_out("inner", varying=_inner_out)
accept_out("tensordot", _tensordot_out, copies=True)
_VECDOT = worded("linalg.vecdot: Expected out of dtype{dtype} but found {target}")
accept_out("linalg_vecdot", varying=lambda x, *rest, **more: (_VECDOT, "vdot" if x.ndim == 1 else "sum", False))
_CHAIN = worded("multi_dot(): expected out tensor to have dtype {dtype} but got {target}", "cpp_name")
accept_out("linalg_multi_dot", _CHAIN, "mm")
accept_out("chain_matmul", _CHAIN, "mm")


def _power_out(A, n):
    checks = castable("matrix_power")
    if n != -1:
        return checks, "matmul", n in (0, 1)

    def as_inverse(dtype, target):
        checks(dtype, target)
        same_dtype(dtype, target)

    return as_inverse, "linalg_inv_ex", False


accept_out("linalg_matrix_power", varying=_power_out)
accept_out("matrix_power", varying=_power_out)
accept_out("cross", same_dtype, "linalg_cross")
PLACES["linalg"]["matmul"] = TENSOR.matmul

from . import einsum  # noqa: E402, F401 - declares einsum, which is composed of the products above
