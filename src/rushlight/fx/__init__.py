"""``torch.fx``: code is not traced into graphs here. Its classes can be named, and asked of by ``isinstance``; using one says so."""

from ..absent import stand_in
from ..nn.modules.module import Module

__all__ = ["GraphModule", "wrap"]
_SENTENCE = "rushlight traces no code into graphs"


class GraphModule(Module):
    """What ``isinstance`` is asked for, and a module as PyTorch's is; making one raises NotImplementedError."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"{_SENTENCE}, so torch.fx.GraphModule is not there")


GraphModule.__module__ = "torch.fx.graph_module"


def wrap(fn_or_name):
    """The function itself: what a tracer would leave alone, where there was one."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


__getattr__ = stand_in(__name__, _SENTENCE)
