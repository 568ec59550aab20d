"""Samplers that draw until a candidate is accepted: ``poisson``, ``binomial``, ``_standard_gamma``, ``_sample_dirichlet``.

How many draws an element takes depends on the draws themselves, so where one element's draws begin is known only when the
one before it is done: these go element by element in Python (about 1 us an accepted candidate), in row-major order, as
PyTorch's do on one thread. The exception is a transformed rejection whose parameters are the same for all elements: there
each pair of draws is a candidate whoever it is for, so they are judged all at once and the accepted ones are the result.
All arithmetic is in double precision on 64-bit draws; parameters that PyTorch derives in the
tensor's own precision (float32) are rounded to it here too.

Sources: Knuth's product of uniforms and Hoermann's transformed rejection PTRS (1993) for Poisson; inversion by geometric
waiting times and Hoermann's BTRS for the binomial; Marsaglia and Tsang (2000) for gamma.

Agreement with PyTorch: the draws consumed and integer results are the same; gamma and Dirichlet values agree bit for bit in
float32; in float64 Dirichlet's agree to an ulp (the order of the row sum). Acceptance compares logarithms that may differ
from the C library's in the last bit, so a candidate that close to the bound could be decided otherwise: not within 1e12
draws for moderate parameters, once in some millions for Poisson rates near 1e9, where the bound is a difference of large
numbers.
"""

import math

import numpy as np

from .arguments import broadcast_shapes_of_two, legacy_name
from .random_fill import refuse
from .random_generator import default_generator
from .random_normal import libm

__all__ = ["_sample_dirichlet", "_standard_gamma", "binomial", "poisson"]

_BLOCK = 1024
_INT64_MIN = -(1 << 63)
#: elements from which judging candidates in bulk pays, and pairs of draws judged at most at once
_WORTH_IT, _MOST = 128, 1 << 15
_THIRD = float(np.float32(1) / np.float32(3))
_SQUEEZE = float(np.float32(0.0331))
#: log(k!) minus Stirling's approximation, for k = 0 ... 9
_STIRLING_TAIL = (
    *(0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211),
    *(0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287),
)


class _Doubles:
    """64-bit uniforms one at a time, fetched in blocks; `close` gives the unused rest of the last block back."""

    def __init__(self, generator, elements):
        self.generator = generator
        self.values = iter(())
        self.state = None
        if elements < 16:
            self.draw = generator.double  # not worth a block
        else:
            self.draw = self._from_block

    def _from_block(self):
        for value in self.values:
            return value
        self.state = self.generator._bits.state
        self.values = iter(self.generator.doubles(_BLOCK).tolist())
        return next(self.values)

    def close(self):
        unused = self.values.__length_hint__()
        if unused:
            self.generator._bits.state = self.state
            self.generator.raw(2 * (_BLOCK - unused))


def _sample(generator, elements, one, *parameters):
    """``one(draw, *values)`` for each tuple of values, as a float64 array."""
    generator = generator or default_generator
    doubles = _Doubles(generator, elements)
    draw = doubles.draw
    try:
        return np.array([one(draw, *values) for values in zip(*parameters, strict=True)], np.float64)
    finally:
        doubles.close()


def _rounded(values, like):
    """float64 values in the dtype and shape of ``like``, 16-bit floats by way of float32."""
    if like.dtype.itemsize == 2:
        values = values.astype(np.float32)
    return values.astype(like.dtype).reshape(like.shape)


