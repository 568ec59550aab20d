"""Attention of several heads (A. Vaswani et al., 2017), with the projections of queries, keys and values."""

from ... import empty
from ...parameter import Parameter
from .. import functional as F  # noqa: N812
from ..init import constant_, xavier_normal_, xavier_uniform_
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Each head attends with its own projections; the heads' results are joined and projected.

    Args:
        embed_dim: size of the queries and results, a multiple of ``num_heads``.
        dropout: probability with which an attention weight is dropped in training.
        bias: whether the projections add biases.
        add_bias_kv: add a learnt key and value to every sequence.
        add_zero_attn: add a key and value of zeros to every sequence.
        kdim, vdim: sizes of the keys and values (``embed_dim`` by default).
        batch_first: sequences are (N, L, E) rather than (L, N, E).
    """

    __constants__ = ["batch_first"]

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        device=None,
        dtype=None,
    ):
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def new(*shape):
            return Parameter(empty(shape, device=device, dtype=dtype))

        # PyTorch's order of registration, which is that of the state dictionary
        if self._qkv_same_embed_dim:
            self.in_proj_weight = new(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = new(embed_dim, embed_dim)
            self.k_proj_weight = new(embed_dim, self.kdim)
            self.v_proj_weight = new(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = new(3 * embed_dim)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k, self.bias_v = new(1, 1, embed_dim), new(1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self):
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        for weight in weights:
            if weight is not None:
                xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            constant_(self.in_proj_bias, 0.0)
            constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                xavier_normal_(bias)

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("_qkv_same_embed_dim", True)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """The result, and the attention weights (None without ``need_weights``).

        Args:
            query: (L, N, E), (N, L, E) if ``batch_first``, or (L, E).
            key, value: likewise with S positions.
            key_padding_mask: (N, S), True (or an added number) where a key is to be left out.
            attn_mask: (L, S) or (N num_heads, L, S), likewise.
            average_attn_weights: weights (N, L, S), not (N, num_heads, L, S).
            is_causal: a hint that ``attn_mask`` is causal.
        """
        batched = query.dim() == 3
        swap = self.batch_first and batched
        if swap:
            # what is one tensor stays one, so that its projections can be one product
            query, key, value = _swapped(query, key, value)
        separate = {}
        if not self._qkv_same_embed_dim:
            separate = {
                "use_separate_proj_weight": True,
                "q_proj_weight": self.q_proj_weight,
                "k_proj_weight": self.k_proj_weight,
                "v_proj_weight": self.v_proj_weight,
            }
        result, weights = F.multi_head_attention_forward(
            *(query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias),
            *(self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias),
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            **separate,
        )
        return (result.transpose(1, 0) if swap else result), weights

    def merge_masks(self, attn_mask, key_padding_mask, query):
        """The two masks as one, and its kind: None, 1 (padding alone, (N, S)) or 2 (for all heads, (N, num_heads, L, S))."""
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        count, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.view(count, -1, length, length)
        else:
            merged = attn_mask.view(1, 1, length, length).expand(count, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            merged = merged + key_padding_mask.view(count, 1, 1, length).expand(-1, self.num_heads, -1, -1)
        return merged, 2


def _swapped(query, key, value):
    made = {}
    return tuple(made.setdefault(id(each), each.transpose(1, 0)) for each in (query, key, value))
