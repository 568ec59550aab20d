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
exact; the sum is then rounded twice, which differs from once for about one element in 25 million, by an ulp. Only
additions, products and square roots are used, so the result does not depend on NumPy's build or the machine.

The double recipes use the C library's ``log`` and NumPy's ``cos`` and ``sin``; where NumPy's agree with the C library's (as
measured on Linux), they are bit for bit too. Elsewhere they may differ by an ulp.

Memory: scratch for blocks of 8192 elements, whatever the size.
"""

import math

import numpy as np

__all__ = ["fill_normal", "fused", "libm", "serial_normals"]

_F32 = np.float32
_TWO_PI32 = _F32(2 * math.pi)
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
    if pairs <= 32:
        values = [] if kept is None else [kept]
        uniforms = generator.doubles(2 * pairs).tolist()
        for i in range(0, 2 * pairs, 2):
            radius = math.sqrt(-2.0 * math.log1p(-uniforms[i + 1]))
            angle = 2.0 * math.pi * uniforms[i]
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
        values = fused(serial_normals(generator, size), std, mean)
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
    for begin in range(0, whole, _CHUNK):
        end = min(begin + _CHUNK, whole)
        transform(uniforms(end - begin), mean, std, flat[begin:end])
    if whole != size:
        uniforms(size - whole)  # drawn and overwritten in PyTorch as well
        transform(uniforms(16), mean, std, flat[size - 16 :])


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


def _transform32(uniforms, mean, std, out):
    blocks = uniforms.reshape(-1, 2, 8)
    radius = _log32(np.subtract(_F32(1), blocks[:, 0]))
    radius *= _F32(-2)
    np.sqrt(radius, out=radius)
    sine, cosine = _sine_cosine32(blocks[:, 1] * _TWO_PI32)
    result = out.reshape(-1, 2, 8)
    np.multiply(radius, cosine, out=result[:, 0])
    np.multiply(radius, sine, out=result[:, 1])
    if mean != 0 or std != 1:
        out[...] = out.astype(np.float64) * float(std) + float(mean)


# ------------------------------------------------------------- Cephes' single precision functions, fused as compiled
#
# Values that PyTorch holds in float32 registers are held here either as float32 or as float64 with a float32 value;
# `narrow` rounds a float64 to one. S. L. Moshier's logf and sinf (Cephes 2.8) are the source of the coefficients.

_LOG_COEFFICIENTS = [
    float(_F32(c))
    for c in (
        *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
        *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
    )
]
_LN2_HIGH = float(_F32(0.693359375))
_LN2_LOW = float(_F32(-2.12194440e-4))
_ROOT_HALF = _F32(0.707106781186547524)
_SINE = [float(_F32(c)) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_COSINE = [float(_F32(c)) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]
_QUARTER_PI = [float(_F32(c)) for c in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)]
_FOUR_OVER_PI = _F32(1.27323954473516)


def _log32(x):
    """The natural logarithm of a positive normal float32 array (which it overwrites), as float32."""
    bits = x.view(np.int32)
    exponent = bits >> 23
    bits &= 0x007FFFFF
    bits |= 0x3F000000
    below = x < _ROOT_HALF  # then double the mantissa (in [0.5, 1)) and lower the exponent by one
    e = exponent.astype(np.float64)
    e -= 126.0
    e -= below
    m = x.astype(np.float64)
    m *= below + 1.0
    m -= 1.0  # exact: the mantissa is within a factor of two of one
    z = np.empty_like(x)
    y = np.empty_like(x)
    np.multiply(m, m, out=z, casting="same_kind")
    wide, scratch = np.empty_like(m), np.empty_like(m)
    np.multiply(m, _LOG_COEFFICIENTS[0], out=wide)
    for c in _LOG_COEFFICIENTS[1:]:
        wide += c
        y[...] = wide  # the one rounding of the fused multiply-add
        np.multiply(y, m, out=wide)
    y[...] = wide
    np.multiply(e, _LN2_LOW, out=scratch)
    x[...] = scratch
    np.multiply(y, z, out=wide, dtype=np.float64)
    wide += x
    y[...] = wide
    np.multiply(z, -0.5, out=wide, dtype=np.float64)
    wide += y
    y[...] = wide
    np.add(m, y, out=x, casting="same_kind")
    e *= _LN2_HIGH
    e += x
    x[...] = e
    return x


def _sine_cosine32(x):
    """Sine and cosine of a float32 array with values in [0, 2 pi)."""
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    octant += 1
    octant &= -2
    turns = octant.astype(np.float64)
    wide, scratch = np.empty_like(turns), np.empty_like(turns)
    r = x
    for part in _QUARTER_PI:
        np.multiply(turns, part, out=wide)
        wide += r
        r = np.empty_like(x)
        r[...] = wide
    z = r * r
    z64 = z.astype(np.float64)
    cosine = np.empty_like(x)
    np.multiply(z64, _COSINE[0], out=wide)
    for c in _COSINE[1:]:
        wide += c
        cosine[...] = wide
        np.multiply(cosine, z64, out=wide)
    cosine[...] = wide
    np.multiply(cosine, z64, out=wide)
    np.multiply(z64, 0.5, out=scratch)
    wide -= scratch
    cosine[...] = wide
    cosine += _F32(1)
    sine = np.empty_like(x)
    np.multiply(z64, _SINE[0], out=wide)
    for c in _SINE[1:]:
        wide += c
        sine[...] = wide
        np.multiply(sine, z64, out=wide)
    sine[...] = wide
    np.multiply(sine, r, out=wide, dtype=np.float64)
    wide += r
    sine[...] = wide
    # odd quadrants exchange the two; signs follow the octant's bits
    difference = sine.view(np.int32) ^ cosine.view(np.int32)
    difference &= -((octant >> 1) & 1)
    sine_bits = sine.view(np.int32)
    cosine_bits = cosine.view(np.int32)
    sine_bits ^= difference
    cosine_bits ^= difference
    sine_bits ^= (octant & 4) << 29
    octant -= 2
    cosine_bits ^= (~octant & 4) << 29
    return sine, cosine
