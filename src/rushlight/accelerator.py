"""``torch.accelerator``: what scripts ask before they choose a device. There is none here, and what would need one says so."""

from .absent import stand_in

__all__ = [
    *("current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count"),
    *("empty_cache", "is_available", "memory_allocated", "synchronize"),
]


def is_available():
    """False: rushlight computes on the CPU."""
    return False


def device_count():
    return 0


def current_accelerator(check_available=False):
    """None: there is no accelerator."""


def _needs_one(*args, **kwargs):
    raise RuntimeError("Cannot access accelerator device when none is available.")


current_device_index = current_device_idx = current_stream = synchronize = _needs_one
empty_cache = memory_allocated = memory_reserved = max_memory_allocated = max_memory_reserved = _needs_one
set_device_index = set_device_idx = set_stream = reset_peak_memory_stats = _needs_one
__getattr__ = stand_in(__name__, "rushlight computes on the CPU")
