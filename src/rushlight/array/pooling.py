"""Pooling over windows of the last two or three dimensions: maximum, average, adaptive, and their adjoints.

How. Maximum and average are separable: one dimension after the other, each over the taps of that dimension. A tap is a
strided slice, compared with the best so far or added to the sum. Padding is never built: a tap updates only the windows
in which it meets the input. Adaptive windows differ in length by one; their sums come from `np.add.reduceat`, and their
maxima from gathering each window's taps.

Memory. Beyond the results: for each dimension one partly reduced array (average), or one for a block of planes, with a
mask and 32-bit places (maximum).

One-dimensional pooling is the two-dimensional one with a dimension of one; the operators do that, as PyTorch does.
"""

import math

import numpy as np

from .. import dtypes
from .layout import keeps_channels_last
from .rows import each_block
from .widening import is_half, through_float32
from .windows import expand_sizes, pool_output_size, sizes_text, taps

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_avg_pool_backward",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool2d",
    "avg_pool3d",
    "avg_pool_backward",
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
    "max_unpool2d",
    "max_unpool3d",
    "pool_gather",
    "pool_scatter",
]

#: elements of the input in a block of planes that goes through the maximum at once
BLOCK = 1 << 16

_LETTERS = {2: ("H", "W"), 3: ("T", "H", "W")}
_WORDS = {2: "two", 3: "three"}


# Maximum --------------------------------------------------------------------------------------------------------------


