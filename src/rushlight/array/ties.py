"""Which of equal elements PyTorch's ``topk``, ``mode`` and ``kthvalue`` point at.

Where elements differ any sort gives the one answer. Where some are equal PyTorch's order is that of the algorithm it uses: for
``topk`` and ``mode`` those of the C++ standard library it is built with (GCC's): for few of many (64 k <= n) a partial sort by a heap,
else a quickselect by medians of three, and an introsort; for ``kthvalue`` Hoare's quickselect. These are deterministic, so the
steps are gone through here on a list, for the rows that need it only.

Time: a few microseconds an element of a row with equal elements; nothing for the others but one stable sort. ``mode`` and
``kthvalue``, whose documentation leaves the choice open, do so for up to ``WORTH`` elements in such rows; where there are more they
point at the last and the first of equal elements.
"""

import numpy as np

__all__ = ["STABLE", "WORTH", "largest", "selected", "sorted_order"]

#: how many elements ``mode`` and ``kthvalue`` go through step by step: some tens of milliseconds
WORTH = 32768
#: elements of the longest row that ``std::sort`` leaves in order where they are equal
STABLE = 16


def largest(values, k):
    """Indices of the ``k`` largest along the last dimension (no NaN), in descending order, as int64."""
    order = np.argsort(-values, axis=-1, kind="stable")
    n = values.shape[-1]
    ahead = np.take_along_axis(values, order[..., : min(k + 1, n)], -1)
    tied = (ahead[..., 1:] == ahead[..., :-1]).any(-1)
    order = order[..., :k].astype(np.int64, copy=False)
    if tied.any():
        order = order.copy()
        rows, found = values.reshape(-1, n), order.reshape(-1, k)
        for row in np.flatnonzero(tied.reshape(-1)).tolist():
            found[row] = _Ranking(rows[row].tolist()).largest(k)
    return order


def sorted_order(values):
    """Places of a list's elements in ascending order, equal ones as ``std::sort`` leaves them."""
    ranking = _Ranking([-value for value in values])  # which goes from the largest down
    ranking.sort(0, len(values))
    return ranking.items


def selected(values, k):
    """The place of the element of rank ``k`` (from 0, ascending) that Hoare's quickselect ends at; NaN counts as largest.

    The pivot is the median of the first, the middle and the last element of what is left.
    """
    items = list(range(len(values)))

    def above(a, b):
        x, y = values[a], values[b]
        return x > y or (x != x and y == y)

    def order(i, j):
        if above(items[i], items[j]):
            items[i], items[j] = items[j], items[i]

    low, high = 0, len(items) - 1
    while high > low:
        if high == low + 1:
            order(low, high)
            break
        middle = low + (high - low) // 2
        items[middle], items[low + 1] = items[low + 1], items[middle]
        order(low + 1, high)
        order(low, high)
        order(low + 1, low)
        pivot = items[low]
        i, j = low + 1, high
        while True:
            i += 1
            while above(pivot, items[i]):
                i += 1
            j -= 1
            while above(items[j], pivot):
                j -= 1
            if j < i:
                break
            items[i], items[j] = items[j], items[i]
        items[low], items[j] = items[j], items[low]
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    return items[k]


class _Ranking:
    """Positions 0 ... n - 1 moved about as GCC's algorithms move elements; "before" means a larger value."""

    def __init__(self, values):
        self.values = values
        self.items = list(range(len(values)))

    def before(self, a, b):
        """Whether the item at place a goes before the one at place b."""
        return self.values[self.items[a]] > self.values[self.items[b]]

    def swap(self, a, b):
        self.items[a], self.items[b] = self.items[b], self.items[a]

    def largest(self, k):
        n = len(self.items)
        if k * 64 <= n:
            self.heap_select(0, k, n)
            self.sort_heap(0, k)
        else:
            self.select(0, k - 1, n)
            self.sort(0, k - 1)
        return self.items[:k]

    # -------------------------------------------------------------------------------------------------- heaps

    def sift(self, first, hole, length, item):
        items, value, top = self.items, self.values, hole
        child = hole
        while child < (length - 1) // 2:
            child = 2 * (child + 1)
            if self.before(first + child, first + child - 1):
                child -= 1
            items[first + hole] = items[first + child]
            hole = child
        if length % 2 == 0 and child == (length - 2) // 2:
            child = 2 * (child + 1)
            items[first + hole] = items[first + child - 1]
            hole = child - 1
        parent = (hole - 1) // 2
        while hole > top and value[items[first + parent]] > value[item]:
            items[first + hole] = items[first + parent]
            hole = parent
            parent = (hole - 1) // 2
        items[first + hole] = item

    def exchange_top(self, first, last, place):
        """The top of the heap goes to ``place``, what was there into the heap."""
        item = self.items[place]
        self.items[place] = self.items[first]
        self.sift(first, 0, last - first, item)

    def heap_select(self, first, middle, last):
        length = middle - first
        for parent in range((length - 2) // 2, -1, -1):
            self.sift(first, parent, length, self.items[first + parent])
        for place in range(middle, last):
            if self.before(place, first):
                self.exchange_top(first, middle, place)

    def sort_heap(self, first, last):
        while last - first > 1:
            last -= 1
            self.exchange_top(first, last, last)

    # ------------------------------------------------------------------------------------------- quick methods

    def partition(self, first, last):
        """Split around the median of three, which is moved to ``first``; returns the start of the second part."""
        before, swap = self.before, self.swap
        a, b, c = first + 1, first + (last - first) // 2, last - 1
        if before(a, b):
            median = b if before(b, c) else c if before(a, c) else a
        else:
            median = a if before(a, c) else c if before(b, c) else b
        swap(first, median)
        low, high = first + 1, last
        while True:
            while before(low, first):
                low += 1
            high -= 1
            while before(first, high):
                high -= 1
            if low >= high:
                return low
            swap(low, high)
            low += 1

    def select(self, first, nth, last):
        depth = 2 * ((last - first).bit_length() - 1)
        while last - first > 3:
            if depth == 0:
                self.heap_select(first, nth + 1, last)
                self.swap(first, nth)
                return
            depth -= 1
            cut = self.partition(first, last)
            if cut <= nth:
                first = cut
            else:
                last = cut
        self.insert(first, last)

    def sort(self, first, last):
        if last - first > 1:
            self.loop(first, last, 2 * ((last - first).bit_length() - 1))
            self.insert(first, last)

    def loop(self, first, last, depth):
        while last - first > STABLE:
            if depth == 0:
                self.heap_select(first, last, last)
                self.sort_heap(first, last)
                return
            depth -= 1
            cut = self.partition(first, last)
            self.loop(cut, last, depth)
            last = cut

    def insert(self, first, last):
        """Insertion sort: stable, so the short cuts that GCC takes in it do not show."""
        items, value = self.items, self.values
        for place in range(first + 1, last):
            item = items[place]
            while place > first and value[item] > value[items[place - 1]]:
                items[place] = items[place - 1]
                place -= 1
            items[place] = item
