"""Binding the arguments of a call to an operator's parameters, and PyTorch's words for arguments that do not fit."""

import numpy as np

from ..tensor import Tensor
from .older import rewritten

__all__ = ["bind", "combination_error", "numpy_names", "require_tensors", "spoken_type", "type_error", "wrong_argument"]

#: names that NumPy's users write for PyTorch's, accepted by PyTorch too
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def numpy_names(kwargs, known):
    """``kwargs`` with NumPy's names replaced by PyTorch's where only those are ``known``."""
    return {
        (_NUMPY_NAMES[k] if k in _NUMPY_NAMES and k not in known and _NUMPY_NAMES[k] in known else k): v
        for k, v in kwargs.items()
    }


def bind(op, args, kwargs):
    """The bound arguments in the order of ``op.params``; TypeError in PyTorch's words."""
    try:
        return (op.bind or op.binder())(*args, **kwargs)
    except TypeError as error:
        if kwargs:
            renamed = numpy_names(kwargs, op.params)
            if renamed.keys() != kwargs.keys():
                return bind(op, args, renamed)
        today = rewritten(op, args, kwargs)
        if today is not None:
            return bind(op, *today)
        raise _binding_error(op, args, kwargs, error) from None


def _binding_error(op, args, kwargs, error):
    name = op.shown
    defaults = len(getattr(op.kernel, "__defaults__", None) or ())
    doubled = [k for k in kwargs if k in op.params[: len(args)]]
    if doubled:
        return TypeError(f"{name}() got multiple values for argument '{doubled[0]}'")
    if len(args) > op.positional:
        plural = "" if op.positional == 1 else "s"
        least = f"from {op.positional - defaults} to " if defaults else ""
        return TypeError(
            f"{name}() takes {least}{op.positional} positional argument{plural} but {len(args)} were given"
        )
    given = set(op.params[: len(args)]) | set(kwargs)
    missing = [p for p in op.params[: op.positional - defaults] if p not in given]
    if missing:
        quoted = ", ".join(f'"{m}"' for m in missing)
        plural = "s" if len(missing) == 1 else ""  # so it is in PyTorch
        return TypeError(f"{name}() missing {len(missing)} required positional argument{plural}: {quoted}")
    unknown = [k for k in kwargs if k not in op.params]
    if unknown:
        return TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
    return TypeError(str(error).replace("<lambda>", name))


def type_error(op, name, position, value, wanted="Tensor"):
    where = f" (position {position})" if position else ""
    return TypeError(f"{op.shown}(): argument '{name}'{where} must be {wanted}, not {spoken_type(value)}")


def spoken_type(value):
    """The name PyTorch gives a type: that of NumPy's has its module."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


#: parameters that are one whole number wherever they occur, and those that are in most operators (but not in `_SEVERAL_DIMS`)
_WHOLE = {"dim0", "dim1", "dim2", "diagonal", "offset", "start", "length", "k"}
_SEVERAL_DIMS = {
    "amax",
    "amin",
    "logsumexp",
    "sum",
    "mean",
    "nansum",
    "nanmean",
    "std",
    "var",
    "any",
    "all",
    "count_nonzero",
}


def _is_whole(value):
    """Whether a value can stand for a whole number; True and False cannot."""
    return hasattr(type(value), "__index__") and not isinstance(value, bool)


def wrong_argument(op, args, kwargs):
    """PyTorch's TypeError for a dimension that is no whole number, found after the operator stumbled over it; or None."""
    for place, name in enumerate(op.params):
        positional = place < len(args)
        if not positional and name not in kwargs:
            continue
        value = args[place] if positional else kwargs[name]
        whole = name in _WHOLE or (name == "dim" and op.name not in _SEVERAL_DIMS)
        if whole and not _is_whole(value) and value is not None:
            return type_error(op, name, place + 1 if positional else 0, value, "int")
        if name == "dims" or (name == "dim" and op.name in ("amax", "amin", "logsumexp")):
            if not _is_whole(value) and not isinstance(value, (tuple, list)):
                return type_error(op, name, place + 1 if positional else 0, value, "tuple of ints")
    return None


