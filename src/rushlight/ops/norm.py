"""Normalisations: batch, layer, group, instance, root mean square, local response, and to unit length.

Each of the first three is one operator with a fused kernel for its backward pass; where the gradient itself is
differentiated, it is composed of ordinary operators instead (see `recompute`).
"""

import numpy as np

from ..array import norm as kernels
from ..array.widening import is_half
from ..array.windows import sizes_text
from ..autograd.modes import no_grad
from ..tensor import wrap
from . import undifferentiable
from .functional import functional, same_out
from .recompute import pull_through, spread
from .reduce import raw
from .table import PLACES, RAW, composite, differentiable, face_of

# Layer ----------------------------------------------------------------------------------------------------------------


def _compose_layer(normalized_shape, eps):
    def compose(F, input, weight, bias):
        dims = tuple(range(-len(normalized_shape), 0))
        centred = F.sub(input, F.mean(input, dims, True))
        result = F.mul(centred, F.rsqrt(F.add(F.mean(F.mul(centred, centred), dims, True), eps)))
        if weight is not None:
            result = F.mul(result, weight)
        return result if bias is None else F.add(result, bias)

    return compose


def _pull_layer(F, g, needs, input, normalized_shape, weight, bias_shape, eps, y):
    present = (True, weight is not None, bias_shape != ())
    needs = spread(present, needs)
    g = g[0] if isinstance(g, tuple) else g
    if F is RAW:
        pulled = kernels.native_layer_norm_backward(g, input, normalized_shape, y[1], y[2], weight, None, needs)
    else:
        pulled = pull_through(_compose_layer(tuple(normalized_shape), eps), (input, weight, None), g)
        pulled = (*pulled[:2], F.sum_to(g, tuple(normalized_shape)) if needs[2] else None)
    return tuple(each for each, there in zip(pulled, present) if there)


differentiable(
    "native_layer_norm",
    kernels.native_layer_norm,
    vjp_all=_pull_layer,
    returns="list",
    nondiff=(1, 2),
    saves=(1, 2),
    method=False,
)


