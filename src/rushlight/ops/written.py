"""The general path of a call, written out for one operator.

`dispatch` treats every operator alike: it walks over the bound arguments, looks at each one's class, and keeps lists of what it found.
For the everyday call (plain tensors, numbers, no special mode) the same steps are written out here as straight-line source for the
operator's own parameters, when it is first called. Whatever is not ordinary (subclasses, ``out=``, modes, lists of tensors, arguments
that do not bind) goes to `dispatch.call`, which says what is wrong.
"""

import types

import numpy as np

from .. import dtypes
from ..autograd.modes import state, thread
from ..autograd.source import define
from ..parameter import Parameter
from ..size import Size
from ..tensor import Tensor, _new, edge_of, wrap_view
from .forms import form_of
from .record import make_node
from .table import TENSOR

__all__ = ["REFER", "holds_parts", "written"]

#: classes of arguments that are neither tensors nor could hold any
_SIMPLE = frozenset((int, float, bool, str, type(None), complex, dtypes.dtype))
_NUMBERS = frozenset((int, float))


#: classes of what sizes, dimensions and subscripts are made of
_PARTS = frozenset((int, float, bool, slice, type(None), type(...)))


def holds_parts(value):
    """Whether a sequence holds numbers and slices only: the usual case of sizes, dimensions and subscripts."""
    if value.__class__ is Size:
        return True
    if value.__class__ is not tuple and value.__class__ is not list:
        return False
    for each in value:
        if each.__class__ not in _PARTS:
            return False
    return True


#: what a written call returns instead of a result when the general path has to look at the arguments
REFER = object()


def written(op):
    """The everyday call of an operator as a function of its parameters, which returns ``REFER`` for every other call."""
    from . import dispatch

    defaults = op.defaults()
    scope = dict(op=op, kernel=op.kernel, layouts=op.layouts, Tensor=Tensor, Parameter=Parameter, edge_of=edge_of)
    scope.update(state=state, thread=thread, new=_new, ndarray=np.ndarray, make_node=make_node, of=dtypes.of)
    scope.update(SIMPLE=_SIMPLE, NUMBERS=_NUMBERS, holds_parts=holds_parts, as_number=_as_number)
    scope.update(complete=dispatch.complete, wrap_one=dispatch.wrap_one, layout_of=dispatch.layout_of, form_of=form_of)
    scope.update({f"default_{name}": value for name, value in defaults.items()})
    scope.update(wrap_view=wrap_view, refer=_refer, always=dispatch.layout_of(op, _certain(op)[1]))
    define(_source(op, defaults), op.name, scope)
    everyday = op.everyday = scope["everyday"]
    if getattr(TENSOR, op.name, None) is op.public:
        # rules need not go by way of the public function: theirs goes on to the general path by itself
        by_itself = {**scope, "refer": dispatch.call}
        made = types.FunctionType(everyday.__code__, by_itself, op.name, everyday.__defaults__)
        made.__kwdefaults__ = everyday.__kwdefaults__
        setattr(TENSOR, op.name, made)
    return everyday


def _refer(op, args, kwargs):
    return REFER


def _as_number(dtype, value):
    """A Python number as a 0-d array, the form in which elementwise kernels are given numbers."""
    found = dtype.constants.get(value)
    return np.asarray(value, dtype.numpy) if found is None else found


def _signature(op, defaults):
    parts = []
    for i, name in enumerate(op.params):
        if i == op.positional:
            parts.append("*")
        parts.append(f"{name}=default_{name}" if name in defaults else name)
    return ", ".join(parts)


def _certain(op):
    """Which parameter has the dtype that counts, and a mask of those that are tensors in every call written here."""
    first = op.params.index(op.operands[0]) if op.elementwise else 0
    return first, op.required | 1 | 1 << first


