"""The generator behind every random number: PyTorch's CPU engine, a Mersenne Twister with a 5056-byte state.

NumPy's ``MT19937`` bit generator, seeded the legacy way with the low 32 bits of the seed, yields the same sequence of
32-bit draws as PyTorch's engine. What this class adds is PyTorch's seed rules, the normal deviate that Box-Muller leaves
over for the next call, and the byte layout of the state, so that states go to PyTorch and come back:

    offset 0     uint64       the initial seed
    offset 8     int32        draws left before the block of 624 is renewed, plus one
    offset 12    int32        1: seeded
    offset 16    uint64       place of the next draw in the block
    offset 24    624 uint64   the block
    offset 5024  float64      the kept normal deviate, and at 5040 an int32 that says whether there is one
    offset 5048  float32      a kept float32 deviate, and at 5052 a bool (PyTorch's CPU samplers never leave one)

``raw(n)`` is the hot path: the bit generator's own method, 0.3 us for ten draws. ``numpy.random`` is imported at the
first draw, because it costs a tenth of NumPy's import time and many programs never draw.

One call of a sampler is not atomic: threads that share a generator get disjoint draws, in an order that depends on timing.
"""

import operator
import os
from contextlib import contextmanager

import numpy as np

from ..devices import check as check_device

__all__ = [
    "STATE_BYTES",
    "Generator",
    "default_generator",
    "fork",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

#: seed of a generator that was never seeded (PyTorch's constant)
DEFAULT_SEED = 67280421310721
STATE_BYTES = 5056
_BLOCK = 624
_MASK53 = (1 << 53) - 1
_HIGH21 = (1 << 21) - 1
#: above this many 64-bit draws NumPy's bulk method beats joining 32-bit ones
_BULK = 512


def _unpack_seed(seed):
    """A seed as PyTorch stores it: unsigned 64 bits, negative numbers wrapped once."""
    if isinstance(seed, bool) or not hasattr(type(seed), "__index__"):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    seed = operator.index(seed)
    if not -(1 << 63) <= seed < 1 << 64:
        raise ValueError("Overflow when unpacking long long")
    return seed & 0xFFFFFFFFFFFFFFFF


class Generator:
    """A source of random draws whose sequence is that of ``torch.Generator(device="cpu")``.

    ``Generator()`` starts from PyTorch's default seed (67280421310721). Methods are PyTorch's: ``manual_seed`` (returns the
    generator), ``seed``, ``initial_seed``, ``get_state``, ``set_state``, ``clone_state``, ``device``. States are uint8
    arrays of 5056 bytes in PyTorch's layout.

    >>> a = Generator().manual_seed(3)
    >>> b = a.clone_state()
    >>> int(a.raw()) == int(b.raw())
    True
    """

    # raw, _bits and _bulk stay unset until the first draw: __getattr__ fills them in
    __slots__ = ("__weakref__", "_bits", "_bulk", "_kept_float", "_legacy", "_seed", "kept_normal", "raw")

    def __init__(self, device="cpu"):
        check_device(device)
        self._seed = DEFAULT_SEED
        self.kept_normal = None
        self._kept_float = None

    def __getattr__(self, name):
        if name in ("raw", "_bits", "_bulk", "_legacy"):
            self._start()
            return object.__getattribute__(self, name)
        raise AttributeError(f"'Generator' object has no attribute '{name}'")

    def _start(self):
        self._bits = np.random.MT19937(0)
        self._legacy = np.random.RandomState(self._bits)
        self._bulk = np.random.Generator(self._bits)
        self._legacy.seed(self._seed & 0xFFFFFFFF)
        self.raw = self._bits.random_raw

    def _started(self):
        try:
            object.__getattribute__(self, "_bits")
        except AttributeError:
            return False
        return True

    @property
    def device(self):
        return check_device(None)

    # ------------------------------------------------------------------------------------------------- seeds

    def manual_seed(self, seed):
        """Start the sequence that belongs to ``seed`` (an int in [-2**63, 2**64)); returns the generator.

        RuntimeError for what is not an int (a bool is not), ValueError outside the range, as PyTorch has them.
        """
        self._seed = _unpack_seed(seed)
        self.kept_normal = self._kept_float = None
        if self._started():
            self._legacy.seed(self._seed & 0xFFFFFFFF)
        return self

    def seed(self):
        """Seed from the operating system's entropy; returns the 64-bit seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self):
        """The seed the sequence started from, as an unsigned 64-bit int."""
        return self._seed

    # ------------------------------------------------------------------------------------------------- state

    def get_state(self):
        """The state as a uint8 array of 5056 bytes, laid out as PyTorch's."""
        state = self._bits.state["state"]
        key, position = state["key"], int(state["pos"])
        left, following = _BLOCK + 1 - position, position
        # PyTorch tells a block that was just seeded from one that was just used up; NumPy does not
        if position == _BLOCK and np.array_equal(key, _seeded_block(self._seed)):
            following = 0
        out = np.zeros(STATE_BYTES, np.uint8)
        out[0:8].view(np.uint64)[0] = self._seed
        out[8:16].view(np.int32)[:] = left, 1
        out[16:24].view(np.uint64)[0] = following
        out[24:5016].view(np.uint64)[:] = key
        if self.kept_normal is not None:
            out[5024:5032].view(np.float64)[0] = self.kept_normal
            out[5040:5044].view(np.int32)[0] = 1
        if self._kept_float is not None:
            out[5048:5052].view(np.float32)[0] = self._kept_float
            out[5052] = 1
        return out

    def set_state(self, new_state):
        """Continue from a state that `get_state` or PyTorch's gave; returns the generator.

        ``new_state`` is a contiguous uint8 array. TypeError for another type or dtype, RuntimeError for another size, for
        gaps, or for bytes that are no state.
        """
        if not hasattr(new_state, "dtype"):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        state = np.asarray(new_state)
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if not state.flags.c_contiguous:
            raise RuntimeError("RNG state must be contiguous")
        if state.size != STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_BYTES} but found the input RNG state size to be {state.size}"
            )
        state = state.reshape(-1).copy()  # a copy is aligned, whatever the caller's was
        left, seeded = (int(value) for value in state[8:16].view(np.int32))
        following = int(state[16:24].view(np.uint64)[0])
        if seeded != 1 or not 0 < left <= _BLOCK or following > _BLOCK:
            raise RuntimeError("Invalid mt19937 state")
        key = state[24:5016].view(np.uint64).astype(np.uint32)
        position = _BLOCK if left == 1 else following
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._seed = int(state[0:8].view(np.uint64)[0])
        self.kept_normal = float(state[5024:5032].view(np.float64)[0]) if state[5040:5044].view(np.int32)[0] else None
        self._kept_float = float(state[5048:5052].view(np.float32)[0]) if state[5052] else None
        return self

    def clone_state(self):
        """A new generator that will draw what this one will."""
        return type(self)().set_state(self.get_state())

    def get_offset(self):
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset):
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self):
        return type(self), (), self.get_state()

    def __setstate__(self, state):
        self.set_state(state)

    # ------------------------------------------------------------------------------------------------- draws

    def words(self, n):
        """``n`` draws of 64 bits as a uint64 array: two 32-bit draws each, the first one high."""
        if n > _BULK:
            return self._bulk.integers(0, 1 << 64, n, dtype=np.uint64)
        halves = self.raw(2 * n)
        high = halves[::2] << 32
        high |= halves[1::2]
        return high

    def mantissas(self, n):
        """``n`` integers in [0, 2**53) as an int64 array: the numerators of `doubles`."""
        words = self.words(n)
        words &= _MASK53
        return words.view(np.int64)

    def doubles(self, n):
        """``n`` float64 in [0, 1): the low 53 bits of a 64-bit draw over 2**53."""
        return self.mantissas(n) * 2.0**-53

    def double(self):
        """One such number as a Python float, for samplers that go element by element."""
        raw = self.raw
        return (((raw() & _HIGH21) << 32) | raw()) * 2.0**-53

    def floats(self, n):
        """``n`` float32 in [0, 1): the low 24 bits of a 32-bit draw over 2**24."""
        draws = self.raw(n)
        if n > 4096:
            draws = draws.astype(np.uint32)
            draws &= 0xFFFFFF
            result = draws.view(np.int32).astype(np.float32)
        else:
            draws &= 0xFFFFFF
            result = draws.astype(np.float32)
        result *= np.float32(2.0**-24)
        return result


def _seeded_block(seed):
    """The block of 624 words right after seeding."""
    return np.random.RandomState(seed & 0xFFFFFFFF).get_state()[1]


#: what samplers draw from where no generator is named; seeded from the system at start, as PyTorch's is
default_generator = Generator()
default_generator.seed()


def manual_seed(seed):
    """Seed the default generator with ``int(seed)`` and return it."""
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the default generator from the system; returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state():
    """The default generator's state: 5056 bytes."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Put the default generator in a state; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork(*generators):
    """Leave the generators (the default one where none is named) as they were found, whatever the block draws."""
    generators = generators or (default_generator,)
    states = [generator.get_state() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
