"""The random streams against PyTorch's, and the state after every call: values, consumption and kept deviates agree."""

import pickle
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rushlight import dtypes  # noqa: E402
from rushlight.array import random as R  # noqa: E402
from rushlight.array.ties import largest  # noqa: E402

F = torch.nn.functional
SIZES = [*range(41), 47, 48, 49, 255, 256, 257, 1000, 4097, 40000]
FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


class Pair:
    """Two generators in step: ours and PyTorch's."""

    def __init__(self, seed):
        self.ours = R.Generator().manual_seed(seed)
        self.theirs = torch.Generator().manual_seed(seed)

    def same_state(self):
        np.testing.assert_array_equal(self.ours.get_state(), self.theirs.get_state().numpy())


def tensor_of(array):
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(array)


def bits(values):
    """Values in a form that compares exactly (16-bit floats widened)."""
    if isinstance(values, torch.Tensor):
        values = values.float().numpy() if values.dtype is torch.bfloat16 else values.numpy()
    return values.astype(np.float32) if values.dtype.name == "bfloat16" else values


def same(ours, theirs):
    assert dtypes.of(ours.dtype).name == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_array_equal(bits(ours), bits(theirs))


def empties(shape, name):
    return np.zeros(shape, dtypes.BY_NAME[name].numpy), torch.zeros(shape, dtype=getattr(torch, name))


FILLS = {
    "uniform": ((), FLOATS),
    "uniform_": ((0.3, 1.9), FLOATS),
    "uniform_wide": ((-1, 1), FLOATS),
    "normal_": ((), FLOATS),
    "normal_shifted": ((0.3, 0.7), FLOATS),
    "log_normal_": ((0.3, 0.7), FLOATS),
    "cauchy_": ((0.3, 0.7), FLOATS),
    "exponential_": ((), FLOATS),
    "exponential_rate": ((0.7,), FLOATS),
    "geometric_": ((0.01,), FLOATS + INTEGERS),
    "bernoulli_": ((0.3,), [*FLOATS, *INTEGERS, "bool"]),
    "bernoulli_never": ((0,), ["float32"]),
    "random_": ((), [*FLOATS, *INTEGERS, "bool"]),
    "random_to": ((100,), FLOATS + INTEGERS),
    "random_from": ((3, 101), [*FLOATS, *INTEGERS, "uint16", "uint32", "uint64"]),
}
CASES = [(key, name) for key, (_, names) in FILLS.items() for name in names]


def method(key):
    return key.split("_")[0] + "_" if key != "log_normal_" else key


@pytest.mark.parametrize(("key", "name"), CASES)
def test_fills_agree_bit_for_bit_at_every_size(key, name):
    pair = Pair(11)
    for size in SIZES:
        ours, theirs = empties(size, name)
        getattr(R, method(key))(ours, *FILLS[key][0], generator=pair.ours)
        getattr(theirs, method(key))(*FILLS[key][0], generator=pair.theirs)
        same(ours, theirs)
    pair.same_state()


@pytest.mark.parametrize(("key", "name"), [case for case in CASES if case[1] in ("float32", "float64", "int64")])
def test_arrays_with_gaps_are_filled_along_memory(key, name):
    pair = Pair(12)
    for shape, axes, step in [
        ((5, 7), (1, 0), 1),
        ((3, 4, 5), (2, 0, 1), 1),
        ((4, 10), (0, 1), 2),
        ((6, 1, 8), (2, 1, 0), 2),
    ]:
        ours, theirs = empties(shape, name)
        getattr(R, method(key))(ours.transpose(axes)[..., ::step], *FILLS[key][0], generator=pair.ours)
        getattr(theirs.permute(axes)[..., ::step], method(key))(*FILLS[key][0], generator=pair.theirs)
        same(ours, theirs)
    pair.same_state()


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_a_million_normals(name):
    pair = Pair(13)
    ours = R.randn((1000003,), dtype=dtypes.BY_NAME[name], generator=pair.ours)
    theirs = torch.randn(1000003, dtype=getattr(torch, name), generator=pair.theirs)
    differing = np.flatnonzero(ours != theirs.numpy())
    assert differing.size <= 1  # a double rounding about once in 25 million
    np.testing.assert_allclose(ours[differing], theirs.numpy()[differing], rtol=3e-7)
    pair.same_state()


