"""Geometry of sliding windows, shared by convolution, pooling and fold.

A window has, in every spatial dimension, a kernel size, a stride, a padding and a dilation. A *tap* is one position
inside the kernel; the inputs that a tap sees are a strided slice of the (padded) input, so a loop over taps replaces
any loop over pixels.
"""

import itertools

import numpy as np

__all__ = ["expand_sizes", "pool_output_size", "sizes_text", "tap_slices", "taps"]


def expand_sizes(value, count):
    """`value` (an int, or a sequence of one or `count` ints) as a tuple of `count` ints."""
    if isinstance(value, (int, np.integer)):
        return (int(value),) * count
    value = tuple(int(v) for v in value)
    return value * count if len(value) == 1 else value


def sizes_text(sizes):
    """Sizes as PyTorch's messages print them: ``[2, 3]``."""
    return "[" + ", ".join(str(int(s)) for s in sizes) + "]"


def pool_output_size(size, kernel, stride, padding, dilation, ceil_mode):
    """Number of windows along one dimension (PyTorch's rule: with `ceil_mode` the last window must start inside the input
    or the left padding)."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    return count


def taps(kernel):
    """All positions inside a kernel of these sizes, last dimension fastest."""
    return itertools.product(*(range(k) for k in kernel))


def tap_slices(tap, dilation, stride, counts):
    """Slices of the padded spatial dimensions that `tap` sees, one element a window (`counts` windows)."""
    return tuple(
        slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, s, n in zip(tap, dilation, stride, counts, strict=True)
    )
