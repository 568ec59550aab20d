"""The arithmetic that update rules are written in: once on arrays, once on tensors.

A rule is a function ``rule(F, p, g, *state, *numbers)`` that writes the new values into the parameter ``p`` and its state. It uses
the operators ``+ - * /`` for what is new, and from ``F`` the functions below, those with a trailing underscore writing into their
first argument. ``F`` is ``Arrays`` for the ordinary step, at the speed of NumPy, and ``Tensors`` where tensor operators are wanted: a
step that is recorded, half precision (rounded after each operation, as PyTorch's), subclasses. ``c`` is a number; for arrays a
0-d array of their dtype, which NumPy multiplies by faster than by a Python number.
"""

import numpy as np

from ..autograd.modes import thread
from ..ops.table import TENSOR
from ..tensor import Tensor

_add, _multiply, _divide, _subtract = np.add, np.multiply, np.divide, np.subtract


class Arrays:
    """On NumPy arrays of float32 or float64 of one dimension or more; nothing is recorded."""

    sqrt, sign, abs, where, zeros_like = np.sqrt, np.sign, np.abs, np.where, np.zeros_like

    @staticmethod
    def mul_(x, c):
        _multiply(x, c, x)

    @staticmethod
    def add_(x, y, c=None):
        """x += c * y"""
        _add(x, y if c is None else _multiply(y, c), x)

    @staticmethod
    def addcmul_(x, a, b, c=None):
        """x += c * a * b"""
        if c is None:
            product = _multiply(a, b)
        else:
            product = _multiply(a, c)
            _multiply(product, b, product)
        _add(x, product, x)

    @staticmethod
    def addcdiv_(x, a, b, c=None):
        """x += c * a / b"""
        if c is None:
            quotient = _divide(a, b)
        else:
            quotient = _multiply(a, c)
            _divide(quotient, b, quotient)
        _add(x, quotient, x)

    @staticmethod
    def lerp_(x, y, c):
        """x += c * (y - x), from the nearer end so that c = 1 gives y itself"""
        distance = _subtract(y, x)
        if c.item() < 0.5:
            _multiply(distance, c, distance)
            _add(x, distance, x)
        else:
            _multiply(distance, 1 - c, distance)
            _subtract(y, distance, x)

    @staticmethod
    def root(x, eps, scale=None):
        """sqrt(x) / scale + eps"""
        made = np.sqrt(x)
        if scale is not None:
            _divide(made, scale, made)
        return _add(made, eps, made)

    @staticmethod
    def maximum_(x, y):
        np.maximum(x, y, out=x)

    @staticmethod
    def clamp_(x, low, high):
        np.clip(x, low, high, out=x)

    @staticmethod
    def copy_(x, y):
        np.copyto(x, y)

    @staticmethod
    def keep(x):
        """``x`` as something that later writes to it do not change for the graph."""
        return x

    detach = keep


class Tensors:
    """On tensors, recorded if gradients are on; ``c`` may be a tensor that wants gradients."""

    sqrt, sign, abs, where, zeros_like = TENSOR.sqrt, TENSOR.sign, TENSOR.abs, TENSOR.where, TENSOR.zeros_like

    @staticmethod
    def mul_(x, c):
        x.mul_(c)

    @staticmethod
    def add_(x, y, c=1):
        if isinstance(c, Tensor):
            x.add_(Tensors.keep(y) * c)
        else:
            x.add_(y, alpha=c)

    @staticmethod
    def addcmul_(x, a, b, c=1):
        if isinstance(c, Tensor):
            x.add_(Tensors.keep(a) * Tensors.keep(b) * c)
        else:
            x.addcmul_(Tensors.keep(a), Tensors.keep(b), value=c)

    @staticmethod
    def addcdiv_(x, a, b, c=1):
        if isinstance(c, Tensor):
            x.addcdiv_(Tensors.keep(a) * c, b)
        else:
            x.addcdiv_(Tensors.keep(a), b, value=c)

    @staticmethod
    def lerp_(x, y, c):
        x.lerp_(y, c.to(x.dtype) if isinstance(c, Tensor) else c)

    @staticmethod
    def root(x, eps, scale=None):
        made = TENSOR.sqrt(x)
        return (made if scale is None else made / scale) + eps

    @staticmethod
    def maximum_(x, y):
        x.copy_(TENSOR.maximum(Tensors.keep(x), Tensors.keep(y)))

    @staticmethod
    def clamp_(x, low, high):
        x.clamp_(low, high)

    @staticmethod
    def copy_(x, y):
        x.copy_(y)

    @staticmethod
    def keep(x):
        return x.clone() if thread.grad else x

    @staticmethod
    def detach(x):
        return x.detach()
