"""Distributions under ``vmap``: their arguments are checked for all samples at once, their draws are one for each sample."""

import pytest

import rushlight as torch
from rushlight.distributions import Categorical, Normal
from rushlight.func import grad, vmap

ROWS = torch.tensor([[0.5, 1.0], [2.0, 0.25]])


def test_arguments_are_checked_for_all_samples():
    found = vmap(lambda scale: Normal(0.0, scale).log_prob(scale))(ROWS)
    assert torch.allclose(found, Normal(0.0, ROWS).log_prob(ROWS))
    with pytest.raises(ValueError, match=r"found invalid values:\nBatchedTensor\(lvl=1, bdim=0"):
        vmap(lambda scale: Normal(0.0, scale))(ROWS - 0.5)


def test_gradients_of_log_probabilities_by_sample():
    found = vmap(grad(lambda logits: Categorical(logits=logits).log_prob(torch.tensor(0))))(ROWS)
    assert torch.allclose(found, torch.tensor([1.0, 0.0]) - ROWS.softmax(-1))


def test_all_and_any_look_through_batches():
    assert vmap(lambda x: x if torch._is_any_true(x > 1.5) else -x)(ROWS).tolist() == ROWS.tolist()
    assert vmap(lambda x: x if torch._is_all_true(x > 0.3) else -x)(ROWS).tolist() == (-ROWS).tolist()


def test_relaxed_categories_are_drawn_by_sample():
    torch.manual_seed(0)
    together = torch.nn.functional.gumbel_softmax(ROWS)
    torch.manual_seed(0)
    assert torch.equal(vmap(torch.nn.functional.gumbel_softmax, randomness="different")(ROWS), together)


def test_captured_parameters_are_drawn_for_by_sample():
    shape = torch.full((2,), 1.5)

    def draw(x):
        return torch._standard_gamma(shape) + x

    torch.manual_seed(0)
    found = vmap(draw, randomness="different")(torch.zeros(3, 1))
    torch.manual_seed(0)
    assert torch.equal(found, torch._standard_gamma(shape.expand(3, 2)))
    same = vmap(draw, randomness="same")(torch.zeros(3, 1))
    assert torch.equal(same[0], same[2])
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(draw)(torch.zeros(3, 1))


def test_draws_have_gradients_by_sample():
    def weighed(shape):
        torch.manual_seed(0)
        return vmap(grad(lambda a: torch._standard_gamma(a).sum()), randomness="different")(shape)

    shapes = torch.tensor([[1.5, 2.0], [3.0, 0.5]], requires_grad=True)
    torch.manual_seed(0)
    (wanted,) = torch.autograd.grad(torch._standard_gamma(shapes).sum(), shapes)
    assert torch.allclose(weighed(shapes.detach()), wanted)
