"""The parts of a tensor's text, for classes of tensors that show themselves."""

import rushlight as torch
from rushlight import _tensor_str


def test_the_parts_of_a_text():
    x = torch.arange(4.0).reshape(2, 2)
    assert _tensor_str._tensor_str(x, 3) == "[[0., 1.],\n    [2., 3.]]"
    assert _tensor_str._str_intern(x, tensor_contents="...") == "tensor(...)"
    assert _tensor_str._add_suffixes("T(1", ["a=1", "b" * 90], 2, False) == f"T(1, a=1,\n  {'b' * 90})"
    assert _tensor_str._add_suffixes("T(1", ["a=1", "b=2"], 2, True) == "T(1,\n  a=1, b=2)"
