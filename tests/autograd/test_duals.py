"""Dual tensors: how a tangent lies in memory, how long it lives, and the steps to a dual tensor and back."""

import weakref

import pytest

import rushlight as torch
from rushlight.autograd import forward_ad


@pytest.fixture(autouse=True)
def level():
    with forward_ad.dual_level():
        yield


def tangent_of(tensor):
    return forward_ad.unpack_dual(tensor).tangent


def test_a_tangent_that_lies_as_its_tensor_does_is_taken_as_it_is():
    tangent = torch.ones(2, 3)
    assert tangent_of(forward_ad.make_dual(torch.zeros(2, 3), tangent)) is tangent
    assert tangent_of(forward_ad.make_dual(torch.zeros(3, 2).t(), tangent)) is not tangent
    assert tangent_of(forward_ad.make_dual(torch.zeros(8)[2:].view(2, 3), tangent)) is not tangent


def test_a_tangent_has_as_much_memory_as_its_tensor():
    dual = forward_ad.make_dual(torch.arange(5.0)[1:].detach(), torch.ones(4))
    assert tangent_of(dual.as_strided((5,), (1,), 0)).tolist() == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("turn", [torch.conj, torch.Tensor._neg_view])
def test_a_tangent_is_a_conjugate_where_its_tensor_is(turn):
    x, t = torch.tensor([1 + 2j]), torch.tensor([3 - 1j])
    assert tangent_of(forward_ad.make_dual(turn(x), turn(t))).tolist() == turn(t).tolist()
    dual = forward_ad.make_dual(turn(x), t)
    assert tangent_of(dual) is not t
    assert tangent_of(dual.real).tolist() == [3] and tangent_of(dual * dual).tolist() == (2 * turn(x) * t).tolist()


def test_a_tangent_dies_with_its_tensor():
    tangent = torch.ones(2)
    gone = weakref.ref(tangent)
    dual = forward_ad.make_dual(torch.ones(2), tangent)
    product = dual * 3
    del tangent
    assert gone() is not None
    del dual
    assert gone() is None
    assert tangent_of(product).tolist() == [3, 3]


def test_a_saved_value_keeps_its_tangent():
    w = torch.tensor(2.0, requires_grad=True)
    y = w * forward_ad.make_dual(torch.tensor(3.0), torch.tensor(5.0))
    (g,) = torch.autograd.grad(y, w)
    assert g.item() == 3 and tangent_of(g).item() == 5


def test_the_primal_is_a_view_that_passes_gradients_on():
    x = torch.ones(2, requires_grad=True)
    dual = forward_ad.make_dual(x, torch.ones(2))
    primal = forward_ad.unpack_dual(dual * 3).primal
    assert dual.grad_fn.name() == "ViewBackward0" and dual._base is x
    assert primal.grad_fn.name() == "torch::autograd::Identity"
    assert torch.autograd.grad(primal.sum(), x)[0].tolist() == [3, 3]


def test_refusals():
    x = torch.ones(2)
    dual = forward_ad.make_dual(x, x)
    with pytest.raises(RuntimeError, match="^cannot resize variables that has a forward grad$"):
        dual.resize_(1)
    with pytest.raises(RuntimeError, match="^Invalid level given to _make_dual$"):
        forward_ad.make_dual(x, x, level=1)
    with pytest.raises(RuntimeError, match="^Invalid level given to _fw_primal$"):
        forward_ad.unpack_dual(x, level=1)
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        forward_ad.unpack_dual(1)
    with pytest.raises(
        NotImplementedError, match="^Trying to use forward AD with igamma that does not support it because"
    ):
        torch.igamma(dual, x)
    assert tangent_of(torch.igamma(x, dual)).tolist() == pytest.approx([0.36787944] * 2)
    assert tangent_of(torch.special.bessel_j0(dual)) is None


def test_gradients_of_duals_carry_tangents_and_are_not_recorded():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    dual = forward_ad.make_dual(x, torch.tensor([1.0, 0.0, 2.0]))
    for create_graph in (False, True):
        (g,) = torch.autograd.grad((dual**3).sum(), x, create_graph=create_graph)
        assert g.requires_grad == create_graph
        assert tangent_of(g).tolist() == [6, 0, 36]
        (g,) = torch.autograd.grad(torch.nn.functional.layer_norm(dual, (3,)).sum(), x, create_graph=create_graph)
        assert g.requires_grad == create_graph and tangent_of(g) is not None


def test_what_a_write_saved_of_its_target_keeps_its_tangent():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    dual = forward_ad.make_dual(x, torch.tensor([3.0, 5.0]))
    (g,) = torch.autograd.grad(dual.clone().mul_(dual).sum(), x)
    assert g.tolist() == [2, 4] and tangent_of(g).tolist() == [6, 10]


def test_what_is_switched_off_is_not_seen():
    x = torch.ones(2)
    dual = forward_ad.make_dual(x, x)
    with torch.inference_mode():
        again = forward_ad.make_dual(dual, x * 2)
    assert tangent_of(again).tolist() == [2, 2]


def test_hooks_on_saved_tensors_do_not_see_how_tangents_are_computed():
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(seen.append, lambda packed: packed):
        dual = forward_ad.make_dual(torch.ones(2, 2), torch.ones(2, 2))
        assert tangent_of(dual @ dual).tolist() == [[4, 4], [4, 4]]
        tangent_of(torch.linalg.det(dual + torch.eye(2)))
    assert not seen
