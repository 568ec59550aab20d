"""Fill an existing array with random numbers: the array side of ``uniform_``, ``normal_``, ``random_`` and their kin.

Each function overwrites ``out`` and returns it. Draws are handed out in PyTorch's order: along memory, so a transposed array
gets the numbers its contiguous parent would have got. Arguments are PyTorch's, checked in PyTorch's words; ``generator``
None means the default generator. Complex arrays take ``uniform_`` and ``normal_`` on their real and imaginary parts in turn.

One element consumes: a 32-bit draw for `uniform_` (all dtypes but float64), a 64-bit one for `uniform_` on float64,
`bernoulli_` with a number, `exponential_`, `geometric_`, `cauchy_`, and for `random_` where the range reaches 2**28; see
`random_normal` for the normal family. What agrees with PyTorch bit for bit, and what to rounding, is listed in `random`.

Memory: about three arrays of 32768 elements beyond the result; an array with gaps costs a contiguous copy of itself.
"""

import math
import warnings

import numpy as np

from .. import dtypes
from .arguments import is_floating, legacy_name
from .random_generator import default_generator
from .random_normal import fill_normal, fused, libm, serial_normals

__all__ = [
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "rrelu_noise_",
    "uniform_",
]

_CHUNK = 32768
_REAL_FLOATS = ("float16", "bfloat16", "float32", "float64")
#: names of element types in texts that PyTorch's C++ writes
_CPP = {
    "float32": "float",
    "float64": "double",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "uint16": "short unsigned int",
    "uint32": "unsigned int",
    "uint64": "long unsigned int",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}
#: bits of precision, and the largest finite value, of floating dtypes
_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}
_INT64_MAX = (1 << 63) - 1
_INT64_MIN = -(1 << 63)
_BOUNDS = {"bool": (0, 1)}
for _bits in (8, 16, 32, 64):
    _BOUNDS[f"int{_bits}"] = (-(1 << (_bits - 1)), (1 << (_bits - 1)) - 1)
    _BOUNDS[f"uint{_bits}"] = (0, min((1 << _bits) - 1, _INT64_MAX))


