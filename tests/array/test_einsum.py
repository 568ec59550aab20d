"""Reading einsum equations and choosing the order of products."""

import pytest

from rushlight.array import einsum


def test_letters_without_an_arrow_come_in_order_and_once():
    plan = einsum.parse("ba,bc", [(2, 3), (2, 4)])
    assert plan.output == [26, 28]  # a and c; b is summed


def test_an_ellipsis_is_aligned_at_the_right_and_comes_first():
    plan = einsum.parse("...i,...i", [(2, 3, 4), (3, 4)])
    assert plan.inputs == [[52, 53, 34], [53, 34]]
    assert plan.output == [52, 53]


def test_sublists_are_equations():
    a, b = object(), object()
    assert einsum.sublists_to_equation((a, [0, 26, ...], b, [26], [..., 0])) == ("Aa...,a->...A", [a, b])


def test_the_cheapest_pair_is_multiplied_first():
    sizes = {"i": 100, "j": 2, "k": 100, "l": 2}
    # (ij, jk, kl): jk·kl is 2x100x2, ij·jk is 100x2x100
    assert einsum.pair_order(["ij", "jk", "kl"], "il", sizes) == [(1, 2), (0, 1)]


@pytest.mark.parametrize(
    ("equation", "shapes", "text"),
    [
        ("ij,jk", [(2, 3)], "fewer operands were provided than specified in the equation"),
        ("ij", [(2, 3), (3, 4)], "more operands were provided than specified in the equation"),
        ("ij->ik", [(2, 3)], "output subscript k does not appear in the equation for any input operand"),
        ("ij->iij", [(2, 3)], "output subscript i appears more than once in the output"),
        ("ii", [(2, 3)], "subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"),
        ("i.j", [(2, 3)], "found '.' for operand 0 that is not part of any ellipsis"),
        (
            "i1",
            [(2, 3)],
            "invalid subscript given at index 1 in the equation string, subscripts must be in [a-zA-Z]",
        ),
        (
            "ij,jk",
            [(2, 3), (2, 3)],
            "subscript j has size 2 for operand 1 which does not broadcast with previously seen size 3",
        ),
    ],
)
def test_refusals_are_in_pytorchs_words(equation, shapes, text):
    with pytest.raises(RuntimeError) as caught:
        einsum.parse(equation, shapes)
    assert str(caught.value) == f"einsum(): {text}"