@pytest.mark.parametrize("bounds", [(1000, 1001), (0, 1e-30), (-3e38, -2.9e38), (5, 5)])
def test_uniform_never_returns_its_upper_bound(bounds):
    pair = Pair(14)
    for name in FLOATS:
        if name == "float16" and abs(bounds[0]) > 6e4:
            continue
        ours, theirs = empties(100000, name)
        R.uniform_(ours, *bounds, generator=pair.ours)
        same(ours, theirs.uniform_(*bounds, generator=pair.theirs))
    pair.same_state()


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex_parts(name):
    pair = Pair(15)
    for size in [*range(20), 100]:
        dtype, theirs = dtypes.BY_NAME[name], getattr(torch, name)
        same(R.rand((size,), dtype=dtype, generator=pair.ours), torch.rand(size, dtype=theirs, generator=pair.theirs))
        same(R.randn((size,), dtype=dtype, generator=pair.ours), torch.randn(size, dtype=theirs, generator=pair.theirs))
    ours, theirs = empties((5, 6), name)
    same(R.normal_(ours.T, 1, 2, generator=pair.ours), theirs.T.normal_(1, 2, generator=pair.theirs))
    pair.same_state()


def test_a_mixed_sequence_keeps_step_across_saved_states():
    pair = Pair(16)
    choose = np.random.RandomState(0)
    for step in range(400):
        key, name = CASES[choose.randint(len(CASES))]
        size = int(choose.choice([1, 2, 3, 5, 7, 15, 16, 17, 31, 100]))
        ours, theirs = empties(size, name)
        getattr(R, method(key))(ours, *FILLS[key][0], generator=pair.ours)
        getattr(theirs, method(key))(*FILLS[key][0], generator=pair.theirs)
        same(ours, theirs)
        if step % 7 == 0:
            pair.same_state()
        if step % 11 == 0:  # swap states: each continues the other's
            ours_state = pair.ours.get_state()
            pair.ours.set_state(pair.theirs.get_state().numpy())
            pair.theirs.set_state(torch.from_numpy(ours_state))


