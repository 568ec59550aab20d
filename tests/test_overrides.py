"""Modes and classes that answer for functions."""

import inspect
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
