"""``torch.special``: the operators declared with the prefix ``special_``."""

from .missing import module_getattr
from .ops.table import PLACES

globals().update(PLACES["special"])
__all__ = [name for name in PLACES["special"] if not name.startswith("_")]
__getattr__ = module_getattr(__name__)
