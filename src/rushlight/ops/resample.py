"""Resizing and resampling images and volumes, and moving channels into space and back."""

import itertools
import math
import warnings

from ..array import grid as grid_kernels
from ..array import resample as kernels
from . import undifferentiable
from .functional import functional
from .recompute import pull_through
from .table import PLACES, RAW, composite, differentiable

# interpolate ----------------------------------------------------------------------------------------------------------


def _pull(F, g, input_shape, output_size, mode, align_corners, scale_factors):
    return F._upsample_backward(g, output_size, tuple(input_shape), mode, align_corners, scale_factors)


differentiable(
    "_upsample_backward",
    kernels.upsample_backward,
    vjp=dict(
        grad_output=lambda F, g, output_size, mode, align_corners, scale_factors: F._upsample(
            g, output_size, mode, align_corners, scale_factors
        )
    ),
    linear=True,
)

#: PyTorch's mode and the input's dimensions -> (the kernel's mode, the node's name)
_MODES = {
    **{("nearest", n): ("nearest", f"UpsampleNearest{n - 2}DBackward0") for n in (3, 4, 5)},
    **{("nearest-exact", n): ("nearest-exact", f"UpsampleNearestExact{n - 2}DBackward0") for n in (3, 4, 5)},
    ("linear", 3): ("linear", "UpsampleLinear1DBackward0"),
    ("bilinear", 4): ("linear", "UpsampleBilinear2DBackward0"),
    ("trilinear", 5): ("linear", "UpsampleTrilinear3DBackward0"),
    ("bicubic", 4): ("cubic", "UpsampleBicubic2DBackward0"),
    ("bilinear-aa", 4): ("linear-aa", "UpsampleBilinear2DAaBackward0"),
    ("bicubic-aa", 4): ("cubic-aa", "UpsampleBicubic2DAaBackward0"),
    ("lanczos-aa", 4): ("lanczos-aa", "UpsampleLanczos2DAaBackward0"),
}
_OPERATORS = {}
differentiable("_upsample", kernels.upsample, vjp=_pull, linear=True)
for (_mode, _dims), (_kind, _node) in _MODES.items():
    _name = "_upsample_" + _mode.replace("-", "_") + f"{_dims - 2}d"
    differentiable(_name, kernels.upsample, vjp=_pull, linear=True, node_name=_node)
    _OPERATORS[_mode, _dims] = _name, _kind


