"""Padding: with a number, by reflection, by repeating the edge, or around a circle; and the transposes of the last three."""

import numpy as np

from .accumulate import sum_rows
from .arguments import is_half, shape_text
from .layout import keeps_channels_last
from .masks import fill_value

__all__ = ["_pad_by_index", "_pad_by_index_backward", "constant_pad_nd"]


@keeps_channels_last
def constant_pad_nd(input, pad, value=0):
    """``input`` with ``pad`` = (left, right) of the last dimension, then of the one before, ... added; negative crops."""
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    count = len(pad) // 2
    if count > input.ndim:
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pad)} while the input has {input.ndim} dimensions."
        )
    shape, source, target = [], [], []
    for d, n in enumerate(input.shape):
        k = input.ndim - 1 - d
        left, right = (pad[2 * k], pad[2 * k + 1]) if k < count else (0, 0)
        size = n + left + right
        if size < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {left} and {right} resulted in a negative output size, "
                f"which is invalid. Check dimension {d} of your input."
            )
        shape.append(size)
        source.append(slice(max(0, -left), max(n - max(0, -right), max(0, -left))))
        target.append(slice(max(0, left), max(size - max(0, right), max(0, left))))
    out = np.empty(shape, input.dtype)
    if any(n > 0 for n in pad):
        out.fill(fill_value(0 if value is None else value, input.dtype, "constant_pad_nd"))
    out[tuple(target)] = input[tuple(source)]
    return out


def _indices(n, left, right, mode):
    """Which element of a dimension of size ``n`` each element of the padded dimension repeats."""
    if mode == "circular":
        # what is cropped off goes first, so the circle is the rest
        first, rest = max(-left, 0), n + min(left, 0) + min(right, 0)
        return first + np.arange(-max(left, 0), rest + max(right, 0)) % rest
    places = np.arange(-left, n + right)
    if mode == "replicate":
        return np.clip(places, 0, n - 1)
    places = np.abs(places)
    return np.where(places >= n, 2 * (n - 1) - places, places)


_OTHER = {"reflect": "reflection", "replicate": "replication"}


def _check(input, pad, mode):
    count = len(pad) // 2
    spatial = input.shape[input.ndim - count :]
    if mode != "circular" and 0 in input.shape[input.ndim - count - 1 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
            f"for input, but got: {shape_text(input.shape)}"
        )
    for k, n in enumerate(reversed(spatial)):
        left, right = pad[2 * k], pad[2 * k + 1]
        at = input.ndim - 1 - k
        if mode == "circular":
            if left > n or right > n:
                raise RuntimeError("Padding value causes wrapping around more than once.")
            if n + left + right < 0:
                raise RuntimeError("Negative padding value is resulting in an empty dimension")
        elif mode == "reflect" and (left >= n or right >= n):
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({left}, {right}) at dimension {at} of input {shape_text(input.shape)}"
            )


def _pad_by_index(input, pad, mode):
    """``input`` padded as in ``constant_pad_nd``, with elements of its own: mode reflect, replicate or circular."""
    _check(input, pad, mode)
    out = input
    for k in range(len(pad) // 2):
        left, right = pad[2 * k], pad[2 * k + 1]
        if left or right:
            axis = out.ndim - 1 - k
            out = np.take(out, _indices(out.shape[axis], left, right, mode), axis)
    return out.copy() if out is input else out


def _pad_by_index_backward(grad_output, input_sizes, pad, mode):
    """The transpose of ``_pad_by_index``: every padded element added to the one it repeats."""
    own = grad_output.dtype
    out = grad_output.astype(np.float32) if is_half(own) else grad_output
    for k in range(len(pad) // 2):
        left, right = pad[2 * k], pad[2 * k + 1]
        if not left and not right:
            continue
        axis = out.ndim - 1 - k
        n = input_sizes[axis]
        rows = np.moveaxis(out, axis, 0)
        if left >= 0 and right >= 0 and mode in ("reflect", "replicate", "circular"):
            core = rows[left : left + n].copy()
            before, after = rows[:left], rows[left + n :]
            if mode == "circular":
                core[n - left :] += before
                core[:right] += after
            elif mode == "replicate":
                core[:1] += before.sum(0, keepdims=True)
                core[n - 1 :] += after.sum(0, keepdims=True)
            else:
                core[1 : left + 1] += before[::-1]
                core[n - 1 - right : n - 1] += after[::-1]
        else:
            core = sum_rows(_indices(n, left, right, mode), rows, n)
        out = np.moveaxis(core, 0, axis)
    return out.astype(own, copy=out is grad_output)
