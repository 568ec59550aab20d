"""Elementwise work on cache-sized blocks.

A composite function such as sigmoid or gelu is several NumPy passes. Over a large array each pass streams through memory;
over a block of 16 thousand elements the intermediate values never leave the cache, so only the first read and the last
write cost anything. A *step* is a function that performs all of the passes on one block, writing into arrays it is given:

    def step(x, y, t):          # inputs, then the result, then scratch arrays like the result
        np.negative(x, y)
        ...

`apply(step, (x,), scratch=1)` allocates the result, widens half precision to float32 (rounding once at the end), and runs
the step over the whole array when it is small and block by block, shared between threads, when it is not. Memory beyond the result: one block for
each scratch array and thread (and a copy of any input whose layout differs from the first one's).

`keep` and `select` choose elements by a mask without branches: NumPy's `where` and `copyto` branch for each element and
take ten times as long on an irregular mask.
"""

import numpy as np

from .. import dtypes
from .large import BLOCK_SHARED as BLOCK
from .large import block_size
from .threads import parallel

__all__ = ["BLOCK", "allocate", "apply", "blockwise", "floating", "is_half", "keep", "polynomial", "select", "zeros"]

#: up to here one call over the whole array is as good
SMALL = 32768

#: where results get their memory; the buffer pool may put itself here
allocate = np.empty

_SIGNED = {4: np.dtype(np.int32), 8: np.dtype(np.int64), 2: np.dtype(np.int16)}
_ZEROS = {}


def is_half(dtype):
    """True for float16 and bfloat16 (which NumPy sees as an extension type)."""
    return dtype.itemsize == 2 and (dtype.kind == "f" or dtype.name == "bfloat16")


def floating(x):
    """`x` itself when it is floating or complex, else converted to the default floating dtype."""
    kind = x.dtype.kind
    if kind in "fc" or is_half(x.dtype):
        return x
    return x.astype(dtypes.get_default_dtype().numpy)


def zeros(size, dtype):
    """A read-only array of at most BLOCK zeros, kept between calls (an array operand is faster than a scalar one)."""
    found = _ZEROS.get(dtype)
    if found is None:
        found = _ZEROS[dtype] = np.zeros(BLOCK, dtype)
        found.flags.writeable = False
    return found[:size]


def apply(step, inputs, out=None, scratch=0):
    """Run `step` over `inputs` (arrays of one floating dtype; shapes broadcast) and return the result.

    `step(*blocks, result, *scratch_blocks)` sees one-dimensional blocks when the array is large and the arrays
    themselves, of any shape, when it is small. Half precision is computed in float32 and rounded once.
    """
    first = inputs[0]
    shape = first.shape
    dtype = first.dtype
    if out is None and first.size <= SMALL and dtype.itemsize > 2 and len(inputs) == 1:
        out = np.empty_like(first)
        if scratch:
            step(first, out, *[np.empty_like(out) for _ in range(scratch)])
        else:
            step(first, out)
        return out
    if len(inputs) > 1:
        for other in inputs:
            if other.shape != shape:
                inputs = np.broadcast_arrays(*inputs)
                shape = inputs[0].shape
                break
    if is_half(dtype):
        wide = np.empty(shape, np.float32)
        blockwise(step, [x.astype(np.float32) for x in inputs], wide, scratch)
        if out is None:
            with np.errstate(over="ignore"):
                return wide.astype(dtype)
        with np.errstate(over="ignore"):
            out[...] = wide
        return out
    if out is None:
        out = np.empty_like(first) if first.shape == shape else np.empty(shape, dtype)
    elif out.dtype != dtype or any(np.may_share_memory(out, x) for x in inputs):
        # a step may read its inputs after it has begun to write
        result = blockwise(step, inputs, np.empty(shape, dtype), scratch)
        np.copyto(out, result, casting="unsafe")
        return out
    return blockwise(step, inputs, out, scratch)


def blockwise(step, inputs, out, scratch=0):
    """Run `step` over arrays that already have `out`'s shape, in blocks when there are more than 32 thousand elements.

    Arrays whose layout differs from `out`'s are copied to it first. Returns `out`.
    """
    size = out.size
    if size <= SMALL:
        if scratch:
            step(*inputs, out, *[np.empty_like(out) for _ in range(scratch)])
        else:
            step(*inputs, out)
        return out
    if not out.flags.forc:
        out[...] = blockwise(step, inputs, np.empty(out.shape, out.dtype), scratch)
        return out
    order = "C" if out.flags.c_contiguous else "F"
    sources = [np.ravel(x, order=order) for x in inputs]
    target = np.ravel(out, order=order)

    block = block_size()

    def body(start, stop):
        spare = [np.empty(block, out.dtype) for _ in range(scratch)]
        for at in range(start, stop, block):
            end = min(at + block, stop)
            if end - at < block:
                spare = [each[: end - at] for each in spare]
            step(*[x[at:end] for x in sources], target[at:end], *spare)

    parallel(size, body)
    return out


def keep(mask, x, out):
    """`x` where `mask` (bool) holds and zero elsewhere, into `out` (may be `x`); NaN and infinity do not leak."""
    dtype = out.dtype
    if dtype.kind != "f" or not mask.ndim:
        out[...] = np.where(mask, x, dtype.type(0))
        return out
    bits = _SIGNED[dtype.itemsize]
    chosen = np.negative(mask.view(np.int8)).astype(bits)
    np.bitwise_and(x.view(bits), chosen, out=out.view(bits))
    return out


def select(mask, yes, no, out):
    """`yes` where `mask` holds, else `no`, into `out` (which may be either): three bitwise passes, no branch."""
    dtype = out.dtype
    if dtype.kind != "f" or not mask.ndim or yes.ndim != mask.ndim or no.ndim != mask.ndim:
        out[...] = np.where(mask, yes, no)
        return out
    bits = _SIGNED[dtype.itemsize]
    chosen = np.negative(mask.view(np.int8)).astype(bits)
    yes, no, result = yes.view(bits), no.view(bits), out.view(bits)
    difference = np.bitwise_xor(yes, no)
    np.bitwise_and(difference, chosen, out=difference)
    np.bitwise_xor(difference, no, out=result)
    return out


def polynomial(t, coefficients, out):
    """Horner's rule, highest coefficient first, into `out` (must not be `t`)."""
    np.multiply(t, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        np.add(out, c, out=out)
        np.multiply(out, t, out=out)
    np.add(out, coefficients[-1], out=out)
    return out
