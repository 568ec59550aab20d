"""Products of matrices: a cotangent times the other factor, transposed and conjugated."""

from ..array import matmul as kernels
from .table import differentiable


def _adjoint(F, x):
    return F.conj(F.transpose(x, -2, -1))


def _left(F, g, other, x_shape):
    if len(other.shape) == 1:
        return F.unsqueeze(g, -1) * F.conj(other)
    if len(x_shape) == 1:
        return F.squeeze(F.matmul(F.conj(other), F.unsqueeze(g, -1)), -1)
    return F.matmul(g, _adjoint(F, other))


def _right(F, g, x, other_shape):
    if len(x.shape) == 1:
        if len(other_shape) == 1:
            return g * F.conj(x)
        return F.unsqueeze(F.conj(x), -1) * F.unsqueeze(g, -2)
    if len(other_shape) == 1:
        return F.squeeze(F.matmul(_adjoint(F, x), F.unsqueeze(g, -1)), -1)
    if len(other_shape) == 2 and len(x.shape) > 2:
        flat = F.reshape(x, (-1, x.shape[-1]))
        return F.matmul(_adjoint(F, flat), F.reshape(g, (-1, g.shape[-1])))
    return F.matmul(_adjoint(F, x), g)


def _name(values):
    a, b = values[0].ndim, values[1].ndim
    if b == 1:
        return {1: "DotBackward0", 2: "MvBackward0"}.get(a, "UnsafeViewBackward0")
    if b == 2:
        return {1: "SqueezeBackward4", 2: "MmBackward0"}.get(a, "UnsafeViewBackward0")
    return "UnsafeViewBackward0"


_factors = dict(input=_left, other=_right)
differentiable("matmul", kernels.matmul, vjp=_factors, node_name=_name, out=True)


differentiable(
    *("mm", kernels.mm),
    **dict(
        vjp=dict(
            input=lambda F, g, mat2, x_shape: _left(F, g, mat2, x_shape),
            mat2=lambda F, g, x, mat2_shape: _right(F, g, x, mat2_shape),
        ),
        out=True,
    ),
)
differentiable(
    *("bmm", kernels.bmm),
    **dict(
        vjp=dict(
            input=lambda F, g, mat2, x_shape: _left(F, g, mat2, x_shape),
            mat2=lambda F, g, x, mat2_shape: _right(F, g, x, mat2_shape),
        ),
        out=True,
    ),
)
differentiable(
    *("mv", kernels.mv),
    **dict(
        vjp=dict(
            input=lambda F, g, vec, x_shape: _left(F, g, vec, x_shape),
            vec=lambda F, g, x, vec_shape: _right(F, g, x, vec_shape),
        ),
        out=True,
    ),
)
differentiable(
    *("dot", kernels.dot),
    **dict(
        vjp=dict(input=lambda F, g, tensor: g * F.conj(tensor), tensor=lambda F, g, x: g * F.conj(x)),
        out=True,
    ),
)
differentiable(
    *("addmm", kernels.addmm),
    **dict(
        vjp=dict(
            input=lambda F, g, beta: g if beta == 1 else g * beta,
            mat1=lambda F, g, mat2, alpha: _scaled(F.matmul(g, _adjoint(F, mat2)), alpha),
            mat2=lambda F, g, mat1, alpha: _scaled(F.matmul(_adjoint(F, mat1), g), alpha),
        ),
        out=True,
        inplace=True,
    ),
)


def _scaled(value, alpha):
    return value if alpha == 1 else value * (alpha.conjugate() if isinstance(alpha, complex) else alpha)
