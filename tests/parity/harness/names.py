"""The same public name, or the same small function, on another module.

The database describes operators by PyTorch's function objects and by small lambdas that mention `torch`. A `Translator`
finds a function object's public name and looks that name up in the target module; a Python function of the test
suite is taken over as it is, with the global names it mentions translated the same way.
"""

import builtins
import functools
import types
import typing

import numpy as np
import torch
import torch.masked
import torch.signal

# Where public names are looked for, the most specific first so that `linalg.norm` is not called `norm`.
_HOMES = (
    "linalg",
    "fft",
    "special",
    "nn.functional",
    "masked",
    "signal.windows",
    "nn",
    "autograd",
    "autograd.forward_ad",
    "Tensor",
    "",
)


class Absent(Exception):
    """The target module has no such name (the text is the dotted name)."""


def look_up(module, path):
    """`module.a.b.c` for the path "a.b.c"; `Absent` when a part is missing."""
    value = module
    for part in path.split(".") if path else ():
        try:
            value = getattr(value, part)
        except AttributeError:
            # a submodule may need an import of its own, as `torch.masked` does
            if isinstance(value, types.ModuleType):
                try:
                    value = __import__(f"{value.__name__}.{part}", fromlist=["*"])
                    continue
                except ImportError:
                    pass
            raise Absent(path) from None
    return value


@functools.cache
def _public_names():
    """id(object) -> list of dotted public names, for everything callable and every dtype PyTorch shows."""
    names = {}
    for home in _HOMES:
        holder = look_up(torch, home)
        names.setdefault(id(holder), []).append(home)
        for name in dir(holder):
            if home == "" and name.startswith("_"):
                continue
            try:
                value = getattr(holder, name)
            except Exception:  # descriptors that refuse to be read from the class
                continue
            if value is None or isinstance(value, (int, float, str, bool, tuple)):
                continue
            names.setdefault(id(value), []).append(f"{home}.{name}".lstrip("."))
    return names


_NATIVE = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), np.ndarray, np.generic, range)


def _slice_operator(input, dim=0, start=None, end=None, step=1):
    """`torch.ops.aten.slice` through the public way to say it: indexing."""
    return input[(slice(None),) * (dim % max(input.dim(), 1)) + (slice(start, end, step),)]


class Translator:
    """Carries values that belong to PyTorch over to `target`, a module with PyTorch's names."""

    def __init__(self, target):
        self.target = target
        self._functions = {}

    def operator(self, op):
        """The target's callable for a database entry."""
        if op.name == "slice":
            return _slice_operator
        if op.name in _public_names().get(id(op.op), ()):
            return look_up(self.target, op.name)
        return self.value(op.op)

    def value(self, value):
        """Anything but a tensor: dtypes, devices, functions, containers of these."""
        if isinstance(value, _NATIVE):
            return value
        if value is torch:
            return self.target
        if isinstance(value, torch.Size):
            return self.target.Size(tuple(value))
        if type(value) in (tuple, list):
            return type(value)(self.value(v) for v in value)
        if type(value) is dict:
            return {k: self.value(v) for k, v in value.items()}
        if isinstance(value, slice):
            return slice(self.value(value.start), self.value(value.stop), self.value(value.step))
        if isinstance(value, torch.device):
            return look_up(self.target, "device")(str(value))
        if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
            return look_up(self.target, str(value).split(".")[1])
        paths = _public_names().get(id(value))
        if paths:
            return look_up(self.target, paths[0])
        if isinstance(value, functools.partial):
            return functools.partial(self.value(value.func), *self.value(value.args), **self.value(value.keywords))
        if isinstance(value, types.FunctionType):
            return self._function(value) if (value.__module__ or "").startswith("torch.") else value
        if isinstance(value, types.ModuleType) and value.__name__.startswith("torch."):
            return look_up(self.target, value.__name__[len("torch.") :])
        if isinstance(value, torch.nn.Module) and not list(value.parameters()):
            twin = look_up(self.target, f"nn.{type(value).__name__}")()
            for name, setting in vars(value).items():
                if not name.startswith("_"):
                    setattr(twin, name, setting)
            return twin
        return value

    def _function(self, function):
        """A Python function of PyTorch's test suite whose globals are the target's."""
        if function.__name__ == "wrapper_set_seed":
            return self._seeded
        known = self._functions.get(function)
        if known is not None:
            return known
        scope = {"__builtins__": builtins}
        closure = None
        if function.__closure__:
            closure = tuple(types.CellType(self.value(cell.cell_contents)) for cell in function.__closure__)
        twin = types.FunctionType(
            function.__code__, scope, function.__name__, self.value(function.__defaults__), closure
        )
        twin.__kwdefaults__ = self.value(function.__kwdefaults__)
        self._functions[function] = twin  # before its globals are filled: functions may mention themselves
        for name in _names_in(function.__code__):
            if name in function.__globals__:
                scope[name] = self.value(function.__globals__[name])
        return twin

    def _seeded(self, op, *args, **kwargs):
        """The test suite's wrapper for random operators: a fixed seed before each call."""
        self.target.manual_seed(42)
        return op(*args, **kwargs)


def _names_in(code) -> typing.Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)
