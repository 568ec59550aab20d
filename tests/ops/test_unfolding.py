"""What a subscript's node shows: a node for each step that PyTorch takes."""

import pytest

import rushlight as torch


def chain(node):
    """The names from a node down to the leaf."""
    found = []
    while node is not None and node.next_functions:
        found.append(node.name())
        node = node.next_functions[0][0]
    return found


@pytest.mark.parametrize(
    ("index", "names"),
    [
        ((slice(1, None), 0), ["SelectBackward0", "SliceBackward0"]),
        ((slice(None), 0), ["SelectBackward0"]),
        ((None, ..., 0, slice(None, None, 2)), ["SliceBackward0", "SelectBackward0", "UnsqueezeBackward0"]),
        ((0, torch.tensor([0])), ["IndexBackward0", "SelectBackward0"]),
        ((True,), ["IndexBackward0", "UnsqueezeBackward0"]),
        (..., ["AliasBackward0"]),
    ],
)
def test_next_functions_are_the_steps(index, names):
    x = torch.ones(2, 3, 4, requires_grad=True)
    assert chain(x[index].grad_fn) == names


def test_a_step_shows_what_it_saved():
    y = torch.ones(4, 3, requires_grad=True)[1:, -1]
    select = y.grad_fn
    ((cut, _),) = select.next_functions
    assert (select._saved_dim, select._saved_self_sym_sizes) == (1, (3, 3))
    assert (cut._saved_start, cut._saved_step, cut._saved_self_sym_sizes) == (1, 1, (4, 3))


def test_looking_changes_neither_gradients_nor_identity():
    x = torch.arange(12.0).reshape(3, 4).requires_grad_()
    y = x[1:, [0, 2]][:, 1] * 2
    index = y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert index is y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert [each if each is None else each.tolist() for each in index._saved_indices] == [None, [0, 2]]
    assert chain(index) == ["IndexBackward0", "SliceBackward0"]
    y.sum().backward()
    assert x.grad.tolist() == [[0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 2, 0]]


def test_hooks_on_a_step_run():
    x = torch.ones(2, 3, requires_grad=True)
    y = x[1:, 0]
    seen = []
    y.grad_fn.next_functions[0][0].register_hook(lambda inputs, outputs: seen.append(outputs[0].tolist()))
    y.sum().backward()
    assert seen == [[[1, 0, 0]]]


def test_looking_from_within_a_pass_leaves_the_graph_as_it_is():
    x = torch.ones(2, 3, requires_grad=True)
    y = x[1:, 0]
    shown = []
    z = y * 1
    z.register_hook(lambda g: shown.append((y.grad_fn._saved_dim, y.grad_fn.next_functions[0][0].name())))
    z.sum().backward()
    assert shown == [(1, "torch::autograd::AccumulateGrad")]
    assert x.grad.tolist() == [[0, 0, 0], [1, 0, 0]]
