"""Random streams: known sequences of PyTorch's, distributions, states, fill order, and that shortcuts change nothing."""

import copy
import hashlib
import math
import pickle

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import random as R
from rushlight.array import random_normal, random_permute
from rushlight.array.ties import _Ranking, largest


def seeded(seed=0):
    return R.Generator().manual_seed(seed)


def test_a_known_sequence():
    g = seeded(2024)
    f64 = dtypes.float64
    np.testing.assert_array_equal(
        R.rand((5,), generator=g),
        np.float32(
            [0.5317158699035645, 0.8312679529190063, 0.9718379974365234, 0.11930084228515625, 0.16690224409103394]
        ),
    )
    expected = [0.721039562057389, -2.443310140078174, 1.1767478424078783]
    np.testing.assert_allclose(R.randn((3,), dtype=f64, generator=g), expected, rtol=1e-15)
    expected = np.float32([-1.0766987800598145, -0.05756331980228424, -0.05957148224115372])
    np.testing.assert_array_equal(R.randn((17,), generator=g)[-3:], expected)
    assert R.randint(0, 1000, (6,), generator=g).tolist() == [285, 107, 974, 852, 529, 382]
    assert R.randint(0, 2**40, (3,), generator=g).tolist() == [233984728062, 638733745534, 587008880402]
    assert R.randperm(8, generator=g).tolist() == [1, 3, 4, 7, 2, 0, 5, 6]
    assert R.bernoulli_(np.empty(6, np.float32), 0.4, generator=g).tolist() == [1, 1, 1, 1, 0, 0]
    expected = np.float32([0.8450347185134888, 0.14813245832920074, 0.37494251132011414])
    np.testing.assert_array_equal(R.exponential_(np.empty(3, np.float32), generator=g), expected)
    weights = np.float32([0.1, 0.2, 0.3, 0.4])
    assert R.multinomial(weights, 3, generator=g).tolist() == [3, 2, 1]
    assert R.multinomial(weights, 5, True, generator=g).tolist() == [2, 3, 1, 1, 3]
    assert R.poisson(np.float32([1, 3, 20]), g).tolist() == [0, 6, 18]
    assert R.binomial(np.float32([10, 100]), np.float32([0.3, 0.4]), g).tolist() == [1, 43]
    expected = np.float32([9.554095413477626e-06, 1.3629995584487915])
    np.testing.assert_array_equal(R._standard_gamma(np.float32([0.5, 2]), g), expected)
    np.testing.assert_allclose(R.randn((1,), dtype=f64, generator=g), [0.4722503910592763], rtol=1e-15)
    state = g.get_state()
    state[5024:5032] = 0  # the kept deviate may end in another bit elsewhere
    assert state.size == 5056 and state[5040] == 0
    digest = hashlib.sha256(g.get_state().tobytes()).hexdigest()
    assert digest == "0700b8833545514963e20dfc0ee0568976f0cede2475993552dd19a03dcb4140"


# ------------------------------------------------------------------------------------------------------- states


def test_seeds():
    assert R.Generator().initial_seed() == 67280421310721
    assert seeded(-1).initial_seed() == 2**64 - 1
    g = seeded(3)
    assert g.manual_seed(4) is g and g.initial_seed() == 4
    assert R.rand((3,), generator=seeded(2**32 + 7)).tolist() == R.rand((3,), generator=seeded(7)).tolist()
    assert g.seed() == g.initial_seed() != 4
    for seed, text in (
        (1.0, "manual_seed expected a long, but got float"),
        (True, "manual_seed expected a long, but got bool"),
    ):
        with pytest.raises(RuntimeError, match=text):
            g.manual_seed(seed)
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        g.manual_seed(2**64)
    assert str(g.device) == "cpu"
    with pytest.raises(AttributeError, match="no attribute 'color'"):
        _ = g.color


def test_seeding_before_and_after_the_first_draw_is_the_same():
    used = R.Generator()
    R.randn((3,), generator=used)
    assert used.kept_normal is not None
    used.manual_seed(9)
    np.testing.assert_array_equal(used.get_state(), seeded(9).get_state())
    np.testing.assert_array_equal(R.rand((700,), generator=used), R.rand((700,), generator=seeded(9)))


