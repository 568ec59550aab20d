"""``torch._VF``: the functions of ``torch`` once more, for programs that take them from here."""

from .missing import module_getattr
from .ops.sort import unique_dim  # noqa: F401 - of those that torch itself does not show
from .ops.table import PLACES

globals().update(PLACES[""])
__getattr__ = module_getattr(__name__)
