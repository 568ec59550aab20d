"""Functions that are no operators, and yet ask those who may stand before functions: modes, and the classes of tensors."""

import functools

from ..autograd.modes import state
from . import dispatch

__all__ = ["asking"]


def asking(function):
    """``function`` with its first argument's class and this thread's modes asked first.

    They are asked for it as for an operator: by ``__torch_function__``, then by ``__torch_dispatch__`` if PyTorch has an operator of
    that name.
    """
    name = function.__name__

    @functools.wraps(function)
    def public(*args, **kwargs):
        if state.rare or (args and args[0].__class__ not in dispatch._EXACT):
            result = _asked(public, name, args, kwargs)
            if result is not NotImplemented:
                return result
        return function(*args, **kwargs)

    return public


def _asked(public, name, args, kwargs):
    found = dispatch.overloaded((*args, *kwargs.values()))
    if found:
        types = tuple([type(each) for each in found if each is not dispatch._INNERMOST])
        for each in found:
            result = type(each).__torch_function__(public, types, args, kwargs)
            if result is not NotImplemented:
                return result
        raise dispatch.unanswered("torch." + name, found)
    return NotImplemented if dispatch.ask_method is None else dispatch.ask_method(name, args, kwargs)
