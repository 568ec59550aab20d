"""Subscripts and sums to a shape in the steps that PyTorch takes, for those who stand before operators and are to see each of them.

``x[:, 1]`` is one node here and ``select`` in PyTorch; ``x[0, None, mask]`` is ``select``, ``unsqueeze`` and ``index`` there.
"""

import numpy as np

from ..array.indexing import is_whole
from ..tensor import Tensor, wrap
from . import subscript
from .makers import METHODS
from .overloads import perform, run_method
from .table import OPS

__all__ = ["getitem", "setitem", "sum_to"]


def getitem(input, index):
    """``input[index]``, one operator after another."""
    part, indices = _taken(input, subscript.normal(index), whole_too=True)
    if indices:
        return perform(OPS["_index"], (part, indices))
    return perform(OPS["_whole"], (part, ())) if part is input else part


def setitem(input, index, value):
    """``input[index] = value``, likewise: a write to the part that the index takes."""
    if not isinstance(value, Tensor):
        subscript._value(value, input.dtype.numpy)  # what cannot be assigned is refused
        value = run_method(METHODS["tensor"], (value,), {"dtype": input.dtype})
    part, indices = _taken(input, subscript.normal(index))
    if indices:
        perform(OPS["_index_put"], (part, indices, value, False), "inplace")
    elif value._a.ndim == 0 != part._a.ndim:
        perform(OPS["_fill"], (part, value), "inplace")
    else:
        perform(OPS["_copy"], (part, _fitted(value, part._a.shape), False), "inplace")


def sum_to(input, size):
    """A sum to a shape that broadcasts to that of ``input``."""
    extra = input._a.ndim - len(size)
    inner = [extra + dim for dim, length in enumerate(size) if length == 1 != input._a.shape[extra + dim]]
    if extra or inner:
        input = perform(OPS["sum"], (input, [*range(extra), *inner], True, None))
    return perform(OPS["view"], (input, tuple(size))) if extra else input


def _fitted(value, shape):
    """A value in the shape of the part that it is written to: its leading dimensions of one element do not count."""
    if value._a.shape != shape and value._a.shape[:1] == (1,):
        leading = next((at for at, length in enumerate(value._a.shape) if length != 1), value._a.ndim)
        value = perform(OPS["view"], (value, value._a.shape[leading:]))
    return value if value._a.shape == shape else perform(OPS["expand"], (value, shape, False))


def _taken(part, index, whole_too=False):
    """(the part that an index takes by views, the tensors to index that with; none of them where views do it all).

    A slice of everything makes no step; ``whole_too``: unless it is alone.
    """
    if any(_spans(each) > 1 for each in index):
        return part, index
    indices, dim, whole = [], 0, part
    for at, each in enumerate(index):
        if each is ...:
            dim = part._a.ndim - sum(map(_spans, index[at + 1 :]))
        elif each is None:
            part = perform(OPS["unsqueeze"], (part, dim))
            dim += 1
        elif each.__class__ is slice:
            part = _sliced(part, dim, each, whole_too and len(index) == 1)
            dim += 1
        elif each.__class__ is int:
            if dim >= part._a.ndim or not -part._a.shape[dim] <= each < part._a.shape[dim]:
                raise subscript._index_error(whole._a, index)
            part = perform(OPS["select"], (part, dim, each))
        else:
            if not isinstance(each, Tensor):
                part = perform(OPS["unsqueeze"], (part, dim))
                each = wrap(np.array([each]))
            indices += [slice(None)] * (dim - len(indices)) + [each]
            dim += 1
    return part, tuple(indices)


def _sliced(part, dim, given, whole_too):
    if given.step is not None and given.step <= 0:
        raise subscript._step_error(given.step)
    if not whole_too and dim < part._a.ndim and is_whole(given, part._a.shape[dim]):
        return part
    return perform(OPS["_slice_dim"], (part, dim, given.start, given.stop, 1 if given.step is None else given.step))


def _spans(each):
    """How many dimensions an item of an index speaks of."""
    if isinstance(each, Tensor):
        return each._a.ndim if each.dtype in subscript._MASKS else 1
    return 0 if each is None or each is ... or isinstance(each, (bool, np.bool_)) else 1