@keeps_channels_last
def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Maximum over windows of (N, C, H, W) or (C, H, W): values and the int64 place of each within its H x W plane.

    NaN wins over every number; of equal values the first in the window wins. Raises RuntimeError with PyTorch's text.
    """
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, 2)


@keeps_channels_last
def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """`max_pool2d_with_indices` with one dimension more: (N, C, D, H, W) or (C, D, H, W)."""
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, 3)


def _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, nd):
    name = f"max_pool{nd}d"
    kernel, stride, padding, dilation = _window(name, kernel_size, stride, padding, dilation, nd)
    size = input.shape[-nd:]
    counts = _checked_counts(name, input, kernel, stride, padding, dilation, ceil_mode, nd)
    dtype = input.dtype
    if dtype.kind in "bc":
        kind = dtypes.of(dtype).legacy
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")
    if is_half(dtype):
        input = input.astype(np.float32)
    lead = input.shape[:-nd]
    planes = input.reshape(math.prod(lead), *size)
    values = np.empty((len(planes), *counts), input.dtype)
    indices = np.empty((len(planes), *counts), np.int64)

    def block(number, low, high):
        best, places = planes[low:high], None
        for axis in reversed(range(nd)):
            best, places = _max_along(
                best, places, axis - nd, size, kernel[axis], stride[axis], padding[axis], dilation[axis], counts[axis]
            )
        if best.dtype.kind == "f" and np.isnan(best).any():
            _place_nans(planes[low:high], places, kernel, size, counts, stride, padding, dilation)
        values[low:high], indices[low:high] = best, places

    if planes.size:
        each_block(len(planes), max(1, BLOCK // math.prod(size)), block)
    return values.reshape(*lead, *counts).astype(dtype, copy=False), indices.reshape(*lead, *counts)


def _max_along(best, places, axis, sizes, kernel, stride, padding, dilation, count):
    """One dimension of the maximum: the best of each window along `axis`, and its place in the plane.

    `places` are those found in the later dimensions (None for the last). Going one dimension after the other keeps the
    order of equal values: the first row that holds the maximum wins, and within it the first column.
    """
    size = sizes[axis]
    inner = math.prod(sizes[axis + 1 :]) if axis < -1 else 1
    positions = np.arange(size, dtype=np.int32 if math.prod(sizes) < 2**31 else np.int64) * inner
    positions = positions.reshape(-1, *(1,) * (-axis - 1))
    places = np.broadcast_to(positions, best.shape) if places is None else np.add(places, positions, out=places)
    if padding == 0:
        start = _along(axis, slice(0, (count - 1) * stride + 1, stride))
        # In C order: a copy of a broadcast array keeps its odd strides otherwise, and every later pass pays for them.
        result, chosen = np.array(best[start], order="C"), np.array(places[start], order="C")
    else:
        first = np.arange(count) * stride - padding
        first = np.minimum(np.where(first < 0, first + -(first // dilation) * dilation, first), size - 1)
        result, chosen = best.take(first, axis=axis), places.take(first, axis=axis)
    better = np.empty(result.shape, np.bool_)
    for tap in range(1 if padding == 0 else 0, kernel):
        windows, seen = _meeting((tap,), (size,), (count,), (stride,), (padding,), (dilation,))
        if windows is None:
            continue
        windows, seen = _along(axis, windows[0]), _along(axis, seen[0])
        values, old, mask = best[seen], result[windows], better[windows]
        np.greater(values, old, out=mask)
        np.maximum(values, old, out=old)
        # Arithmetic instead of a masked copy, which branches for each element and takes seven times as long.
        step = np.subtract(places[seen], chosen[windows], out=np.empty(mask.shape, chosen.dtype))
        step *= mask
        chosen[windows] += step
    return result, chosen


def _meeting(tap, size, counts, stride, padding, dilation):
    """Slices (of windows, of input) over the windows in which `tap` meets the input; (None, None) if there are none."""
    windows, seen = [], []
    for t, s, n, st, p, d in zip(tap, size, counts, stride, padding, dilation, strict=True):
        offset = t * d - p
        low = max(0, -(offset // st)) if offset < 0 else 0
        high = min(n, (s - 1 - offset) // st + 1)
        if high <= low:
            return None, None
        windows.append(slice(low, high))
        seen.append(slice(low * st + offset, (high - 1) * st + offset + 1, st))
    return tuple(windows), tuple(seen)


def _place_nans(input, places, kernel, size, counts, stride, padding, dilation):
    """Windows that hold a NaN: the last one in the window wins, as in PyTorch (`value > best or value is NaN`)."""
    plane = np.arange(math.prod(size), dtype=places.dtype).reshape(size)
    for tap in taps(kernel):
        windows, seen = _meeting(tap, size, counts, stride, padding, dilation)
        if windows is not None:
            np.copyto(places[(..., *windows)], plane[seen], where=np.isnan(input[(..., *seen)]))


def _flat(positions, size):
    """Flat places in a plane of `size`, from one vector of positions a dimension, by broadcasting."""
    place = positions[0]
    for s, axis in zip(size[1:], positions[1:], strict=True):
        place = place[..., None] * s + axis
    return place


def pool_gather(input, indices, nd):
    """Values of the last `nd` dimensions of `input` at flat places `indices` (its leading dimensions are the same)."""
    if not indices.size:
        return np.empty(indices.shape, input.dtype)
    count, plane = math.prod(input.shape[: input.ndim - nd]), math.prod(input.shape[input.ndim - nd :])
    rows = np.arange(count, dtype=np.int64).reshape(-1, 1) * plane
    return input.reshape(-1).take(indices.reshape(count, -1) + rows).reshape(indices.shape)


def adaptive_max_pool_backward(grad_output, indices, size, nd):
    """`pool_scatter` for the adaptive maximum. RuntimeError for a cotangent without elements, as PyTorch has it."""
    _check_backward(f"adaptive_max_pool{nd}d", grad_output, nd)
    return pool_scatter(grad_output, indices, size, nd)


def pool_scatter(grad_output, indices, size, nd):
    """Adjoint of `pool_gather`: adds `grad_output` into zeros whose last dimensions are `size`, at `indices`."""
    lead = indices.shape[: indices.ndim - nd]
    count, plane = math.prod(lead), math.prod(size)
    out = np.zeros(count * plane, np.float32 if is_half(grad_output.dtype) else grad_output.dtype)
    if grad_output.size:
        places = indices.reshape(count, -1) + np.arange(count, dtype=np.int64).reshape(-1, 1) * plane
        np.add.at(out, places.reshape(-1), grad_output.reshape(-1).astype(out.dtype, copy=False))
    return out.reshape(*lead, *size).astype(grad_output.dtype, copy=False)


@keeps_channels_last
def max_unpool2d(input, indices, output_size):
    """Puts `input` (N, C, H, W) or (C, H, W) into zeros of `output_size` at the flat places `indices`."""
    return _max_unpool(input, indices, output_size, 2)


def max_unpool3d(input, indices, output_size, stride, padding):
    """`max_unpool2d` with one dimension more. `stride` and `padding` are only checked, as in PyTorch."""
    if len(output_size) == 3 and min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {sizes_text(stride)}")
    return _max_unpool(input, indices, output_size, 3)


def _max_unpool(input, indices, output_size, nd):
    if indices.dtype != np.int64:
        name = dtypes.of(indices.dtype).legacy
        raise RuntimeError(f"elements in indices should be type int64 but got: {name}")
    if len(output_size) != nd:
        what = "two" if nd == 2 else "three"
        raise RuntimeError(
            f"There should be exactly {what} elements "
            + ("(height, width)" if nd == 2 else "(depth, height, width)")
            + f" in output_size, but got {len(output_size)} elements."
        )
    if input.ndim not in (nd + 1, nd + 2):
        raise RuntimeError(
            f"Input to max_unpooling{nd}d should be a {nd + 1}d or {nd + 2}d Tensor, but got a tensor with "
            f"{input.ndim} dimensions."
        )
    if indices.shape != input.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({sizes_text(input.shape)}) but got "
            f"indices tensor with shape: {sizes_text(indices.shape)}"
        )
    for axis in range(1 if input.ndim == nd + 2 else 0, input.ndim):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"max_unpooling{nd}d_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, "
                f"but got {sizes_text(input.shape)} with dimension {axis} being empty."
            )
    lead, plane = input.shape[:-nd], math.prod(output_size)
    wrong = (indices < 0) | (indices >= plane)
    if wrong.any():
        volumes = "x".join(str(s) for s in output_size)
        raise RuntimeError(
            f"Found an invalid max index: {indices[wrong].flat[0]} (output volumes are of size {volumes})"
        )
    count = math.prod(lead)
    out = np.zeros(count * plane, input.dtype)
    if input.size:
        places = indices.reshape(count, -1) + np.arange(count, dtype=np.int64).reshape(-1, 1) * plane
        out[places.reshape(-1)] = input.reshape(-1)
    return out.reshape(*lead, *output_size)


# Average --------------------------------------------------------------------------------------------------------------


@keeps_channels_last
@through_float32
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """Mean over windows of (N, C, H, W) or (C, H, W).

    The divisor is `divisor_override`, else the window's size within the padded input, without the padding if
    `count_include_pad` is False. Raises RuntimeError with PyTorch's text.
    """
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2)


@through_float32
def avg_pool3d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """`avg_pool2d` with one dimension more: (N, C, D, H, W) or (C, D, H, W)."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3)


