"""Signatures with the scale before the tensors, which PyTorch still takes."""

import warnings

import pytest

import rushlight as torch
from rushlight.ops import older

ONES, SQUARE = torch.ones(2), torch.ones(2, 2)


@pytest.fixture(autouse=True)
def told(monkeypatch):
    monkeypatch.setattr(older, "_told", True)


@pytest.mark.parametrize(
    "call, value",
    [
        (lambda: ONES.clone().add_(2, ONES), 3.0),
        (lambda: torch.add(ONES, 2, ONES), 3.0),
        (lambda: ONES.sub(2, ONES), -1.0),
        (lambda: ONES.clone().addcmul_(2, ONES, ONES), 3.0),
        (lambda: torch.addcdiv(ONES, 2, ONES, ONES), 3.0),
        (lambda: torch.addmm(2, SQUARE, SQUARE, SQUARE), 4.0),
        (lambda: SQUARE.addmm(2, 3, SQUARE, SQUARE), 8.0),
        (lambda: torch.addmv(ONES, SQUARE, ONES, beta=2, alpha=3), 8.0),
        (lambda: torch.addr(2, SQUARE, 3, ONES, ONES), 5.0),
        (lambda: torch.baddbmm(2, SQUARE[None], 3, SQUARE[None], SQUARE[None]), 8.0),
        (lambda: torch.addbmm(2, SQUARE, SQUARE[None], SQUARE[None]), 4.0),
    ],
)
def test_scales_stand_before_the_tensors(call, value):
    assert call().unique().tolist() == [value]


def test_gradients_are_scaled_too():
    x = torch.ones(2, requires_grad=True)
    torch.add(ONES, 5, x).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_a_warning_the_first_time(monkeypatch):
    monkeypatch.setattr(older, "_told", False)
    with pytest.warns(
        UserWarning, match=r"overload of add is deprecated:\n\tadd\(Number alpha, Tensor other\)\n"
    ) as warned:
        ONES.add(2, ONES)
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ONES.add(2, ONES)


def test_what_fits_no_signature_is_refused_as_ever():
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        torch.add(ONES, ONES, 2)


def test_what_is_resized_keeps_its_elements():
    x = torch.arange(4.0)
    with pytest.warns(UserWarning, match="non-inplace resize is deprecated"):
        assert x.resize(2, 2).tolist() == [[0, 1], [2, 3]]
    with pytest.warns(UserWarning, match="non-inplace resize_as is deprecated"):
        assert x.resize_as(torch.ones(4, 1)).shape == (4, 1)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="requested resize to 3 "):
        x.resize(3)
    with pytest.raises(RuntimeError, match=r"reinforce\(\) was removed"):
        x.reinforce(1)


def test_gradients_go_through_resize():
    x = torch.arange(4.0).requires_grad_()
    with pytest.warns(UserWarning):
        y = x.resize(2, 2)
    assert y.grad_fn.name() == "ResizeBackward"
    (y * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert x.grad.tolist() == [1, 2, 3, 4]
