"""``torch.cuda``: what scripts ask before they choose a device. There is none here, and what would need one says so."""

from ..missing import module_getattr

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


def set_device(device):
    _absent()


def synchronize(device=None):
    _absent()


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


def __getattr__(name):
    if name == "amp":
        import importlib

        return importlib.import_module(".amp", __name__)
    return module_getattr(__name__)(name)
