"""Half precision through float32: the rule all of the nn kernels share.

PyTorch's CPU kernels read float16 and bfloat16, accumulate in float32 and round once when they store. NumPy would round
after every step (and has no BLAS for either), so a kernel wrapped in `through_float32` sees float32 arrays in place of
half ones and its floating results are rounded back once.
"""

import functools

import numpy as np

__all__ = ["is_half", "mixed_through_float32", "through_float32"]


def is_half(dtype):
    """True for float16 and for ml_dtypes' bfloat16 (whose NumPy kind is 'V')."""
    return dtype.itemsize == 2 and (dtype.kind == "f" or dtype.name == "bfloat16")


class through_float32:  # noqa: N801 - a decorator
    """A kernel that sees half-precision arguments as float32, and whose float32 results are rounded back.

    The narrow dtype of the results is that of the first half argument. Calls without one go straight through. The
    object shows the kernel's code and defaults, from which the op table reads its parameters.
    """

    keeps_mixed = False

    def __init__(self, kernel):
        functools.update_wrapper(self, kernel)
        self.__code__ = kernel.__code__
        self.__defaults__, self.__kwdefaults__ = kernel.__defaults__, kernel.__kwdefaults__

    def __call__(self, *args, **kwargs):
        kernel = self.__wrapped__
        narrow = _narrow_dtype(args) or (_narrow_dtype(kwargs.values()) if kwargs else None)
        if narrow is None:
            return kernel(*args, **kwargs)
        result = kernel(*[_widen(value) for value in args], **{name: _widen(value) for name, value in kwargs.items()})
        if isinstance(result, tuple):
            if self.keeps_mixed and any(_is_single(value) for value in (*args, *kwargs.values())):
                return _narrow(result[0], narrow), *result[1:]
            return tuple(_narrow(part, narrow) for part in result)
        return _narrow(result, narrow)


class mixed_through_float32(through_float32):  # noqa: N801 - a decorator
    """The same for a normalisation, forward or backward, whose parameters may be float32 beside a half input.

    Then only the first result, which has the input's shape, is rounded: statistics and cotangents of parameters stay
    in float32, as PyTorch keeps them. It is what layers see under autocast.
    """

    keeps_mixed = True


def _narrow_dtype(values):
    for value in values:
        dtype = getattr(value, "dtype", None)
        if dtype is not None and dtype.itemsize == 2 and hasattr(value, "astype") and is_half(dtype):
            return dtype
    return None


def _is_single(value):
    return getattr(value, "dtype", None) == np.float32 and hasattr(value, "astype")


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
