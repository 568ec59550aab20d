"""The functions of tensors that are no operators here and are operators in PyTorch, and how its dispatcher spells their calls.

Most make tensors: ``torch.ones(2, 3)`` is ``aten.ones.default([2, 3], device=cpu, pin_memory=False)`` to a dispatch mode.
"""

from ..devices import cpu
from ..tensor import Tensor
from . import compare, core, creation
from .asarray import asarray
from .table import PLACES

__all__ = ["METHODS", "QUESTIONS", "spelled_call"]


#: what is asked about tensors; the answers are no tensors
QUESTIONS = ("equal", "allclose", "_local_scalar_dense", "sym_size", "sym_stride", "dim", "numel", "is_contiguous")


class Method:
    """What stands for an operator: a function of tensors, and the rule that spells its calls.

    ``rule(*args, **kwargs)`` returns the overload, arguments and keywords, or None where PyTorch calls no operator. ``draws``: whether
    the function draws random numbers.
    """

    def __init__(self, name, function, rule=None, shown=None, draws=False):
        self.name, self.function, self.rule = name, function, rule
        self.shown, self.draws = shown or name, draws


def spelled_call(method, args, kwargs):
    """(name, overload, args, kwargs) of a call, or None."""
    if method.rule is None:
        return method.shown, "default", args, kwargs
    found = method.rule(*args, **kwargs)
    return None if found is None else (method.shown, *found)


def _options(dtype=None, layout=None, device=None, memory_format=None, generator=None, **rest):
    given = dict(dtype=dtype, layout=layout, generator=generator)
    return {
        **{name: value for name, value in given.items() if value is not None},
        "device": cpu,
        "pin_memory": bool(rest.get("pin_memory")),
        **({} if memory_format is None else {"memory_format": memory_format}),
    }


def _like_options(**options):
    made = _options(**options)
    if options.get("device") is None:
        del made["device"]
    return made


def _size(size, named=None):
    if named is not None:
        return list(named)
    return list(size[0]) if len(size) == 1 and not isinstance(size[0], int) and size[0] is not None else list(size)


def _sized(overload):
    def rule(*size, **options):
        return overload, (_size(size, options.pop("size", None)),), _options(**options)

    return rule


def _filled(size, fill_value, **options):
    return "default", (_size((size,)), fill_value), _options(**options)


def _steps(*bounds, **options):
    for name in ("start", "end", "step"):
        if name in options:
            bounds = (*bounds, options.pop(name))
    return ("default", "start", "start_step")[len(bounds) - 1], bounds, _options(**options)


def _numbers(*numbers, **options):
    names = [name for name in ("n", "m", "row", "col", "start", "end", "steps", "base", "offset") if name in options]
    return "default", (*numbers, *[options.pop(name) for name in names]), _options(**options)


def _identity(n, m=None, **options):
    return ("default", (n,), _options(**options)) if m is None else ("m", (n, m), _options(**options))


def _integers(*args, low=None, high=None, size=None, **options):
    if size is None:
        *args, size = args
    bounds = tuple(args) or (high,) if low is None else (low, *args, *(() if high is None else (high,)))
    return ("low" if len(bounds) == 2 else "default"), (*bounds, _size((size,))), _options(**options)


def _strided(size, stride, **options):
    return "default", (list(size), list(stride)), _options(**options)


def _scalar(value, **options):
    return "default", (value,), _options(**options)


def _gaussian(mean, std=1.0, size=None, **options):
    if size is not None:
        return "float_float", (mean, std, _size((size,))), _options(**options)
    kinds = "_".join("Tensor" if isinstance(each, Tensor) else "float" for each in (mean, std))
    return kinds, (mean, std), {name: value for name, value in options.items() if value is not None}


def _like(input, *args, **options):
    return "default", (input, *args), _like_options(**options)


def _beside(self, *args, **options):
    size = _size(args, options.pop("size", None))
    return "default", (self, size), _like_options(**options)


def _filled_beside(self, size, fill_value, **options):
    return "default", (self, _size((size,)), fill_value), _like_options(**options)


def _bernoulli(input, p=None, **options):
    return ("default", (input,), {}) if p is None else ("p", (input, p), {})


def _bernoulli_fill(self, p=0.5, **options):
    if isinstance(p, Tensor):
        return "Tensor", (self, p), {}
    return "float", (self,) if p == 0.5 else (self, p), {}


