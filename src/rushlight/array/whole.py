"""Sums and means over a whole array, and their transposes: the reductions that end almost every loss.

Without dimensions or other options nothing has to be parsed, so these take the shortest path of operators.
"""

import numpy as np

from .reduce import add_reduce

_add = np.add.reduce
_divide = np.true_divide
#: up to here NumPy's own sum is as fast as the blocked one
_SMALL = 1024


def total(array):
    """The sum of all elements, as a 0-d array."""
    if array.size <= _SMALL:
        return _add(array, None, None, np.empty((), array.dtype))
    return add_reduce(array, None)


def average(array):
    """The mean of all elements, as a 0-d array."""
    made = total(array)
    return _divide(made, _count(array.size, array.dtype), made)


def spread(value, shape):
    """A number (0-d) as an array of ``shape``: filled where it is small, repeated by zero strides where it is large."""
    size = 1
    for n in shape:
        size *= n
    if size <= _SMALL:
        made = np.empty(shape, value.dtype)
        made.fill(value)
        return made
    return np.ndarray(shape, value.dtype, np.array(value), 0, (0,) * len(shape))


def spread_average(value, shape):
    """The transpose of ``average``."""
    size = 1
    for n in shape:
        size *= n
    dtype = value.dtype
    return spread(_divide(value, _count(size, dtype), np.empty((), dtype)), shape)


_COUNTS = {4: {}, 8: {}}


def _count(size, dtype):
    """A number of elements as a 0-d array of a float dtype, remembered: a Python number beside an array costs as much as the sum."""
    known = _COUNTS[dtype.itemsize]
    found = known.get(size)
    if found is None:
        if len(known) > 4096:
            known.clear()
        found = known[size] = np.array(size, dtype)
    return found


#: name of the operator -> (reduction, transpose)
WHOLE = {"sum": (total, spread), "mean": (average, spread_average)}
