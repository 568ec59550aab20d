"""``torch.autograd.grad_mode``: the modes by PyTorch's module name, and rarely used ones."""

from ..tensor import Tensor
from .inference import inference_mode
from .modes import enable_grad, no_grad, set_grad_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]


class _unsafe_preserve_version_counter:  # noqa: N801 - PyTorch's name
    """Within the block, writes to the tensors do not count; what was saved of them is trusted to be right."""

    def __init__(self, tensors):
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)

    def __enter__(self):
        self._versions = [list(each._vc) for each in self.tensors]

    def __exit__(self, *exc):
        for each, version in zip(self.tensors, self._versions):
            each._vc[:] = version


class _Setting:
    """A setting that takes effect at once and is put back at the end of a block."""

    _now = True

    def __init__(self, mode):
        cls = type(self)
        self.mode, self.prev = bool(mode), cls._now
        cls._now = self.mode

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        type(self)._now = self.prev

    def clone(self):
        return type(self)(self.mode)


class set_multithreading_enabled(_Setting):  # noqa: N801 - PyTorch's name
    """Whether backward passes may use several threads. On the CPU PyTorch runs each in its caller's thread, and so it is here."""


class _force_original_view_tracking(_Setting):  # noqa: N801 - PyTorch's name
    """Whether views are looked up again by strides rather than by replaying the operation (see ``is_view_replay_enabled``)."""

    _now = False


def is_multithreading_enabled():
    return set_multithreading_enabled._now


def is_view_replay_enabled():
    return _force_original_view_tracking._now
