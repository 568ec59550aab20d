"""How tensors are shown within transforms: what stands for them at each level, from the inside out."""

import textwrap

from ..autograd.dual import Dual
from ..autograd.levels import Lane, detached
from ..autograd.modes import thread
from ..printing import tensor_repr
from ..tensor import edge_of

__all__ = ["transformed_repr"]


def transformed_repr(tensor):
    """``repr`` of a tensor while a transform runs."""
    array = tensor._a
    if thread.reverse and edge_of(tensor) is not None:
        return _wrapped(f"GradTrackingTensor(lvl={thread.reverse[-1]}", detached(tensor))
    if not isinstance(array, Lane):
        return tensor_repr(tensor)
    if array.__class__ is Dual:
        return _wrapped(f"GradTrackingTensor(lvl={array.level.number}", array.held)
    if array.bdim is None:
        return transformed_repr(array.held)
    return _wrapped(f"BatchedTensor(lvl={array.level.number}, bdim={array.bdim}", array.held)


def _wrapped(head, inner):
    return f"{head}, value=\n{textwrap.indent(transformed_repr(inner), '    ')}\n)"
