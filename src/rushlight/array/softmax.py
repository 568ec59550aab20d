"""Softmax and its logarithm, with the backward kernels that save their temporaries.

One buffer of the result's size is used throughout; a large array is worked on in blocks of rows, shared between threads. The
exponentials are shifted by the maximum, as everywhere; in blocks only those of rows that need it, so that most blocks are spared a pass.

In blocks a column is first copied along the rows, into where the result goes, and then taken as any other array: NumPy's
arithmetic between rows and a column mostly takes longer than both steps.
"""

import numpy as np

from .arguments import is_half, legacy_name, wrap_dim
from .reduce import add_reduce, sum_run
from .threads import parallel

__all__ = ["_log_softmax_backward_data", "_softmax_backward_data", "log_softmax", "softmax"]

SMALL = 32768  # elements; below, the whole array is one block
#: elements in a block: more than a core's cache holds, since two threads that meet at the interpreter between a block's passes lose more
#: (4096 x 1000, forward and backward: 8.0 ms in blocks of 128 thousand elements, 7.0 in these; one thread 12.1 and 13.4)
BLOCK = 1 << 19


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


def _by_rows(step, inputs, out):
    """Run ``step(*rows, result_rows, spare)`` over the last dimension of contiguous arrays, block by block.

    Blocks are whole rows and every row is worked on alone, so the result does not depend on blocks or threads.
    """
    n = out.shape[-1]
    sources = [np.ascontiguousarray(x).reshape(-1, n) for x in inputs]
    target = out.reshape(-1, n)
    some = max(1, BLOCK // n)

    def body(start, stop):
        last = -(-stop // n)
        spare = np.empty((some, n), out.dtype)
        for row in range(-(-start // n), last, some):
            end = min(row + some, last)
            step(*[x[row:end] for x in sources], target[row:end], spare[: end - row])

    parallel(out.size, body)
    return out


def _row_sums(x):
    return sum_run(x.reshape(*x.shape, 1)).reshape(-1, 1)


def _shifts(x):
    """What is taken off each row before its exponentials: nothing where the largest is near 0, else the largest; None for all nothing.

    Every row is looked at alone. With the largest in -1 ... 16 nothing overflows, and nothing underflows that would not anyway.
    """
    highest = np.maximum.reduce(x, 1, None, None, True)
    tame = (highest >= -1) & (highest <= 16)
    if tame.all():
        return None
    highest[tame] = 0
    return highest


def _softmax_rows(x, y, spare):
    shifts = _shifts(x)
    if shifts is None:
        np.exp(x, spare)
    else:
        np.copyto(spare, shifts)
        np.subtract(x, spare, spare)
        np.exp(spare, spare)
    column = _row_sums(spare)
    np.copyto(y, np.reciprocal(column, column))
    np.multiply(y, spare, y)


def _log_softmax_rows(x, y, spare):
    shifts = _shifts(x)
    if shifts is not None:
        np.copyto(y, shifts)
        x = np.subtract(x, y, y)
    column = _row_sums(np.exp(x, spare))
    np.copyto(spare, np.log(column, column))
    np.subtract(x, spare, y)


def _softmax_back_rows(g, y, out, spare):
    np.copyto(out, np.vecdot(g, y)[:, None])
    np.subtract(g, out, out)
    np.multiply(out, y, out)


def _log_softmax_back_rows(g, y, out, spare):
    np.exp(y, out)
    np.multiply(out, _row_sums(g), out)
    np.subtract(g, out, out)


def _is_large(x, dim):
    return x.size >= SMALL and dim == x.ndim - 1 and x.dtype.kind == "f"


_highest, _total = np.maximum.reduce, np.add.reduce
_PLAIN = (np.dtype(np.float32).num, np.dtype(np.float64).num)


def _is_small(x, dim):
    """Whether nothing is special about the arguments: the few NumPy calls of the formula suffice."""
    return x.dtype.num in _PLAIN and 0 < x.size < 8192 and -x.ndim <= dim < x.ndim


def _shifted(input, axis):
    """``input`` minus its maximum along ``axis``, in a buffer of its own."""
    return np.subtract(input, np.maximum.reduce(input, axis, None, None, True))


def softmax(input, dim, dtype=None):
    """``exp(input) / sum(exp(input))`` along ``dim``; a slice holding NaN (or only -inf) becomes NaN."""
    if not input.flags.c_contiguous:
        # the result is, whatever the input is
        input = np.ascontiguousarray(input)
    if dtype is None and _is_small(input, dim):
        out = input - _highest(input, dim, None, None, True)
        np.exp(out, out)
        return np.divide(out, _total(out, dim, None, None, True), out)
    x, dim, target = _prepare(input, dim, dtype, "softmax")
    if not x.size:
        return np.empty(x.shape, target)
    if not x.ndim:
        return softmax(x.reshape(1), 0).reshape(()).astype(target, copy=False)
    if _is_large(x, dim):
        out = _by_rows(_softmax_rows, (x,), np.empty(x.shape, x.dtype))
    else:
        out = _shifted(x, dim)
        np.exp(out, out)
        np.divide(out, add_reduce(out, (dim,), True), out)
    return out if out.dtype == target else out.astype(target)


def log_softmax(input, dim, dtype=None):
    """``input - log(sum(exp(input)))`` along ``dim``."""
    if not input.flags.c_contiguous:
        # the result is, whatever the input is
        input = np.ascontiguousarray(input)
    if dtype is None and _is_small(input, dim):
        out = input - _highest(input, dim, None, None, True)
        total = _total(np.exp(out), dim, None, None, True)
        return np.subtract(out, np.log(total, total), out)
    x, dim, target = _prepare(input, dim, dtype, "log_softmax")
    if not x.size:
        return np.empty(x.shape, target)
    if not x.ndim:
        return log_softmax(x.reshape(1), 0).reshape(()).astype(target, copy=False)
    if _is_large(x, dim):
        out = _by_rows(_log_softmax_rows, (x,), np.empty(x.shape, x.dtype))
    else:
        out = _shifted(x, dim)
        total = add_reduce(np.exp(out), (dim,), True)
        np.subtract(out, np.log(total, total), out)
    return out if out.dtype == target else out.astype(target)


def _backward(rows, grad_output, output, dim):
    own = grad_output.dtype
    if _is_small(grad_output, dim) and output.dtype is own:
        if rows is _softmax_back_rows:
            out = grad_output * output
            total = _total(out, dim, None, None, True)
            np.subtract(grad_output, total, out)
            return np.multiply(out, output, out)
        out = np.exp(output)
        np.multiply(out, _total(grad_output, dim, None, None, True), out)
        return np.subtract(grad_output, out, out)
    if not grad_output.ndim:
        return np.zeros((), own)
    g, y = [a.astype(np.float32) if is_half(a.dtype) else a for a in (grad_output, output)]
    dim = wrap_dim(dim, g.ndim)
    if not g.size:
        return np.empty(g.shape, own)
    if _is_large(g, dim) and g.dtype == y.dtype:
        out = _by_rows(rows, (g, y), np.empty(g.shape, g.dtype))
    elif rows is _softmax_back_rows:
        out = np.multiply(g, y)
        total = add_reduce(out, (dim,), True)
        np.subtract(g, total, out)
        np.multiply(out, y, out)
    else:
        out = np.exp(y)
        np.multiply(out, add_reduce(g, (dim,), True), out)
        np.subtract(g, out, out)
    return out if out.dtype == own else out.astype(own)


def _softmax_backward_data(grad_output, output, dim):
    """The vjp of softmax at its result: ``output * (grad - sum(grad * output))``."""
    return _backward(_softmax_back_rows, grad_output, output, dim)


def _log_softmax_backward_data(grad_output, output, dim):
    """The vjp of log_softmax at its result: ``grad - exp(output) * sum(grad)``."""
    return _backward(_log_softmax_back_rows, grad_output, output, dim)
