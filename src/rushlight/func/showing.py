"""How tensors are shown within transforms: what stands for them at each level, from the inside out."""

import textwrap
from collections import namedtuple

from ..autograd.dual import Dual
from ..autograd.levels import Lane, detached
from ..autograd.modes import thread
from ..printing import tensor_repr

__all__ = ["Layer", "outermost", "transformed_repr"]


#: what stands for a tensor at one level: its number, the batch's dimension (None: it tracks gradients), and the tensor within
Layer = namedtuple("Layer", ("number", "bdim", "inner"))


def transformed_repr(tensor):
    """``repr`` of a tensor while a transform runs."""
    layers, inner = [], tensor
    while (layer := outermost(inner, layers)) is not None:
        layers.append(layer)
        inner = layer.inner
    tracked = layers and layers[-1].inner is (layers[-2].inner if len(layers) > 1 else tensor)
    text = tensor_repr(detached(inner) if tracked else inner)
    for layer in reversed(layers):
        where = "GradTrackingTensor(" if layer.bdim is None else "BatchedTensor("
        which = f"lvl={layer.number}" if layer.bdim is None else f"lvl={layer.number}, bdim={layer.bdim}"
        text = f"{where}{which}, value=\n{textwrap.indent(text, '    ')}\n)"
    return text


def outermost(tensor, within=()):
    """What wraps a tensor outermost, inside the layers ``within``: a ``Layer``, or None for a tensor of no transform."""
    limit = within[-1].number if within else thread.transforms + 1
    for inside in reversed(thread.reverse):
        if inside.number < limit and inside.tracks(tensor):
            return Layer(inside.number, None, tensor)
    array = tensor._a
    if not isinstance(array, Lane):
        return None
    if array.__class__ is not Dual and array.bdim is None:
        return outermost(array.held, within)
    return Layer(array.level.number, None if array.__class__ is Dual else array.bdim, array.held)
