"""Modes and classes that answer for functions."""

import copy
import inspect
import pickle

import numpy as np
import pytest

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


class Telling(torch.Tensor):
    asked = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.asked.append(func)
        return super().__torch_function__(func, types, args, kwargs)


def test_a_class_that_answers_is_asked_for_attributes_and_methods_too():
    x = torch.ones(2, 3, requires_grad=True).as_subclass(Telling)
    Telling.asked.clear()
    assert x.shape == (2, 3) and x.size(0) == 2 and x.requires_grad and x.grad is None
    assert Telling.asked == [
        torch.Tensor.shape.__get__,
        torch.Tensor.size,
        torch.Tensor.requires_grad.__get__,
        torch.Tensor.grad.__get__,
    ]
    Telling.asked.clear()
    y = x.detach()
    y.requires_grad = True
    (y * 2).sum().backward()
    assert [f.__name__ for f in Telling.asked] == ["detach", "__set__", "mul", "sum", "backward"]
    assert torch.Tensor.size is Telling.size and torch.ones(1).size() == (1,)
    with pytest.raises(TypeError, match=r"^Tensor\.backward\(\) got an unexpected keyword"):
        torch.ones(1).backward(foo=1)


def test_a_class_without_an_answer_has_the_members_of_tensor():
    class Plain(torch.Tensor):
        pass

    class Own(Telling):
        def size(self):
            return "mine"

    assert Plain.size is torch.Tensor.size and Plain.shape is torch.Tensor.shape
    assert torch.ones(1).as_subclass(Own).size() == "mine"


def test_the_functions_that_ask_are_listed_with_their_names():
    functions = torch.overrides.get_overridable_functions()
    assert torch.add in functions[torch] and torch.nn.functional.relu in functions[torch.nn.functional]
    assert torch.linalg.inv in functions[torch.linalg] and torch.Tensor.size in functions[torch.Tensor]
    assert functions[torch.Tensor.shape] == [torch.Tensor.shape.__get__]
    ignored = torch.overrides.get_ignored_functions()
    assert torch.zeros in ignored and torch.zeros not in functions[torch]
    resolve = torch.overrides.resolve_name
    assert resolve(torch.add) == "torch.add" and resolve(torch.Tensor.size) == "torch.Tensor.size"
    assert resolve(torch.linalg.inv) == "torch.linalg.inv" and resolve(len) is None
    assert resolve(torch.Tensor.shape.__get__) == "torch.Tensor.shape.__get__"
    assert torch.overrides.is_tensor_method_or_property(torch.Tensor.size)
    assert not torch.overrides.is_tensor_method_or_property(torch.zeros)
    stand_ins = torch.overrides.get_testing_overrides()
    assert stand_ins[torch.add](None, None) == -1
    assert list(inspect.signature(stand_ins[torch.softmax]).parameters)[:2] == ["input", "dim"]


def test_making_an_instance_asks_nobody():
    class Marked(torch.Tensor):
        def __new__(cls, data):
            made = torch.Tensor._make_subclass(cls, data, require_grad=True)
            made.mark = 1
            return made

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            assert args[0].mark == 1
            return super().__torch_function__(func, types, args, kwargs)

    assert Marked(torch.ones(2)).requires_grad


def test_a_mode_redispatches_a_function_and_is_asked_for_what_it_calls():
    called = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args, kwargs=None):
            called.append(func.__name__)
            with self:
                return torch.overrides.redispatch_function(func, types, args, kwargs)

    def scaled(a, b):
        if torch.overrides.has_torch_function((a, b)):
            return torch.overrides.handle_torch_function(scaled, (a, b), a, b)
        return a * b + 1

    with Mode():
        scaled(torch.ones(2), torch.ones(2))
    assert called == ["ones", "ones", "scaled", "mul", "add"]


