"""Arrays made from numbers: ranges and the indices of triangles, with PyTorch's dtypes, lengths and rounding."""

import math

import numpy as np

from .. import dtypes

__all__ = ["arange", "linspace", "logspace", "tril_indices", "triu_indices"]

_INT64 = np.dtype(np.int64)


def arange(start=0, end=None, step=1, *, dtype=None):
    """Numbers from ``start`` up to, not including, ``end``: int64 for ints, the default dtype for floats."""
    if end is None:
        start, end = 0, start
    numbers = (start, end, step)
    if dtype is None:
        whole = all(isinstance(n, (int, np.integer)) for n in numbers)
        dtype = dtypes.int64 if whole else dtypes.get_default_dtype()
    target = dtype.numpy
    if target.kind in "bc":
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtype.legacy}'")
    if target == _INT64:
        start, end, step, given = int(start), int(end), int(step), step
        if step == 0 and given != 0:
            raise ValueError("step must be nonzero")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if target == _INT64:
        return np.arange(start, end, step, dtype=target)
    count = math.ceil((float(end) - float(start)) / float(step))
    if target.kind in "iu":
        return (int(start) + np.arange(count) * int(step)).astype(target)
    return (float(start) + np.arange(count, dtype=np.float64) * float(step)).astype(target)


def _even(start, end, steps, dtype):
    """``steps`` numbers from ``start`` to ``end``: the first half counted from the start, the rest back from the end."""
    kind = np.result_type(dtype)
    if kind.kind in "iu":
        return _even_numbers(int(start), int(end), steps).astype(kind)
    start, end = kind.type(start), kind.type(end)
    if steps == 1:
        return np.full(1, start, kind)
    step = (end - start) / kind.type(steps - 1) if steps > 1 else kind.type(0)
    places = np.arange(steps)
    half = steps // 2
    out = np.empty(steps, kind)
    out[:half] = start + step * places[:half].astype(kind)
    out[half:] = end - step * (steps - 1 - places[half:]).astype(kind)
    return out


def _even_numbers(start, end, steps):
    """Evenly spaced float64 numbers between two whole ones."""
    if steps == 1:
        return np.full(1, float(start))
    step = (end - start) / (steps - 1) if steps else 0.0
    places = np.arange(steps)
    return np.where(places < steps // 2, start + step * places, end - step * (steps - 1 - places))


def _chosen_dtype(name, dtype, *numbers):
    """The dtype asked for, or that of the numbers; complex numbers do not fit a real one."""
    if not any(isinstance(n, complex) for n in numbers):
        return dtype or dtypes.get_default_dtype()
    inferred = dtypes.default_complex()
    if dtype is not None and not dtype.is_complex:
        raise RuntimeError(
            f"torch.{name}(): inferred dtype {inferred.cpp_name} can't be safely cast to passed dtype {dtype.legacy}"
        )
    return dtype or inferred


def _check_steps(steps):
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")


def _through_float32(dtype):
    target = dtype.numpy
    half = dtype.is_floating_point and dtype.itemsize == 2
    return (np.dtype(np.float32) if half else target), target


def linspace(start, end, steps, *, dtype=None):
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced."""
    _check_steps(steps)
    working, target = _through_float32(_chosen_dtype("linspace", dtype, start, end))
    return _even(start, end, steps, working).astype(target, copy=False)


def logspace(start, end, steps, base=10.0, *, dtype=None):
    """``steps`` powers of ``base``, the exponents evenly spaced from ``start`` to ``end``, both included."""
    _check_steps(steps)
    working, target = _through_float32(_chosen_dtype("logspace", dtype, start, end))
    if working.kind in "iu":
        return np.power(float(base), _even_numbers(int(start), int(end), steps)).astype(target)
    return np.power(working.type(base), _even(start, end, steps, working)).astype(target, copy=False)


def _triangle(row, col, offset, dtype, lower):
    name = "tril_indices" if lower else "triu_indices"
    for each, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{each} must be non-negative, got{n}")
    target = _INT64 if dtype is None else dtype.numpy
    if target.kind not in "iu":
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.legacy}'")
    mask = np.tri(row, col, offset if lower else offset - 1, dtype=bool)
    return np.stack((mask if lower else ~mask).nonzero()).astype(target, copy=False)


def tril_indices(row, col, offset=0, *, dtype=None):
    """(2, n): rows and columns of the elements on and below diagonal ``offset``, row by row."""
    return _triangle(row, col, offset, dtype, True)


def triu_indices(row, col, offset=0, *, dtype=None):
    """(2, n): rows and columns of the elements on and above diagonal ``offset``, row by row."""
    return _triangle(row, col, offset, dtype, False)