RANGES = [
    *((0, 2), (0, 2**16), (0, 2**28 - 1), (0, 2**28), (5, 2**31), (-7, 2**32), (0, 2**40 + 1), (-(2**63), 2**63 - 1)),
    *((2**62, None), (5, None), (0, None), (-(2**63), None), (-(2**31), 2**31), (-128, 128), (0, 65504), (-1, 2049)),
    *((0, 2**24), (0, 2**24 + 1), (0, 2**24 + 2), (-(2**24) - 3, 4), (-(2**53) - 5, 2**53 + 3), (0, 256), (250, 259)),
    *((0, 1), (1, 1), (3, 2), (0, 0), (-5, None), (2**60, None), (-300, -200), (0, 10**38), (-70000, 70000)),
]


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS, "uint16", "uint32", "uint64", "bool", "complex64"])
def test_integer_ranges_and_their_refusals(name):
    pair = Pair(17)
    for from_, to in RANGES:
        if to is not None and abs(to) >= 2**63:
            continue
        ours, theirs = empties(20, name)
        outcome = []
        for fill in (
            lambda x, a=from_, b=to: R.random_(x, a, b, generator=pair.ours),
            lambda x, a=from_, b=to: x.random_(a, b, generator=pair.theirs),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    value, error = fill(ours if not outcome else theirs), None
                except (RuntimeError, NotImplementedError) as raised:
                    value, error = None, (type(raised), str(raised).split("\n")[0])
            texts = [str(warning.message).split(" (Triggered")[0] for warning in caught]
            outcome.append((value, error, texts))
        assert outcome[0][1:] == outcome[1][1:], (name, from_, to)
        if outcome[0][0] is not None:
            same(outcome[0][0], outcome[1][0])
    pair.same_state()


@pytest.mark.parametrize("name", FLOATS)
def test_bernoulli_with_an_array_of_probabilities(name):
    pair = Pair(18)
    p = np.random.RandomState(0).rand(6, 50).astype(dtypes.BY_NAME[name].numpy)
    their_p = tensor_of(p)
    same(R.bernoulli(p, generator=pair.ours), torch.bernoulli(their_p, generator=pair.theirs))
    same(R.bernoulli(p.T, generator=pair.ours), torch.bernoulli(their_p.T, generator=pair.theirs))
    for target in ("float32", "int64", "bool"):
        ours, theirs = empties((50, 6), target)
        R.bernoulli_(ours.T, p, generator=pair.ours)
        theirs.T.bernoulli_(their_p, generator=pair.theirs)
        same(ours, theirs)
        same(
            R.bernoulli_(ours, p[0, :6], generator=pair.ours), theirs.bernoulli_(their_p[0, :6], generator=pair.theirs)
        )
    pair.same_state()


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
def test_permutations(name):
    pair = Pair(19)
    for n in [0, 1, 2, 3, 10, 100, 127, 128, 256, 257, 258, 1000, 2049, 2050, 5000, 100003]:
        results = []
        for call in (
            lambda n=n: R.randperm(n, dtype=dtypes.BY_NAME[name], generator=pair.ours),
            lambda n=n: torch.randperm(n, dtype=getattr(torch, name), generator=pair.theirs),
        ):
            try:
                results.append((call(), None))
            except RuntimeError as raised:
                results.append((None, str(raised).split("\n")[0]))
        assert results[0][1] == results[1][1]
        if results[0][0] is not None:
            same(results[0][0], results[1][0])
    pair.same_state()


def test_normal_with_arrays():
    pair = Pair(20)
    draw = np.random.RandomState(0)
    for shape in [(3,), (4, 5), (50,), ()]:
        for name in ("float32", "float64"):
            mean = draw.randn(*shape) * np.ones(()) if shape else np.array(0.3)
            mean = np.asarray(mean, dtypes.BY_NAME[name].numpy)
            std = np.asarray(np.abs(mean) + 0.1)
            a, b = torch.from_numpy(mean), torch.from_numpy(std)
            same(R.normal(mean, std, generator=pair.ours), torch.normal(a, b, generator=pair.theirs))
            same(R.normal(mean, 0.7, generator=pair.ours), torch.normal(a, 0.7, generator=pair.theirs))
            same(R.normal(0.3, std, generator=pair.ours), torch.normal(0.3, b, generator=pair.theirs))
    mean, std = np.zeros((2, 1), np.float32), np.ones((1, 9)) * 0.3
    same(
        R.normal(mean, std, generator=pair.ours),
        torch.normal(torch.from_numpy(mean), torch.from_numpy(std), generator=pair.theirs),
    )
    same(R.normal(0, 2, (30,), generator=pair.ours), torch.normal(0, 2, (30,), generator=pair.theirs))
    pair.same_state()


@pytest.mark.parametrize("name", FLOATS)
def test_dropout_noise(name):
    state = torch.get_rng_state()
    try:
        for p in (0.0, 0.3, 0.5, 1.0):
            for shape, axes in [((20,), (0,)), ((6, 7), (1, 0)), ((3, 4, 5), (1, 2, 0))]:
                ours, theirs = empties(shape, name)
                ours += ours.dtype.type(1)
                theirs += 1
                generator = R.Generator().manual_seed(21)
                torch.manual_seed(21)
                same(
                    ours.transpose(axes) * R.dropout_noise(ours.transpose(axes), p, generator=generator),
                    F.dropout(theirs.permute(axes), p),
                )
                if ours.ndim > 2:
                    noise = R.feature_dropout_noise(ours, p, generator=generator)
                    same(ours * noise, torch.feature_dropout(theirs, p, True))
                np.testing.assert_array_equal(generator.get_state(), torch.get_rng_state().numpy())
    finally:
        torch.set_rng_state(state)


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16"])
def test_rrelu_noise(name):
    pair = Pair(22)
    x = np.random.RandomState(0).randn(9, 30).astype(dtypes.BY_NAME[name].numpy)
    x[0] = 0
    for layout in (lambda a: a, lambda a: a.T):
        noise = torch.zeros(layout(x).shape, dtype=getattr(torch, name))
        torch._C._nn.rrelu_with_noise(layout(tensor_of(x)), noise, 0.1, 0.3, True, generator=pair.theirs)
        same(R.rrelu_noise(layout(x), 0.1, 0.3, generator=pair.ours), noise)
    pair.same_state()


@pytest.mark.parametrize("name", FLOATS)
def test_multinomial(name):
    pair = Pair(23)
    for shape in [(1,), (5,), (3, 7), (40,), (4, 1000), (20000,)]:
        weights = (np.random.RandomState(0).rand(*shape) + 0.01).astype(dtypes.BY_NAME[name].numpy)
        for count, replacement in [(1, False), (1, True), (shape[-1], True), (37, True), (min(5, shape[-1]), False)]:
            same(
                R.multinomial(weights, count, replacement, generator=pair.ours),
                torch.multinomial(tensor_of(weights), count, replacement, generator=pair.theirs),
            )
        pair.same_state()
    weights = np.array([[0, 1, 0, 3], [1, 0, 0, 0]], np.float32)
    for count, replacement in [(1, False), (1, True), (50, True)]:
        same(
            R.multinomial(weights, count, replacement, generator=pair.ours),
            torch.multinomial(tensor_of(weights), count, replacement, generator=pair.theirs),
        )


@pytest.mark.parametrize("n", [1, 2, 3, 10, 17, 40, 100, 1000, 3000])
def test_equal_numbers_rank_as_in_topk(n):
    draw = np.random.RandomState(n)
    for levels in (1, 2, 5, 50, 1000):
        values = draw.randint(0, levels, (2, n)).astype(np.float32)
        for k in {1, min(2, n), max(1, n // 65), max(1, n // 64), max(1, n // 3), n}:
            np.testing.assert_array_equal(largest(values, k), torch.topk(torch.from_numpy(values), k).indices.numpy())


def test_multinomial_of_many_or_impossible_categories():
    pair = Pair(28)
    weights = np.random.RandomState(0).rand(30, 2000).astype(np.float32)  # a few quotients of each thousand are equal
    impossible = weights * (weights > 0.7)
    for given in (weights, impossible):
        for count in (10, 500, 2000):
            same(
                R.multinomial(given, count, generator=pair.ours),
                torch.multinomial(torch.from_numpy(given), count, generator=pair.theirs),
            )
    pair.same_state()


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("size", [1, 5, 15, 16, 100, 3000])
def test_poisson(name, size):
    pair = Pair(24)
    scale = np.random.RandomState(0).choice([0, 0.1, 1, 5, 9.99, 10, 11, 50, 1000, 30000], size)
    rates = scale.astype(dtypes.BY_NAME[name].numpy)
    same(R.poisson(rates, pair.ours), torch.poisson(tensor_of(rates), pair.theirs))
    pair.same_state()


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("size", [127, 128, 1000, 50000])
def test_equal_parameters(name, size):
    pair = Pair(27)
    for rate in (0, 0.3, 9.9, 10, 10.5, 33.3, 1e4, 1e9):
        rates = np.full(size, rate, name)
        same(R.poisson(rates, pair.ours), torch.poisson(tensor_of(rates), pair.theirs))
        pair.same_state()
    for trials, chance in [
        (20, 0.5),
        (20, 0.499),
        (21, 0.51),
        (100, 0.9),
        (1e6, 0.3),
        (1e6, 1e-5),
        (7, 0.2),
        (1e4, 0.999),
    ]:
        count, prob = np.full(size, trials, name), np.full(size, chance, name)
        same(R.binomial(count, prob, pair.ours), torch.binomial(tensor_of(count), tensor_of(prob), pair.theirs))
        pair.same_state()


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 5, 15, 16, 100, 3000])
def test_binomial(name, size):
    pair = Pair(25)
    draw = np.random.RandomState(size)
    dtype = dtypes.BY_NAME[name].numpy
    count = draw.choice([0, 1, 5, 20, 100, 1000, 1e6, -2], size).astype(dtype)
    prob = np.where(draw.rand(size) < 0.2, draw.choice([0, 1, 0.5, -1, 2, np.nan], size), draw.rand(size)).astype(dtype)
    same(R.binomial(count, prob, pair.ours), torch.binomial(tensor_of(count), tensor_of(prob), pair.theirs))
    pair.same_state()


@pytest.mark.parametrize("size", [1, 5, 15, 16, 100, 3000])
def test_gamma_and_dirichlet(size):
    pair = Pair(26)
    shape = np.random.RandomState(0).choice([0, 0.01, 0.3, 0.999, 1, 1.5, 4, 100, -0.5, -1.5], size)
    for name in ("float32", "float64"):
        alpha = shape.astype(name)
        same(R._standard_gamma(alpha, pair.ours), torch._standard_gamma(tensor_of(alpha), pair.theirs))
        alpha = (
            np.abs(alpha).reshape(-1, 5) + np.asarray(0.05, name)
            if size % 5 == 0
            else np.abs(alpha) + np.asarray(1, name)
        )
        ours = R._sample_dirichlet(alpha, pair.ours)
        theirs = torch._sample_dirichlet(tensor_of(alpha), pair.theirs).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-15 if name == "float64" else 0)
        pair.same_state()


