"""Normal deviates by Box-Muller, as PyTorch's CPU kernels compute them.

Three recipes, chosen as PyTorch chooses:

- fewer than 16 elements, or an array with gaps: pairs of doubles (u, v) give r = sqrt(-2 log1p(-v)) and the deviates
  r cos(2 pi u), r sin(2 pi u); the second waits in the generator for the next number asked for;
- 16 or more, float32, float16 or bfloat16: blocks of 16 uniforms in float32, the first eight the radius (of 1 - u), the
  last eight the angle; cosines go to the first half, sines to the second. Where the size is no multiple of 16 the last
  sixteen elements are drawn anew;
- 16 or more, float64: the same blocks in double precision.

The float32 recipe is bit for bit PyTorch's on x86 (where it runs Cephes' single precision logarithm and sine with fused
multiply-adds, eight lanes at a time). A fused multiply-add is reproduced in float64, where the product of two float32 is
exact; the sum is then rounded twice, which can differ from once, by an ulp, for one element in some tens of millions (none
was found in 10**8). Only additions, products and square roots are used, so the result does not depend on NumPy's build or
the machine.

The double recipes use the C library's ``log`` and NumPy's ``cos`` and ``sin``; where NumPy's agree with the C library's (as
measured on Linux), they are bit for bit too. Elsewhere they may differ by an ulp.

Memory: about 2 MB of scratch for chunks of 16384 elements, whatever the size.
"""

import math

import numpy as np

__all__ = ["fill_normal", "fused", "libm", "serial_normals"]

_F32 = np.float32
_TWO_PI32 = _F32(2 * math.pi)
_HIGH21 = (1 << 21) - 1
#: 2 pi / 2**53: scaling by a power of two commutes with rounding
_TURN = 2.0 * math.pi * 2.0**-53
#: elements handled at once: a multiple of 16 whose float64 scratch stays in the cache
_CHUNK = 16384


def libm(function, values):
    """A ``math`` function over a float64 array: the C library's last bit, which NumPy's vector loops do not always share."""
    flat = values.reshape(-1)
    return np.fromiter(map(function, flat.tolist()), np.float64, flat.size).reshape(values.shape)


def fused(x, factor, addend):
    """x * factor + addend rounded once, for a float64 array and numbers (a fused multiply-add).

    Dekker's exact product and Knuth's exact sum, then one rounding of the three parts. Where the splitting would overflow
    the plain expression stands in.
    """
    plain = x * factor
    if addend == 0:
        return plain
    if factor == 1:
        return plain + addend
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = 134217729.0 * x
        high = shifted - (shifted - x)
        low = x - high
        shifted = 134217729.0 * factor
        factor_high = shifted - (shifted - factor)
        factor_low = factor - factor_high
        rest = ((high * factor_high - plain) + high * factor_low + low * factor_high) + low * factor_low
        total = plain + addend
        back = total - plain
        rest += (plain - (total - back)) + (addend - back)
        result = total + rest
    if not np.isfinite(result).all():
        return np.where(np.isfinite(result), result, total)
    return result


# --------------------------------------------------------------------------------------------- pairs of doubles


def serial_normals(generator, n):
    """The next ``n`` standard normal deviates as a float64 array; an odd one out is kept in the generator."""
    kept = generator.kept_normal
    wanted = n if kept is None else n - 1
    if n == 0:
        return np.empty(0)
    pairs = (wanted + 1) // 2
    if pairs <= 16:
        values = [] if kept is None else [kept]
        draws = generator.raw(4 * pairs).tolist()
        for i in range(0, 4 * pairs, 4):  # for so few, Python's floats are quicker than arrays
            radius = math.sqrt(-2.0 * math.log1p((((draws[i + 2] & _HIGH21) << 32) | draws[i + 3]) * -(2.0**-53)))
            angle = (((draws[i] & _HIGH21) << 32) | draws[i + 1]) * _TURN
            values.append(radius * math.cos(angle))
            values.append(radius * math.sin(angle))
        generator.kept_normal = values.pop() if wanted % 2 else None
        return np.array(values)
    values = np.empty(2 * pairs + (kept is not None))
    start = 0
    if kept is not None:
        values[0] = kept
        start = 1
    for begin in range(0, pairs, _CHUNK):
        count = min(_CHUNK, pairs - begin)
        uniforms = generator.doubles(2 * count)
        radius = np.sqrt(-2.0 * libm(math.log1p, -uniforms[1::2]))
        angle = uniforms[::2] * (2.0 * math.pi)
        part = values[start + 2 * begin : start + 2 * (begin + count)]
        np.multiply(radius, np.cos(angle), out=part[::2])
        np.multiply(radius, np.sin(angle), out=part[1::2])
    generator.kept_normal = float(values[-1]) if wanted % 2 else None
    return values[:n]