def _first_accepted(generator, n, judge):
    """The first ``n`` accepted candidates; ``judge(u, v)`` gives values and verdicts for arrays of pairs of draws."""
    generator = generator or default_generator
    found, missing = [], n
    while missing:
        count = min(missing + missing // 4 + 32, _MOST)
        state = generator._bits.state
        draws = generator.doubles(2 * count)
        values, accepted = judge(draws[::2] - 0.5, draws[1::2])
        places = np.flatnonzero(accepted)
        if places.size >= missing:
            places = places[:missing]
            used = int(places[-1]) + 1
            if used < count:  # give the rest back
                generator._bits.state = state
                generator.raw(4 * used)
        found.append(values[places])
        missing -= places.size
    return np.concatenate(found)


def _constant(column):
    """Whether a long list holds one value only."""
    return len(column) >= _WORTH_IT and column.count(column[0]) == len(column)


# ----------------------------------------------------------------------------------------------------- Poisson


def poisson(input, generator=None):
    """Poisson deviates with the rates ``input`` (a floating array), in its shape and dtype."""
    if input.dtype.kind not in "f" and input.dtype.name != "bfloat16":
        refuse("poisson_cpu", input)
    rates = input.astype(np.float64).reshape(-1)
    if not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    column = rates.tolist()
    if _constant(column) and 10 <= column[0] < 1e15:
        return _rounded(_poisson_bulk(generator, len(column), column[0]), input)
    return _rounded(_sample(generator, rates.size, _poisson_one, column), input)


def _poisson_one(draw, rate):
    if rate == 0:
        return 0
    if rate < 10:
        bound = math.exp(-rate)
        count, product = 0, draw()
        while product > bound:
            count += 1
            product *= draw()
        return count
    a, b, log_rate, log_inverse_alpha, v_accept = _poisson_constants(rate)
    while True:
        u = draw() - 0.5
        v = draw()
        us = 0.5 - abs(u)
        if us == 0:
            continue  # the candidate is minus infinity
        candidate = (2 * a / us + b) * u + rate + 0.43
        k = math.floor(candidate) if math.isfinite(candidate) else _INT64_MIN
        if us >= 0.07 and v <= v_accept:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if v == 0 or math.log(v) + log_inverse_alpha - math.log(a / (us * us) + b) <= (
            -rate + k * log_rate - math.lgamma(k + 1.0)
        ):
            return k


def _poisson_constants(rate):
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    return a, b, math.log(rate), math.log(inverse_alpha), 0.9277 - 3.6224 / (b - 2)


def _poisson_bulk(generator, n, rate):
    a, b, log_rate, log_inverse_alpha, v_accept = _poisson_constants(rate)

    def judge(u, v):
        with np.errstate(divide="ignore", invalid="ignore"):
            us = 0.5 - np.abs(u)
            k = np.floor((2 * a / us + b) * u + rate + 0.43)
            accepted = (us >= 0.07) & (v <= v_accept)
            open_ = np.flatnonzero(~accepted & (k >= 0) & ~((us < 0.013) & (v > us)))
            us, v, k_open = us[open_], v[open_], k[open_]
            left = np.log(v) + log_inverse_alpha - np.log(a / (us * us) + b)
        accepted[open_] = left <= -rate + k_open * log_rate - libm(math.lgamma, k_open + 1.0)
        return k, accepted

    return _first_accepted(generator, n, judge)


# ---------------------------------------------------------------------------------------------------- binomial


def binomial(count, prob, generator=None):
    """Successes among ``count`` trials of probability ``prob``: arrays of one floating dtype, broadcast together.

    A NaN probability gives NaN, and so does a NaN count (for which PyTorch does not return).
    """
    if count.dtype.kind != "f" and count.dtype.name != "bfloat16":
        raise ValueError(f"binomial only supports floating-point dtypes for count, got: {legacy_name(count)}")
    if prob.dtype.kind != "f" and prob.dtype.name != "bfloat16":
        raise ValueError(f"binomial only supports floating-point dtypes for prob, got: {legacy_name(prob)}")
    if count.dtype != prob.dtype:
        raise RuntimeError(f"Found dtype {legacy_name(prob)} but expected {legacy_name(count)}")
    if count.dtype.itemsize == 2:
        refuse("binomial_cpu", count)
    shape = broadcast_shapes_of_two(count.shape, prob.shape)
    count, prob = np.broadcast_to(count, shape), np.broadcast_to(prob, shape)
    one = count.dtype.type(1)
    # in the dtype of the arguments, as PyTorch has it
    flipped = prob > 0.5
    rare = np.where(flipped, one - prob, prob)
    with np.errstate(all="ignore"):
        mean = count * rare
        variance = mean * (one - rare)
        odds = rare / (one - rare)
        mode = np.floor((count + one) * rare)
        log_miss = np.log1p(-rare.astype(np.float64)).astype(count.dtype)
        deviation = np.sqrt(variance)
    columns = (count, prob, flipped, rare, mean, deviation, odds, mode, log_miss)
    lists = [column.reshape(-1).tolist() for column in columns]
    if all(_constant(lists[i]) for i in (0, 1)) and lists[4][0] >= 10 and 0 < lists[1][0] < 1 and lists[0][0] < 1e15:
        n, _, flipped, *parameters = (column[0] for column in lists)
        found = _binomial_bulk(generator, count.size, n, *parameters[:-1])
        return _rounded(n - found if flipped else found, count)
    return _rounded(_sample(generator, count.size, _binomial_one, *lists), count)


def _binomial_one(draw, count, prob, flipped, rare, mean, deviation, odds, mode, log_miss):
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob != prob or count != count:
        return math.nan
    if mean >= 10:
        found = _transformed_rejection(draw, count, rare, mean, deviation, odds, mode)
    else:
        found, waited = 0, 0.0
        while True:
            u = draw()
            waited += math.ceil(math.log(u) / log_miss) if u else math.inf
            if waited > count:
                break
            found += 1
    return count - found if flipped else found


def _transformed_rejection(draw, count, prob, mean, deviation, odds, mode):
    a, b, c, alpha, v_accept = _rejection_constants(prob, mean, deviation)
    while True:
        u = draw() - 0.5
        v = draw()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + c)
        if k < 0 or k > count:
            continue
        if us >= 0.07 and v <= v_accept:
            return k
        if v == 0:
            return k
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _stirling_tail(mode)
            + _stirling_tail(count - mode)
            - _stirling_tail(k)
            - _stirling_tail(count - k)
        )
        if math.log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


