"""``torch.linalg``: the operators declared with the prefix ``linalg_``."""

from .missing import module_getattr
from .ops.table import PLACES

globals().update(PLACES["linalg"])
__getattr__ = module_getattr(__name__)


def _error():
    from .array.linalg import LinAlgError

    return LinAlgError


_missing = __getattr__


def __getattr__(name):
    return _error() if name == "LinAlgError" else _missing(name)
