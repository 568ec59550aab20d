"""How large work is laid out: blocks of rows shared between threads, and arrays that BLAS takes as they lie."""

import numpy as np

from .threads import GRAIN, parallel

__all__ = ["share_blocks", "solid"]


def share_blocks(count, step, body):
    """Call ``body(number, low, high)`` for every block of `step` of `count` rows, in this thread and its helpers.

    The blocks are the same whatever the number of threads; sums over rows must be kept by block and added afterwards,
    in order, so that they are too.
    """
    blocks = -(-count // step)

    def part(start, stop):
        for number in range(start // GRAIN, stop // GRAIN):
            body(number, number * step, min(number * step + step, count))

    # `parallel` deals in elements and cuts at multiples of its grain: a block counts as one grain.
    parallel(blocks * GRAIN, part)


def solid(array):
    """`array`, copied if it is expanded (a stride of zero): NumPy multiplies such matrices without BLAS, a hundred times slower."""
    for size, stride in zip(array.shape, array.strides, strict=True):
        if stride == 0 and size > 1:
            return np.ascontiguousarray(array)
    return array