def refuse(kernel, array):
    """PyTorch's NotImplementedError for a dtype that a kernel does not take."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy_name(array)}'")


def in_memory_order(out):
    """``out`` with its dimensions permuted so that row-major order runs along memory (PyTorch's iteration order)."""
    ndim = out.ndim
    order = list(range(ndim - 1, -1, -1))  # fastest first
    for i in range(1, ndim):
        at = i
        for before in range(i - 1, -1, -1):
            fast, slow = order[before], order[at]
            stride_fast, stride_slow = out.strides[fast], out.strides[slow]
            if (
                stride_fast == 0
                or stride_slow == 0
                or stride_fast == stride_slow
                and out.shape[fast] <= out.shape[slow]
            ):
                continue
            if stride_fast < stride_slow:
                break
            order[before], order[at] = slow, fast
            at = before
    return out.transpose(order[::-1])


def _fill(out, produce):
    """Put ``produce(n)``, called for consecutive chunks, into ``out`` in memory order.

    PyTorch makes 16-bit floats from doubles by way of float32, so two roundings happen here as well.
    """
    size = out.size
    if out.dtype.itemsize == 2 and is_floating(out.dtype):
        wide, produce = produce, lambda n: wide(n).astype(np.float32, copy=False)
    if size <= _CHUNK:
        values = produce(size)
        if out.flags.c_contiguous:
            out[...] = values.reshape(out.shape)
        else:
            target = in_memory_order(out)
            target[...] = values.reshape(target.shape)
        return out
    contiguous = out.flags.c_contiguous
    flat = out.reshape(-1) if contiguous else np.empty(size, out.dtype)
    for begin in range(0, size, _CHUNK):
        end = min(begin + _CHUNK, size)
        flat[begin:end] = produce(end - begin)
    if not contiguous:
        target = in_memory_order(out)
        target[...] = flat.reshape(target.shape)
    return out


def _parts(out):
    """A complex array as a real one with a last dimension of two."""
    return out[..., None].view(dtypes.of(out.dtype).to_real().numpy)


def uniform_(out, from_=0.0, to=1.0, *, generator=None):
    """Fill with numbers uniform in [from_, to).

    16-bit dtypes are drawn in float32 and rounded; what rounds up to ``to`` becomes ``from_``, in every dtype.
    """
    if out.dtype.kind == "c":
        uniform_(_parts(out), from_, to, generator=generator)
        return out
    name = out.dtype.name
    if name not in _REAL_FLOATS:
        refuse("check_uniform_bounds", out)
    if not (from_ == 0 and to == 1):
        _check_uniform(from_, to, name)
    generator = generator or default_generator
    if name == "float64":
        low, high = float(from_), float(to)
        width = high - low
        if low == 0.0 and width == 1.0:
            return _fill(out, generator.doubles)

        def produce(n):
            values = fused(generator.doubles(n), width, low)
            values[values >= high] = low
            return values

        return _fill(out, produce)
    low, high = float(np.float32(from_)), float(np.float32(to))
    if name == "float32" and low == 0.0 and high == 1.0:
        return _fill(out, generator.floats)
    width = float(np.float32(high) - np.float32(low))
    dtype = out.dtype
    low_rounded, high_rounded = np.float32(low).astype(dtype), np.float32(high).astype(dtype)

    def produce_narrow(n):
        values = generator.floats(n).astype(np.float64)  # the product of two float32 is exact here
        values *= width
        values += low
        values = values.astype(np.float32).astype(dtype, copy=False)
        values[values >= high_rounded] = low_rounded
        return values

    return _fill(out, produce_narrow)


def _check_uniform(from_, to, name):
    largest = _LARGEST[name]
    for label, bound in (("from", from_), ("to", to)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{label} is out of bounds for {_CPP[name]}")
    if not from_ <= to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    if not to - from_ <= largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{dtypes.BY_NAME[name].legacy}>::max(), but found to={to:g} "
            f"and from={from_:g} which result in to-from to exceed the limit"
        )


def normal_(out, mean=0.0, std=1.0, *, generator=None):
    """Fill with normal deviates of the given mean and standard deviation (numbers).

    A complex array gets independent parts whose variances add up to ``std**2``.
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if out.size == 0:
        return out
    if out.dtype.kind == "c":
        normal_(_parts(out), mean, std / math.sqrt(2.0), generator=generator)
        return out
    if not is_floating(out.dtype):
        refuse("normal_kernel_cpu", out)
    generator = generator or default_generator
    if out.flags.c_contiguous:
        fill_normal(out.reshape(-1), mean, std, generator)
        return out
    return _fill(out, lambda n: fused(serial_normals(generator, n), std, mean))


def log_normal_(out, mean=1.0, std=2.0, *, generator=None):
    """Fill with the exponentials of normal deviates; each is one of the pairs of doubles, whatever the size."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if out.size == 0:
        return out
    if not is_floating(out.dtype):
        refuse("log_normal_cpu", out)
    generator = generator or default_generator
    exact = out.dtype == np.float64

    def produce(n):
        values = fused(serial_normals(generator, n), std, mean)
        if exact:
            return libm(_exp, values)
        with np.errstate(over="ignore"):
            return np.exp(values)

    with np.errstate(over="ignore"):
        return _fill(out, produce)


def _exp(value):
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def cauchy_(out, median=0.0, sigma=1.0, *, generator=None):
    """Fill with Cauchy deviates: median + sigma tan(pi (u - 1/2))."""
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if out.size == 0:
        return out
    if not is_floating(out.dtype):
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {_CPP[out.dtype.name]}"
        )
    generator = generator or default_generator
    exact = out.dtype == np.float64

    def produce(n):
        angles = (generator.doubles(n) - 0.5) * math.pi
        return fused(libm(math.tan, angles) if exact else np.tan(angles), sigma, median)

    with np.errstate(over="ignore"):
        return _fill(out, produce)


def exponential_(out, lambd=1.0, *, generator=None):
    """Fill with exponential deviates of the rate ``lambd``: -log1p(-u) / lambd."""
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    if out.size == 0:
        return out
    if not is_floating(out.dtype):
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {legacy_name(out)}"
        )
    generator = generator or default_generator
    scale = -1.0 / lambd
    if out.dtype == np.float64:
        return _fill(out, lambda n: libm(math.log1p, -generator.doubles(n)) * scale)
    return _fill(out, lambda n: np.log1p(-generator.doubles(n)) * scale)


