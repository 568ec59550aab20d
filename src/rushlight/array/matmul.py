"""Products of vectors, matrices and batches of them, with PyTorch's checks.

BLAS does the work through NumPy. Half precision is multiplied in float32 and rounded once; integers run in NumPy's own loops.
Operands must have one dtype: PyTorch promotes nowhere here.
"""

import numpy as np

from .. import dtypes
from .blocks import is_half

__all__ = ["addmm", "bmm", "dot", "matmul", "mm", "mv"]


def same_dtype(a, b, first="m1", second="m2"):
    """RuntimeError in PyTorch's words unless the two arrays have one dtype."""
    if a.dtype != b.dtype:
        names = [dtypes.of(each.dtype).cpp_name.replace("long int", "int64_t") for each in (a, b)]
        raise RuntimeError(f"expected {first} and {second} to have the same dtype, but got: {names[0]} != {names[1]}")


def product(a, b):
    """``np.matmul`` in PyTorch's dtype."""
    if a.dtype == np.bool_:
        raise RuntimeError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    if is_half(a.dtype):
        return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    made = np.matmul(a, b)
    return made if made.__class__ is np.ndarray else np.asarray(made)


def mm(input, mat2):
    """The product of two matrices."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_inner(input, mat2)
    same_dtype(input, mat2)
    return product(input, mat2)


def _check_inner(a, b):
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )


def bmm(input, mat2):
    """The products of two batches of matrices."""
    if input.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if mat2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        wanted = [input.shape[0], input.shape[2]]
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {wanted} but got: {list(mat2.shape[:2])}."
        )
    same_dtype(input, mat2, "batch1", "batch2")
    return product(input, mat2)


def mv(input, vec):
    """A matrix times a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({input.shape[0]}), mat ({input.shape[0]}x{input.shape[1]}), vec ({vec.shape[0]})")
    same_dtype(input, vec, "mat", "vec")
    return product(input, vec)


def dot(input, tensor):
    """The inner product of two vectors, without conjugation."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype != tensor.dtype:
        names = [dtypes.of(each.dtype).legacy for each in (input, tensor)]
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {names[0]} and {names[1]}")
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src [{tensor.shape[0]}] to have the same number of "
            f"elements, but got {input.shape[0]} and {tensor.shape[0]} elements respectively"
        )
    return product(input, tensor)


def matmul(input, other):
    """PyTorch's ``@``: vectors, matrices, and broadcast batches of matrices."""
    a, b = input.ndim, other.ndim
    if a == 0 or b == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D")
    if a == 1 and b == 1:
        return dot(input, other)
    if a == 2 and b == 1:
        return mv(input, other)
    if a <= 2 and b == 2:
        left = input if a == 2 else input[None]
        _check_inner(left, other)
        same_dtype(input, other)
        return product(input, other)
    same_dtype(input, other, "batch1" if b > 2 else "m1", "batch2" if b > 2 else "m2")
    try:
        return product(input, other)
    except ValueError:
        raise _batch_error(input, other) from None


def _batch_error(a, b):
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        if b.ndim <= 2:
            rows = 1
            for n in a.shape[:-1]:
                rows *= n
            columns = b.shape[-1] if b.ndim == 2 else 1
            return RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {inner}x{columns})")
        batch = 1
        for n in np.broadcast_shapes(a.shape[:-2], b.shape[:-2]):
            batch *= n
        return RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {a.shape[-1]}] but got: [{batch}, {inner}]."
        )
    n = max(a.ndim, b.ndim)
    for k in range(n - 2):
        i, j = k - n + a.ndim, k - n + b.ndim
        m, o = (a.shape[i] if i >= 0 else 1), (b.shape[j] if j >= 0 else 1)
        if m != o and 1 not in (m, o):
            return RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({o}) at non-singleton dimension {k}"
            )
    return RuntimeError("the operands cannot be multiplied")


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """``beta * input + alpha * (mat1 @ mat2)``; with ``beta`` 0 the NaN of ``input`` do not count."""
    if mat1.ndim != 2 or mat2.ndim != 2:
        raise RuntimeError(f"mat{1 if mat1.ndim != 2 else 2} must be a matrix, got {(mat1 if mat1.ndim != 2 else mat2).ndim}-D tensor")
    _check_inner(mat1, mat2)
    same_dtype(mat1, mat2)
    made = product(mat1, mat2)
    if np.broadcast_shapes(made.shape, input.shape) != made.shape:
        raise RuntimeError(
            f"The expanded size of the tensor ({made.shape[-1]}) must match the existing size ({input.shape[-1]}) at "
            f"non-singleton dimension 1.  Target sizes: {list(made.shape)}.  Tensor sizes: {list(input.shape)}"
        )
    if alpha != 1:
        made = made * np.asarray(alpha, made.dtype)
    if beta == 0:
        return made
    return np.add(made, input if beta == 1 else input * np.asarray(beta, input.dtype), out=made)
