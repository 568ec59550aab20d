"""What products, linear algebra and Fourier functions ask of an ``out=`` tensor.

Operators say it in their declaration (``out="same"``, ``check_out``); this file has the checks they share, and gives composites
their ``out=``. PyTorch's rule is one of three: the result's own dtype, a dtype it can be cast to, or a kind of dtype.
"""

from .. import dtypes
from ..autograd.modes import state
from .answering import ask, foreign, shown
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
    options = COMPOSITES[name][1]

    def make(face):
        public = shown(face)

        def function(*args, out=None, **kwargs):
            if out is None:
                return public(*args, **kwargs)
            if state.rare or foreign((*args, out)):
                result = ask(face, (*args, *kwargs.values(), out), args, dict(kwargs, out=out))
                if result is not NotImplemented:
                    return result
            return write(public(*args, **kwargs), out, *(varying(*args, **kwargs) if varying is not None else usual))

        function.__doc__ = public.__doc__
        function.__wrapped__ = _WithOut(public)
        return function

    usual = check, spoken or name, copies
    made = _show(name, make, options.get("aliases", ()), dict(options, method=False))  # methods take no out=
    COMPOSITES[name] = (made, options)
    setattr(TENSOR, name, made)


class _WithOut:
    """A function's arguments and ``out``, for ``inspect``."""

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    @property
    def __signature__(self):
        from inspect import Parameter, signature

        found = signature(self.function)
        out = Parameter("out", Parameter.KEYWORD_ONLY, default=None)
        return found.replace(parameters=[*found.parameters.values(), out])


def write(result, out, check, spoken, copies):
    """Store a composite's result in ``out``, as ``accept_out`` says."""
    outs = out if isinstance(out, (tuple, list)) else (out,)
    results = result if isinstance(result, tuple) else (result,)
    if check is not None:
        for target, made in zip(outs, results):
            check(made._dtype, target._dtype)
    if copies:
        for target, made in zip(outs, results):
            copy_out(made, target)
    else:
        store_out(spoken, result, out)
    return type(result)(*outs) if hasattr(result, "_fields") else out
