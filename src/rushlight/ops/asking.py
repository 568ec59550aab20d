"""Functions that are no operators, and yet ask those who may stand before functions: modes, and the classes of tensors."""

import functools

from ..autograd.modes import state
from . import dispatch

__all__ = ["ask_first", "asking"]

#: functions of the top module that are no operators, by what they are about
_MAKERS = (
    *(
        "tensor",
        "as_tensor",
        "asarray",
        "frombuffer",
        "scalar_tensor",
        "zeros",
        "ones",
        "empty",
        "full",
        "eye",
        "complex",
    ),
    *("empty_strided", "empty_permuted", "arange", "range", "linspace", "logspace", "tril_indices", "triu_indices"),
    *("rand", "randn", "randint", "randperm", "normal", "rand_like", "randn_like", "randint_like"),
    *("bernoulli", "multinomial"),
    *("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"),
)
_QUESTIONS = (
    *("is_floating_point", "is_complex", "is_conj", "is_neg", "is_nonzero", "is_signed", "is_same_size"),
    *("is_inference", "is_distributed", "get_device", "numel"),
)


def asking(function, shown=None):
    """``function`` with its first argument's class and this thread's modes asked first; they are shown ``shown``, or what this returns.

    They are asked for it as for an operator: by ``__torch_function__``, then by ``__torch_dispatch__`` if PyTorch has an operator of
    that name.
    """
    name = function.__name__

    @functools.wraps(function)
    def public(*args, **kwargs):
        if state.rare or (args and args[0].__class__ not in dispatch._EXACT):
            result = _asked(shown or public, name, args, kwargs)
            if result is not NotImplemented:
                return result
            if dispatch.watch is not None:
                return dispatch.watch(name, function)(*args, **kwargs)
        return function(*args, **kwargs)

    return public


def ask_first(namespace):
    """Let the functions of a namespace that make tensors, or answer questions about one, ask as operators do."""
    for name in (*_MAKERS, *_QUESTIONS):
        function = namespace[name] = asking(namespace[name])
        function.__module__ = namespace["__name__"]


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