def require_tensors(op, values):
    """TypeError where a tensor belongs and something else stands."""
    for i, name in enumerate(op.params[: op.positional]):
        value = values[i]
        if name == "input" or name in op.rules:
            if isinstance(value, Tensor):
                continue
            if op.required >> i & 1:
                raise type_error(op, name, i + 1, value)
            if value.__class__ in (str, np.ndarray, dict, set) or (name == "input" and value is None):
                raise type_error(op, name, i + 1, value)
            if op.elementwise and value.__class__ in (list, tuple):
                raise type_error(op, name, i + 1, value)
    if op.elementwise and op.numbers != "any":
        _require_operands(op, values)
    if op.elementwise and not any(isinstance(v, Tensor) for v in values):
        if op.positional == 1 or not all(isinstance(v, (int, float, complex)) for v in values[:2]):
            raise type_error(op, op.params[0], 1, values[0])


def _require_operands(op, values):
    """TypeError for Python numbers where an elementwise operator wants tensors."""
    if op.numbers == "one":
        given = values[: len(op.operands)]
        if not any(isinstance(each, Tensor) for each in given):
            raise combination_error(op, given)
        return
    for i, name in enumerate(op.params[: op.positional]):
        if name not in op.operands or isinstance(values[i], Tensor) or values[i] is None:
            continue
        if op.numbers == "none":
            raise type_error(op, name, i + 1, values[i])
        if name == op.operands[0]:
            raise combination_error(op, values[: len(op.operands)])


def overload_error(name, args, kwargs, overloads):
    """PyTorch's text for arguments that fit none of ``overloads`` (the signatures as it writes them, without parentheses).

    Under an overload of as many parameters as arguments were given (a lone ``*`` counts as one) it marks those of the wrong type.
    """
    given = [spoken_type(each) for each in args] + [f"{key}={spoken_type(each)}" for key, each in kwargs.items()]
    lines = [f"{name}() received an invalid combination of arguments - got ({', '.join(given)}), but expected one of:"]
    for overload in overloads:
        lines.append(f" * ({overload})")
        wanted = overload.split(", ")
        if len(wanted) == len(args) and not kwargs:
            marked = ", ".join(map(_marked, args, wanted))
            lines.append(f"      didn't match because some of the arguments have invalid types: ({marked})")
    return TypeError("\n".join(lines) + "\n")


_FITS = {"Tensor": Tensor, "int": int, "Number": (int, float, complex), "bool": bool}


def _marked(value, wanted):
    """The type of an argument, between exclamation marks where the parameter ``wanted`` does not take it."""
    kind, _, _ = wanted.rpartition(" ")
    sequence = isinstance(value, (tuple, list))
    if kind == "tuple of ints":
        fits = sequence and all(isinstance(each, int) for each in value)
    else:
        fits = isinstance(value, _FITS.get(kind, ()))
    if fits or not sequence:
        return spoken_type(value) if fits else f"!{spoken_type(value)}!"
    return f"!{spoken_type(value)} of ({', '.join(map(spoken_type, value))})!"


_SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")


_NUMBER_SELF = ("pow", "xlogy", "special_xlogy", "special_xlog1py", "special_zeta")


def combination_error(op, given):
    """PyTorch's text for arguments that fit no overload: tensors, or a number for the second or (``numbers="one"``) the first."""
    first, second = op.operands[0], op.operands[-1]
    shown = ", ".join(spoken_type(each) for each in given)
    if op.name == "rsub":
        return TypeError(
            f"rsub() received an invalid combination of arguments - got ({shown}), but expected one of:\n"
            " * (Tensor input, Tensor other, *, Number alpha = 1)\n * (Tensor input, Number other, Number alpha = 1)\n"
        )
    out = ", *, Tensor out = None" if op.out else ""
    swapped = ""
    if op.numbers == "one" and op.name in ("remainder", "bitwise_and", "bitwise_or", "bitwise_xor", *_SHIFTS):
        marked = ", ".join([f"!{spoken_type(each)}!" for each in given])
        swapped = f" * (Number self, Tensor {second})\n      didn't match because some of the arguments have invalid types: ({marked})\n"
    elif op.numbers == "one":
        swapped = f" * (Number {'self' if op.name in _NUMBER_SELF else first}, Tensor {second}{out})\n"
    return TypeError(
        f"{op.shown}() received an invalid combination of arguments - got ({shown}), but expected one of:\n"
        f" * (Tensor {first}, Tensor {second}{out})\n{swapped} * (Tensor {first}, Number {second}{out})\n"
    )
