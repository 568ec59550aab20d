"""Derivatives of derivatives for fused kernels: compose the operation again from differentiable parts, and differentiate that.

A fused kernel's backward pass is a kernel too, which nothing can differentiate. Where a graph of the gradient is asked
for (`create_graph=True`, forward mode), the rule composes the operation from ordinary operators on its saved inputs and
pulls the cotangents back through that composition, so the gradient is recorded to any order. Plain backward never comes
here.
"""

from ..autograd.modes import enable_grad, thread
from .table import TENSOR, differentiable

__all__ = ["pull_through", "spread"]


def _first(input, other):
    return input


# PyTorch's backward operators take the operator's input, also those that read nothing but its shape, and its derivative
# by that input is zeros, not absent. A rule that wants the same ties its result to the input; on arrays that costs
# nothing.
differentiable(
    "_tied",
    _first,
    vjp=dict(input=lambda F, g: g, other=lambda F, g, other: F.zeros_like(other)),
)


def pull_through(compose, inputs, cotangents):
    """Cotangents of `inputs` (tensors or None) through ``compose(TENSOR, *inputs)``; None where there is none.

    `compose` returns a tensor or a tuple of them; `cotangents` is one of the same form, None for outputs without any.
    """
    from ..autograd.calls import grad

    recorded = thread.grad
    # Copies, so that one tensor given twice has two gradients.
    with enable_grad():
        aliases = [None if value is None else TENSOR.clone(value) for value in inputs]
        results = compose(TENSOR, *aliases)
        if not isinstance(results, tuple):
            results, cotangents = (results,), (cotangents,)
        pairs = [
            (result, cotangent)
            for result, cotangent in zip(results, cotangents)
            if cotangent is not None and result.requires_grad
        ]
        wanted = [alias for alias in aliases if alias is not None and alias.requires_grad]
        if not pairs or not wanted:
            return tuple(None for _ in aliases)
        pulled = iter(
            grad(
                [result for result, _ in pairs],
                wanted,
                [cotangent for _, cotangent in pairs],
                create_graph=recorded,
                allow_unused=True,
            )
        )
        return tuple(next(pulled) if alias is not None and alias.requires_grad else None for alias in aliases)


def spread(present, needs):
    """`needs` (one for each tensor that was given) as one bool for each argument, False for those that were None."""
    flags = iter(needs)
    return tuple(bool(there) and next(flags) for there in present)
