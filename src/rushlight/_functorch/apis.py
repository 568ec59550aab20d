"""``torch._functorch.apis``: the transforms, and ``chunk_vmap``, which counts chunks where ``vmap`` takes their size."""

import functools

from ..func.batching import in_chunks_of, prepared, vmap
from ..func.reverse import grad, grad_and_value

__all__ = ["chunk_vmap", "grad", "grad_and_value", "vmap"]


def chunk_vmap(func, in_dims=0, out_dims=0, randomness="error", chunks=2):
    """``vmap`` over a batch in ``chunks`` parts of one size (the last may be smaller), one after the other."""
    if chunks == 1:
        return vmap(func, in_dims=in_dims, out_dims=out_dims, randomness=randomness)

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        dims, leaves, spec, size = prepared(in_dims, args, func)
        return in_chunks_of(-(-size // chunks), func, leaves, dims, spec, size, out_dims, randomness, kwargs)

    return wrapped
