"""Pooling: maximum, average, power mean, adaptive, and the inverse of the maximum.

As in PyTorch the one-dimensional operators are the two-dimensional ones with a dimension of one, and the nodes have
those names.
"""

from ..array import pooling as kernels
from ..array.windows import expand_sizes, sizes_text
from . import recompute  # noqa: F401 - declares `_tied`
from .functional import functional
from .table import PLACES, composite, differentiable, face_of

# Gathering at indices and adding into zeros at them are each other's transpose.

differentiable(
    "_pool_gather",
    kernels.pool_gather,
    vjp=lambda F, g, indices, x_shape, nd: F._pool_scatter(g, indices, tuple(x_shape)[len(x_shape) - nd :], nd),
    linear=True,
)
for _name, _kernel in (
    ("_pool_scatter", kernels.pool_scatter),
    ("_adaptive_max_pool_backward", kernels.adaptive_max_pool_backward),
):
    differentiable(_name, _kernel, vjp=lambda F, g, indices, nd: F._pool_gather(g, indices, nd), linear=True)


def _pull_max(nd, scatter="_pool_scatter"):
    def pull(F, g, y, input):
        return F._tied(getattr(F, scatter)(g, y[1], tuple(input.shape)[input.ndim - nd :], nd), input)

    return pull


def _pull_unpooled(nd):
    return lambda F, g, indices: F._pool_gather(g, indices, nd)


for _nd in (2, 3):
    differentiable(
        f"max_pool{_nd}d_with_indices",
        getattr(kernels, f"max_pool{_nd}d_with_indices"),
        vjp=_pull_max(_nd),
        returns="list",
        nondiff=(1,),
        saves=(1,),
        node_name=f"MaxPool{_nd}DWithIndicesBackward0",
        space="nn_c",
    )
    differentiable(
        f"_adaptive_max_pool{_nd}d",
        getattr(kernels, f"adaptive_max_pool{_nd}d"),
        vjp=_pull_max(_nd, "_adaptive_max_pool_backward"),
        returns="list",
        nondiff=(1,),
        saves=(1,),
        node_name=f"AdaptiveMaxPool{_nd}DBackward0",
    )
    differentiable(
        f"_max_unpool{_nd}d",
        getattr(kernels, f"max_unpool{_nd}d"),
        vjp=_pull_unpooled(_nd),
        linear=True,
        node_name=f"MaxUnpool{_nd}DBackward0",
    )


def _pull_average(nd):
    def pull(F, g, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
        size = tuple(input.shape)
        pulled = F._avg_pool_backward(
            *(g, size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, nd)
        )
        return F._tied(pulled, input)

    return pull


def _pull_average_back(F, g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, nd):
    pool = F.avg_pool2d if nd == 2 else F.avg_pool3d
    return pool(g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


differentiable(
    "_avg_pool_backward",
    kernels.avg_pool_backward,
    vjp=dict(grad_output=_pull_average_back),
)
differentiable(
    "_adaptive_avg_pool_backward",
    kernels.adaptive_avg_pool_backward,
    vjp=dict(
        grad_output=lambda F, g, grad_output_shape, nd: (F._adaptive_avg_pool2d if nd == 2 else F._adaptive_avg_pool3d)(
            g, tuple(grad_output_shape)[len(grad_output_shape) - nd :]
        )
    ),
)


def _pull_adaptive(nd):
    return lambda F, g, input: F._tied(F._adaptive_avg_pool_backward(g, tuple(input.shape), nd), input)


for _nd in (2, 3):
    differentiable(
        f"avg_pool{_nd}d",
        getattr(kernels, f"avg_pool{_nd}d"),
        vjp=_pull_average(_nd),
        linear=True,
        out="same",
        space="nn",
        node_name=f"AvgPool{_nd}DBackward0",
    )
    differentiable(
        f"_adaptive_avg_pool{_nd}d",
        getattr(kernels, f"adaptive_avg_pool{_nd}d"),
        vjp=_pull_adaptive(_nd),
        linear=True,
        node_name=f"AdaptiveAvgPool{_nd}DBackward0",
    )


# Maximum --------------------------------------------------------------------------------------------------------------


def _one(value, name, what):
    if isinstance(value, (tuple, list)):
        if len(value) != 1:
            allowed = (
                "an int, list of ints, or tuple of ints"
                if what == "stride"
                else "an int, list of ints or tuple of ints"
            )
            given = "None, " if what == "stride" else ""
            raise RuntimeError(f"{name}() {what} must be {given}{allowed} of size 1 but got size {len(value)}")
        return int(value[0])
    return int(value)


def _max_pool1d(F, input, kernel_size, stride, padding, dilation, ceil_mode):
    shape = tuple(input.shape)
    if input.ndim not in (2, 3) or 0 in shape[1 if input.ndim == 3 else 0 :]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            + sizes_text(shape)
        )
    kernel = _one(kernel_size, "max_pool1d", "kernel_size")
    empty = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    stride = kernel if empty else _one(stride, "max_pool1d", "stride")
    padding, dilation = _one(padding, "max_pool1d", "padding"), _one(dilation, "max_pool1d", "dilation")
    for value, what in ((kernel, "kernel_size"), (stride, "stride"), (dilation, "dilation")):
        if value <= 0 and not (padding < 0):
            raise RuntimeError(f"max_pool1d() {what} must be greater than zero, but got {value}")
    if padding < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding}")
    if padding > kernel // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={padding} and kernel_size={kernel}"
        )
    from ..array.windows import pool_output_size

    count = pool_output_size(shape[-1], kernel, stride, padding, dilation, ceil_mode)
    if count < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    return _lifted_max(F, input, kernel, stride, padding, dilation, ceil_mode)