def _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, nd):
    name = f"avg_pool{nd}d"
    kernel, stride, padding, dilation = _window(name, kernel_size, stride, padding, 1, nd)
    if divisor_override is not None and divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    counts = _checked_counts(name, input, kernel, stride, padding, dilation, ceil_mode, nd)
    if input.dtype.kind not in "f" and input.dtype != np.int64:
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtypes.of(input.dtype).legacy}'")
    total = input
    for axis in reversed(range(nd)):
        total = _sum_taps(total, axis - nd, kernel[axis], stride[axis], padding[axis], counts[axis])
    divisor = _divisors(input.shape[-nd:], counts, kernel, stride, padding, count_include_pad, divisor_override)
    if total.dtype.kind == "i":
        # Rounded towards zero, as C++ divides.
        share = np.abs(total) // np.abs(divisor)
        return (np.sign(total) * np.sign(divisor) * share).astype(input.dtype)
    if total is input:
        return input / np.asarray(divisor, input.dtype)
    return np.divide(total, np.asarray(divisor, total.dtype), out=total)


@through_float32
def avg_pool_backward(
    grad_output, input_size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, nd
):
    """Adjoint of `avg_pool2d` and `avg_pool3d`: spreads each window's share over an array whose last sizes are `input_size`."""
    kernel, padding = expand_sizes(kernel_size, nd), expand_sizes(padding, nd)
    stride = kernel if stride is None or stride == () or stride == [] else expand_sizes(stride, nd)
    counts = grad_output.shape[-nd:]
    size = tuple(input_size)[-nd:]
    divisor = _divisors(size, counts, kernel, stride, padding, count_include_pad, divisor_override)
    share = grad_output / np.asarray(divisor, grad_output.dtype)
    for axis in range(nd):
        share = _spread_taps(share, axis - nd, kernel[axis], stride[axis], padding[axis], size[axis])
    return share


def _sum_taps(x, axis, kernel, stride, padding, count):
    """Window sums along one dimension."""
    size = x.shape[axis]
    if kernel == 1 and stride == 1 and padding == 0 and count == size:
        return x
    shape = list(x.shape)
    shape[axis] = count
    out = np.zeros(shape, x.dtype)
    for tap in range(kernel):
        windows, seen = _meeting((tap,), (size,), (count,), (stride,), (padding,), (1,))
        if windows is not None:
            out[_along(axis, windows[0])] += x[_along(axis, seen[0])]
    return out