def _source(op, defaults):
    """The source of ``everyday``, which gives calls that are not to ``refer(op, args, kwargs)``.

    Its own names begin with an underscore, since parameters may be called anything.
    """
    names = op.params
    first, certain = _certain(op)
    by_name = "".join([f"{n!r}: {n}, " for n in op.kwnames])
    refer = f"return refer(op, ({', '.join(names[: op.positional])},), {{{by_name}}})"
    signature = _signature(op, defaults)
    lines = [f"    if state.rare: {refer}"]
    if "out" not in names:
        signature += ", out=None" if op.kwnames else ", *, out=None"
        lines.insert(0, f"    if out is not None: {refer[:-2]}'out': out}})")
    lines.insert(0, f"def everyday({signature}):")
    start = len(lines)
    for i, name in enumerate(names):
        lines += [f"    {line}" for line in _unwrap(op, i, name, certain >> i & 1, i == first, refer)]
    raws = [f"_r{i}" for i in range(len(names))]
    given = [
        f"_k{i}" if op.elementwise and n in op.operands and not certain >> i & 1 else raws[i]
        for i, n in enumerate(names)
    ]
    given = ", ".join([*given[: op.positional], *[f"{n}={r}" for n, r in zip(op.kwnames, given[op.positional :])]])
    if op.elementwise:
        # shapes that do not fit are told apart there
        lines += ["    try:", f"        _result = kernel({given})", f"    except ValueError: {refer}"]
    else:
        lines.append(f"    _result = kernel({given})")
    values, arrays = f"({', '.join(names)},)", f"[{', '.join(raws)}]"
    edges = [f"_e{i}" for i in range(len(names))]
    sure = [e for i, e in enumerate(edges) if certain >> i & 1]
    gather = [f"_edges = ({', '.join(sure)},)"]
    wanted = f"({', '.join([f'{e} is not None' for e in sure])},)" if len(sure) > 1 else "(True,)"
    if len(sure) < len(edges):
        # not all parameters are always tensors
        lines.insert(start, f"    _mask = {certain}")
        gather += [
            f"if _mask != {certain}: _edges = tuple([e for i, e in enumerate(({', '.join(edges)},)) if _mask >> i & 1])",
            "_layout = layouts.get(_mask) or layout_of(op, _mask)",
        ]
        wanted = "tuple([e is not None for e in _edges])"
    layout = "always" if len(sure) == len(edges) else "_layout"
    lines += ["    if _result.__class__ is not ndarray:", *[f"        {line}" for line in gather]]
    lines += [f"        return complete(op, {values}, {arrays}, _edges, {layout}, _result)"]
    if op.view and not op.replay:
        lines += [
            "    _base = _result.base",
            "    if _base is not None and (_base is _r0 or _base is _r0.base) and _result.dtype is _r0.dtype:",
            f"        _tensor = wrap_view(_result, {names[0]}._dtype, {names[0]})",
            f"    else: _tensor = wrap_one(op, {values}, {arrays}, _result)",
        ]
    elif op.view:
        lines.append(f"    _tensor = wrap_one(op, {values}, {arrays}, _result)")
    else:
        lines += [
            "    if _result is _r0: _result = _result.copy()",
            "    _tensor = new(Tensor)",
            "    _tensor._a = _result",
            f"    _tensor._dtype = {names[0]}._dtype if _result.dtype is _r0.dtype else of(_result.dtype)",
            "    _tensor._edge = _tensor._view = None",
            "    _tensor._vc = [0]",
        ]
    if op.rules or op.joint is not None:
        some = " or ".join([f"{e} is not None" for e in edges])
        lines.append(f"    if thread.grad and ({some}) and _tensor._dtype.category >= 2:")
        lines += [f"        {line}" for line in (*gather, *_record(op, values, arrays, layout, wanted))]
    lines.append("    return _tensor")
    return "\n".join(lines)


def _record(op, values, arrays, layout, wanted):
    if op.elementwise and len(op.operands) < 3:
        # these nodes have a written-out form of their own (``fast``) for calls that do not come here
        call = f"make_node(op, {values}, {arrays}, _edges, {layout}, (_result,), (_tensor._vc,), None, _tensor._dtype)"
        return [f"_tensor._edge = {call}"]
    return [
        f"_wanted = {wanted}",
        f"_form = {layout}.forms.get(_wanted) or form_of(op, {layout}, _wanted)",
        f"_class = op.node_class or op.node({values if callable(op.node_name) else ''})",
        f"_tensor._edge = _form.record(_class, {values}, {arrays}, _edges, _result, _tensor._vc, _tensor._dtype)",
    ]


def _unwrap(op, i, name, certain, first, refer):
    """Source that takes parameter i apart into its array or value, ``_r<i>``, and its edge, ``_e<i>``."""
    operand = op.elementwise and name in op.operands
    lines = [f"_kind = {name}.__class__"]
    taken = [f"_r{i} = {name}._a", f"_e{i} = {name}._edge if {name}._view is None else edge_of({name})"]
    if certain:
        lines += [f"if _kind is not Tensor and _kind is not Parameter: {refer}", *taken]
        # elementwise operands on this path have one ordinary floating dtype
        if first and op.elementwise:
            lines += [f"_dtype = {name}._dtype", f"if not _dtype.plain: {refer}"]
        return lines
    lines += [f"_e{i} = None", "if _kind is Tensor or _kind is Parameter:"]
    lines += [f"    {line}" for line in (*taken, f"_mask |= {1 << i}")]
    if operand:
        # kernels are given numbers as arrays, rules as they are
        lines += [f"    if {name}._dtype is not _dtype: {refer}", f"    _k{i} = _r{i}"]
        if op.numbers != "none":
            lines += ["elif _kind in NUMBERS:", f"    _r{i} = {name}", f"    _k{i} = as_number(_dtype, {name})"]
        if name in op.defaults():
            lines.append(f"elif {name} is None: _r{i} = _k{i} = None")
    else:
        lines.append(f"elif _kind in SIMPLE or holds_parts({name}): _r{i} = {name}")
    return [*lines, f"else: {refer}"]
