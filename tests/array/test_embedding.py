"""Lookups and their adjoints."""

import numpy as np
import pytest

from rushlight.array import embedding


@pytest.fixture
def table():
    return np.random.default_rng(0).standard_normal((7, 3))


def test_adjoint_adds_repeated_rows(table):
    indices = np.array([[1, 1, 4], [1, 0, 4]])
    rows = embedding.embedding(table, indices)
    g = np.random.default_rng(1).standard_normal(rows.shape)
    back = embedding.embedding_backward(g, indices, 7, -1, False)
    expected = np.zeros_like(table)
    for place, value in zip(indices.reshape(-1), g.reshape(-1, 3), strict=True):
        expected[place] += value
    np.testing.assert_allclose(back, expected)


def test_padding_row_and_frequencies(table):
    indices = np.array([2, 2, 5, 0])
    g = np.ones((4, 3))
    np.testing.assert_array_equal(embedding.embedding_backward(g, indices, 7, 2, False)[2], 0)
    np.testing.assert_array_equal(embedding.embedding_backward(g, indices, 7, -1, True)[[2, 5, 0]], 1)
    np.testing.assert_array_equal(embedding.embedding_backward(g, indices, 7, -1, False)[[2, 5]], [[2] * 3, [1] * 3])


@pytest.mark.parametrize("place", [7, -1])
def test_an_index_outside_the_table(table, place):
    with pytest.raises(IndexError, match="index out of range in self"):
        embedding.embedding(table, np.array([0, place]))


def test_rows_longer_than_the_limit_are_scaled_down(table):
    places, rows = embedding.renormalised_rows(table, np.array([1, 1, 3, 6]), 0.5, 2.0)
    assert set(places) <= {1, 3, 6}
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 0.5, rtol=1e-5)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_bags_with_an_empty_one_and_a_left_out_index(table, mode):
    indices, offsets = np.array([0, 3, 3, 5, 6, 1]), np.array([0, 2, 2, 5])
    out, bag_of, sizes, winners = embedding.embedding_bag(table, indices, offsets, mode=mode, padding_idx=5)
    kept = [[0, 3], [], [3, 6], [1]]
    reduce = (np.sum, np.mean, np.max)[mode]
    for bag, rows in enumerate(kept):
        np.testing.assert_allclose(out[bag], reduce(table[rows], axis=0) if rows else np.zeros(3))
    np.testing.assert_array_equal(bag_of, [0, 0, 2, 2, 2, 3])
    np.testing.assert_array_equal(sizes, [2, 0, 2, 1])
    g = np.random.default_rng(1).standard_normal(out.shape)
    back = embedding.embedding_bag_weight_backward(g, table, indices, bag_of, sizes, winners, mode, None, 5, False)
    assert np.vdot(back, table) == pytest.approx(np.vdot(g, out))


def test_weights_of_samples_have_gradients(table):
    indices, offsets, shares = np.array([0, 3, 3]), np.array([0, 1]), np.array([0.5, 2.0, -1.0])
    out, bag_of, sizes, winners = embedding.embedding_bag(table, indices, offsets, mode=0, per_sample_weights=shares)
    np.testing.assert_allclose(out, [0.5 * table[0], table[3]])
    g = np.random.default_rng(1).standard_normal(out.shape)
    given = (g, table, indices, bag_of, sizes, winners, 0, shares, None, False)
    gw, gs = embedding.embedding_bag_weight_backward(*given), embedding.embedding_bag_samples_backward(*given)
    np.testing.assert_allclose(gs, [g[0] @ table[0], g[1] @ table[3], g[1] @ table[3]])
    np.testing.assert_allclose(gw[3], g[1])


def test_one_hot_rows():
    np.testing.assert_array_equal(embedding.one_hot(np.array([[2], [0]])), [[[0, 0, 1]], [[1, 0, 0]]])
    assert embedding.one_hot(np.array([0]), 4).shape == (1, 4)
    with pytest.raises(RuntimeError, match="Class values must be smaller than num_classes."):
        embedding.one_hot(np.array([4]), 4)
    with pytest.raises(RuntimeError, match="Class values must be non-negative."):
        embedding.one_hot(np.array([-1]))


def test_rare_and_frequent_repetitions_sum_alike():
    rng = np.random.default_rng(0)
    for highest in (3, 400):
        indices = rng.integers(0, highest, 200)
        g = rng.standard_normal((200, 2))
        expected = np.zeros((400, 2))
        np.add.at(expected, indices, g)
        np.testing.assert_allclose(embedding.embedding_backward(g, indices, 400, -1, False), expected)
        counts = np.maximum(np.bincount(indices, minlength=400), 1)
        found = embedding.embedding_backward(g, indices, 400, -1, True)
        np.testing.assert_allclose(found, expected / counts[:, None])
