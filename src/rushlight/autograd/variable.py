"""``Variable``: what tensors that require grad were once called; kept for scripts that still say it."""

from ..tensor import Tensor, wrap
from .modes import no_grad


class _VariableMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor)

    def __call__(cls, data=None, requires_grad=None, volatile=None):
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        made = wrap(data._a, data._dtype)
        made._vc = data._vc
        if requires_grad is None:
            # a Variable around a tensor keeps what the tensor wants
            made._edge = data._edge if data.requires_grad else None
            return made
        if requires_grad:
            if not (made._dtype.is_floating_point or made._dtype.is_complex):
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            made.requires_grad_(True)
        return made


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor, requires_grad=False)``: a leaf over the memory of ``tensor``."""


__all__ = ["Variable", "no_grad"]
