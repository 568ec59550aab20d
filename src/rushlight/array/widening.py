"""Half precision through float32: the rule all of the nn kernels share.

PyTorch's CPU kernels read float16 and bfloat16, accumulate in float32 and round once when they store. NumPy would round
after every step (and has no BLAS for either), so a kernel wrapped in `through_float32` sees float32 arrays in place of
half ones and its floating results are rounded back once.
"""

import functools

import numpy as np

__all__ = ["is_half", "through_float32"]


def is_half(dtype):
    """True for float16 and for ml_dtypes' bfloat16 (whose NumPy kind is 'V')."""
    return dtype.itemsize == 2 and (dtype.kind == "f" or dtype.name == "bfloat16")


def through_float32(kernel):
    """Wrap `kernel` so that half-precision arguments are widened and its float32 results are rounded back.

    The narrow dtype of the results is that of the first half argument. Calls without one go straight through. The wrapper has the
    kernel's own signature, because the op table reads parameters from the code object.
    """
    code = kernel.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional, keyword = names[: code.co_argcount], names[code.co_argcount :]
    star = ["*", *keyword] if keyword else []
    call = ", ".join([*positional, *(f"{name}={name}" for name in keyword)])
    source = (
        f"def make(kernel, narrow_dtype, widened_call):\n"
        f"    def {kernel.__name__}({', '.join([*positional, *star])}):\n"
        f"        narrow = narrow_dtype(({', '.join(names)},))\n"
        f"        if narrow is None:\n"
        f"            return kernel({call})\n"
        f"        return widened_call(kernel, narrow, ({', '.join(positional)},), dict({_pairs(keyword)}))\n"
        f"    return {kernel.__name__}\n"
    )
    space = {}
    exec(source, space)  # as dataclasses and namedtuple do: the only way to a function with a given signature
    wrapper = space["make"](kernel, _narrow_dtype, _widened_call)
    wrapper.__defaults__, wrapper.__kwdefaults__ = kernel.__defaults__, kernel.__kwdefaults__
    return functools.update_wrapper(wrapper, kernel)


def _pairs(names):
    return ", ".join(f"{name}={name}" for name in names)


def _narrow_dtype(values):
    for value in values:
        dtype = getattr(value, "dtype", None)
        if dtype is not None and dtype.itemsize == 2 and hasattr(value, "astype") and is_half(dtype):
            return dtype
    return None


def _widened_call(kernel, narrow, args, kwargs):
    result = kernel(*[_widen(value) for value in args], **{name: _widen(value) for name, value in kwargs.items()})
    if isinstance(result, tuple):
        return tuple(_narrow(part, narrow) for part in result)
    return _narrow(result, narrow)


def _widen(value):
    dtype = getattr(value, "dtype", None)
    if dtype is not None and hasattr(value, "astype") and is_half(dtype):
        return value.astype(np.float32)
    return value


def _narrow(value, dtype):
    if value is not None and value.dtype == np.float32:
        with np.errstate(over="ignore"):
            return value.astype(dtype)
    return value
