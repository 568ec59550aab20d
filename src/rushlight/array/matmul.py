"""Products of matrices and vectors.

PyTorch does not promote here: both sides must have one dtype. Floats and complex numbers go to the BLAS behind NumPy. Half
precision is multiplied in float32 and rounded once. NumPy has no fast loop for integers, so a product whose sums provably fit
float64's 53 bits is computed there (exactly); others take NumPy's own loop, which wraps around as PyTorch's does.
"""

import numpy as np

from .. import dtypes
from .arguments import is_half, legacy_name, shape_text, wrap_dim

__all__ = [
    *("addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dot", "linalg_cross", "mm", "mv", "vdot"),
    *("mm_turned", "multiply", "turned_mm"),
]

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_BLAS = "fc"  # kinds that BLAS multiplies (float16 excepted)
_SMALL = 4096  # multiplications below which NumPy's integer loop is as fast as the detour through float64


def _c_name(array):
    return dtypes.of(array.dtype).cpp_name


def multiply(a, b):
    """``a @ b`` in the one dtype both have, by NumPy's rules for shapes."""
    dtype = a.dtype
    if dtype is _FLOAT32 or dtype is _FLOAT64 or (dtype.kind in _BLAS and dtype.itemsize > 2):
        return np.matmul(a, b)
    if is_half(dtype):
        return np.matmul(a.astype(_FLOAT32), b.astype(_FLOAT32)).astype(dtype)
    return _multiply_integers(a, b)


def _multiply_integers(a, b):
    if a.size * (b.shape[-1] if b.ndim > 1 else 1) > _SMALL and a.size and b.size:
        if _reach(a) * _reach(b) * a.shape[-1] < 1 << 53:
            return np.matmul(a.astype(_FLOAT64), b.astype(_FLOAT64)).astype(np.int64).astype(a.dtype, copy=False)
    return np.matmul(a, b)


def _reach(a):
    return max(abs(int(a.min())), abs(int(a.max())))


def _refuse_bool(array, kernel):
    if array.dtype.kind == "b":
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


# ------------------------------------------------------------------------------------------------- two arguments


def mm(input, mat2):
    """The matrix product of ``(n, m)`` and ``(m, p)``."""
    dtype = input.dtype
    if (dtype is _FLOAT32 or dtype is _FLOAT64) and dtype is mat2.dtype and input.ndim == mat2.ndim == 2:
        try:
            return input.dot(mat2)
        except ValueError:
            raise RuntimeError(_cannot_multiply(input, mat2)) from None
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise RuntimeError(_cannot_multiply(input, mat2))
    if dtype is not mat2.dtype and dtype != mat2.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {_c_name(input)} != {_c_name(mat2)}")
    _refuse_bool(input, "addmm_impl_cpu_")
    return multiply(input, mat2)


def _cannot_multiply(a, b):
    return f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"


def mm_turned(input, mat2):
    """``input @ mat2ᴴ`` for ``(n, p)`` and ``(m, p)``."""
    dtype = input.dtype
    if (dtype is _FLOAT32 or dtype is _FLOAT64) and dtype is mat2.dtype:
        return input.dot(mat2.T)
    return mm(input, mat2.T.conj())


def turned_mm(input, mat2):
    """``inputᴴ @ mat2`` for ``(n, m)`` and ``(n, p)``."""
    dtype = input.dtype
    if (dtype is _FLOAT32 or dtype is _FLOAT64) and dtype is mat2.dtype:
        return input.T.dot(mat2)
    return mm(input.T.conj(), mat2)


def bmm(input, mat2):
    """The products of ``(b, n, m)`` and ``(b, m, p)``, matrix by matrix."""
    if input.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if mat2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    _check_batches(input, mat2)
    if input.dtype != mat2.dtype:
        raise RuntimeError(f"expected scalar type {legacy_name(input)} but found {legacy_name(mat2)}")
    _refuse_bool(input, "bmm")
    return multiply(input, mat2)


def _check_batches(a, b):
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] "
            f"but got: [{b.shape[0]}, {b.shape[1]}]."
        )


def mv(input, vec):
    """The product of a matrix ``(n, m)`` and a vector ``(m,)``."""
    _check_mv(input.shape, vec, input, vec)
    return _mv(input, vec)


def _mv(mat, vec):
    dtype = mat.dtype
    if dtype is _FLOAT32 or dtype is _FLOAT64:
        return mat.dot(vec)
    _refuse_bool(mat, "addmv_impl_cpu")
    return multiply(mat, vec)


def _check_mv(shape, input, mat, vec):
    """``input`` is what error texts show: the vector itself where nothing is added."""
    if mat.ndim != 2 or vec.ndim != 1:
        added = 1 if input is vec else input.ndim
        raise RuntimeError(f"vector + matrix @ vector expected, got {added}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({mat.shape[0]}), mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})"
        )
    if mat.dtype != vec.dtype or input.dtype != mat.dtype:
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{legacy_name(input)}, {legacy_name(mat)}, and {legacy_name(vec)}"
        )


