"""``inference_mode``: no recording, no version counting, and tensors that may never enter a graph."""

import threading

from .modes import ContextDecorator, enter_rare, is_grad_enabled, leave_rare, set_grad, thread

__all__ = ["InferenceCounter", "counter", "counter_like", "inference_mode", "is_inference_mode_enabled"]

_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by "
    "autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
    "instead of `torch.inference_mode()`."
)
_WRITTEN = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing "
    "inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)


class _Mode(threading.local):
    on = False


_mode = _Mode()


def is_inference_mode_enabled():
    """Whether this thread is in inference mode."""
    return _mode.on


class InferenceCounter(list):
    """The version counter of tensors made in inference mode: there is no version to ask for.

    Whoever saves a tensor for backward reads its version, so that is where saving one is refused, at no cost to other tensors.
    """

    __slots__ = ()

    def __getitem__(self, index):
        if not _mode.on:
            raise RuntimeError(_SAVED)
        return 0

    def check_write(self):
        """RuntimeError for a write outside inference mode."""
        if not _mode.on:
            raise RuntimeError(_WRITTEN)


def counter():
    """The version counter of a new tensor."""
    return InferenceCounter((0,)) if _mode.on else [0]


def counter_like(other):
    """A new counter for a tensor on the memory of one that has the counter ``other``."""
    return [0] if other.__class__ is list else InferenceCounter((0,))


def _set(on, told, forward):
    """Turn the mode on or off, and with it what it sets: grad mode, and forward mode. Returns what all three were."""
    was = _mode.on, is_grad_enabled(), thread.forward
    if on != _mode.on:
        _mode.on = on
        (enter_rare if on else leave_rare)()
    # the mode records nothing, whatever grad mode says within it
    thread.told = None
    set_grad(told and not on)
    thread.told = told if on else None
    thread.forward = forward
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
        self._was = _set(self.mode, not self.mode, not self.mode)

    def __exit__(self, *exc):
        _set(*self._was)


inference_mode.__module__ = "torch.autograd.grad_mode"  # where users find it in PyTorch
