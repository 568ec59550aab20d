"""``torch._vmap_internals``: the vmap of PyTorch before ``torch.func``, which programs take from there."""

import warnings

from .autograd.batched import batch_map

__all__ = ["vmap"]


def _vmap(func, in_dims=0, out_dims=0, allow_none_pass_through=False):
    """As ``torch.func.vmap`` with its defaults; with ``allow_none_pass_through`` None may be among several results."""

    def batched(*args):
        return batch_map(func, *args, in_dims=in_dims, out_dims=out_dims, allow_none=allow_none_pass_through)

    return batched


def vmap(func, in_dims=0, out_dims=0):
    """The same, of which PyTorch warns."""
    warnings.warn("Please use `torch.vmap` instead of `torch._vmap_internals.vmap`.", FutureWarning, stacklevel=2)
    return _vmap(func, in_dims, out_dims)
