"""Signatures from PyTorch's first years, which it still takes: a scale before the tensors that it scales, ``add_(alpha, other)``.

They are looked at only where a call does not fit the operator's own signature.
"""

import sys
import warnings

from ..tensor import Tensor

__all__ = ["rewritten"]

_PACKAGE = __name__.partition(".")[0]
#: the scales, in their order
_SCALES = {
    **dict.fromkeys(("add", "sub"), ("alpha",)),
    **dict.fromkeys(("addcmul", "addcdiv"), ("value",)),
    **dict.fromkeys(("addmm", "addmv", "addr", "addbmm", "baddbmm"), ("beta", "alpha")),
}
_told = False


def rewritten(op, args, kwargs):
    """The arguments as the operator takes them today, ``(args, kwargs)``; None where the call is of no older signature either."""
    names = _SCALES.get(op.name, ())
    tensors = [each for each in args if isinstance(each, Tensor)]
    scales = [each for each in args if isinstance(each, (int, float, complex))]
    fits = len(tensors) == op.positional and 0 < len(scales) <= len(names) and len(tensors) + len(scales) == len(args)
    if not fits or not isinstance(args[-1], Tensor):
        return None
    scales = dict(zip(names, scales))
    _tell(op, scales)
    return tensors, {**kwargs, **scales}


def _tell(op, scales):
    """PyTorch's warning, the first time in the process, at the caller's line outside this package."""
    global _told
    if _told:
        return
    _told = True
    operands = [f"Tensor {name}" for name in op.params[1 : op.positional]]
    before = [f"Number {name}" for name in scales]
    after = [f"Number {name} = 1" for name in _SCALES[op.name]]
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"This overload of {op.shown} is deprecated:\n\t{op.shown}({', '.join(before + operands)})\n"
        f"Consider using one of the following signatures instead:\n\t{op.shown}({', '.join([*operands, '*', *after])})",
        UserWarning,
        stacklevel=level,
    )
