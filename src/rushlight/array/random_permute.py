"""Random permutations: PyTorch's Fisher-Yates shuffles without a loop over elements.

For n below 2**32 / 20 PyTorch swaps element i with element ``i + draw % (n - i)`` for i = 0, 1, ..., n - 2, one 32-bit draw
each. Above that it builds the permutation inside out from 64-bit draws: ``r[i] = r[z]; r[z] = i`` with ``z = draw % (i + 1)``.

Both are sequences of dependent moves, but which move an element comes from can be told without making them. Call h the
partner of each step and look at the steps that share a partner, in order:

- swaps: the value standing at i when its turn comes is V(i) = V(k), k the last step before i with partner i, and i itself
  when there is none. The result at i is V(previous step with the same partner), or that partner when i is the first.
- inside out: the value that step p moves to place p is the previous step with the same partner, or what that partner's own
  step moved to it. The result at p is the last step from p on whose partner is p, or what step p moved there.

Both are chains of pointers, followed to their ends by doubling (a handful of rounds). Memory: about six arrays of n int64.
"""

import numpy as np

from .. import dtypes
from .random_generator import default_generator

__all__ = ["randperm"]

#: from this n on PyTorch shuffles inside out with 64-bit draws
_WIDE = (2**32 - 1) // 20
#: up to here a plain loop over a list is as fast
_SHORT = 256
_PRECISE = {"float16": "2049", "float32": "2^24+1", "float64": "2^53+1"}
_PRECISE_NUMBER = {"float16": 2**11 + 1, "float32": 2**24 + 1, "float64": 2**53 + 1}
_C_NAMES = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t"}


def randperm(n, *, dtype=None, generator=None):
    """The integers 0 to n - 1 in random order, as a 1-d array (int64, or the dtype named)."""
    dtype = dtype or dtypes.int64
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    name = dtype.name
    if name in _PRECISE:
        if n > _PRECISE_NUMBER[name]:
            raise RuntimeError(f"n cannot be greater than {_PRECISE[name]} for {dtype.legacy} type.")
    elif name == "bfloat16":
        pass  # PyTorch lets the integers round
    elif name not in _C_NAMES:
        raise NotImplementedError(f"\"randperm\" not implemented for '{dtype.legacy}'")
    elif n - 1 > np.iinfo(dtype.numpy).max:
        raise RuntimeError(f"value cannot be converted to type {_C_NAMES[name]} without overflow")
    generator = generator or default_generator
    if n >= _WIDE:
        partners = generator.words(n) % np.arange(1, n + 1, dtype=np.uint64)
        result = _inside_out(partners.view(np.int64))
    elif n <= 1:
        result = np.zeros(n, np.int64)
    elif n <= _SHORT:
        result = list(range(n))
        for i, draw in enumerate(generator.raw(n - 1).tolist()):
            other = i + draw % (n - i)
            result[i], result[other] = result[other], result[i]
        result = np.array(result)
    else:
        draws = generator.raw(n - 1).astype(np.uint32)
        draws %= np.arange(n, 1, -1, dtype=np.uint32)
        result = _swaps(draws, n)
    return result.astype(dtype.numpy, copy=False)


def _by_partner(partners):
    """Steps sorted by partner and then by time, and their partners."""
    keys = partners.astype(np.uint64)
    keys <<= 32
    keys |= np.arange(partners.size, dtype=np.uint64)
    keys.sort()
    steps = (keys & 0xFFFFFFFF).view(np.int64)
    keys >>= 32
    return steps, keys.view(np.int64)


def _ends(pointer):
    """Follow every chain of pointers to its end (an element that points to itself)."""
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further


def _swaps(offsets, n):
    """The result of swapping i with i + offsets[i], for i = 0 ... n - 2."""
    partners = np.arange(n, dtype=np.int64)
    partners[:-1] += offsets
    steps, sorted_partners = _by_partner(partners)
    standing = np.arange(n, dtype=np.int64)
    earlier = steps < sorted_partners
    standing[sorted_partners[earlier]] = steps[earlier]  # ascending, so the last one stays
    standing = _ends(standing)
    result = np.empty(n, np.int64)
    source = sorted_partners.copy()
    again = np.flatnonzero(sorted_partners[1:] == sorted_partners[:-1])
    source[again + 1] = standing[steps[again]]
    result[steps] = source
    return result


def _inside_out(partners):
    """The result of r[i] = r[z]; r[z] = i for i = 0, 1, ..., with z = partners[i] <= i."""
    n = partners.size
    steps, sorted_partners = _by_partner(partners)
    same = sorted_partners[1:] == sorted_partners[:-1]
    pointer = partners.copy()  # a first step with its partner moves what that partner's own step moved
    moved = np.arange(n, dtype=np.int64)
    later = np.flatnonzero(same) + 1
    pointer[steps[later]] = steps[later]
    moved[steps[later]] = steps[later - 1]
    moved = moved[_ends(pointer)]
    result = moved
    last = np.append(~same, True)
    owners, writers = sorted_partners[last], steps[last]
    final = writers >= owners
    result[owners[final]] = writers[final]
    return result
