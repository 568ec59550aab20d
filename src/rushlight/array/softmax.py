"""Softmax and its logarithm, with the backward kernels that save their temporaries.

One buffer of the result's size is used throughout. The exponentials are shifted by the maximum, as everywhere.
"""

import numpy as np

from .arguments import is_half, legacy_name, wrap_dim
from .reduce import add_reduce

__all__ = ["_log_softmax_backward_data", "_softmax_backward_data", "log_softmax", "softmax"]


def _prepare(input, dim, dtype, kernel):
    """(input in the dtype to compute in, dim, dtype of the result)."""
    if dtype is not None:
        target = dtype.numpy
        if not is_half(target):
            input = input.astype(target, copy=False)
    else:
        target = input.dtype
    dim = wrap_dim(dim, input.ndim)
    if target.kind in "biuc":
        name = dtype.legacy if dtype is not None else legacy_name(input)
        suffix = "lastdim_kernel_impl" if dim == max(input.ndim, 1) - 1 else "kernel_impl"
        raise NotImplementedError(f"\"{kernel}_{suffix}\" not implemented for '{name}'")
    if is_half(target):
        input = input.astype(np.float32)
    return input, dim, target


def _shifted(input, axis):
    """``input`` minus its maximum along ``axis``, in a buffer of its own."""
    return np.subtract(input, np.maximum.reduce(input, axis, None, None, True))


def softmax(input, dim, dtype=None):
    """``exp(input) / sum(exp(input))`` along ``dim``; a slice holding NaN (or only -inf) becomes NaN."""
    x, dim, target = _prepare(input, dim, dtype, "softmax")
    if not x.size:
        return np.empty(x.shape, target)
    if not x.ndim:
        return softmax(x.reshape(1), 0).reshape(()).astype(target, copy=False)
    with np.errstate(invalid="ignore"):
        out = _shifted(x, dim)
        np.exp(out, out=out)
        np.divide(out, add_reduce(out, (dim,), True), out=out)
    return out.astype(target, copy=False)


def log_softmax(input, dim, dtype=None):
    """``input - log(sum(exp(input)))`` along ``dim``."""
    x, dim, target = _prepare(input, dim, dtype, "log_softmax")
    if not x.size:
        return np.empty(x.shape, target)
    if not x.ndim:
        return log_softmax(x.reshape(1), 0).reshape(()).astype(target, copy=False)
    with np.errstate(invalid="ignore"):
        out = _shifted(x, dim)
        total = add_reduce(np.exp(out), (dim,), True)
        np.subtract(out, np.log(total, out=total), out=out)
    return out.astype(target, copy=False)


def _widen(*arrays):
    return [a.astype(np.float32) if is_half(a.dtype) else a for a in arrays]


def _softmax_backward_data(grad_output, output, dim):
    """The vjp of softmax at its result: ``output * (grad - sum(grad * output))``."""
    own = grad_output.dtype
    g, y = _widen(grad_output, output)
    if not g.ndim:
        return np.zeros((), own)
    out = np.multiply(g, y)
    total = add_reduce(out, (dim,), True)
    np.subtract(g, total, out=out)
    np.multiply(out, y, out=out)
    return out.astype(own, copy=False)


def _log_softmax_backward_data(grad_output, output, dim):
    """The vjp of log_softmax at its result: ``grad - exp(output) * sum(grad)``."""
    own = grad_output.dtype
    g, y = _widen(grad_output, output)
    if not g.ndim:
        return np.zeros((), own)
    out = np.exp(y)
    np.multiply(out, add_reduce(g, (dim,), True), out=out)
    np.subtract(g, out, out=out)
    return out.astype(own, copy=False)
