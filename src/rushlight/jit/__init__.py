"""``torch.jit``: scripts and traces are the functions and modules themselves, which run as Python.

What TorchScript is for beyond running (files, C++ and mobile deployment) is not here and says so.
"""

import functools
import warnings
from typing import Any, Final, NamedTuple  # noqa: F401

from ..absent import stand_in
from ..nn.modules.module import Module

__all__ = [
    *(
        "Final",
        "ScriptModule",
        "annotate",
        "export",
        "fork",
        "freeze",
        "ignore",
        "is_scripting",
        "is_tracing",
        "isinstance",
    ),
    *(
        "load",
        "optimize_for_inference",
        "save",
        "script",
        "script_if_tracing",
        "script_method",
        "trace",
        "trace_module",
    ),
    *("unused", "wait"),
]

_isinstance = isinstance


def _deprecated(name):
    warnings.warn(
        f"`torch.jit.{name}` is deprecated. Please switch to `torch.compile` or `torch.export`.",
        DeprecationWarning,
        stacklevel=3,
    )


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The module, function or class itself."""
    _deprecated("script")
    return obj


class TracerWarning(Warning):
    """PyTorch's warning about what a trace does not record; nothing here raises it."""

    @staticmethod
    def ignore_lib_warnings():
        """There are none to ignore."""


class Error(RuntimeError):
    """PyTorch's error within scripts; code runs as Python here and raises what it raises."""


class Attribute(NamedTuple):
    """A value and its type, in a script module that was told of it; here it stays the pair."""

    value: Any
    type: Any


class ScriptModule(Module):
    """A base for modules whose methods are scripts; they run as Python, as those of any module do."""

    @property
    def original_name(self):
        """The name of the class."""
        return type(self).__name__


class RecursiveScriptModule(ScriptModule):
    """What ``isinstance`` is asked for: `script` gives the module itself here."""


ScriptModule.__module__ = RecursiveScriptModule.__module__ = "torch.jit._script"


class ScriptFunction:
    """What ``isinstance`` is asked for: functions stay functions here."""


def _overload(func):
    """The function itself: a signature among several of one function, for the compiler."""
    return func


_overload_method = _overload


def trace(func, example_inputs=None, *args, example_kwarg_inputs=None, check_trace=True, **options):
    """The function or module itself, run once on the example inputs, so that what does not fit shows now."""
    _deprecated("trace")
    given = (
        example_inputs if _isinstance(example_inputs, tuple) else () if example_inputs is None else (example_inputs,)
    )
    func(*given, **(example_kwarg_inputs or {}))
    return func


def trace_module(mod, inputs, *args, **options):
    """The module itself; each method named in ``inputs`` is run once."""
    _deprecated("trace_method")
    for name, given in inputs.items():
        getattr(mod, name)(*(given if _isinstance(given, tuple) else (given,)))
    return mod


def script_method(fn):
    return fn


def script_if_tracing(fn):
    return fn


def export(fn):
    return fn


def unused(fn):
    return fn


def ignore(drop=False, **kwargs):
    return drop if callable(drop) else lambda fn: fn


def annotate(the_type, the_value):
    return the_value


def isinstance(obj, target_type):
    """Whether ``obj`` is of a type, or of one of several; containers by their origin."""
    kinds = target_type if _isinstance(target_type, tuple) else (target_type,)
    return _isinstance(obj, tuple([getattr(kind, "__origin__", kind) for kind in kinds]))


def is_scripting():
    """False: code runs as Python."""
    return False


def is_tracing():
    return False


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The module itself, which must be in evaluation mode."""
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module before freezing."
        )
    return mod


def optimize_for_inference(mod, other_methods=None):
    return mod


def fork(func, *args, **kwargs):
    """Run the function now; ``wait`` gives its result."""
    return functools.partial(lambda result: result, func(*args, **kwargs))


def wait(future):
    return future()


def _no_files(*args, **kwargs):
    raise NotImplementedError("rushlight has no TorchScript files; save a state_dict with torch.save instead")


save = load = _no_files

__getattr__ = stand_in(__name__, "rushlight has no TorchScript: code runs as Python")