def _spread_taps(g, axis, kernel, stride, padding, size):
    """Adjoint of `_sum_taps`."""
    count = g.shape[axis]
    if kernel == 1 and stride == 1 and padding == 0 and count == size:
        return g
    shape = list(g.shape)
    shape[axis] = size
    out = np.zeros(shape, g.dtype)
    for tap in range(kernel):
        windows, seen = _meeting((tap,), (size,), (count,), (stride,), (padding,), (1,))
        if windows is not None:
            out[_along(axis, seen[0])] += g[_along(axis, windows[0])]
    return out


def _along(axis, part):
    return (..., part, *(slice(None),) * (-axis - 1))


def _divisors(size, counts, kernel, stride, padding, count_include_pad, divisor_override):
    """What each window's sum is divided by: a number, or an array over the windows."""
    if divisor_override is not None:
        return divisor_override
    result = np.ones((), np.int64)
    for s, n, k, st, p in zip(size, counts, kernel, stride, padding, strict=True):
        start = np.arange(n, dtype=np.int64) * st - p
        end = np.minimum(start + k, s + p)
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, s)
        result = result[..., None] * (end - start)
    return math.prod(kernel) if result.size and (result == math.prod(kernel)).all() else result


# Adaptive -------------------------------------------------------------------------------------------------------------


@keeps_channels_last
@through_float32
def adaptive_avg_pool2d(input, output_size):
    """Mean over windows that divide (N, C, H, W) or (C, H, W) into `output_size`; None keeps a dimension."""
    return _adaptive_avg_pool(input, output_size, 2)


@through_float32
def adaptive_avg_pool3d(input, output_size):
    """`adaptive_avg_pool2d` with one dimension more."""
    return _adaptive_avg_pool(input, output_size, 3)


def _adaptive_avg_pool(input, output_size, nd):
    name = f"adaptive_avg_pool{nd}d"
    if len(output_size) != nd:
        raise RuntimeError(f"{name}: output_size must be {nd}")
    output_size = tuple(s if o is None else int(o) for o, s in zip(output_size, input.shape[-nd:], strict=True))
    if min(output_size) < 0:
        given = f"{{{output_size[0]}, " + ",".join(str(o) for o in output_size[1:]) + "}"
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {given}")
    if input.ndim not in (nd + 1, nd + 2):
        raise RuntimeError(f"{name}(): Expected {nd + 1}D or {nd + 2}D tensor, but got {sizes_text(input.shape)}")
    _need_floating(input, name)
    _check_storage((*input.shape[:-nd], *output_size))
    if 0 in input.shape[-nd:]:
        with np.errstate(invalid="ignore"):
            return np.full((*input.shape[:-nd], *output_size), np.nan, input.dtype)
    for axis in range(nd):
        input = _mean_windows(input, axis - nd, output_size[axis])
    return np.array(input) if input.base is not None else input


@through_float32
def adaptive_avg_pool_backward(grad_output, input_size, nd):
    """Adjoint of the adaptive averages: an array whose last dimensions are `input_size`'s."""
    _check_backward(f"adaptive_avg_pool{nd}d", grad_output, nd)
    for axis in range(nd):
        grad_output = _spread_windows(grad_output, axis - nd, tuple(input_size)[axis - nd])
    return grad_output


def _check_storage(shape):
    if math.prod(shape) >= 2**61:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={sizes_text(shape)}")


def _check_backward(name, grad_output, nd):
    for axis in range(grad_output.ndim - nd - 1, grad_output.ndim):
        if grad_output.shape[axis] == 0:
            raise RuntimeError(
                f"{name}_backward(): Expected grad_output to have non-zero size for non-batch dimensions, but grad_output has sizes "
                f"{sizes_text(grad_output.shape)} with dimension {axis} being empty"
            )


def adaptive_windows(size, count):
    """Starts and ends of the `count` adaptive windows over `size` positions."""
    i = np.arange(count, dtype=np.int64)
    return i * size // max(count, 1), -(-(i + 1) * size // max(count, 1))


