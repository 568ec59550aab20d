"""Conjugate and negative views: two sides of one memory."""

import copy

import pytest

import rushlight as torch


def matrix():
    return torch.tensor([[1 + 2j, 3 - 1j], [0 + 1j, 2 + 0j]])


def test_a_conjugate_is_a_view():
    x = matrix()
    c = x.conj()
    assert c.is_conj() and not x.is_conj() and c._base is x and c.data_ptr() == x.data_ptr()
    assert c.stride() == x.stride() and x.t().conj().stride() == x.t().stride()
    assert c.conj().tolist() == x.tolist() and not c.conj().is_conj() and c.conj().data_ptr() == x.data_ptr()
    assert torch.ones(2).conj().is_conj() is False


@pytest.mark.parametrize(
    "view", [lambda c: c.t(), lambda c: c[0], lambda c: c.detach(), lambda c: c.view(-1), lambda c: c.H.conj()]
)
def test_views_of_a_conjugate_are_conjugates(view):
    assert view(matrix().conj()).is_conj()


@pytest.mark.parametrize(
    "copied", [torch.clone, lambda c: c + 0, lambda c: c[[0]], lambda c: c.resolve_conj(), copy.deepcopy]
)
def test_copies_of_a_conjugate_are_not(copied):
    assert not copied(matrix().conj()).is_conj()


def test_writes_to_the_base_are_seen():
    x = matrix()
    c, part, apart = x.conj(), x.conj()[0], x.conj().detach()
    x.mul_(2)
    assert (c * 1).tolist() == c.tolist() == [[2 - 4j, 6 + 2j], [-2j, 4]]
    assert part.sum().item() == 8 - 2j
    assert apart.tolist() == c.tolist()
    with torch.no_grad():
        shown = x.conj()
    x.fill_(2 + 1j)
    assert repr(shown[0]) == "tensor([2.-1.j, 2.-1.j])"


def test_writes_to_a_conjugate_reach_the_base():
    x = matrix()
    c, other = x.conj(), x.conj()
    c.mul_(1j)
    assert x.tolist() == [[2 - 1j, -1 - 3j], [1, -2j]]
    assert other.tolist() == c.tolist()
    other[0] = 5j
    assert x[0].tolist() == [-5j, -5j]
    x[1, 1] = 7
    c.t()[1].add_(1j)  # reads what was just written to x
    assert x[:, 1].tolist() == [-6j, 7 - 1j]
    torch.add(x, 1, out=c)
    assert x[1, 1].item() == 8 + 1j


def test_a_slice_keeps_its_strides():
    x = matrix()
    c = x[:, 1:].conj()
    c += 1
    assert x.tolist() == [[1 + 2j, 4 - 1j], [1j, 3]] and c.stride() == (2, 1)


def test_the_imaginary_part_of_a_conjugate_is_a_negative_view():
    x = matrix()
    i = x.conj().imag
    assert i.is_neg() and not (-i).is_neg() and not i.resolve_neg().is_neg()
    x.mul_(2)
    assert (
        torch.exp(i * 0).sum().item() == 4 and i.abs().tolist() == [[4, 2], [2, 0]] and i.tolist() == [[-4, 2], [-2, 0]]
    )
    i.clamp_(-1, 1)
    assert x.imag.tolist() == [[1, -1], [1, 0]]
    i.add_(1)
    assert x.imag.tolist() == [[0, -2], [0, -1]]
    assert x.conj().real.data_ptr() == x.data_ptr() and not x.conj().real.is_neg()


def test_what_cannot_be_shared_says_so():
    c = matrix().conj()
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that has conjugate bit set"):
        c.numpy()
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that has negative bit set"):
        c.imag.numpy()
    with pytest.raises(RuntimeError, match="view_as_real doesn't work on unresolved conjugated tensors"):
        torch.view_as_real(c)
    assert c.numpy(force=True).tolist() == c.tolist()


def test_gradients_pass_both_ways():
    x = matrix().requires_grad_()
    y = x * 1
    c = y.conj()
    c.mul_(2)
    assert type(y.grad_fn).__name__ == "CopySlices" and type(c.grad_fn).__name__ == "ConjBackward0"
    (c * c.conj()).real.sum().backward()
    assert x.grad.tolist() == (8 * x.detach()).tolist()


def test_parts_are_two_nodes():
    x = matrix().requires_grad_()
    part = x.imag
    assert [type(part.grad_fn).__name__, part.grad_fn.next_functions[0][0].name()] == [
        "SelectBackward0",
        "ViewAsRealBackward0",
    ]
    part.sum().backward()
    assert x.grad.tolist() == [[1j, 1j], [1j, 1j]]
