"""Batches of cotangents: ``grad(..., is_grads_batched=True)``, the same graph pulled back along all of them at once.

PyTorch runs these under a ``vmap`` older than that of torch.func: its Functions need no ``setup_context``, and it refuses in other words.
"""

from ..tensor import Tensor
from .calls import _as_tuple, grad
from .vmap import VmapLevel

__all__ = ["batch_map", "grad_batched"]

_NO_RULE = "Batching rule not implemented for aten::{}. We could not generate a fallback."


class _BatchLevel(VmapLevel):
    """The level of a batch of cotangents or tangents."""

    takes_old_functions = True
    no_item, no_truth = _NO_RULE.format("item"), _NO_RULE.format("is_nonzero")
    no_random = (
        "vmap: We do not yet support calling random operations inside of vmap. Please perform random operations outside of vmap as a "
        "workaround"
    )


def batch_map(function, *args, in_dims=0, out_dims=0, allow_none=False):
    """``function(*args)`` for all samples at once: the first dimension of each argument, and of each tensor it returns, is the batch.

    With ``allow_none`` it returns a tuple, in which None may stand for a tensor.
    """
    from ..func.batching import mapped_at

    if not allow_none:
        return mapped_at(_BatchLevel, function, args, in_dims, out_dims)
    absent = []

    def present(*samples):
        found = function(*samples)
        absent[:] = [each is None for each in found]
        return tuple(each for each in found if each is not None)

    found = iter(mapped_at(_BatchLevel, present, args, in_dims, out_dims))
    return tuple(None if none else next(found) for none in absent)


def grad_batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    """As ``grad``; the first axis of every cotangent, and of every gradient returned, is the batch."""
    cotangents = () if grad_outputs is None else _as_tuple(grad_outputs)
    _check_shapes(outputs, cotangents)

    def vjp(cotangents):
        return grad(
            outputs,
            inputs,
            cotangents,
            retain_graph=retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )

    return batch_map(vjp, cotangents, allow_none=True)


def _check_shapes(outputs, cotangents):
    for i, (output, given) in enumerate(zip(outputs, cotangents)):
        if isinstance(given, Tensor) and isinstance(output, Tensor) and given[0].shape != output.shape:
            # PyTorch shows the shape without two dimensions, and so does this
            raise RuntimeError(
                f"If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes "
                f"of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {given[0].shape[1:]} and output[{i}] has a shape of {output.shape}. If you only want some "
                "tensors in `grad_output` to be considered batched, consider using vmap."
            )
