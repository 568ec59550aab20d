"""Who answers for functions in rushlight's place (``__torch_function__``), and what they are shown.

A class of an argument answers, or a function mode of the thread. They are given the object that was called: one operator is found in
several places (``torch.abs``, ``torch.absolute``, ``Tensor.abs``), each an object of its own, as in PyTorch, and tables of handlers are
keyed by these. Such a *face* of an operator is known by its place (a key of ``table.PLACES``, ``METHODS``, or None where it is not
public) and its name there; the object is looked up when it is shown, for what stands in a place may wrap the operator.
"""

import functools
import inspect
import threading

import numpy as np

from .. import dtypes
from ..autograd.graph import warn_user
from ..autograd.modes import enter_rare, leave_rare, state
from ..parameter import Parameter
from ..tensor import Tensor
from .table import METHODS, PLACES, TENSOR

__all__ = ["EXACT", "ask", "disabled", "foreign", "functions", "handle", "in_turn", "overloaded", "shown"]

#: classes that answer for nothing
EXACT = {Tensor, Parameter, int, float, bool, str, type(None), tuple, list, slice, type(...), dtypes.dtype, np.ndarray}


class _FunctionModes(threading.local):
    """The function modes of this thread, and whether classes ("classes") or modes too ("all", "once") are passed over for now."""

    modes = ()
    off = None


functions = _FunctionModes()


class _Innermost:
    """Stands for the innermost function mode among those who answer for a function; the mode is off while it does."""

    @staticmethod
    def __torch_function__(function, types, args, *kwargs):
        was = functions.modes
        functions.modes = was[:-1]
        try:
            method = was[-1].__torch_function__
            if getattr(method, "__self__", None) is type(was[-1]):
                raise RuntimeError(
                    "Defining your mode's `__torch_function__` as a classmethod is not supported, please make it a plain method"
                )
            return method(function, types, args, *kwargs)
        finally:
            functions.modes = was


_INNERMOST = _Innermost()


def disabled(func, types, args=(), kwargs=None):
    """The ``__torch_function__`` of classes that leave functions to rushlight: run them as on plain tensors."""
    was, functions.off = functions.off, "classes"
    enter_rare()
    try:
        return func(*args, **(kwargs or {}))
    finally:
        leave_rare()
        functions.off = was


def foreign(values):
    """Whether the class of a value, or of a part of one, may answer for functions."""
    for value in values:
        kind = value.__class__
        if kind not in EXACT and hasattr(kind, "__torch_function__"):
            return True
        if kind is list or kind is tuple:
            for each in value:
                if each.__class__ not in EXACT and hasattr(each.__class__, "__torch_function__"):
                    return True
    return False


def overloaded(values, plain=False):
    """Who answers: a mode of this thread, then one value of each class that does, subclasses first; with ``plain``, Tensor among them."""
    found = []
    if state.rare:
        if functions.off == "all" or functions.off == "once":
            return found
        if functions.modes:
            found.append(_INNERMOST)
        if functions.off:
            return found
    for value in values:
        for each in value if value.__class__ is tuple or value.__class__ is list else (value,):
            kind = each.__class__
            if (kind in EXACT and not (plain and kind is Tensor)) or not hasattr(kind, "__torch_function__"):
                continue
            if kind.__torch_function__ is not disabled and all(kind is not type(o) for o in found):
                at = next((i for i, o in enumerate(found) if issubclass(kind, type(o))), len(found))
                found.insert(at, each)
    return found


# ------------------------------------------------------------------------------------------------------------ faces

#: functions that PyTorch has written in Python, by place: it spells their calls out before it asks
_IN_PYTHON = {
    "": frozenset(
        "atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors cartesian_prod cdist chain_matmul einsum meshgrid "
        "norm split stft tensordot unique_consecutive lu pca_lowrank svd_lowrank unique unravel_index lobpcg".split()
    ),
    METHODS: frozenset(
        "__array__ __contains__ __deepcopy__ __dir__ __dlpack__ __dlpack_device__ __floordiv__ __format__ __ipow__ __len__ "
        "__rdiv__ __reduce_ex__ __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__ __rmod__ __rpow__ "
        "__rrshift__ __rsub__ __rtruediv__ backward eig is_shared istft lstsq lu norm register_hook "
        "module_load register_post_accumulate_grad_hook share_memory_ solve split stft storage symeig unique unique_consecutive".split()
    ),
}
#: those of torch.nn.functional that it has not
_IN_C = frozenset(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d threshold_ relu_ hardtanh_ elu_ selu_ celu_ leaky_relu_ prelu rrelu_ logsigmoid gelu hardshrink "
    "softplus softshrink linear bilinear pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle "
    "pairwise_distance pdist cosine_similarity one_hot scaled_dot_product_attention".split()
)


