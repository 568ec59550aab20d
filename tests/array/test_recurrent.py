"""Recurrent kernels: padded and packed sequences, both directions, against a step at a time and against differences."""

import numpy as np
import pytest

from rushlight.array import recurrent

SIZES = [(2, 2, 2), (3, 2, 1)]  # running sequences at each step: a padded batch, a packed one


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def parameters(gates, inputs=3, hidden=4, seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((gates * hidden, inputs), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,))
    return [rng.standard_normal(shape) * 0.5 for shape in shapes]


def lstm_step(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, w_ih, w_hh, b_ih, b_hh):
    ri, zi, ni = np.split(x @ w_ih.T + b_ih, 3, axis=1)
    ro, zo, no = np.split(h @ w_hh.T + b_hh, 3, axis=1)
    z, n = sigmoid(zi + zo), np.tanh(ni + sigmoid(ri + ro) * no)
    return (n + z * (h - n),)


def one_by_one(step, data, states, sizes, reverse):
    """Each sequence on its own, a step at a time: outputs in packed order and final states."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    outputs, finals = [None] * len(data), [[] for _ in states]
    for k in range(len(states[0])):
        times = [t for t, size in enumerate(sizes) if k < size]
        current = [s[k : k + 1] for s in states]
        for t in reversed(times) if reverse else times:
            row = starts[t] + k
            current = list(step(data[row : row + 1], *current))
            outputs[row] = current[0][0]
        for kept, each in zip(finals, current, strict=True):
            kept.append(each[0])
    return np.array(outputs), [np.array(each) for each in finals]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
def test_layers_follow_their_equations(sizes, reverse):
    rng = np.random.default_rng(1)
    data, h, c = (
        rng.standard_normal((sum(sizes), 3)),
        rng.standard_normal((sizes[0], 4)),
        rng.standard_normal((sizes[0], 4)),
    )
    p = parameters(4)
    out, hn, cn, _, _ = recurrent.lstm_layer(data, h, c, *p, None, sizes, reverse)
    expected, (eh, ec) = one_by_one(lambda x, h, c: lstm_step(x, h, c, *p), data, (h, c), sizes, reverse)
    for found, wanted in ((out, expected), (hn, eh), (cn, ec)):
        np.testing.assert_allclose(found, wanted)
    p = parameters(3)
    out, hn, _, _, _ = recurrent.gru_layer(data, h, *p, sizes, reverse)
    expected, (eh,) = one_by_one(lambda x, h: gru_step(x, h, *p), data, (h,), sizes, reverse)
    for found, wanted in ((out, expected), (hn, eh)):
        np.testing.assert_allclose(found, wanted)


def differences(function, arrays, cotangents, number, step=1e-6):
    x = arrays[number]
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        sides = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[number][i] += sign * step
            sides.append(sum((r * g).sum() for r, g in zip(function(*moved), cotangents, strict=True)))
        slope[i] = (sides[0] - sides[1]) / (2 * step)
    return slope


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("projected", [False, True])
def test_lstm_backward(sizes, reverse, projected):
    rng = np.random.default_rng(1)
    width = 2 if projected else 4
    data, h, c = (
        rng.standard_normal((sum(sizes), 3)),
        rng.standard_normal((sizes[0], width)),
        rng.standard_normal((sizes[0], 4)),
    )
    w_ih, w_hh, b_ih, b_hh = parameters(4)
    w_hh = w_hh[:, :width].copy()
    arrays = [data, h, c, w_ih, w_hh, b_ih, b_hh]
    if projected:
        arrays.append(rng.standard_normal((2, 4)))

    def run(*a):
        return recurrent.lstm_layer(*a[:7], a[7] if projected else None, sizes, reverse)

    out, hn, cn, gates, cells = run(*arrays)
    cotangents = [rng.standard_normal(each.shape) for each in (out, hn, cn)]
    gx, gwi, gwh, gbi, gbh, gh, gc, gr = recurrent.lstm_layer_backward(
        *cotangents, data, h, c, w_ih, w_hh, True, arrays[7] if projected else None, out, gates, cells, sizes, reverse
    )
    found = [gx, gh, gc, gwi, gwh, gbi, gbh] + ([gr] if projected else [])
    for number, slope in enumerate(found):
        np.testing.assert_allclose(slope, differences(lambda *a: run(*a)[:3], arrays, cotangents, number), atol=1e-7)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["gru", "tanh", "relu"])
def test_gru_and_simple_backward(sizes, reverse, kind):
    rng = np.random.default_rng(1)
    data, h = rng.standard_normal((sum(sizes), 3)), rng.standard_normal((sizes[0], 4))
    arrays = [data, h, *parameters(3 if kind == "gru" else 1)]

    def run(*a):
        if kind == "gru":
            return recurrent.gru_layer(*a, sizes, reverse)
        return recurrent.rnn_layer(*a, sizes, reverse, kind)

    results = run(*arrays)
    cotangents = [rng.standard_normal(each.shape) for each in results[:2]]
    given = (*cotangents, data, h, arrays[2], arrays[3], True, results[0])
    if kind == "gru":
        pulled = recurrent.gru_layer_backward(*given, *results[3:], sizes, reverse)
    else:
        pulled = recurrent.rnn_layer_backward(*given, sizes, reverse, kind)
    gx, gwi, gwh, gbi, gbh, gh = pulled
    for number, slope in enumerate((gx, gh, gwi, gwh, gbi, gbh)):
        np.testing.assert_allclose(slope, differences(lambda *a: run(*a)[:2], arrays, cotangents, number), atol=1e-7)
