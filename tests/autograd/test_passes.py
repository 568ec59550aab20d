"""What user code can ask of the backward pass that is running, and nodes that refuse to be differentiated."""

import warnings
from collections import OrderedDict

import pytest

import rushlight as torch
from rushlight import _C


class Asking(torch.autograd.Function):
    """Doubles; its backward notes what it finds out in ``seen``."""

    @staticmethod
    def forward(ctx, x, seen, ask):
        ctx.seen, ctx.ask = seen, ask
        return x * 2

    @staticmethod
    def backward(ctx, g):
        ctx.seen.append(ctx.ask(ctx))
        return g * 2, None, None


def test_passes_are_numbered_and_outside_of_one_there_is_none():
    x, seen = torch.ones(2, requires_grad=True), []
    for _ in range(2):
        Asking.apply(x, seen, lambda ctx: _C._current_graph_task_id()).sum().backward()
    assert seen[1] == seen[0] + 1
    assert _C._current_graph_task_id() == -1


@pytest.mark.parametrize("keep", [True, False])
def test_whether_the_graph_is_kept(keep):
    x, seen = torch.ones(2, requires_grad=True), []
    y = Asking.apply(x, seen, lambda ctx: _C._autograd._get_current_graph_task_keep_graph())
    y.sum().backward(retain_graph=keep)
    assert seen == [keep]


def test_a_function_is_the_node_that_runs_and_may_queue_callbacks():
    x, seen = torch.ones(2, requires_grad=True), []

    def ask(ctx):
        torch.autograd.Variable._execution_engine.queue_callback(lambda: seen.append(x.grad.tolist()))
        return _C._current_autograd_node() is ctx

    Asking.apply(x, seen, ask).sum().backward()
    assert seen == [True, [2.0, 2.0]]


@pytest.mark.parametrize("hooked", [True, False])
def test_the_order_of_execution_is_foretold(hooked):
    x, seen = torch.ones(2, requires_grad=True), []

    def ask(ctx):
        return [node.name() for node in _C._current_graph_task_execution_order()]

    y = Asking.apply(x.sin(), seen, ask)
    if hooked:
        y.register_hook(lambda g: None)
    with torch.autograd.set_multithreading_enabled(False):
        y.exp().sum().backward()
    assert seen == [
        ["SumBackward0", "ExpBackward0", "AskingBackward", "SinBackward0", "torch::autograd::AccumulateGrad"]
    ]
    with pytest.raises(RuntimeError, match="should only be called during the backward pass"):
        _C._current_graph_task_execution_order()


def test_delayed_errors_pass_values_on_and_raise_in_backward():
    x = torch.ones(2, requires_grad=True)
    y = _C._functions.DelayedError("not this way", 1)(x)
    assert y.tolist() == [1.0, 1.0] and y.grad_fn.name() == "torch::autograd::Error"
    with pytest.raises(RuntimeError, match="not this way"):
        (y * 2).sum().backward()
    nothing, y = _C._functions.DelayedError(b"no", 2)(None, x)
    assert nothing is None and y.output_nr == 1
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        _C._functions.DelayedError("no", 1)(x, x)


def test_warnings_given_once_can_be_given_always():
    from rushlight.settings import first_warning

    assert first_warning("of this test") and not first_warning("of this test")
    torch.set_warn_always(True)
    try:
        assert torch.is_warn_always_enabled() and first_warning("of this test")
    finally:
        torch.set_warn_always(False)


def test_a_node_can_be_called_with_the_cotangents_of_its_outputs():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    square = (x**2).grad_fn
    assert square(torch.ones(2)).tolist() == square(torch.ones(2)).tolist() == [2.0, 4.0]
    assert (x * 2).grad_fn(torch.ones(2))[1] is None
    (leaf, _), *_ = square.next_functions
    assert leaf(torch.ones(2)) == () and x.grad.tolist() == [1.0, 1.0]
    assert isinstance(leaf, torch.autograd.graph.Node)
    with pytest.raises(TypeError, match="expected 1 arguments, got 0 instead"):
        square()
    with pytest.raises(TypeError, match="argument 0 is not a Variable"):
        square(1.0)


def test_saved_tensors_are_not_made_by_users():
    with pytest.raises(RuntimeError, match="Trying to create a SavedTensor object from Python is forbidden"):
        torch.autograd.SavedTensor()


