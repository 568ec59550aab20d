"""``grad(..., is_grads_batched=True)``: the same graph pulled back along a batch of cotangents.

The rules of the nodes see one cotangent at a time, so this is a loop over the batch: its cost grows with the batch, its memory is that of
one pass. (Batching rules for operators would run it as one pass.)
"""

from ..tensor import Tensor
from .calls import _as_tuple, grad

__all__ = ["grad_batched"]


def grad_batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    """As ``grad``; the first axis of every cotangent, and of every gradient returned, is the batch."""
    from ..ops.table import TENSOR

    cotangents = _as_tuple(grad_outputs)
    sizes = {each._a.shape[0] for each in cotangents if isinstance(each, Tensor) and each._a.ndim}
    if not sizes:
        raise RuntimeError("grad: is_grads_batched=True needs cotangents whose first axis is the batch")
    if len(sizes) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{[each._a.shape[0] for each in cotangents if isinstance(each, Tensor)]} for the mapped dimension"
        )
    (count,) = sizes
    _check_shapes(outputs, cotangents)
    keep = create_graph if retain_graph is None else retain_graph
    rows = []
    for k in range(count):
        rows.append(
            grad(
                outputs,
                inputs,
                tuple(None if each is None else each[k] for each in cotangents),
                retain_graph=keep or k + 1 < count,
                create_graph=create_graph,
                allow_unused=allow_unused,
                materialize_grads=materialize_grads,
            )
        )
    if not rows:
        return tuple(each.new_zeros((0, *each.shape)) for each in inputs)
    return tuple(
        None if all(each is None for each in column) else TENSOR.stack(_dense(column), 0) for column in zip(*rows)
    )


def _dense(column):
    """Gradients that are None for some of the batch only are zeros there."""
    like = next(each for each in column if each is not None)
    return [like.new_zeros(like.shape) if each is None else each for each in column]


def _check_shapes(outputs, cotangents):
    for i, (output, given) in enumerate(zip(outputs, cotangents)):
        if isinstance(given, Tensor) and isinstance(output, Tensor) and given._a.shape[1:] != output._a.shape:
            raise RuntimeError(
                f"If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes "
                f"of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {given.shape} and output[{i}] has a shape of {output.shape}. If you only want some "
                "tensors in `grad_output` to be considered batched, consider using vmap."
            )
