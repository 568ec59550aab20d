"""The printed form of tensors against PyTorch's own, character by character, on thousands of random cases.

Cases are raw arrays handed to both sides, so a difference is the printing's. Each seed draws options, dtype, shape and a kind of
numbers: round ones, small ones, wide ranges, specials.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

from rushlight import dtypes, printing  # noqa: E402

if "rushlight" in torch.__name__:
    pytest.skip("torch is rushlight here: nothing to compare with", allow_module_level=True)

CASES_PER_SEED = 50
REAL = ("float32", "float64", "float16", "bfloat16")
INTEGRAL = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")


@pytest.fixture(autouse=True)
def default_options():
    yield
    for library in (torch, printing):
        library.set_printoptions(profile="default")


def numbers(rng, count):
    """Float64 numbers of one of the kinds that printing treats differently."""
    kind = rng.integers(9)
    base = rng.standard_normal(count)
    if kind == 0:
        values = np.round(base * 10 ** rng.integers(0, 5))
    elif kind == 1:
        values = base
    elif kind == 2:
        values = base * 10.0 ** rng.integers(-9, 12)
    elif kind == 3:
        values = base * 10.0 ** rng.integers(-5, 5, count)
    elif kind == 4:
        values = np.round(base, rng.integers(0, 4))
    elif kind == 5:
        values = np.round(base) * 10.0 ** rng.integers(0, 9)
    elif kind == 6:
        values = base * 10.0 ** rng.integers(-200, 200, count)
    elif kind == 7:
        values = np.abs(np.round(base * 3))
    else:
        values = np.full(count, base[0] if count else 0.0)
    if count and rng.random() < 0.35:
        specials = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 9.99996, -0.00004, 99999.5, 1e8, 1e-4, 0.1])
        where = rng.random(count) < rng.random()
        values = np.where(where, rng.choice(specials, count), values)
    return values


def shape(rng):
    dims = rng.integers(0, 6)
    most = {0: 1, 1: 60, 2: 14, 3: 9, 4: 5, 5: 4}[int(dims)]
    return tuple(int(size) for size in rng.integers(0 if rng.random() < 0.1 else 1, most, dims))


def options(rng):
    chosen = {}
    if rng.random() < 0.5:
        if rng.random() < 0.3:
            chosen["profile"] = str(rng.choice(["default", "short", "full"]))
        if rng.random() < 0.4:
            chosen["precision"] = int(rng.integers(0, 9))
        if rng.random() < 0.5:
            chosen["threshold"] = int(rng.choice([0, 1, 5, 20, 100]))
        if rng.random() < 0.4:
            chosen["edgeitems"] = int(rng.integers(0, 5))
        if rng.random() < 0.4:
            chosen["linewidth"] = int(rng.choice([1, 10, 30, 60, 120, 200]))
        if rng.random() < 0.3:
            chosen["sci_mode"] = bool(rng.integers(2))
    return chosen


def pair(rng):
    """One random tensor as (torch tensor, array, rushlight dtype)."""
    size = shape(rng)
    count = int(np.prod(size, dtype=int))
    name = str(rng.choice([*REAL, *REAL, *INTEGRAL, *COMPLEX, "bool"]))
    dtype = getattr(dtypes, name)
    with np.errstate(all="ignore"):
        if name == "bool":
            array = rng.random(count) < rng.random()
        elif name in INTEGRAL:
            info = np.iinfo(dtype.numpy)
            reach = int(rng.choice([2, 10, 100, 10**4, 2**62]))
            array = rng.integers(max(info.min, -reach), min(info.max, reach), count).astype(dtype.numpy)
        elif name in COMPLEX:
            array = (numbers(rng, count) + 1j * numbers(rng, count)).astype(dtype.numpy)
        else:
            array = numbers(rng, count).astype(dtype.numpy)
    array = array.reshape(size)
    if rng.random() < 0.3:
        array = array.T
    if name == "bfloat16":
        reference = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    else:
        reference = torch.from_numpy(array)
    return reference, array, dtype


@pytest.mark.parametrize("seed", range(80))
def test_random_tensors_print_as_pytorch_prints_them(seed):
    rng = np.random.default_rng(seed)
    for _ in range(CASES_PER_SEED):
        reference, array, dtype = pair(rng)
        chosen = options(rng)
        for library in (torch, printing):
            library.set_printoptions(profile="default")
            library.set_printoptions(**chosen)
        wanted = repr(reference)
        wants_grad = (dtype.is_floating_point or dtype.is_complex) and rng.random() < 0.3
        if wants_grad:
            wanted = repr(reference.requires_grad_())
        assert printing.format_tensor(array, dtype, requires_grad=wants_grad) == wanted, (chosen, reference.dtype)


@pytest.mark.parametrize("seed", range(6))
def test_results_carry_the_name_of_their_node(seed):
    rng = np.random.default_rng(1000 + seed)
    for _ in range(CASES_PER_SEED):
        length = int(rng.integers(0, 40))
        leaf = torch.from_numpy(numbers(rng, length)).requires_grad_()
        result = leaf * 1
        array = result.detach().numpy()
        assert printing.format_tensor(array, dtypes.float64, grad_fn_name="MulBackward0") == repr(result)


@pytest.mark.parametrize(
    "size", [(2000,), (3, 1200), (40, 40, 40), (2, 3, 7, 50), (1001, 1), (7, 7, 7, 7), (1, 1, 1, 1001)]
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "complex64", "bool"])
def test_large_tensors_are_summarised_alike(size, dtype):
    rng = np.random.default_rng(3)
    array = (rng.standard_normal(size) * 5).astype(getattr(dtypes, dtype).numpy)
    assert printing.format_tensor(array, getattr(dtypes, dtype)) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("name", ["float64", "float16"])
def test_the_default_dtype_is_not_named(name):
    array = np.array([1.5, 2.0], dtype=name)
    try:
        torch.set_default_dtype(getattr(torch, name))
        dtypes.set_default_dtype(getattr(dtypes, name))
        for dtype in ("float16", "float32", "float64", "complex64", "complex128"):
            other = array.astype(dtype)
            assert printing.format_tensor(other, getattr(dtypes, dtype)) == repr(torch.from_numpy(other))
            empty = other[:0]
            assert printing.format_tensor(empty, getattr(dtypes, dtype)) == repr(torch.from_numpy(empty))
    finally:
        torch.set_default_dtype(torch.float32)
        dtypes.set_default_dtype(dtypes.float32)


def test_options_are_kept_and_restored_alike():
    for library in (torch, printing):
        library.set_printoptions(precision=2, sci_mode=True)
        library.set_printoptions(edgeitems=1)  # sci_mode falls back to automatic
    assert torch._tensor_str.get_printoptions() == printing.get_printoptions()
    with torch._tensor_str.printoptions(profile="short"), printing.printoptions(profile="short"):
        assert torch._tensor_str.get_printoptions() == printing.get_printoptions()
    assert torch._tensor_str.get_printoptions() == printing.get_printoptions()