def _segment_sums(x, axis, starts, ends):
    """Sums of x[start:end] along `axis`; the segments may overlap, none is empty."""
    size = x.shape[axis]
    pairs = np.stack([starts, ends], axis=1).reshape(-1)
    if pairs.size and pairs.max() >= size:
        # reduceat wants every index inside, so a last element of zero stands for the end.
        shape = list(x.shape)
        shape[axis] = 1
        x = np.concatenate([x, np.zeros(shape, x.dtype)], axis=axis)
    return np.add.reduceat(x, pairs, axis=axis)[_along(axis, slice(None, None, 2))]


def _mean_windows(x, axis, count):
    size = x.shape[axis]
    if count == size:
        return x
    if count == 0:
        shape = list(x.shape)
        shape[axis] = 0
        return np.zeros(shape, x.dtype)
    if size % count == 0:
        axis += x.ndim
        return x.reshape(*x.shape[:axis], count, size // count, *x.shape[axis + 1 :]).mean(axis=axis + 1)
    starts, ends = adaptive_windows(size, count)
    lengths = (ends - starts).astype(x.dtype).reshape(-1, *(1,) * (-axis - 1))
    return _segment_sums(x, axis, starts, ends) / lengths


def _spread_windows(g, axis, size):
    count = g.shape[axis]
    if count == size:
        return g
    if count == 0 or size == 0:
        shape = list(g.shape)
        shape[axis] = size
        return np.zeros(shape, g.dtype)
    starts, ends = adaptive_windows(size, count)
    share = g / (ends - starts).astype(g.dtype).reshape(-1, *(1,) * (-axis - 1))
    if size % count == 0:
        return np.repeat(share, size // count, axis=axis)
    # Position j lies in the windows first..last: starts and ends grow, so both come from a search.
    positions = np.arange(size)
    first = np.searchsorted(ends, positions, side="right")
    last = np.searchsorted(starts, positions, side="right")
    return _segment_sums(share, axis, first, last)


@keeps_channels_last
def adaptive_max_pool2d(input, output_size):
    """Maximum over adaptive windows of (N, C, H, W) or (C, H, W): values and flat int64 places."""
    return _adaptive_max_pool(input, output_size, 2)


def adaptive_max_pool3d(input, output_size):
    """`adaptive_max_pool2d` with one dimension more."""
    return _adaptive_max_pool(input, output_size, 3)


def _adaptive_max_pool(input, output_size, nd):
    name = f"adaptive_max_pool{nd}d"
    if input.ndim not in (nd + 1, nd + 2):
        raise RuntimeError(f"{name}(): Expected {nd + 1}D or {nd + 2}D tensor, but got: {sizes_text(input.shape)}")
    for axis in range(input.ndim - nd - 1, input.ndim):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{sizes_text(input.shape)} with dimension {axis} being empty"
            )
    if len(output_size) != nd:
        raise RuntimeError(f"{name}(): internal error: output_size.size() must be {nd}")
    size = input.shape[-nd:]
    output_size = tuple(s if o is None else int(o) for o, s in zip(output_size, size, strict=True))
    shape = (*input.shape[:-nd], *output_size)
    for o in output_size:
        if o < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {o}: {sizes_text(shape)}")
    _need_floating(input, name)
    _check_storage(shape)
    dtype = input.dtype
    if is_half(dtype):
        input = input.astype(np.float32)
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype), np.zeros(shape, np.int64)
    # Shorter windows repeat their last position: it never beats itself, so the repetition changes nothing.
    positions = []
    for s, o in zip(size, output_size, strict=True):
        starts, ends = adaptive_windows(s, o)
        reach = int((ends - starts).max())
        positions.append(np.minimum(starts[:, None] + np.arange(reach), (ends - 1)[:, None]))
    best = places = None
    for tap in taps([p.shape[1] for p in positions]):
        chosen = [p[:, t] for p, t in zip(positions, tap, strict=True)]
        values = input
        for axis, rows in enumerate(chosen):
            values = values.take(rows, axis=input.ndim - nd + axis)
        place = _flat(chosen, size)
        if best is None:
            best, places = values, np.broadcast_to(place, shape).copy()
            continue
        better = (values > best) | np.isnan(values)
        np.copyto(best, values, where=better)
        np.copyto(places, place, where=better)
    return best.astype(dtype, copy=False), places


# Checks ---------------------------------------------------------------------------------------------------------------


def _need_floating(input, name):
    if input.dtype.kind != "f":
        if not is_half(input.dtype):
            kind = dtypes.of(input.dtype).legacy
            raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")


