"""``torch.signal.windows``; the functions are in `rushlight.ops.windows`."""

from ..missing import module_getattr
from ..ops.windows import SIGNAL_WINDOWS

globals().update(SIGNAL_WINDOWS)
__all__ = sorted(SIGNAL_WINDOWS)
__getattr__ = module_getattr(__name__)
