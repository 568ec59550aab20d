"""``functionalize`` and ``debug_unwrap``: what programs written for PyTorch's transforms expect beside them."""

import functools

from ..autograd.levels import Lane

__all__ = ["debug_unwrap", "functionalize"]


def functionalize(func, *, remove="mutations"):
    """``func`` as it is.

    PyTorch's version rewrites a program for its compilers so that nothing in it is written in place, with the same results. Here
    functions run as they are written, in-place operations under every transform included, so there is nothing to rewrite.
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
        return func(*args, **kwargs)

    return wrapped


def debug_unwrap(tensor, *, recurse=True):
    """What a tensor of a transform stands for (of the outermost, or with ``recurse=False`` of the innermost): to look at, not to compute
    with. Any other tensor is returned as it is."""
    while isinstance(tensor._a, Lane):
        tensor = tensor._a.held
        if not recurse:
            break
    return tensor
