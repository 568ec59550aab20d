"""Convolutions and the linear maps of nn.functional.

One operator, `convolution`, computes all of them; its transpose is itself with `transposed` turned, so with the
gradient of the weight (`_convolution_weight`) the family is closed under differentiation.
"""

import warnings

from ..array import conv as kernels
from ..array.windows import expand_sizes, sizes_text
from .functional import same_out
from .table import PLACES, composite, differentiable


def _pull_input(F, g, weight, input_shape, stride, padding, dilation, transposed, output_padding, groups):
    nd = len(input_shape) - 2
    if transposed:
        pulled = F.convolution(g, F.conj(weight), None, stride, padding, dilation, False, output_padding, groups)
        # Output padding of a stride or more lets the window see more positions than there were.
        for axis in range(2, nd + 2):
            if pulled.shape[axis] != input_shape[axis]:
                pulled = F.narrow(pulled, axis, 0, input_shape[axis])
        return pulled
    extra = kernels.output_padding_for(
        tuple(input_shape)[2:], tuple(g.shape)[2:], tuple(weight.shape)[2:], stride, padding, dilation
    )
    return F.convolution(g, F.conj(weight), None, stride, padding, dilation, True, extra, groups)


def _pull_weight(F, g, input, weight_shape, stride, padding, dilation, transposed, groups):
    return F._convolution_weight(F.conj(input), g, tuple(weight_shape), stride, padding, dilation, transposed, groups)


def _pull_bias(F, g):
    return F.sum(g, (0, *range(2, g.ndim)))


differentiable(
    "convolution",
    kernels.convolution,
    vjp=dict(input=_pull_input, weight=_pull_weight, bias=_pull_bias),
    method=False,
)


# <h, W(x, g)> = <g, C(x, h)> for the weight's gradient W and the convolution C, so its two derivatives are
# convolutions.


def _pull_first(F, g, input_shape, grad_output, stride, padding, dilation, transposed, groups):
    zero = (0,) * (len(input_shape) - 2)
    return _pull_input(
        F, F.conj(grad_output), F.conj(g), input_shape, stride, padding, dilation, transposed, zero, groups
    )


def _pull_second(F, g, input, grad_output_shape, stride, padding, dilation, transposed, groups):
    zero = (0,) * (len(grad_output_shape) - 2)
    if not transposed:
        return _narrowed(
            F, F.convolution(F.conj(input), g, None, stride, padding, dilation, False, zero, groups), grad_output_shape
        )
    extra = kernels.output_padding_for(
        tuple(grad_output_shape)[2:], tuple(input.shape)[2:], tuple(g.shape)[2:], stride, padding, dilation
    )
    return F.convolution(F.conj(input), g, None, stride, padding, dilation, True, extra, groups)


def _narrowed(F, value, shape):
    for axis in range(2, len(shape)):
        if value.shape[axis] != shape[axis]:
            value = F.narrow(value, axis, 0, shape[axis])
    return value


differentiable(
    "_convolution_weight",
    kernels.convolution_weight,
    vjp=dict(input=_pull_first, grad_output=_pull_second),
    node_name="ConvolutionWeightBackward0",
    method=False,
)


def _batched(F, input, nd, name):
    """`input` with a batch dimension, and whether it had one."""
    if input.ndim == nd + 2:
        return input, True
    if input.ndim == nd + 1:
        return F.unsqueeze(input, 0), False
    raise RuntimeError(
        f"Expected {nd + 1}D (unbatched) or {nd + 2}D (batched) input to {name}, but got input of size: "
        f"{sizes_text(input.shape)}"
    )


def _conv(F, nd, input, weight, bias, stride, padding, dilation, groups):
    name = f"conv{nd}d"
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    input, batched = _batched(F, input, nd, name)
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    stride, dilation = _listed(stride, nd), _listed(dilation, nd)
    if isinstance(padding, str):
        input, padding = _named_padding(F, nd, input, weight, stride, padding, dilation)
    else:
        padding = _listed(padding, nd)
    result = F.convolution(input, weight, bias, stride, padding, dilation, False, (0,) * nd, groups)
    return result if batched else F.squeeze(result, 0)


def _listed(value, nd):
    return (int(value),) * nd if not hasattr(value, "__len__") else (expand_sizes(value, nd) if len(value) else ())