@composite("layer_norm", method=False)
def layer_norm(F, input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, whose sizes are `normalized_shape`."""
    if not hasattr(normalized_shape, "__len__"):
        normalized_shape = (normalized_shape,)
    return F.native_layer_norm(input, tuple(normalized_shape), weight, bias, eps)[0]


# Group ----------------------------------------------------------------------------------------------------------------


def _compose_group(groups, eps):
    def compose(F, input, weight, bias):
        shape = tuple(input.shape)
        rows = F.reshape(input, (shape[0] * groups, input.numel() // max(shape[0] * groups, 1)))
        centred = F.sub(rows, F.mean(rows, -1, True))
        rstd = F.rsqrt(F.add(F.mean(F.mul(centred, centred), -1, True), eps))
        result = F.reshape(F.mul(centred, rstd), shape)
        statistics = F.reshape(F.mean(rows, -1), (shape[0], groups)), F.reshape(rstd, (shape[0], groups))
        column = (1, shape[1], *(1,) * (len(shape) - 2))
        if weight is not None:
            result = F.mul(result, F.reshape(weight, column))
        return result if bias is None else F.add(result, F.reshape(bias, column)), *statistics

    return compose


def _pull_group(F, g, needs, input, weight, bias_shape, N, C, HxW, group, eps, y):  # noqa: N803
    present = (True, weight is not None, bias_shape != ())
    needs = spread(present, needs)
    g, g_mean, g_rstd = g
    if F is RAW:
        g = F.zeros_like(input) if g is None else g
        pulled = kernels.native_group_norm_backward(g, input, y[1], y[2], weight, N, C, HxW, group, needs)
        if needs[0] and (g_mean is not None or g_rstd is not None):
            extra = kernels.group_statistics_backward(g_mean, g_rstd, input, y[1], y[2], group)
            pulled = (pulled[0] + extra, *pulled[1:])
    else:
        pulled = pull_through(_compose_group(group, eps), (input, weight, None), (g, g_mean, g_rstd))
        bias = F.sum(g, (0, *range(2, g.ndim))) if needs[2] and g is not None else None
        pulled = (*pulled[:2], bias)
    return tuple(each for each, there in zip(pulled, present) if there)


differentiable(
    "native_group_norm",
    kernels.native_group_norm,
    vjp_all=_pull_group,
    returns="list",
    saves=(1, 2),
    method=False,
)


@composite("group_norm", method=False)
def group_norm(F, input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True):
    """Each of `num_groups` groups of channels (dimension 1) of each sample to mean 0 and variance 1."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    shape = tuple(input.shape)
    positions = 1
    for size in shape[2:]:
        positions *= size
    return F.native_group_norm(input, weight, bias, shape[0], shape[1], positions, num_groups, eps)[0]


@functional("group_norm")
def functional_group_norm(F, input, num_groups, weight=None, bias=None, eps=1e-05):
    """Each of `num_groups` groups of channels (dimension 1) of each sample to mean 0 and variance 1."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    shape = tuple(input.shape)
    _need_more_than_one([shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    return F.group_norm(input, num_groups, weight, bias, eps)


def _need_more_than_one(size):
    count = size[0]
    for each in size[2:]:
        count *= each
    if count == 1:
        shown = size if isinstance(size, list) else f"torch.Size({list(size)})"
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {shown}")


# Batch ----------------------------------------------------------------------------------------------------------------


def _compose_batch(training, eps, running_mean, running_var):
    def compose(F, input, weight, bias):
        column = (1, input.shape[1], *(1,) * (input.ndim - 2))
        if training:
            dims = (0, *range(2, input.ndim))
            centred = F.sub(input, F.mean(input, dims, True))
            scale = F.rsqrt(F.add(F.mean(F.mul(centred, centred), dims, True), eps))
        else:
            centred = F.sub(input, F.reshape(running_mean, column))
            scale = F.rsqrt(F.add(F.reshape(running_var, column), eps))
        result = F.mul(centred, scale)
        if weight is not None:
            result = F.mul(result, F.reshape(weight, column))
        return result if bias is None else F.add(result, F.reshape(bias, column))

    return compose


def _pull_batch(F, g, needs, input, weight, bias_shape, running_mean, running_var, training, eps, y):
    present = (True, weight is not None, bias_shape != (), running_mean is not None, running_var is not None)
    needs = spread(present, needs)
    g = g[0] if isinstance(g, tuple) else g
    if F is RAW:
        pulled = kernels.native_batch_norm_backward(
            g, input, weight, running_mean, running_var, y[1], y[2], training, eps, needs[:3]
        )
    else:
        pulled = pull_through(_compose_batch(training, eps, running_mean, running_var), (input, weight, None), g)
        pulled = (*pulled[:2], F.sum(g, (0, *range(2, g.ndim))) if needs[2] else None)
    return tuple(each for each, there in zip((*pulled, None, None), present) if there)


def _batch_norm_kernel(input, weight, bias, running_mean, running_var, training, momentum, eps):
    if training:  # the running statistics are moved by `native_batch_norm` itself, and are no part of the result
        running_mean = running_var = None
    narrow = input.dtype
    parameters = (each for each in (weight, bias, running_mean) if each is not None)
    if is_half(narrow) and any(each.dtype == np.float32 for each in parameters):
        # half input beside parameters in single precision: the statistics are of the latter
        input = input.astype(np.float32)
        result, *statistics = kernels.native_batch_norm(
            input, weight, bias, running_mean, running_var, training, momentum, eps
        )
        return result.astype(narrow), *statistics
    return kernels.native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


differentiable(
    "_batch_norm_core",
    _batch_norm_kernel,
    vjp_all=_pull_batch,
    returns="list",
    nondiff=(1, 2),
    saves=(1, 2),
    node_name="NativeBatchNormBackward0",
)


def _check_kinds(input, parameters, running, training):
    """One dtype for all, or a half one for the input and float32 for the rest; RuntimeError with PyTorch's text if not."""
    own = input.dtype
    others = [each.dtype for each in (*parameters, *running) if each is not None]
    if all(each is own for each in others):
        return
    if others[0] is not own:
        if any(each.name != "float32" for each in others):
            raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
        if own.name not in ("float16", "bfloat16"):
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
        return
    order = (*running, *parameters) if training else (*parameters, *running)
    found = next(each.dtype for each in order if each is not None and each.dtype is not own)
    raise RuntimeError(f"expected scalar type {own.legacy} but found {found.legacy}")


@composite("native_batch_norm", method=False)
def native_batch_norm(F, input, weight, bias, running_mean, running_var, training, momentum, eps, *, out=None):
    """(result, mean, reciprocal standard deviation); in training `running_mean` and `running_var` move in place."""
    if input.ndim < 2:
        raise RuntimeError(
            "Expected 2D or more dimensions for input of batch_norm, but got input of size: " + sizes_text(input.shape)
            if input.ndim
            else "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
        )
    channels = input.shape[1]
    for value, name in (
        (running_mean, "running_mean"),
        (running_var, "running_var"),
        (weight, "weight"),
        (bias, "bias"),
    ):
        if value is not None and value.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {value.numel()}")
    if not training and (running_mean is None or running_var is None):
        missing = "running_mean" if running_mean is None else "running_var"
        raise RuntimeError(f"{missing} must be defined in evaluation mode")
    _check_kinds(input, (weight, bias), (running_mean, running_var), training)
    if running_mean is not None or running_var is not None:
        undifferentiable.refuse("native_batch_norm", running_mean=running_mean, running_var=running_var)
    if training:
        # The rule does not read the running statistics of a training step, so it must not keep them either: they change
        # below.
        results = F._batch_norm_core(input, weight, bias, None, None, True, momentum, eps)
        _move_running(F, running_mean, running_var, input, results[1], results[2], momentum, eps)
    else:
        results = F._batch_norm_core(input, weight, bias, running_mean, running_var, False, momentum, eps)
    if out is None:
        return results
    return same_out("native_batch_norm", results, out, "expected scalar type {} but found {}", "legacy")


def _move_running(F, running_mean, running_var, input, mean, invstd, momentum, eps):
    """running = (1 - momentum) running + momentum batch; the variance with the divisor n - 1."""
    if running_mean is None and running_var is None:
        return
    if hasattr(mean._a, "held"):
        _check_batches(mean, running_mean, running_var)
    channels = input.shape[1]
    count = input.numel() // channels if channels else 0
    mean, invstd = raw(mean), raw(invstd)
    if is_half(invstd.dtype):
        invstd = invstd.astype(np.float32)
    with no_grad():
        if running_mean is not None:
            running_mean.copy_(wrap(kernels.moved(raw(running_mean), mean, momentum)))
        if running_var is not None:
            unbiased = (1 / (invstd * invstd) - eps) * (count / (count - 1) if count > 1 else float("nan"))
            running_var.copy_(wrap(kernels.moved(raw(running_var), unbiased, momentum)))


def _check_batches(mean, running_mean, running_var):
    """Running statistics must be batches of ``vmap`` where the batch's are."""
    from ..autograd.levels import batches

    wanted = batches(mean)
    if not all(each is None or wanted <= batches(each) for each in (running_mean, running_var)):
        raise RuntimeError(
            "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were not "
            "batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be False.If you are using "
            "a prebuilt module and do not need eval mode, please see the functorch website for resources on how to patch your module to "
            "work with vmap"
        )


@composite("batch_norm", method=False)
def batch_norm(F, input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True):
    """torch.batch_norm: `native_batch_norm`'s result alone."""
    if input.numel() == 0:
        result = F.clone(input)
        for value, combine in ((weight, F.mul), (bias, F.add)):
            if value is not None:
                result = combine(result, F.select(value, 0, 0))
        return result
    return F.native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@functional("batch_norm")
def functional_batch_norm(
    F, input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05
):
    """Each channel (dimension 1) to mean 0 and variance 1 by the batch's statistics (training) or the running ones."""
    if training:
        _need_more_than_one(tuple(input.shape))
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return F.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _instance(F, input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps):
    shape = tuple(input.shape)
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    samples, channels = shape[0], shape[1]

    def tiled(value):
        return None if value is None else F.repeat(value, (samples,))

    # Every sample's channel is a channel of its own; the running statistics move by the mean over the samples.
    means, variances = tiled(running_mean), tiled(running_var)
    result = F.batch_norm(
        F.reshape(input, (1, samples * channels, *shape[2:])),
        *(tiled(weight), tiled(bias), means, variances, use_input_stats, momentum, eps),
    )
    if use_input_stats:
        with no_grad():
            for running, wide in ((running_mean, means), (running_var, variances)):
                if running is not None:
                    running.copy_(F.mean(F.reshape(wide, (samples, channels)), 0))
    return F.reshape(result, shape)


@composite("instance_norm", method=False)
def instance_norm(
    F, input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled=True
):
    """torch.instance_norm: each channel of each sample to mean 0 and variance 1."""
    return _instance(F, input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)


@functional("instance_norm")
def functional_instance_norm(
    F, input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05
):
    """Each channel (dimension 1) of each sample to mean 0 and variance 1."""
    if use_input_stats:
        count = 1
        for size in tuple(input.shape)[2:]:
            count *= size
        if count == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size torch.Size({list(input.shape)})"
            )
    return _instance(F, input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)


