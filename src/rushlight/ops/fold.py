"""unfold and fold: sliding blocks as columns, and columns added into images. Each is the other's transpose."""

from ..array import fold as kernels
from ..array.windows import expand_sizes
from .functional import functional
from .table import differentiable

differentiable(
    "im2col",
    kernels.im2col,
    vjp=lambda F, g, x_shape, kernel_size, dilation, padding, stride: F.col2im(
        g, tuple(x_shape)[-2:], kernel_size, dilation, padding, stride
    ),
    linear=True,
    space="nn_c",
    node_name="Im2ColBackward0",
)
differentiable(
    "col2im",
    kernels.col2im,
    vjp=lambda F, g, kernel_size, dilation, padding, stride: F.im2col(g, kernel_size, dilation, padding, stride),
    linear=True,
    space="nn_c",
    node_name="Col2ImBackward0",
)


@functional("unfold")
def unfold(F, input, kernel_size, dilation=1, padding=0, stride=1):
    """Sliding blocks of (N, C, H, W) or (C, H, W) as columns (N, C * kh * kw, blocks)."""
    return F.im2col(input, *(expand_sizes(v, 2) for v in (kernel_size, dilation, padding, stride)))


@functional("fold")
def fold(F, input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns (N, C * kh * kw, blocks) added into images (N, C, *output_size)."""
    return F.col2im(input, *(expand_sizes(v, 2) for v in (output_size, kernel_size, dilation, padding, stride)))
