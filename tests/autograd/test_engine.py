"""The reverse mode: what arrives where, in which order, and what is refused."""

import gc
import weakref

import numpy as np
import pytest

import rushlight as torch
from rushlight.array.large import LARGE


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def test_gradients_accumulate_over_paths_and_calls():
    x = leaf(2.0, 3.0)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    (x * 2).sum().backward()
    assert x.grad.tolist() == [7.0, 9.0]


def test_gradients_of_two_leaves_do_not_share_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gradient = torch.ones(2)
    (a + b).backward(gradient)
    a.grad[0] = 10.0
    assert b.grad.tolist() == [1.0, 1.0]
    assert gradient.tolist() == [1.0, 1.0]


def test_a_broadcast_operand_gets_the_sum():
    x = torch.ones(3, 4, requires_grad=True)
    row, column, number = torch.ones(4, requires_grad=True), torch.ones(3, 1, requires_grad=True), leaf(2.0)
    (x * row + column * number).sum().backward()
    assert row.grad.tolist() == [3.0] * 4
    assert column.grad.tolist() == [[8.0]] * 3
    assert number.grad.tolist() == [12.0]


def test_the_gradient_has_the_dtype_of_its_tensor():
    x, y = leaf(1.0, 2.0), torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype is torch.float32 and y.grad.dtype is torch.float64


def test_a_graph_is_used_once_unless_retained():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_sum_saves_nothing_and_can_run_again():
    x = leaf(1.0, 2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_failed_backward_leaves_other_gradients_alone():
    x, y = leaf(1.0), leaf(2.0)
    z = x * y
    w = z * z
    z.detach().add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (w + x).sum().backward()
    assert x.grad is None and y.grad is None


def test_the_error_for_a_changed_value_names_the_line():
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * y
    y.data  # noqa: B018 - a view with a version of its own changes nothing
    y.add_(1.0)
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    text = str(caught.value)
    assert "which is output 0 of Add, is at version 1; expected version 0 instead" in text
    assert "test_engine.py, line" in text


@pytest.mark.parametrize("order", [2, 3, 4])
def test_derivatives_of_derivatives(order):
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    value = x.sin() * x.exp()
    for _ in range(order):
        (value,) = torch.autograd.grad(value, x, create_graph=True)
    # the n-th derivative of exp(x) sin(x) is 2^(n/2) exp(x) sin(x + n pi / 4)
    expected = 2 ** (order / 2) * np.exp(0.7) * np.sin(0.7 + order * np.pi / 4)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_mixed_second_derivatives_agree():
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.3, 1.2))
    value = (x * y).sin() / (1 + x * x)
    gx, gy = torch.autograd.grad(value, (x, y), create_graph=True)
    (xy,) = torch.autograd.grad(gx, y, retain_graph=True)
    (yx,) = torch.autograd.grad(gy, x)
    assert xy.item() == pytest.approx(yx.item(), rel=1e-12)


def test_grad_accumulates_nothing_and_stops_at_its_inputs():
    x = leaf(2.0)
    y = x * x
    z = y * y
    assert torch.autograd.grad(z, y, torch.ones(1), retain_graph=True)[0].tolist() == [8.0]
    assert torch.autograd.grad(z, x, torch.ones(1))[0].tolist() == [32.0]
    assert x.grad is None


def test_unused_inputs():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad((x * 2).sum(), [x, y])
    assert torch.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert torch.autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]


def test_backward_into_chosen_inputs_only():
    x, y = leaf(1.0), leaf(2.0)
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [2.0] and y.grad is None


def test_a_chain_of_a_million_nodes_runs_and_is_freed_without_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    y.backward()
    assert x.grad.tolist() == [1.0]
    z = x
    for _ in range(1_000_000):
        z = z + 0.0
    del z, y


def test_nothing_is_left_without_the_garbage_collector():
    class Probe:
        pass

    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0, 3.0)

        def program():
            a = x * 2
            b = a.exp()
            c = b.clone()
            c[0] = a[1]
            part = c[1:]
            part.mul_(b[1:])
            total = (c * b).sum() + part.sum()
            (first,) = torch.autograd.grad(total, x, create_graph=True)
            first.sum().backward()
            everything = [a, b, c, part, total, first]
            for each in everything:
                each.probe = Probe()
            return [weakref.ref(each) for each in everything] + [weakref.ref(each.probe) for each in everything]

        assert [reference() for reference in program()] == [None] * 12
    finally:
        gc.enable()