# Others ---------------------------------------------------------------------------------------------------------------


@composite("rms_norm", method=False)
def rms_norm(F, input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions; `eps` defaults to the dtype's machine epsilon."""
    if not hasattr(normalized_shape, "__len__"):
        normalized_shape = (normalized_shape,)
    kernels.check_normalized_shape(input, normalized_shape, weight, None, gap="")
    dtype = input.dtype
    wide = F._to_dtype(input, _float32()) if dtype.itemsize == 2 and dtype.is_floating_point else input
    if eps is None:
        eps = _epsilon(dtype)
    dims = tuple(range(-len(tuple(normalized_shape)), 0))
    scale = F.rsqrt(F.add(F.mean(F.pow(wide, 2), dims, True), eps))
    result = F.mul(wide, scale)
    if weight is not None:
        result = F.mul(result, weight)
    return F._to_dtype(result, dtype) if result.dtype is not dtype else result


def _float32():
    from .. import dtypes

    return dtypes.float32


def _epsilon(dtype):
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "complex64": 2.0**-23}.get(
        dtype.name, 2.0**-52
    )


@composite("local_response_norm", space="nn")
def local_response_norm(F, input, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha mean of x^2 over `size` neighbouring channels)^beta; `input` (N, C, *)."""
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    shape = tuple(input.shape)
    squares = F.unsqueeze(F.reshape(F.mul(input, input), (shape[0], shape[1], -1)), 1)
    squares = F.constant_pad_nd(squares, (0, 0, size // 2, (size - 1) // 2))
    mean = F.reshape(F.squeeze(F.avg_pool2d(squares, (size, 1), 1), 1), shape)
    return F.div(input, F.pow(F.add(F.mul(mean, alpha), k), beta))


@functional("normalize")
def normalize(F, input, p=2.0, dim=1, eps=1e-12, out=None):
    """`input` divided by its p-norm along `dim`, which is held at `eps` or above."""
    length = F.expand(F.clamp_min(F.norm(input, p, dim, True), eps), tuple(input.shape))
    return F.div(input, length) if out is None else F.div(input, length, out=out)


@composite("renorm")
def renorm(F, input, p, dim, maxnorm, *, out=None):
    """Each slice of `input` along `dim` scaled down to the p-norm `maxnorm` where it is longer."""
    result = _renormed(F, input, p, dim, maxnorm)
    return result if out is None else same_out("renorm", result, out)


def _renormed(F, input, p, dim, maxnorm):
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but got {dim})"
        )
    others = tuple(axis for axis in range(input.ndim) if axis != dim % input.ndim)
    length = F.norm(input, p, others, True)
    scale = F.where(F.gt(length, maxnorm), F.mul(F.reciprocal(F.add(length, 1e-7)), maxnorm), F.ones_like(length))
    return F.mul(input, scale)


@composite("renorm_")
def renorm_(F, input, p, dim, maxnorm):
    """`renorm` in place."""
    return input.copy_(F.renorm(F.clone(input), p, dim, maxnorm))


for _name in ("layer_norm", "rms_norm"):
    PLACES["nn.functional"][_name] = face_of(_name, "nn.functional")
PLACES["nn.functional"]["layer_norm"].__wrapped__ = lambda input, normalized_shape, weight=None, bias=None, eps=1e-05: (
    None
)
