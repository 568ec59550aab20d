"""``torch._C._functorch``: what programs ask of a tensor within a transform."""

from ..autograd.vmap import Batched

__all__ = []


def is_batchedtensor(tensor):
    """Whether a tensor stands for a batch, within ``vmap``."""
    return isinstance(tensor._a, Batched)
