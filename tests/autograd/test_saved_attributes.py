"""What nodes show of what they saved: PyTorch's names, numbers as it spells them, and errors once a node is freed."""

import pytest

import rushlight as torch

X = torch.arange(6.0).reshape(2, 3)


def leaf():
    return X.clone().requires_grad_()


def shown(node):
    return {each.removeprefix("_saved_") for each in dir(node) if each.startswith("_saved_")}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda x: x * x, {"self", "other"}),
        (lambda x: x.exp(), {"result"}),
        (lambda x: x.sum(1), {"dim", "keepdim", "self_sym_sizes"}),
        (lambda x: x.amax(1), {"dim", "keepdim", "result", "self"}),
        (lambda x: x.sort()[0], {"dim", "indices", "self_sym_sizes"}),
        (lambda x: x.squeeze(0), {"dim", "self_sym_sizes"}),
        (lambda x: x.unsqueeze(0), {"dim"}),
        (lambda x: torch.linalg.vector_norm(x), {"dim", "keepdim", "ord", "result", "self"}),
    ],
)
def test_names(function, names):
    assert shown(function(leaf()).grad_fn) == names


def test_sizes_and_dimensions_have_no_sign_and_numbers_do():
    x = leaf()
    assert x.softmax(-1).grad_fn._saved_dim == 2**64 - 1
    assert x.permute(-1, 0).grad_fn._saved_dims == (2**64 - 1, 0)
    assert x.sum(-1).grad_fn._saved_dim == (2**64 - 1,)
    assert torch.add(x, x, alpha=-1).grad_fn._saved_alpha == -1
    assert torch.nn.functional.mse_loss(x, X).grad_fn._saved_reduction == 1


def test_numbers_of_overloads_for_numbers_are_shown_as_numbers():
    x = leaf()
    node = (x**0.1).grad_fn
    assert node._saved_exponent == 0.1
    with pytest.raises(AttributeError, match="of which there is no raw form"):
        node._raw_saved_exponent  # noqa: B018 - that it raises is what is tested
    assert torch.is_tensor((x * 2).grad_fn._saved_other)
    assert torch.is_tensor((x**x).grad_fn._saved_exponent)


def test_results_that_have_no_derivative_lead_nowhere():
    values, indices = leaf().max(0)
    assert torch.equal(values.grad_fn._saved_indices, indices)
    assert not values.grad_fn._saved_indices.requires_grad
    assert [tuple(each.shape) for each in values.grad_fn._input_metadata] == [(3,)]


def test_arguments_without_a_derivative_have_no_place_among_the_next_functions():
    loss = torch.nn.functional.nll_loss(leaf(), torch.tensor([0, 1]))
    assert len(loss.grad_fn.next_functions) == 1
    made = leaf().scatter_reduce(0, torch.zeros(2, 3, dtype=torch.int64), leaf(), "sum")
    assert [each.name() for each, _ in made.grad_fn.next_functions] == ["torch::autograd::AccumulateGrad"] * 2


def test_what_was_freed_is_not_shown():
    y = leaf().exp()
    y.sum().backward()
    with pytest.raises(RuntimeError, match="after they have already been freed"):
        y.grad_fn._saved_result  # noqa: B018
