"""What products, linear algebra and Fourier functions ask of an ``out=`` tensor.

Operators say it in their declaration (``out="same"``, ``check_out``); this file has the checks they share, and gives composites
their ``out=``. PyTorch's rule is one of three: the result's own dtype, a dtype it can be cast to, or a kind of dtype.
"""

from .. import dtypes
from ..tensor import Tensor
from .dispatch import copy_out, store_out
from .table import COMPOSITES, TENSOR, _show

__all__ = ["accept_out", "castable", "complex_out", "floating_out", "same_dtype", "worded"]


def same_dtype(dtype, target):
    """The result's own dtype."""
    if dtype is not target:
        raise RuntimeError(f"Expected out tensor to have dtype {dtype.cpp_name}, but got {target.cpp_name} instead")


def castable(name, what="result"):
    """A dtype the result can be cast to."""

    def check(dtype, target):
        if not dtypes.can_cast(dtype, target):
            raise RuntimeError(
                f"{name}: Expected {what} to be safely castable from {dtype.legacy} dtype, but got {what} with dtype "
                f"{target.legacy}"
            )

    return check


def worded(text, attribute="legacy"):
    """The result's own dtype, refused in words of the function's own: ``text`` with {dtype} and {target}."""

    def check(dtype, target):
        if dtype is not target:
            raise RuntimeError(text.format(dtype=getattr(dtype, attribute), target=getattr(target, attribute)))

    return check


def complex_out(name):
    def check(dtype, target):
        if not target.is_complex:
            raise RuntimeError(f"{name} expects a complex output tensor, but got {target.legacy}")

    return check


def floating_out(name):
    def check(dtype, target):
        if not target.is_floating_point:
            raise RuntimeError(f"{name} expects a floating point output tensor, but got {target.legacy}")

    return check


def accept_out(name, check=None, spoken=None, copies=False, varying=None):
    """Give the composite ``name`` its ``out=``.

    ``spoken`` is the operator that PyTorch's refusal of gradients names; ``copies`` says that PyTorch copies into the tensor
    instead, which is recorded, and refuses leaves in the words of in-place writes. Where these vary, ``check``, ``spoken`` and ``copies`` together
    are what the function ``varying`` makes of the call's arguments.
    """
    public, options = COMPOSITES[name]

    def function(*args, out=None, **kwargs):
        if out is None:
            return public(*args, **kwargs)
        result = public(*args, **kwargs)
        asked, says, written = varying(*args, **kwargs) if varying is not None else (check, spoken or name, copies)
        outs = out if isinstance(out, (tuple, list)) else (out,)
        if asked is not None:
            for target, made in zip(outs, result if isinstance(result, tuple) else (result,)):
                asked(made._dtype, target._dtype)
        if written:
            for target, made in zip(outs, result if isinstance(result, tuple) else (result,)):
                copy_out(made, target)
        else:
            store_out(says, result, out)
        return type(result)(*outs) if hasattr(result, "_fields") else out

    function.__name__ = function.__qualname__ = public.__name__
    function.__module__ = public.__module__
    function.__doc__ = public.__doc__
    COMPOSITES[name] = (function, options)
    setattr(TENSOR, name, function)
    aliases = options.get("aliases", ())
    _show(name, function, aliases, dict(options, method=False))
    if options.get("method", True):
        for each in (name, *aliases):  # methods take no out=
            if getattr(Tensor, each, None) is not None:
                setattr(Tensor, each, public)
