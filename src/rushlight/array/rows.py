"""How large work is laid out: blocks of rows that stay in cache, and arrays that BLAS takes as they lie."""

import numpy as np

__all__ = ["each_block", "solid"]


def each_block(count, step, body):
    """Call ``body(number, low, high)`` for every block of `step` of `count` rows, in order.

    The threads of `threads.py` would not help: calls of a few microseconds meet at the interpreter lock (docs/memory.md).
    """
    for number, low in enumerate(range(0, count, step)):
        body(number, low, min(low + step, count))


def solid(array):
    """`array`, copied if it is expanded (a stride of zero): NumPy multiplies such matrices without BLAS, a hundred times slower."""
    for size, stride in zip(array.shape, array.strides, strict=True):
        if stride == 0 and size > 1:
            return np.ascontiguousarray(array)
    return array
