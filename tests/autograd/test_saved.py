"""What nodes save: results that nothing reads may be written to, and copies are made where writes are allowed."""

import pytest

import rushlight as torch


def test_a_result_that_no_rule_reads_may_be_written_to():
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    for function in (torch.var_mean, torch.std_mean):
        spread, mean = function(x)
        mean.mul_(2)
        (g,) = torch.autograd.grad(mean, x, retain_graph=True)
        assert torch.allclose(g, torch.full((3,), 2 / 3))
    var, _ = torch.var_mean(x)
    var.mul_(3)
    assert torch.allclose(torch.autograd.grad(var, x)[0], 3 * (x.detach() - 7 / 3))
    spread.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(spread, x)


def test_what_is_saved_often_is_copied_once_before_a_write():
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        z = y.sin() + y.cos()
        assert len(context.tid_to_weakhandle) == 1 and not context.cloned
        y.zero_()
        assert len(context.cloned) == 1
        z.sum().backward()
    assert torch.allclose(x.grad, torch.tensor([1.0, 2.0]).cos() - torch.tensor([1.0, 2.0]).sin())


def test_out_is_a_write_that_saved_tensors_are_copied_before():
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        x, factor = torch.ones(1, requires_grad=True), torch.tensor([3.0])
        y = x * factor
        torch.sin(torch.ones(1), out=factor)
        assert len(context.cloned) == 1
        y.backward()
    assert x.grad.tolist() == [3.0]


def test_numpy_shares_memory_of_what_requires_grad_where_nothing_is_recorded():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        x.numpy()
    with torch.no_grad():
        assert x.numpy().tolist() == [1.0, 1.0]


def test_a_saved_tensor_shows_what_is_kept():
    x = torch.ones(2, requires_grad=True)
    kept = (x * x).grad_fn._raw_saved_self
    assert torch.equal(kept.data, x) and kept.unpack_hook is None
    kept.register_hooks(lambda tensor: "packed", lambda packed: x)
    assert kept.data == "packed" and kept.unpack_hook("packed") is x
    with pytest.raises(RuntimeError, match="with value None is forbidden"):
        torch.autograd.SavedTensor.of_nothing().register_hooks(id, id)


def test_one_saved_value_that_was_written_to_leaves_the_others_readable():
    x = torch.ones(3, requires_grad=True).sin()
    node = x.mul_(x).grad_fn
    assert node._saved_self.tolist() == pytest.approx([0.84147098] * 3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        assert node._saved_other
