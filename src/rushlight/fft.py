"""``torch.fft``: the operators declared with the prefix ``fft_``."""

from .missing import module_getattr
from .ops.table import PLACES

globals().update(PLACES["fft"])
__all__ = [name for name in PLACES["fft"] if not name.startswith("_")]
__getattr__ = module_getattr(__name__)