def test_hooks_registered_while_a_node_runs_run_after_it_without_what_it_was_given():
    given = []

    def unpack(tensor):
        def hook(received, cotangents):
            given.append(cotangents)
            return tuple(None if each is None else each / 2 for each in received)

        _C._current_autograd_node().register_hook(hook)
        return tensor

    x = torch.ones(3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
        (x.exp() * 2).sum().backward()
    assert given == [()] and torch.allclose(x.grad, torch.ones(3).exp())


def test_what_must_not_be_deleted_or_set():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="requires_grad must be a bool"):
        del x.requires_grad
    with pytest.raises(RuntimeError, match="Deletion of _grad_fn not allowed"):
        del x._grad_fn
    with pytest.raises(RuntimeError, match="Deletion of _backwards_hooks not allowed!"):
        del x._backward_hooks
    y = x * 2
    with pytest.raises(RuntimeError, match="_grad_fn can be only set to None"):
        y._grad_fn = 1
    y._grad_fn = None
    assert not y.requires_grad
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        x.set_(torch.ones(3))


def test_whether_a_node_will_run():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    (leaf, _), _ = y.grad_fn.next_functions
    seen = []
    y.register_hook(lambda g: seen.append(_C._will_engine_execute_node(leaf)))
    y.sum().backward(retain_graph=True)
    assert seen == [True]
    with pytest.raises(RuntimeError, match="we are currently running autograd.grad()"):
        torch.autograd.grad(y.sum(), x)
    z = x * 2
    z.register_hook(lambda g: _C._will_engine_execute_node(z))
    with pytest.raises(RuntimeError, match="expects an grad_fn, but got Tensor"):
        z.sum().backward()
    with pytest.raises(RuntimeError, match="should only be called during the backward pass"):
        _C._will_engine_execute_node(leaf)


def test_where_warnings_are_errors_anomaly_mode_prints_its_own(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mode = torch.autograd.detect_anomaly()
        warnings.simplefilter("error")
        with mode, pytest.raises(RuntimeError, match="returned nan values"):
            (torch.zeros(1, requires_grad=True) * 0).sqrt().mul(0).sum().backward()
    assert "Error detected in" in capsys.readouterr().err


def test_inference_tensors_have_no_version_to_increment():
    x = torch.ones(2)
    with torch.inference_mode():
        y = torch.ones(2)
    torch.autograd.graph.increment_version([x, y])
    assert x._version == 1 and y.is_inference()


def test_no_gradient_comes_back_through_an_undefined_one():
    x = torch.ones(2, requires_grad=True)
    y = _C._functions.UndefinedGrad()(x * 2)
    assert y.tolist() == [2.0, 2.0] and y.grad_fn.name() == "torch::autograd::UndefinedGradBackward"
    (y.sum() + x[0]).backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_hooks_of_a_tensor_may_be_another_dictionary():
    x, seen = torch.ones(2, requires_grad=True), []
    x._backward_hooks = own = OrderedDict()
    x.register_hook(lambda g: seen.append("registered"))
    own["own"] = lambda g: seen.append("own")
    assert x._backward_hooks is own
    x.sum().backward()
    assert seen == ["registered", "own"]
    x._backward_hooks = None
    x.sum().backward()
    assert len(seen) == 2 and x._backward_hooks is None
    late = torch.ones(2)
    late._backward_hooks = {0: lambda g: seen.append("late")}
    late.requires_grad_().sum().backward()
    assert seen[2:] == ["late"]


def test_volatile_is_a_memory():
    x = torch.ones(2)
    with pytest.warns(UserWarning, match="^volatile was removed \\(Variable.volatile is always False\\)$"):
        assert x.volatile is False
    with pytest.warns(UserWarning, match="^volatile was removed and now has no effect."):
        x.volatile = True


def test_leaves_come_as_from_the_heap_of_the_standard_library():
    leaves = [torch.ones(1, requires_grad=True) for _ in range(6)]
    seen = []
    for i, leaf in enumerate(leaves):
        leaf.register_hook(lambda g, i=i: seen.append(i))
    torch.cat(leaves).sum().backward()
    assert seen == [0, 2, 5, 4, 1, 3]


def test_hooks_see_outputs_and_inputs_that_have_gradients():
    x, seen = torch.tensor([3.0, 1.0, 2.0], requires_grad=True), []
    values = torch.where(x > 1, x * 2, x).sort().values
    node = values.grad_fn
    node.register_prehook(lambda outputs: seen.append(len(outputs)))
    node.next_functions[0][0].register_hook(lambda inputs, outputs: seen.append((len(inputs), len(outputs))))
    values.sum().backward()
    assert seen == [1, (2, 1)]


def test_hooks_of_outputs_run_in_the_order_of_their_registration():
    first, second = (torch.ones(2, requires_grad=True) * 1).unbind()
    seen = []
    second.register_hook(lambda g: seen.append("second"))
    first.register_hook(lambda g: seen.append("first"))
    second.retain_grad()
    (first + second).backward()
    assert seen == ["second", "first"] and second.grad.item() == 1


def test_backward_may_stop_at_what_was_just_computed():
    x = torch.ones(3, requires_grad=True)
    total = x.sum()
    total.backward(inputs=[total])
    assert total.grad.item() == 1 and x.grad is None


def test_hooks_on_several_gradients_refuse_leaves_under_grad():
    x = torch.ones(2, requires_grad=True)
    torch.autograd.graph.register_multi_grad_hook([x], lambda grads: None)
    with pytest.raises(RuntimeError, match="^A leaf node was passed to _will_engine_execute_node but"):
        torch.autograd.grad(x.sum(), x)
    x.sum().backward()


def test_a_kept_gradient_follows_a_custom_write():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    y = torch.ones(2, requires_grad=True) * 1
    y.retain_grad()
    Double.apply(y)
    assert y.retains_grad
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3, 3]


