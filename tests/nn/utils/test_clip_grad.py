"""Clipping gradients, and parameters as a vector."""

import math

import pytest

import rushlight as torch
from rushlight.nn import Parameter
from rushlight.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)


def parameters():
    made = [Parameter(torch.zeros(2)), Parameter(torch.zeros(1)), Parameter(torch.zeros(3))]
    made[0].grad, made[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([-4.0])
    return made


def gradients(made):
    return [each.grad.tolist() for each in made if each.grad is not None]


def test_the_norm_is_that_of_all_together():
    made = parameters()
    assert clip_grad_norm_(made, 1.0).item() == 5.0
    assert gradients(made) == [pytest.approx([0.6, 0.0], rel=1e-5), pytest.approx([-0.8], rel=1e-5)]


def test_short_gradients_stay():
    made = parameters()
    clip_grad_norm_(made, 6.0)
    assert gradients(made) == [[3, 0], [-4]]


@pytest.mark.parametrize(("kind", "expected"), [(1, 7.0), (math.inf, 4.0), (2, 5.0)])
def test_norms_of_other_kinds(kind, expected):
    assert get_total_norm([each.grad for each in parameters()[:2]], kind).item() == expected


def test_elements_are_brought_into_the_interval():
    made = parameters()
    clip_grad_value_(made, 3.5)
    assert gradients(made) == [[3, 0], [-3.5]]


def test_a_norm_may_be_given():
    made = parameters()
    clip_grads_with_norm_(made, 1.0, torch.tensor(2.0))
    assert gradients(made) == [pytest.approx([1.5, 0.0], rel=1e-5), pytest.approx([-2.0], rel=1e-5)]


def test_a_norm_that_is_not_finite_is_refused_if_asked():
    made = parameters()
    made[0].grad[0] = math.nan
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        clip_grad_norm_(made, 1.0, error_if_nonfinite=True)
    assert made[1].grad.tolist() == [-4]


def test_an_empty_generator_is_warned_of():
    with pytest.warns(UserWarning, match="is an empty generator"):
        assert clip_grad_norm_((p for p in ()), 1.0).item() == 0


def test_parameters_to_a_vector_and_back():
    made = [Parameter(torch.tensor([[1.0, 2.0]])), Parameter(torch.tensor(3.0))]
    vector = parameters_to_vector(made)
    assert vector.tolist() == [1, 2, 3] and vector.requires_grad
    vector_to_parameters(2 * vector, made)
    assert made[0].tolist() == [[2, 4]] and made[1].item() == 6 and made[0].is_leaf