def geometric_(out, p, *, generator=None):
    """Fill with the number of trials up to the first success: ceil(log u / log1p(-p)), wrapped where the dtype is small."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if out.size == 0:
        return out
    if out.dtype.kind in "bc" or out.dtype.name in ("uint16", "uint32", "uint64"):
        refuse("geometric_cpu", out)
    generator = generator or default_generator
    scale = math.log1p(-p)
    whole = out.dtype.kind in "iu"

    def produce(n):
        with np.errstate(divide="ignore", invalid="ignore"):  # u = 0 gives infinity, as in PyTorch
            values = np.ceil(np.log(generator.doubles(n)) / scale)
            return values.astype(np.int64) if whole else values

    with np.errstate(over="ignore"):
        return _fill(out, produce)


def bernoulli_(out, p=0.5, *, generator=None):
    """Fill with ones where a uniform number is below ``p`` and zeros elsewhere.

    ``p`` is a number (a 64-bit draw an element), or an array of a floating dtype broadcast to ``out`` (a 64-bit draw an
    element where it is float64, else a 32-bit one).
    """
    generator = generator or default_generator
    if hasattr(p, "dtype"):
        return _bernoulli_array(out, p, generator)
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    if out.size == 0:
        return out
    if out.dtype.kind == "c" or out.dtype.name in ("uint16", "uint32", "uint64"):
        refuse("bernoulli_scalar_cpu_", out)
    bound = math.ceil(math.ldexp(p, 53))  # k / 2**53 < p, in integers
    return _fill(out, lambda n: generator.mantissas(n) < bound)


def _bernoulli_array(out, p, generator):
    if out.size == 0:
        return out
    if out.dtype.kind == "c" or out.dtype.name in ("uint16", "uint32", "uint64"):
        refuse("bernoulli_tensor_cpu_self_", out)
    if p.ndim > out.ndim:
        raise RuntimeError(
            f"expand(torch.{legacy_name(p)}Tensor{{{list(p.shape)}}}, size={list(out.shape)}): the number of sizes provided "
            f"({out.ndim}) must be greater or equal to the number of dimensions in the tensor ({p.ndim})"
        )
    for i in range(-1, -p.ndim - 1, -1):
        if p.shape[i] != 1 and p.shape[i] != out.shape[i]:
            raise RuntimeError(
                f"The expanded size of the tensor ({out.shape[i]}) must match the existing size ({p.shape[i]}) at "
                f"non-singleton dimension {i + out.ndim}.  Target sizes: {list(out.shape)}.  Tensor sizes: {list(p.shape)}"
            )
    if not is_floating(p.dtype):
        refuse("bernoulli_tensor_cpu_p_", p)
    if p.dtype != np.float64:
        p = p.astype(np.float32, copy=False)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
            "please report an enhancement request to PyTorch.)"
        )
    source = generator.doubles if p.dtype == np.float64 else generator.floats
    draws = np.empty_like(out, dtype=p.dtype, order="K")  # laid out as out is, so that _fill hands out draws alike
    _fill(draws, source)
    out[...] = draws < p
    return out


def random_(out, *bounds, generator=None):
    """Fill with integers: ``random_(out)``, ``random_(out, to)`` or ``random_(out, from_, to)`` with ``to`` possibly None.

    Without bounds the range is all non-negative values of an integer dtype, and [0, 2**precision] of a floating one.
    With them it is [from_, to), ``to`` None meaning the dtype's largest value (or 2**precision) inclusive.
    """
    generator = generator or default_generator
    if not bounds:
        return _random_full(out, generator)
    from_, to = (0, bounds[0]) if len(bounds) == 1 else bounds
    name = out.dtype.name
    floating = name in _DIGITS
    if to is None and from_ == _INT64_MIN:
        if out.size == 0:
            return out
        if name in ("float16", "bool", "uint16", "uint32", "uint64") or out.dtype.kind == "c":
            refuse("random_full_64_bits_range_kernel_cpu", out)
        if name not in ("int64", "float64", "float32", "bfloat16"):
            raise RuntimeError("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")
        return _fill(out, lambda n: _cast(generator.words(n).view(np.int64), out.dtype))
    if to is not None:
        if from_ >= to:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={from_} >= to={to}")
        if floating:
            from_, to = _representable_from(from_, name), _representable_to(to, name)
            if from_ >= to:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
                    f"from={from_} >= to={to}"
                )
        last = to - 1
    elif floating:
        last = 1 << _DIGITS[name]
        from_ = _representable_from(from_, name)
        if from_ >= last:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got "
                f"from={from_} > to_inc={last}"
            )
    elif out.dtype.kind == "c":
        raise RuntimeError("random_from_to_impl handles only integral, floating-point and boolean types")
    else:
        last = 1 if name == "bool" else int(np.iinfo(out.dtype).max)  # for uint64 more than int64 holds, hence refused
    _check_range(from_, last, out.dtype)
    return _fill(out, integers(generator, last - from_ + 1, from_, out.dtype))


def integers(generator, span, base, dtype):
    """A function n -> n numbers ``draw % span + base`` of a NumPy dtype: 32-bit draws where span < 2**28, else 64-bit."""
    if span < 1 << 28:
        narrow = np.uint32(span)

        def produce(n):
            values = generator.raw(n).astype(np.uint32)
            values = values % narrow
            if base:
                values = values + np.int64(base)
            return values if dtype.kind in "iub" else _cast(values, dtype)

        return produce
    wrapped = np.uint64(base & 0xFFFFFFFFFFFFFFFF)

    def produce_wide(n):
        values = generator.words(n)
        if span < 1 << 64:
            values %= np.uint64(span)
        values += wrapped
        return _cast(values.view(np.int64), dtype)

    return produce_wide


def _cast(values, dtype):
    """Integers in a dtype; 16-bit floats by way of float32, as PyTorch converts them."""
    if dtype.itemsize == 2 and dtype.kind not in "iu":
        values = values.astype(np.float32)
    return values.astype(dtype, copy=False)


def _random_full(out, generator):
    if out.size == 0:
        return out
    name = out.dtype.name
    dtype = out.dtype
    if dtype.kind == "c" or name in ("uint16", "uint32", "uint64"):
        refuse("random_kernel_cpu", out)
    if name == "bool":
        return _fill(out, lambda n: (generator.raw(n) & 1).astype(np.bool_))
    if name == "int64":
        return _fill(out, lambda n: (generator.words(n) & _INT64_MAX).view(np.int64))
    if name == "float64":
        return _fill(out, lambda n: (generator.words(n) % np.uint64((1 << 53) + 1)).astype(np.float64))
    count = (1 << _DIGITS[name]) + 1 if name in _DIGITS else int(np.iinfo(dtype).max) + 1
    return _fill(out, lambda n: _cast(generator.raw(n) % np.uint64(count), dtype))


def _rounded(value, name):
    """An int as a floating dtype holds it, as an int again (what is out of range becomes -2**63, as in C on x86)."""
    if name == "float64":
        held = float(value)
    else:
        with np.errstate(over="ignore"):
            held = float(np.float32(value).astype(dtypes.BY_NAME[name].numpy))
    return int(held) if -(2.0**63) <= held < 2.0**63 else _INT64_MIN


def _representable_from(from_, name):
    """The bound moved up where rounding to the dtype would take results below it."""
    following = from_ + 1
    if _rounded(following, name) < from_:
        return _rounded(following, name) + (1 << (abs(following).bit_length() - _DIGITS[name]))
    return from_


def _representable_to(to, name):
    """The bound moved down where rounding to the dtype would reach it."""
    last = to - 1
    if _rounded(last, name) >= to:
        return _rounded(last, name) - (1 << (abs(last).bit_length() - _DIGITS[name]))
    return to


def _check_range(from_, last, dtype):
    name = dtype.name
    if name in _DIGITS:
        low, high = -_LARGEST[name], _LARGEST[name]
    elif name in _BOUNDS:
        low, high = _BOUNDS[name]
    else:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    for label, bound in (("from", from_), ("to - 1", last)):
        if not low <= bound <= high:
            raise RuntimeError(f"{label} is out of bounds for {_CPP[name]}")
    if name in _DIGITS:
        digits = _DIGITS[name]
        for label, bound in (("from", from_), ("to - 1", last)):
            if abs(bound) > 1 << digits:
                warnings.warn(
                    f"{label} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {_CPP[name]} can "
                    "support discrete uniform distribution only within this range. This warning will become an error in "
                    "version 1.7 release, please fix the code in advance",
                    stacklevel=3,
                )


def rrelu_noise_(noise, input, lower=1.0 / 8, upper=1.0 / 3, *, generator=None):
    """The slopes of a randomized leaky ReLU: uniform in [lower, upper) where ``input`` <= 0, one elsewhere.

    Only elements with ``input`` <= 0 consume a (64-bit) draw, in row-major order.
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if input.dtype.name not in ("float32", "float64", "bfloat16"):
        refuse("rrelu_with_noise_out_cpu", input)
    generator = generator or default_generator
    below = input <= 0
    count = int(np.count_nonzero(below))
    held = np.float64 if input.dtype == np.float64 else np.float32  # the bounds are held in the input's precision
    lower, upper = float(held(lower)), float(held(upper))
    values = generator.doubles(count) * (upper - lower) + lower  # PyTorch does not fuse this one
    values[values >= upper] = lower
    noise[...] = 1
    noise[below] = values.astype(noise.dtype)
    return noise
