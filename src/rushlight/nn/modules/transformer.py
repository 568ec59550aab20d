"""The transformer (A. Vaswani et al., 2017): layers of attention and a small network, stacked as encoder and decoder.

PyTorch has another, faster way through encoder layers in evaluation mode. Its results are the same but for padded places, which a
whole encoder sets to zero then; that is kept here, and so are its warnings.
"""

import copy
import math
import sys
import warnings

from ... import full, triu
from ...autograd.modes import is_grad_enabled
from ...backends import mha
from .. import functional as F  # noqa: N812
from ..init import xavier_uniform_
from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    *("Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer")
]


def _generate_square_subsequent_mask(sz, device=None, dtype=None):
    return triu(full((sz, sz), -math.inf, dtype=dtype, device=device), diagonal=1)


def _get_clones(module, count):
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _get_activation_fn(activation):
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {activation}")


def _is_causal(mask, hint, sequence, batch_first):
    """Whether a mask is the causal one: what the caller says, or by looking where nothing is said."""
    if hint is not None or mask is None:
        return hint is True
    length = sequence.size(1 if batch_first and sequence.dim() == 3 else 0)
    causal = _generate_square_subsequent_mask(length, device=mask.device, dtype=mask.dtype)
    return mask.size() == causal.size() and bool((mask == causal).all())


def _added_masks(src, mask, mask_name, padding, padding_name="src_key_padding_mask"):
    """An attention mask and a padding mask as numbers to add."""
    padding = F._canonical_mask(padding, padding_name, F._none_or_dtype(mask), mask_name, src.dtype)
    return F._canonical_mask(mask, mask_name, None, "", src.dtype, check_other=False), padding


def _torch_is_here():
    """Whether the name ``torch``, by which functions are pickled, stands for this library."""
    return getattr(sys.modules.get("torch.nn.functional"), "relu", None) is F.relu


