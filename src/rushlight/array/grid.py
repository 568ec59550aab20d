"""Reading images and volumes at the places a grid names (grid_sample), and making affine grids.

How. Along each dimension a place reads a few positions (taps) with weights: one for nearest, two for bilinear, four for
bicubic. The result sums, over all combinations of taps, gathered values times the product of the weights; the loop goes
over the combinations. Padding changes the place (border, reflection) or makes taps outside count for nothing (zeros).

Memory. The taps and weights of every place, and one gathered array of the result's size.

Source of the reflections, of the cubic weights (a = -0.75) and of what is differentiable: PyTorch's definition.
"""

import itertools
import math

import numpy as np

from .. import dtypes
from .resample import cubic_weights
from .widening import through_float32
from .windows import sizes_text

__all__ = ["affine_grid_generator", "base_grid", "check", "grid_sampler", "grid_sampler_backward", "pieces"]

BILINEAR, NEAREST, BICUBIC = 0, 1, 2
ZEROS, BORDER, REFLECTION = 0, 1, 2


def check(input, grid, interpolation_mode):
    """PyTorch's RuntimeErrors for an input and a grid that do not fit together."""
    for value, name in ((input, "input"), (grid, "grid")):
        if value is None:
            raise RuntimeError(f"grid_sampler(): expected {name} to not be undefined")
    if input.dtype != grid.dtype and input.dtype is not grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {_kind(input)} and grid has {_kind(grid)}"
        )
    shape, places = tuple(input.shape), tuple(grid.shape)
    if shape[:1] != places[:1]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{sizes_text(shape)} and grid with sizes {sizes_text(places)}"
        )
    if places[-1:] != (len(shape) - 2,):
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {len(shape) - 2} in last dimension, but got grid with sizes "
            f"{sizes_text(places)}"
        )
    for axis in range(2, len(shape)):
        if shape[axis] <= 0:
            raise RuntimeError(
                f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {sizes_text(shape)} "
                f"with dimension {axis} being empty"
            )
    if len(shape) not in (4, 5) or len(shape) != len(places):
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{sizes_text(shape)} and grid with sizes {sizes_text(places)}"
        )
    if len(shape) == 5 and interpolation_mode == BICUBIC:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _kind(value):
    dtype = value.dtype  # a tensor's, or an array's
    return (dtype if isinstance(dtype, dtypes.dtype) else dtypes.of(dtype)).cpp_name


@through_float32
def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """`input` (N, C, *S) at the places `grid` (N, *L, dims), whose last dimension runs x, y(, z): (N, C, *L)."""
    axes = _all_taps(input.shape, grid, interpolation_mode, padding_mode, align_corners)
    flat = input.reshape(*input.shape[:2], math.prod(input.shape[2:]))
    out = np.zeros((*input.shape[:2], math.prod(grid.shape[1:-1])), input.dtype)
    for taps in itertools.product(*axes):
        place, weight = _combined(taps, input.shape[2:])
        out += np.take_along_axis(flat, place[:, None, :], 2) * weight[:, None, :]
    return out.reshape(*input.shape[:2], *grid.shape[1:-1])


@through_float32
def grid_sampler_backward(grad_output, input, grid, interpolation_mode, padding_mode, align_corners, output_mask):
    """Cotangents of (input, grid) of `grid_sampler`; None where `output_mask` is False."""
    samples, channels = input.shape[:2]
    nd, plane = input.ndim - 2, math.prod(input.shape[2:])
    axes = _all_taps(input.shape, grid, interpolation_mode, padding_mode, align_corners)
    g = grad_output.reshape(samples, channels, math.prod(grid.shape[1:-1]))
    flat = input.reshape(samples, channels, plane)
    gx = np.zeros(samples * channels * plane, input.dtype) if output_mask[0] else None
    slopes = [np.zeros((samples, g.shape[2]), input.dtype) for _ in range(nd)] if output_mask[1] else None
    rows = np.arange(samples * channels, dtype=np.int64).reshape(samples, channels, 1) * plane
    for taps in itertools.product(*axes):
        place, weight = _combined(taps, input.shape[2:])
        if gx is not None:
            np.add.at(gx, (rows + place[:, None, :]).reshape(-1), (g * weight[:, None, :]).reshape(-1))
        if slopes is not None and interpolation_mode != NEAREST:
            along = np.einsum("ncp,ncp->np", np.take_along_axis(flat, place[:, None, :], 2), g)
            for axis in range(nd):
                factor = along * taps[axis][2]
                for other in range(nd):
                    if other != axis:
                        factor = factor * taps[other][1]
                slopes[axis] += factor
    gg = None
    if slopes is not None:
        gg = np.stack(slopes[::-1], axis=-1).reshape(grid.shape)
    return None if gx is None else gx.reshape(input.shape), gg


def _combined(taps, size):
    """Flat places and weights of one tap along each dimension."""
    place, weight = taps[0][0], taps[0][1]
    for (position, share, _), s in zip(taps[1:], size[1:], strict=True):
        place, weight = place * s + position, weight * share
    return place, weight


def _all_places(grid, sizes, interpolation_mode, align_corners):
    """For each spatial dimension (of one of ``sizes``) the places (N, P) that a grid names, counted in positions of the input."""
    nd = len(sizes)
    # the slopes of cubic weights are differences of larger terms
    working = np.float64 if interpolation_mode == BICUBIC else grid.dtype
    for axis, size in enumerate(sizes):
        coordinate = grid[..., nd - 1 - axis].reshape(grid.shape[0], math.prod(grid.shape[1:-1]))
        place = (coordinate + 1) * np.asarray(_scale(size, align_corners), working)
        if not align_corners:
            place -= np.asarray(0.5, working)
        yield place


