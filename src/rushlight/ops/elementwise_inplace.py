"""Short ways for what optimisers do all day: `addcmul_`, `addcdiv_`, `lerp_` and `clamp_` where nothing is recorded.

Each is tried first and gives up (the general path then does everything, errors included) unless all operands are float32 or
float64 tensors of one dtype and shape. The arithmetic is that of the kernels, in the same order, written straight into the
tensor; large arrays are worked on in cache-sized blocks shared between threads.
"""

import numpy as np

from ..array.blocks import BLOCK, SMALL
from ..array.threads import parallel
from ..autograd.modes import state, thread
from ..inplace import check_apart, finish
from ..parameter import Parameter
from ..tensor import Tensor, edge_of
from .table import PLACES, TENSOR


def _arrays(tensors):
    """The arrays of tensors of one floating dtype and shape of which none wants a gradient recorded, or None."""
    if state.rare:
        return None
    first = tensors[0]
    found = []
    for each in tensors:
        kind = each.__class__
        if kind is not Tensor and kind is not Parameter:
            return None
        array = each._a
        if each._dtype is not first._dtype or array.shape != first._a.shape:
            return None
        if thread.grad and ((each._view is not None and each._view.refuse is not None) or edge_of(each) is not None):
            return None
        if found and each._vc is first._vc and array is not found[0]:
            check_apart(found[0], array)
        found.append(array)
    if not first._dtype.plain or 0 in found[0].strides or not found[0].flags.writeable:
        return None
    return found


def _run(step, arrays, scratch):
    """``step(*blocks, scratch block)`` over the arrays; the first is written."""
    x = arrays[0]
    if x.size <= SMALL or not all(each.flags.c_contiguous for each in arrays):
        step(*arrays, np.empty_like(x) if scratch else None)
        return
    flat = [each.reshape(-1) for each in arrays]

    def body(start, stop):
        spare = np.empty(BLOCK, x.dtype) if scratch else None
        for at in range(start, stop, BLOCK):
            end = min(at + BLOCK, stop)
            step(*[each[at:end] for each in flat], spare[: end - at] if scratch else None)

    parallel(x.size, body)


def _is_number(value):
    return value.__class__ is float or value.__class__ is int


def _fused(ufunc):
    def attempt(input, args, kwargs):
        if len(args) != 2 or (kwargs and (len(kwargs) != 1 or "value" not in kwargs)):
            return False
        value = kwargs["value"] if kwargs else 1
        arrays = _arrays((input, *args)) if _is_number(value) else None
        if arrays is None:
            return False

        def step(x, a, b, t):
            if value == 1:
                ufunc(a, b, out=t)
            else:
                np.multiply(a, value, out=t)
                ufunc(t, b, out=t)
            np.add(x, t, out=x)

        _run(step, arrays, scratch=True)
        return True

    return attempt


def _lerp(input, args, kwargs):
    if len(args) != 2 or kwargs or not _is_number(args[1]):
        return False
    weight = args[1]
    arrays = _arrays((input, args[0]))
    if arrays is None:
        return False

    def step(a, b, t):
        np.subtract(b, a, out=t)
        if abs(weight) < 0.5:
            np.multiply(t, weight, out=t)
            np.add(a, t, out=a)
        else:
            np.multiply(t, 1 - weight, out=t)
            np.subtract(b, t, out=a)

    _run(step, arrays, scratch=True)
    return True


def _clamp(input, args, kwargs):
    if len(args) + len(kwargs) > 2 or not all(name in ("min", "max") for name in kwargs):
        return False
    limits = dict(zip(("min", "max"), args, strict=False))
    if any(name in limits for name in kwargs):
        return False
    limits.update(kwargs)
    low, high = limits.get("min"), limits.get("max")
    if not (low is None or _is_number(low)) or not (high is None or _is_number(high)) or low is high is None:
        return False
    arrays = _arrays((input,))
    if arrays is None:
        return False

    def step(x, _):
        if low is not None:
            np.maximum(x, low, out=x)
        if high is not None:
            np.minimum(x, high, out=x)

    _run(step, arrays, scratch=False)
    return True


def _install(name, attempt):
    general = getattr(TENSOR, name)

    def function(input, *args, **kwargs):
        try:
            done = attempt(input, args, kwargs)
        except OverflowError:
            done = False  # a number beyond the dtype's range: the general path has the words for it
        if not done:
            return general(input, *args, **kwargs)
        finish(input, None)
        return input

    function.__name__ = function.__qualname__ = name
    function.__doc__ = general.__doc__
    setattr(TENSOR, name, function)
    setattr(Tensor, name, function)
    if name in PLACES[""]:
        PLACES[""][name] = function


_install("addcmul_", _fused(np.multiply))
_install("addcdiv_", _fused(np.divide))
_install("lerp_", _lerp)
_install("clamp_", _clamp)
