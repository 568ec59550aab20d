"""The copies of views show what the views show, in memory of their own, and pass the same gradients."""

import pytest

import rushlight as torch

CALLS = {
    "alias": (),
    "as_strided": ((3, 2), (1, 3)),
    "diagonal": (1,),
    "expand": ((2, 4, 3),),
    "narrow": (0, 1, 2),
    "permute": ((1, 0),),
    "select": (0, 2),
    "slice": (0, 1, 4, 2),
    "split": (3,),
    "split_with_sizes": ((1, 3),),
    "squeeze": (),
    "t": (),
    "transpose": (0, 1),
    "unbind": (1,),
    "unfold": (0, 2, 1),
    "unsqueeze": (1,),
    "view": ((2, 6),),
}
VIEWS = {"alias": lambda x: x[:], "slice": lambda x, dim, start, end, step: x[start:end:step]}


@pytest.mark.parametrize("name", CALLS)
def test_copy_is_the_view_without_its_memory(name):
    x = torch.arange(12.0).view(4, 3).requires_grad_()
    view = VIEWS.get(name, getattr(torch.Tensor, name, None))(x, *CALLS[name])
    copy = getattr(torch, f"{name}_copy")(x, *CALLS[name])
    views, copies = (each if isinstance(each, tuple) else (each,) for each in (view, copy))
    assert len(views) == len(copies)
    for theirs, own in zip(views, copies):
        assert own.tolist() == theirs.tolist() and own.is_contiguous() and own._base is None
        assert own.data_ptr() != theirs.data_ptr()
    weights = [torch.rand(each.shape) for each in copies]
    expected = torch.autograd.grad(views, x, weights)
    assert torch.autograd.grad(copies, x, weights)[0].tolist() == expected[0].tolist()


def test_nodes_are_named_after_the_views():
    x = torch.ones(2, 2, requires_grad=True)
    assert type(torch.diagonal_copy(x).grad_fn).__name__ == "DiagonalBackward0_copy"
    assert type(torch.squeeze_copy(x, 0).grad_fn).__name__ == "SqueezeBackward1_copy"
    assert type(x.narrow_copy(0, 0, 1).grad_fn).__name__ == "NarrowCopyBackward0"


def test_out():
    out = torch.empty(0)
    assert torch.t_copy(torch.ones(2, 3), out=out) is out and out.shape == (3, 2)
