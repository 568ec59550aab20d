"""interpolate, grid_sample, affine_grid, fold and the shuffles: derivatives to second order, names, refusals."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("mode", "shape", "options"),
    [
        ("nearest", (1, 2, 3), {"size": 5}),
        ("nearest-exact", (1, 1, 3, 2), {"size": (2, 5)}),
        ("linear", (1, 2, 4), {"size": 7, "align_corners": True}),
        ("bilinear", (1, 1, 3, 4), {"scale_factor": 1.7}),
        ("bilinear", (1, 1, 5, 4), {"size": (3, 3), "antialias": True}),
        ("bicubic", (1, 1, 3, 4), {"size": (5, 3)}),
        ("trilinear", (1, 1, 2, 3, 2), {"size": (3, 2, 4)}),
        ("area", (1, 2, 5, 4), {"size": (2, 3)}),
    ],
)
def test_interpolate(mode, shape, options):
    check(lambda x: F["interpolate"](x, mode=mode, **options), rng.standard_normal(shape))


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample(mode, padding):
    x, grid = rng.standard_normal((1, 2, 3, 4)), rng.uniform(-1.3, 1.3, (1, 2, 3, 2))
    check(lambda x, grid: F["grid_sample"](x, grid, mode, padding, align_corners=False), x, grid)


def test_volumes_and_affine_grids():
    theta = rng.standard_normal((1, 3, 4)) * 0.3
    check(lambda t: F["affine_grid"](t, (1, 1, 2, 2, 3), align_corners=False), theta)
    x = rng.standard_normal((1, 1, 3, 3, 3))
    grid = F["affine_grid"](torch.tensor(theta), (1, 1, 2, 2, 2), align_corners=False).numpy()
    check(lambda x, g: F["grid_sample"](x, g, align_corners=True), x, grid)


def test_fold_and_shuffles():
    check(lambda x: F["unfold"](x, 2, padding=1), rng.standard_normal((1, 2, 3, 3)))
    check(lambda x: F["fold"](x, (3, 3), 2), rng.standard_normal((1, 4, 4)))
    check(lambda x: F["pixel_shuffle"](x, 2), rng.standard_normal((1, 4, 2, 1)))
    check(lambda x: F["channel_shuffle"](x, 2), rng.standard_normal((1, 6, 2)))


def test_names_and_refusals():
    x = torch.ones(1, 1, 2, 2, requires_grad=True)
    assert node(F["interpolate"](x, 4, mode="bilinear")) == "UpsampleBilinear2DBackward0"
    with pytest.raises(NotImplementedError, match="Got 4D input, but linear mode needs 3D input"):
        F["interpolate"](x, 4, mode="linear")
    with pytest.raises(ValueError, match="only one of size or scale_factor should be defined"):
        F["interpolate"](x, 4, 2)


def test_grids_of_no_images_or_channels():
    sample = torch.nn.functional.grid_sample
    assert sample(torch.zeros(0, 1, 4, 4), torch.zeros(0, 1, 2, 2), align_corners=False).shape == (0, 1, 1, 2)
    assert sample(torch.zeros(2, 0, 4, 4), torch.zeros(2, 2, 2, 2), align_corners=False).shape == (2, 0, 2, 2)