# ------------------------------------------------------------------------------------------------ blocks of 16


def fill_normal(flat, mean, std, generator):
    """Fill a contiguous 1-d array of a real floating dtype with normal deviates, 16 or more or fewer."""
    size = flat.size
    if size < 16:
        values = serial_normals(generator, size)
        if mean != 0 or std != 1:
            values = fused(values, std, mean)
        flat[...] = (
            values if flat.dtype.itemsize > 2 else values.astype(np.float32)
        )  # doubles become 16-bit through float32
    elif flat.dtype == np.float32:
        _fill_blocks(flat, _F32(mean), _F32(std), generator.floats, _transform32, np.float32)
    elif flat.dtype == np.float64:
        _fill_blocks(flat, mean, std, generator.doubles, _transform64, np.float64)
    else:
        _fill_half(flat, _F32(mean), _F32(std), generator)


def _fill_blocks(flat, mean, std, uniforms, transform, dtype):
    size = flat.size
    whole = size - size % 16
    for begin in range(0, whole - _CHUNK, _CHUNK):
        transform(uniforms(_CHUNK), mean, std, flat[begin : begin + _CHUNK])
    begin = max(0, -(-whole // _CHUNK) - 1) * _CHUNK
    if whole == size:
        transform(uniforms(size - begin), mean, std, flat[begin:])
        return
    # the uniforms of the incomplete block are drawn and overwritten in PyTorch as well
    drawn = uniforms(size - begin + 16)
    last = whole - begin
    drawn[last : last + 16] = drawn[-16:].copy()
    result = np.empty(last + 16, dtype)
    transform(drawn[: last + 16], mean, std, result)
    flat[begin:whole] = result[:last]
    flat[size - 16 :] = result[last:]


def _fill_half(flat, mean, std, generator):
    """float16 and bfloat16: computed in float32 and rounded once; an incomplete last block is drawn only once."""
    size = flat.size
    whole = size - size % 16
    scratch = np.empty(min(_CHUNK, whole), np.float32)
    for begin in range(0, whole, _CHUNK):
        end = min(begin + _CHUNK, whole)
        part = scratch[: end - begin]
        _transform32(generator.floats(end - begin), mean, std, part)
        flat[begin:end] = part
    if whole != size:
        part = scratch[:16]
        _transform32(generator.floats(16), mean, std, part)
        flat[size - 16 :] = part


def _transform64(uniforms, mean, std, out):
    blocks = uniforms.reshape(-1, 2, 8)
    radius = np.sqrt(-2.0 * libm(math.log, 1.0 - blocks[:, 0]))
    angle = blocks[:, 1] * (2.0 * math.pi)
    result = out.reshape(-1, 2, 8)
    np.multiply(radius, np.cos(angle), out=result[:, 0])
    np.multiply(radius, np.sin(angle), out=result[:, 1])
    if mean != 0 or std != 1:
        out[...] = fused(out, float(std), float(mean))


# Cephes' single precision logarithm and sine (S. L. Moshier, release 2.8), fused the way PyTorch's compiler fuses them.
# What it holds in a float32 register is a float32 array here, or a float64 one with float32 values; assigning a float64
# array to a float32 one is the single rounding of a fused multiply-add.


def _exactly(*coefficients):
    return [float(_F32(c)) for c in coefficients]


_LOG = _exactly(
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
_SINE = _exactly(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COSINE = _exactly(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER_PI = _exactly(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)
_LN2_LOW, _LN2_HIGH, _ROOT_HALF = _exactly(-2.12194440e-4, 0.693359375, 0.707106781186547524)
_FOUR_OVER_PI = _F32(1.27323954473516)
#: the leading coefficients of sine and cosine, then the last two of all three polynomials, as columns
_START = np.array([_SINE[0], _COSINE[0]]).reshape(2, 1, 1)
_LAST = [np.array(column).reshape(3, 1, 1) for column in zip(_LOG[7:], _SINE[1:], _COSINE[1:], strict=True)]
_COSINE_LAGS = np.array([0, 2], np.int32).reshape(2, 1, 1)


def _transform32(uniforms, mean, std, out):
    """Box-Muller on whole blocks of float32 uniforms, into a contiguous float32 array.

    The logarithm's polynomial (in m) and those of sine and cosine (in z, the square of the reduced angle) end alike, in two
    coefficients, a product and a multiply-add, so they are finished as one stack: (logarithm, sine, cosine).
    """
    blocks = uniforms.reshape(-1, 2, 8)
    stack = (3, blocks.shape[0], 8)
    variable, factor, addend = np.empty(stack), np.empty(stack), np.empty(stack)
    wide, narrow = np.empty(stack), np.empty(stack, _F32)

    # 1 - u = (m + 1) 2^e with m + 1 in [sqrt(1/2), sqrt(2))
    m, e = np.frexp(np.subtract(1.0, blocks[:, 0], dtype=np.float64))
    below = m < _ROOT_HALF
    np.add(m, m, out=m, where=below)
    m -= 1.0
    e = np.subtract(e, below, dtype=np.float64)
    variable[0] = m
    narrow[0] = m * m
    factor[0] = narrow[0]
    narrow[0] = e * _LN2_LOW
    addend[0] = narrow[0]

    # the angle less a multiple of pi/4, in three steps
    angle = blocks[:, 1] * _TWO_PI32
    octant = (angle * _FOUR_OVER_PI).astype(np.int32)
    octant += 1
    octant &= -2
    turns = octant.astype(np.float64)
    reduced, product = angle, wide[1]
    for part in _QUARTER_PI:
        np.multiply(turns, part, product)
        product += reduced
        reduced = product.astype(_F32)
    square = reduced * reduced
    variable[1:] = square
    factor[1] = addend[1] = reduced
    factor[2] = square
    np.multiply(square, -0.5, addend[2])

    log_wide, log_narrow = wide[0], narrow[0]
    np.multiply(m, _LOG[0], log_wide)
    for c in _LOG[1:7]:
        log_wide += c
        log_narrow[...] = log_wide
        np.multiply(log_narrow, m, log_wide)
    np.multiply(variable[1:], _START, wide[1:])
    for column in _LAST:
        wide += column
        narrow[...] = wide
        np.multiply(narrow, variable, wide)
    narrow[...] = wide
    np.multiply(narrow, factor, wide)
    wide += addend
    narrow[...] = wide
    narrow[2] += _F32(1)

    # log = ((y - z/2) + m) + e log 2, rounded after each sum; then the radius
    np.multiply(factor[0], -0.5, log_wide)
    log_wide += log_narrow
    log_narrow[...] = log_wide
    np.add(m, log_narrow, log_wide)
    log_narrow[...] = log_wide
    np.multiply(e, _LN2_HIGH, log_wide)
    log_wide += log_narrow
    log_narrow[...] = log_wide
    log_narrow *= _F32(-2)
    radius = np.sqrt(log_narrow, log_narrow)

    # odd quadrants exchange sine and cosine; then the signs
    pair = narrow[1:]
    pair_bits = pair.view(np.int32)
    exchange = octant << 30
    exchange >>= 31
    exchange &= pair_bits[0] ^ pair_bits[1]
    pair_bits ^= exchange
    signs = octant + _COSINE_LAGS
    signs &= 4
    signs <<= 29
    pair_bits ^= signs
    np.multiply(radius, pair, out.reshape(-1, 2, 8).transpose(1, 0, 2)[::-1])
    if mean != 0 or std != 1:
        out[...] = out.astype(np.float64) * float(std) + float(mean)
