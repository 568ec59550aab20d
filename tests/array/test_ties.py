"""Which of equal elements the order statistics point at; literals were taken from PyTorch."""

import numpy as np

from rushlight.array import ties
from rushlight.array.statistics import kthvalue, mode


def test_selection_ends_at_an_element_of_its_rank():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 7, 40):
        row = rng.integers(0, 5, n).tolist()
        for k in range(n):
            assert row[ties.selected(row, k)] == sorted(row)[k]


def test_not_a_number_is_selected_last():
    row = [float("nan"), 2.0, float("nan"), 1.0]
    assert [row[ties.selected(row, k)] for k in range(2)] == [1.0, 2.0]
    assert np.isnan(row[ties.selected(row, 3)])


def test_sorted_order_is_an_order():
    rng = np.random.default_rng(0)
    row = rng.integers(0, 9, 300).tolist()
    order = ties.sorted_order(row)
    assert sorted(order) == list(range(300))
    assert [row[i] for i in order] == sorted(row)


def test_places_among_equal_elements_as_in_pytorch():
    row = np.array([3, 1, 3, 1, 1, 0, 3, 1])
    assert [int(kthvalue(row, k)[1]) for k in range(1, 9)] == [5, 4, 3, 7, 1, 2, 6, 0]
    many = np.arange(50) * 7 % 5
    assert [int(x) for x in mode(many)] == [0, 5]


def test_long_rows_point_at_the_ends_of_equal_elements():
    row = np.zeros(ties.WORTH + 1, np.int64)
    assert int(kthvalue(row, 7)[1]) == 6
    assert int(mode(row)[1]) == ties.WORTH
