"""Elementwise work on large arrays, in blocks that stay in the cache.

The partial derivative of an elementwise operator and its product with the cotangent are computed block by block, so that the
temporaries of a rule never travel to memory.
"""

import numpy as np

#: number of elements above which an array is handled in blocks
LARGE = 65536
_BLOCK = 16384


def large_unary(kernel, x):
    return kernel(x, out=...)


def large_binary(kernel, x, y):
    return kernel(x, y, out=...)


def chain_rule(cotangent, rule, values):
    """``cotangent * rule(values)`` for large arrays of one shape."""
    from ..ops.table import RAW

    return np.multiply(cotangent, rule(RAW, *values), out=...)
