"""Orders of elements by pattern."""

import pytest

import rushlight as torch
from rushlight.func import rearrange


def test_dimensions_are_split_merged_and_moved():
    x = torch.arange(24).reshape(2, 3, 4)
    assert torch.equal(rearrange(x, "a b c -> c a b"), x.permute(2, 0, 1))
    assert torch.equal(rearrange(x, "a b c -> (b a) c"), x.transpose(0, 1).reshape(6, 4))
    split = rearrange(x, "a b (c d) -> a (d b) c", c=2)
    assert torch.equal(split, x.reshape(2, 3, 2, 2).permute(0, 3, 1, 2).reshape(2, 6, 2))
    assert torch.equal(rearrange(x, "... c -> c (...)"), x.permute(2, 0, 1).reshape(4, 6))
    assert rearrange(x, "a ... -> a 1 ... ()").shape == (2, 1, 3, 4, 1)
    assert rearrange(x[:1], "1 b c -> b c").shape == (3, 4)
    assert torch.equal(rearrange([x, x + 1], "s a b c -> a b c s"), torch.stack([x, x + 1], -1))


def test_gradients_go_through_and_views_share_memory():
    x = torch.ones(2, 6, requires_grad=True)
    y = rearrange(x, "a (b c) -> c a b", b=2)
    (y * torch.arange(12.0).reshape(3, 2, 2)).sum().backward()
    assert x.grad[0].tolist() == [0, 4, 8, 1, 5, 9]
    assert y.data_ptr() == x.data_ptr()


@pytest.mark.parametrize(
    "pattern, lengths, text",
    [
        ("a b c", {}, "Pattern must contain a single '->' separator"),
        ("a b c -> a b", {}, "Identifiers only on one side"),
        ("a b -> b a", {}, "must be equal to the number of dimensions in the tensor"),
        ("a b c d ... -> a b c d ...", {}, "must be less than or equal to"),
        ("a b c c -> a b c", {}, "duplicate dimension 'c'"),
        ("a b 2 -> a b", {}, "only supports unnamed axes of size 1"),
        ("a (b (c d)) -> a b c d", {}, "one-level"),
        ("a b c -> (a b c", {}, "Imbalanced parentheses"),
        ("a b c) -> a b c", {}, "Brackets are not balanced"),
        ("a (...) -> a ...", {}, "parenthesis in the left side"),
        ("a b c -> ... a b c", {}, "not left side"),
        ("_a b c -> b c _a", {}, "should not start or end with underscore"),
        ("a b c -> b c a", {"q": 3}, "Identifiers not found"),
        ("a b (c d) -> a b c d", {}, "cannot infer the sizes of two dimensions at once d2 and d3"),
        ("a b (c d) -> a b c d", {"c": 3}, "does not evenly fit"),
        ("a b c -> b c a", {"a": 3}, "do not match"),
    ],
)
def test_what_patterns_are_refused(pattern, lengths, text):
    with pytest.raises(Exception, match=text):
        rearrange(torch.zeros(2, 3, 4), pattern, **lengths)
