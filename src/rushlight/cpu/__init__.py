"""``torch.cpu``: the questions scripts ask of any device, answered for the CPU."""

from ..missing import module_getattr

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "synchronize"]


def is_available():
    return True


def is_initialized():
    return True


def device_count():
    return 1


def current_device():
    return "cpu"


def synchronize(device=None):
    """Nothing to wait for: operators have finished when they return."""


def __getattr__(name):
    if name == "amp":
        import importlib

        return importlib.import_module(".amp", __name__)
    return module_getattr(__name__)(name)
