"""Modes and classes that stand before every operator."""

import copy
import gc
import pickle

import pytest

import rushlight as torch
from rushlight.autograd import modes
from rushlight.utils._python_dispatch import TorchDispatchMode
from rushlight.utils._pytree import tree_map


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


class Held(torch.Tensor):
    """A wrapper tensor that lies in memory as what it holds does, and keeps it in a slot."""

    __slots__ = ("inner",)
    calls = []

    @staticmethod
    def __new__(cls, inner, requires_grad=False):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            requires_grad=requires_grad,
        )
        made.inner = inner
        return made

    def __repr__(self):
        return super().__repr__(tensor_contents=f"{self.inner}")

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(str(func))
        plain = tree_map(lambda each: each.inner if isinstance(each, cls) else each, (args, kwargs or {}))
        return tree_map(lambda each: cls(each) if isinstance(each, torch.Tensor) else each, func(*plain[0], **plain[1]))


def held(*shape):
    return Held(torch.arange(float(torch.Size(shape).numel())).reshape(shape), requires_grad=True)


def test_gradients_of_such_tensors_are_such_tensors_and_differentiable():
    x, plain = held(2, 3), torch.ones(3, requires_grad=True)
    y = x * x * plain
    assert type(y) is Held and type(y.grad_fn).__name__ == "MulBackward0"
    first, other = torch.autograd.grad(y.sum(), (x, plain), create_graph=True)
    assert type(first) is Held and type(other) is Held
    assert first.inner.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]
    assert other.inner.tolist() == [9.0, 17.0, 29.0]
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.inner.tolist() == [[2.0] * 3] * 2
    y.sum().backward()
    assert type(x.grad) is Held and x.grad.inner.tolist() == first.inner.tolist()
    assert "aten.add.Tensor" in Held.calls


def test_views_of_such_tensors_lie_in_their_memory_and_can_be_written_to():
    x = held(2, 3)
    assert x.stride() == (3, 1) and x.T.stride() == (1, 3) and x[1].storage_offset() == 3
    y = x.clone()
    part = y[1]
    part.mul_(3)
    assert y._version == part._version == 1 and type(y.grad_fn).__name__ == "CopySlices"
    assert y.inner.tolist() == [[0.0, 1.0, 2.0], [9.0, 12.0, 15.0]]
    y[0] = 7.0
    assert y.inner.tolist()[0] == [7.0] * 3
    (grad,) = torch.autograd.grad(y.sum(), x)
    assert grad.inner.tolist() == [[0.0] * 3, [3.0] * 3]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1)
    assert type(x.data) is Held and not x.data.requires_grad and x.data._version == 0


def test_the_class_is_asked_for_values_and_for_tensors_like_it():
    x = held(2)
    assert x.sum().item() == 1.0 and bool(x[1].detach()) and float(x[1].detach()) == 1.0
    assert type(torch.zeros_like(x)) is Held and x.new_ones(2).inner.tolist() == [1.0, 1.0]
    assert torch.equal(x.detach(), x.detach()) and torch.allclose(x.detach(), x.detach())
    assert repr(x) == "Held(tensor([0., 1.]), requires_grad=True)"
    with pytest.raises(RuntimeError, match="not supported for tensor subclasses, got Held"):
        x.tolist()


def test_what_the_class_computes_is_recorded_only_if_it_asks_for_that():
    class Open(Held):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            with torch.overrides.enable_reentrant_dispatch():
                return super().__torch_dispatch__(func, types, args, kwargs)

    leaf = torch.ones(2, requires_grad=True)
    assert (Held(leaf) * 2).inner.grad_fn is None
    assert type((Open(leaf) * 2).inner.grad_fn).__name__ == "MulBackward0"


