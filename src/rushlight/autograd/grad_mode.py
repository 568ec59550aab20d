"""``torch.autograd.grad_mode``: the modes by PyTorch's module name, and rarely used ones."""

import threading

from ..tensor import Tensor
from .inference import inference_mode
from .modes import ContextDecorator, enable_grad, enter_rare, leave_rare, no_grad, set_grad_enabled, thread

__all__ = [
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


class _unsafe_preserve_version_counter:  # noqa: N801 - PyTorch's name
    """Within the block, writes to the tensors do not count; what was saved of them is trusted to be right."""

    def __init__(self, tensors):
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)

    def __enter__(self):
        self._versions = [list(each._vc) for each in self.tensors]

    def __exit__(self, *exc):
        for each, version in zip(self.tensors, self._versions):
            each._vc[:] = version


class _Setting(ContextDecorator):
    """A setting of this thread that takes effect at once and is put back at the end of a block."""

    #: PyTorch's name for the function that sets it
    _name = ""

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(f"{self._name}(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}")
        self.prev = self._now()
        self.mode = mode
        self._set(self.mode)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        self._set(self.prev)

    def clone(self):
        return type(self)(self.mode)


class _Threads(threading.local):
    several = True


_threads = _Threads()


class set_multithreading_enabled(_Setting):  # noqa: N801 - PyTorch's name
    """Whether backward passes may use several threads. On the CPU PyTorch runs each in its caller's thread, and so it is here."""

    _name = "set_multithreading_enabled"

    def _now(self):
        return _threads.several

    def _set(self, mode):
        _threads.several = mode


class _force_original_view_tracking(_Setting):  # noqa: N801 - PyTorch's name
    """Whether views made now keep how they were made, and replay it after a write to find their place (see ``is_view_replay_enabled``)."""

    _name = "set_view_replay_enabled"

    def __call__(self, function):
        self._set(self.prev)
        return super().__call__(function)

    def _now(self):
        return thread.replay

    def _set(self, mode):
        if mode is not thread.replay:
            (enter_rare if mode else leave_rare)()
        thread.replay = mode


class enforce_grad_layout_policy(_Setting):  # noqa: N801 - PyTorch's name
    """Whether a gradient that a leaf takes over must have the leaf's strides (where the leaf's elements fill their memory).

    With ``enable=False`` the first gradient stays as it comes, which saves a copy. It affects the current thread only.
    """

    _name = "set_grad_layout_enforcement_enabled"

    def __init__(self, enable=True):
        super().__init__(enable)

    def __call__(self, function):
        self._set(self.prev)
        return super().__call__(function)

    def _now(self):
        return thread.layouts

    def _set(self, mode):
        thread.layouts = mode


def is_multithreading_enabled():
    return _threads.several


def is_view_replay_enabled():
    return thread.replay


for _class in (set_multithreading_enabled, enforce_grad_layout_policy):
    _class.__module__ = "torch.autograd.grad_mode"  # where users find them in PyTorch
