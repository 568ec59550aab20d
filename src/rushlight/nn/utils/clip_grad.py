"""Limiting gradients: their norm over all parameters together, or each element.

``foreach`` chooses between PyTorch's loops over parameters and its kernels for lists; the results are the same, and there is one way
here.
"""

import functools
import types
import warnings

from ... import clamp, linalg, logical_or, stack, tensor
from ...autograd.modes import no_grad
from ...tensor import Tensor

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_"]


def _without_recording(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with no_grad():
            return function(*args, **kwargs)

    return wrapper


def _as_list(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters):
    return [each.grad for each in _as_list(parameters) if each.grad is not None]


@_without_recording
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors taken as one vector, as a tensor (); 0 for none.

    Args:
        tensors: a tensor or an iterable of tensors.
        norm_type: the p of the norm; may be infinite.
        error_if_nonfinite: RuntimeError if the norm is NaN or infinite.
    """
    tensors = _as_list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return tensor(0.0)
    norms = [linalg.vector_norm(each, norm_type) for each in tensors]
    total = linalg.vector_norm(stack(norms), norm_type)
    if error_if_nonfinite and logical_or(total.isnan(), total.isinf()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@_without_recording
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients in place by max_norm / (total_norm + 1e-6) where that is below 1.

    Args:
        parameters: a tensor or an iterable of tensors, with gradients or without.
        total_norm: what `get_total_norm` says of the gradients, a tensor ().
    """
    gradients = _gradients(parameters)
    max_norm = float(max_norm)
    if not gradients:
        return
    # multiplied in any case, by 1 too, so that NaN and signed zeros come out as in PyTorch
    factor = clamp(max_norm / (total_norm + 1e-6), max=1.0)
    for each in gradients:
        each.mul_(factor)


@_without_recording
def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients in place so that the norm of all together is at most ``max_norm``; returns the norm before, a tensor ()."""
    empty_generator = isinstance(parameters, types.GeneratorType)
    parameters = _as_list(parameters)
    if empty_generator and not parameters:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The older name of `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@_without_recording
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Bring every element of the gradients into [-clip_value, clip_value], in place."""
    clip_value = float(clip_value)
    for each in _gradients(parameters):
        each.clamp_(min=-clip_value, max=clip_value)


# PyTorch's names in this file
_get_total_norm = get_total_norm
_clip_grads_with_norm_ = clip_grads_with_norm_
