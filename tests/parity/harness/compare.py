"""When two results are equal: structure, dtype, shape, requires_grad, values.

Tolerances are those of `torch.testing.assert_close`, except that float64 and complex128 are as they stand there and
nothing is wider. Single precision has one further door, described at `no_worse`: where both libraries round, ours may
differ from PyTorch's as long as it is at least as near to the exact value as PyTorch is.
"""

import dataclasses

import numpy as np
import torch

# dtype name -> (rtol, atol), the defaults of torch.testing.assert_close
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


@dataclasses.dataclass
class Outcome:
    """What a call gave: a value or the exception it raised."""

    value: object = None
    error: Exception | None = None


def dtype_name(tensor):
    return str(tensor.dtype).split(".")[-1]


def to_numpy(tensor):
    """The values of a tensor of either library; bfloat16 and half complex come back wider."""
    tensor = tensor.detach()
    if isinstance(tensor, torch.Tensor) and tensor._is_zerotensor():
        tensor = torch.zeros(tensor.shape, dtype=tensor.dtype)
    for resolve in ("resolve_conj", "resolve_neg"):
        if hasattr(tensor, resolve):
            tensor = getattr(tensor, resolve)()
    name = dtype_name(tensor)
    if name == "bfloat16":
        tensor = tensor.float()
    elif name == "complex32":
        tensor = tensor.cfloat()
    return np.asarray(tensor.numpy())


def is_tensor(value):
    """Whether a value is a tensor of either library."""
    return isinstance(value, torch.Tensor) or (
        hasattr(value, "requires_grad") and hasattr(value, "detach") and hasattr(value, "dtype")
    )


def flatten(value):
    """The tensors of a result, in order."""
    if is_tensor(value):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flatten(v)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in flatten(v)]
    return []


def structure(value):
    """A text for everything but the tensors: nesting, names of named tuples, Python values."""
    if is_tensor(value):
        return "Tensor"
    fields = field_names(value)
    if fields:
        return "named(" + ", ".join(f"{n}={structure(v)}" for n, v in zip(fields, value, strict=True)) + ")"
    if type(value).__name__ == "Size":
        return f"Size{tuple(value)}"
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return f"{kind}(" + ", ".join(structure(v) for v in value) + ")"
    if isinstance(value, dict):
        return "dict(" + ", ".join(f"{k}: {structure(v)}" for k, v in value.items()) + ")"
    if isinstance(value, float):
        return "float"  # compared as a number by `python_values`
    return f"{type(value).__name__} {str(value).replace('rushlight.', 'torch.')}"


def field_names(value):
    """Names of a named tuple or of PyTorch's struct sequences (`torch.return_types`), else ()."""
    if not isinstance(value, tuple):
        return ()
    if hasattr(value, "_fields"):
        return tuple(value._fields)
    if hasattr(type(value), "n_fields"):
        named = [n for n in dir(type(value)) if type(getattr(type(value), n)).__name__ == "member_descriptor"]
        return tuple(sorted(named, key=lambda n: next(i for i, v in enumerate(value) if v is getattr(value, n))))
    return ()


def close(actual, expected, name):
    """None when two arrays agree within the tolerance for dtype `name`, else a sentence."""
    if actual.shape != expected.shape:
        return f"shape {actual.shape} instead of {expected.shape}"
    if name not in TOLERANCES:
        if np.array_equal(actual, expected):
            return None
        wrong = np.argwhere(np.atleast_1d(actual != expected))
        at = tuple(int(i) for i in wrong[0])
        return (
            f"{len(wrong)} of {expected.size} elements differ, first at {at}: "
            f"{np.atleast_1d(actual)[at]} instead of {np.atleast_1d(expected)[at]}"
        )
    rtol, atol = TOLERANCES[name]
    if actual.tobytes() == expected.tobytes():
        return None
    with np.errstate(all="ignore"):
        good = np.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    if good.all():
        return None
    wrong = np.argwhere(np.atleast_1d(~good))
    at = tuple(int(i) for i in wrong[0])
    return (
        f"{len(wrong)} of {expected.size} elements differ, first at {at}: "
        f"{np.atleast_1d(actual)[at]} instead of {np.atleast_1d(expected)[at]}"
    )


def no_worse(actual, expected, exact):
    """Single precision only: is our largest error against the float64 result at most PyTorch's (and finite alike)?

    Two correctly working float32 routines differ in the last digits, and an ill-conditioned sample (a determinant, a
    near-singular solve) blows that up beyond any fixed tolerance. What can be asked for is not to be further from the
    truth than PyTorch is; a difference of two units in the last place of the largest entry is let through, as that is
    the rounding of the result itself.
    """
    if actual.shape != expected.shape or exact.shape != expected.shape or actual.size == 0:
        return False
    with np.errstate(all="ignore"):
        finite = np.isfinite(exact)
        if not np.array_equal(np.isfinite(actual), np.isfinite(expected)) or not np.isfinite(expected)[finite].all():
            return False
        if not np.array_equal(actual[~finite], expected[~finite], equal_nan=True):
            return False
        ours = np.abs(actual[finite].astype(exact.dtype) - exact[finite]).max(initial=0)
        theirs = np.abs(expected[finite].astype(exact.dtype) - exact[finite]).max(initial=0)
        ulp = np.finfo(np.float32).eps * np.abs(exact[finite]).max(initial=0)
    return bool(ours <= max(theirs, 2 * ulp))


def python_values(actual, expected):
    """Floats outside tensors (`item()`, `tolist()`), compared as float64."""
    ours, theirs = _floats(actual), _floats(expected)
    if len(ours) != len(theirs):
        return "another number of Python floats"
    return close(np.array(ours), np.array(theirs), "float64") if theirs else None


def _floats(value):
    if isinstance(value, float):
        return [value]
    if isinstance(value, (tuple, list)):
        return [x for v in value for x in _floats(v)]
    return []
