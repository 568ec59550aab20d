"""``inference_mode``: no recording, no version counting, and tensors that may never enter a graph."""

import threading

from .modes import ContextDecorator, enter_rare, leave_rare, set_grad

__all__ = ["InferenceCounter", "inference_mode", "is_inference_mode_enabled"]

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