def _window(name, kernel_size, stride, padding, dilation, nd):
    """The window's four sizes as tuples, checked for their number."""
    word = _WORDS[nd]
    article = "must be a" if name == "avg_pool3d" else "must either be a"
    omitted = "must be" if name == "avg_pool3d" else "must either be"

    def expanded(value, text):
        if isinstance(value, (int, np.integer)):
            return (int(value),) * nd
        value = tuple(value)
        if len(value) not in (1, nd):
            raise RuntimeError(f"{name}: {text}")
        return expand_sizes(value, nd)

    kernel = expanded(kernel_size, f"kernel_size {article} single int, or a tuple of {word} ints")
    if stride is None or (not isinstance(stride, (int, np.integer)) and len(stride) == 0):
        stride = kernel
    else:
        stride = expanded(stride, f"stride {omitted} omitted, a single int, or a tuple of {word} ints")
    padding = expanded(padding, f"padding {article} single int, or a tuple of {word} ints")
    dilation = expanded(dilation, f"dilation must be either a single int, or a tuple of {word} ints")
    return kernel, stride, padding, dilation


def _checked_counts(name, input, kernel, stride, padding, dilation, ceil_mode, nd):
    """Windows in each dimension, after PyTorch's checks of the window and of the input's shape."""
    if input.ndim not in (nd + 1, nd + 2):
        if name == "avg_pool2d" and input.ndim < 3:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{input.ndim}, {input.ndim - 1}], but got -3)"
            )
        raise RuntimeError(f"non-empty {nd + 1}D or {nd + 2}D (batch mode) tensor expected for input")
    if min(stride) == 0:
        raise RuntimeError("stride should not be zero")
    counts = []
    for s, k, st, p, d in zip(input.shape[-nd:], kernel, stride, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
            )
        counts.append(pool_output_size(s, k, st, p, d, ceil_mode))
    if any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        _raise_half_padding(kernel, padding, nd)
    letters = _LETTERS[nd]
    if min(kernel) <= 0:
        text = " ".join(f"k{letter}: {k}" for letter, k in zip(letters, kernel, strict=True))
        raise RuntimeError(f"kernel size should be greater than zero, but got {text}")
    if min(stride) < 0:
        text = " ".join(f"d{letter}: {s}" for letter, s in zip(letters, stride, strict=True))
        raise RuntimeError(f"stride should be greater than zero, but got {text}")
    if min(dilation) <= 0:
        text = " ".join(f"dilation{letter}: {d}" for letter, d in zip(letters, dilation, strict=True))
        raise RuntimeError(f"dilation should be greater than zero, but got {text}")
    batched = input.ndim == nd + 2
    if nd == 2 and 0 in input.shape[1 if batched else 0 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            + sizes_text(input.shape)
        )
    if nd == 3:
        if 0 in input.shape[1 if batched else 0 :]:
            # PyTorch names dimension 0 whichever is empty.
            where = "max_pool3d_with_indices_out_cpu_template()" if name == "max_pool3d" else "avg_pool3d()"
            raise RuntimeError(
                f"{where}: Expected input's non-batch dimensions to have positive length, but input has a shape of "
                f"{sizes_text(input.shape)} and non-batch dimension 0 has length zero!"
            )
        if name == "avg_pool3d" and any(s + p < k for s, p, k in zip(input.shape[-3:], padding, kernel, strict=True)):
            texts = []
            for prefix, values in (("", input.shape[-3:]), ("k", kernel)):
                texts.append(" ".join(f"{prefix}{a}: {v}" for a, v in zip(letters, values, strict=True)))
            raise RuntimeError(f"input image ({texts[0]}) smaller than kernel size ({texts[1]})")
    if min(counts) < 1:
        channels = input.shape[-nd - 1]
        before = "x".join(str(s) for s in (channels, *input.shape[-nd:]))
        after = "x".join(str(s) for s in (channels, *counts))
        raise RuntimeError(f"Given input size: ({before}). Calculated output size: ({after}). Output size is too small")
    return tuple(counts)


def _raise_half_padding(kernel, padding, nd):
    if nd == 2:
        text = f"padW = {padding[1]}, padH = {padding[0]}, kW = {kernel[1]}, kH = {kernel[0]}"
    else:
        text = (
            f"kT: {kernel[0]} kW: {kernel[2]} kH: {kernel[1]} padT: {padding[0]} padW: {padding[2]} padH: {padding[1]}"
        )
    raise RuntimeError(f"pad should be smaller than or equal to half of kernel size, but got {text}")