class _Function:
    """Pickles as a call that finds a function of ``nn.functional`` here."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return _function, (self.name,)


def _function(name):
    return getattr(F, name)


class _Layer(Module):
    """What the layers of encoder and decoder have in common."""

    __constants__ = ["norm_first"]

    def _make(self, attentions, d_model, nhead, dim_feedforward, dropout, norm_first, eps, batch_first, bias, where):
        # PyTorch's order of registration, which is that of the random draws
        for name in attentions:
            attention = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        blocks = len(attentions) + 1
        for number in range(1, blocks + 1):
            setattr(self, f"norm{number}", LayerNorm(d_model, eps=eps, bias=bias, **where))
        for number in range(1, blocks + 1):
            setattr(self, f"dropout{number}", Dropout(dropout))

    def __getstate__(self):
        state = super().__getstate__()
        activation = state.get("activation")
        name = getattr(activation, "__name__", "")
        if activation is getattr(F, name, self) and not _torch_is_here():
            state["activation"] = _Function(name)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def _residual(self, x, norm, block, *args, **kwargs):
        """x plus a block of it, normalised before or after."""
        if self.norm_first:
            return x + block(norm(x), *args, **kwargs)
        return norm(x + block(x, *args, **kwargs))

    def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
        """Attention of the sequence to itself."""
        return self.dropout1(_attend(self.self_attn, x, x, attn_mask, key_padding_mask, is_causal))

    def _feed_forward(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


def _attend(attention, x, memory, attn_mask, key_padding_mask, is_causal):
    return attention(
        *(x, memory, memory),
        attn_mask=attn_mask,
        key_padding_mask=key_padding_mask,
        is_causal=is_causal,
        need_weights=False,
    )[0]


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then a network of one hidden layer; each added to its input and normalised.

    Args:
        d_model: size of an element of the sequence.
        nhead: heads of the attention.
        dim_feedforward: size of the hidden layer.
        dropout: probability with which values are dropped in training.
        activation: of the hidden layer: "relu", "gelu", or a function or module.
        layer_norm_eps: ``eps`` of the normalisations.
        batch_first: sequences are (N, S, E) rather than (S, N, E).
        norm_first: normalise before each block rather than after.
        bias: whether projections, linear layers and normalisations add biases.
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, norm_first, layer_norm_eps, batch_first, bias)
        self._make(("self_attn",), *settings, {"device": device, "dtype": dtype})
        if isinstance(activation, str):
            activation = _get_activation_fn(activation)
        if activation is F.relu or isinstance(activation, ReLU):
            self.activation_relu_or_gelu = 1
        elif activation is F.gelu or isinstance(activation, GELU):
            self.activation_relu_or_gelu = 2
        else:
            self.activation_relu_or_gelu = 0
        self.activation = activation

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        """A sequence of the same shape.

        Args:
            src: (S, N, E), (N, S, E) with ``batch_first``, or (S, E).
            src_mask: (S, S) or (N nhead, S, S), bool (True is left out) or added.
            src_key_padding_mask: (N, S), likewise.
            is_causal: a hint that ``src_mask`` is the causal mask.
        """
        src_mask, padding = _added_masks(src, src_mask, "src_mask", src_key_padding_mask)
        x = self._residual(src, self.norm1, self._sa_block, src_mask, padding, is_causal=is_causal)
        return self._residual(x, self.norm2, self._ff_block)

    def _ff_block(self, x):
        return self.dropout2(self._feed_forward(x))


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, attention to the encoder's result, then a network of one hidden layer.

    The arguments are those of `TransformerEncoderLayer`.
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, norm_first, layer_norm_eps, batch_first, bias)
        self._make(("self_attn", "multihead_attn"), *settings, {"device": device, "dtype": dtype})
        self.activation = _get_activation_fn(activation) if isinstance(activation, str) else activation

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=False,
        memory_is_causal=False,
    ):
        """A sequence of the shape of ``tgt``.

        Args:
            tgt: (T, N, E), (N, T, E) with ``batch_first``, or (T, E).
            memory: what the encoder returned, (S, N, E) and so on.
            tgt_mask, memory_mask: (T, T) and (T, S), or with N nhead before; bool (True is left out) or added.
            tgt_key_padding_mask, memory_key_padding_mask: (N, T) and (N, S), likewise.
            tgt_is_causal, memory_is_causal: hints that the masks are causal.
        """
        x = self._residual(tgt, self.norm1, self._sa_block, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        masks = (memory_mask, memory_key_padding_mask, memory_is_causal)
        x = self._residual(x, self.norm2, self._mha_block, memory, *masks)
        return self._residual(x, self.norm3, self._ff_block)

    def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False):
        """Attention to the encoder's result."""
        return self.dropout2(_attend(self.multihead_attn, x, mem, attn_mask, key_padding_mask, is_causal))

    def _ff_block(self, x):
        return self.dropout3(self._feed_forward(x))


# Stacks ---------------------------------------------------------------------------------------------------------------


