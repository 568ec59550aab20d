"""``functionalize`` and ``debug_unwrap``: what programs written for PyTorch's transforms expect beside them."""

import functools

from ..autograd import levels
from ..autograd.levels import Lane
from ..autograd.modes import thread
from ..ops.core import contiguous_format
from ..ops.table import TENSOR
from ..storage import root
from ..tensor import Tensor
from ..utils._pytree import tree_leaves, tree_map

__all__ = ["debug_unwrap", "functionalize"]


class _Functional:
    """The extent of a functionalized call: a transform, to which operators are what they are."""

    def __enter__(self):
        thread.transforms += 1
        levels.push(self)

    def __exit__(self, *exc):
        thread.transforms -= 1
        levels.remove(self)

    def __call__(self, op, values, how):
        return NotImplemented

    def custom(self, cls, args):
        raise RuntimeError("NYI: Functionalize rule for custom_function_call")


def functionalize(func, *, remove="mutations"):
    """``func`` as seen from outside a program in which nothing is written in place.

    Its results are the same, and arguments that it writes to have their new values afterwards; but a result that shows memory which was
    written is a copy of it. With ``remove="mutations_and_views"`` every result that is a view is a contiguous copy. PyTorch's version
    rewrites the program for its compilers; here in-place operations run as they are written, under every transform.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are:\n"
            "     remove='mutations': all inplace and out= operators will be removed from the program, and replaced with their out-of-place "
            "equivalents.\n"
            "     remove='mutations_and_views': In addition to the above, all aliasing operators {view} will be replaced with their "
            "non-aliasing counterparts, {view}_copy.\n"
        )

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        before = [(each, each._vc[0]) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        with _Functional():
            output = func(*args, **kwargs)
        written = {id(root(each._a)) for each, version in before if each._vc[0] != version}

        def apart(each):
            if not isinstance(each, Tensor):
                return each
            copied = (
                remove == "mutations_and_views" and each._is_view() and not any(each is given for given, _ in before)
            )
            if copied or id(root(each._a)) in written:
                return TENSOR.clone(each, memory_format=contiguous_format if copied else None)
            return each

        return tree_map(apart, output)

    return wrapped


def debug_unwrap(tensor, *, recurse=True):
    """What a tensor of a transform stands for (of the outermost, or with ``recurse=False`` of the innermost): to look at, not to compute
    with. Any other tensor is returned as it is."""
    while isinstance(tensor._a, Lane):
        tensor = tensor._a.held
        if not recurse:
            break
    return tensor
