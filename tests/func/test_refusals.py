"""What ``vmap`` refuses by the ranks of samples, and randomness and memory under it."""

import pytest

import rushlight as torch
from rushlight.func import vjp, vmap


@pytest.mark.parametrize(
    "name, spoken",
    [
        ("det", "linalg.det"),
        ("cholesky", "linalg.cholesky"),
        ("eigh", "linalg.eigh"),
        ("inv", "linalg.inv_ex"),
        ("qr", "linalg.qr"),
        ("svd", "linalg.svd"),
        ("svdvals", "linalg.svd"),
        ("slogdet", "linalg.slogdet"),
    ],
)
@pytest.mark.parametrize("dim", [0, 1])
def test_a_batch_of_vectors_is_no_matrix(name, spoken, dim):
    with pytest.raises(RuntimeError, match=f"{spoken}: The input tensor A must have at least 2 dimensions"):
        vmap(getattr(torch.linalg, name), in_dims=dim)(torch.ones(3, 3))


@pytest.mark.parametrize(
    "name, a, b, wanted",
    [("mv", (3, 2), (3, 2), "1and b has dim 1"), ("mm", (3, 2, 2), (3, 2), "2and b has dim 1")],
)
def test_products_want_samples_of_their_ranks(name, a, b, wanted):
    with pytest.raises(RuntimeError, match=rf"Got incorrect dims for {name}\(a, b\). a has dim {wanted}"):
        vmap(getattr(torch, name))(torch.ones(a), torch.ones(b))


def test_small_things_are_refused_in_pytorchs_words():
    with pytest.raises(RuntimeError, match="Got wrong shapes for dot"):
        vmap(torch.dot)(torch.ones(3), torch.ones(3))
    with pytest.raises(RuntimeError, match="Dimension is out of range"):
        vmap(lambda x: x.squeeze(1))(torch.ones(3))
    with pytest.raises(RuntimeError, match="must have the same length! Got size"):
        vmap(lambda x: x.as_strided((2,), (1, 1)))(torch.ones(3, 3))
    with pytest.raises(RuntimeError, match="out variants of random operations"):
        vmap(lambda x: torch.randn(3, out=x), randomness="different")(torch.ones(3, 3))


def test_probabilities_that_differ_between_samples():
    p = torch.full((3, 3), 0.5)
    with pytest.raises(RuntimeError, match="does not currently support same randomness with a batched tensor input"):
        vmap(lambda x, p: x.bernoulli_(p), randomness="same")(torch.ones(3, 3), p)
    with pytest.raises(RuntimeError, match="inplace bernoulli"):
        vmap(lambda x, p: x.bernoulli_(p), in_dims=(None, 0), randomness="different")(torch.ones(3), p)


def test_the_same_dropout_of_samples_that_lie_across():
    found = vmap(lambda x: torch.nn.functional.dropout(x, 0.5, True), in_dims=-1, randomness="same")(torch.ones(4, 3))
    assert found.shape == (3, 4) and (found == found[0]).all() and set(found.reshape(-1).tolist()) <= {0.0, 2.0}


def test_strided_memory_is_made_for_each_sample():
    made = vmap(lambda x: x.new_empty_strided((2, 3), (1, 2)).copy_(x.expand(2, 3)))(torch.arange(4.0))
    assert made.stride() == (6, 1, 2) and made[:, 1, 2].tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("dims", [(None, 0), (0, 0), (1, 0)])
def test_a_write_to_a_view_of_what_is_the_same_for_all_samples(dims):
    def chain(leaf):
        base = leaf * 1.0
        base[:2].sin_()
        base[1:].mul_(3.0)
        return base

    leaf = torch.tensor([0.1, 0.2, 0.3])
    cotangents = torch.tensor([[1.0, 1.0, 1.0], [0.0, 2.0, 0.0]])
    given = leaf if dims[0] is None else torch.stack([leaf, leaf], dims[0])
    found = vmap(lambda leaf, g: vjp(chain, leaf)[1](g)[0], in_dims=dims)(given, cotangents)
    expected = cotangents * torch.stack([leaf[0].cos(), 3 * leaf[1].cos(), torch.tensor(3.0)])
    assert torch.allclose(found, expected)


def test_numbers_like_a_batch_that_lies_across_are_drawn_as_it_lies():
    torch.manual_seed(0)
    whole = torch.rand(2, 3)
    torch.manual_seed(0)
    found = vmap(torch.rand_like, in_dims=-1, randomness="different")(torch.ones(2, 3))
    assert torch.equal(found, whole.t())


def test_single_rows_of_a_jacobian_need_no_vmap():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, cotangent):
            return cotangent * 2 if cotangent.sum().item() > 0 else cotangent

    x = torch.ones(2)
    assert torch.func.jacrev(Doubled.apply, chunk_size=1)(x).tolist() == [[2, 0], [0, 2]]
    with pytest.raises(RuntimeError, match="calling .item"):
        torch.func.jacrev(Doubled.apply, chunk_size=2)(x)
    nested = torch.func.jacrev(torch.func.jacrev(lambda x: x**3, chunk_size=1), chunk_size=1)(x)
    assert nested.diagonal().diagonal().tolist() == [6, 6]
