"""``torch.nn.Parameter``: a tensor that a module counts among its parameters."""

from .autograd.inference import counter_like
from .tensor import Tensor, _new, leaf_of


class _ParameterMeta(type(Tensor)):
    def __instancecheck__(self, instance):
        if type.__instancecheck__(self, instance):
            return True
        return self is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A leaf tensor that requires grad and registers itself when assigned to a module.

    Args:
        data: the tensor whose memory it takes (an empty one by default).
        requires_grad: whether gradients are wanted; floating or complex ``data`` only.
    """

    __slots__ = ()

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = Tensor()
        if type(data) is not Tensor and type(data) is not Parameter:
            return _of_class(data, requires_grad)
        made = _new(cls)
        made._a, made._dtype, made._edge, made._view = data._a, data._dtype, None, None
        made._vc = counter_like(data._vc)
        if requires_grad:
            if not (made._dtype.is_floating_point or made._dtype.is_complex):
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            made._require_grad(True)
        return made

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        made = type(self)(self.data.clone(), self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self):
        from .printing import parameter_repr

        return parameter_repr(self)

    def __reduce_ex__(self, protocol):
        state = self.__dict__ or None
        kind = None if type(self) is Parameter else type(self)
        return _rebuild, (kind, self.data, self.requires_grad, state)


def _of_class(data, requires_grad):
    """A parameter of a class of its own: the detached tensor, marked as a parameter."""
    made = data.detach().requires_grad_(requires_grad)
    if type(made) is not type(data):
        raise RuntimeError(
            f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an instance of the "
            f"same type, but return type {type(made).__name__} was found instead. To use the type as a Parameter, please correct the "
            "detach() semantics defined by its __torch_dispatch__() implementation."
        )
    made._is_param = True
    return made


def _rebuild(cls, data, requires_grad, state):
    made = (Parameter if cls is None else cls)(data, requires_grad)
    if state:
        made.__dict__.update(state)
    return made


def clear_gradients(parameters, set_to_none):
    """Forget the gradients of parameters, or fill them with zeros, outside the graph."""
    for each in parameters:
        grad = each.grad
        if grad is None:
            continue
        if set_to_none:
            each.grad = None
            continue
        if grad.grad_fn is not None:
            grad.detach_()
        else:
            grad.requires_grad_(False)
        grad.zero_()


Parameter.__module__ = "torch.nn.parameter"

__all__ = ["Parameter", "clear_gradients", "leaf_of"]
