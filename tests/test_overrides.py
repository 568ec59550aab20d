"""Modes and classes that answer for functions."""

import pickle

import rushlight as torch


class Noting(torch.overrides.TorchFunctionMode):
    def __init__(self):
        self.names = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_mode_sees_functions_that_make_tensors_and_questions_about_them():
    with Noting() as mode:
        x = torch.zeros(2) + torch.tensor([1.0, 2.0])
        torch.rand(2), torch.arange(3), torch.ones_like(x), x.new_zeros(1)
        assert torch.is_floating_point(x) and torch.equal(x, x)
    made = ["zeros", "tensor", "add", "rand", "arange", "ones_like", "new_zeros"]
    assert mode.names == [*made, "is_floating_point", "equal"]


def test_a_mode_may_change_what_is_made():
    class Double(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = dict(kwargs or {})
            if func is torch.zeros:
                kwargs.setdefault("dtype", torch.float64)
            return func(*args, **kwargs)

    with Double():
        assert torch.zeros(2).dtype is torch.float64 and torch.ones(2).dtype is torch.float32
    assert torch.zeros(2).dtype is torch.float32


def test_functions_that_ask_can_be_pickled():
    assert pickle.loads(pickle.dumps(torch.zeros)) is torch.zeros
