"""What the linear algebra kernels share: the error class, the checks of shapes and dtypes, and the norms' dimensions.

The kernels themselves are by theme: `linalg_solve` (inverse, determinant, systems), `linalg_triangular`, `linalg_lu`,
`linalg_cholesky`, `linalg_spectral` (QR, SVD, eigenvalues, least squares) and `linalg_exp`. All take matrices in the last two
dimensions and any number of batch dimensions before them.
"""

import numpy as np

from .. import dtypes
from .arguments import is_half, legacy_name

__all__ = [
    *(
        "LinAlgError",
        "check_floating",
        "check_kernel",
        "check_matrix",
        "check_same_dtype",
        "check_square",
        "first_failure",
    ),
    *("adjoint", "batch_shape", "check_solve_shapes", "real_dtype"),
]


class LinAlgError(RuntimeError):
    """A factorization failed; ``torch.linalg.LinAlgError``."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"  # as PyTorch shows it
LinAlgError.__module__ = "torch._C"


def check_matrix(name, array, argument="A"):
    """At least two dimensions."""
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")


def check_square(name, array, argument="A"):
    """Square in the last two dimensions."""
    check_matrix(name, array, argument)
    rows, columns = array.shape[-2:]
    if rows != columns:
        prefix = f"{name}: " if name else ""
        raise RuntimeError(
            f"{prefix}{argument} must be batches of square matrices, but they are {rows} by {columns} matrices"
        )


def check_floating(name, array, half=True):
    """Floating or complex; ``half`` says whether 16-bit floats pass (some kernels refuse them by a text of their own)."""
    dtype = dtypes.of(array.dtype)
    if dtype.category < 2:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {dtype.legacy}")
    if not half and is_half(array.dtype):
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {dtype.legacy}")


def check_kernel(kernel, array):
    """The four dtypes that LAPACK knows."""
    if array.dtype.kind not in "fc" or array.dtype.itemsize < 4:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy_name(array)}'")


def check_same_dtype(name, a, b, first="A", second="B"):
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected {first} and {second} to have the same dtype, but found {first} of type {legacy_name(a)} "
            f"and {second} of type {legacy_name(b)} instead"
        )


def check_solve_shapes(name, a, b, left=True):
    """A (n, n) and B (n, k) of AX = B, or B (k, n) of XA = B."""
    rows, columns = b.shape[-2:]
    if a.shape[-1] != (rows if left else columns):
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a.shape[-2]}x{a.shape[-1]} and {rows}x{columns})"
        )


def first_failure(info):
    """(prefix, number) of the first nonzero entry of LAPACK's infos; the prefix names the batch element."""
    if info.ndim == 0:
        return "", int(info)
    flat = info.reshape(-1)
    place = int(np.flatnonzero(flat)[0])
    return f"(Batch element {place}): ", int(flat[place])


def batch_shape(*arrays):
    """The batch dimensions that several arrays of matrices broadcast to."""
    from .arguments import broadcast_shapes_of_two

    shape = ()
    for array in arrays:
        shape = broadcast_shapes_of_two(shape, array.shape[:-2])
    return shape


def adjoint(a):
    """The conjugate transpose of each matrix."""
    a = a.swapaxes(-1, -2)
    return a.conj() if a.dtype.kind == "c" else a


def real_dtype(dtype):
    """The dtype of the parts of a complex one; itself otherwise."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
