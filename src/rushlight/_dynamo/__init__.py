"""``torch._dynamo``: what scripts touch of the compiler's settings."""

from ..compiler import allow_in_graph, disable, is_compiling, list_backends, reset
from ..missing import module_getattr

__all__ = ["InvalidBackend", "allow_in_graph", "config", "disable", "is_compiling", "list_backends", "reset"]


class InvalidBackend(RuntimeError):
    """A backend of ``torch.compile`` that there is not."""

    def __init__(self, name):
        super().__init__(f"Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for available backends.")


class _Config:
    """Settings of a compiler that is not here: they can be set and read again."""

    suppress_errors = False
    verbose = False
    cache_size_limit = recompile_limit = 8


config = _Config()


def optimize(*args, **kwargs):
    """``torch.compile`` by its older name."""
    from ..compiler import compile

    return lambda function: compile(function)


__getattr__ = module_getattr(__name__)
