"""``torch._functorch.vmap``."""

from ..func.batching import restore_vmap, vmap

__all__ = ["restore_vmap", "vmap"]