def _why_not_nested(layer):
    """What keeps PyTorch from running padded sequences through these layers without their padding; "" if nothing does."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention = layer.self_attn
    if layer.norm_first:
        return "encoder_layer.norm_first was True"
    if not attention.batch_first:
        return "encoder_layer.self_attn.batch_first was not True(use batch_first for better inference performance)"
    if not attention._qkv_same_embed_dim:
        return "encoder_layer.self_attn._qkv_same_embed_dim was not True"
    if attention.in_proj_bias is None:
        return "encoder_layer.self_attn was passed bias=False"
    if not layer.activation_relu_or_gelu:
        return "encoder_layer.activation_relu_or_gelu was not True"
    if layer.norm1.eps != layer.norm2.eps:
        return "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps"
    if attention.num_heads % 2 == 1:
        return "encoder_layer.self_attn.num_heads is odd"
    return ""


_nested_warned: list[bool] = []


def _warn_of_nested_tensors():
    """PyTorch says this once in a process, the first time it leaves padding out; scripts that filter or show it see it here too."""
    if not _nested_warned:
        _nested_warned.append(True)
        warnings.warn(
            "The PyTorch API of nested tensors is in prototype stage and will change in the near future. We recommend specifying "
            "layout=torch.jagged when constructing a nested tensor, as this layout receives active development, has better "
            "operator coverage, and works with torch.compile.",
            stacklevel=5,
        )


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other.

    Args:
        encoder_layer: the `TransformerEncoderLayer` to copy.
        num_layers: how many copies.
        norm: a normalisation of the result, or None.
        enable_nested_tensor: in evaluation without gradients, padding at the ends of sequences comes out as zeros.
        mask_check: only if it is at the ends indeed; without it every padded place counts as such.
    """

    __constants__ = ["norm"]

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer)
        if enable_nested_tensor and reason:
            warnings.warn(
                f"enable_nested_tensor is True, but self.use_nested_tensor is False because {reason}", stacklevel=2
            )
            self.use_nested_tensor = False

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        """A sequence of the same shape.

        Args:
            src, mask, src_key_padding_mask: as those of `TransformerEncoderLayer.forward`.
            is_causal: whether ``mask`` is the causal mask; None: look.
        """
        mask, padding = _added_masks(src, mask, "mask", src_key_padding_mask)
        first = self.layers[0]
        drops_padding = self._drops_padding(first, src, mask, padding)
        is_causal = _is_causal(mask, is_causal, src, first.self_attn.batch_first)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=is_causal, src_key_padding_mask=padding)
        if drops_padding:
            output = output.masked_fill((padding != 0).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _drops_padding(self, layer, src, mask, padding):
        """Whether PyTorch would run these layers on the sequences without their padding."""
        if not mha.get_fastpath_enabled() or not getattr(self, "use_nested_tensor", False):
            return False
        if layer.training or src.dim() != 3:
            return False
        if padding is None or mask is not None:
            return False
        kept = padding == 0
        # no sequence goes on behind a gap
        if getattr(self, "mask_check", True) and bool((kept[:, 1:] & ~kept[:, :-1]).any()):
            return False
        if is_grad_enabled() and (src.requires_grad or any(each.requires_grad for each in layer.parameters())):
            return False
        _warn_of_nested_tensors()
        return True


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other.

    Args:
        decoder_layer: the `TransformerDecoderLayer` to copy.
        num_layers: how many copies.
        norm: a normalisation of the result, or None.
    """

    __constants__ = ["norm"]

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        """A sequence of the shape of ``tgt``; the arguments are those of `TransformerDecoderLayer.forward`.

        ``tgt_is_causal`` None: look whether ``tgt_mask`` is the causal mask.
        """
        output = tgt
        tgt_is_causal = _is_causal(tgt_mask, tgt_is_causal, tgt, self.layers[0].self_attn.batch_first)
        for layer in self.layers:
            output = layer(
                *(output, memory),
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder of the source sequence and a decoder of the target sequence that attends to its result.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: as those of
            `TransformerEncoderLayer`.
        num_encoder_layers, num_decoder_layers: how many layers each has.
        custom_encoder, custom_decoder: modules to take instead.
    """

    def __init__(
        self,
        d_model=512,
        nhead=8,
        num_encoder_layers=6,
        num_decoder_layers=6,
        dim_feedforward=2048,
        dropout=0.1,
        activation=F.relu,
        custom_encoder=None,
        custom_decoder=None,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        where = {"device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm():
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)

        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            self.encoder = TransformerEncoder(TransformerEncoderLayer(*settings, **where), num_encoder_layers, norm())
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            self.decoder = TransformerDecoder(TransformerDecoderLayer(*settings, **where), num_decoder_layers, norm())
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src,
        tgt,
        src_mask=None,
        tgt_mask=None,
        memory_mask=None,
        src_key_padding_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        src_is_causal=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        """A sequence of the shape of ``tgt``.

        Args:
            src: (S, N, E), (N, S, E) with ``batch_first``, or (S, E).
            tgt: (T, N, E), (N, T, E) with ``batch_first``, or (T, E).

        The masks are those of `TransformerEncoder.forward` and `TransformerDecoder.forward`. RuntimeError if the batches or the
        sizes of the elements differ.
        """
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            *(tgt, memory),
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """The causal mask (sz, sz): minus infinity above the diagonal, zero elsewhere."""
        return _generate_square_subsequent_mask(sz, dtype=dtype, device=device)

    def _reset_parameters(self):
        for parameter in self.parameters():
            if parameter.dim() > 1:
                xavier_uniform_(parameter)
