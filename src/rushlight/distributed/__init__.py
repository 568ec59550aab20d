"""``torch.distributed``: rushlight trains in one process, and scripts that ask before they share work are told so.

As in a PyTorch built without it, ``is_available()`` is False. The questions that scripts ask all the same have the
answers PyTorch gives before a process group is made. The other names can be imported; using one says so.
"""

from ..absent import stand_in

__all__ = [
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_torchelastic_launched",
]

_SENTENCE = "rushlight has no torch.distributed: it trains in one process"


def is_available():
    return False


def is_initialized():
    return False


def is_torchelastic_launched():
    return False


def get_rank(group=None):
    """Raises ValueError: there is no process group to have a rank in."""
    raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")


get_world_size = get_rank


def init_process_group(*args, **kwargs):
    raise NotImplementedError(_SENTENCE + "; ask torch.distributed.is_available() first.")


__getattr__ = stand_in(__name__, _SENTENCE)
