"""An elementwise operator's rule as a list of array calls, found by running the rule once on symbols.

`engine` runs a rule as the Python function it is. A large stretch of the graph runs faster as one straight-line program in which every
call writes into memory that is in the cache already; for that, the calls a rule makes must be known beforehand. `trace` hands it
symbols in place of arrays and notes what it does with them. A rule that asks a symbol for more than arithmetic and operators (its
dtype, its truth) stays one opaque call.

A step is ``(function, arguments, fills)``: ``fills`` says that the function is a ufunc whose result has the operands' dtype, so that it
can be given memory to write to. An argument is ``("g", 0)``, the cotangent; ``("v", j)``, the j-th saved value; ``("t", i)``, the
result of step i; or ``("k", number)``.
"""

import operator

import numpy as np

from .table import OPS, RAW

__all__ = ["trace"]


class _Opaque(Exception):
    """The rule wants to know more of its arguments than a symbol can say."""


class _Symbol:
    """Stands for an array while a rule is traced."""

    __slots__ = ("place", "steps", "truth")
    __array_ufunc__ = None

    def __init__(self, steps, place, truth=False):
        self.steps, self.place, self.truth = steps, place, truth

    def __getattr__(self, name):
        raise _Opaque(name)

    def __bool__(self):
        raise _Opaque("bool")


def _step(steps, function, arguments, fills, truth=False):
    places = []
    for each in arguments:
        if isinstance(each, _Symbol):
            if fills and each.truth:
                raise _Opaque("arithmetic on a mask")
            places.append(each.place)
        elif each.__class__ in (int, float):
            places.append(("k", each))
        else:
            raise _Opaque(type(each).__name__)
    steps.append((function, tuple(places), fills))
    return _Symbol(steps, ("t", len(steps) - 1), truth)


def _method(function, fills, swapped=False, truth=False):
    def method(self, *others):
        arguments = (self, *others)
        return _step(self.steps, function, arguments[::-1] if swapped else arguments, fills, truth)

    return method


for _name, _ufunc in dict(add=np.add, sub=np.subtract, mul=np.multiply, truediv=np.true_divide).items():
    setattr(_Symbol, f"__{_name}__", _method(_ufunc, True))
    setattr(_Symbol, f"__r{_name}__", _method(_ufunc, True, swapped=True))
_Symbol.__neg__ = _method(np.negative, True)  # type: ignore[operator]
_Symbol.__pow__ = _method(operator.pow, False)  # type: ignore[operator]
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(_Symbol, f"__{_name}__", _method(getattr(operator, _name), False, truth=True))


class _Operators:
    """The namespace ``F`` of a traced rule."""

    def __init__(self, steps):
        self.steps = steps

    def conj(self, input):
        """Stretches are of real numbers."""
        return input

    def __getattr__(self, name):
        op, function = OPS.get(name), getattr(RAW, name)
        kernel = op and (op.plain or op.kernel)
        ufunc = isinstance(kernel, np.ufunc) and op.kind in ("same", "float")

        def operate(*arguments):
            if op is not None and op.elementwise and not ufunc and op.plain is None:
                # a kernel that is plain arithmetic can be followed like a rule
                before = len(self.steps)
                try:
                    followed = op.kernel(*arguments)
                    if isinstance(followed, _Symbol):
                        return followed
                except (_Opaque, TypeError):
                    pass
                del self.steps[before:]
            return _step(self.steps, kernel if ufunc else function, arguments, ufunc)

        return operate


def trace(rule, constant, names, defaults):
    """The steps that pull a cotangent back by ``rule``, and the place of the result.

    Args:
        rule: the operand's ``Rule``.
        constant: the partial derivative where it is a number, else None.
        names: what the saved values are called, in order.
        defaults: the values of the operator's other parameters, by name.
    """
    steps = []
    g = _Symbol(steps, ("g", 0))
    if constant is not None:
        return (steps, g.place) if constant == 1 else (steps, (-g if constant == -1 else g * constant).place)
    given = [_Symbol(steps, ("v", names.index(n))) if n in names else defaults[n] for n in rule.needs]
    before = (g,) if rule.wants_g else ()
    try:
        result = rule.function(_Operators(steps), *before, *given)
        result = result if rule.wants_g else g * result
        if not isinstance(result, _Symbol):
            raise _Opaque("a number")
    except (_Opaque, TypeError):
        del steps[:]
        result = _step(steps, _whole(rule, given), [*before, *[s for s in given if isinstance(s, _Symbol)]], False)
        result = result if rule.wants_g else g * result
    return steps, result.place


def _whole(rule, given):
    """The rule as one function of the cotangent, if it takes it, and of the saved values."""
    fixed = [None if isinstance(each, _Symbol) else each for each in given]
    lead = 1 if rule.wants_g else 0

    def call(*arrays):
        saved = iter(arrays[lead:])
        filled = [next(saved) if isinstance(symbol, _Symbol) else value for symbol, value in zip(given, fixed)]
        return rule.function(RAW, *arrays[:lead], *filled)

    return call