REFUSALS = [
    ("uniform_", (2, 1)),
    ("uniform_", (0, 1e39)),
    ("uniform_", (-1e309, 0)),
    ("uniform_", (-3e38, 3e38)),
    ("uniform_", (float("nan"), 1)),
    ("normal_", (0, -1)),
    ("normal_", (0, float("nan"))),
    ("log_normal_", (0, 0)),
    ("cauchy_", (0, -1.5)),
    ("exponential_", (0,)),
    ("exponential_", (-2.25,)),
    ("geometric_", (0,)),
    ("geometric_", (1,)),
    ("bernoulli_", (1.5,)),
    ("bernoulli_", (float("nan"),)),
    *(
        (each, ())
        for each in ("uniform_", "normal_", "log_normal_", "cauchy_", "exponential_", "bernoulli_", "random_")
    ),
    ("geometric_", (0.3,)),
]


@pytest.mark.parametrize(("key", "arguments"), REFUSALS)
@pytest.mark.parametrize("name", [*FLOATS, "int64", "uint8", "int16", "bool", "complex64", "complex128", "uint32"])
def test_refusals_have_pytorchs_words(key, arguments, name):
    errors = []
    for fill, array in zip(
        (lambda x: getattr(R, key)(x, *arguments), lambda x: getattr(x, key)(*arguments)), empties(3, name), strict=True
    ):
        try:
            fill(array)
            errors.append(None)
        except (RuntimeError, NotImplementedError) as raised:
            errors.append((type(raised), str(raised).split("\n")[0]))
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("multinomial", ([1.0, 2], 0)),
        ("multinomial", ([1.0, 2], 3)),
        ("multinomial", (1.0, 1)),
        ("multinomial", ([[[1.0]]], 1)),
        ("multinomial", ([1, 2], 1)),
        ("multinomial", ([1.0, -2], 1, True)),
        ("multinomial", ([1.0, np.inf], 1)),
        ("multinomial", ([1.0, np.nan], 1, True)),
        ("multinomial", ([0.0, 0], 2, True)),
        ("multinomial", ([[1.0, 2], [1.0, -2]], 2, True)),
        ("multinomial", ([[1.0, 2], [np.inf, -2]], 2, True)),
        ("multinomial", ([[0.0, 0], [np.inf, -2]], 2, True)),
        ("multinomial", ([1.0, np.nan], 2, True)),
        ("multinomial", (np.zeros((3, 0)), 1, True)),
        ("multinomial", (np.zeros(0), 2, True)),
        ("multinomial", (np.zeros(0), 1)),
        ("multinomial", (np.zeros(0), 1, True)),
        ("multinomial", (np.zeros((3, 0)), 2, True)),
        ("multinomial", (np.zeros((0, 3)), 2)),
        ("poisson", ([-1.0],)),
        ("poisson", ([1],)),
        ("poisson", ([np.nan],)),
        ("binomial", ([3], [0.5])),
        ("binomial", ([3.0], np.float32([0.5]))),
        ("bernoulli", ([0.5, 1.5],)),
        ("bernoulli", ([1, 0],)),
        ("bernoulli", ([1j],)),
        ("_standard_gamma", ([1],)),
        ("_standard_gamma", (np.float16([1]),)),
        ("_sample_dirichlet", ([1],)),
        ("normal", ([0.0, 1], [1.0, -1])),
        ("normal", ([0.0, 1], -1.0)),
        ("normal", ([0.0, 1], [1.0, 1, 1])),
        ("normal", ([0, 1], [1.0, 1])),
        ("normal", ([0.0, 1], [1j, 1])),
        ("randperm", (-1,)),
    ],
)
def test_functions_refuse_in_pytorchs_words(function, arguments):
    arrays = [
        np.asarray(a) if isinstance(a, (list, np.ndarray)) or i == 0 and a == 1.0 else a
        for i, a in enumerate(arguments)
    ]
    tensors = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays]
    errors = []
    for namespace, given in ((R, arrays), (torch, tensors)):
        try:
            result = getattr(namespace, function)(*given)
            errors.append(tuple(result.shape))
        except (RuntimeError, NotImplementedError, ValueError, TypeError, IndexError) as raised:
            errors.append((type(raised), str(raised).split("\n")[0]))
    assert errors[0] == errors[1]