class Recorder:
    """No tensor: answers for every function with what it was shown."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return func, args, kwargs


def test_those_who_answer_are_shown_the_object_that_was_called():
    d, t = Recorder(), torch.ones(2)
    F = torch.nn.functional
    assert torch.add is not torch.Tensor.add and torch.absolute is not torch.abs and F.relu is not torch.relu
    for function in (torch.abs, torch.absolute, torch.special.erf, torch.linalg.inv, torch.fft.fft, F.gelu, torch.div):
        assert function(d)[0] is function if function is not torch.div else function(d, 2)[0] is torch.div
    shown = [(t + d)[0], (t / d)[0], (t - d)[0], (t & d)[0], (t < d)[0], t.divide(d)[0], t.add_(d)[0], t[d][0]]
    T = torch.Tensor
    assert shown == [T.add, T.div, T.sub, T.__and__, T.lt, T.divide, T.add_, T.__getitem__]


def test_calls_of_functions_that_pytorch_has_in_python_are_spelt_out():
    d, F = Recorder(), torch.nn.functional
    assert F.relu(d) == (F.relu, (d,), {"inplace": False})
    assert F.relu(d, inplace=True)[2] == {"inplace": True}
    assert F.softmax(d, 1)[1:] == ((d,), {"dim": 1, "_stacklevel": 3, "dtype": None})
    assert torch.split(d, 2)[1:] == ((d, 2), {"dim": 0})
    assert torch.abs(d)[2] is None and torch.sum(d, dim=0)[2] == {"dim": 0}
    assert torch.autograd.grad(d, d)[1] == ((d,), (d,))
    assert torch.nn.init.constant_(d, 2.0)[1:] == ((), {"tensor": d, "val": 2.0})


def test_attributes_ask_also_where_they_are_called_through_the_class_or_by_a_subclass():
    class Sized(Telling):
        def size(self):
            return "mine", super().size()

    x = torch.ones(2).as_subclass(Sized)
    Telling.asked.clear()
    assert x.size() == ("mine", (2,)) and torch.Tensor.dim(x) == 1
    assert Telling.asked == [torch.Tensor.size, torch.Tensor.dim]
    with Noting() as mode:
        y = torch.ones(2)
        y.shape, y.size(), len(y)
    assert mode.names == ["ones", "__get__", "size", "__len__"]


def test_nobody_answers():
    class Silent(Recorder):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    d = Silent()
    with pytest.raises(TypeError, match="Multiple dispatch failed for 'torch.add'"):
        torch.add(d, d)
    with pytest.raises(TypeError, match="no implementation found for 'torch.nn.functional.relu' on types"):
        torch.nn.functional.relu(d)
    with pytest.raises(TypeError, match="unsupported operand"):
        torch.ones(2) + d


def test_an_instance_of_a_subclass_is_an_alias_of_what_it_was_made_from():
    a = torch.ones(2, requires_grad=True)
    for s in (a.as_subclass(Telling), Telling(a), torch.Tensor(a)):
        assert s._base is a and type(s.grad_fn).__name__ == "AliasBackward0"
        (grad,) = torch.autograd.grad((s * 3).sum(), a)
        assert grad.tolist() == [3.0, 3.0]
    with torch.no_grad():
        assert a.as_subclass(Telling).is_leaf


def test_a_plain_subclass_comes_back_from_attributes_too():
    class Plain(torch.Tensor):
        pass

    x = torch.ones(2).as_subclass(Plain)
    assert all(type(each) is Plain for each in (x.data, x.detach(), x[:1], x.float(), torch.ones(2).copy_(x)))
    assert type(torch.nn.Parameter(x)) is Plain


def test_a_plain_method_answers_and_is_warned_of():
    class Method:
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return self

    d = Method()
    with pytest.warns(DeprecationWarning, match="as a plain method is deprecated"):
        assert torch.nn.functional.relu(d) is d

    class ByClass(torch.overrides.TorchFunctionMode):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func(*args)

    with pytest.raises(RuntimeError, match="as a classmethod is not supported"), ByClass():
        torch.ones(1)


def test_asking_can_be_switched_on_again():
    x = torch.ones(1).as_subclass(Telling)
    with torch._C.DisableTorchFunctionSubclass():
        assert type(x + 1) is torch.Tensor
        with torch.overrides._enable_torch_function():
            assert type(x + 1) is Telling
        inner = torch._C._EnableTorchFunction()
        assert type(x + 1) is Telling
        del inner
        assert type(x + 1) is torch.Tensor
    with Noting() as mode:
        assert (
            torch.overrides._get_current_function_mode_stack() == [mode] and torch._C._len_torch_function_stack() == 1
        )
        with torch._C.DisableTorchFunction():
            assert torch._C._is_torch_function_all_disabled()


def test_numpy_functions_keep_a_subclass():
    x = torch.ones(2).as_subclass(Telling)
    assert type(np.sin(x)) is Telling and type(np.add(torch.ones(2), 1)) is torch.Tensor


def test_a_deep_copy_is_what_new_empty_made_of_the_class():
    class Noted(torch.Tensor):
        def __new__(cls, data, notes=None):
            made = torch.Tensor._make_subclass(cls, data)
            made.notes = [] if notes is None else notes
            return made

        def new_empty(self, *size, **options):
            return type(self)(torch.empty(*size, **options), ["made"])

    x = Noted(torch.ones(2), ["first"])
    y = copy.deepcopy(x)
    assert type(y) is Noted and y.tolist() == [1.0, 1.0] and y.notes == ["first"] and y.notes is not x.notes
