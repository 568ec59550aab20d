"""``grad(..., is_grads_batched=True)``: the same graph pulled back along a batch of cotangents, all at once under ``vmap``."""

from ..tensor import Tensor
from .calls import _as_tuple, grad

__all__ = ["grad_batched"]


def grad_batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    """As ``grad``; the first axis of every cotangent, and of every gradient returned, is the batch."""
    from ..func.batching import vmap

    cotangents = _as_tuple(grad_outputs)
    _check_shapes(outputs, cotangents)

    def pull(cotangents):
        return grad(
            outputs,
            inputs,
            cotangents,
            retain_graph=retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )

    def present(cotangents):
        found = pull(cotangents)
        missing[:] = [each is None for each in found]
        return tuple(each for each in found if each is not None)

    missing = []
    found = iter(vmap(present, 0, 0, "error")(cotangents))
    return tuple(None if none else next(found) for none in missing)


def _check_shapes(outputs, cotangents):
    for i, (output, given) in enumerate(zip(outputs, cotangents)):
        if isinstance(given, Tensor) and isinstance(output, Tensor) and given._a.shape[1:] != output._a.shape:
            raise RuntimeError(
                f"If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes "
                f"of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {given.shape} and output[{i}] has a shape of {output.shape}. If you only want some "
                "tensors in `grad_output` to be considered batched, consider using vmap."
            )
