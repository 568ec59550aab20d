"""The operators on lists of tensors: how arguments are spread over the list, and what is refused."""

import pytest

import rushlight as torch


def lists():
    return [torch.ones(2), torch.full((3,), 2.0)], [torch.full((2,), 3.0), torch.full((3,), 4.0)]


def values(made):
    return [each.tolist() for each in made]


@pytest.mark.parametrize(
    "other, expected",
    [(3, [[4, 4], [5] * 3]), ([1, 2], [[2, 2], [4] * 3]), (torch.tensor(3.0), [[4, 4], [5] * 3])],
)
def test_the_last_argument_is_one_for_all_or_one_each(other, expected):
    a, b = lists()
    made = torch._foreach_add(a, other)
    assert isinstance(made, tuple) and values(made) == expected and values(a) == [[1, 1], [2] * 3]
    assert torch._foreach_add_(a, other) is a and values(a) == expected
    assert values(torch._foreach_mul(b, b)) == [[9, 9], [16] * 3]


def test_factors_and_names():
    a, b = lists()
    assert values(torch._foreach_add(a, b, alpha=2)) == values(torch._foreach_add(self=a, other=b, alpha=2))
    assert values(torch._foreach_sub(a, scalar=1)) == [[0, 0], [1] * 3]
    assert values(torch._foreach_sub(a, scalars=[1, 2])) == [[0, 0], [0] * 3]
    assert values(torch._foreach_lerp(a, b, weight=0.5)) == [[2, 2], [3] * 3]
    assert values(torch._foreach_lerp(a, b, weights=a)) == [[3, 3], [6] * 3]
    assert torch._foreach_add.__name__ == "_foreach_add"


def test_products_with_a_factor_for_each():
    a, b = lists()
    for factors in ([1, 2], torch.tensor([1.0, 2.0])):
        assert values(torch._foreach_addcmul(a, b, b, factors)) == [[10, 10], [34] * 3]
    assert values(torch._foreach_addcmul(a, b, b)) == [[10, 10], [18] * 3]
    torch._foreach_addcdiv_(a, b, b, value=2)
    assert values(a) == [[3, 3], [4] * 3]
    with pytest.raises(RuntimeError, match="Expected length of scalars to match input of length 2 but got 3 instead"):
        torch._foreach_addcmul(a, b, b, torch.ones(3))
    with pytest.raises(RuntimeError, match="packed scalar Tensor to be of dimension 1. Got 2"):
        torch._foreach_addcmul(a, b, b, torch.ones(2, 1))


def test_extrema_take_numbers_and_keep_dtypes_in_place():
    ints = [torch.tensor([1, 3])]
    assert values(torch._foreach_maximum(ints, 2)) == [[2, 3]]
    assert torch._foreach_maximum(ints, 1.5)[0].dtype is torch.float32
    assert values(torch._foreach_minimum_(ints, 2)) == [[1, 2]]
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type long int"):
        torch._foreach_maximum_(ints, 1.5)


def test_norms_powers_and_copies():
    a, b = lists()
    assert torch._foreach_norm(a)[1].item() == pytest.approx(12**0.5)
    assert [each.item() for each in torch._foreach_norm(b, float("inf"))] == [3, 4]
    assert [each.item() for each in torch._foreach_max(b)] == [3, 4]
    assert [each.item() for each in torch._foreach_powsum(a, 3)] == [2, 24]
    assert values(torch._foreach_pow(2, a)) == [[2, 2], [4] * 3]
    assert values(torch._foreach_pow(a, 2)) == [[1, 1], [4] * 3]
    assert values(torch._foreach_mm([torch.ones(1, 2)], [torch.ones(2, 1)])) == [[[2]]]
    copies = torch._foreach_clone(a)
    torch._foreach_copy_(a, b)
    torch._foreach_zero_(b)
    assert values(copies) == [[1, 1], [2] * 3] and values(a) == [[3, 3], [4] * 3] and values(b) == [[0, 0], [0] * 3]
    with pytest.raises(RuntimeError, match="infinity norm on an empty tensor"):
        torch._foreach_norm([torch.ones(0)], float("inf"))
    with pytest.raises(RuntimeError, match="maximum of an empty tensor"):
        torch._foreach_max([torch.ones(0)])


def test_gradients_are_those_of_the_operators():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    torch._foreach_mul([x, x], [x, 3 * x])[1].sum().backward()
    assert x.grad.tolist() == [6, 12]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        torch._foreach_exp_([x])


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda a: torch._foreach_add([], 1), RuntimeError, "Tensor list must have at least one tensor."),
        (lambda a: torch._foreach_abs([]), RuntimeError, "Tensor list must have at least one tensor."),
        (lambda a: torch._foreach_add(a, a[:1]), RuntimeError, "same number of tensors, got 2 and 1"),
        (lambda a: torch._foreach_add(a, [1]), RuntimeError, "must have same number of elements as scalar list"),
        (lambda a: torch._foreach_add(a, torch.ones(2)), RuntimeError, "0 dim but it has 1 dimensions and 2 elements"),
        (lambda a: torch._foreach_add(a, [1, 2], alpha=2), TypeError, "expected Tensor as element 0 in argument 1"),
        (lambda a: torch._foreach_add(a, "x"), TypeError, r"got \(list, str\), but expected one of"),
        (lambda a: torch._foreach_add(a, 1, alpha=2), TypeError, r"got \(list, int, alpha=int\)"),
        (lambda a: torch._foreach_add(a[0], 1), TypeError, r"tuple of Tensors self, Number scalar\)"),
        (lambda a: torch._foreach_norm(a, "fro"), TypeError, r"'ord' \(position 2\) must be Number, not str"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call(lists()[0])
