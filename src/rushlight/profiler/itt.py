"""``torch.profiler.itt``: marks for Intel's profilers, which rushlight does not speak to."""

import contextlib

__all__ = ["is_available", "mark", "range", "range_pop", "range_push"]


def is_available():
    """Whether marks reach a profiler: no."""
    return False


def _refuse(*args):
    raise RuntimeError("ITT functions not installed. Are you sure you have a ITT build?")


range_push = range_pop = mark = _refuse


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """Mark a stretch; RuntimeError here."""
    range_push(msg.format(*args, **kwargs))
    yield
