"""Loss kernels against their formulas, and adjoints against each other."""

import numpy as np
import pytest

from rushlight.array import loss


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_reductions_and_their_shapes(rng):
    x, t = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    square = (x - t) ** 2
    np.testing.assert_allclose(loss.mse_loss(x, t, "none"), square)
    for reduction, expected in (("mean", square.mean()), ("sum", square.sum())):
        result = loss.mse_loss(x, t, reduction)
        assert isinstance(result, np.ndarray)
        assert result.shape == ()
        assert result == pytest.approx(expected)


def test_a_long_sum_of_squares_keeps_its_digits():
    x = np.full(1_000_003, 0.1, np.float32)
    expected = float((x.astype(np.float64) ** 2).sum())
    assert loss.mse_loss(x, np.zeros_like(x), "sum") == pytest.approx(expected, rel=2e-6)


def test_the_mean_of_nothing_is_nan():
    assert np.isnan(loss.mse_loss(np.ones(0), np.ones(0), "mean"))
    assert loss.mse_loss(np.ones(0), np.ones(0), "sum") == 0


def test_smooth_l1_and_huber_meet_their_pieces(rng):
    d = np.array([0.0, 0.2, -0.2, 3.0, -3.0])
    np.testing.assert_allclose(loss.smooth_l1_loss(d, 0 * d, "none", 0.5), [0, 0.04, 0.04, 2.75, 2.75])
    np.testing.assert_allclose(loss.huber_loss(d, 0 * d, "none", 0.5), [0, 0.02, 0.02, 1.375, 1.375])
    with pytest.raises(RuntimeError, match="huber_loss does not support non-positive values for delta."):
        loss.huber_loss(d, d, "mean", 0)


def test_binary_cross_entropy_holds_its_logarithms(rng):
    result = loss.binary_cross_entropy(np.array([0.0, 1.0, 0.25]), np.array([1.0, 0.0, 1.0]), None, "none")
    np.testing.assert_allclose(result, [100, 100, np.log(4)])
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        loss.binary_cross_entropy(np.array([1.5]), np.array([1.0]))


def test_logits_neither_overflow_nor_lose_digits(rng):
    x = np.array([-1000.0, 1000.0, 0.3])
    t = np.array([1.0, 0.0, 0.5])
    result = loss.binary_cross_entropy_with_logits(x, t, None, None, "none")
    np.testing.assert_allclose(result[:2], [1000, 1000])
    chance = 1 / (1 + np.exp(-0.3))
    assert result[2] == pytest.approx(-(0.5 * np.log(chance) + 0.5 * np.log(1 - chance)))
    heavy = loss.binary_cross_entropy_with_logits(x[2:], t[2:], None, np.array([3.0]), "none")
    assert heavy[0] == pytest.approx(-(1.5 * np.log(chance) + 0.5 * np.log(1 - chance)))


@pytest.mark.parametrize("shape", [(4, 5), (5,), (4, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [-100, 2])
def test_negative_log_likelihood_picks_and_its_adjoint_puts_back(rng, shape, weighted, ignore):
    x = rng.standard_normal(shape)
    t = rng.integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ())
    w = rng.random(5) if weighted else np.ones(5)
    axis = 0 if len(shape) == 1 else 1
    share = np.where(t == ignore, 0, w[t])
    picked = -np.take_along_axis(x, np.expand_dims(t, axis), axis).reshape(t.shape) * share
    given = w if weighted else None
    for reduction in ("none", "sum", "mean"):
        result, total = loss.nll_loss(x, t, given, reduction, ignore)
        with np.errstate(invalid="ignore"):
            expected = {"none": picked, "sum": picked.sum(), "mean": picked.sum() / share.sum()}[reduction]
        np.testing.assert_allclose(result, expected)
        if reduction == "mean" and share.sum() == 0:
            continue
        g = rng.standard_normal(result.shape)
        back = loss.nll_loss_backward(g, t, given, reduction, ignore, total, x.shape)
        assert np.vdot(back, x) == pytest.approx(np.vdot(g, result))


def test_a_target_that_is_no_class_is_named():
    with pytest.raises(IndexError) as error:
        loss.nll_loss(np.ones((2, 3)), np.array([0, 3]))
    assert str(error.value) == "Target 3 is out of bounds."


def slopes(function, x, step=1e-6):
    result = np.empty_like(x)
    for i in np.ndindex(x.shape):
        low, high = x.copy(), x.copy()
        low[i] -= step
        high[i] += step
        result[i] = (function(high) - function(low)) / (2 * step)
    return result


@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin_and_its_slopes(rng, p):
    x, t, w = rng.standard_normal((3, 4)), np.array([0, 3, 1]), rng.random(4)
    expected = [
        sum(w[k] * max(0, 0.5 - row[k] + row[i]) ** p for i in range(4) if i != k) / 4
        for row, k in zip(x, t, strict=True)
    ]
    np.testing.assert_allclose(loss.multi_margin_loss(x, t, p, 0.5, w, "none"), expected)
    numeric = slopes(lambda x: loss.multi_margin_loss(x, t, p, 0.5, w, "sum"), x)
    np.testing.assert_allclose(loss.multi_margin_slopes(x, t, p, 0.5, w), numeric, atol=1e-6)


def test_multilabel_margin_and_its_slopes(rng):
    x = rng.standard_normal((3, 4))
    t = np.array([[0, 2, -1, 3], [1, -1, 0, 0], [-1, 0, 0, 0]])
    expected = []
    for row, line in zip(x, t, strict=True):
        targets = list(line[: list(line).index(-1)])
        expected.append(sum(max(0, 1 - row[j] + row[i]) for j in targets for i in range(4) if i not in targets) / 4)
    np.testing.assert_allclose(loss.multilabel_margin_loss(x, t, "none"), expected)
    numeric = slopes(lambda x: loss.multilabel_margin_loss(x, t, "sum"), x)
    np.testing.assert_allclose(loss.multilabel_margin_slopes(x, t), numeric, atol=1e-6)


@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, np.inf])
@pytest.mark.parametrize("rows", [4, 30])
def test_distances_of_all_pairs(rng, p, rows, monkeypatch):
    monkeypatch.setattr(loss, "PAIR_BLOCK", 200)
    a, b = rng.standard_normal((2, rows, 3)), rng.standard_normal((5, 3))
    difference = np.abs(a[:, :, None] - b[None, None])
    if p == 0:
        expected = (difference != 0).sum(axis=-1)
    elif p == np.inf:
        expected = difference.max(axis=-1)
    else:
        expected = (difference**p).sum(axis=-1) ** (1 / p)
    np.testing.assert_allclose(loss.cdist(a, b, p), expected)