def shown(face):
    """The object that users call at a face."""
    place, name = face
    if place is None:
        return getattr(TENSOR, name)
    return vars(Tensor)[name] if place == METHODS else PLACES[place][name]


def _in_python(face):
    place, name = face
    return name not in _IN_C if place == "nn.functional" else name in _IN_PYTHON.get(place, ())


def ask(face, values, args, kwargs):
    """What those among ``values`` who answer say to the call of the function at ``face``; NotImplemented if there is nobody to ask."""
    found = overloaded(values)
    if not found:
        return NotImplemented
    if face[0] is None and face[1] in PLACES["nn.functional"]:
        face = "nn.functional", face[1]
    function = shown(face)
    place, name = face
    if not _in_python(face):
        home = {None: "torch.", "": "torch.", "nn.functional": "torch.nn."}.get(place, f"torch.{place}.")
        return in_turn(home + function.__name__, function, found, args, kwargs)
    home = {"": "torch.functional", METHODS: "torch._tensor"}.get(place, "torch." + place)
    args, kwargs = spelt(function, args, kwargs)
    if place == METHODS:
        kwargs.pop("out", None)
    return handle(f"{home}.{name}", function, values, args, kwargs)


def _first_answer(function, found, args, *kwargs, warn):
    types = tuple([type(each) for each in found if each is not _INNERMOST])
    for each in found:
        method = each.__torch_function__
        if getattr(method, "__self__", None) is each:
            warn()
        result = method(function, types, args, *kwargs)
        if result is not NotImplemented:
            return result
    return NotImplemented


def _warn_of_method():
    warn_user(f"Defining your `__torch_function__ {_PLAIN_METHOD}", DeprecationWarning)


@functools.cache
def _warn_of_method_once():
    warn_user(f"Defining your `__torch_function__` {_PLAIN_METHOD}")


_PLAIN_METHOD = "as a plain method is deprecated and will be an error in future, please define it as a classmethod."


def handle(name, function, values, args, kwargs):
    """The first answer of those among ``values`` who answer, plain tensors included, for a function written in Python; else TypeError."""
    found = overloaded(values, plain=True)
    result = _first_answer(function, found, args, kwargs, warn=_warn_of_method)
    if result is not NotImplemented:
        return result
    text = f"no implementation found for '{name}' on types that implement __torch_function__: "
    text += str([type(each) for each in found if each is not _INNERMOST])
    if found[:1] and found[0] is _INNERMOST:
        text += f" nor in mode {functions.modes[-1]}"
    raise TypeError(text)


def in_turn(name, function, found, args, kwargs):
    """The first answer of ``found`` for any other function; else TypeError. They are given ``kwargs`` only if there are any."""
    result = _first_answer(function, found, args, *([kwargs] if kwargs else ()), warn=_warn_of_method_once)
    if result is not NotImplemented:
        return result
    who = [
        f"  - mode object {functions.modes[-1]!r}" if each is _INNERMOST else f"  - tensor subclass {type(each)!r}"
        for each in found
    ]
    raise TypeError(
        f"Multiple dispatch failed for '{name}'; all __torch_function__ handlers returned NotImplemented:\n\n"
        + "\n".join(who)
        + "\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
    )


def spelt(function, args, kwargs):
    """The arguments of a call with nothing left out: those without a default by position, the others by name.

    A mistake is left to whoever runs the function.
    """
    names, required, optional, gathers = _parameters(function)
    if gathers is None or not kwargs.keys() <= (optional.keys() if gathers else names):
        return args, kwargs
    if gathers:
        return args, optional | kwargs
    given = dict(zip(names, args))
    if len(given) < len(args) or not given.keys().isdisjoint(kwargs):
        return args, kwargs
    given |= kwargs
    if not given.keys() >= required.keys():
        return args, kwargs
    return tuple([given[name] for name in required]), optional | {n: v for n, v in given.items() if n not in required}


@functools.cache
def _parameters(function):
    """Names of all parameters, those without a default, the defaults of the others, and whether there is a ``*`` (None for a ``**``)."""
    found = inspect.signature(function).parameters.values()
    plain = [each for each in found if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    required = {each.name: None for each in plain if each.default is each.empty and each.kind is not each.KEYWORD_ONLY}
    optional = {each.name: each.default for each in plain if each.default is not each.empty}
    gathers = None if any(each.kind is each.VAR_KEYWORD for each in found) else len(plain) < len(found)
    return {each.name: None for each in plain}.keys(), required, optional, gathers
