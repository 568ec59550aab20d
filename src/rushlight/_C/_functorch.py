"""``torch._C._functorch``: what a tensor is to the transforms that are running, asked from outside."""

from ..autograd.modes import thread
from ..func.showing import outermost

__all__ = []


def is_functorch_wrapped_tensor(tensor):
    """Whether a transform that is running stands behind a tensor."""
    return outermost(tensor) is not None


def is_batchedtensor(tensor):
    """Whether the outermost of them is ``vmap``."""
    layer = outermost(tensor)
    return layer is not None and layer.bdim is not None


def is_gradtrackingtensor(tensor):
    """Whether the outermost of them is one that differentiates."""
    layer = outermost(tensor)
    return layer is not None and layer.bdim is None


def maybe_get_level(tensor):
    """The number of the outermost of them, -1 where there is none."""
    layer = outermost(tensor)
    return -1 if layer is None else layer.number


def maybe_get_bdim(tensor):
    """The dimension of the batch in what a tensor of ``vmap`` stands for, -1 for any other tensor."""
    layer = outermost(tensor)
    return -1 if layer is None or layer.bdim is None else layer.bdim


def get_unwrapped(tensor):
    """What a tensor of a transform stands for one level down; RuntimeError for any other tensor."""
    layer = outermost(tensor)
    if layer is None:
        raise RuntimeError("No wrappers present!")
    return layer.inner


def maybe_current_level():
    """How many transforms are running, None outside of all."""
    return thread.transforms or None
