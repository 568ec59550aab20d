"""What operators say of an ``out=`` tensor of the wrong dtype. PyTorch's texts differ from operator to operator.

Each function here makes a ``check_out`` of the op table: a function of the result's dtype and the ``out=`` tensor's.
"""

from .. import dtypes

__all__ = ["castable", "keep_same", "only", "same"]


def same(text):
    """The two must be one dtype; ``text`` may name ``{result}`` and ``{out}`` (``Double``), ``{cpp_result}`` and ``{cpp_out}``."""

    def check(result, out):
        if result is not out:
            names = dict(result=result.legacy, out=out.legacy, cpp_result=result.cpp_name, cpp_out=out.cpp_name)
            names["int32"] = result is dtypes.int32
            raise RuntimeError(text.format(**names))

    return check


def castable(text, error=RuntimeError):
    """The result's dtype must be castable to the other."""

    def check(result, out):
        if not dtypes.can_cast(result, out):
            raise error(text.format(out=out.legacy))

    return check


def only(allowed, text, error=RuntimeError):
    """``allowed(out)`` must hold."""

    def check(result, out):
        if not allowed(out):
            raise error(text.format(out=out.legacy))

    return check


def keep_same(made, out, text="Expected out tensor to have dtype {cpp_result}, but got {cpp_out} instead"):
    """Refuse an ``out=`` of another dtype than ``made``, a composite's result."""
    if out is not None:
        same(text)(made.dtype, out.dtype)