def _sizes(input, size, scale_factor, mode, recompute_scale_factor):
    """(output size, scale factors or None), after PyTorch's checks of the two arguments."""
    spatial = [int(s) for s in tuple(input.shape)[2:]]
    count = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        if not isinstance(size, (list, tuple)):
            return [int(size)] * count, None
        if len(size) != count:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
                f"{spatial} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
                "output size in (o1, o2, ...,oK) format."
            )
        if not all(hasattr(s, "__index__") for s in size):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size with "
                f"types {[type(s) for s in size]}"
            )
        return [int(s) for s in size], None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(scale_factor, (list, tuple)):
        if len(scale_factor) != count:
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {spatial} and scale_factor of shape {scale_factor}. Please provide input tensor in (N, C, "
                "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
        factors = [float(f) for f in scale_factor]
    else:
        factors = [float(scale_factor)] * count
    output = [math.floor(s * f) for s, f in zip(spatial, factors)]
    return output, None if recompute_scale_factor or mode == "area" else tuple(factors)


@functional("interpolate")
def interpolate(
    F,
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """`input` (N, C, *S) resized to `size` or by `scale_factor`.

    Modes: nearest, nearest-exact, area (1 to 3 dimensions), linear, bilinear, bicubic, trilinear (as many as they say),
    lanczos; `antialias` for the two-dimensional ones. NotImplementedError for a mode and a number of dimensions that do
    not fit.
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    output, factors = _sizes(input, size, scale_factor, mode, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "area" and input.ndim in (3, 4, 5):
        pool = (F.adaptive_avg_pool1d, F._nn_adaptive_avg_pool2d, F._nn_adaptive_avg_pool3d)[input.ndim - 3]
        return pool(input, output)
    if mode == "lanczos" and input.ndim == 4:
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    found = _OPERATORS.get((mode + "-aa" if antialias else mode, input.ndim))
    if found is None:
        needed = {"linear": 3, "bilinear": 4, "trilinear": 5}
        if mode in needed and input.ndim in (3, 4, 5):
            raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {needed[mode]}D input")
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | linear | "
            f"bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    name, kind = found
    return getattr(F, name)(input, tuple(output), kind, bool(align_corners), factors)


@functional("upsample")
def upsample(F, input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate` by its older name."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3)
    return F._nn_interpolate(input, size, scale_factor, mode, align_corners)


@functional("upsample_nearest")
def upsample_nearest(F, input, size=None, scale_factor=None):
    """`interpolate` with mode 'nearest', by its older name."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3
    )
    return F._nn_interpolate(input, size, scale_factor, "nearest")


@functional("upsample_bilinear")
def upsample_bilinear(F, input, size=None, scale_factor=None):
    """`interpolate` with mode 'bilinear' and aligned corners, by its older name."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3
    )
    return F._nn_interpolate(input, size, scale_factor, "bilinear", True)


# Grids ----------------------------------------------------------------------------------------------------------------


differentiable("_grid_pieces", grid_kernels.pieces, returns="list")


def _compose_grid(interpolation_mode, padding_mode, align_corners):
    """`grid_sampler` from differentiable operators, for derivatives of its derivatives."""
    taps = {grid_kernels.BILINEAR: 2, grid_kernels.NEAREST: 1, grid_kernels.BICUBIC: 4}[interpolation_mode]

    def compose(F, input, grid):
        samples, channels, *sizes = input.shape
        count, nd = math.prod(grid.shape[1:-1]), len(sizes)
        pieces = F._grid_pieces(grid.detach(), tuple(sizes), interpolation_mode, padding_mode, align_corners)
        axes = []
        for axis, size in enumerate(sizes):
            sign, offset, *pairs = pieces[axis * (2 + 2 * taps) :][: 2 + 2 * taps]
            coordinate = F.reshape(F.select(grid, -1, nd - 1 - axis), (samples, count))
            scale = (size - 1) / 2 if align_corners else size / 2
            place = (coordinate + 1) * scale - (0 if align_corners else 0.5)
            weights = _grid_weights(F, place * sign + offset, taps)
            axes.append(
                [(at, mask if w is None else w * mask) for at, mask, w in zip(pairs[::2], pairs[1::2], weights)]
            )
        flat = F.reshape(input, (samples, channels, math.prod(sizes)))
        total = 0
        for chosen in itertools.product(*axes):
            place, weight = chosen[0]
            for (position, share), size in zip(chosen[1:], sizes[1:]):
                place, weight = place * size + position, weight * share
            where = F.expand(F.unsqueeze(place, 1), (samples, channels, count))
            total = F.gather(flat, 2, where) * F.unsqueeze(weight, 1) + total
        return F.reshape(total, (samples, channels, *grid.shape[1:-1]))

    return compose


def _grid_weights(F, part, taps):
    """Weights of the taps along one dimension as functions of the fraction; None for 1."""
    if taps == 1:
        return (None,)
    if taps == 2:
        return 1 - part, part
    a = -0.75

    def outer(x):
        return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a

    def inner(x):
        return ((x * (a + 2) - (a + 3)) * x) * x + 1

    return outer(part + 1), inner(part), inner(1 - part), outer(2 - part)


def _pull_grid(F, g, needs, input, grid, interpolation_mode, padding_mode, align_corners):
    options = (interpolation_mode, padding_mode, align_corners)
    if F is RAW:
        return grid_kernels.grid_sampler_backward(g, input, grid, *options, needs)
    pulled = pull_through(_compose_grid(*options), (input, grid), g)
    if interpolation_mode == grid_kernels.NEAREST and needs[1]:
        # The result jumps with the grid and has the derivative zero in between.
        return (None if pulled[0] is None else F._tied(pulled[0], grid)), F._tied(F.zeros_like(grid), grid)
    return pulled


for _nd in (2, 3):
    differentiable(
        f"grid_sampler_{_nd}d",
        grid_kernels.grid_sampler,
        vjp_all=_pull_grid,
        jvp=dict.fromkeys(("input", "grid"), undifferentiable.tangent(f"grid_sampler_{_nd}d")),
        node_name=f"GridSampler{_nd}DBackward0",
        method=False,
    )


@composite("grid_sampler", method=False)
def grid_sampler(F, input, grid, interpolation_mode, padding_mode, align_corners):
    """torch.grid_sampler: `grid_sample` with numbers for the modes (0, 1, 2 in the order of its docstring)."""
    grid_kernels.check(input, grid, interpolation_mode)
    sample = F.grid_sampler_2d if input.ndim == 4 else F.grid_sampler_3d
    return sample(input, grid, interpolation_mode, padding_mode, align_corners)


@functional("grid_sample")
def grid_sample(F, input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """`input` (N, C, H, W) read at the places `grid` (N, h, w, 2), or (N, C, D, H, W) at (N, d, h, w, 3), which run from -1 to 1.

    `mode`: bilinear, nearest, bicubic (2-D only). `padding_mode`: zeros, border, reflection. The grid's last dimension
    is (x, y[, z]).
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=3,
        )
        align_corners = False
    number = ("bilinear", "nearest", "bicubic").index(mode)
    return F.grid_sampler(input, grid, number, ("zeros", "border", "reflection").index(padding_mode), align_corners)


