"""Tables of vectors that are looked up by number: `Embedding`, and `EmbeddingBag` that reduces bags of them."""

from ... import empty
from ...autograd.modes import no_grad
from ...parameter import Parameter
from .. import functional as F  # noqa: N812
from .. import init
from .module import Module

__all__ = ["Embedding", "EmbeddingBag"]


def _nonnegative(padding_idx, rows, text):
    """``padding_idx`` counted from the front; AssertionError if there is no such row."""
    if padding_idx is None:
        return None
    # row 0 is let through even where there are no rows, as PyTorch does
    if padding_idx and not -rows <= padding_idx < rows:
        raise AssertionError(text)
    return padding_idx + rows if padding_idx < 0 else padding_idx


class _Table(Module):
    """A table (num_embeddings, embedding_dim), drawn from the standard normal distribution."""

    def _make(self, weight, freeze, device, dtype):
        shape = (self.num_embeddings, self.embedding_dim)
        if weight is None:
            self.weight = Parameter(empty(shape, device=device, dtype=dtype), requires_grad=not freeze)
            self.reset_parameters()
            return
        if tuple(weight.shape) != shape:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self):
        """Draw the table anew; the row at ``padding_idx`` is zero."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self):
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    @staticmethod
    def _shape_of(embeddings):
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        return tuple(embeddings.shape)


class Embedding(_Table):
    """Rows of a table at integer indices.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of a row.
        padding_idx: this row starts as zero and gets no gradient.
        max_norm: rows longer than that are scaled down, in place, when they are looked up.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up.
        sparse: gradients as sparse tensors, which are not supported: NotImplementedError at the first call.
    """

    __constants__ = [
        *("num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")
    ]

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        _weight=None,
        _freeze=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _nonnegative(padding_idx, num_embeddings, "Padding_idx must be within num_embeddings")
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self._make(_weight, _freeze, device, dtype)
        self.sparse = sparse

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
    ):
        """An instance whose table is the tensor ``embeddings`` (rows, size) itself; not trained if ``freeze``."""
        rows, width = cls._shape_of(embeddings)
        return cls(
            num_embeddings=rows,
            embedding_dim=width,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input):
        """(*, embedding_dim) from indices of any shape (*)."""
        return F.embedding(
            *(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + (", sparse=True" if self.sparse is not False else "")


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of a table in each bag of indices.

    Args:
        mode: "sum", "mean" or "max".
        include_last_offset: ``offsets`` ends with the number of indices.
        padding_idx: indices of this value are left out of their bags; the row starts as zero and gets no gradient.

    The other arguments are those of `Embedding`.
    """

    __constants__ = [
        *("num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse"),
        *("include_last_offset", "padding_idx"),
    ]

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        mode="mean",
        sparse=False,
        _weight=None,
        include_last_offset=False,
        padding_idx=None,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = _nonnegative(padding_idx, num_embeddings, "padding_idx must be within num_embeddings")
        self._make(_weight, False, device, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        mode="mean",
        sparse=False,
        include_last_offset=False,
        padding_idx=None,
    ):
        """An instance whose table is the tensor ``embeddings`` (rows, size) itself; not trained if ``freeze``."""
        rows, width = cls._shape_of(embeddings)
        made = cls(
            num_embeddings=rows,
            embedding_dim=width,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        made.weight.requires_grad = not freeze
        return made

    def forward(self, input, offsets=None, per_sample_weights=None):
        """(bags, embedding_dim).

        Args:
            input: indices (bags, n), or (total,) of all bags one after the other.
            offsets: for the second form, where each bag begins (bags,).
            per_sample_weights: factors of the rows, of the shape of ``input``; mode "sum" only.
        """
        return F.embedding_bag(
            *(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode),
            *(self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx),
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
