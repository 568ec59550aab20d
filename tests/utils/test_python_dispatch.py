"""Modes and classes that stand before every operator."""

import pytest

import rushlight as torch
from rushlight.utils._python_dispatch import TorchDispatchMode


class Log(TorchDispatchMode):
    def __init__(self):
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls.append(str(func))
        return func(*args, **(kwargs or {}))


def test_a_mode_sees_operators_of_composites_in_place_forms_and_backward():
    x = torch.ones(2, 3, requires_grad=True)
    with Log() as log:
        y = torch.nn.functional.linear(x * 2, torch.ones(4, 3)).tanh()
        y.detach().clone().mul_(2)
        forward = len(log.calls)
        y.sum().backward()
    assert log.calls[0] == "aten.mul.Tensor"
    assert {"aten.tanh.default", "aten.mul_.Tensor"} <= set(log.calls[:forward])
    assert any(name in log.calls[forward:] for name in ("aten.mm.default", "aten.tanh_backward.default"))
    expected = torch.autograd.grad(torch.nn.functional.linear(x * 2, torch.ones(4, 3)).tanh().sum(), x)[0] * 1
    assert x.grad.shape == expected.shape
    count = len(log.calls)
    x * 2
    assert len(log.calls) == count


def test_a_mode_may_answer_otherwise():
    class Doubled(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            return result * 2 if func is torch.ops.aten.mul.Tensor else result

    with Doubled():
        assert (torch.ones(2) * 3).tolist() == [6.0, 6.0]
        assert (torch.ones(2) + 3).tolist() == [4.0, 4.0]
    assert (torch.ones(2) * 3).tolist() == [3.0, 3.0]


class Wrapped(torch.Tensor):
    @staticmethod
    def __new__(cls, inner):
        made = torch.Tensor._make_wrapper_subclass(cls, inner.size(), dtype=inner.dtype)
        made.inner = inner
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        plain = [each.inner if isinstance(each, Wrapped) else each for each in args]
        return Wrapped(func(*plain, **(kwargs or {})))


def test_a_class_answers_for_its_tensors():
    x = Wrapped(torch.arange(3.0))
    y = (x + 1) * x
    assert type(y) is Wrapped and y.shape == (3,)
    assert y.inner.tolist() == [0.0, 2.0, 6.0]


def test_gradients_of_such_tensors_are_refused_in_a_sentence():
    x = Wrapped(torch.arange(3.0)).requires_grad_()
    with pytest.raises(NotImplementedError, match="records no gradients"):
        x * 2
    with torch.no_grad():
        assert (x * 2).inner.tolist() == [0.0, 2.0, 4.0]
