"""Sequences of several lengths as rows without padding, time step after time step, and back.

A packed batch is data of shape (rows, ...) and the number of sequences still running at each step; sequences are in order of
decreasing length, so those that run on are always the first.
"""

import numpy as np

from .. import dtypes

__all__ = ["pack_padded_sequence", "packed_rows", "pad_rows"]


def pack_padded_sequence(input, lengths, batch_first):
    """(rows, batch sizes (longest,)) of `input` (T, B, ...), or (B, T, ...) if `batch_first`, without what lies behind `lengths`.

    RuntimeError unless `lengths` are int64 (B,), positive and in decreasing order.
    """
    empty = input.size == 0 and lengths.dtype == np.int64
    if not empty and (lengths.ndim != 1 or lengths.dtype != np.int64):
        kind = dtypes.of(lengths.dtype).legacy
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.ndim}D cpu {kind} tensor"
        )
    if empty:
        raise RuntimeError("Cannot pack empty tensors.")
    steps_first = np.swapaxes(input, 0, 1) if batch_first else input
    batch = steps_first.shape[1]
    if lengths.size != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {lengths.size} (batch_size={batch})"
        )
    if lengths[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if np.any(lengths[1:] > lengths[:-1]):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
            "need ONNX exportability."
        )
    sizes = (lengths[None, :] > np.arange(lengths[0])[:, None]).sum(axis=1)
    return packed_rows(steps_first, sizes), sizes


def packed_rows(input, batch_sizes):
    """The rows of `input` (T, B, ...) that belong to a sequence; steps beyond T have none."""
    return input[_places(batch_sizes[: input.shape[0]])]


def pad_rows(data, batch_sizes, total_length, batch_first=False, padding_value=0.0):
    """The packed rows `data` as (total_length, B, ...), or (B, total_length, ...); the places without a row hold `padding_value`."""
    lead = (total_length, int(batch_sizes[0]))
    padded = np.full(lead + data.shape[1:], padding_value, data.dtype)
    padded[_places(batch_sizes[:total_length])] = data
    return np.swapaxes(padded, 0, 1) if batch_first else padded


def _places(sizes):
    """The time step and the number of the sequence of each packed row."""
    step = np.repeat(np.arange(sizes.size), sizes)
    return step, np.arange(step.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
