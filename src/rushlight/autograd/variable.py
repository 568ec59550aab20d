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


class ImperativeEngine:
    """The engine as an object, for code that queues callbacks on it."""

    def queue_callback(self, callback):
        """Call ``callback()`` at the end of the backward pass that is running."""
        from .calls import _queue_callback

        _queue_callback(callback)

    def run_backward(
        self, tensors, grad_tensors, keep_graph, create_graph, inputs=(), allow_unreachable=False, accumulate_grad=False
    ):
        from . import calls

        if accumulate_grad:
            return calls.backward(tensors, grad_tensors, keep_graph, create_graph, inputs=inputs or None)
        return calls.grad(tensors, inputs, grad_tensors, keep_graph, create_graph, allow_unused=allow_unreachable)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor, requires_grad=False)``: a leaf over the memory of ``tensor``."""

    _execution_engine = ImperativeEngine()


VariableMeta = _VariableMeta


__all__ = ["Variable", "no_grad"]


def variable(*args, **kwargs):
    """Removed from PyTorch; raises RuntimeError that says what to call instead."""
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")
