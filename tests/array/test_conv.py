"""Convolution kernels against their definition, written as loops, and against each other as adjoints."""

import itertools

import numpy as np
import pytest

from rushlight.array import conv


def by_definition(x, w, stride, padding, dilation, groups):
    nd = w.ndim - 2
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    counts = [
        (s - d * (k - 1) - 1) // st + 1 for s, k, st, d in zip(x.shape[2:], w.shape[2:], stride, dilation, strict=True)
    ]
    out = np.zeros((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    og, cg = w.shape[0] // groups, w.shape[1]
    for o in range(w.shape[0]):
        channels = slice(o // og * cg, o // og * cg + cg)
        for place in itertools.product(*map(range, counts)):
            window = tuple(
                slice(i * s, i * s + d * (k - 1) + 1, d)
                for i, s, d, k in zip(place, stride, dilation, w.shape[2:], strict=True)
            )
            seen = x[(slice(None), channels, *window)]
            out[(slice(None), o, *place)] = (seen * w[o]).sum(axis=tuple(range(1, nd + 2)))
    return out


CASES = [
    # samples, channels a group, outputs a group, groups, sizes, kernel, stride, padding, dilation
    (2, 3, 4, 1, (9,), (3,), (1,), (1,), (1,)),
    (2, 2, 3, 2, (11,), (2,), (3,), (2,), (2,)),
    (2, 3, 4, 1, (6, 7), (3, 3), (1, 1), (1, 1), (1, 1)),
    (3, 4, 2, 1, (20, 19), (3, 2), (1, 1), (0, 2), (1, 2)),
    (2, 2, 2, 3, (7, 8), (2, 3), (2, 1), (1, 0), (1, 1)),
    (2, 1, 1, 4, (7, 8), (3, 3), (2, 1), (1, 1), (1, 2)),
    (2, 1, 2, 3, (6, 6), (2, 2), (1, 1), (1, 1), (1, 1)),
    (1, 5, 3, 1, (4, 5), (1, 1), (1, 1), (0, 0), (1, 1)),
    (2, 2, 3, 1, (5, 6, 4), (2, 3, 2), (1, 2, 1), (1, 1, 0), (1, 1, 2)),
    (2, 3, 2, 1, (5, 4, 6), (3, 2, 2), (1, 1, 1), (0, 0, 0), (1, 1, 1)),
]


def arrays(case, dtype=np.float64):
    n, cg, og, groups, size, kernel, *_ = case
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, cg * groups, *size)), rng.standard_normal((og * groups, cg, *kernel))
    if np.dtype(dtype).kind == "c":
        x, w = x + 1j * rng.standard_normal(x.shape), w + 1j * rng.standard_normal(w.shape)
    return x.astype(dtype), w.astype(dtype)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block", [conv.BLOCK_BYTES, 500])
def test_is_the_sum_over_the_window(case, block, monkeypatch):
    monkeypatch.setattr(conv, "BLOCK_BYTES", block)
    *_, groups, _, _, stride, padding, dilation = case[:9]
    x, w = arrays(case)
    result = conv.convolution(x, w, None, stride, padding, dilation, False, (0,) * len(stride), case[3])
    np.testing.assert_allclose(result, by_definition(x, w, stride, padding, dilation, case[3]), atol=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block", [conv.BLOCK_BYTES, 500])
def test_transposed_is_the_adjoint_in_the_input(case, block, monkeypatch):
    monkeypatch.setattr(conv, "BLOCK_BYTES", block)
    groups, (stride, padding, dilation) = case[3], case[6:]
    x, w = arrays(case)
    y = conv.convolution(x, w, None, stride, padding, dilation, False, (0,) * len(stride), groups)
    g = np.random.default_rng(1).standard_normal(y.shape)
    extra = conv.output_padding_for(x.shape[2:], y.shape[2:], w.shape[2:], stride, padding, dilation)
    back = conv.convolution(g, w, None, stride, padding, dilation, True, extra, groups)
    assert back.shape == x.shape
    assert np.vdot(back, x) == pytest.approx(np.vdot(g, y))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block", [conv.BLOCK_BYTES, 500])
def test_weight_gradient_is_the_adjoint_in_the_weight(case, block, monkeypatch):
    monkeypatch.setattr(conv, "BLOCK_BYTES", block)
    groups, (stride, padding, dilation) = case[3], case[6:]
    x, w = arrays(case)
    y = conv.convolution(x, w, None, stride, padding, dilation, False, (0,) * len(stride), groups)
    g = np.random.default_rng(1).standard_normal(y.shape)
    back = conv.convolution_weight(x, g, w.shape, stride, padding, dilation, False, groups)
    assert back.shape == w.shape
    assert np.vdot(back, w) == pytest.approx(np.vdot(g, y))


@pytest.mark.parametrize("dtype", [np.int64, np.complex128, np.float32])
def test_other_dtypes(dtype):
    x, w = arrays(CASES[2], np.float64)
    x, w = (3 * x).astype(dtype), (3 * w).astype(dtype)
    result = conv.convolution(x, w, None, 1, 1, 1, False, 0, 1)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, by_definition(x, w, (1, 1), (1, 1), (1, 1), 1), rtol=1e-5, atol=1e-4)


def test_half_precision_accumulates_in_float32():
    x = np.ones((1, 4096, 1, 1), np.float16)
    w = np.ones((1, 4096, 1, 1), np.float16)
    result = conv.convolution(x, w, None, 1, 0, 1, False, 0, 1)
    assert result.dtype == np.float16
    assert result.item() == 4096  # sums in float16 would stop at 2048


def test_bias_is_added_once_on_every_path():
    for case in CASES:
        x, w = arrays(case)
        b = np.arange(w.shape[0], dtype=np.float64)
        options = (*case[6:], False, (0,) * (x.ndim - 2), case[3])
        with_bias, without = conv.convolution(x, w, b, *options), conv.convolution(x, w, None, *options)
        np.testing.assert_allclose(
            with_bias - without,
            np.broadcast_to(b.reshape(-1, *(1,) * (x.ndim - 2)), without.shape[1:])[None].repeat(len(x), 0),
            atol=1e-12,
        )


def test_noncontiguous_and_expanded_inputs():
    x, w = arrays(CASES[2])
    expected = conv.convolution(x, w, None, 1, 1, 1, False, 0, 1)
    strided = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    np.testing.assert_allclose(conv.convolution(strided, w, None, 1, 1, 1, False, 0, 1), expected, atol=1e-12)
    one = np.broadcast_to(x[:1], x.shape)
    np.testing.assert_allclose(conv.convolution(one, w, None, 1, 1, 1, False, 0, 1)[1], expected[0], atol=1e-12)


@pytest.mark.parametrize(("n", "c"), [(0, 3), (2, 0)])
def test_empty_batch_and_no_channels(n, c):
    result = conv.convolution(np.ones((n, c, 4, 4)), np.ones((2, c, 3, 3)), np.ones(2), 1, 0, 1, False, 0, 1)
    assert result.shape == (n, 2, 2, 2)
    assert (result == 1).all()


BAD = [
    (
        (1, 3, 4, 4),
        (2, 2, 3, 3),
        {},
        "Given groups=1, weight of size [2, 2, 3, 3], expected input[1, 3, 4, 4] to have 2 channels, but got 3 channels instead",
    ),
    (
        (1, 3, 4, 4),
        (2, 3, 5, 3),
        {},
        "Calculated padded input size per channel: (4 x 4). Kernel size: (5 x 3). Kernel size can't be greater than actual input size",
    ),
    ((1, 3, 4, 4), (2, 3, 3, 3), {"stride": 0}, "non-positive stride is not supported"),
    ((1, 3, 4, 4), (2, 3, 3, 3), {"padding": -1}, "negative padding is not supported"),
    (
        (1, 3, 4, 4),
        (3, 1, 3, 3),
        {"groups": 2},
        "Given groups=2, expected weight to be divisible by 2 at dimension 0, but got weight of size [[3, 1, 3, 3]] instead",
    ),
    (
        (1, 3, 4, 4),
        (3, 2, 3, 3),
        {"transposed": True, "output_padding": 1},
        "output padding must be smaller than either stride or dilation, but got output_padding_height: 1 output_padding_width: 1 stride_height: 1 stride_width: 1 dilation_height: 1 dilation_width: 1",
    ),
]


@pytest.mark.parametrize(("x", "w", "options", "text"), BAD)
def test_refuses_in_pytorchs_words(x, w, options, text):
    given = dict(stride=1, padding=0, dilation=1, transposed=False, output_padding=0, groups=1) | options
    with pytest.raises(RuntimeError) as error:
        conv.convolution(np.ones(x), np.ones(w), None, **given)
    assert str(error.value) == text


def test_a_refusal_is_not_forgotten_after_a_good_call():
    x, w = np.ones((1, 3, 4, 4)), np.ones((2, 3, 3, 3))
    options = ((1, 1), (0, 0), (1, 1), False, (0, 0), 1)
    for _ in range(2):
        assert conv.convolution(x, w, None, *options).shape == (1, 2, 2, 2)
        with pytest.raises(RuntimeError, match="expected bias to be 1-dimensional with 2 elements"):
            conv.convolution(x, w, np.ones(3), *options)
        with pytest.raises(RuntimeError, match="expected scalar type Double but found Float"):
            conv.convolution(x, w.astype(np.float32), None, *options)
