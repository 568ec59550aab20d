"""Resizing, grids and shuffles: known values, exact cases, and adjoints."""

import numpy as np
import pytest

from rushlight.array import fold, grid, resample

MODES = [
    ("nearest", (5, 7), None, False),
    ("nearest-exact", (5, 7), None, False),
    ("linear", (9, 4), None, False),
    ("linear", (9, 4), None, True),
    ("linear", (7, 5), (1.8, 1.1), False),
    ("cubic", (9, 4), None, False),
    ("cubic", (3, 11), None, True),
    ("linear-aa", (3, 8), None, False),
    ("cubic-aa", (3, 8), None, False),
    ("lanczos-aa", (3, 8), None, False),
]


@pytest.mark.parametrize("case", MODES)
def test_backward_is_the_adjoint(case):
    mode, size, factors, corners = case
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 4, 5))
    y = resample.upsample(x, size, mode, corners, factors)
    g = rng.standard_normal(y.shape)
    back = resample.upsample_backward(g, size, x.shape, mode, corners, factors)
    assert np.vdot(back, x) == pytest.approx(np.vdot(g, y))


@pytest.mark.parametrize("case", MODES)
def test_a_constant_stays_constant(case):
    mode, size, factors, corners = case
    y = resample.upsample(np.full((1, 1, 4, 5), 2.5), size, mode, corners, factors)
    np.testing.assert_allclose(y, 2.5)


def test_a_ramp_stays_a_ramp_with_aligned_corners():
    x = np.arange(5.0).reshape(1, 1, 5)
    np.testing.assert_allclose(resample.upsample(x, (9,), "linear", True, None)[0, 0], np.linspace(0, 4, 9))


def test_values_that_pytorch_gives():
    x = np.array([[[1.0, 2.0, 4.0]]])
    np.testing.assert_allclose(
        resample.upsample(x, (6,), "linear", False, None)[0, 0], [1.0, 1.25, 1.75, 2.5, 3.5, 4.0]
    )
    np.testing.assert_array_equal(resample.upsample(x, (5,), "nearest", False, None)[0, 0], [1, 1, 2, 2, 4])
    np.testing.assert_array_equal(resample.upsample(x, (2,), "nearest-exact", False, None)[0, 0], [1, 4])


def test_three_dimensions_and_volumes():
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 3, 4))
    y = resample.upsample(x, (4, 6, 8), "linear", False, None)
    assert y.shape == (1, 2, 4, 6, 8)
    assert y.mean() == pytest.approx(x.mean())


def test_empty_output_is_refused():
    with pytest.raises(RuntimeError) as error:
        resample.upsample(np.ones((1, 1, 4, 4)), (0, 2), "linear", False, None)
    assert str(error.value) == (
        "Input and output sizes should be greater than 0, but got input (H: 4, W: 4) output (H: 0, W: 2)"
    )


def test_shuffles_invert_each_other():
    x = np.random.default_rng(0).standard_normal((2, 12, 3, 5))
    wide = resample.pixel_shuffle(x, 2)
    assert wide.shape == (2, 3, 6, 10)
    assert wide[0, 0, 1, 0] == x[0, 2, 0, 0]
    np.testing.assert_array_equal(resample.pixel_unshuffle(wide, 2), x)
    np.testing.assert_array_equal(resample.channel_shuffle(resample.channel_shuffle(x, 3), 4), x)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("corners", [False, True])
def test_grid_backward_against_differences(mode, padding, corners):
    rng = np.random.default_rng(3)
    x, places = rng.standard_normal((1, 2, 4, 5)), rng.uniform(-1.6, 1.6, (1, 3, 3, 2))
    options = (mode, padding, corners)
    y = grid.grid_sampler(x, places, *options)
    g = rng.standard_normal(y.shape)
    gx, gg = grid.grid_sampler_backward(g, x, places, *options, (True, True))
    assert np.vdot(gx, x) == pytest.approx(np.vdot(g, y))
    step, numeric = 1e-6, np.empty_like(places)
    for i in np.ndindex(places.shape):
        low, high = places.copy(), places.copy()
        low[i] -= step
        high[i] += step
        change = grid.grid_sampler(x, high, *options) - grid.grid_sampler(x, low, *options)
        numeric[i] = (change * g).sum() / (2 * step)
    np.testing.assert_allclose(gg, numeric, atol=1e-6)


def test_the_identity_grid_reads_the_image():
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 5))
    theta = np.array([[[1.0, 0, 0], [0, 1, 0]]])
    for corners in (False, True):
        places = grid.affine_grid_generator(theta, (1, 2, 4, 5), corners)
        for padding in (0, 1, 2):
            np.testing.assert_allclose(grid.grid_sampler(x, places, 0, padding, corners), x, atol=1e-12)


def test_places_that_are_not_numbers_read_nothing():
    places = np.full((1, 1, 1, 2), np.nan)
    assert grid.grid_sampler(np.ones((1, 1, 3, 3)), places, 0, 0, False).item() == 0


@pytest.mark.parametrize("window", [((2, 3), 1, 0, 1), ((2, 2), (1, 2), (1, 0), (2, 1)), ((3, 3), 1, 1, 2)])
def test_columns_and_their_adjoint(window):
    kernel, dilation, padding, stride = window
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 5, 6))
    columns = fold.im2col(x, kernel, dilation, padding, stride)
    assert columns.shape[1] == 3 * kernel[0] * kernel[1]
    g = rng.standard_normal(columns.shape)
    assert np.vdot(fold.col2im(g, (5, 6), kernel, dilation, padding, stride), x) == pytest.approx(np.vdot(g, columns))


@pytest.mark.parametrize("dense", [0, 256])
def test_both_adjoints_agree_and_keep_infinities_local(dense, monkeypatch):
    monkeypatch.setattr(resample, "DENSE", dense)
    g = np.random.default_rng(0).standard_normal((1, 2, 9, 8))
    x = np.random.default_rng(1).standard_normal((1, 2, 4, 5))
    y = resample.upsample(x, (9, 8), "linear", False, None)
    back = resample.upsample_backward(g, (9, 8), x.shape, "linear", False, None)
    assert np.vdot(back, x) == pytest.approx(np.vdot(g, y))
    g[0, 0, 0, 0] = np.inf
    back = resample.upsample_backward(g, (9, 8), x.shape, "linear", False, None)
    assert np.isinf(back[0, 0, 0, 0])
    assert np.isfinite(back[0, 0, 2:]).all()
    assert np.isfinite(back[0, 1]).all()
