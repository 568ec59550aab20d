"""Pooling kernels against windows enumerated one by one, and against each other as adjoints."""

import itertools

import numpy as np
import pytest

from rushlight.array import pooling
from rushlight.array.windows import pool_output_size

WINDOWS = [
    # size, kernel, stride, padding, dilation, ceil_mode
    ((6, 7), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((6, 7), (3, 2), (1, 2), (1, 1), (1, 1), True),
    ((5, 8), (3, 3), (2, 3), (1, 1), (2, 1), False),
    ((4, 5, 6), (2, 3, 2), (2, 1, 2), (1, 1, 0), (1, 1, 2), True),
]


def windows(size, kernel, stride, padding, dilation, ceil_mode):
    """(output place, the input places its window sees, in order)."""
    counts = [pool_output_size(*each, ceil_mode) for each in zip(size, kernel, stride, padding, dilation, strict=True)]
    for place in itertools.product(*map(range, counts)):
        lines = [
            [p for p in (i * s - q + t * d for t in range(k)) if 0 <= p < n]
            for i, n, k, s, q, d in zip(place, size, kernel, stride, padding, dilation, strict=True)
        ]
        yield place, list(itertools.product(*lines))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("with_nan", [False, True])
def test_maximum_takes_the_first_of_equals_and_the_last_nan(window, with_nan):
    size, nd = window[0], len(window[0])
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (2, *size)).astype(np.float64)
    if with_nan:
        x[rng.random(x.shape) < 0.2] = np.nan
    pool = getattr(pooling, f"max_pool{nd}d_with_indices")
    values, places = pool(x, *window[1:5], window[5])
    assert places.dtype == np.int64
    for place, seen in windows(*window):
        for c in range(2):
            best = None
            for at in seen:
                if best is None or x[c][at] > x[c][best] or np.isnan(x[c][at]):
                    best = at
            assert places[(c, *place)] == np.ravel_multi_index(best, size)
            np.testing.assert_equal(values[(c, *place)], x[c][best])


@pytest.mark.parametrize("window", [w for w in WINDOWS if w[4] == (1,) * len(w[4])])
@pytest.mark.parametrize(("count_include_pad", "divisor"), [(True, None), (False, None), (True, 5)])
def test_average_and_its_divisors(window, count_include_pad, divisor):
    size, kernel, stride, padding, _, ceil_mode = window
    nd = len(size)
    x = np.random.default_rng(0).standard_normal((2, *size))
    result = getattr(pooling, f"avg_pool{nd}d")(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    for place, seen in windows(*window):
        full = np.prod(
            [
                min(i * s - p + k, n + p) - (i * s - p)
                for i, s, p, k, n in zip(place, stride, padding, kernel, size, strict=True)
            ]
        )
        count = divisor or (full if count_include_pad else len(seen))
        assert result[(0, *place)] == pytest.approx(sum(x[0][at] for at in seen) / count)
    g = np.random.default_rng(1).standard_normal(result.shape)
    back = pooling.avg_pool_backward(g, x.shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor, nd)
    assert np.vdot(back, x) == pytest.approx(np.vdot(g, result))


@pytest.mark.parametrize("sizes", [((7, 5), (3, 2)), ((6, 8), (3, 4)), ((3, 4), (5, 9)), ((4, 5, 6), (2, 3, 4))])
def test_adaptive_windows_cover_the_input(sizes):
    size, count = sizes
    nd = len(size)
    x = np.random.default_rng(0).standard_normal((2, *size))
    average = getattr(pooling, f"adaptive_avg_pool{nd}d")(x, count)
    best, places = getattr(pooling, f"adaptive_max_pool{nd}d")(x, count)
    for place in itertools.product(*map(range, count)):
        part = tuple(slice(i * s // o, -(-(i + 1) * s // o)) for i, s, o in zip(place, size, count, strict=True))
        assert average[(1, *place)] == pytest.approx(x[1][part].mean())
        assert best[(1, *place)] == x[1][part].max()
        assert x[1].flat[places[(1, *place)]] == best[(1, *place)]
    g = np.random.default_rng(1).standard_normal(average.shape)
    assert np.vdot(pooling.adaptive_avg_pool_backward(g, x.shape, nd), x) == pytest.approx(np.vdot(g, average))


def test_scatter_is_the_adjoint_of_gather_with_repeated_places():
    rng = np.random.default_rng(0)
    x, places = rng.standard_normal((2, 3, 4, 5)), rng.integers(0, 20, (2, 3, 6, 6))
    seen, g = pooling.pool_gather(x, places, 2), rng.standard_normal((2, 3, 6, 6))
    assert np.vdot(pooling.pool_scatter(g, places, (4, 5), 2), x) == pytest.approx(np.vdot(g, seen))


def test_unpooling_puts_maxima_back():
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 6))
    values, places = pooling.max_pool2d_with_indices(x, 2)
    back = pooling.max_unpool2d(values, places, (4, 6))
    assert (back != 0).sum() == values.size
    np.testing.assert_array_equal(back[back != 0], x[back != 0])


def test_integer_averages_round_towards_zero():
    x = np.array([[[-3, 0], [0, 0]]])
    assert pooling.avg_pool2d(x, 2).item() == 0
    assert pooling.avg_pool2d(x, 2, divisor_override=-2).item() == 1


def test_integers_and_half_precision_keep_their_dtype():
    for dtype in (np.int8, np.uint8, np.int64, np.float16):
        values, _ = pooling.max_pool2d_with_indices(np.arange(16).reshape(1, 4, 4).astype(dtype), 2)
        assert values.dtype == dtype
        np.testing.assert_array_equal(values[0], [[5, 7], [13, 15]])


BAD = [
    (
        lambda: pooling.max_pool2d_with_indices(np.ones((1, 1, 4, 4)), 2, padding=2),
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
    ),
    (
        lambda: pooling.max_pool2d_with_indices(np.ones((1, 1, 4)), 2),
        "Given input size: (1x1x4). Calculated output size: (1x0x2). Output size is too small",
    ),
    (
        lambda: pooling.max_pool2d_with_indices(np.ones((4, 4)), 2),
        "non-empty 3D or 4D (batch mode) tensor expected for input",
    ),
    (lambda: pooling.avg_pool2d(np.ones((1, 1, 4, 4)), 2, divisor_override=0), "divisor must be not zero"),
    (
        lambda: pooling.max_unpool2d(np.ones((1, 1, 1)), np.array([[[9]]]), (2, 2)),
        "Found an invalid max index: 9 (output volumes are of size 2x2)",
    ),
]


@pytest.mark.parametrize(("call", "text"), BAD)
def test_refuses_in_pytorchs_words(call, text):
    with pytest.raises(RuntimeError) as error:
        call()
    assert str(error.value) == text
