"""Optimisers whose update treats every element alike: the one loop that runs their rules, and what their classes share.

Such an optimiser is a *rule* (see ``_arithmetic``), a function that turns its options into the rule's numbers for a step, and a class
that says which state it keeps. Everything else is here: the step counter, ``maximize``, weight decay, complex parameters as pairs of
reals, the choice between raw arrays and tensor operators, large parameters in blocks shared between threads, versions.
"""

from itertools import repeat

import numpy as np

from ..array.large import LARGE, block_size
from ..array.threads import parallel
from ..autograd.graph import caller
from ..autograd.modes import state as modes
from ..autograd.modes import thread
from ..ops import creation
from ..ops.table import TENSOR
from ..parameter import Parameter
from ..tensor import Tensor
from ._arithmetic import Arrays, Tensors
from .optimizer import (
    Optimizer,
    _get_scalar_dtype,
    _get_value,
    _use_grad_for_differentiable,
    evaluate,
)

# ------------------------------------------------------------------------------------------------------------ the loop


def run(rule, params, grads, states, steps, numbers, *, own=(), maximize=False, weight_decay=0, shrink=None, flags=()):
    """Update each parameter by ``rule(F, p, g, *state, *numbers, *flags)``.

    Args:
        params, grads: lists of tensors.
        states: lists of tensors beside them, each for one argument of the rule; None for one that is not kept.
        steps: the counters, which go up by one; None for an optimiser without.
        numbers: function of (step, a parameter's entries of ``own``) that returns the rule's numbers (Python numbers or tensors).
        own: lists of state that is one number; without any, the numbers are computed once for all parameters of the same step.
        maximize: whether to use the negative gradient.
        weight_decay: this much of the parameter is added to its gradient.
        shrink: the parameter is multiplied by this first (decoupled weight decay); None not to.
        flags: further arguments of the rule, the same for all.
    """
    direct = not (modes.rare or thread.grad)
    where = caller() if direct else None
    if not thread.grad:
        weight_decay, shrink = _get_value(weight_decay), _get_value(shrink)
    if not isinstance(weight_decay, Tensor):
        weight_decay = weight_decay or None
    plain = weight_decay is None and shrink is None and not maximize
    kept = [place for place, each in enumerate(states, 2) if each is not None]
    seen = found = last = given = step = None
    for index, row in enumerate(zip(params, grads, *[repeat(None) if each is None else each for each in states])):
        if steps is not None:
            step = _advance(steps[index])
        if found is None or own or step != seen:
            found, seen, last = numbers(step, *[each[index] for each in own]), step, None
        arrays = _arrays(row) if direct else None
        if arrays is None:
            _on_tensors(rule, row, found, maximize, weight_decay, shrink, flags)
            continue
        p = row[0]
        if p._dtype is not last:
            last = p._dtype
            dtype = arrays[0].dtype
            given = (*[np.array(_get_value(each), dtype) for each in found], *flags)
            decay = None if weight_decay is None else np.array(weight_decay, dtype)
            less = None if shrink is None else np.array(shrink, dtype)
        if arrays[0].size > LARGE:
            _in_blocks(rule, arrays, given, maximize, decay, less)
        elif plain:
            rule(Arrays, *arrays, *given)
        else:
            _on_arrays(rule, arrays, given, maximize, decay, less)
        # versions go up, and the parameter remembers the line to blame
        version = p._vc
        version[:] = (version[0] + 1, None, where)
        for place in kept:
            version = row[place]._vc
            version[:] = (version[0] + 1,)


def number(tensor):
    """The value of state that is one number."""
    return tensor._a.item()


def put(tensor, value):
    """Write state that is one number."""
    if modes.rare or tensor._vc.__class__ is not list:
        tensor.fill_(value)
        return
    tensor._a[...] = value
    version = tensor._vc
    version[:] = (version[0] + 1,)


def _on_arrays(rule, arrays, given, maximize, decay, less):
    if maximize:
        arrays[1] = -arrays[1]
    if less is not None:
        np.multiply(arrays[0], less, arrays[0])
    elif decay is not None:
        arrays[1] = arrays[1] + arrays[0] * decay
    rule(Arrays, *arrays, *given)


def _in_blocks(rule, arrays, given, maximize, decay, less):
    """The same a block at a time, temporaries staying in the cache; large arrays that are not contiguous are taken whole."""
    if all(each is None or each.flags.c_contiguous for each in arrays):
        flat = [each if each is None else each.reshape(-1) for each in arrays]
    elif all(each is None or each.flags.f_contiguous for each in arrays):
        flat = [each if each is None else each.T.reshape(-1) for each in arrays]
    else:
        _on_arrays(rule, arrays, given, maximize, decay, less)
        return
    block = block_size()

    def part(start, stop):
        for at in range(start, stop, block):
            end = min(at + block, stop)
            taken = [each if each is None else each[at:end] for each in flat]
            _on_arrays(rule, taken, given, maximize, decay, less)

    parallel(flat[0].size, part)


