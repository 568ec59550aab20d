"""``torch.multiprocessing``: Python's ``multiprocessing``, with tensors that travel between processes.

A tensor whose memory is shared (``share_memory_()``) stays one memory: what one process writes, the others see. Any other tensor
travels as a copy; PyTorch would move it into shared memory on its way.
"""

import multiprocessing as _multiprocessing
from multiprocessing import *  # noqa: F403

from .shared import register_reductions
from .spawn import (
    ENV_VAR_PARALLEL_START,  # noqa: F401 - asked for by this place
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    "ProcessContext",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]
__all__ += _multiprocessing.__all__

_STRATEGIES = {"file_descriptor"}


def get_all_sharing_strategies():
    """The ways in which memory is shared: as open files, which vanish with the last process that has them."""
    return set(_STRATEGIES)


def get_sharing_strategy():
    """The way in which memory is shared."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy):
    """Choose the way in which memory is shared; AssertionError for one that is not there ("file_system" is not)."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}, expected one of {_STRATEGIES}")


register_reductions()
