"""Rules of operators that PyTorch cannot differentiate: they raise its errors when a derivative is asked for.

``derivative`` and ``partial`` make rules for reverse mode, ``tangent`` one for forward mode (for an operator's ``jvp``), ``entirely``
the options of an operator that has neither. Some arguments are refused as soon as they require grad (``refuse``).
"""

from ..autograd.modes import thread
from ..tensor import Tensor

__all__ = ["NODE", "derivative", "entirely", "partial", "refuse", "tangent"]

#: options of the declaration of an operator without any derivative: the names of its node
NODE = dict(node_name="NotImplemented", cpp_name="torch::autograd::NotImplemented")


def derivative(name):
    """A rule for an operator without any derivative."""

    def rule(F, g):
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return rule


def partial(name):
    """A rule for the argument of an operator that can be differentiated in another one; ``name`` may say which."""

    def rule(F, g):
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return rule


def refuse(function, **arguments):
    """RuntimeError where one of the arguments (tensors or None), in which ``function`` cannot be differentiated, requires grad."""
    for name, value in arguments.items():
        if isinstance(value, Tensor) and thread.grad and value.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot have "
                "requires_grad True."
            )


def tangent(name):
    """A rule for forward mode; ``aten::`` in front of the name stands for an operator that has no formula at all."""
    text = f"Trying to use forward AD with {name} that does not support it"
    if name.startswith("aten::"):
        text += "."
    else:
        text += (
            " because it has not been implemented yet.\nPlease file an issue to PyTorch at "
            "https://github.com/pytorch/pytorch/issues/new?template=feature-request.yml so that we can prioritize its "
            "implementation or submit a PR adding the implementation to derivatives.yaml"
        )

    def rule(F, t):
        raise NotImplementedError(text)

    return rule


def entirely(name, *arguments):
    """Options of an operator whose ``arguments`` have no derivative in either mode."""
    return dict(
        NODE,
        vjp=dict.fromkeys(arguments, derivative(name)),
        jvp=dict.fromkeys(arguments, tangent(f"aten::{name}")),
    )
