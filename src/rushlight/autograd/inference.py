"""``inference_mode``: no recording, no version counting, and tensors that may never enter a graph."""

import threading

from .modes import ContextDecorator, enter_rare, leave_rare, set_grad

__all__ = ["inference_mode", "is_inference_mode_enabled"]


class _Mode(threading.local):
    on = False


_mode = _Mode()


def is_inference_mode_enabled():
    """Whether this thread is in inference mode."""
    return _mode.on


def _set(on):
    was = _mode.on
    if on != was:
        _mode.on = on
        (enter_rare if on else leave_rare)()
    return was


class inference_mode(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Operations inside are not recorded, and their results cannot be used in recorded operations later.

    A context manager and a decorator, also without parentheses. ``mode=False`` switches back to normal inside a block.
    """

    def __new__(cls, mode=True):
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode=True):
        self.mode = mode

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        self._was = _set(self.mode)
        self._grad = set_grad(not self.mode)

    def __exit__(self, *exc):
        set_grad(self._grad)
        _set(self._was)
