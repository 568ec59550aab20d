"""Attention in blocks of queries against the formula, its backward against differences; CTC against enumeration."""

import itertools

import numpy as np
import pytest

from rushlight.array import attention, ctc


def formula(q, k, v, mask=None, causal=False, scale=None):
    scores = q @ k.swapaxes(-1, -2) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = np.nan_to_num(weights / weights.sum(axis=-1, keepdims=True))
    return weights @ v


@pytest.mark.parametrize("block", [30, 1 << 19])
@pytest.mark.parametrize("kind", ["plain", "causal", "bool", "added", "scaled"])
def test_forward_and_backward(kind, block, monkeypatch):
    monkeypatch.setattr(attention, "BLOCK", block)
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 6, 3)), rng.standard_normal((2, 6, 4))
    mask = {"bool": rng.random((5, 6)) > 0.3, "added": rng.standard_normal((2, 5, 6))}.get(kind)
    options = dict(causal=kind == "causal", scale=0.3 if kind == "scaled" else None)
    out, sums = attention.attention(q, k, v, mask, options["causal"], options["scale"])
    np.testing.assert_allclose(out, formula(q, k, v, mask, **options))
    g = rng.standard_normal(out.shape)
    pulled = attention.attention_backward(g, q, k, v, sums, mask, options["causal"], options["scale"])
    for number, found in enumerate(pulled):
        arrays, step = [q, k, v], 1e-6
        for i in [(0, 0, 0), (1, 4, 2), (0, 3, 1)]:
            moved = []
            for sign in (1, -1):
                shifted = [a.copy() for a in arrays]
                shifted[number][i] += sign * step
                moved.append((formula(*shifted, mask, **options) * g).sum())
            assert found[i] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-7)


def test_a_query_that_may_look_at_nothing_gives_zeros():
    q, k, v = np.ones((1, 2, 3)), np.ones((1, 4, 3)), np.ones((1, 4, 3))
    mask = np.array([[True] * 4, [False] * 4])
    out, sums = attention.attention(q, k, v, mask)
    np.testing.assert_array_equal(out[0, 1], 0)
    pulled = attention.attention_backward(np.ones_like(out), q, k, v, sums, mask, False, None)
    assert all(np.isfinite(each).all() for each in pulled)


def collapsed(path, blank=0):
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


@pytest.mark.parametrize("target", [(1,), (1, 2), (2, 2), ()])
def test_ctc_sums_over_all_alignments(target):
    rng = np.random.default_rng(0)
    steps, classes = 4, 3
    logs = np.log(rng.dirichlet(np.ones(classes), (steps, 1)))
    total = sum(
        np.exp(sum(logs[t, 0, label] for t, label in enumerate(path)))
        for path in itertools.product(range(classes), repeat=steps)
        if collapsed(path) == target
    )
    labels = np.array([[*target, *[0] * (2 - len(target))]])
    loss, alpha = ctc.ctc_loss(logs, labels, (steps,), (len(target),))
    assert loss[0] == pytest.approx(-np.log(total))
    # The gradient is that of the activations before a log-softmax: differences of the composed function.
    back = ctc.ctc_loss_backward(np.ones(1), logs, labels, (steps,), (len(target),), alpha, 0)
    step = 1e-6
    for t, c in ((0, 0), (2, 1), (3, 2)):
        sides = []
        for sign in (1, -1):
            z = logs.copy()
            z[t, 0, c] += sign * step
            z -= np.log(np.exp(z).sum(axis=2, keepdims=True))
            sides.append(ctc.ctc_loss(z, labels, (steps,), (len(target),))[0][0])
        assert back[t, 0, c] == pytest.approx((sides[0] - sides[1]) / (2 * step), abs=1e-6)


def test_ctc_of_too_short_an_input_is_infinite():
    logs = np.log(np.full((2, 1, 3), 1 / 3))
    loss, alpha = ctc.ctc_loss(logs, np.array([[1, 1]]), (2,), (2,))
    assert np.isinf(loss[0])
    back = ctc.ctc_loss_backward(np.ones(1), logs, np.array([[1, 1]]), (2,), (2,), alpha, 0, True)
    np.testing.assert_array_equal(back, 0)
