"""``torch._dynamo``: what scripts touch of the compiler's settings."""

from ..absent import stand_in
from ..compiler import allow_in_graph, assume_constant_result, disable, is_compiling, list_backends, reset
from .eval_frame import OptimizedModule

__all__ = [
    "InvalidBackend",
    "OptimizedModule",
    "allow_in_graph",
    "assume_constant_result",
    "config",
    "disable",
    "is_compiling",
    "list_backends",
    "mark_dynamic",
    "mark_static",
    "mark_static_address",
    "maybe_mark_dynamic",
    "reset",
]


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


def mark_dynamic(t, index, **options):
    """A word to the compiler on a dimension of a tensor; there is none to hear it."""


maybe_mark_dynamic = mark_static = mark_dynamic


def mark_static_address(t, guard=False):
    """A word to the compiler on where a tensor lies; there is none to hear it."""


def optimize(*args, **kwargs):
    """``torch.compile`` by its older name."""
    from ..compiler import compile

    return lambda function: compile(function)


__getattr__ = stand_in(__name__, "rushlight compiles and traces nothing")