def _check_vectors(a, b):
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {legacy_name(a)} and {legacy_name(b)}"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {shape_text(a.shape)} and src {shape_text(b.shape)} to have the "
            f"same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    _refuse_bool(a, "dot")


def dot(input, tensor):
    """The sum of products of two vectors; complex ones are not conjugated."""
    _check_vectors(input, tensor)
    return _dot(input, tensor)


def _dot(a, b):
    if is_half(a.dtype):
        return np.asarray(a.astype(_FLOAT32).dot(b.astype(_FLOAT32)), a.dtype)
    return np.asarray(a.dot(b))


def vdot(input, other):
    """The sum of products of two vectors, the first conjugated."""
    _check_vectors(input, other)
    return _dot(input.conj() if input.dtype.kind == "c" else input, other)


# --------------------------------------------------------------------------------------- products added to something


def _check_expand(input, shape):
    if input.shape == shape:
        return
    if input.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{legacy_name(input)}Tensor{{{shape_text(input.shape)}}}, size={shape_text(shape)}): the number "
            f"of sizes provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    shift = len(shape) - input.ndim
    for i in range(len(shape) - 1, shift - 1, -1):
        have = input.shape[i - shift]
        if have not in (1, shape[i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[i]}) must match the existing size ({have}) at non-singleton "
                f"dimension {i}.  Target sizes: {shape_text(shape)}.  Tensor sizes: {shape_text(input.shape)}"
            )


def _added(input, product, beta, alpha):
    """``beta * input + alpha * product``; ``product`` is ours to write to. What ``beta`` 0 multiplies is not read."""
    dtype = product.dtype
    if dtype.kind in "iu":
        beta, alpha = (int(each) if isinstance(each, float) else each for each in (beta, alpha))
    if alpha != 1:
        product *= dtype.type(alpha)
    if beta == 1:
        product += input
    elif beta != 0:
        product += input * dtype.type(beta)
    return product


def _multiply_and_add(input, a, b, beta, alpha):
    if alpha == 0:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])[-max(a.ndim, b.ndim) :]
        product = np.zeros(shape, _FLOAT32 if is_half(a.dtype) else a.dtype)
    elif is_half(a.dtype):
        product = np.matmul(a.astype(_FLOAT32), b.astype(_FLOAT32))
    else:
        product = multiply(a, b)
    if is_half(a.dtype):
        return _added(input.astype(_FLOAT32), product, beta, alpha).astype(a.dtype)
    return _added(input, product, beta, alpha)


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """``beta * input + alpha * (mat1 @ mat2)``, where ``input`` broadcasts to the product's shape."""
    if mat1.ndim != 2:
        raise RuntimeError(f"mat1 must be a matrix, got {mat1.ndim}-D tensor")
    if mat2.ndim != 2:
        raise RuntimeError(f"mat2 must be a matrix, got {mat2.ndim}-D tensor")
    if mat1.shape[1] != mat2.shape[0]:
        raise RuntimeError(_cannot_multiply(mat1, mat2))
    _check_expand(input, (mat1.shape[0], mat2.shape[1]))
    dtype = mat1.dtype
    if dtype is _FLOAT32 and beta == 1 and alpha == 1 and input.dtype is dtype and mat2.dtype is dtype:
        product = mat1.dot(mat2)
        product += input
        return product
    _check_added_dtypes(input, mat1, mat2)
    _refuse_bool(mat1, "addmm_impl_cpu_")
    return _multiply_and_add(input, mat1, mat2, beta, alpha)


def _check_added_dtypes(input, a, b):
    if input.dtype != b.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {legacy_name(input)} and {legacy_name(b)}")
    if a.dtype != b.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {legacy_name(a)} and {legacy_name(b)}")


def addmv(input, mat, vec, *, beta=1, alpha=1):
    """``beta * input + alpha * (mat @ vec)``."""
    if mat.ndim == 2 and vec.ndim == 1 and input.ndim <= 1:
        if mat.shape[1] != vec.shape[0] or (input.ndim and input.shape[0] not in (1, mat.shape[0])):
            raise RuntimeError(
                f"size mismatch, got input ({input.shape[0] if input.ndim else 1}), "
                f"mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})"
            )
    _check_mv(None, input, mat, vec)
    _check_expand(input, mat.shape[:1])
    _refuse_bool(mat, "addmv_impl_cpu")
    product = _multiply_and_add(input.reshape(*input.shape, 1), mat, vec.reshape(-1, 1), beta, alpha)
    return product.reshape(-1)