@pytest.mark.parametrize("before", [0, 1, 623, 624, 625, 1248, 2000])
def test_states_restore_everything(before):
    g = seeded(5)
    R.rand((before,), generator=g)
    R.randn((3,), dtype=dtypes.float64, generator=g)  # leaves a deviate behind
    state = g.get_state()
    copies = [R.Generator().set_state(state), g.clone_state(), pickle.loads(pickle.dumps(g)), copy.deepcopy(g)]
    expected = R.randn((5,), generator=g), R.rand((1000,), generator=g)
    for other in copies:
        np.testing.assert_array_equal(other.get_state(), state)
        assert other.initial_seed() == 5
        np.testing.assert_array_equal(R.randn((5,), generator=other), expected[0])
        np.testing.assert_array_equal(R.rand((1000,), generator=other), expected[1])


def test_states_that_are_none():
    g = seeded(5)
    for state, error, text in (
        (b"", TypeError, "expected a torch.ByteTensor, but got bytes"),
        (np.zeros(5056), TypeError, "RNG state must be a torch.ByteTensor"),
        (np.zeros(10112, np.uint8)[::2], RuntimeError, "RNG state must be contiguous"),
        (np.zeros(9, np.uint8), RuntimeError, "Expected a CPUGeneratorImplState of size 5056 but found"),
        (np.zeros(5056, np.uint8), RuntimeError, "Invalid mt19937 state"),
    ):
        with pytest.raises(error, match=text):
            g.set_state(state)


def test_fork_puts_generators_back():
    g, other = seeded(1), seeded(2)
    before = g.get_state(), other.get_state(), R.default_generator.get_state()
    with pytest.raises(ZeroDivisionError), R.fork(g, other):
        R.rand((5,), generator=g)
        R.randn((5,), generator=other)
        raise ZeroDivisionError
    with R.fork():
        R.rand((5,))
    after = g.get_state(), other.get_state(), R.default_generator.get_state()
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_default_generator_is_drawn_from():
    with R.fork():
        R.default_generator.manual_seed(8)
        np.testing.assert_array_equal(R.randn((20,)), R.randn((20,), generator=seeded(8)))
        np.testing.assert_array_equal(R.poisson(np.full(20, 2.0)), R.poisson(np.full(20, 2.0), clone_after_normals(8)))


def test_functions_on_the_default_generator():
    with R.fork():
        assert R.manual_seed(2.7) is R.default_generator
        assert R.initial_seed() == 2
        state = R.get_rng_state()
        first = R.rand((4,))
        R.set_rng_state(state)
        np.testing.assert_array_equal(R.rand((4,)), first)
        assert R.seed() == R.initial_seed()


def clone_after_normals(seed):
    g = seeded(seed)
    R.randn((20,), generator=g)
    return g


# ------------------------------------------------------------------------------------------------ distributions

N = 200_000


def moments(values, mean, variance):
    """Mean and variance within five standard errors (that of the variance by the sample's fourth moment)."""
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / values.size)
    kurtosis = ((values - mean) ** 4).mean() / variance**2
    assert abs(values.var() / variance - 1) < 5 * math.sqrt((kurtosis - 1) / values.size)


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16"])
def test_moments_of_continuous_samplers(name):
    dtype = dtypes.BY_NAME[name].numpy
    g = seeded(1)

    def filled(fill, *arguments):
        return fill(np.empty(N, dtype), *arguments, generator=g).astype(np.float64)

    # 16-bit results carry rounding, well below the sampling error allowed here
    moments(filled(R.uniform_, -1, 3), 1, 16 / 12)
    moments(filled(R.normal_, 1, 2), 1, 4)
    moments(filled(R.exponential_, 2), 0.5, 0.25)
    moments(np.log(filled(R.log_normal_, 0.5, 0.25)), 0.5, 0.0625)
    quartiles = np.quantile(filled(R.cauchy_, 1, 2), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [-1, 1, 3], atol=0.06)


