"""Scaled dot-product attention in blocks of queries, with its backward pass.

How. For a block of queries the scores against all keys are one matrix product; the softmax over them is normalised
after the product with the values. Only the peak and the sum of each row's exponentials are kept, and backward makes the
weights of a block again (T. Dao et al., "FlashAttention", 2022, without the tiling of the keys).

Memory. One block of scores, at most `BLOCK` elements (at least one query of every head), and two numbers a query: not
the queries x keys weights.
"""

import math

import numpy as np

from .rows import solid
from .widening import through_float32

__all__ = ["attention", "attention_backward"]

BLOCK = 1 << 19


@through_float32
def attention(query, key, value, attn_mask=None, is_causal=False, scale=None):
    """softmax(query key^T scale + mask) value: (result (..., L, Ev), softmax's peaks and totals (..., L, 2)).

    query (..., L, E), key (..., S, E), value (..., S, Ev) with equal leading sizes; `attn_mask` broadcasts to (..., L,
    S), bool (True takes part) or added. A query whose keys are all masked gives zeros.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    lead, length = query.shape[:-2], query.shape[-2]
    query, key, value = solid(query), solid(key), solid(value)
    out = np.empty((*lead, length, value.shape[-1]), query.dtype)
    sums = np.empty((*lead, length, 2), query.dtype)
    keys = key.swapaxes(-1, -2)
    for low, high in _blocks(query, key):
        scores = np.matmul(query[..., low:high, :], keys)
        scores *= scale
        _mask(scores, attn_mask, is_causal, low, high, length)
        peak = (
            scores.max(axis=-1, keepdims=True) if scores.shape[-1] else np.zeros((*scores.shape[:-1], 1), scores.dtype)
        )
        peak = np.where(np.isneginf(peak), np.zeros((), peak.dtype), peak)
        scores -= peak
        np.exp(scores, out=scores)
        total = scores.sum(axis=-1, keepdims=True)
        part = np.matmul(scores, value)
        total = np.where(total == 0, np.ones((), total.dtype), total)
        part /= total
        out[..., low:high, :] = part
        # The logarithm of the two together would lose digits where scores are large.
        sums[..., low:high, 0], sums[..., low:high, 1] = peak[..., 0], total[..., 0]
    return out, sums


@through_float32
def attention_backward(grad, query, key, value, sums, attn_mask, is_causal, scale):
    """Cotangents of (query, key, value) of `attention`."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    length = query.shape[-2]
    grad, query, key, value = solid(grad), solid(query), solid(key), solid(value)
    gq = np.empty(query.shape, query.dtype)
    gk, gv = np.zeros(key.shape, key.dtype), np.zeros(value.shape, value.dtype)
    keys, values = key.swapaxes(-1, -2), value.swapaxes(-1, -2)
    for low, high in _blocks(query, key):
        q, g = query[..., low:high, :], grad[..., low:high, :]
        weights = np.matmul(q, keys)
        weights *= scale
        _mask(weights, attn_mask, is_causal, low, high, length)
        weights -= sums[..., low:high, :1]
        np.exp(weights, out=weights)
        weights /= sums[..., low:high, 1:]
        gv += np.matmul(weights.swapaxes(-1, -2), g)
        slope = np.matmul(g, values)
        # The sum over a row's keys; as grad . out it would differ in rounding, and a sure weight would have a slope.
        slope -= np.vecdot(weights, slope)[..., None]
        slope *= weights
        slope *= scale
        gq[..., low:high, :] = np.matmul(slope, key)
        gk += np.matmul(slope.swapaxes(-1, -2), q)
    return gq, gk, gv


def _blocks(query, key):
    length = query.shape[-2]
    step = max(1, BLOCK // max(1, math.prod(query.shape[:-2]) * key.shape[-2]))
    for low in range(0, length, step):
        yield low, min(low + step, length)


def _mask(scores, attn_mask, is_causal, low, high, length):
    """Masks a block of scores in place: rows low..high of `length`."""
    if is_causal:
        later = np.arange(scores.shape[-1]) > np.arange(low, high)[:, None]
        np.copyto(scores, -np.inf, where=later)
    if attn_mask is not None:
        part = attn_mask
        if part.ndim > 1 and part.shape[-2] == length and length != 1:
            part = part[..., low:high, :]
        if part.dtype == np.bool_:
            np.copyto(scores, -np.inf, where=~part)
        else:
            scores += part
