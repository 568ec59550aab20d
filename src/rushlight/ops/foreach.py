"""``torch._foreach_*``: one operator applied to each tensor of a list, as third-party optimisers and moving averages call it.

On the CPU these are loops; what they add to the operators is how arguments are spread over the list. A declaration names the
operator and the forms of its last argument in PyTorch's words, from which follow the keyword names, what is taken and the text
of the TypeError. A function whose name ends in ``_`` writes into the tensors of its first list and returns that list; the
others return a tuple. Gradients are those of the single operators.
"""

from math import inf
from numbers import Number

from .. import dtypes
from ..tensor import Tensor
from .creation import tensor
from .dispatch import operand_dtype
from .table import TENSOR

__all__ = []

_SCALAR = "Number scalar"
_SCALARS = "tuple of Scalars scalars"
_TENSOR = "Tensor other"
_TENSORS = "tuple of Tensors other"
_ALPHA = ", *, Number alpha = 1"
_UNARY = (
    *("abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma"),
    *("log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh"),
    *("sqrt", "tan", "tanh", "trunc"),
)


def _tensors(value, position):
    """A list of at least one tensor; TypeError or RuntimeError for any other."""
    if not value:
        raise RuntimeError("Tensor list must have at least one tensor.")
    for index, each in enumerate(value):
        if not isinstance(each, Tensor):
            kind = type(each).__name__
            raise TypeError(f"expected Tensor as element {index} in argument {position}, but got {kind}")
    return value


def _of_length(value, position, count):
    if len(_tensors(value, position)) != count:
        raise RuntimeError(f"Tensor lists must have the same number of tensors, got {count} and {len(value)}")
    return value


def _is_list(value):
    return isinstance(value, (list, tuple))


class _Form:
    """One form of a last argument, read from its description in PyTorch's words: "Number scalar"."""

    def __init__(self, text):
        self.text = text
        spoken, _, options = text.partition(", *")
        spoken, _, default = spoken.partition(" = ")
        self.kind, _, self.name = spoken.rpartition(" ")
        self.optional, self.default = bool(default), int(default or 0)
        self.takes_alpha = "alpha" in options

    def takes(self, value):
        if self.kind == "Number":
            return isinstance(value, Number) or (isinstance(value, Tensor) and value.ndim == 0)
        if self.kind == "Tensor":
            return isinstance(value, Tensor)
        if not _is_list(value):
            return False
        if self.kind == "tuple of Tensors":
            return any(isinstance(each, Tensor) for each in value) or not value
        return all(isinstance(each, Number) for each in value)

    def spread(self, value, position, count, packed):
        """The argument of each of ``count`` tensors; ``packed`` says that a single tensor holds a number for each."""
        if self.kind == "Number":
            return [value.item() if isinstance(value, Tensor) else value] * count
        if self.kind == "tuple of Tensors":
            return _of_length(value, position, count)
        if self.kind == "tuple of Scalars":
            if len(value) != count:
                raise RuntimeError("Tensor list must have same number of elements as scalar list.")
            return value
        if not packed:
            if value.ndim:
                spoken = f"{value.ndim} dimensions and {value.numel()} elements"
                raise RuntimeError(f"scalar tensor expected to be 0 dim but it has {spoken}.")
            return [value] * count
        if value.ndim != 1:
            raise RuntimeError(f"Expected packed scalar Tensor to be of dimension 1. Got {value.ndim} instead.")
        if len(value) != count:
            raise RuntimeError(
                f"Expected length of scalars to match input of length {count} but got {len(value)} instead."
            )
        return value.tolist()


class _Declaration:
    """What a family of functions takes: lists of tensors by name, then a last argument in one of several forms."""

    def __init__(self, name, lists, forms, packed):
        self.name, self.lists, self.packed = f"_foreach_{name}", lists, packed
        self.forms = [_Form(text) for text in forms]

    def refusal(self, args, kwargs):
        given = [type(each).__name__ for each in args]
        given += [f"{name}={type(each).__name__}" for name, each in kwargs.items()]
        known = "".join(f"tuple of Tensors {name}, " for name in self.lists)
        lines = [f"{self.name}() received an invalid combination of arguments - got ({', '.join(given)}), "]
        lines[0] += "but expected one of:"
        lines += [f" * ({known}{form.text})" for form in self.forms]
        return TypeError("\n".join(lines) + "\n")

    def arguments(self, args, kwargs):
        """The lists, the last argument of each tensor, and the options that the operator takes as they are."""
        rest = dict(kwargs)
        known = len(self.lists)
        lists = [*args[:known], *(rest.pop(name, None) for name in self.lists[len(args) :])]
        if len(args) > known + 1 or not all(map(_is_list, lists)):
            raise self.refusal(args, kwargs)
        options = {"alpha": rest.pop("alpha")} if "alpha" in rest else {}
        forms = [form for form in self.forms if form.takes_alpha or not options]
        if len(args) > known:
            last = args[known]
        elif rest:
            name, last = rest.popitem()
            forms = [form for form in forms if form.name == name]
        else:
            forms = [form for form in forms if form.optional]
            last = forms[0].default if forms else None
        form = next((form for form in forms if form.takes(last)), None)
        if form is None and options and _is_list(last) and forms:
            form = forms[-1]  # with alpha a list can only be one of tensors: its numbers are what is refused
        if form is None or rest:
            raise self.refusal(args, kwargs)
        count = len(_tensors(lists[0], 0))
        lists[1:] = [_of_length(each, position, count) for position, each in enumerate(lists[1:], 1)]
        return lists, form.spread(last, known, count, self.packed), options


def _publish(name, function):
    function.__name__ = function.__qualname__ = f"_foreach_{name}"
    function.__module__ = "torch"
    globals()[function.__name__] = function