def _rejection_constants(prob, mean, deviation):
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    return a, b, mean + 0.5, (2.83 + 5.1 / b) * deviation, 0.92 - 4.2 / b


def _binomial_bulk(generator, n, count, prob, mean, deviation, odds, mode):
    a, b, c, alpha, v_accept = _rejection_constants(prob, mean, deviation)
    tails = _stirling_tail(mode) + _stirling_tail(count - mode)
    first = (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))

    def judge(u, v):
        with np.errstate(divide="ignore", invalid="ignore"):
            us = 0.5 - np.abs(u)
            k = np.floor((2 * a / us + b) * u + c)
            possible = (k >= 0) & (k <= count)
            accepted = possible & (us >= 0.07) & (v <= v_accept)
            open_ = np.flatnonzero(possible & ~accepted)
            us, v, k_open = us[open_], v[open_], k[open_]
            bound = (
                first
                + (count + 1) * np.log((count - mode + 1) / (count - k_open + 1))
                + (k_open + 0.5) * np.log(odds * (count - k_open + 1) / (k_open + 1))
                + tails
                - _stirling_tails(k_open)
                - _stirling_tails(count - k_open)
            )
            accepted[open_] = np.log(v * alpha / (a / (us * us) + b)) <= bound
        return k, accepted

    return _first_accepted(generator, n, judge)


def _stirling_tails(k):
    square = (k + 1) * (k + 1)
    tails = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    low = k <= 9
    tails[low] = np.take(_STIRLING_TAIL, k[low].astype(np.intp))
    return tails


def _stirling_tail(k):
    if k <= 9:
        return _STIRLING_TAIL[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


# ------------------------------------------------------------------------------------------- gamma, Dirichlet


def _standard_gamma(input, generator=None):
    """Gamma deviates of the shapes ``input`` and scale one, in its shape and dtype; never below the smallest normal."""
    if input.dtype not in (np.float32, np.float64):
        refuse("gamma_cpu", input)
    return _gamma(input, generator).reshape(input.shape)


def _sample_dirichlet(input, generator=None):
    """Dirichlet deviates along the last dimension, with the concentrations ``input``."""
    if input.dtype not in (np.float32, np.float64):
        refuse("dirichlet", input)
    values = _gamma(input.astype(np.float64), generator).reshape(input.shape)
    if input.ndim:
        values = values / values.sum(-1, keepdims=True)
    else:
        values = values / values
    dtype = input.dtype
    return np.clip(values.astype(dtype), np.finfo(dtype).tiny, np.nextafter(dtype.type(1), dtype.type(0)))


def _gamma(shape, generator):
    dtype = shape.dtype
    one = dtype.type(1)
    flat = shape.reshape(-1)
    with np.errstate(all="ignore"):
        boosted = flat < 1
        exponent = one / flat
        d = np.where(boosted, flat + one, flat) - dtype.type(_THIRD)
        c = 1.0 / np.sqrt(9.0 * d.astype(np.float64))
    generator = generator or default_generator

    def one_deviate(draw, alpha, boosted, exponent, d, c):
        scale = 1.0
        if boosted:
            if alpha == 0:
                return 0.0
            try:
                scale = math.pow(1.0 - draw(), exponent)
            except OverflowError:
                scale = math.inf
        while True:
            while True:
                x = normal(draw)
                y = 1.0 + c * x
                if not y <= 0:
                    break
            v = y * y * y
            u = 1.0 - draw()
            xx = x * x
            if u < 1.0 - _SQUEEZE * xx * xx:
                return scale * d * v
            if math.log(u) < 0.5 * xx + d * (1.0 - v + math.log(v)):
                return scale * d * v

    def normal(draw):
        kept = generator.kept_normal
        if kept is not None:
            generator.kept_normal = None
            return kept
        angle = 2.0 * math.pi * draw()
        radius = math.sqrt(-2.0 * math.log1p(-draw()))
        generator.kept_normal = radius * math.sin(angle)
        return radius * math.cos(angle)

    lists = [column.tolist() for column in (flat, boosted, exponent, d, c)]
    with np.errstate(over="ignore"):
        values = _sample(generator, flat.size, one_deviate, *lists).astype(dtype)
    smallest = np.finfo(dtype).tiny
    return np.where(values > smallest, values, smallest)  # NaN, from a negative shape, becomes the smallest as well