def test_seeds_and_states():
    for seed in (0, 1, -1, 2**32 + 5, -(2**63), 2**64 - 1, 2**63):
        pair = Pair(seed)
        assert pair.ours.initial_seed() == pair.theirs.initial_seed()
        pair.same_state()
        for count in (1, 622, 1, 1, 700, 548):
            R.rand((count,), generator=pair.ours)
            torch.rand(count, generator=pair.theirs)
            pair.same_state()
    assert R.Generator().initial_seed() == torch.Generator().initial_seed()
    for seed in (-(2**63) - 1, 2**64, 1.5, "a", True):
        with pytest.raises((RuntimeError, ValueError)) as theirs:
            torch.Generator().manual_seed(seed)
        with pytest.raises(theirs.type) as ours:
            R.Generator().manual_seed(seed)
        assert str(ours.value) == str(theirs.value).split("\n")[0]
    for state in (np.zeros(10, np.uint8), np.zeros(5056), np.zeros(5056, np.uint8), np.zeros(10112, np.uint8)[::2]):
        with pytest.raises((RuntimeError, TypeError)) as theirs:
            torch.Generator().set_state(torch.from_numpy(state))
        with pytest.raises(theirs.type) as ours:
            R.Generator().set_state(state)
        assert str(ours.value) == str(theirs.value).split("\n")[0]
    generator = R.Generator().manual_seed(5)
    R.randn((3,), generator=generator)
    copy = pickle.loads(pickle.dumps(generator))
    np.testing.assert_array_equal(R.randn((40,), generator=copy), R.randn((40,), generator=generator))