def _fresh(make):
    """Data that becomes a tensor: it is made by itself, and shown then. A tensor passes unseen."""

    def rule(data, *args, **options):
        if isinstance(data, Tensor) and make is not creation.tensor:
            return None
        if "requires_grad" in options:
            options["requires_grad"] = False
        return "default", (make(data, *args, **options),), {}

    return rule


def _fill_rule(*defaults):
    def rule(self, *args, generator=None, **named):
        args = [*args, *named.values()]
        while args and args[-1] == defaults[len(args) - 1]:
            args.pop()
        return "default", (self, *args), {} if generator is None else {"generator": generator}

    return rule


def _random_fill(self, *bounds, generator=None, **named):
    bounds = (*bounds, *named.values())
    return (
        ("default", "to", "from")[len(bounds)],
        (self, *bounds),
        {} if generator is None else {"generator": generator},
    )


def _set_rule(self, source=None, *rest, **named):
    if source is None:
        return "default", (self,), {}
    return "source_Tensor" if isinstance(source, Tensor) else "source_Storage", (self, source, *rest), named


def _resized(self, *sizes, **named):
    return "default", (self, _size(sizes)), {name: value for name, value in named.items() if value is not None}


_sampled = PLACES[""]


def _laid_out(input, memory_format=None):
    return ("default", (input,), {}) if memory_format is None else ("memory_format", (input, memory_format), {})


#: by name: the function, and the rule that spells its calls
_FUNCTIONS = {
    "empty": (creation.empty, _sized("memory_format")),
    **{name: (getattr(creation, name), _sized("default")) for name in ("zeros", "ones")},
    **{name: (_sampled[name], _sized("default")) for name in ("rand", "randn")},
    "full": (creation.full, _filled),
    "arange": (creation.arange, _steps),
    "range": (creation.range_, _steps),
    "eye": (creation.eye, _identity),
    **{name: (getattr(creation, name), _numbers) for name in ("linspace", "logspace")},
    "randperm": (_sampled["randperm"], _numbers),
    "randint": (_sampled["randint"], _integers),
    "empty_strided": (creation.empty_strided, _strided),
    "scalar_tensor": (creation.scalar_tensor, _scalar),
    "normal": (_sampled["normal"], _gaussian),
    **{f"{name}_like": (getattr(creation, f"{name}_like"), _like) for name in ("zeros", "ones", "empty", "full")},
    **{f"{name}_like": (_sampled[f"{name}_like"], _like) for name in ("rand", "randn", "randint")},
    **{name: (getattr(Tensor, name), _beside) for name in ("new_zeros", "new_ones", "new_empty")},
    "new_full": (Tensor.new_full, _filled_beside),
    "bernoulli": (_sampled["bernoulli"], _bernoulli),
    "multinomial": (_sampled["multinomial"], None),
    **{name: (getattr(Tensor, name), _fill_rule(0.0, 1.0)) for name in ("uniform_", "normal_", "cauchy_")},
    "exponential_": (Tensor.exponential_, _fill_rule(1.0)),
    "log_normal_": (Tensor.log_normal_, _fill_rule(1.0, 2.0)),
    "geometric_": (Tensor.geometric_, _fill_rule(None)),
    "bernoulli_": (Tensor.bernoulli_, _bernoulli_fill),
    "random_": (Tensor.random_, _random_fill),
    "set_": (core.set_, _set_rule),
    "resize_": (core.resize_, _resized),
    "detach": (core.detach, None),
    "equal": (compare.equal, None),
    "allclose": (compare.allclose, None),
    "lift_fresh": (lambda input: input, None),
    "_local_scalar_dense": (Tensor.item, None),
    "sym_size": (lambda input: tuple(input.shape), None),
    "sym_stride": (Tensor.stride, None),
    "dim": (lambda input: input.ndim, None),
    "numel": (lambda input: input.numel(), None),
    "is_contiguous": (lambda input, *format: input.is_contiguous(*format), _laid_out),
}
_DRAWING = (
    *(
        "rand",
        "randn",
        "randint",
        "randperm",
        "normal",
        "rand_like",
        "randn_like",
        "randint_like",
        "bernoulli",
        "multinomial",
    ),
    *("uniform_", "normal_", "cauchy_", "exponential_", "log_normal_", "geometric_", "bernoulli_", "random_"),
)
METHODS = {name: Method(name, *both, draws=name in _DRAWING) for name, both in _FUNCTIONS.items()}
for _make in (creation.tensor, creation.as_tensor, asarray):
    METHODS[_make.__name__] = Method(_make.__name__, _make, _fresh(_make), "lift_fresh")
