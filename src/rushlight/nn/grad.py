"""``torch.nn.grad``: the gradients of convolutions as functions of their own."""

from .. import autograd, zeros
from ..autograd.modes import enable_grad, is_grad_enabled
from . import functional as F  # noqa: N812

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _pulled(convolution, by, input, weight, grad_output, options):
    """The gradient by the argument `by`, of which only the size matters, as convolutions are linear in each."""
    recording = is_grad_enabled()
    with enable_grad():
        result = convolution(input, weight, None, *options)
        return autograd.grad(result, by, grad_output, create_graph=recording)[0]


def _of_input(convolution, input_size, weight, grad_output, options):
    input = zeros(input_size, dtype=weight.dtype, requires_grad=True)
    return _pulled(convolution, input, input, weight, grad_output, options)


def _of_weight(convolution, input, weight_size, grad_output, options):
    weight = zeros(weight_size, dtype=input.dtype, requires_grad=True)
    return _pulled(convolution, weight, input, weight, grad_output, options)


def conv1d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the input, of ``input_size``, of `conv1d`."""
    return _of_input(F.conv1d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv1d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the weight, of ``weight_size``, of `conv1d`."""
    return _of_weight(F.conv1d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the input, of ``input_size``, of `conv2d`."""
    return _of_input(F.conv2d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the weight, of ``weight_size``, of `conv2d`."""
    return _of_weight(F.conv2d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv3d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the input, of ``input_size``, of `conv3d`."""
    return _of_input(F.conv3d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv3d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient by the weight, of ``weight_size``, of `conv3d`."""
    return _of_weight(F.conv3d, input, weight_size, grad_output, (stride, padding, dilation, groups))
