"""``torch.autograd._functions``: the Function that PyTorch's ``Tensor.resize`` is."""

import math

from .function import Function

__all__ = ["Resize"]


class Resize(Function):
    """The same elements in another shape."""

    @staticmethod
    def forward(ctx, tensor, sizes):
        ctx.sizes, ctx.numel, ctx.input_sizes = sizes, math.prod(sizes), tensor.size()
        if ctx.numel != tensor.numel():
            raise RuntimeError(
                f"requested resize to {'x'.join(map(str, sizes))} ({ctx.numel} elements in total), but the given tensor has a size of "
                f"{'x'.join(map(str, tensor.size()))} ({tensor.numel()} elements). autograd's resize can only change the shape of a "
                "given tensor, while preserving the number of elements. "
            )
        # a view of what has the memory of the argument, not of the argument itself
        return tensor.contiguous().detach().view(*sizes)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.contiguous().view(ctx.input_sizes), None
