"""``assert_close``: whether two results agree, and if not, where."""

import collections.abc
import math

import numpy as np

from .. import dtypes
from ..ops.creation import as_tensor
from ..tensor import Tensor

__all__ = ["assert_allclose", "assert_close", "default_tolerances"]

_TOLERANCES = {
    **{dtypes.float16: (1e-3, 1e-5), dtypes.bfloat16: (1.6e-2, 1e-5), dtypes.float32: (1.3e-6, 1e-5)},
    **{dtypes.float64: (1e-7, 1e-7), dtypes.complex64: (1.3e-6, 1e-5), dtypes.complex128: (1e-7, 1e-7)},
}


def default_tolerances(*inputs):
    """(rtol, atol) for tensors or dtypes: the loosest of theirs."""
    found = [each if isinstance(each, dtypes.dtype) else each._dtype for each in inputs]
    pairs = [_TOLERANCES.get(each, (0.0, 0.0)) for each in found]
    return max(p[0] for p in pairs), max(p[1] for p in pairs)


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    """Raise AssertionError unless ``actual`` and ``expected`` agree within ``atol + rtol * abs(expected)``.

    Tensors, numbers, and sequences and mappings of them; without tolerances those of the dtype are used. ``msg`` replaces the
    text, or makes it from the generated one when it is a function.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or left unspecified, but got no {'rtol' if rtol is None else 'atol'}."
        )
    options = dict(rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=check_dtype, check_stride=check_stride)
    options["allow_subclasses"] = allow_subclasses
    problem = _compare(actual, expected, "", options)
    if problem is None:
        return
    kind, text = problem
    if msg is not None:
        text = msg(text) if callable(msg) else msg
    raise kind(text)


def _compare(actual, expected, place, options):
    if isinstance(actual, collections.abc.Sequence) and not isinstance(actual, str):
        if not isinstance(expected, collections.abc.Sequence):
            return _unlike(actual, expected)
        if len(actual) != len(expected):
            return AssertionError, f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
        for i, (a, b) in enumerate(zip(actual, expected)):
            problem = _compare(a, b, f"{place}[{i}]", options)
            if problem:
                return problem
        return None
    if isinstance(actual, collections.abc.Mapping):
        if not isinstance(expected, collections.abc.Mapping):
            return _unlike(actual, expected)
        if set(actual) != set(expected):
            return AssertionError, (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(set(expected) - set(actual))}\n"
                f"Additional keys in the actual mapping: {sorted(set(actual) - set(expected))}"
            )
        for key in actual:
            problem = _compare(actual[key], expected[key], f"{place}[{key!r}]", options)
            if problem:
                return problem
        return None
    if actual is None or expected is None:
        return None if actual is expected else (AssertionError, f"None mismatch: {actual} is not {expected}")
    return _compare_values(actual, expected, place, options)


def _unlike(actual, expected):
    return TypeError, (f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.")


def _compare_values(actual, expected, place, options):
    numbers = [isinstance(each, (bool, int, float, complex)) for each in (actual, expected)]
    if all(numbers):
        return _compare_numbers(actual, expected, place, options)
    if any(numbers) or not all(isinstance(each, (Tensor, np.ndarray, np.generic)) for each in (actual, expected)):
        return _unlike(actual, expected)
    if not isinstance(actual, type(expected)) and not isinstance(expected, type(actual)):
        return _unlike(actual, expected)
    if not options["allow_subclasses"] and type(actual) is not type(expected):
        return _unlike(actual, expected)
    a, b = as_tensor(actual).detach(), as_tensor(expected).detach()
    suffix = f"\n\nThe failure occurred for item {place}" if place else ""
    if a._a.shape != b._a.shape:
        return AssertionError, f"The values for attribute 'shape' do not match: {a.shape} != {b.shape}.{suffix}"
    if options["check_dtype"] and a._dtype is not b._dtype:
        return AssertionError, f"The values for attribute 'dtype' do not match: {a._dtype!r} != {b._dtype!r}.{suffix}"
    if options["check_stride"] and a.stride() != b.stride():
        return (
            AssertionError,
            f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}.{suffix}",
        )
    rtol, atol = options["rtol"], options["atol"]
    if rtol is None:
        rtol, atol = default_tolerances(a, b)
    text = _difference(_wide(a), _wide(b), rtol, atol, options["equal_nan"])
    return None if text is None else (AssertionError, text + suffix)


def _wide(tensor):
    """The array; 16-bit floats in float32, in which PyTorch compares them."""
    return (
        tensor._a.astype(np.float32) if tensor._dtype.itemsize == 2 and tensor._dtype.is_floating_point else tensor._a
    )


def _close(a, b, rtol, atol, equal_nan):
    if a.dtype.kind in "biu" and b.dtype.kind in "biu" and rtol == atol == 0:
        return a == b
    with np.errstate(all="ignore"):
        near = np.abs(
            np.subtract(a, b, dtype=np.result_type(a, b) if a.dtype.kind in "fc" else np.float64)
        ) <= atol + rtol * np.abs(b)
    near |= a == b
    near &= np.isfinite(a) == np.isfinite(b)
    if equal_nan:
        near |= np.isnan(a) & np.isnan(b)
    return near


def _difference(a, b, rtol, atol, equal_nan):
    near = _close(a, b, rtol, atol, equal_nan)
    if near.all():
        return None
    exact = rtol == atol == 0
    head = f"Tensor-likes are not {'equal' if exact else 'close'}!"
    if a.ndim == 0:
        head = f"Scalars are not {'equal' if exact else 'close'}!"
        return _scalar_text(head, a.item(), b.item(), rtol, atol, exact)
    with np.errstate(all="ignore"):
        absolute = np.abs(a - b) if a.dtype.kind != "b" else (a ^ b).astype(np.int64)
        relative = absolute / np.abs(b)
    wrong = ~near
    absolute, relative = (np.where(wrong, each, 0.0) for each in (absolute, relative))
    lines = [head, "", f"Mismatched elements: {wrong.sum()} / {wrong.size} ({wrong.mean():.1%})"]
    for name, values, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        flat = int(np.argmax(np.where(np.isnan(values), np.inf, values)))
        index = tuple(int(i) for i in np.unravel_index(flat, values.shape))
        limit = "" if exact else f" (up to {allowed} allowed)"
        lines.append(f"Greatest {name} difference: {values[index]} at index {index}{limit}")
    return "\n".join(lines)


def _scalar_text(head, a, b, rtol, atol, exact):
    absolute = abs(a - b)
    relative = math.inf if b == 0 else absolute / abs(b)
    limits = ["" if exact else f" (up to {each} allowed)" for each in (atol, rtol)]
    return (
        f"{head}\n\nExpected {b} but got {a}.\nAbsolute difference: {absolute}{limits[0]}\n"
        f"Relative difference: {relative}{limits[1]}"
    )


def _compare_numbers(a, b, place, options):
    if options["check_dtype"] and type(a) is not type(b):
        return AssertionError, f"The (d)types do not match: {type(a)} != {type(b)}."
    rtol, atol = options["rtol"], options["atol"]
    if rtol is None:
        inexact = isinstance(a, (float, complex)) or isinstance(b, (float, complex))
        rtol, atol = (1e-7, 1e-7) if inexact else (0.0, 0.0)
    if _close(np.asarray(a), np.asarray(b), rtol, atol, options["equal_nan"]).all():
        return None
    exact = rtol == atol == 0
    if isinstance(a, bool):
        return AssertionError, f"Booleans mismatch: {a} is not {b}"
    text = _scalar_text(f"Scalars are not {'equal' if exact else 'close'}!", a, b, rtol, atol, exact)
    return AssertionError, text + (f"\n\nThe failure occurred for item {place}" if place else "")


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """Deprecated in PyTorch: ``assert_close`` without a check of dtypes."""
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(as_tensor(actual), as_tensor(expected))
    assert_close(
        *(as_tensor(actual), as_tensor(expected)),
        **dict(rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None),
    )
