"""Normalisation kernels against their formulas, also where a mean is large against its deviation."""

import numpy as np
import pytest

from rushlight.array import norm


def numeric(function, x, g, step=1e-6):
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        low, high = x.copy(), x.copy()
        low[i] -= step
        high[i] += step
        slope[i] = ((function(high) - function(low)) * g).sum() / (2 * step)
    return slope


def unit(x, axes, eps):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_layer_norm_and_its_backward(rng):
    x, w, b = rng.standard_normal((3, 4, 5)), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
    out, mean, rstd = norm.native_layer_norm(x, (4, 5), w, b, 1e-5)
    np.testing.assert_allclose(out, unit(x, (1, 2), 1e-5) * w + b)
    assert mean.shape == rstd.shape == (3, 1, 1)
    g = rng.standard_normal(x.shape)
    gx, gw, gb = norm.native_layer_norm_backward(g, x, (4, 5), mean, rstd, w, b, (True, True, True))
    np.testing.assert_allclose(gx, numeric(lambda x: unit(x, (1, 2), 1e-5) * w, x, g), atol=1e-7)
    np.testing.assert_allclose(gw, (g * unit(x, (1, 2), 1e-5)).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(gb, g.sum(axis=0), atol=1e-12)


def test_group_norm_and_its_backward(rng):
    x, w, b = rng.standard_normal((2, 6, 3, 2)), rng.standard_normal(6), rng.standard_normal(6)

    def formula(x):
        return unit(x.reshape(2, 3, -1), (2,), 1e-5).reshape(x.shape) * w[:, None, None]

    out, mean, rstd = norm.native_group_norm(x, w, b, 2, 6, 6, 3, 1e-5)
    np.testing.assert_allclose(out, formula(x) + b[:, None, None])
    g = rng.standard_normal(x.shape)
    gx, gw, gb = norm.native_group_norm_backward(g, x, mean, rstd, w, 2, 6, 6, 3, (True, True, True))
    np.testing.assert_allclose(gx, numeric(formula, x, g), atol=1e-7)
    np.testing.assert_allclose(gw, (g * formula(x) / w[:, None, None]).sum(axis=(0, 2, 3)))
    np.testing.assert_allclose(gb, g.sum(axis=(0, 2, 3)))


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (2, 3, 4, 5)])
def test_batch_norm_in_training_and_evaluation(rng, shape):
    x, w, b = rng.standard_normal(shape), rng.standard_normal(3), rng.standard_normal(3)
    column = (3, *(1,) * (len(shape) - 2))
    axes = (0, *range(2, len(shape)))
    running_mean, running_var = rng.standard_normal(3), rng.random(3) + 0.5

    def trained(x):
        return unit(x, axes, 1e-5) * w.reshape(column)

    def evaluated(x):
        return (x - running_mean.reshape(column)) / np.sqrt(running_var.reshape(column) + 1e-5) * w.reshape(column)

    g = rng.standard_normal(shape)
    for training, formula in ((True, trained), (False, evaluated)):
        out, mean, invstd = norm.native_batch_norm(x, w, b, running_mean, running_var, training, 0.1, 1e-5)
        np.testing.assert_allclose(out, formula(x) + b.reshape(column))
        gx, gw, gb = norm.native_batch_norm_backward(
            g, x, w, running_mean, running_var, mean, invstd, training, 1e-5, (True, True, True)
        )
        np.testing.assert_allclose(gx, numeric(formula, x, g), atol=1e-7)
        np.testing.assert_allclose(gw, (g * formula(x) / w.reshape(column)).sum(axis=axes))
        np.testing.assert_allclose(gb, g.sum(axis=axes))


def test_a_large_mean_costs_no_digits(rng):
    small = rng.standard_normal((8, 512))
    x = (small + 1000).astype(np.float32)
    expected = unit(x.astype(np.float64), (1,), 1e-5)
    np.testing.assert_allclose(norm.native_layer_norm(x, (512,), None, None, 1e-5)[0], expected, atol=2e-4)
    out, _, _ = norm.native_group_norm(x.reshape(8, 4, 128), None, None, 8, 4, 128, 1, 1e-5)
    np.testing.assert_allclose(out.reshape(8, 512), expected, atol=2e-4)


def test_a_constant_row_gives_the_bias_exactly():
    x = np.full((2, 7), 3.7, np.float32)
    out, _, _ = norm.native_layer_norm(x, (7,), None, np.full(7, 0.25, np.float32), 1e-5)
    assert (out == 0.25).all()


def test_results_do_not_depend_on_the_number_of_threads(rng):
    from rushlight.array import threads

    x, g = rng.standard_normal((2048, 128)).astype(np.float32), rng.standard_normal((2048, 128)).astype(np.float32)
    w = rng.standard_normal(128).astype(np.float32)
    before, results = threads.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            out, mean, rstd = norm.native_layer_norm(x, (128,), w, w, 1e-5)
            results.append((out, *norm.native_layer_norm_backward(g, x, (128,), mean, rstd, w, w, (True,) * 3)))
    finally:
        threads.set_num_threads(before)
    for other in results[1:]:
        for first, second in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_empty_rows_and_no_rows():
    assert norm.native_layer_norm(np.ones((0, 3)), (3,), None, None, 1e-5)[0].shape == (0, 3)
    assert norm.native_layer_norm(np.ones((2, 0)), (0,), None, None, 1e-5)[0].shape == (2, 0)


def test_refuses_in_pytorchs_words():
    with pytest.raises(RuntimeError) as error:
        norm.native_layer_norm(np.ones((2, 2, 3)), (2, 2), None, None, 1e-5)
    assert str(error.value) == (
        "Given normalized_shape=[2, 2], expected input with shape [*, 2, 2], but got input of size[2, 2, 3]"
    )
    with pytest.raises(RuntimeError, match="running_mean should contain 3 elements not 2"):
        norm.native_batch_norm(np.ones((2, 3)), None, None, np.ones(2), np.ones(3), True, 0.1, 1e-5)


def test_rounding_does_not_grow_with_the_length_of_rows():
    x = np.random.default_rng(0).random((1, 3_000_001), dtype=np.float32)
    exact = x.astype(np.float64)
    exact = (exact - exact.mean()) / np.sqrt(exact.var() + 1e-5)
    found = norm.native_layer_norm(x, (x.size,), None, None, 1e-5)[0]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6)
