"""The adaptive softmax: probabilities of all classes add up to one, and the loss is that of the target."""

import pytest

import rushlight as torch
from rushlight import nn


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0).double()


def test_probabilities_add_up_to_one(model):
    logs = model.log_prob(torch.randn(5, 8, dtype=torch.float64))
    assert logs.shape == (5, 20)
    assert torch.allclose(logs.exp().sum(1), torch.ones(5, dtype=torch.float64))


def test_the_result_is_the_log_probability_of_the_target(model):
    x, target = torch.randn(4, 8, dtype=torch.float64), torch.tensor([0, 5, 19, 9])
    output, loss = model(x, target)
    assert torch.allclose(output, model.log_prob(x).gather(1, target[:, None])[:, 0])
    assert torch.allclose(loss, -output.mean())
    assert torch.allclose(model(x[1], target[1]).output, output[1])


def test_the_prediction_is_the_most_probable_class(model):
    x = torch.randn(50, 8, dtype=torch.float64) * 5
    assert torch.equal(model.predict(x), model.log_prob(x).argmax(1))


def test_targets_and_cutoffs_are_checked(model):
    with pytest.raises(RuntimeError, match=r"Target values should be in \[0, 19\], but values in range \[1, 20\]"):
        model(torch.ones(2, 8, dtype=torch.float64), torch.tensor([1, 20]))
    with pytest.raises(ValueError, match="cutoffs should be a sequence of unique, positive integers sorted"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 4])
