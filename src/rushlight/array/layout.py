"""Channels-last results of channels-last inputs: the rule all of the image kernels share.

The kernels compute on whatever strides they are given and write their results in C order. Where PyTorch gives images back in the
order in memory in which they came, a kernel is wrapped in `keeps_channels_last`, which copies the results of such inputs, and of
those only, into that order: programs that ask for a result's strides or view it find what PyTorch gives them.
"""

import functools

import numpy as np

__all__ = ["convolution_keeps_channels_last", "is_channels_last", "keeps_channels_last"]


def is_channels_last(array):
    """Whether the strides of images (N, C, H, W) or volumes (N, C, D, H, W) put the channels innermost.

    Images that lie in both orders, as those of one channel do, do not count; for the rest PyTorch's rule holds.
    """
    if array.flags.c_contiguous or array.ndim not in (4, 5):
        return False
    shape, strides = array.shape, array.strides
    least = 0
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        if shape[axis] == 0 or strides[axis] < least or strides[1] == 0 or axis == 0 and least == strides[1]:
            return False
        least = strides[axis] * max(shape[axis], 1)
    return True


class keeps_channels_last:  # noqa: N801 - a decorator
    """A kernel whose results of four and five dimensions lie channels last if its first argument does.

    The object shows the kernel's code and defaults, from which the op table reads its parameters.
    """

    _deciding = 1  # how many of the arguments

    def __init__(self, kernel):
        functools.update_wrapper(self, kernel)
        self.__code__ = kernel.__code__
        self.__defaults__, self.__kwdefaults__ = kernel.__defaults__, kernel.__kwdefaults__

    def __call__(self, *args, **kwargs):
        result = self.__wrapped__(*args, **kwargs)
        for each in args[: self._deciding]:
            if is_channels_last(each):
                return tuple(map(_laid, result)) if isinstance(result, tuple) else _laid(result)
        return result


class convolution_keeps_channels_last(keeps_channels_last):  # noqa: N801 - a decorator
    """The same for a convolution, where the second argument, the weight, decides as well."""

    _deciding = 2


def _laid(result):
    if result.ndim not in (4, 5):
        return result
    return np.moveaxis(np.moveaxis(result, 1, -1).copy(order="C"), -1, 1)
