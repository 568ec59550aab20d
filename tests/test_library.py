"""Operators of one's own."""

import pytest

import rushlight as torch
from rushlight import Tensor, library


@pytest.fixture
def scale():
    @library.custom_op("probe::scale", mutates_args=())
    def scale(x: Tensor, factor: float = 2.0, *, shift: float = 0.0) -> Tensor:
        return x * factor + shift

    return scale


def test_a_function_becomes_an_operator(scale):
    assert scale(torch.ones(2)).tolist() == [2.0, 2.0]
    assert torch.ops.probe.scale(torch.ones(2), 3.0, shift=1.0).tolist() == [4.0, 4.0]
    func = torch.ops.probe.scale.default
    assert (
        func is torch.ops.probe.scale.default
        and func(torch.ones(1)).item() == 2.0
        and func.overloadpacket is torch.ops.probe.scale
    )
    assert (str(func), repr(func)) == ("probe.scale.default", "<OpOverload(op='probe.scale', overload='default')>")
    assert repr(scale) == "<CustomOpDef(probe::scale)>"
    assert not hasattr(torch.ops.probe, "nowhere") and not hasattr(torch.ops.nowhere, "scale")


def test_its_gradient_is_what_was_registered(scale):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="backward through probe.scale.default but no autograd formula"):
        scale(x).sum().backward()

    def keep(ctx, inputs, keyword_only_inputs, output):
        ctx.factor = inputs[1]

    scale.register_autograd(lambda ctx, g: (g * ctx.factor, None), setup_context=keep)
    y = scale(x, 5.0, shift=1.0)
    assert y.grad_fn.name() == "GeneratedBackwardFor_probe_scale_defaultBackward"
    y.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_writing_into_an_argument():
    @library.custom_op("probe::grow", mutates_args={"x"})
    def grow(x: Tensor) -> None:
        x.add_(1)

    x = torch.zeros(2)
    assert grow(x) is None
    assert x.tolist() == [1.0, 1.0]


def test_an_operator_returns_no_argument_of_its_own():
    same = library.custom_op("probe::same", lambda x: x, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(RuntimeError, match="must not also be an input"):
        same(torch.ones(2))


def test_parameters_need_annotations():
    with pytest.raises(ValueError, match="Parameter x must have a type annotation"):
        library.custom_op("probe::bad", lambda x: x, mutates_args=())


def test_signature_and_function_apart():
    home = library.Library("probe_apart", "DEF")
    assert home.define("add(Tensor x, int k=2) -> Tensor") == "add"
    with pytest.raises(NotImplementedError, match="Could not run 'probe_apart::add'"):
        torch.ops.probe_apart.add(torch.ones(1))
    home.impl("add", lambda x, k=2: x + k, "CUDA")
    home.impl("add", lambda x, k=3: x + k, "CPU")
    y = torch.ops.probe_apart.add(torch.ones(1, requires_grad=True))
    assert y.item() == 4 and y.grad_fn.name() == "AddBackward0"
    del home
    assert not hasattr(torch.ops.probe_apart, "add")

    library.define("probe::times", "(Tensor x) -> Tensor")
    library.impl("probe::times", "cpu")(lambda x: x * 5)
    library.register_fake("probe::times")(torch.empty_like)
    assert torch.ops.probe.times(torch.ones(1)).item() == 5
    with pytest.raises(ValueError, match="expected schema to look like"):
        library.define("probe::worse", "(Tensor x)->Tensor")


def test_modes_and_classes_stand_before_operators_of_ones_own(scale):
    from rushlight.utils._python_dispatch import TorchDispatchMode
    from rushlight.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

    seen = []

    class Log(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    runs = []

    @library.custom_op("probe::sine", mutates_args=())
    def sine(x: Tensor) -> Tensor:
        runs.append(x)
        return x.sin()

    sine.register_autograd(
        lambda ctx, g: g * ctx.saved_tensors[0].cos(),
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]),
    )
    x = torch.ones(2, requires_grad=True)
    with Log():
        sine(x).sum().backward()
    assert seen[:2] == ["probe.sine.default", "aten.sum.default"] and torch.allclose(x.grad, x.cos())
    runs.clear()

    def contexts():
        return create_selective_checkpoint_contexts([torch.ops.probe.sine.default])

    checkpoint(lambda each: sine(each).exp().sin(), x, use_reentrant=False, context_fn=contexts).sum().backward()
    assert len(runs) == 1


def test_a_library_that_ends_with_a_block():
    with library._scoped_library("probe_scope", "DEF") as made:
        made.define("weird(Tensor?[] self) -> Tensor")
        made.impl("weird", lambda xs: xs[1] * 2, "CPU")
        assert torch.ops.probe_scope.weird([None, torch.ones(1)]).item() == 2.0
    assert not hasattr(torch.ops.probe_scope, "weird")


def test_decorators_of_a_library():
    made = library.Library("probe_older", "DEF")

    @library.define(made, "twice(Tensor x) -> Tensor")
    def twice(x):
        return x * 2

    made.define("thrice(Tensor x) -> Tensor")

    @library.impl(made, "thrice", "CPU")
    def thrice(x):
        return x * 3

    x = torch.ones(1)
    assert torch.ops.probe_older.twice(x).item() == 2.0 and torch.ops.probe_older.thrice.default(x).item() == 3.0