def test_places_of_the_graph_are_named_tuples():
    x = torch.ones(2, requires_grad=True)
    place = torch.autograd.graph.get_gradient_edge(x.exp())
    node, number, token = place
    assert (node, number, token) == place and place._replace(output_nr=1).output_nr == 1
    with pytest.raises(IndexError):
        torch.autograd.grad(place._replace(output_nr=1), x, torch.ones(2))
    assert torch.autograd.grad(place, x, torch.ones(2))[0].tolist() == x.exp().tolist()


def test_gradients_too_many_are_left_out():
    x = torch.ones(2, requires_grad=True)
    ones = torch.ones(())
    assert torch.autograd.grad(x.sum(), x, [ones, ones])[0].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        torch.autograd.grad([x.sum(), x.sum()], x, [ones])
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        x.sum().backward(retain_graph="yes")


def test_the_noted_call_ends_at_the_program_that_made_it():
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        y = torch.nn.functional.softmax(x, 0).exp()
        assert "softmax(x, 0).exp()" in y.grad_fn.metadata["traceback_"][-1]
        linear = torch.nn.Linear(2, 2)(x)
        assert "in forward" in linear.grad_fn.metadata["traceback_"][-1]


def test_a_stale_value_under_anomaly_mode_points_at_the_warning():
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True), pytest.warns(UserWarning, match="Error detected in ExpBackward0"):
        y = x.exp()
        y.add_(1)
        with pytest.raises(RuntimeError, match="Hint: the backtrace further above shows the operation"):
            y.sum().backward()


@pytest.mark.parametrize(
    "function", [lambda x: x.sum(), lambda x: (x * x).sum(), lambda x: x.exp()[0], lambda x: x @ x]
)
def test_gradients_are_cast_where_a_leaf_wants_another_dtype(function):
    def leaf():
        x = torch.ones(2, requires_grad=True)
        assert x.grad_dtype is torch.float32
        x.grad_dtype = torch.float64
        return x

    x, seen = leaf(), []
    x.register_hook(lambda gradient: seen.append(gradient.dtype))
    function(x).backward()
    function(x).backward()
    assert x.grad.dtype is x.grad_dtype is torch.float64 and seen == [torch.float64] * 2
    plain = torch.ones(2, requires_grad=True)
    assert torch.allclose(x.grad, 2 * torch.autograd.grad(function(plain), plain)[0].double())
    for recorded in (False, True):
        (found,) = torch.autograd.grad(function(x), x, create_graph=recorded)
        assert found.dtype is torch.float64


def test_the_dtype_of_gradients_is_that_of_a_gradient_that_is_there():
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    with pytest.raises(
        RuntimeError, match="Cannot set grad_dtype to 'Double' because there is already a gradient with dtype 'float'"
    ):
        x.grad_dtype = torch.float64
    x.grad = None
    x.grad_dtype = torch.float64
    with pytest.raises(RuntimeError, match="to a tensor with grad_dtype 'Double'"):
        x.grad = torch.ones(2)
    with pytest.raises(RuntimeError, match="can only be accessed on leaf tensors"):
        (x * 2).grad_dtype  # noqa: B018 - it raises
    with pytest.raises(NotImplementedError, match="cannot be None"):
        x.grad_dtype = None