def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """``beta * input + alpha * outer(vec1, vec2)``; here the three dtypes promote."""
    for name, vec in (("vec1", vec1), ("vec2", vec2)):
        if vec.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {vec.ndim}-D")
    _check_expand(input, (vec1.shape[0], vec2.shape[0]))
    from .arguments import result_dtype

    dtype = result_dtype(input, vec1, vec2)
    for name, value in (("beta", beta), ("alpha", alpha)):
        if dtype.category < 2 and isinstance(value, float):
            raise RuntimeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
                if dtype.category
                else f"Boolean {name} only supported for Boolean results."
            )
        if dtype.category and isinstance(value, bool):
            raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
    if dtype is dtypes.bool:
        product = np.logical_and(np.logical_and.outer(vec1, vec2), bool(alpha))
        return np.logical_or(product, np.logical_and(input, bool(beta))) if beta else product
    working = _FLOAT32 if is_half(dtype.numpy) else dtype.numpy
    product = np.multiply.outer(vec1.astype(working, copy=False), vec2.astype(working, copy=False))
    return _added(input.astype(working, copy=False), product, beta, alpha).astype(dtype.numpy, copy=False)


def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """``beta * input + alpha * sum_b(batch1[b] @ batch2[b])``, as one product of the batches laid side by side."""
    if batch1.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if batch2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if batch1.shape[0] != batch2.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {batch1.shape[0]} and {batch2.shape[0]}"
        )
    if batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({batch1.shape[1]}x{batch1.shape[2]} and "
            f"{batch2.shape[1]}x{batch2.shape[2]})"
        )
    _check_expand(input, (batch1.shape[1], batch2.shape[2]))
    _check_added_dtypes(input, batch1, batch2)
    _refuse_bool(batch1, "addmm_impl_cpu_")
    wide = batch1.transpose(1, 0, 2).reshape(batch1.shape[1], -1 if batch1.size else 0)
    tall = batch2.reshape(-1 if batch2.size else 0, batch2.shape[2])
    if wide.shape[1] != tall.shape[0]:  # some size is 0: nothing is summed
        wide = np.zeros((batch1.shape[1], 0), batch1.dtype)
        tall = np.zeros((0, batch2.shape[2]), batch1.dtype)
    return _multiply_and_add(input, wide, tall, beta, alpha)


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """``beta * input + alpha * (batch1 @ batch2)``, matrix by matrix."""
    if batch1.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if batch2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    _check_expand(input, (batch1.shape[0], batch1.shape[1], batch2.shape[2]))
    if input.dtype != batch1.dtype and batch1.dtype == batch2.dtype:
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {_c_name(input)}, batch1: {_c_name(batch1)}, batch2: {_c_name(batch2)}"
        )
    _check_batches(batch1, batch2)
    if batch1.dtype != batch2.dtype:
        raise RuntimeError(f"expected scalar type {legacy_name(batch1)} but found {legacy_name(batch2)}")
    if batch1.dtype.kind == "b":
        raise NotImplementedError("\"baddbmm\" not implemented for 'Bool'")
    return _multiply_and_add(input, batch1, batch2, beta, alpha)


# ----------------------------------------------------------------------------------------------------- cross product


def linalg_cross(input, other, *, dim=-1):
    """The cross product of 3-vectors along ``dim``; the other dimensions broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    dim = wrap_dim(dim, input.ndim)
    if input.shape[dim : dim + 1] != (3,) or other.shape[dim : dim + 1] != (3,):
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim - input.ndim} must have length 3. "
            f"Got {input.shape[dim] if input.ndim else 1} and {other.shape[dim] if other.ndim else 1}"
        )
    if input.dtype != other.dtype:
        raise RuntimeError(f"expected scalar type {legacy_name(input)} but found {legacy_name(other)}")
    if input.dtype.kind == "b":
        raise NotImplementedError("\"cross\" not implemented for 'Bool'")
    if is_half(input.dtype):
        return _cross(input.astype(_FLOAT32), other.astype(_FLOAT32), dim).astype(input.dtype)
    return _cross(input, other, dim)


def _cross(a, b, dim):
    from .arguments import broadcast_shapes_of_two

    out = np.empty(broadcast_shapes_of_two(a.shape, b.shape), a.dtype)
    (a0, a1, a2), (b0, b1, b2), parts = (np.moveaxis(each, dim, 0) for each in (a, b, out))
    for part, (p, q), (r, s) in ((0, (a1, b2), (a2, b1)), (1, (a2, b0), (a0, b2)), (2, (a0, b1), (a1, b0))):
        np.multiply(p, q, out=parts[part, ...])
        parts[part, ...] -= r * s
    return out


def cross(input, other, dim=None):
    """``linalg_cross`` along ``dim``, by default the first dimension of size 3."""
    return linalg_cross(input, other, dim=cross_dim(input, dim))


def cross_dim(input, dim):
    if dim is not None:
        return dim
    for i, size in enumerate(input.shape):
        if size == 3:
            return i
    raise RuntimeError("no dimension of size 3 in input")