def _on_tensors(rule, row, numbers, maximize, weight_decay, shrink, flags):
    p, g, *kept = row
    if not thread.grad:
        numbers = [_get_value(each) for each in numbers]
    if maximize:
        g = -g
    if shrink is not None:
        p.mul_(shrink)
    elif isinstance(weight_decay, Tensor):
        g = g + Tensors.keep(p) * weight_decay
    elif weight_decay is not None:
        g = g.add(p, alpha=weight_decay)
    if p.is_complex():
        p, g, *kept = [each if each is None else TENSOR.view_as_real(each) for each in (p, g, *kept)]
    rule(Tensors, p, g, *kept, *numbers, *flags)


def _advance(step):
    """Count one step up in place; the new value as a number."""
    put(step, number(step) + 1)
    return number(step)


def _arrays(row):
    """The arrays of a row where the rule may write to them directly: of one shape and dtype, dense and writable; else None.

    One number is seen as a vector of one, a complex array as its pairs of reals.
    """
    dtype = row[0]._dtype
    grad = row[1]
    if not dtype.plain or grad._dtype is not dtype:
        return _pairs(row)
    read = grad._a
    shape = read.shape
    arrays = []
    for tensor in row:
        if tensor is None:
            arrays.append(None)
            continue
        if tensor is grad:
            arrays.append(read if shape else read.reshape(1))
            continue
        kind = tensor.__class__
        if (kind is not Parameter and kind is not Tensor) or tensor._dtype is not dtype:
            return None
        array = tensor._a
        if array.shape != shape or tensor._vc.__class__ is not list:
            return None
        flags = array.flags
        # (farray would be true of more than it says)
        if not flags.carray and not (flags.f_contiguous and flags.writeable):
            return None
        arrays.append(array if shape else array.reshape(1))
    return arrays


def _pairs(row):
    """The arrays of a row of complex tensors, as reals; None for other dtypes and where a view of pairs is not to be had."""
    dtype = row[0]._dtype
    if not dtype.is_complex or not row[0]._a.ndim:
        return None
    reals = []
    for tensor in row:
        if tensor is not None:
            if tensor._dtype is not dtype or tensor.__class__ not in (Parameter, Tensor):
                return None
            array = tensor._a
            writable = tensor is row[1] or (array.flags.writeable and tensor._vc.__class__ is list)
            if array.shape != row[0]._a.shape or not array.flags.c_contiguous or not writable:
                return None
            tensor = array.view(dtype.to_real().numpy)
        reals.append(tensor)
    return reals


# ------------------------------------------------------------------------------------------------------------ the class


class ElementwiseOptimizer(Optimizer):
    """Base of the optimisers declared by a rule; a subclass says what it keeps and calls its functional form."""

    #: options that came after the optimiser, filled in for older checkpoints
    _later = {}
    #: state that is one number, made a tensor when an old checkpoint has it as a Python number
    _numbers = ("step",)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._later.items():
                group.setdefault(name, value)
            dtype = _get_scalar_dtype(group.get("fused"))
            for p in group["params"]:
                kept = self.state.get(p) or {}
                for name in self._numbers:
                    if name in kept and not isinstance(kept[name], Tensor):
                        kept[name] = creation.tensor(float(kept[name]), dtype=dtype)

    def _new_state(self, p, group):
        """The state of a parameter before its first step, a dict in PyTorch's order."""
        raise NotImplementedError

    def _check_first(self, p, group):
        """What is asked of a parameter before its first step."""

    def _collect(self, group, *names):
        """The group's parameters that have a gradient, the gradients, and their state under each of ``names`` (or None)."""
        params, grads, lists = [], [], [[] for _ in names]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            state = self.state[p]
            if not state:
                self._check_first(p, group)
                state.update(self._new_state(p, group))
            params.append(p)
            grads.append(grad)
            for name, each in zip(names, lists):
                each.append(state.get(name))
        return params, grads, *lists

    def _update(self, group):
        """Update the parameters of one group."""
        raise NotImplementedError

    @_use_grad_for_differentiable
    def step(self, closure=None):
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss again, with gradients, and returns it.

        Returns:
            what ``closure`` returned, or None.
        """
        loss = evaluate(closure)
        for group in self.param_groups:
            self._update(group)
        return loss


def counter(group):
    """A ``step`` of zero."""
    return creation.zeros((), dtype=_get_scalar_dtype(group.get("fused")))


# ----------------------------------------------------------------------------------------------------- gradient scalers


def skipped(grads, grad_scale, found_inf, fused):
    """Do what a gradient scaler asks of a fused step: whether to skip it; if not, the gradients are divided in place."""
    if not fused:
        if grad_scale is not None or found_inf is not None:
            raise AssertionError("Expected grad_scale and found_inf to be None")
        return False
    if found_inf is not None and found_inf.item() == 1:
        return True
    if grad_scale is not None:
        for grad in grads:
            grad.div_(grad_scale)
    return False