def test_large_arrays_take_the_blocked_path_and_agree():
    values = np.linspace(-2.0, 2.0, 2 * LARGE + 5)
    small = values[:: LARGE // 8]

    def gradient(array):
        x = torch.tensor(array, requires_grad=True)
        y = torch.tanh(1.5 * x + 0.3) * torch.exp(-x * x) - x / (x * x + 1)
        (y * y).sum().backward()
        return x.grad.numpy()

    np.testing.assert_allclose(gradient(values)[:: LARGE // 8], gradient(small), rtol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_large_gradients_do_not_depend_on_the_number_of_threads(threads):
    before = torch.get_num_threads()
    torch.manual_seed(3)
    x = torch.randn(300_001).requires_grad_()

    def gradient():
        x.grad = None
        ((x * 1.5).tanh() * x.exp() + x).sum().backward()
        return x.grad.clone()

    try:
        torch.set_num_threads(1)
        expected = gradient()
        torch.set_num_threads(threads)
        assert torch.equal(gradient(), expected)
    finally:
        torch.set_num_threads(before)


def test_a_large_graph_that_branches_inside_a_stretch():
    n = LARGE + 1
    x = torch.full((n,), 0.5, requires_grad=True)
    a = x * 2
    b = a * a
    reduced = a.sum()  # a second consumer, outside the stretch
    (b * reduced).sum().backward()
    # f = sum(4x^2) * sum(2x): df/dx = 8x * 2nx + 2 * 4nx^2
    expected = 8 * 0.5 * n + 2 * 4 * n * 0.25
    assert x.grad[0].item() == pytest.approx(expected, rel=1e-5)


def test_no_grad_is_per_thread():
    import threading

    seen = []
    x = leaf(1.0)
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
        seen.append((x * 2).requires_grad)
    assert seen == [True, False]


def test_no_grad_decorates_functions_and_generators():
    x = leaf(1.0)

    @torch.no_grad()
    def plain():
        return x * 2

    @torch.no_grad
    def bare():
        return x * 2

    @torch.no_grad()
    def generator():
        yield x * 2
        yield x * 3

    assert not plain().requires_grad and not bare().requires_grad
    for each in generator():
        assert not each.requires_grad
        assert torch.is_grad_enabled() and (x * 2).requires_grad


def test_set_grad_enabled_acts_at_once_and_is_put_back():
    x = leaf(1.0)
    with torch.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    torch.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    torch.set_grad_enabled(True)
    with pytest.raises(TypeError):
        torch.set_grad_enabled("yes")


def test_backward_from_several_threads_accumulates_everything():
    import threading

    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    threads = [threading.Thread(target=lambda: y.backward(retain_graph=True)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [16.0, 32.0]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_gradient_with_a_graph_has_the_layout_of_its_leaf():
    for leaf in (torch.ones(2, 3), torch.ones(3, 2).t()):
        leaf.requires_grad_()
        (leaf.t() * torch.ones(3, 2)).sum().backward(create_graph=True)
        assert leaf.grad.stride() == leaf.stride()


def test_zeros_in_place_of_unused_gradients_can_be_differentiated_themselves():
    x, a = torch.tensor(0.5, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    (g,) = torch.autograd.grad(x * a, x, create_graph=True)
    (zero,) = torch.autograd.grad(g, x, create_graph=True, materialize_grads=True)
    assert zero.requires_grad and torch.autograd.grad(zero, x, materialize_grads=True)[0].item() == 0
    edge = torch.autograd.graph.get_gradient_edge(a)
    with pytest.raises(RuntimeError, match="materialize_grads cannot be used when the given input is a GradientEdge"):
        torch.autograd.grad(x * 2, edge, materialize_grads=True)


def test_a_class_decorated_with_a_grad_mode_is_made_in_it_with_a_warning():
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):

        @torch.no_grad()
        class Made:
            def __init__(self):
                self.recording = torch.is_grad_enabled()

    assert not Made().recording


def test_gradients_that_depend_on_places_only_are_constants():
    x = torch.tensor([[1.0, 5.0, 2.0]], requires_grad=True)
    for f in (
        lambda: x.max(1).values,
        lambda: x.sort().values,
        lambda: x.topk(2).values,
        lambda: x.cummax(1).values,
        lambda: x.kthvalue(1).values,
    ):
        (g,) = torch.autograd.grad(f().sum(), x, create_graph=True)
        assert not g.requires_grad
    (g,) = torch.autograd.grad((x.max(1).values ** 2).sum(), x, create_graph=True)
    assert torch.autograd.grad(g.sum(), x)[0].tolist() == [[0, 2, 0]]
