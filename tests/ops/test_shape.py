"""Views of tensors: derivatives by differences, memory shared with the base, names of nodes, sizes splatted or not."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4))
Z = X + 1j * X[::-1]

VIEWS = {
    "view": lambda x: x.view(4, -1),
    "reshape": lambda x: x.transpose(0, 2).reshape(6, 4),
    "expand": lambda x: x[:, :1].expand(5, 2, 3, 4),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, -1),
    "movedim": lambda x: x.movedim((0, 1), (2, 0)),
    "squeeze": lambda x: x[:, :1].squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(-2),
    "flatten": lambda x: x.flatten(1),
    "unflatten": lambda x: x.unflatten(2, (2, -1)),
    "select": lambda x: x.select(1, -1),
    "narrow": lambda x: x.narrow(2, -3, 2),
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "unfold apart": lambda x: x.unfold(2, 2, 2),
    "as_strided": lambda x: x.as_strided((3, 2), (2, 5), 1),
    "mT": lambda x: x.mT,
    "T": lambda x: x[0].T,
    "view_as": lambda x: x.view_as(torch.zeros(6, 4)),
}
COPIES = {
    "unfold": lambda x: x.unfold(2, 3, 1),
    "as_strided overlapping": lambda x: x.as_strided((5, 6), (2, 1)),
    "unbind": lambda x: x.unbind(1),
    "split": lambda x: x.split(2, 2),
    "split sizes": lambda x: x.split([1, 0, 3], 2),
    "one part": lambda x: x.split(9, 2),
    "one part used": lambda x: x.chunk(2, 2)[1],
    "tensor_split": lambda x: x.tensor_split((1, 2), -1),
    "hsplit": lambda x: x.hsplit(3),
    "sum_to_size": lambda x: x.sum_to_size(3, 1),
    "H": lambda x: x[0].H,
    "slice": lambda x: x[:, ::2],
}


@pytest.mark.parametrize("name", [*VIEWS, *COPIES])
@pytest.mark.parametrize("at", [X, Z], ids=["real", "complex"])
def test_derivatives_agree_with_differences(name, at):
    check({**VIEWS, **COPIES}[name], at)


@pytest.mark.parametrize("at", [X, Z], ids=["real", "complex"])
def test_derivatives_of_parts_of_complex_numbers(at):
    check(lambda x: x.conj(), at)
    check(lambda x: torch.real(x), at)
    check(lambda x: torch.view_as_complex(torch.view_as_real(x * (1 + 1j)) * 2), at)
    if at is Z:
        check(lambda x: x.imag * x.real, at)


@pytest.mark.parametrize("name", VIEWS)
def test_writes_to_a_view_reach_the_base(name):
    x = torch.zeros(2, 3, 4)
    y = VIEWS[name](x)
    if name == "reshape":
        assert y._base is None
    elif name == "expand":
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single"):
            y.add_(1)
    else:
        y.add_(1)
        assert x.sum() == y.numel() and y._base is x


def test_in_place_writes_to_views_are_differentiated():
    def f(x):
        y = x * 1
        y.transpose(0, 1)[0].mul_(2)
        y.diagonal(0, 1, 2).mul_(3)
        y.view(-1)[:5].add_(x.view(-1)[3:8])
        return y * y

    check(f, X, second=False)


def test_names_of_nodes():
    x = torch.zeros(2, 3, requires_grad=True)
    names = {
        "view": lambda: x.view(6),
        "permute": lambda: x.permute(1, 0),
        "transpose": lambda: x.transpose(0, 1),
        "t": lambda: x.t(),
        "expand": lambda: x.expand(1, 2, 3),
        "unsqueeze": lambda: x.unsqueeze(0),
        "select": lambda: x.select(0, 0),
        "diagonal": lambda: x.diagonal(),
        "unfold": lambda: x.unfold(0, 1, 1),
    }
    for name, make in names.items():
        assert make().grad_fn.name() == name.capitalize() + "Backward0"
    assert [x.squeeze().grad_fn.name()[-1], x.squeeze(0).grad_fn.name()[-1], x.squeeze((0,)).grad_fn.name()[-1]] == [
        *"012"
    ]


def test_sizes_may_be_given_one_by_one_or_together():
    x = torch.arange(6)
    for made in (x.view(2, 3), x.view((2, 3)), x.view([2, 3]), x.view(torch.Size((2, 3))), x.reshape(2, -1)):
        assert made.shape == (2, 3)
    assert x.expand(2, 6).shape == x.expand((2, 6)).shape == (2, 6)
    assert x.view(2, 3).permute(1, 0).shape == (3, 2)


def test_a_tensor_takes_on_another_shape():
    x = torch.zeros(2, 3)
    assert x.unsqueeze_(0) is x and x.shape == (1, 2, 3)
    assert x.squeeze_(0).t_().shape == (3, 2) and x.transpose_(0, 1).shape == (2, 3)


def test_a_view_in_another_dtype_shares_memory():
    x = torch.zeros(2)
    x.view(torch.int32)[0] = 0x3F800000
    assert x.tolist() == [1, 0]


@pytest.mark.filterwarnings("ignore:.*0-D tensors")
def test_the_matrix_transpose_of_a_scalar_is_the_scalar():
    x = torch.ones((), requires_grad=True) * 1
    assert x.mT is x and x.mH is x


def test_a_reshape_that_copies_is_a_clone_and_its_view():
    x = torch.ones(4, 2, requires_grad=True)
    copied = x.t().reshape(8)
    assert not copied._is_view()
    assert copied.grad_fn.name() == "UnsafeViewBackward0"
    assert copied.grad_fn.next_functions[0][0].name() == "CloneBackward0"
    assert x.t().reshape(1, 2, 4).grad_fn.name() == "ReshapeAliasBackward0"
    raveled = x.t().ravel()
    assert raveled._is_view()
    assert raveled._base.grad_fn.name() == "CloneBackward0"
    copied.sum().backward()
    assert x.grad.tolist() == [[1, 1]] * 4


def test_what_changes_nothing():
    x = torch.ones(4, 2)
    assert x.flatten(0, 0) is x
    assert x.contiguous() is x
    assert x.reshape(4, 2) is not x
    assert x.reshape(4, 2)._base is x


def test_memory_read_as_another_dtype_is_no_view_and_has_no_gradient():
    x = torch.ones(2, requires_grad=True)
    y = x.view(torch.int32)
    assert not y.requires_grad
    assert not y._is_view()
    y.zero_()
    assert x.tolist() == [0, 0]
    assert x._version == y._version == 1


def test_unsafe_parts_share_memory_and_nothing_else():
    x = torch.zeros(4)
    first, _ = x.unsafe_split(2)
    first.add_(1)
    assert x.tolist() == [1, 1, 0, 0]
    assert (x._version, first._version, first._is_view()) == (0, 1, False)


def test_strides_of_new_dimensions_of_size_one():
    x = torch.zeros(2, 3)
    assert x[None].stride() == (6, 3, 1)
    assert x[:, None].stride() == x.unsqueeze(1).stride() == (3, 3, 1)
    assert x.t()[None, 1:].stride() == (3, 1, 3)
    assert torch.zeros(3).expand(1, 2, 3).stride() == (0, 0, 1)