def _lifted_max(F, input, kernel, stride, padding, dilation, ceil_mode):
    values, indices = F.max_pool2d_with_indices(
        F.unsqueeze(input, -2), (1, kernel), (1, stride), (0, padding), (1, dilation), ceil_mode
    )
    return F.squeeze(values, -2), F.squeeze(indices, -2)


@composite("max_pool1d", method=False)
def max_pool1d(F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maximum over windows of (N, C, L) or (C, L), with the indices if asked for."""
    if return_indices:
        return F.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool1d(F, input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@composite("max_pool1d_with_indices", method=False)
def max_pool1d_with_indices(F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """`max_pool1d` as (values, indices)."""
    shape = tuple(input.shape)
    kernel = _one(kernel_size, "max_pool1d", "kernel_size")
    empty = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    step = kernel if empty else _one(stride, "max_pool1d", "stride")
    pad, spread = _one(padding, "max_pool1d", "padding"), _one(dilation, "max_pool1d", "dilation")
    if (
        input.ndim in (2, 3)
        and 0 not in shape[1 if input.ndim == 3 else 0 :]
        and kernel > 0
        and step > 0
        and spread > 0
    ):
        if pad < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
        if pad > (spread * (kernel - 1) + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={pad}, kernel_size={kernel} and "
                f"dilation={spread}"
            )
    return _max_pool1d(F, input, kernel_size, stride, padding, dilation, ceil_mode)


@composite("max_pool2d", method=False)
def max_pool2d(F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maximum over windows of (N, C, H, W) or (C, H, W), with the indices if asked for."""
    pair = F.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return (pair[0], pair[1]) if return_indices else pair[0]


@composite("max_pool3d", method=False)
def max_pool3d(F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maximum over windows of (N, C, D, H, W) or (C, D, H, W), with the indices if asked for."""
    pair = F.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return (pair[0], pair[1]) if return_indices else pair[0]


def _unpooled_size(size, kernel, stride, padding, output_size):
    nd = len(kernel)
    usual = [(s - 1) * st + k - 2 * p for s, k, st, p in zip(size[-nd:], kernel, stride, padding)]
    if output_size is None:
        return usual
    if len(output_size) == nd + 2:
        output_size = output_size[2:]
    if len(output_size) != nd:
        raise ValueError(
            f"output_size should be a sequence containing {nd} or {nd + 2} elements, but it has a length of "
            f"'{len(output_size)}'"
        )
    for axis in range(nd):
        low, high = usual[axis] - stride[axis], usual[axis] + stride[axis]
        if not low < output_size[axis] < high:
            raise ValueError(f'invalid output_size "{output_size}" (dim {axis} must be between {low} and {high})')
    return output_size


def _unpool_window(nd, kernel_size, stride, padding):
    kernel = expand_sizes(kernel_size, nd)
    return kernel, kernel if stride is None else expand_sizes(stride, nd), expand_sizes(padding, nd)


@composite("max_unpool1d", space="nn")
def max_unpool1d(F, input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Values of (N, C, L) or (C, L) put back where `max_pool1d` took them from; zeros elsewhere."""
    window = _unpool_window(1, kernel_size, stride, padding)
    size = _unpooled_size(tuple(input.shape), *window, output_size)
    return F.squeeze(F._max_unpool2d(F.unsqueeze(input, -1), F.unsqueeze(indices, -1), [*size, 1]), -1)


@composite("max_unpool2d", space="nn")
def max_unpool2d(F, input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Values of (N, C, H, W) or (C, H, W) put back where `max_pool2d` took them from; zeros elsewhere."""
    window = _unpool_window(2, kernel_size, stride, padding)
    return F._max_unpool2d(input, indices, _unpooled_size(tuple(input.shape), *window, output_size))


@composite("max_unpool3d", space="nn")
def max_unpool3d(F, input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Values of (N, C, D, H, W) or (C, D, H, W) put back where `max_pool3d` took them from; zeros elsewhere."""
    window = _unpool_window(3, kernel_size, stride, padding)
    size = _unpooled_size(tuple(input.shape), *window, output_size)
    return F._max_unpool3d(input, indices, size, window[1], window[2])


# Averages -------------------------------------------------------------------------------------------------------------


def _single(value, name, what):
    if isinstance(value, (tuple, list)):
        if len(value) != 1:
            raise RuntimeError(f"{name}() argument '{what}' should contain one int (got {len(value)})")
        return int(value[0])
    return int(value)


def _need_line(input, name):
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' (while checking "
            f"arguments for {name})"
        )


@composite("avg_pool1d", method=False)
def avg_pool1d(F, input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Mean over windows of (N, C, L) or (C, L)."""
    kernel = _single(kernel_size, "avg_pool1d", "kernel_size")
    empty = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    stride = kernel if empty else _single(stride, "avg_pool1d", "stride")
    padding = _single(padding, "avg_pool1d", "padding")
    _need_line(input, "avg_pool1d")
    lifted = F.avg_pool2d(F.unsqueeze(input, -2), (1, kernel), (1, stride), (0, padding), ceil_mode, count_include_pad)
    return F.squeeze(lifted, -2)


def _power_mean(F, pool, count, input, norm_type, kernel_size, stride, ceil_mode):
    mean = pool(F.pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return F.pow(F.mul(F.mul(F.sign(mean), F.relu(F.abs(mean))), count), 1.0 / norm_type)


def _lp_pool(F, nd, input, norm_type, kernel_size, stride, ceil_mode):
    if norm_type in (float("inf"), -float("inf")):
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[nd - 1]
        size = F.abs(input)
        if norm_type > 0:
            return pool(size, kernel_size, stride, 0, 1, ceil_mode)
        return F.neg(pool(F.neg(size), kernel_size, stride, 0, 1, ceil_mode))
    count = 1
    for size in expand_sizes(kernel_size, nd):
        count *= size
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[nd - 1]
    return _power_mean(F, pool, count, input, norm_type, kernel_size, stride, ceil_mode)


@composite("lp_pool1d", space="nn")
def lp_pool1d(F, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """p-norm over windows of (N, C, L) or (C, L), p = `norm_type`."""
    return _lp_pool(F, 1, input, norm_type, kernel_size, stride, ceil_mode)


@composite("lp_pool2d", space="nn")
def lp_pool2d(F, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """p-norm over windows of (N, C, H, W) or (C, H, W), p = `norm_type`."""
    return _lp_pool(F, 2, input, norm_type, kernel_size, stride, ceil_mode)


@composite("lp_pool3d", space="nn")
def lp_pool3d(F, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """p-norm over windows of (N, C, D, H, W) or (C, D, H, W), p = `norm_type`."""
    return _lp_pool(F, 3, input, norm_type, kernel_size, stride, ceil_mode)


# Adaptive -------------------------------------------------------------------------------------------------------------


@composite("adaptive_avg_pool1d", method=False)
def adaptive_avg_pool1d(F, input, output_size):
    """Mean over windows that divide (N, C, L) or (C, L) into `output_size`."""
    size = _single(output_size, "adaptive_avg_pool1d", "output_size")
    _need_line(input, "adaptive_avg_pool1d")
    return F.squeeze(F._nn_adaptive_avg_pool2d(F.unsqueeze(input, -2), (1, size)), -2)


def _resolved(output_size, input, nd):
    """`output_size` with the input's sizes for None, one size for each dimension."""
    if input.ndim <= nd:
        raise ValueError(f"Input dimension should be at least {nd + 1}")
    if not isinstance(output_size, (tuple, list)):
        return (input.shape[-1] if output_size is None else output_size,) * nd
    return tuple(
        input.shape[input.ndim - len(output_size) + i] if size is None else size for i, size in enumerate(output_size)
    )


def _adaptive_average(F, nd, input, output_size):
    size = _resolved(output_size, input, nd)
    if len(size) == nd and all(s == 1 for s in size) and input.ndim in (nd + 1, nd + 2):
        if getattr(input.dtype, "is_floating_point", True):
            return F.mean(input, tuple(range(-1, -nd - 1, -1)), True)
    return (F._adaptive_avg_pool2d if nd == 2 else F._adaptive_avg_pool3d)(input, size)


@functional("adaptive_avg_pool2d")
def adaptive_avg_pool2d(F, input, output_size):
    """Mean over windows that divide (N, C, H, W) or (C, H, W) into `output_size`; None keeps a dimension."""
    return _adaptive_average(F, 2, input, output_size)


@functional("adaptive_avg_pool3d")
def adaptive_avg_pool3d(F, input, output_size):
    """Mean over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size`."""
    return _adaptive_average(F, 3, input, output_size)


def _adaptive_max(F, nd, input, output_size, return_indices):
    size = _resolved(output_size, input, nd)
    pair = (F._adaptive_max_pool2d if nd == 2 else F._adaptive_max_pool3d)(input, size)
    return (pair[0], pair[1]) if return_indices else pair[0]


@functional("adaptive_max_pool1d")
def adaptive_max_pool1d(F, input, output_size, return_indices=False):
    """Maximum over windows that divide (N, C, L) or (C, L) into `output_size`, with the indices if asked for."""
    size = _single(output_size, "adaptive_max_pool1d", "output_size")
    _need_line(input, "adaptive_max_pool1d")
    values, indices = F._adaptive_max_pool2d(F.unsqueeze(input, -2), (1, size))
    values = F.squeeze(values, -2)
    return (values, F.squeeze(indices, -2)) if return_indices else values


@functional("adaptive_max_pool2d")
def adaptive_max_pool2d(F, input, output_size, return_indices=False):
    """Maximum over windows that divide (N, C, H, W) or (C, H, W) into `output_size`, with the indices if asked for."""
    return _adaptive_max(F, 2, input, output_size, return_indices)


@functional("adaptive_max_pool3d")
def adaptive_max_pool3d(F, input, output_size, return_indices=False):
    """Maximum over windows that divide (N, C, D, H, W) or (C, D, H, W) into `output_size`."""
    return _adaptive_max(F, 3, input, output_size, return_indices)


def _with_indices(nd):
    def pool(F, input, output_size, return_indices=False):
        """The adaptive maximum as (values, indices), whatever `return_indices` says."""
        return getattr(F, f"_nn_adaptive_max_pool{nd}d")(input, output_size, True)

    return pool


for _nd in (1, 2, 3):
    functional(f"adaptive_max_pool{_nd}d_with_indices")(_with_indices(_nd))

for _name in ("max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d"):
    PLACES["nn.functional"][_name] = face_of(_name, "nn.functional")
for _name in ("avg_pool1d", "adaptive_avg_pool1d"):
    PLACES["nn.functional"][_name] = PLACES[""][_name]


@functional("max_pool2d_with_indices")
def max_pool2d_with_indices(
    F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool2d` as (values, indices), whatever `return_indices` says."""
    return F.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


@functional("max_pool3d_with_indices")
def max_pool3d_with_indices(
    F, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool3d` as (values, indices), whatever `return_indices` says."""
    return F.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
