"""Attention: scaled dot products, and the multi-head form built on them."""

import math

from ..array import attention as kernels
from .functional import functional
from .recompute import pull_through
from .table import RAW, differentiable

# The fused kernel -----------------------------------------------------------------------------------------------------


def _compose(is_causal, scale, attn_mask):
    def compose(F, query, key, value):
        return _by_parts(F, query, key, value, attn_mask, 0.0, is_causal, scale)[0]

    return compose


def _pull(F, g, needs, query, key, value, attn_mask, is_causal, scale, y):
    g = g[0] if isinstance(g, tuple) else g
    if F is RAW:
        return kernels.attention_backward(g, query, key, value, y[1], attn_mask, is_causal, scale)
    return pull_through(_compose(is_causal, scale, attn_mask), (query, key, value), g)


differentiable(
    "_attention",
    kernels.attention,
    vjp_all=_pull,
    returns="list",
    nondiff=(1,),
    saves=(1,),
    node_name="ScaledDotProductFlashAttentionForCpuBackward0",
)


def _by_parts(F, query, key, value, attn_mask, dropout_p, is_causal, scale):
    """Attention of ordinary operators: (result, weights)."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if is_causal:
        ones = F.ones((query.shape[-2], key.shape[-2]), dtype=_bool())
        attn_mask = F.tril(ones)
    # Half of the scale on each side, as PyTorch does, so that the rounding is its too.
    root = math.sqrt(abs(scale))
    left = F.mul(query, root if scale >= 0 else -root)
    scores = F.matmul(left, F.mul(F.transpose(key, -2, -1), root))
    if attn_mask is not None:
        if attn_mask.dtype is _bool():
            scores = F.masked_fill(scores, F.logical_not(attn_mask), -math.inf)
        else:
            scores = F.add(scores, attn_mask)
    weights = F.softmax(scores, -1)
    if attn_mask is not None:
        # A query that may look at nothing gets zeros, not NaN.
        nothing = F.all(F.eq(scores, -math.inf), -1, True)
        weights = F.masked_fill(weights, nothing, 0.0)
    if dropout_p > 0.0:
        weights = F.dropout(weights, dropout_p, True)
    return F.matmul(weights, value), weights


def _bool():
    from .. import dtypes

    return dtypes.bool


def _check(query, key, value, attn_mask, is_causal, enable_gqa):
    kinds = {value.dtype for value in (query, key, value)}
    if len(kinds) > 1:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{_c_name(query)} key.dtype: {_c_name(key)} and value.dtype: {_c_name(value)} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim}, key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if attn_mask is not None:
        if attn_mask.dtype is not _bool() and attn_mask.dtype is not query.dtype and attn_mask.dtype.name != "float32":
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{_c_name(attn_mask)} and  query.dtype: {_c_name(query)} instead."
            )
    if attn_mask is not None and is_causal:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")


def _c_name(value):
    return value.dtype.cpp_name


@functional("scaled_dot_product_attention")
def scaled_dot_product_attention(
    F, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(query key^T scale + mask) value; query (..., L, E), key (..., S, E), value (..., S, Ev).

    `attn_mask` broadcasts to (..., L, S): bool (True takes part) or added. `scale` defaults to 1 / sqrt(E). With
    `enable_gqa` groups of query heads (dimension -3) share a key and value head. Dropout zeroes weights with
    probability `dropout_p`.
    """
    _check(query, key, value, attn_mask, is_causal, enable_gqa)
    if enable_gqa:
        heads = query.shape[-3]
        for other in (key, value):
            if heads % other.shape[-3]:
                raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
        key = F.repeat_interleave(key, heads // key.shape[-3], -3)
        value = F.repeat_interleave(value, heads // value.shape[-3], -3)
    lead = tuple(query.shape)[:-2]
    plain = lead == tuple(key.shape)[:-2] == tuple(value.shape)[:-2]
    fused = dropout_p == 0.0 and plain and query.ndim == 4 and query.numel() and key.numel()
    if attn_mask is not None and attn_mask.requires_grad:
        fused = False
    if fused and attn_mask is not None and attn_mask.ndim > 2:
        mask = tuple(attn_mask.shape)
        fused = all(m in (1, n) for m, n in zip(mask[:-2], lead[len(lead) - len(mask) + 2 :]))
    if fused and attn_mask is not None and attn_mask.ndim < 2:
        fused = False
    if fused:
        return F._attention(query, key, value, attn_mask, is_causal, scale)[0]
    return _by_parts(F, query, key, value, attn_mask, dropout_p, is_causal, scale)[0]


# Multi-head -----------------------------------------------------------------------------------------------------------


def _shapes(query, key, value, key_padding_mask, attn_mask, num_heads):
    """True if the inputs are batched; AssertionError in PyTorch's words if they do not fit together."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    batched = query.ndim == 3
    kind, want = ("batched", 3) if batched else ("unbatched", 2)
    if key.ndim != want or value.ndim != want:
        raise AssertionError(
            f"For {kind} ({want}-D) `query`, expected `key` and `value` to be {want}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.ndim != want - 1:
        raise AssertionError(
            f"For {kind} ({want}-D) `query`, expected `key_padding_mask` to be `None` or {want - 1}-D but found "
            f"{key_padding_mask.ndim}-D tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.ndim not in (2, 3):
            raise AssertionError(
                f"For {kind} ({want}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.ndim}-D "
                "tensor instead"
            )
        if attn_mask.ndim == 3 and not batched:
            expected = (num_heads, query.shape[0], key.shape[0])
            if tuple(attn_mask.shape) != expected:
                raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return batched


@functional("_canonical_mask")
def canonical_mask(F, mask, mask_name, other_type, other_name, target_type, check_other=True):
    """A mask as numbers to add: minus infinity where a bool mask is True (to be left out); None for None.

    AssertionError for integers; a warning if `other_type`, the dtype of the mask `other_name` (None: there is none), differs.
    """
    if mask is None:
        return None
    is_bool = mask.dtype is _bool()
    if not is_bool and not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype is not other_type:
        import warnings

        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=5,
        )
    if not is_bool:
        return mask
    return F.masked_fill(F.zeros(tuple(mask.shape), dtype=target_type), mask, -math.inf)


@functional("_none_or_dtype")
def none_or_dtype(F, input):
    """The dtype of a tensor; None for None."""
    return None if input is None else input.dtype


def _packed_projection(F, query, key, value, weight, bias):
    """Query, key and value through one packed weight (3 E, E)."""
    width = query.shape[-1]
    if key is value and query is key:
        wide = F.linear(query, weight, bias)
        return tuple(F.narrow(wide, -1, k * width, width) for k in range(3))
    biases = (None, None, None) if bias is None else tuple(F.narrow(bias, 0, k * width, width) for k in range(3))
    weights = tuple(F.narrow(weight, 0, k * width, width) for k in range(3))
    return tuple(F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))


@functional("multi_head_attention_forward")
def multi_head_attention_forward(
    F,
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention in `num_heads` heads between projections: (result (L, N, E), weights or None).

    query (L, N, E), key (S, N, ...), value (S, N, ...), or all without N. Masks: bool (True is left out) or added.
    """
    batched = _shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = key is value and query is key
        query = F.unsqueeze(query, 1)
        key, value = (query, query) if same else (F.unsqueeze(key, 1), F.unsqueeze(value, 1))
        if key_padding_mask is not None:
            key_padding_mask = F.unsqueeze(key_padding_mask, 0)
    targets, samples, width = query.shape
    other = none_or_dtype(F, attn_mask)
    key_padding_mask = canonical_mask(F, key_padding_mask, "key_padding_mask", other, "attn_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(F, attn_mask, "attn_mask", None, "", query.dtype, False)
        if key_padding_mask is not None:
            is_causal = False
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    if head * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if tuple(key.shape)[:2] != tuple(value.shape)[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
        for weight, name in ((q_proj_weight, "q"), (k_proj_weight, "k"), (v_proj_weight, "v")):
            if weight is None:
                raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        biases = (None,) * 3
        if in_proj_bias is not None:
            biases = tuple(F.narrow(in_proj_bias, 0, k * width, width) for k in range(3))
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = (F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
    else:
        if tuple(key.shape) != tuple(value.shape):
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _packed_projection(F, query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _checked_mask(F, attn_mask, targets, key.shape[0], samples * num_heads)
    if bias_k is not None and bias_v is not None:
        if static_k is not None:
            raise AssertionError("bias cannot be added to static key.")
        if static_v is not None:
            raise AssertionError("bias cannot be added to static value.")
        k = F.cat([k, F.repeat(bias_k, (1, samples, 1))])
        v = F.cat([v, F.repeat(bias_v, (1, samples, 1))])
        attn_mask, key_padding_mask = _widened(F, attn_mask), _widened(F, key_padding_mask)
    elif bias_k is not None:
        raise AssertionError("bias_k is set but bias_v is None")
    elif bias_v is not None:
        raise AssertionError("bias_v is set but bias_k is None")
    q = _heads(F, q, samples * num_heads, head)
    k = _static(F, k, static_k, "static_k", samples * num_heads, head)
    v = _static(F, v, static_v, "static_v", samples * num_heads, head)
    if add_zero_attn:
        zeros = F.zeros((samples * num_heads, 1, head), dtype=k.dtype)
        k, v = F.cat([k, zeros], 1), F.cat([v, zeros], 1)
        attn_mask, key_padding_mask = _widened(F, attn_mask), _widened(F, key_padding_mask)
    sources = k.shape[1]
    if key_padding_mask is not None:
        for axis, wanted in enumerate((samples, sources)):
            found = key_padding_mask.shape[axis]
            if found != wanted:
                raise AssertionError(f"Expected key_padded_mask.shape[{axis}] to be {wanted}, but got {found}")
        wide = F.expand(F.reshape(key_padding_mask, (samples, 1, 1, sources)), (samples, num_heads, 1, sources))
        wide = F.reshape(wide, (samples * num_heads, 1, sources))
        attn_mask = wide if attn_mask is None else F.add(attn_mask, wide)
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        weights = F.mul(q, math.sqrt(1.0 / float(head)))
        turned = F.transpose(k, -2, -1)
        scores = F.bmm(weights, turned) if attn_mask is None else F.baddbmm(attn_mask, weights, turned)
        weights = F.softmax(scores, -1)
        if dropout_p > 0.0:
            weights = F.dropout(weights, dropout_p, True)
        result = F.bmm(weights, v)
        result = F.reshape(F.transpose(result, 0, 1), (targets * samples, width))
        weights = F.reshape(weights, (samples, num_heads, targets, sources))
        if average_attn_weights:
            weights = F.mean(weights, 1)
    else:
        weights = None
        if attn_mask is not None:
            if attn_mask.shape[0] == 1 and attn_mask.ndim == 3:
                attn_mask = F.unsqueeze(attn_mask, 0)
            else:
                attn_mask = F.reshape(attn_mask, (samples, num_heads, -1, sources))
        q = F.reshape(q, (samples, num_heads, targets, head))
        k, v = (F.reshape(x, (samples, num_heads, sources, head)) for x in (k, v))
        result = F._nn_scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
        result = F.reshape(F.permute(result, (2, 0, 1, 3)), (samples * targets, width))
    result = F.linear(result, out_proj_weight, out_proj_bias)
    result = F.reshape(result, (targets, samples, result.shape[1]))
    if not batched:
        result = F.squeeze(result, 1)
        weights = None if weights is None else F.squeeze(weights, 0)
    return result, weights


def _heads(F, x, count, head):
    return F.transpose(F.reshape(x, (x.shape[0], count, head)), 0, 1)


def _static(F, x, static, name, count, head):
    if static is None:
        return _heads(F, x, count, head)
    for axis, wanted in ((0, count), (2, head)):
        if static.shape[axis] != wanted:
            raise AssertionError(f"expecting {name}.size({axis}) of {wanted}, but got {static.shape[axis]}")
    return static


def _widened(F, mask):
    """A mask with one more source position that is not masked."""
    return None if mask is None else F.constant_pad_nd(mask, (0, 1))


def _checked_mask(F, attn_mask, targets, sources, count):
    if attn_mask is None:
        return None
    if attn_mask.ndim == 2:
        if tuple(attn_mask.shape) != (targets, sources):
            raise RuntimeError(
                f"The shape of the 2D attn_mask is {attn_mask.shape}, but should be {(targets, sources)}."
            )
        return F.unsqueeze(attn_mask, 0)
    if attn_mask.ndim == 3:
        if tuple(attn_mask.shape) != (count, targets, sources):
            raise RuntimeError(
                f"The shape of the 3D attn_mask is {attn_mask.shape}, but should be {(count, targets, sources)}."
            )
        return attn_mask
    raise RuntimeError(f"attn_mask's dimension {attn_mask.ndim} is not supported")
