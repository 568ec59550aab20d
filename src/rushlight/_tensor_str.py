"""``torch._tensor_str``: the parts of a tensor's text, for classes of tensors that show themselves."""

from .printing import PRINT_OPTS, _contents, tensor_repr  # noqa: F401
from .printing import add_notes as _add_suffixes  # noqa: F401
from .tensor import reading

__all__ = []


def _tensor_str(self, indent):
    """The numbers of a tensor, lines after the first indented."""
    return _contents(reading(self), indent)


def _str_intern(inp, *, tensor_contents=None):
    """What ``repr`` gives; ``tensor_contents`` stands for the numbers."""
    return tensor_repr(inp, tensor_contents=tensor_contents)