def test_plain_tensors_take_their_short_way_again_when_such_tensors_are_gone():
    gc.collect()
    rare = modes.state.rare
    x = held(2)
    y = (x * 2).sum()
    assert modes.state.rare > rare
    y.backward()
    del x, y
    gc.collect()
    assert modes.state.rare == rare and modes.state.shells == 0


def test_jacobians_and_checks_of_gradients_take_such_tensors():
    def function(x):
        return x.exp() * x.sum()

    plain = torch.tensor([0.1, 0.2], dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(function, plain)
    for vectorize in (False, True):
        found = torch.autograd.functional.jacobian(function, Held(plain), vectorize=vectorize)
        assert type(found) is Held and torch.allclose(found.inner, expected)
    assert torch.autograd.gradcheck(function, (Held(plain, requires_grad=True),))
    assert not torch.autograd.gradcheck(
        lambda x: x * x.detach(), (Held(plain, requires_grad=True),), raise_exception=False
    )


def test_a_class_may_be_asked_for_sizes_and_strides():
    class Transposed(torch.Tensor):
        @staticmethod
        def __new__(cls, inner, policy):
            made = torch.Tensor._make_wrapper_subclass(
                cls, inner.size(), dtype=inner.dtype, dispatch_sizes_strides_policy=policy
            )
            made.inner = inner
            return made

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return func(args[0].inner.T)

    assert Transposed(torch.ones(2, 3), "sizes").shape == (3, 2)
    assert Transposed(torch.ones(2, 3), "sizes").stride() == (1, 3)
    strided = Transposed(torch.ones(2, 3), "strides")
    assert strided.shape == (2, 3) and strided.stride() == (1, 3)
    with pytest.raises(ValueError, match="expected 'strides' or 'sizes'"):
        Transposed(torch.ones(2), "both")


def test_wrapper_tensors_are_copied_with_what_they_hold():
    x = held(2)
    made = copy.deepcopy(x)
    assert type(made) is Held and made.requires_grad and made.inner is not x.inner
    assert made.inner.tolist() == [0.0, 1.0]


def test_a_function_is_redispatched_once():
    seen = []

    class Telling(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return torch.overrides.redispatch_function(func, types, args, kwargs)

    def doubled(x):
        if torch.overrides.has_torch_function((x,)):
            return torch.overrides.handle_torch_function(doubled, (x,), x)
        return x + x

    result = doubled(torch.ones(2).as_subclass(Telling))
    assert seen == ["doubled", "add"] and type(result) is torch.Tensor


def test_a_class_may_leave_an_operator_to_its_base():
    seen = []

    class Watching(torch.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return super().__torch_dispatch__(func, types, args, kwargs)

    x = torch.Tensor._make_subclass(Watching, torch.ones(2), True)
    y = x * 2
    assert seen == ["aten.mul.Tensor"] and type(y) is torch.Tensor
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_wrapper_tensor_may_be_larger_than_memory():
    class Large(torch.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            raise AssertionError

    assert torch.Tensor._make_wrapper_subclass(Large, (1 << 30, 1 << 30)).shape == (1 << 30, 1 << 30)


def test_a_class_is_asked_for_results_that_go_into_its_tensors():
    Held.calls.clear()
    into = Held(torch.zeros(2))
    assert torch.add(torch.ones(2), torch.ones(2), out=into) is into
    assert into.inner.tolist() == [2.0, 2.0] and Held.calls == ["aten.add.out"] and into._version == 1


def test_modes_can_be_listed():
    dispatch = torch.utils._python_dispatch
    assert dispatch._get_current_dispatch_mode() is None and not dispatch.is_in_torch_dispatch_mode()
    with Log() as outer, Log() as inner:
        assert dispatch._get_current_dispatch_mode_stack() == [outer, inner]
        assert dispatch._get_current_dispatch_mode() is inner and dispatch.is_in_torch_dispatch_mode()


def test_operators_have_the_names_that_pytorch_has_for_them():
    with Log() as log:
        torch.ones(4).split(2)
        torch.zeros(2).fill_(3.0)
        torch.nn.functional.mse_loss(torch.ones(2), torch.zeros(2))
    assert {"aten.split.Tensor", "aten.mse_loss.default"} <= set(log.calls)
    assert torch.ops.aten.split.Tensor is torch.ops.aten.split.Tensor
    with pytest.raises(AttributeError, match="'aten.split' has no overload name 'nothing'"):
        getattr(torch.ops.aten.split, "nothing")  # noqa: B009 - it is the error that is wanted


def calls(function):
    with Log() as log:
        function()
    return log.calls


def test_a_mode_sees_functions_that_make_tensors_as_pytorch_spells_them():
    seen = []

    class Arguments(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append((str(func), args, kwargs))
            return func(*args, **(kwargs or {}))

    cpu = {"device": torch.device("cpu"), "pin_memory": False}
    with Arguments():
        torch.ones(2, 3), torch.empty([]), torch.randint(0, 5, (2,)), torch.arange(1, 5, 2)
        made = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        torch.tensor([1.0])
    assert seen[:4] == [
        ("aten.ones.default", ([2, 3],), cpu),
        ("aten.empty.memory_format", ([],), cpu),
        ("aten.randint.low", (0, 5, [2]), cpu),
        ("aten.arange.start_step", (1, 5, 2), cpu),
    ]
    assert seen[4][2] == {"dtype": torch.float64, **cpu} and made.requires_grad
    assert seen[5][0] == "aten.lift_fresh.default" and seen[5][1][0].tolist() == [1.0]


def test_overloads_and_arguments_are_pytorchs():
    x, index = torch.arange(6.0).reshape(2, 3), torch.tensor([1])

    class Arguments(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append((str(func), *args[1:], kwargs or {}))
            return func(*args, **(kwargs or {}))

    for function, expected in (
        (lambda: x.sum(0), [("aten.sum.dim_IntList", [0], {})]),
        (lambda: x.mean((0, 1), keepdim=True), [("aten.mean.dim", [0, 1], True, {})]),
        (lambda: x.max(1), [("aten.max.dim", 1, {})]),
        (lambda: x.var(1), [("aten.var.correction", [1], {"correction": 1})]),
        (lambda: x > 1, [("aten.gt.Scalar", 1, {})]),
        (lambda: 2**x, [("aten.pow.Scalar", x, {})]),
        (lambda: x.reshape(3, 2), [("aten.view.default", [3, 2], {})]),
        (lambda: x.narrow(1, 1, 2), [("aten.slice.Tensor", 1, 1, 3, {})]),
        (lambda: x.double(), [("aten._to_copy.default", {"dtype": torch.float64})]),
        (lambda: x.softmax(1), [("aten._softmax.default", 1, False, {})]),
        (lambda: x[0, 1:], [("aten.select.int", 0, 0, {}), ("aten.slice.Tensor", 0, 1, (1 << 63) - 1, {})]),
        (lambda: x[:, index], [("aten.index.Tensor", [None, index], {})]),
        (lambda: x.split([1, 1]), [("aten.split_with_sizes.default", [1, 1], {})]),
    ):
        seen = []
        with Arguments():
            function()
        assert seen == expected


def test_subscripts_and_their_writes_are_the_steps_of_pytorch():
    x = torch.zeros(2, 3, requires_grad=True)

    def write():
        y = x * 2
        y[0] = 1.0
        y[:, 1] = y[:, 0]
        y[torch.tensor([1])] = 5.0
        return y.sum().backward()

    assert calls(write)[1:9] == [
        *("aten.lift_fresh.default", "aten.select.int", "aten.fill_.Tensor", "aten.select.int", "aten.select.int"),
        *("aten.copy_.default", "aten.lift_fresh.default", "aten.lift_fresh.default"),
    ]
    assert x.grad.tolist() == [[0.0] * 3, [0.0] * 3]


def test_values_read_and_numbers_drawn_in_place_are_seen():
    x = torch.ones(2)
    assert calls(lambda: bool(x.sum() > 1)) == [
        "aten.sum.default",
        "aten.gt.Scalar",
        "aten._local_scalar_dense.default",
    ]
    assert calls(lambda: x.detach().uniform_().normal_(1.0, 2.0)) == [
        *("aten.detach.default", "aten.uniform_.default", "aten.normal_.default"),
    ]


def test_operators_called_by_pytorchs_names_take_pytorchs_arguments():
    aten, x = torch.ops.aten, torch.arange(6.0).reshape(2, 3)
    assert torch.equal(aten.sum.dim_IntList(x, [0]), x.sum(0)) and aten.max(x) == 5
    assert torch.equal(aten.slice.Tensor(x, 1, 0, 2), x[:, :2]) and torch.equal(
        aten.index.Tensor(x, [None, torch.tensor([1])]), x[:, [1]]
    )
    assert (
        torch.equal(aten._softmax.default(x, 1, False), x.softmax(1))
        and aten._to_copy.default(x, dtype=torch.int64).dtype == torch.int64
    )
    assert aten.mse_loss.default(x, x + 1, 2) == 6 and aten.ones.default([2]).tolist() == [1.0, 1.0]
    assert torch.equal(aten.linear(x, x), x @ x.T) and aten.dim(x) == 2
    func = aten.add_.Tensor
    assert func is aten.add_.Tensor and func.overloadpacket is aten.add_ and isinstance(func, torch._ops.OpOverload)
    assert (func.name(), func._opname, func.namespace) == ("aten::add_.Tensor", "add_", "aten")
    schema = func._schema
    assert schema.is_mutable and not aten.add.Tensor._schema.is_mutable and schema.name == "aten::add_"
    assert [(each.name, each.kwarg_only, each.is_write) for each in schema.arguments] == [
        ("self", False, True), ("other", False, False), ("alpha", True, False)
    ]  # fmt: skip
    assert torch.Tag.pointwise in aten.add.Tensor.tags and torch.Tag.nondeterministic_seeded in aten.rand.default.tags
    with pytest.raises(NotImplementedError, match="scaled_dot_product_attention"):
        aten._scaled_dot_product_flash_attention.default(x, x, x)


def test_a_mode_that_leaves_an_operator_to_others():
    class Polite(TorchDispatchMode):
        asked = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.asked += 1
            return NotImplemented if types else func(*args, **(kwargs or {}))

    x = Held(torch.ones(2))
    with Polite() as mode:
        assert type(x.abs()) is Held
    assert mode.asked == 2

    class Rude(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    plain = torch.ones(2)
    with Rude(), pytest.raises(TypeError, match=r"'torch._ops.aten.abs.default'; all(.|\n)*mode object"):
        plain.abs()

    class OfClass(TorchDispatchMode):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return func(*args)

    with OfClass(), pytest.raises(RuntimeError, match="as a classmethod is not supported"):
        plain.abs()


def test_what_a_mode_returns_must_be_a_tensor_where_one_is_expected():
    class Strange(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return "arf"

    x = torch.ones(2)
    with Strange(), pytest.raises(RuntimeError, match="Unable to cast arf to Tensor"):
        x.neg()


def test_nobody_is_asked_where_dispatch_is_off():
    from rushlight.utils._mode_utils import all_same_mode, no_dispatch

    with Log() as log:
        with no_dispatch():
            torch.ones(2) + 1
        assert log.calls == []
        torch.ones(2) + 1
        assert log.calls == ["aten.ones.default", "aten.add.Tensor"]
    assert all_same_mode([log, log]) and not all_same_mode([log, Log()])


def test_wrapper_tensors_are_pickled_with_what_they_hold(tmp_path):
    x = Held(torch.arange(6).reshape(2, 3).t())
    for made in (pickle.loads(pickle.dumps(x)), through_a_file(x, tmp_path / "x.pt")):
        assert type(made) is Held and made.dtype == torch.int64 and made.stride() == (1, 3)
        assert made.inner is not x.inner and torch.equal(made.inner, x.inner)


def through_a_file(x, path):
    torch.save(x, path)
    with torch.serialization.safe_globals([Held]):
        return torch.load(path)


def test_subclasses_are_copied_by_their_own_new_empty():
    class Plain(torch.Tensor):
        pass

    class Own(torch.Tensor):
        def new_empty(self, shape):
            return type(self)(*shape)

    assert type(copy.deepcopy(Own(3))) is Own
    with pytest.raises(RuntimeError, match="for which that function returns another instance of the same subclass"):
        copy.deepcopy(Plain(3))


def test_saved_wrappers_are_the_tensors_that_were_saved():
    x = held(2)
    y = x.exp()
    assert (x * 2).grad_fn._saved_self is None and (x * x).grad_fn._saved_self is x and y.grad_fn._saved_result is y


def test_a_tensor_that_has_a_class_is_not_given_another():
    class Other(torch.Tensor):
        pass

    for make in (
        lambda: torch.Tensor._make_subclass(Other, held(2)),
        lambda: held(2).as_subclass(Other),
        lambda: Other(held(2)),
    ):
        with pytest.raises(
            RuntimeError, match="subclass Other but.*already associated to a python object of type Held"
        ):
            make()


def test_a_class_may_be_asked_how_its_tensors_lie():
    class Asked(torch.Tensor):
        @staticmethod
        def __new__(cls, data, policy, answers):
            made = torch.Tensor._make_subclass(cls, data, True, dispatch_sizes_strides_policy=policy)
            made.answers = answers
            return made

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return args[0].answers.get(func.overloadpacket.__name__, NotImplemented)

    x = Asked(torch.ones(2, 3), "sizes", {"dim": 5, "sym_size": (7,), "is_contiguous": False})
    assert (x.dim(), x.shape, x.is_contiguous()) == (5, (7,), False)
    x = Asked(torch.ones(2, 3), "strides", {"sym_stride": None, "is_contiguous": True})
    assert x.stride() == (3, 1) and x.contiguous() is x
    with pytest.raises(
        TypeError, match="'torch.ops.aten.sym_size'; all __torch_dispatch__ handlers returned NotImplemented"
    ):
        Asked(torch.ones(2), "sizes", {}).size()


def test_calls_are_recorded_above_modes_with_the_operators_derivative():
    class Doubled(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.result = func(*args, **(kwargs or {}))
            assert not torch.is_grad_enabled() and self.result.grad_fn is None
            if func is torch.ops.aten.mul.Tensor:
                self.result = self.result * 2
            return self.result

    x = torch.ones(2, requires_grad=True)
    with Doubled() as mode:
        y = x * 3
        assert y is mode.result
    y.sum().backward()
    assert y.tolist() == [6.0, 6.0] and x.grad.tolist() == [3.0, 3.0]


def test_views_and_writes_under_a_mode_are_those_of_plain_tensors():
    def program():
        x = torch.ones(2, 2, requires_grad=True)
        y = x.sin()
        part = y[0]
        part.mul_(2)
        first = y.unbind()[0]
        with pytest.raises(RuntimeError, match="Output 0 of Unbind is a view and is being modified inplace"):
            first.mul_(2)
        y.sum().backward()
        return y._version, type(y.grad_fn).__name__, part._base is y, x.grad.tolist()

    with Log():
        seen = program()
    assert seen == program()


def test_hooks_on_saved_tensors_and_checkpoints_take_wrapper_tensors():
    x = held(2)
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda each: (seen.append(type(each)), each.detach())[1], lambda each: each
    ):
        y = x.exp()
    y.sum().backward()
    assert seen == [Held] and torch.equal(x.grad.inner, x.inner.exp())
    x.grad = None
    torch.utils.checkpoint.checkpoint(lambda each: each.exp().sin(), x, use_reentrant=False).sum().backward()
    assert torch.allclose(x.grad.inner, x.inner.exp() * x.inner.exp().cos())


def test_the_tensor_itself_is_asked_where_the_method_is_no_classmethod():
    class Own(Held):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            with torch.overrides.enable_reentrant_dispatch():
                return func(self.inner)

    x = Own(torch.ones(2))
    with Log():
        assert type(x.clone()) is torch.Tensor


def test_the_class_of_a_tensor_over_ordinary_memory_sees_data_and_set():
    seen = []

    class Watching(torch.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return super().__torch_dispatch__(func, types, args, kwargs)

    x = Watching(torch.empty(2))
    x.data, x.set_(torch.ones(2)), x.resize_(1)
    assert seen == ["aten.detach.default", "aten.set_.source_Tensor", "aten.resize_.default"] and x.shape == (1,)
    with pytest.raises(RuntimeError, match=r"\.numpy\(\) is not supported for tensor subclasses"):
        x.numpy()


def test_dispatch_is_off_while_a_guard_lives():
    with Log() as log:
        guard = torch._C._DisableTorchDispatch()
        torch.ones(2)
        del guard
        torch.zeros(2)
    assert log.calls == ["aten.zeros.default"]


def test_a_mode_may_be_taken_away_for_a_while():
    dispatch = torch.utils._python_dispatch
    with Log() as outer, Log() as inner:
        with dispatch._pop_mode_temporarily() as popped:
            torch.ones(2)
        torch.zeros(2)
    assert (
        popped is inner
        and outer.calls == ["aten.ones.default", "aten.zeros.default"]
        and inner.calls == outer.calls[1:]
    )


def test_wrapper_tensors_are_taken_apart_and_put_together():
    class Flat(Held):
        def __tensor_flatten__(self):
            return ["inner"], "context"

        @classmethod
        def __tensor_unflatten__(cls, parts, context, size, stride):
            assert (context, size, stride) == ("context", (2,), (1,))
            return cls(parts["inner"])

    dispatch = torch.utils._python_dispatch
    x = Flat(torch.ones(2))
    assert dispatch.is_traceable_wrapper_subclass(x) and not dispatch.is_traceable_wrapper_subclass(held(2))
    made = dispatch.transform_subclass(x, lambda name, inner: inner + 1)
    assert type(made) is Flat and made.inner.tolist() == [2.0, 2.0]


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
def test_gradients_of_wrapper_tensors_and_under_modes_are_added_in_place():
    x = held(2)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first and first.inner.tolist() == [5.0, 5.0]
    plain = torch.ones(2, requires_grad=True)
    with Log() as log:
        (plain * 2).sum().backward()
        first = plain.grad
        (plain * 3).sum().backward()
        (plain * 4).sum().backward(create_graph=True)
    assert "aten.add_.Tensor" in log.calls and first.tolist() == [5.0, 5.0] and plain.grad.tolist() == [9.0, 9.0]


def test_gradients_of_classes_over_ordinary_memory_are_of_the_class():
    class Inherited(torch.Tensor):
        @staticmethod
        def __new__(cls, data, requires_grad=False):
            return torch.Tensor._make_subclass(cls, data, requires_grad)

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            with torch.utils._python_dispatch.no_dispatch():
                result = func(*args, **(kwargs or {}))
            return tree_map(lambda each: cls(each) if type(each) is torch.Tensor else each, result)

    x = Inherited(torch.ones(2), requires_grad=True)
    y = (x * 2 + 1).sum()
    y.backward()
    assert (
        type(y) is Inherited
        and type(x.grad) is Inherited
        and torch.equal(x.grad.as_subclass(Inherited), Inherited(torch.full((2,), 2.0)))
    )