def test_moments_of_discrete_samplers():
    g = seeded(2)
    moments(R.bernoulli_(np.empty(N, np.float32), 0.3, generator=g).astype(float), 0.3, 0.21)
    moments(R.geometric_(np.empty(N, np.int64), 0.3, generator=g).astype(float), 1 / 0.3, 0.7 / 0.09)
    moments(R.randint(-5, 12, (N,), generator=g).astype(float), 3, (17**2 - 1) / 12)
    n = N // 10
    for rate in (0.5, 9.5, 10.5, 400.0):
        moments(R.poisson(np.full(n, rate), g), rate, rate)
    for count, prob in ((20, 0.3), (100, 0.4), (100, 0.8), (7, 0.9)):
        moments(R.binomial(np.full(n, float(count)), np.full(n, prob), g), count * prob, count * prob * (1 - prob))
    for shape in (0.3, 1.0, 5.0):
        moments(R._standard_gamma(np.full(n, shape), g), shape, shape)
    rows = R._sample_dirichlet(np.tile([1.0, 2.0, 3.0], (n, 1)), g)
    np.testing.assert_allclose(rows.sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(rows.mean(0), [1 / 6, 2 / 6, 3 / 6], atol=0.01)


def test_multinomial_frequencies_and_distinctness():
    g = seeded(3)
    weights = np.array([[1.0, 2, 3, 4], [4, 0, 0, 4]])
    found = R.multinomial(weights, 50_000, True, generator=g)
    for row, weight in zip(found, weights, strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=4) / row.size, weight / weight.sum(), atol=0.01)
    first = np.array([R.multinomial(weights[0], 2, generator=g) for _ in range(4000)])
    assert (first[:, 0] != first[:, 1]).all()
    np.testing.assert_allclose(np.bincount(first[:, 0]) / 4000, [0.1, 0.2, 0.3, 0.4], atol=0.03)


def test_normals_are_the_formulas_of_the_uniforms():
    u = seeded(4).floats(64).astype(np.float64).reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log(1 - u[:, 0])), 2 * np.pi * u[:, 1]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
    np.testing.assert_allclose(R.randn((64,), generator=seeded(4)), expected, rtol=3e-6, atol=3e-7)
    v = seeded(4).doubles(10).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log1p(-v[:, 1])), 2 * np.pi * v[:, 0]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
    np.testing.assert_allclose(R.randn((10,), dtype=dtypes.float64, generator=seeded(4)), expected, rtol=1e-13)


def test_single_precision_functions_are_accurate():
    u = seeded(5).floats(320_000).reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - u[:, 0].astype(float)))
    angle = (u[:, 1] * np.float32(2 * np.pi)).astype(float)
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
    np.testing.assert_allclose(R.randn((320_000,), generator=seeded(5)), expected, rtol=6e-7)


def test_fused_rounds_once():
    from fractions import Fraction

    x = seeded(6).doubles(2000) - 0.5
    exact = [float(Fraction(a) * Fraction(0.7) + Fraction(0.3)) for a in x.tolist()]
    np.testing.assert_array_equal(random_normal.fused(x, 0.7, 0.3), exact)
    np.testing.assert_array_equal(random_normal.fused(np.array([1e308, -2.0]), 1.5, 1.0), [1.5e308, -2.0])


# ------------------------------------------------------------------------------------- order, sizes, shortcuts


def test_transposed_arrays_get_their_parents_numbers():
    out = np.zeros((5, 7), np.float32)
    R.uniform_(out.T, generator=seeded(7))
    np.testing.assert_array_equal(out.reshape(-1), seeded(7).floats(35))
    out = np.zeros((4, 6), np.int64)
    R.random_(out[:, ::2], 10, generator=seeded(7))
    np.testing.assert_array_equal(out[:, ::2].reshape(-1), R.randint(0, 10, (12,), generator=seeded(7)))
    assert (out[:, 1::2] == 0).all()


