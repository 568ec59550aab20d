"""What kernels share when they read their arguments: dimensions wrapped and checked, and the dtype several arrays meet in.

A kernel that takes ``dim`` accepts negative ones, and treats a 0-d array as if it had one dimension; both are PyTorch's
rules, and so are the error texts.
"""

import operator

import numpy as np

from .. import dtypes

__all__ = [
    "broadcast_shapes_of_two",
    "common_dtype",
    "float_dtype",
    "is_half",
    "shape_text",
    "legacy_name",
    "result_dtype",
    "wrap_dim",
    "wrap_dims",
    "wide",
]


def shape_text(shape):
    """A shape as error texts show it: ``[2, 3]``."""
    return "[" + ", ".join([str(int(n)) for n in shape]) + "]"


def legacy_name(array):
    """The name of an array's dtype in error texts: ``Float``, ``Long``."""
    return dtypes.of(array.dtype).legacy


def wrap_dim(dim, ndim):
    """``dim`` counted from the front, in ``[0, ndim)``; a 0-d array has the dimension 0 (and -1)."""
    if -ndim <= dim < ndim:
        return dim + ndim if dim < 0 else dim
    if ndim == 0:
        if dim in (0, -1):
            return 0
        ndim = 1
    raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")


def wrap_dims(dims, ndim):
    """Several dimensions (an int or a sequence), wrapped; RuntimeError where one comes twice."""
    if not isinstance(dims, (tuple, list)):
        return (wrap_dim(operator.index(dims), ndim),)
    if len(dims) == 1:
        return (wrap_dim(dims[0], ndim),)
    wrapped = tuple([wrap_dim(dim, ndim) for dim in dims])
    if len(set(wrapped)) != len(wrapped):
        for dim in wrapped:
            if wrapped.count(dim) > 1:
                raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    return wrapped


def is_half(numpy_dtype):
    """Whether a dtype is a 16-bit float (float16 or bfloat16), whose sums are kept in float32."""
    return numpy_dtype.itemsize == 2 and (numpy_dtype.kind == "f" or numpy_dtype.name == "bfloat16")


def is_floating(numpy_dtype):
    return numpy_dtype.kind == "f" or numpy_dtype.name == "bfloat16"


def wide(array):
    """A half precision array as float32; any other as it is."""
    return array.astype(np.float32) if is_half(array.dtype) else array


def float_dtype(array):
    """The NumPy dtype of a floating result: the array's own, or the default dtype for integers and bools."""
    if array.dtype.kind in "biu":
        return dtypes.get_default_dtype().numpy
    return array.dtype


def result_dtype(*operands):
    """The rushlight dtype that arrays and Python numbers promote to (PyTorch's three ranks)."""
    ranks = [None, None, None]
    for operand in operands:
        shape = getattr(operand, "shape", None)
        if shape is None:
            rank, found = 2, dtypes.of_number(operand)
        else:
            rank, found = (0 if shape else 1), dtypes.of(operand.dtype)
        old = ranks[rank]
        ranks[rank] = found if old is None else dtypes.promote_types(old, found)
    return dtypes.combine(*ranks)


def common_dtype(arrays):
    """The NumPy dtype that arrays are joined in (``cat``, ``stack``), 0-d ones counting less."""
    first = arrays[0].dtype
    for array in arrays:
        if array.dtype != first:
            return result_dtype(*arrays).numpy
    return first


def broadcast_shapes_of_two(a, b):
    """The shape two shapes broadcast to, or PyTorch's error."""
    if a == b:
        return a
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    out = list(longer)
    shift = len(longer) - len(shorter)
    for i, size in reversed(list(enumerate(shorter, shift))):
        if size != out[i]:
            if out[i] == 1:
                out[i] = size
            elif size != 1:
                left, right = (a[i - len(longer)], b[i - len(longer)])
                raise RuntimeError(
                    f"The size of tensor a ({left}) must match the size of tensor b ({right}) "
                    f"at non-singleton dimension {i}"
                )
    return tuple(out)