def _pull_affine(F, g, size, align_corners):
    base = _base_grid(F, g, size, align_corners)
    flat = F.reshape(g, (size[0], math.prod(size[2:]), len(size) - 2))
    return F.matmul(F.transpose(flat, 1, 2), base)


def _base_grid(F, like, size, align_corners):
    array = grid_kernels.base_grid(size, align_corners, like.dtype if F is RAW else like.dtype.numpy)
    if F is RAW:
        return array
    from ..tensor import wrap

    return wrap(array)


differentiable(
    "affine_grid_generator",
    grid_kernels.affine_grid_generator,
    vjp=dict(theta=_pull_affine),
    linear=True,
    method=False,
)


@functional("affine_grid")
def affine_grid(F, theta, size, align_corners=None):
    """The grid that reads an image through the affine maps `theta` (N, 2, 3) or (N, 3, 4); `size` is the output's (N, C, *)."""
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=3,
        )
        align_corners = False
    if not theta.dtype.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) == 4:
        if theta.ndim != 3 or theta.shape[-2] != 2 or theta.shape[-1] != 3:
            raise ValueError(
                f"Expected a batch of 2D affine matrices of shape Nx2x3 for size {size}. Got {theta.shape}."
            )
    elif len(size) == 5:
        if theta.ndim != 3 or theta.shape[-2] != 3 or theta.shape[-1] != 4:
            raise ValueError(
                f"Expected a batch of 3D affine matrices of shape Nx3x4 for size {size}. Got {theta.shape}."
            )
    else:
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not "
            "an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=3,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return F.affine_grid_generator(theta, tuple(int(s) for s in size), align_corners)


# Channels and space ---------------------------------------------------------------------------------------------------

differentiable(
    "pixel_shuffle",
    kernels.pixel_shuffle,
    vjp=lambda F, g, upscale_factor: F.pixel_unshuffle(g, upscale_factor),
    linear=True,
    method=False,
)
differentiable(
    "pixel_unshuffle",
    kernels.pixel_unshuffle,
    vjp=lambda F, g, downscale_factor: F.pixel_shuffle(g, downscale_factor),
    linear=True,
    method=False,
)
differentiable(
    "channel_shuffle",
    kernels.channel_shuffle,
    aliases=("native_channel_shuffle",),
    vjp=lambda F, g, groups: F.channel_shuffle(g, g.shape[1] // groups),
    linear=True,
    method=False,
)
for _name in ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle"):
    PLACES["nn.functional"][_name] = PLACES[""][_name]
