"""Autograd functions that modules apply."""

from ... import cat, cumsum
from ...autograd.function import Function
from .module_hooks import BackwardHookFunction

__all__ = ["BackwardHookFunction", "CrossMapLRN2d"]


def _window_sums(values, low, high):
    """For each channel c of (N, C, H, W), the sum over channels c + low to c + high that exist."""
    channels = values.size(1)
    sums = cumsum(values, 1)
    sums = cat([sums.new_zeros((values.size(0), 1, *values.shape[2:])), sums], 1)
    upper = [min(max(c + high + 1, 0), channels) for c in range(channels)]
    lower = [min(max(c + low, 0), channels) for c in range(channels)]
    return sums[:, upper] - sums[:, lower]


class CrossMapLRN2d(Function):
    """x / (k + alpha / size * s)^beta, s being the sum of squares over ``size`` neighbouring channels.

    Agrees with PyTorch's in two peculiarities: the first channel stays in the sums of all windows that begin after it, and the
    windows of the gradient lie one channel lower than those of the value.
    """

    @staticmethod
    def forward(ctx, input, size, alpha=1e-4, beta=0.75, k=1):
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        reach = int((size - 1) / 2 + 1)
        squares = input**2
        sums = _window_sums(squares, 1 - reach, reach - 1)
        sums[:, reach:] += squares[:, :1]
        scale = sums * (alpha / size) + k
        output = scale ** (-beta) * input
        ctx.save_for_backward(input, output, scale)
        ctx.options = size, alpha, beta
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, output, scale = ctx.saved_tensors
        size, alpha, beta = ctx.options
        lead = int(size - (size - 1) / 2)
        sums = _window_sums(grad_output * output / scale, -lead, size - 1 - lead)
        grad = scale ** (-beta) * grad_output - (2 * alpha * beta / size) * input * sums
        return grad, None, None, None, None
