"""``torch.nn.functional.pad`` in all its modes; each mode's backward is its transpose, declared beside it."""

from ..array import pad as kernels
from .functional import functional
from .table import differentiable

_private = dict(method=False, function=False)


def _node_name(values):
    """PyTorch's name: one for each mode and number of dimensions; circular padding is written in slices there."""
    _, pad, mode = values
    if mode == "circular":
        return "CopySlices"
    return f"{'Reflection' if mode == 'reflect' else 'Replication'}Pad{len(pad) // 2}DBackward0"


differentiable(
    *("constant_pad_nd", kernels.constant_pad_nd),
    **dict(vjp=lambda F, g, pad: F.constant_pad_nd(g, tuple([-n for n in pad]), 0), method=False),
)
differentiable(
    *("_pad_by_index", kernels._pad_by_index),
    **dict(vjp=lambda F, g, x_shape, pad, mode: F._pad_by_index_backward(g, tuple(x_shape), pad, mode), linear=True),
    **dict(node_name=_node_name, **_private),
)
differentiable(
    *("_pad_by_index_backward", kernels._pad_by_index_backward),
    **dict(vjp=lambda F, g, pad, mode: F._pad_by_index(g, pad, mode), linear=True, **_private),
)


@functional("pad")
def pad(F, input, pad, mode="constant", value=None):
    pad = tuple(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.ndim}"
        )
    if mode == "constant":
        return F.constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if (len(pad), input.ndim) not in ((2, 2), (2, 3), (4, 3), (4, 4), (6, 4), (6, 5)):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    return F._pad_by_index(input, pad, mode)