def test_long_draws_continue_short_ones():
    for bulk in ("floats", "doubles", "words", "mantissas"):
        g = seeded(8)
        pieces = np.concatenate([getattr(g, bulk)(n) for n in (1, 10, 500, 513, 4000, 5000)])
        np.testing.assert_array_equal(pieces, getattr(seeded(8), bulk)(pieces.size))
    g = seeded(8)
    assert [g.double() for _ in range(5)] == seeded(8).doubles(5).tolist()


def test_chunks_do_not_show():
    for fill in (R.normal_, R.uniform_, R.log_normal_, R.exponential_):
        a, b = seeded(9), seeded(9)
        whole = fill(np.empty(96 * 1024, np.float32), generator=a)
        parts = np.concatenate([fill(np.empty(1024, np.float32), generator=b) for _ in range(96)])
        np.testing.assert_array_equal(whole, parts)
        np.testing.assert_array_equal(a.get_state(), b.get_state())


@pytest.mark.parametrize("sampler", ["poisson", "_standard_gamma"])
def test_reading_ahead_gives_back_what_it_did_not_use(sampler):
    parameters = np.tile([0.5, 3.0, 20.0, 0.9], 50)
    a, b = seeded(10), seeded(10)
    together = getattr(R, sampler)(parameters, a)
    alone = np.concatenate([getattr(R, sampler)(parameters[i : i + 1], b) for i in range(200)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(a.get_state(), b.get_state())


@pytest.mark.parametrize("n", [1, 2, 7, 20, 500])
def test_ranking_equal_numbers_still_ranks(n):
    for levels in (1, 3, 100):
        values = np.random.RandomState(n).randint(0, levels, (3, n)).astype(float)
        for k in {1, (n + 63) // 64, (n + 1) // 2, n}:
            found = largest(values, k)
            np.testing.assert_array_equal(np.take_along_axis(values, found, 1), -np.sort(-values, 1)[:, :k])
            assert all(len(set(row)) == k for row in found.tolist())
    # GCC's order, where a stable sort would give 0, 1, 2
    assert largest(np.zeros(10), 3).tolist() == [8, 6, 7]


def test_ranking_survives_bad_pivots():
    """Sequences on which medians of three degenerate take the way out by heaps."""
    n = 4000
    for values in (np.minimum(np.arange(n), np.arange(n)[::-1]), np.arange(n) // 2, np.arange(n)[::-1] // 2):
        found = largest(values.astype(float), n // 2)
        np.testing.assert_array_equal(values[found], -np.sort(-values)[: n // 2])
    # GCC's median-of-three killer: even places ascend in the first half
    half = n // 2
    killer = np.empty(n)
    killer[:half] = [i + 1 if i % 2 == 0 else half + i for i in range(half)]
    killer[half:] = 2 * np.arange(1, half + 1)
    for values in (killer, -killer, np.round(killer / 2)):
        found = _Ranking(values.tolist()).largest(n - 1)
        np.testing.assert_array_equal(values[found], -np.sort(-values)[: n - 1])


def swapped(draws, n):
    result = list(range(n))
    for i, draw in enumerate(draws):
        j = i + draw % (n - i)
        result[i], result[j] = result[j], result[i]
    return result


@pytest.mark.parametrize("n", [2, 3, 5, 256, 257, 1000, 3000])
def test_permutations_are_the_swaps(n):
    found = R.randperm(n, generator=seeded(n)).tolist()
    assert found == swapped(seeded(n).raw(n - 1).tolist(), n)
    partners = seeded(n).raw(n - 1).astype(np.uint32) % np.arange(n, 1, -1, dtype=np.uint32)
    assert random_permute._swaps(partners, n).tolist() == found


@pytest.mark.parametrize("n", [1, 2, 3, 10, 257, 3000])
def test_the_longest_permutations_are_built_inside_out(n, monkeypatch):
    monkeypatch.setattr(random_permute, "_WIDE", 1)
    expected = []
    for i, draw in enumerate(seeded(n).words(n).tolist()):
        z = draw % (i + 1)
        expected.append(i)
        expected[i] = expected[z]
        expected[z] = i
    assert R.randperm(n, generator=seeded(n)).tolist() == expected
    assert sorted(expected) == list(range(n))


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16", "float64"])
def test_uniform_stays_below_its_upper_bound(name):
    values = R.uniform_(np.empty(100_000, dtypes.BY_NAME[name].numpy), 1000, 1001, generator=seeded(11)).astype(float)
    assert 1000 <= values.min() and values.max() < 1001


def test_complex_numbers_have_the_asked_variance():
    values = R.normal_(np.empty(N, np.complex64), 1, 2, generator=seeded(12))
    moments(values.real.astype(float), 1, 2)
    moments(values.imag.astype(float), 1, 2)
    assert (
        R.rand((4,), dtype=dtypes.complex128, generator=seeded(12)).view(float).tolist()
        == seeded(12).doubles(8).tolist()
    )


def test_dropout_noise():
    x = np.ones((300, 400), np.float32)
    noise = R.dropout_noise(x.T, 0.25, generator=seeded(13))
    assert noise.strides == x.T.strides
    assert set(np.unique(noise).tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    moments(noise.astype(float), 1, 0.25 / 0.75)
    g = seeded(13)
    before = g.get_state()
    assert (R.dropout_noise(x, 0.0, generator=g) == 1).all() and (R.dropout_noise(x, 1.0, generator=g) == 0).all()
    np.testing.assert_array_equal(g.get_state(), before)
    assert R.feature_dropout_noise(np.ones((2, 3, 4, 4)), 0.5, generator=g).shape == (2, 3, 1, 1)
    with pytest.raises(RuntimeError, match="Feature dropout requires at least 2 dimensions in the input"):
        R.feature_dropout_noise(np.ones(3))
    with pytest.raises(RuntimeError, match="dropout probability has to be between 0 and 1, but got 1.5"):
        R.dropout_noise(x, 1.5)


def test_rrelu_noise_draws_where_it_is_needed():
    g = seeded(14)
    noise = R.rrelu_noise(np.array([-1.0, 2.0, 0.0, 3.0]), 0.125, 0.25, generator=g)
    u = seeded(14).doubles(2)
    np.testing.assert_allclose(noise, [0.125 + 0.125 * u[0], 1, 0.125 + 0.125 * u[1], 1], rtol=1e-15)


def test_integers_of_every_dtype_keep_their_range():
    g = seeded(15)
    for name in ("uint8", "int8", "int16", "int32", "int64", "bool", "float16", "bfloat16", "float32", "float64"):
        values = R.random_(np.empty(20_000, dtypes.BY_NAME[name].numpy), generator=g).astype(float)
        assert values.min() >= 0 and (values == np.floor(values)).all()
        values = R.random_(np.empty(2000, dtypes.BY_NAME[name].numpy), 0, 2, generator=g).astype(float)
        assert set(values.tolist()) == {0, 1}
    values = R.randint(-(2**63), 2**63 - 1, (1000,), generator=g)
    assert values.min() < -(2**62) and values.max() > 2**62
    with pytest.raises(RuntimeError, match="to - 1 is out of bounds for unsigned char"):
        R.randint(0, 257, (2,), dtype=dtypes.uint8)
    with pytest.warns(UserWarning, match=r"to - 1 is out of bounds \[-\(2\^11\), 2\^11\]"):
        R.random_(np.empty(3, np.float16), 0, 4096)


def test_sizes():
    for shape in ((), (0,), (2, 0, 3), (2, 3)):
        assert R.rand(shape).shape == R.randn(shape).shape == R.randint(0, 3, shape).shape == shape
    assert R.randn(3).shape == (3,)
    assert R.randperm(0).shape == (0,)
    with pytest.raises(RuntimeError, match=r"Trying to create tensor with negative dimension -1: \[2, -1\]"):
        R.rand((2, -1))


def test_default_dtype():
    assert R.rand((2,)).dtype == R.randn((2,)).dtype == R.normal(0, 1, (2,)).dtype == np.float32
    assert R.randint(0, 3, (2,)).dtype == R.randperm(3).dtype == np.int64
    dtypes.set_default_dtype(dtypes.float64)
    try:
        assert R.rand((2,)).dtype == R.randn((2,)).dtype == np.float64
    finally:
        dtypes.set_default_dtype(dtypes.float32)
