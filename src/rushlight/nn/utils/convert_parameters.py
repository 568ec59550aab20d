"""Parameters as one vector, and back."""

from ... import cat, typename
from ...tensor import Tensor


def parameters_to_vector(parameters):
    """The elements of all parameters one after the other, (total,), recorded."""
    return cat([each.view(-1) for each in parameters])


def vector_to_parameters(vec, parameters):
    """Make the pieces of ``vec`` (total,) the data of the parameters; they share its memory."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for each in parameters:
        stop = start + each.numel()
        each.data = vec[start:stop].view_as(each).data
        start = stop