def _named_padding(F, nd, input, weight, stride, padding, dilation):
    """The sizes that 'valid' and 'same' stand for; an odd sum of both sides is padded on the right beforehand."""
    if padding == "valid":
        return input, (0,) * nd
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if input.ndim != weight.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight{sizes_text(weight.shape)}, but got "
            f"{input.ndim}-dimensional input of size {sizes_text(input.shape)} instead"
        )
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(expand_sizes(dilation, nd), tuple(weight.shape)[2:])]
    if any(total % 2 for total in totals):
        warnings.warn(
            "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be "
            "created",
            UserWarning,
            stacklevel=5,
        )
        extra = [size for total in reversed(totals) for size in (0, total % 2)]
        input = F.constant_pad_nd(input, extra)
    return input, tuple(total // 2 for total in totals)


def _conv_transpose(F, nd, input, weight, bias, stride, padding, output_padding, groups, dilation):
    input, batched = _batched(F, input, nd, f"conv_transpose{nd}d")
    stride, padding = _listed(stride, nd), _listed(padding, nd)
    dilation, output_padding = _listed(dilation, nd), _listed(output_padding, nd)
    result = F.convolution(input, weight, bias, stride, padding, dilation, True, output_padding, groups)
    return result if batched else F.squeeze(result, 0)


@composite("conv1d", method=False)
def conv1d(F, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution of (N, C, L) or (C, L) with `weight` (O, C / groups, K); `padding` may be 'same' or 'valid'."""
    return _conv(F, 1, input, weight, bias, stride, padding, dilation, groups)


@composite("conv2d", method=False)
def conv2d(F, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution of (N, C, H, W) or (C, H, W) with `weight` (O, C / groups, kh, kw)."""
    return _conv(F, 2, input, weight, bias, stride, padding, dilation, groups)


@composite("conv3d", method=False)
def conv3d(F, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution of (N, C, D, H, W) or (C, D, H, W) with `weight` (O, C / groups, kd, kh, kw)."""
    return _conv(F, 3, input, weight, bias, stride, padding, dilation, groups)


@composite("conv_transpose1d", method=False)
def conv_transpose1d(F, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose of `conv1d`; `weight` is (C, O / groups, K)."""
    return _conv_transpose(F, 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("conv_transpose2d", method=False)
def conv_transpose2d(F, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose of `conv2d`; `weight` is (C, O / groups, kh, kw)."""
    return _conv_transpose(F, 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("conv_transpose3d", method=False)
def conv_transpose3d(F, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose of `conv3d`; `weight` is (C, O / groups, kd, kh, kw)."""
    return _conv_transpose(F, 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("conv_tbc", method=False)
def conv_tbc(F, input, weight, bias, pad=0):
    """Convolution of (T, N, C) with `weight` (K, C, O): time first, channels last."""
    wide = F.permute(input, (1, 2, 0))
    result = F.convolution(wide, F.permute(weight, (2, 1, 0)), bias, (1,), (pad,), (1,), False, (0,), 1)
    return F.permute(result, (2, 0, 1))


@composite("linear", space="nn")
def linear(F, input, weight, bias=None, *, out=None):
    """input @ weight^T + bias over the last dimension; `weight` (O, I) or (I,), `bias` (O,) or of no dimensions."""
    result = _linear(F, input, weight, bias)
    return result if out is None else same_out("linear", result, out)


def _linear(F, input, weight, bias):
    turned = F.t(weight)
    if weight.ndim == 1:
        result = F.matmul(input, weight)
        return result if bias is None else F.add(result, bias)
    if input.ndim == 2:
        return F.mm(input, turned) if bias is None else F.addmm(bias, input, turned)
    if input.ndim == 0 or bias is None:
        result = F.matmul(input, turned)
        return result if bias is None else F.add(result, bias)
    lead = tuple(input.shape)[:-1]
    count = 1
    for size in lead:
        count *= size
    flat = F.addmm(bias, F.reshape(input, (count, input.shape[-1])), turned)
    return F.reshape(flat, (*lead, weight.shape[0]))


@composite("bilinear", method=False)
def bilinear(F, input1, input2, weight, bias=None):
    """sum_ij x1_i W_oij x2_j + b_o over the last dimensions; `weight` (O, I1, I2)."""
    if input1.ndim != input2.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for axis in range(input1.ndim - 1):
        if input1.shape[axis] != input2.shape[axis]:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {axis}: got {input1.shape[axis]} and "
                f"{input2.shape[axis]}"
            )
    for number, value in ((1, input1), (2, input2)):
        if value.shape[-1] != weight.shape[number]:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {value.shape[-1]} but expected "
                f"{weight.shape[number]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}"
        )
    outputs, first, second = weight.shape
    lead = tuple(input1.shape)[:-1]
    left = F.reshape(input1, (-1, first)) if 0 not in lead else F.reshape(input1, (0, first))
    right = F.reshape(input2, (left.shape[0], 1, second))
    # (n, O * I2) = x1 W, then the products with x2 summed over I2: no array of n x O x I1 x I2 is made.
    half = F.matmul(left, F.reshape(F.permute(weight, (1, 0, 2)), (first, outputs * second)))
    result = F.sum(F.mul(F.reshape(half, (left.shape[0], outputs, second)), right), -1)
    result = F.reshape(result, (*lead, outputs))
    return result if bias is None else F.add(result, bias)


for _name in ("bilinear", *(f"conv{k}{n}d" for k in ("", "_transpose") for n in (1, 2, 3)), "conv_tbc"):
    PLACES["nn.functional"][_name] = PLACES[""][_name]