def _scale(size, align_corners):
    return (size - 1) / 2 if align_corners else size / 2


def _all_taps(shape, grid, *options):
    """For each spatial dimension its taps: (positions (N, P), weights, derivatives of the weights by the grid)."""
    interpolation_mode, _, align_corners = options
    places = _all_places(grid, shape[2:], interpolation_mode, align_corners)
    return [_taps(place, size, *options) for place, size in zip(places, shape[2:])]


def _taps(place, size, interpolation_mode, padding_mode, align_corners):
    part, sign, positions = _parts(place, size, interpolation_mode, padding_mode, align_corners)
    scale = place.dtype.type(_scale(size, align_corners))
    if interpolation_mode == NEAREST:
        weights, slopes = [np.ones_like(part)], [np.zeros_like(part)]
    elif interpolation_mode == BICUBIC:
        weights, slopes = cubic_weights(part, -0.75), _cubic_slopes(part, -0.75) * scale
    else:
        weights, slopes = [1 - part, part], [-sign * scale, sign * scale]
    return [_inside(position, size, *pair) for position, *pair in zip(positions, weights, slopes)]


def _parts(place, size, interpolation_mode, padding_mode, align_corners):
    """What taps weigh by: the fraction of a place and its derivative by the place, and the taps' positions."""
    if interpolation_mode == BICUBIC:
        low = np.floor(place)
        positions = [_padded(low + (tap - 1), size, padding_mode, align_corners)[0] for tap in range(4)]
        return place - low, np.ones_like(place), positions
    place, sign = _padded(place, size, padding_mode, align_corners)
    if interpolation_mode == NEAREST:
        return place, sign, [np.rint(place)]
    low = np.floor(place)
    return place - low, sign, [low, low + 1]


@through_float32
def pieces(grid, sizes, interpolation_mode, padding_mode, align_corners):
    """What of `grid_sampler` is constant between its kinks, for derivatives of its derivatives.

    For each spatial dimension (of one of `sizes`): ``sign`` and ``offset``, by which a fraction is ``sign * place + offset``, then the
    position and the mask (0 outside of the input) of each tap; all of them (N, P).
    """
    found = []
    for place, size in zip(_all_places(grid, sizes, interpolation_mode, align_corners), sizes):
        part, sign, positions = _parts(place, size, interpolation_mode, padding_mode, align_corners)
        found += [sign.astype(grid.dtype), (part - sign * place).astype(grid.dtype)]
        one = np.ones_like(part)
        for position in positions:
            position, mask, _ = _inside(position, size, one, one)
            found += [position, mask.astype(grid.dtype)]
    return tuple(found)


def _inside(position, size, weight, slope):
    """Integer positions; where one lies outside the input (or is NaN) it reads position 0 with weight 0."""
    inside = (position >= 0) & (position <= size - 1)
    zero = np.zeros((), weight.dtype)
    return (
        np.where(inside, position, 0).astype(np.int64),
        np.where(inside, weight, zero),
        np.where(inside, slope, zero),
    )


def _padded(place, size, padding_mode, align_corners):
    """Places after padding, and the derivative (-1, 0 or 1) of each by the place before."""
    sign = np.ones_like(place)
    if padding_mode == ZEROS:
        return place, sign
    if padding_mode == REFLECTION:
        low, high = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
        if low == high:
            return np.zeros_like(place), np.zeros_like(place)
        start, span = low / 2, (high - low) / 2
        distance = place - start
        sign = np.where(distance < 0, -sign, sign)
        distance = np.abs(distance)
        with np.errstate(invalid="ignore"):
            extra, odd = np.fmod(distance, span), np.floor(distance / span) % 2 != 0
        place = np.where(odd, span - extra + start, extra + start).astype(place.dtype)
        sign = np.where(odd, -sign, sign)
    sign = np.where((place <= 0) | (place >= size - 1), np.zeros((), sign.dtype), sign)
    place = np.where(np.isnan(place), np.zeros((), place.dtype), place)  # as PyTorch's max(place, 0)
    return np.clip(place, 0, size - 1), sign


def _cubic_slopes(part, a):
    def outer(x):
        return (3 * a * x - 10 * a) * x + 8 * a

    def inner(x):
        return (3 * (a + 2) * x - 2 * (a + 3)) * x

    return np.stack([outer(part + 1), inner(part), -inner(1 - part), -outer(2 - part)])


# Affine grids ---------------------------------------------------------------------------------------------------------


def base_grid(size, align_corners, dtype):
    """Homogeneous coordinates (positions, dims + 1) of an output of `size` (N, C, *S), x first, a one last."""
    lines = []
    for s in size[2:]:
        line = np.linspace(-1, 1, s, dtype=dtype) if s > 1 else np.zeros(s, dtype)
        lines.append(line if align_corners or s == 0 else line * np.asarray((s - 1) / s, dtype))
    wide = np.meshgrid(*lines, indexing="ij")
    columns = [axis.reshape(-1) for axis in reversed(wide)]
    return np.stack([*columns, np.ones(math.prod(size[2:]), dtype)], axis=1)


@through_float32
def affine_grid_generator(theta, size, align_corners):
    """The places (N, *S, dims) that the affine maps `theta` (N, dims, dims + 1) give to an output of `size`."""
    base = base_grid(size, align_corners, theta.dtype)
    return np.matmul(base, theta.swapaxes(1, 2)).reshape(size[0], *size[2:], len(size) - 2)
