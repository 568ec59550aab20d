"""``torch.cuda``: what scripts ask before they choose a device. There is none here, and what would need one says so."""

import contextlib
import importlib

from ..absent import stand_in

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
]


def is_available():
    """False: rushlight computes on the CPU."""
    return False


def is_initialized():
    return False


def is_bf16_supported(including_emulation=True):
    return False


def device_count():
    return 0


def _absent():
    raise AssertionError("Torch not compiled with CUDA enabled")


def current_device():
    _absent()


def get_device_name(device=None):
    _absent()


def get_device_properties(device=None):
    _absent()


def get_device_capability(device=None):
    _absent()


def set_device(device):
    _absent()


def synchronize(device=None):
    _absent()


def current_stream(device=None):
    _absent()


def default_stream(device=None):
    _absent()


def get_rng_state(device="cuda"):
    _absent()


def mem_get_info(device=None):
    _absent()


def init():
    _absent()


class OutOfMemoryError(RuntimeError):
    """What PyTorch raises where a GPU's memory is full; nothing here raises it."""


OutOfMemoryError.__module__ = "torch"


class Stream:
    """What ``isinstance`` is asked for; making one raises RuntimeError."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class Event:
    """What ``isinstance`` is asked for; making one raises RuntimeError."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("Tried to instantiate dummy base class Event")


# PyTorch lets these pass without a device, so that scripts can call them anyway


def manual_seed(seed):
    """Nothing to seed."""


def manual_seed_all(seed):
    """Nothing to seed."""


def empty_cache():
    """Nothing to empty."""


def memory_allocated(device=None):
    return 0


def max_memory_allocated(device=None):
    return 0


def memory_reserved(device=None):
    return 0


def max_memory_reserved(device=None):
    return 0


def reset_peak_memory_stats(device=None):
    """Nothing to reset."""


def reset_max_memory_allocated(device=None):
    """Nothing to reset."""


def get_rng_state_all():
    return []


def set_rng_state(new_state, device="cuda"):
    """Nothing to seed."""


def set_rng_state_all(new_states):
    """Nothing to seed."""


def seed():
    """Nothing to seed."""


seed_all = seed


def get_arch_list():
    return []


def memory_stats(device=None):
    return {}


class device(contextlib.nullcontext):  # noqa: N801 - PyTorch's name
    """A block that would use the device; without one, PyTorch's does nothing either."""


class stream(contextlib.nullcontext):  # noqa: N801 - PyTorch's name
    """A block that would use the stream; without a device, PyTorch's does nothing either."""


StreamContext = stream


def get_device_module(device=None):
    """``torch.get_device_module``: the module of a kind of device, ``torch.cpu`` where there is no other."""
    from .. import device as device_of

    kind = "cpu" if device is None else device_of(device).type
    return importlib.import_module(f"..{kind}", __name__)


__getattr__ = stand_in(__name__, "rushlight computes on the CPU")
