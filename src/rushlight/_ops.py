"""``torch._ops``: the classes of operators, for ``isinstance``."""

from .ops.overloads import OpOverloadPacket
from .utils._python_dispatch import OpOverload

__all__ = ["OpOverload", "OpOverloadPacket"]
