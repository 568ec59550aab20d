"""Block-by-block execution, and choosing by mask without branches."""

import numpy as np
import pytest

from rushlight.array import blocks, elementwise_activation, gelu


def layouts(size):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size)
    yield "flat", x
    square = x[: (size // 200) * 200].reshape(-1, 200)
    yield "rows", square
    yield "transposed", square.T
    yield "strided", square[:, ::3]
    yield "reversed", square[::-1]
    yield "broadcast", np.broadcast_to(x[:200], (size // 200, 200))


@pytest.mark.parametrize("dtype", (np.float64, np.float32, np.float16))
def test_blocks_and_whole_arrays_agree_for_every_layout(dtype):
    for name, x in layouts(90_000):
        x = x.astype(dtype) if x.flags.forc else np.asarray(x, dtype)
        whole = np.empty(x.shape, np.float32 if dtype == np.float16 else dtype)
        elementwise_activation._sigmoid(x.astype(whole.dtype), whole)
        found = elementwise_activation.sigmoid(x)
        assert found.shape == x.shape and found.dtype == dtype, name
        assert np.array_equal(found, whole.astype(dtype)), name


def test_inputs_of_different_layout_and_shape_meet():
    a = np.arange(60_000.0).reshape(200, 300)
    b = np.asfortranarray(a * 2)

    def step(x, y, out):
        np.add(x, y, out=out)

    assert np.array_equal(blocks.apply(step, (a, b)), a * 3)
    assert np.array_equal(blocks.apply(step, (a, a[:1])), a + a[:1])
    assert np.array_equal(blocks.apply(step, (a[:2, :2], a[:2, :2])), 2 * a[:2, :2])


def test_an_out_that_is_an_input_is_written_last():
    x = np.linspace(-3, 3, 50)
    expected = elementwise_activation.silu(x)
    y = x.copy()
    assert blocks.apply(elementwise_activation._silu, (y,), out=y) is y
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("dtype", (np.float64, np.float32, np.complex128))
def test_keep_and_select_let_no_nan_through(dtype):
    x = np.array([1.0, np.nan, np.inf, -2.0, np.nan], dtype)
    mask = np.array([True, False, False, True, True])
    kept = blocks.keep(mask, x, np.empty_like(x))
    assert np.array_equal(kept, np.where(mask, x, 0), equal_nan=True)
    chosen = blocks.select(mask, x, np.zeros_like(x), np.empty_like(x))
    assert np.array_equal(chosen, np.where(mask, x, 0), equal_nan=True)
    into = x.copy()
    blocks.select(mask, np.ones_like(x), into, into)
    assert np.array_equal(into, np.where(mask, 1, x), equal_nan=True)


def test_zero_dimensions_stay():
    x = np.array(0.5)
    for kernel in (elementwise_activation.sigmoid, gelu.gelu, elementwise_activation.softplus):
        assert kernel(x).shape == ()
    assert blocks.keep(np.array(True), x, np.empty(())).shape == ()
    assert elementwise_activation.sigmoid(np.empty((0, 3))).shape == (0, 3)
