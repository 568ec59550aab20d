"""``torch.xpu``: what scripts ask before they choose a device. There is none here, and what would need one says so."""

from .absent import stand_in

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available():
    """False: rushlight computes on the CPU."""
    return False


def is_initialized():
    return False


def device_count():
    return 0


def _absent(*args, **kwargs):
    raise AssertionError("Torch not compiled with XPU enabled")


current_device = synchronize = get_device_name = get_device_properties = set_device = _absent


def manual_seed(seed):
    """Nothing to seed."""


def manual_seed_all(seed):
    """Nothing to seed."""


def empty_cache():
    """Nothing to empty."""


__getattr__ = stand_in(__name__, "rushlight computes on the CPU")
