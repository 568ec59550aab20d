"""``torch._C._nn``: how modules of libraries read the arguments of ``to``."""

from .. import device, dtype
from ..ops.core import _parse_to as _parsed
from ..tensor import Tensor

__all__ = []


def _parse_to(*args, **kwargs):
    """The device, dtype, ``non_blocking`` and memory format that the arguments of ``module.to`` name; None for what they do not."""
    wanted, _, format = _parsed(args, dict(kwargs))
    given = args[0] if args else kwargs.get("device", kwargs.get("other"))
    placed = isinstance(given, (str, int, device, Tensor))
    flags = [each for each in args[1:] if not isinstance(each, dtype)]
    return device("cpu") if placed else None, wanted, kwargs.get("non_blocking", bool(flags and flags[0])), format
