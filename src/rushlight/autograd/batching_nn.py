"""Batching rules of neural networks' operators: a batch of samples is folded into the samples, channels or groups they have anyway."""

from ..ops.table import TENSOR
from ..tensor import Tensor
from .batching import RULES, batched, each_expanded, rule
from .vmap import expanded, front, padded


def _merged(x, at=0):
    """Dimensions ``at`` and ``at + 1`` as one."""
    shape = x._a.shape
    return TENSOR.reshape(x, (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2 :]))


def _parted(x, at, count):
    """Dimension ``at`` as two, the first of length ``count``."""
    shape = x._a.shape
    return TENSOR.reshape(x, (*shape[:at], count, shape[at] // max(count, 1), *shape[at + 1 :]))


def _every(result, change):
    return change(result) if isinstance(result, Tensor) else tuple(change(each) for each in result)


# -------------------------------------------------------------------------------------------------------- convolution


@rule("convolution")
def _convolution(level, op, values, dims):
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = values
    rest = (stride, padding, dilation, transposed, output_padding)
    count = level.size
    inner = bias if dims[1] is None and dims[2] is None else None
    if dims[1] is None:
        if dims[0] is None:
            out, dim = batched(op, (x, weight, inner, *rest, groups)), None
        else:
            out, dim = _parted(batched(op, (_merged(front(x, dims[0])), weight, inner, *rest, groups)), 0, count), 0
    else:
        weight = front(weight, dims[1])
        if dims[0] is None:
            x = TENSOR.expand(x, (count, *x._a.shape))
        x = _merged(TENSOR.movedim(front(x, dims[0]) if dims[0] is not None else x, 0, 1), 1)
        out = _parted(batched(op, (x, _merged(weight), inner, *rest, groups * count)), 1, count)
        dim = 1
    if bias is not None and inner is None:
        out = TENSOR.movedim(out, dim, 0) if dim else out
        b = front(bias, dims[2])
        ones = (1,) * (x._a.ndim - 2 - (dims[1] is None and dims[0] is not None))
        if dims[2] is None:
            out, dim = out + TENSOR.reshape(b, (-1, *ones)), 0
        else:
            out, dim = out + TENSOR.reshape(b, (count, 1, b._a.shape[1], *ones)), 0
    return out, dim


@rule("_convolution_weight")
def _convolution_weight(level, op, values, dims):
    x, g, size, stride, padding, dilation, transposed, groups = values
    x, g = each_expanded(level, (x, g), dims, (0, 1))
    x, g = _merged(TENSOR.movedim(x, 0, 1), 1), _merged(TENSOR.movedim(g, 0, 1), 1)
    wide = (size[0] * level.size, *size[1:])
    found = batched(op, (x, g, wide, stride, padding, dilation, transposed, groups * level.size))
    return _parted(found, 0, level.size), 0


# ---------------------------------------------------------------------------------------- what has samples in front


def _folded(*places):
    """Operators whose tensors at ``places`` have samples in front: the batch is folded into them."""

    def fold(level, op, values, dims):
        values = each_expanded(level, values, dims, places)
        for i in places:
            values[i] = _merged(values[i])
        return _every(batched(op, values), lambda r: _parted(r, 0, level.size)), 0

    return fold


def _folded_if(ndim, *places):
    """The same where samples are optional: tensors of ``ndim`` dimensions have them, those of one less do not."""

    def fold(level, op, values, dims):
        values = each_expanded(level, values, dims, places)
        many = values[places[0]]._a.ndim > ndim
        if many:
            for i in places:
                values[i] = _merged(values[i])
        result = batched(op, values)
        return (_every(result, lambda r: _parted(r, 0, level.size)) if many else result), 0

    return fold


def _in_front(*places):
    """Operators on the last dimensions of tensors that may have any in front."""

    def lead(level, op, values, dims):
        return batched(op, each_expanded(level, values, dims, places)), 0

    return lead


for _name in ("max_pool2d_with_indices", "_adaptive_max_pool2d", "avg_pool2d", "_adaptive_avg_pool2d", "im2col"):
    RULES[_name] = _folded_if(4, 0)
for _name in ("max_pool3d_with_indices", "_adaptive_max_pool3d", "avg_pool3d", "_adaptive_avg_pool3d"):
    RULES[_name] = _folded_if(5, 0)
RULES["col2im"] = _folded_if(3, 0)
RULES["_max_unpool2d"] = _folded_if(4, 0, 1)
RULES["_max_unpool3d"] = _folded_if(5, 0, 1)
RULES["_pool_gather"] = RULES["_pool_scatter"] = _in_front(0, 1)
RULES["channel_shuffle"] = _folded(0)
RULES["grid_sampler_2d"] = RULES["grid_sampler_3d"] = _folded(0, 1)
RULES["_grid_pieces"] = _folded(0)
for _name in (
    "_upsample _upsample_nearest1d _upsample_nearest2d _upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d "
    "_upsample_nearest_exact3d _upsample_linear1d _upsample_bilinear2d _upsample_trilinear3d _upsample_bicubic2d "
    "_upsample_bilinear_aa2d _upsample_bicubic_aa2d _upsample_lanczos_aa2d"
).split():
    RULES[_name] = _folded(0)


@rule("_avg_pool_backward", "_adaptive_avg_pool_backward", "_upsample_backward")
def _sized_back(level, op, values, dims):
    """Adjoints that are told the size of the input, of which only the last dimensions matter."""
    g = front(values[0], dims[0])
    values = list(values)
    if op.name != "_upsample_backward":
        values[0] = g
        return batched(op, values), 0
    values[0] = _merged(g)
    values[2] = (level.size * values[2][0], *values[2][1:])
    return _parted(batched(op, values), 0, level.size), 0


@rule("affine_grid_generator")
def _affine_grid(level, op, values, dims):
    theta, size, align = values
    theta = _merged(front(theta, dims[0]))
    return _parted(batched(op, (theta, (size[0] * level.size, *size[1:]), align)), 0, level.size), 0


# ------------------------------------------------------------------------------------------------------ normalisation


@rule("native_layer_norm")
def _layer_norm(level, op, values, dims):
    x, shape, weight, bias, eps = values
    if dims[2] is None and dims[3] is None:
        return batched(op, (front(x, dims[0]), shape, weight, bias, eps)), 0
    ndim = x._a.ndim - (dims[0] is not None)
    made = batched(op, (front(x, dims[0]), shape, None, None, eps))
    out = _scaled(made[0], weight, dims[2], bias, dims[3], lambda p, d: padded(front(p, d), ndim + 1, d))
    kept = None if dims[0] is None else 0
    return (out, *made[1:]), (0, kept, kept)


def _scaled(out, weight, weight_dim, bias, bias_dim, shaped):
    if weight is not None:
        out = out * shaped(weight, weight_dim)
    return out if bias is None else out + shaped(bias, bias_dim)


@rule("native_group_norm")
def _group_norm(level, op, values, dims):
    x, weight, bias, samples, channels, area, groups, eps = values
    x = expanded(x, dims[0], level.size)
    ndim = x._a.ndim - 1
    plain = dims[1] is None and dims[2] is None
    inner = (weight, bias) if plain else (None, None)
    made = batched(op, (_merged(x), *inner, samples * level.size, channels, area, groups, eps))
    made = [_parted(each, 0, level.size) for each in made]
    if not plain:

        def shaped(p, d):
            p = front(p, d)
            return TENSOR.reshape(p, ((level.size, 1) if d is not None else (1, 1)) + (channels, *(1,) * (ndim - 2)))

        made[0] = _scaled(made[0], weight, dims[1], bias, dims[2], shaped)
    return tuple(made), 0


@rule("_batch_norm_core")
def _batch_norm(level, op, values, dims):
    x, weight, bias, mean, var, training, momentum, eps = values
    x = _merged(TENSOR.movedim(expanded(x, dims[0], level.size), 0, 1), 1)
    small = [
        None if each is None else _merged(expanded(each, d, level.size))
        for each, d in zip((weight, bias, mean, var), dims[1:5])
    ]
    out, *stats = batched(op, (x, *small, training, momentum, eps))
    empty = [each._a.size == 0 for each in stats]
    out = _parted(out, 1, level.size)
    stats = [each if none else _parted(each, 0, level.size) for each, none in zip(stats, empty)]
    return (out, *stats), (1, *[None if none else 0 for none in empty])


# ------------------------------------------------------------------------------------------------------------- losses


def _loss(*names):
    """Losses of elements: computed one by one, then reduced over each sample."""

    def elements(level, op, values, dims):
        params = op.params
        at = params.index("reduction")
        places = [params.index(name) for name in names if isinstance(values[params.index(name)], Tensor)]
        ndim = max(values[i]._a.ndim + (dims[i] is None) for i in places)
        for i in places:
            values[i] = padded(front(values[i], dims[i]), ndim, dims[i])
        reduction, values[at] = values[at], "none"
        values[0] = TENSOR.expand(values[0], (level.size, *values[0]._a.shape)) if dims[0] is None else values[0]
        made = batched(op, values)
        if reduction in ("none", 0):
            return made, 0
        along = tuple(range(1, made._a.ndim))
        if not along:
            return made, 0
        return (TENSOR.mean if reduction in ("mean", 1) else TENSOR.sum)(made, along), 0

    return elements


for _name in ("_mse_loss", "_smooth_l1_loss", "_huber_loss", "_soft_margin_loss"):
    RULES[_name] = _loss("input", "target")
RULES["_binary_cross_entropy"] = _loss("input", "target", "weight")
RULES["_binary_cross_entropy_with_logits"] = _loss("input", "target", "weight", "pos_weight")


def _class_weights(level, target, weight, weight_dim, ignore_index):
    """What each element counts for: its class's weight, 0 where it is ignored."""
    kept = TENSOR.ne(target, ignore_index)
    if weight is None:
        return kept
    # the loss has no derivative by its weights
    weight = weight.detach()
    safe = TENSOR.where(kept, target, 0)
    if weight_dim is None:
        found = TENSOR.take(weight, safe)
    else:
        flat = TENSOR.reshape(safe, (level.size, -1))
        found = TENSOR.reshape(TENSOR.gather(front(weight, weight_dim), 1, flat), safe._a.shape)
    return found * kept


@rule("_nll_loss", "_nll_loss2d")
def _nll_loss(level, op, values, dims):
    x, target, weight, reduction, ignore_index = values
    x, target = each_expanded(level, (x, target), dims, (0, 1))
    single = x._a.ndim == 2
    if single:
        x, target = TENSOR.unsqueeze(x, 1), TENSOR.unsqueeze(target, 1)
    if dims[2] is None:
        losses = _parted(batched(op, (_merged(x), _merged(target), weight, "none", ignore_index))[0], 0, level.size)
    else:
        plain = batched(op, (_merged(x), _merged(target), None, "none", ignore_index))[0]
        losses = _parted(plain, 0, level.size) * _class_weights(level, target, weight, dims[2], ignore_index)
    if reduction == "none":
        total = TENSOR.new_zeros(losses, ())
        return (TENSOR.squeeze(losses, 1) if single else losses, total), (0, None)
    counts = _class_weights(level, target, weight, dims[2], ignore_index).to(x._dtype)
    along = tuple(range(1, losses._a.ndim))
    total = TENSOR.sum(counts, along)
    found = TENSOR.sum(losses, along)
    return (found / total if reduction == "mean" else found, total), 0


@rule("_nll_loss_backward")
def _nll_loss_back(level, op, values, dims):
    g, target, weight, reduction, ignore_index, total, shape = values
    g, target = each_expanded(level, (g, target), dims, (0, 1))
    single = len(shape) == 1
    if single:
        target, shape = TENSOR.unsqueeze(target, 1), (1, *shape)
        g = TENSOR.unsqueeze(g, 1) if reduction == "none" else g
    if reduction == "mean":
        g = g / (total if dims[5] is None else front(total, dims[5]))
    if reduction != "none":
        g = TENSOR.expand(TENSOR.reshape(g, (level.size, *(1,) * (target._a.ndim - 1))), target._a.shape)
    if dims[2] is not None:
        g, weight = g * _class_weights(level, target, weight, dims[2], ignore_index), None
    wide = (level.size * shape[0], *shape[1:])
    none = TENSOR.new_zeros(g, ())
    found = batched(op, (_merged(g), _merged(target), weight, "none", ignore_index, none, wide))
    found = _parted(found, 0, level.size)
    return (TENSOR.squeeze(found, 1) if single else found), 0
