"""What the options of optimisers must be, in PyTorch's words."""

from ..tensor import Tensor
from .optimizer import _get_capturable_supported_devices


def check_tensor_lr(lr):
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")


def check_lr(lr):
    """ValueError for a learning rate that is negative or a tensor of several elements."""
    check_tensor_lr(lr)
    check_nonnegative("learning rate", lr)


def check_nonnegative(what, value):
    if not 0.0 <= value:
        raise ValueError(f"Invalid {what}: {value}")


def check_betas(betas):
    """ValueError for a decay rate outside [0, 1)."""
    for index in (0, 1):
        if not 0.0 <= betas[index] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")


def check_fused(fused, foreach, differentiable):
    """RuntimeError for ways of computing that exclude one another."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_mode(
    params, foreach=False, differentiable=False, capturable=False, *, what="params and state_steps", xla=(True, False)
):
    """AssertionError for ways of stepping that PyTorch refuses for parameters on the CPU.

    ``what`` are the tensors an accelerator would want on itself, ``xla`` whether PyTorch names that device among those that can
    capture, in turn and by foreach.
    """
    if not params:
        return
    if foreach and differentiable:
        raise AssertionError("_foreach ops don't support autograd")
    if capturable:
        devices = _get_capturable_supported_devices(supports_xla=xla[bool(foreach)])
        raise AssertionError(f"If capturable=True, {what} must be on supported devices: {devices}.")


def check_numbers(given, name="state_steps"):
    """RuntimeError for state given to a functional form as Python numbers."""
    if not all(isinstance(each, Tensor) for each in given):
        raise RuntimeError(f"API has changed, `{name}` argument must contain a list of singleton tensors")
