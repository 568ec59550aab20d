"""Modes: what inference mode switches off, and what it leaves of tensors made within it."""

import copy
import threading

import pytest

import rushlight as torch
from rushlight.autograd import forward_ad


def test_inference_mode_records_nothing_whatever_grad_mode_says():
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        assert not torch.is_grad_enabled()
        with torch.enable_grad():
            assert torch.is_grad_enabled()
            assert not (x * 2).requires_grad
            with torch.inference_mode(False):
                assert (x * 2).requires_grad
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled() and (x * 2).requires_grad


def test_inference_mode_leaves_grad_mode_as_it_was():
    with torch.no_grad():
        with torch.inference_mode():
            torch.set_grad_enabled(True)
        assert not torch.is_grad_enabled()


def test_inference_mode_switches_forward_mode_off():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.ones(2), torch.ones(2))
        with torch.inference_mode():
            assert forward_ad.unpack_dual(dual).tangent is None
            assert forward_ad.unpack_dual(dual * 2).tangent is None
        assert forward_ad.unpack_dual(dual * 2).tangent.tolist() == [2, 2]


def test_what_shares_memory_with_an_inference_tensor_is_one():
    normal = torch.ones(2)
    with torch.inference_mode():
        inferred = torch.ones(2)
        assert torch.nn.Linear(2, 2).weight.is_inference()
        assert copy.deepcopy(normal).is_inference()
        assert not normal.data.is_inference()
    assert inferred.data.is_inference()
    assert not copy.deepcopy(inferred).is_inference()
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor outside InferenceMode"):
        torch.nn.Parameter(inferred)
    assert torch.nn.Parameter(inferred, requires_grad=False).is_inference()


def test_resize_counts_as_a_write():
    x = torch.arange(6.0)
    saved = (x * torch.ones(6, requires_grad=True)).sum()
    x.resize_(6)
    assert x._version == 0
    x.resize_(2, 3)
    assert x._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        saved.backward()
    with torch.inference_mode():
        assert torch.ones(2, requires_grad=True).resize_(1).shape == (1,)


def test_a_leaf_set_to_other_memory_takes_gradients_of_its_new_shape():
    w = torch.nn.Parameter(torch.ones(4))
    for size in (3, 2):
        with torch.no_grad():
            w.set_(w[1:])
        w.grad = None
        torch.cat((w, w)).sum().backward()
        assert w.grad.tolist() == [2] * size
    assert w._version == 2


def test_views_keep_how_they_were_made_where_that_is_asked_for():
    def written(view):
        base = torch.ones(2, 3, requires_grad=True) * 1
        part = view(base)
        part.mul_(3)
        (g,) = torch.autograd.grad(part.sum(), base)
        return part.grad_fn.name(), g.sum().item()

    for view, name in (
        (lambda x: x.view(-1), "ViewBackward0"),
        (lambda x: x[0], "SelectBackward0"),
        (lambda x: x.t()[1:], "SliceBackward0"),
        (lambda x: x.broadcast_to(2, 3), "ExpandBackward0"),
    ):
        plain = written(view)
        assert plain[0] == "AsStridedBackward0"
        with torch.autograd._force_original_view_tracking(True):
            assert torch.autograd.is_view_replay_enabled()
            assert written(view) == (name, plain[1])
        assert not torch.autograd.is_view_replay_enabled()


def test_settings_decorate_and_belong_to_their_thread():
    @torch.autograd._force_original_view_tracking(True)
    def inside():
        return torch.autograd.is_view_replay_enabled()

    assert inside() and not torch.autograd.is_view_replay_enabled()
    with torch.autograd.set_multithreading_enabled(False):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(torch.autograd.is_multithreading_enabled()))
        thread.start()
        thread.join()
        assert seen == [True] and not torch.autograd.is_multithreading_enabled()


def test_a_gradient_keeps_its_layout_where_asked_to():
    def strides():
        leaf = torch.ones(3, 4).t().requires_grad_()
        (leaf * torch.ones(4, 3)).exp().sum().backward()
        return leaf.grad.stride()

    assert strides() == (1, 4)
    with torch.autograd.enforce_grad_layout_policy(False):
        relaxed = strides()
    assert relaxed != (1, 4) and strides() == (1, 4)
    assert torch.autograd.enforce_grad_layout_policy(False)(strides)() == relaxed and strides() == (1, 4)


def test_managers_of_libraries_decorate():
    from rushlight.utils._contextlib import _NoParamDecoratorContextManager, context_decorator

    entered = []

    class counted(_NoParamDecoratorContextManager):  # noqa: N801 - as such are named
        def __enter__(self):
            entered.append(1)

        def __exit__(self, *exc):
            entered.append(-1)

    @counted
    def one():
        return sum(entered)

    @counted()
    def steps():
        yield sum(entered)

    assert one() == 1 and list(steps()) == [1] and sum(entered) == 0
    assert context_decorator(lambda: counted(), lambda: sum(entered))() == 1
    with pytest.raises(AssertionError, match="ambiguous which interface"):
        context_decorator(counted, one)
    with pytest.raises(RuntimeError, match="Cannot decorate classes"):
        context_decorator(lambda: counted(), int)


def test_the_package_gives_its_names_to_whoever_asks_for_all():
    space = {}
    exec("from rushlight.autograd import *\nfrom rushlight.autograd.graph import *", space)
    assert space["backward"] is torch.autograd.backward and space["gradcheck"] is torch.autograd.gradcheck
    assert space["Node"] is torch.autograd.graph.Node and "save_on_cpu" in dir(torch.autograd.graph)
    with pytest.raises(RuntimeError, match="is deprecated, use torch.tensor"):
        torch.autograd.variable(3)


def test_views_are_made_again_for_all_samples():
    w = torch.arange(1.0, 5.0, requires_grad=True)
    for forced in (False, True):
        with torch.autograd._force_original_view_tracking(forced):
            base = torch.ones(2, 2, requires_grad=True) * w.view(2, 2)
            base.narrow(1, 0, 1)[1:].mul_(w[:1])
            rows = torch.eye(4).view(4, 2, 2)
            (together,) = torch.autograd.grad(base, w, rows, is_grads_batched=True, retain_graph=True)
            apart = [torch.autograd.grad(base, w, row, retain_graph=True)[0].tolist() for row in rows]
        assert together.tolist() == apart == [[1, 0, 0, 0], [0, 1, 0, 0], [3, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("create_graph", [False, True])
def test_views_made_again_find_their_base_as_it_lay(create_graph):
    x = torch.ones(2, 4, requires_grad=True)
    with torch.autograd._force_original_view_tracking(True):
        base = torch.empty_strided((2, 4), (1, 2)).copy_(x)
        base.t().view(-1).mul_(3)
        pairs = x.view(4, 2) * 1
        torch.view_as_complex(pairs).mul_(2j)
    # a cotangent that lies otherwise than the base
    assert torch.autograd.grad(base.sum(), x, create_graph=create_graph)[0].tolist() == [[3] * 4] * 2
    assert torch.autograd.grad(pairs.sum(), x, create_graph=create_graph)[0].tolist() == [[2, -2, 2, -2]] * 2
