"""``torch.nn.attention``: which kernel computes ``scaled_dot_product_attention``.

There is one here, which stands for the two that PyTorch has on the CPU.
"""

import contextlib
import enum

from ...missing import module_getattr

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.Enum):
    """PyTorch's kernels; on the CPU it has MATH and FLASH_ATTENTION."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self):
        return f"<{self}: {self.value}>"


_ON_THE_CPU = frozenset((SDPBackend.MATH, SDPBackend.FLASH_ATTENTION))


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Allow only some kernels within ``with``; all that PyTorch has on the CPU are the same one here.

    Args:
        backends: an `SDPBackend` or a list of them.
        set_priority: whether the list is in order of preference.

    Raises:
        RuntimeError: if PyTorch has none of them on the CPU.
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, (list, tuple)) or not all(isinstance(each, SDPBackend) for each in chosen):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            + type(backends).__name__
        )
    if not _ON_THE_CPU.intersection(chosen):
        names = ", ".join(each.name for each in chosen) or "nothing"
        raise RuntimeError(
            f"No available kernel. Aborting execution. (On the CPU there are MATH and FLASH_ATTENTION, not {names}.)"
        )
    yield {}


__getattr__ = module_getattr(__name__)
