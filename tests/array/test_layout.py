"""Kernels of images and what they do with the order in memory."""

import numpy as np
import pytest

from rushlight.array import conv, norm, pad, pooling, resample
from rushlight.array.layout import is_channels_last

IMAGES = np.arange(2 * 8 * 6 * 5, dtype=np.float64).reshape(2, 8, 6, 5)
LAST = np.moveaxis(np.moveaxis(IMAGES, 1, -1).copy(), -1, 1)
WEIGHT = np.ones((3, 8, 2, 2))
KERNELS = {
    "max_pool2d": lambda x: pooling.max_pool2d_with_indices(x, 2)[0],
    "avg_pool2d": lambda x: pooling.avg_pool2d(x, 2),
    "adaptive_max_pool2d": lambda x: pooling.adaptive_max_pool2d(x, (3, 2))[1],
    "convolution": lambda x: conv.convolution(x, WEIGHT, None, 1, 0, 1, False, 0, 1),
    "upsample": lambda x: resample.upsample(x, (12, 10), "nearest", False, (None, None)),
    "upsample_backward": lambda g: resample.upsample_backward(g, (6, 5), (2, 8, 3, 5), "linear", False, (None, None)),
    "group_norm": lambda x: norm.native_group_norm(x, None, None, 2, 8, 30, 4, 1e-5)[0],
    "batch_norm": lambda x: norm.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[0],
    "pad": lambda x: pad.constant_pad_nd(x, (1, 1)),
}


def test_the_order_in_memory_is_told_from_the_strides():
    assert is_channels_last(LAST)
    assert not is_channels_last(IMAGES)
    assert not is_channels_last(LAST[:, :, :, 0])
    assert not is_channels_last(IMAGES.transpose(0, 1, 3, 2))
    assert not is_channels_last(LAST[:, :, :0])


@pytest.mark.parametrize("name", KERNELS)
def test_results_lie_as_their_input(name):
    run = KERNELS[name]
    plain, last = run(IMAGES), run(LAST)
    assert plain.flags.c_contiguous
    assert is_channels_last(last)
    np.testing.assert_allclose(last, plain)


def test_a_weight_decides_for_its_convolution():
    weight = np.moveaxis(np.moveaxis(WEIGHT, 1, -1).copy(), -1, 1)
    assert is_channels_last(conv.convolution(IMAGES, weight, None, 1, 0, 1, False, 0, 1))
