"""Random numbers written in place within transforms: what is written does not depend on what was there; draws lie as the tensor does."""

import pytest

import rushlight as torch
from rushlight.func import grad, jvp, vmap

X = torch.ones(3, 2)


@pytest.mark.parametrize("randomness", ["same", "different"])
@pytest.mark.parametrize("name", ["normal_", "uniform_", "exponential_", "bernoulli_"])
def test_the_gradient_does_not_pass_what_is_overwritten(name, randomness):
    seen = []

    def filled(x):
        drawn = getattr(x.clone(), name)()
        seen.append(drawn.detach())
        return (drawn * x).sum()

    found = vmap(lambda x: (grad(filled)(x), seen[-1]), randomness=randomness)(X)
    assert torch.equal(*found)


def test_a_leaf_of_the_transform_is_not_overwritten():
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        vmap(grad(lambda x: x.normal_().sum()), randomness="different")(X)


def test_numbers_like_a_transposed_tensor_lie_as_it_does():
    torch.manual_seed(0)
    plain = torch.rand_like(X.t())
    torch.manual_seed(0)
    drawn, _ = jvp(lambda x: torch.rand_like(x.t()) * x.t(), (X,), (X,))
    assert torch.equal(drawn, plain)
    torch.manual_seed(0)
    found = vmap(grad(lambda x: (torch.rand_like(x.t()) * x.t()).sum()), randomness="different")(X[None])
    assert torch.equal(found[0].t(), plain)
