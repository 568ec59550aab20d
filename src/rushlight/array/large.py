"""Elementwise work on large arrays: shared between threads, and in blocks that stay in the cache where there are temporaries."""

import numpy as np

from .threads import get_num_threads, parallel

#: number of elements above which an array is handled here
LARGE = 65536
#: elements in a block for one thread: 128 KiB of float32, so that a handful of blocks fits a core's cache
BLOCK = 32768
#: and for several, which meet at the interpreter between blocks and should not do so often
BLOCK_SHARED = 131072


def block_size():
    """The number of elements to take at a time, for the number of threads in use."""
    return BLOCK if get_num_threads() == 1 else BLOCK_SHARED


def large_unary(kernel, x, dtype=None):
    """``kernel(x)`` into a new array of ``dtype`` (that of ``x`` by default)."""
    if not isinstance(kernel, np.ufunc) or not x.flags.c_contiguous:
        return kernel(x, out=...)
    out = np.empty(x.shape, dtype or x.dtype)
    source, target = x.reshape(-1), out.reshape(-1)
    parallel(x.size, lambda start, stop: kernel(source[start:stop], out=target[start:stop]))
    return out


def large_binary(kernel, x, y, dtype=None):
    """``kernel(x, y)`` into a new array of ``dtype``; shapes broadcast."""
    if not isinstance(kernel, np.ufunc) or not x.flags.c_contiguous:
        return kernel(x, y, out=...)
    if y.shape == x.shape and y.flags.c_contiguous:
        other = y.reshape(-1)
    elif y.size == 1 and y.ndim <= x.ndim:
        other = None
        y = y.reshape(())
    else:
        return kernel(x, y, out=...)
    out = np.empty(x.shape, dtype or x.dtype)
    source, target = x.reshape(-1), out.reshape(-1)

    def part(start, stop):
        kernel(source[start:stop], y if other is None else other[start:stop], out=target[start:stop])

    parallel(x.size, part)
    return out


def flat(array, size):
    """A large operand as something blocks can be taken from: ``(flat array, True)``, or a 0-d array and False; else None."""
    if array.size == 1:
        return array.reshape(()), False
    if array.size != size:
        return None
    if array.flags.c_contiguous:
        return array.reshape(-1), True
    if not any(array.strides):
        return array[(0,) * array.ndim], False
    return None


def chain_rule(cotangent, rule, values):
    """``cotangent * rule(*values)`` for large arrays, the rule's temporaries a block at a time."""
    from ..ops.table import RAW

    size, shape = cotangent.size, cotangent.shape
    parts = [flat(each, size) if isinstance(each, np.ndarray) else (each, False) for each in (cotangent, *values)]
    if any(each is None for each in parts) or any(getattr(v, "ndim", 0) and v.shape != shape for v in values):
        return np.multiply(cotangent, rule(RAW, *values), out=...)
    out = np.empty(shape, cotangent.dtype)
    target = out.reshape(-1)
    block = block_size()

    def body(start, stop):
        for at in range(start, stop, block):
            end = min(at + block, stop)
            g, *given = [np.asarray(each)[at:end] if cut else each for each, cut in parts]
            np.multiply(g, rule(RAW, *given), out=target[at:end])

    parallel(size, body)
    return out
