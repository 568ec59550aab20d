"""Sequences of several lengths for recurrent layers: packed (no padding at all), padded, and as lists."""

from collections import namedtuple
from collections.abc import Iterable

from ... import arange, as_tensor, empty_like, full, int64
from ... import sort as _sort
from ...ops.table import TENSOR as F  # noqa: N811
from ...overrides import handle_torch_function, has_torch_function
from ...tensor import Tensor

__all__ = [
    *("PackedSequence", "invert_permutation", "pack_padded_sequence", "pad_packed_sequence", "pad_sequence"),
    *("unpad_sequence", "pack_sequence", "unpack_sequence"),
]


#: the four parts of a `PackedSequence`
PackedSequence_ = namedtuple("PackedSequence_", ("data", "batch_sizes", "sorted_indices", "unsorted_indices"))


def _casting(name):
    def method(self, *args, **kwargs):
        data = getattr(self.data, name)(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"With the data as by ``Tensor.{name}``; this object itself where that changes nothing."
    return method


class PackedSequence(PackedSequence_):
    """A batch of sequences as rows, time step after time step; made by `pack_padded_sequence` and `pack_sequence`.

    Attributes:
        data: (rows, ...), first the first elements of all sequences from the longest to the shortest, then the second ones.
        batch_sizes: int64 (longest,), how many sequences have an element at each step.
        sorted_indices: int64 (B,), where each of the sorted sequences came from; None if they came sorted.
        unsorted_indices: int64 (B,), its inverse.

    Instances are not meant to be made by hand. ``data`` may be of any dtype.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            # the older form of the first two parts
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They "
                "should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    to = _casting("to")
    cpu = _casting("cpu")
    cuda = _casting("cuda")
    pin_memory = _casting("pin_memory")
    double = _casting("double")
    float = _casting("float")
    half = _casting("half")
    long = _casting("long")
    int = _casting("int")
    short = _casting("short")
    char = _casting("char")
    byte = _casting("byte")

    @property
    def is_cuda(self):
        return self.data.is_cuda

    def is_pinned(self):
        return self.data.is_pinned()


def invert_permutation(permutation):
    """The permutation (B,) that undoes another; None for None."""
    if permutation is None:
        return None
    inverse = empty_like(permutation)
    inverse.scatter_(0, permutation, arange(0, permutation.numel(), device=permutation.device))
    return inverse


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Pack sequences that are padded to one length.

    Args:
        input: (T, B, ...), or (B, T, ...) with ``batch_first``.
        lengths: of each sequence, int64 (B,) or a list; each at least 1.
        enforce_sorted: lengths come in decreasing order; without it they are sorted here.

    Returns a `PackedSequence`. RuntimeError for lengths of the wrong number, order or value.
    """
    lengths = as_tensor(lengths, device="cpu", dtype=int64)
    order = None
    if not enforce_sorted:
        lengths, order = _sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    if input.dim() < 2:
        input.transpose(0, 1)  # refuses, in the words that PyTorch has for it
    data, batch_sizes = F._pack_padded_sequence(input, lengths, bool(batch_first))
    return PackedSequence(data, batch_sizes, order, None)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """Undo `pack_padded_sequence`: (padded, lengths).

    Args:
        padding_value: what stands behind the ends.
        total_length: how long the result is to be, at least as long as the longest sequence (which is the default).

    Returns padded data (T, B, ...), or (B, T, ...) with ``batch_first``, and lengths int64 (B,), in the order before packing.
    """
    sizes = sequence.batch_sizes
    longest = sizes.size(0)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    padded = F._pad_rows(sequence.data, sizes, longest, False, padding_value)
    if batch_first:
        padded = padded.transpose(0, 1)
    lengths = (sizes.unsqueeze(1) > arange(int(sizes[0]))).sum(0)
    order = sequence.unsorted_indices
    if order is not None:
        return padded.index_select(0 if batch_first else 1, order), lengths[order]
    return padded, lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences (L_i, ...) as one tensor (longest, B, ...), or (B, longest, ...) with ``batch_first``.

    Args:
        sequences: list of tensors that agree in all sizes but the first.
        padding_value: what stands at the empty places.
        padding_side: "right" (behind the ends) or "left".
    """
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if has_torch_function(sequences):
        return handle_torch_function(pad_sequence, sequences, sequences, batch_first, padding_value, padding_side)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    first = sequences[0]
    longest = max(each.size(0) for each in sequences)
    lead = (len(sequences), longest) if batch_first else (longest, len(sequences))
    padded = full((*lead, *first.shape[1:]), padding_value, dtype=first.dtype, device=first.device)
    for number, each in enumerate(sequences):
        start = longest - each.size(0) if padding_side == "left" else 0
        padded.select(0 if batch_first else 1, number).narrow(0, start, each.size(0)).copy_(each)
    return padded


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """Undo `pad_sequence`: the list of tensors (lengths[i], ...) in ``padded_sequences`` (T, B, ...) or (B, T, ...)."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    steps = arange(padded_sequences.shape[1], device=lengths.device)
    return [each[steps < length] for each, length in zip(padded_sequences, lengths)]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack tensors (L_i, ...), in order of decreasing length unless ``enforce_sorted`` is False."""
    lengths = as_tensor([each.size(0) for each in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """Undo `pack_sequence`: the list of tensors (L_i, ...)."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
