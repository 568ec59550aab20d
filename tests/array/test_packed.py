"""Packing: rows without padding, and back."""

import numpy as np
import pytest

from rushlight.array.packed import pack_padded_sequence, packed_rows, pad_rows

PADDED = np.arange(12.0).reshape(4, 3)  # step t of sequence b is 3 t + b
LENGTHS = np.array([4, 2, 1])


def test_rows_come_step_after_step():
    rows, sizes = pack_padded_sequence(PADDED, LENGTHS, False)
    assert rows.tolist() == [0, 1, 2, 3, 4, 6, 9]
    assert sizes.tolist() == [3, 2, 1, 1]


def test_the_batch_may_come_first():
    rows, sizes = pack_padded_sequence(PADDED.T, LENGTHS, True)
    assert rows.tolist() == [0, 1, 2, 3, 4, 6, 9]


def test_padding_again_puts_the_value_behind_the_ends():
    rows, sizes = pack_padded_sequence(PADDED, LENGTHS, False)
    expected = [[0, 1, 2], [3, 4, -1], [6, -1, -1], [9, -1, -1], [-1, -1, -1]]
    assert pad_rows(rows, sizes, 5, False, -1.0).tolist() == expected
    assert pad_rows(rows, sizes, 5, True, -1.0).T.tolist() == expected


def test_steps_beyond_the_data_have_no_rows():
    assert packed_rows(PADDED[:2], np.array([3, 2, 1, 1])).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ([1, 2, 4], "must be sorted in decreasing order"),
        ([4, 2], "to be equal to batch_size, but got 2"),
        ([4, 2, 0], "has to be greater than 0"),
        ([4.0, 2.0, 1.0], "1D CPU int64 tensor, but got 1D cpu Double tensor"),
    ],
)
def test_lengths_that_do_not_fit(lengths, text):
    with pytest.raises(RuntimeError, match=text):
        pack_padded_sequence(PADDED, np.array(lengths), False)
