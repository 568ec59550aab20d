"""``torch._VF``: the functions of ``torch`` once more, for programs that take them from here."""

from .missing import module_getattr
from .ops.table import PLACES

globals().update(PLACES[""])
__getattr__ = module_getattr(__name__)