def _declare(name, *forms, lists=("self",), packed=False, plain=None, written=None):
    """``_foreach_<name>`` and ``_foreach_<name>_``, after the operators of that name or those given."""
    declared = _Declaration(name, lists, forms, packed)
    plain, written = plain or getattr(TENSOR, name), written or getattr(TENSOR, name + "_")

    def on_each(*args, **kwargs):
        lists, last, options = declared.arguments(args, kwargs)
        return tuple([plain(*each, **options) for each in zip(*lists, last)])

    def into_each(*args, **kwargs):
        lists, last, options = declared.arguments(args, kwargs)
        for each in zip(*lists, last):
            written(*each, **options)
        return lists[0]

    _publish(name, on_each)
    _publish(name + "_", into_each)


def _declare_unary(name):
    plain, written = getattr(TENSOR, name), getattr(TENSOR, name + "_")

    def on_each(self):
        return tuple([plain(each) for each in _tensors(self, 0)])

    def into_each(self):
        for each in _tensors(self, 0):
            written(each)
        return self

    _publish(name, on_each)
    _publish(name + "_", into_each)


def _extremum(name):
    """``maximum`` or ``minimum``, which take tensors only and write nowhere, for numbers and for writing."""
    operator = getattr(TENSOR, name)

    def plain(input, other):
        if not isinstance(other, Tensor):
            other = tensor(other, dtype=operand_dtype([input._a, other]))
        return operator(input, other)

    def written(input, other):
        result = plain(input, other)
        if not dtypes.can_cast(result.dtype, input.dtype):
            spoken = (
                f"result type {result.dtype.legacy} can't be cast to the desired output type {input.dtype.cpp_name}"
            )
            raise RuntimeError(spoken)
        return input.copy_(result)

    return dict(plain=plain, written=written)


def _weighted(operator):
    """An operator of three tensors and ``value=``, which is the last positional argument here."""
    return lambda input, tensor1, tensor2, value: operator(input, tensor1, tensor2, value=value)


for _name in _UNARY:
    _declare_unary(_name)

_declare("add", _SCALAR, _SCALARS, _TENSOR + _ALPHA, _TENSORS + _ALPHA)
_declare("sub", _SCALAR, _SCALARS, _TENSORS + _ALPHA)
_declare("mul", _SCALAR, _SCALARS, _TENSOR, _TENSORS)
_declare("div", _SCALAR, _SCALARS, _TENSOR, _TENSORS)
for _name in ("clamp_max", "clamp_min"):
    _declare(_name, _SCALAR, _SCALARS, _TENSORS)
for _name in ("maximum", "minimum"):
    _declare(_name, _SCALAR, _SCALARS, _TENSORS, **_extremum(_name))
_declare("pow", "Number exponent", "tuple of Scalars exponent", "tuple of Tensors exponent")
_declare("lerp", "Number weight", "tuple of Scalars weight", "tuple of Tensors weights", lists=("self", "tensors1"))
for _name in ("addcdiv", "addcmul"):
    _declare(
        *(_name, _SCALARS, "Tensor scalars", "Number value = 1"),
        lists=("self", "tensor1", "tensor2"),
        packed=True,
        plain=_weighted(getattr(TENSOR, _name)),
        written=_weighted(getattr(TENSOR, _name + "_")),
    )


def _after(name):
    """Show the function that follows as ``_foreach_<name>``."""
    return lambda function: _publish(name, function) or function


def _of_numbers(power):
    """``pow`` whose first argument may be a number, raised to each of a list of exponents."""

    def on_each(*args, **kwargs):
        if args and isinstance(args[0], Number):
            base, exponent = args if len(args) == 2 else (args[0], kwargs.get("exponent"))
            if _is_list(exponent):
                return tuple([TENSOR.pow(base, each) for each in _tensors(exponent, 1)])
        return power(*args, **kwargs)

    return on_each


_publish("pow", _of_numbers(_foreach_pow))  # type: ignore[name-defined]  # noqa: F821 (declared above)


@_after("norm")
def _norm(self, ord=2, dtype=None):
    if not isinstance(ord, Number):
        raise TypeError(f"_foreach_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    for each in _tensors(self, 0):
        if ord == inf and not each.numel():
            raise RuntimeError(
                "_foreach_norm cannot compute the infinity norm on an empty tensor because the operation does not have "
                "an identity"
            )
    return tuple([TENSOR.linalg_vector_norm(each, ord, dtype=dtype) for each in self])


@_after("powsum")
def _powsum(self, ord=2, dtype=None):
    return tuple([TENSOR.sum(TENSOR.pow(TENSOR.abs(each), ord), dtype=dtype) for each in _tensors(self, 0)])


@_after("max")
def _max(self):
    if not all(each.numel() for each in _tensors(self, 0)):
        raise RuntimeError(
            "_foreach_max cannot compute the maximum of an empty tensor; max over zero elements is undefined."
        )
    return tuple([TENSOR.max(each) for each in self])


@_after("mm")
def _mm(self, mat2):
    pairs = zip(_tensors(self, 0), _of_length(mat2, 1, len(self)))
    return tuple([TENSOR.mm(*pair) for pair in pairs])


@_after("clone")
def _clone(self, *, memory_format=None):
    return tuple([each.clone(memory_format=memory_format) for each in _tensors(self, 0)])


@_after("copy_")
def _copy_(self, src, non_blocking=False):
    for each, source in zip(_tensors(self, 0), _of_length(src, 1, len(self))):
        each.copy_(source, non_blocking)
    return self


@_after("zero_")
def _zero_(self):
    for each in _tensors(self, 0):
        each.zero_()
    return self
