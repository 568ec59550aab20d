"""Forward mode: dual tensors, which carry a tangent along.

Within a ``dual_level`` every operator that meets a dual computes its result as always and then the tangent of the result, by the first of:
the partial derivatives (elementwise operators), the operator itself on the tangent (``linear=True`` and views), its declared ``jvp``, or
its vjp transposed: the vjp is linear in the cotangent, so the vjp of the vjp is the jvp. Tangents are computed with recorded operators on
plain tensors, so forward over reverse and reverse over forward both work.

The tangent of a view is a view of its base's tangent, so in-place writes to either are seen by both.
"""

import threading
import weakref
from collections import namedtuple

import numpy as np

from .. import inplace
from ..array.shape import memory_of
from ..missing import explain
from ..ops import record, subscript
from ..ops.record import make_node
from ..ops.table import TENSOR
from ..storage import root
from ..tensor import Tensor, address, attach, edge_of, wrap
from . import function, levels
from .graph import Leaf
from .modes import ContextDecorator, count_duals, set_grad, state, thread
from .saved import Unseen
from .shells import kept, unwrapped

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class _Level(threading.local):
    number = -1
    # while tangents are computed
    busy = False


_level = _Level()


# ----------------------------------------------------------------------------------------------------------- levels

NESTED = "Nested forward mode AD is not supported at the moment"


def enter_dual_level():
    """Begin a level; duals made within it are plain tensors after it. Levels cannot be nested yet, in PyTorch neither."""
    if _level.number >= 0 or levels.in_forward():
        raise RuntimeError(NESTED)
    _level.number += 1
    levels.push(_interpret)
    count_duals(1)
    return _level.number


def exit_dual_level(*, level=None):
    """End the level: every tangent made within it is dropped."""
    if level is None:
        level = _level.number
    if level < 0:
        raise RuntimeError("Dual level must be a positive number.")
    if level != _level.number:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    _duals.drop()
    _level.number -= 1
    levels.remove(_interpret)
    count_duals(-1)


class _Duals(threading.local):
    """The tensors that carry a tangent, so that it can be taken from them when the level ends. None is kept alive.

    ``tensors`` has them by their identity, ``arrays`` the tangents by the identity of the tensor's array: what nodes saved of a tensor
    gets its tangent back.
    """

    def __init__(self):
        self.tensors, self.arrays = {}, {}

    def drop(self):
        for known, _ in list(self.tensors.values()):
            tensor = known()
            if tensor is not None:
                tensor.__dict__.pop("_tangent", None)
        self.tensors, self.arrays = {}, {}


def _remember(table, key, value=None):
    """Put ``(weak reference to key, value)`` into a table by identity, for as long as ``key`` lives."""
    place = id(key)
    table[place] = (weakref.ref(key, lambda _: table.pop(place, None)), value)


_duals = _Duals()


class dual_level(ContextDecorator):  # noqa: N801 - PyTorch's name
    """A block in which tensors may carry tangents.

    >>> with fwAD.dual_level():
    ...     y = fwAD.make_dual(x, t).sin()
    ...     primal, tangent = fwAD.unpack_dual(y)
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exc):
        exit_dual_level()


class _set_fwd_grad_enabled(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Whether tangents are propagated, from now on or within a block."""

    def __init__(self, mode):
        self.mode = mode
        self.prev = thread.forward
        thread.forward = mode

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        thread.forward = self.mode

    def __exit__(self, *exc):
        thread.forward = self.prev


def _is_fwd_grad_enabled():
    """Whether tangents are propagated in this thread."""
    return thread.forward


def __getattr__(name):
    # a name of PyTorch's module that is reassigned there: the number of the innermost level, -1 outside of all
    if name == "_current_level":
        return _level.number
    raise AttributeError(explain("torch.autograd.forward_ad", name))


class _off:  # noqa: N801 - used like the modes
    """While tangents are computed: the tensors they are computed from count as plain."""

    def __enter__(self):
        self.prev, _level.busy = _level.busy, True

    def __exit__(self, *exc):
        _level.busy = self.prev


# ------------------------------------------------------------------------------------------------------------ duals

_Pair = namedtuple("UnpackedDualTensor", ("primal", "tangent"))  # type: ignore[name-match]


class UnpackedDualTensor(_Pair):
    """What ``unpack_dual`` returns: ``primal``, and ``tangent`` (None where there is none)."""

    __slots__ = ()


def make_dual(tensor, tangent, *, level=None):
    """A view of ``tensor`` that carries ``tangent`` (same shape and dtype) at the current level.

    Raises RuntimeError outside a level, ValueError for dtypes that have no derivative.
    """
    if level is None:
        level = _level.number
    if level < 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    if state.rare:
        levels.refuse_batched((tensor, tangent), "_make_dual")
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor._dtype!r}")
    if not (tangent.is_floating_point() or tangent.is_complex()):
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {tangent._dtype!r}")
    if level != _level.number:
        raise RuntimeError("Invalid level given to _make_dual")
    if thread.forward and tangent_of(tensor) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level "
            f"{level} is not supported."
        )
    if thread.forward and tangent_of(tangent) is not None:
        raise RuntimeError(
            f"Setting a forward grad that itself has a forward gradient at the same level{level} is not supported."
        )
    _check_size(tensor, tangent)
    with _off():
        dual = TENSOR._make_dual(tensor)
        if not _interchangeable(tangent, tensor):
            tangent = _blank(tensor, tangent).copy_(tangent)
    attach_tangent(dual, tangent)
    return dual


def _check_size(tensor, tangent):
    if tensor._a.shape != tangent._a.shape:
        raise RuntimeError(
            f"Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
            f"Tensor is of size {list(tensor._a.shape)} while the given forward gradient is of size {list(tangent._a.shape)}."
        )


def unpack_dual(tensor, *, level=None):
    """(primal, tangent): a view of the primal, and the tangent itself (None where there is none)."""
    if level is None:
        level = _level.number
    if level < 0:
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}")
    if state.rare:
        levels.refuse_batched((tensor,), "_unpack_dual")
    if level > max(_level.number, 0):
        raise RuntimeError("Invalid level given to _fw_primal")
    tangent = tangent_of(tensor) if thread.forward else None
    with _off():
        primal = TENSOR._fw_primal(tensor)
    # it has none, though its base may
    attach_tangent(primal, None)
    return UnpackedDualTensor(primal, tangent)


def tangent_of(tensor):
    """The tangent a tensor carries, or None; that of a view may have to be looked up in its base."""
    if "_tangent" in tensor.__dict__:
        return tensor.__dict__["_tangent"]
    view = tensor._view
    if view is None:
        return None
    whole = view.base.__dict__.get("_tangent")
    if whole is None or view.refuse == "custom":
        return None
    with _off():
        found = _same_view(whole, view, tensor)
    attach_tangent(tensor, found)
    return found


def attach_tangent(tensor, tangent):
    """Have a tensor carry a tangent, or none (None), until the level ends."""
    tensor.__dict__["_tangent"] = tangent
    _remember(_duals.tensors, tensor)
    _remember(_duals.arrays, tensor._a, tangent)


def _revived(tensor):
    """A saved value that came back to life carries the tangent it had."""
    found = _duals.arrays.get(id(tensor._a))
    if found is not None:
        tensor.__dict__["_tangent"] = found[1]
        _remember(_duals.tensors, tensor)


def _copied_original(tensor, array):
    """A copy of a tensor's array carries a copy of its tangent, which the write that is to come will change."""
    tangent = tangent_of(tensor)
    if tangent is not None:
        with _off():
            _remember(_duals.arrays, array, TENSOR.clone(tangent))


record.revived, record.copied = _revived, _copied_original


def propagating():
    """Whether tangents are propagated in this thread."""
    return _level.number >= 0 and thread.forward and not _level.busy


def _same_view(whole, view, tensor):
    """The part of a base's tangent that belongs to a view of the base: all of it where the view is the base once more."""
    base = view.base
    if tensor._a.shape == whole._a.shape and tensor._dtype is base._dtype and _laid_out_alike(tensor._a, base._a):
        return whole
    if view.replay is not None:
        return view.replay(whole)
    geometry = inplace.Geometry(view.base._a, tensor._a)
    if whole._a.strides != geometry.base_strides:
        raise NotImplementedError(
            "the tangent of this view's base lies otherwise in memory than the base; clone() the base first"
        )
    return inplace.strided_view(whole, geometry.shape, geometry.strides, geometry.offset)


def is_dual(value):
    return isinstance(value, Tensor) and tangent_of(value) is not None


# -------------------------------------------------------------------------------------------------- the interpreter


def _interpret(op, values, how):
    if _level.busy or not thread.forward:
        return NotImplemented
    tensors, tangents = _operands(values)
    outs = (
        ()
        if how is None or isinstance(how, str) or callable(how)
        else how
        if isinstance(how, (tuple, list))
        else (how,)
    )
    if not any(t is not None for t in tangents) and not any(map(is_dual, outs)):
        return NotImplemented
    if outs:
        raise NotImplementedError(
            f"Trying to use forward AD with {op.name}_out that does not support it because it is an out= function"
        )
    if how is subscript.setitem:
        return _setitem(values)
    if how is subscript.getitem:
        return _getitem(values)
    if how == "inplace":
        return _inplace(op, values)
    with _off():
        result = levels.execute(op, values)
    return _with_tangents(op, values, result)


def _operands(values):
    """The tensors among bound arguments, also within lists, and their tangents."""
    tensors = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif value.__class__ in (list, tuple):
            tensors += [each for each in value if isinstance(each, Tensor)]
    return tensors, [tangent_of(each) for each in tensors]


def _with_tangents(op, values, result):
    with _off():
        tangents = push_forward(op, values, result)
    results = result if isinstance(result, tuple) else (result,)
    for each, tangent in zip(results, tangents):
        if tangent is not None:
            attach_tangent(each, tangent)
    return result


def _getitem(values):
    tensor, index = values
    with _off():
        result = subscript.getitem(tensor, index)
        tangent = tangent_of(tensor)
        if tangent is not None and not is_dual_view(result):
            attach_tangent(result, subscript.getitem(tangent, index))
    return result


def is_dual_view(tensor):
    return tensor.__dict__.get("_tangent") is not None


def _setitem(values):
    tensor, index, value = values
    own = tangent_of(tensor)
    other = tangent_of(value) if isinstance(value, Tensor) else None
    with _off():
        subscript.setitem(tensor, index, value)
        if own is None:
            own = give_zeros(tensor, other)
        subscript.setitem(own, index, 0 if other is None else other)


def give_zeros(tensor, other=None):
    """A zero tangent for a tensor that has none, into which that of ``other`` can be written; for a view, a part of its base's."""
    base = tensor if tensor._view is None else tensor._view.base
    if tangent_of(base) is None:
        attach_tangent(base, _blank(base, other))
    return tangent_of(tensor)


def _blank(tensor, other=None):
    """Zeros that lie in memory as a tensor does; a batch of them where ``other`` is one."""
    if other is not None and levels.is_lane(other) and not levels.is_lane(tensor):
        order = np.argsort([-stride for stride in tensor._a.strides], kind="stable").tolist()
        made = other.new_zeros([tensor._a.shape[i] for i in order], dtype=tensor._dtype)
        return made if order == sorted(order) else made.permute(np.argsort(order).tolist()).detach()
    array, whole = tensor._a, root(tensor._a)
    if array.nbytes == whole.nbytes:
        made = np.zeros_like(array)
        if made.strides == array.strides:
            return wrap(made, tensor._dtype)
    # as much memory as there is around the tensor, which as_strided may ask for; NumPy's own as_strided hides how much that is
    start = address(array) - address(whole)
    reach = start + sum([(n - 1) * step for n, step in zip(array.shape, array.strides)]) + array.itemsize
    memory = np.zeros(-(-max(whole.nbytes, reach) // array.itemsize), array.dtype)
    return wrap(np.ndarray(array.shape, array.dtype, memory, start, array.strides), tensor._dtype)


def _interchangeable(tangent, tensor):
    """Whether what is a view of a tensor can be had of its tangent, too: both lie alike, in memory of one size."""
    a, b = tangent._a, tensor._a
    if not _laid_out_alike(a, b) or tangent.is_conj() != tensor.is_conj() or tangent.is_neg() != tensor.is_neg():
        return False
    if levels.is_lane(tangent) or levels.is_lane(tensor):
        return True
    whole, memory = root(a), root(b)
    if whole.nbytes // a.itemsize != memory.nbytes // b.itemsize:
        return False
    return not a.size or (address(a) - address(whole)) // a.itemsize == (address(b) - address(memory)) // b.itemsize


def _laid_out_alike(a, b):
    """Whether the elements of two arrays of one shape lie in the same order, with the same gaps."""
    m, k = a.itemsize, b.itemsize
    return all(n == 1 or s * k == t * m for n, s, t in zip(a.shape, a.strides, b.strides)) or 0 in a.shape


def _inplace(op, values):
    target = values[0]
    own = tangent_of(target)
    # what the derivative reads of the target, and of whatever shares its memory, are the values before the write
    old = [_copied(value) if isinstance(value, Tensor) and value._vc is target._vc else value for value in values]
    given = [_tangents(value) for value in values]
    with _off():
        levels.execute_inplace(op, values)
        after = attach(target._a.copy(), target._dtype, edge_of(target), [0])
        (tangent,) = push_forward(op, old, after, given)
        if own is None and tangent is not None:
            own = give_zeros(target, tangent)
        if own is not None:
            if tangent is None:
                own.zero_()
            else:
                own.copy_(tangent)
    return target


def without_tangents(function, args, kwargs):
    """What ``function`` returns, of new or of written values that do not depend smoothly on its arguments: its tangent is zero."""
    with _off():
        result = function(*args, **kwargs)
    if result._dtype.category >= 2:
        if tangent_of(result) is None:
            give_zeros(result)
        else:
            tangent_of(result).zero_()
    return result


def _copied(tensor):
    """A tensor's value as it is now, at its place in the graph."""
    return attach(tensor._a.copy(), tensor._dtype, edge_of(tensor), [0])


def _tangent_or_none(value):
    return tangent_of(value) if isinstance(value, Tensor) else None


# ----------------------------------------------------------------------------------------------- rules, pushed forward


def push_forward(op, values, result, given=None):
    """The tangent of every result of ``op(*values)``, from those of its arguments (``given``, or what they carry)."""
    results = result if isinstance(result, tuple) else (result,)
    if given is None:
        given = [_tangents(value) for value in values]
    differentiable = [each._dtype.is_floating_point or each._dtype.is_complex for each in results]
    if not any(differentiable) or not (op.rules or op.joint is not None):
        return [None] * len(results)
    if op.jvp is not None:
        found = _by_jvp(op, values, results, given)
    elif op.elementwise and _has_partials(op, values, results[0], given):
        found = [_by_partials(op, values, results[0], given)]
    elif op.linear or (op.view and op.returns is None) or (op.view and op.returns == "list"):
        found = _by_itself(op, values, given)
    else:
        # the nodes of a derivative of a derivative are nobody's business
        with Unseen():
            found = _by_transposing(op, values, results, given)
    if not op.view:
        found = _apart(found, given)
    return [t if ok else None for t, ok in zip(found, differentiable)]


def _apart(found, given):
    """Tangents of results that are new memory: copies where they are an argument's tangent, which a later write must not reach."""
    arrays = [t._a for each in given for t in (each if each.__class__ is list else (each,)) if t is not None]

    def shared(tangent):
        return tangent._view is not None or any(tangent._a is array for array in arrays)

    return [TENSOR.clone(t) if t is not None and shared(t) else t for t in found]


def _tangents(value):
    if isinstance(value, Tensor):
        return tangent_of(value)
    if value.__class__ in (list, tuple) and any(isinstance(each, Tensor) for each in value):
        return [_tangent_or_none(each) for each in value]
    return None


def _has_partials(op, values, result, given):
    """Whether the rules at hand are partial derivatives (or, on real numbers, linear in the cotangent, which is the same)."""
    for name, value, tangent in zip(op.params, values, given):
        rule = op.rules.get(name)
        if tangent is None or rule is None:
            continue
        if rule.wants_g and (result._dtype.is_complex or tangent._dtype.is_complex or value._dtype.is_complex):
            return False
    return True


def _facts(op, values, result):
    """What rules may name, for a call on tensors."""
    known = dict(zip(op.params, values))
    known["y"] = result
    for name, value in zip(op.params, values):
        if isinstance(value, Tensor):
            known[name + "_shape"] = value._a.shape
            known[name + "_dtype"] = value._dtype
            if op.view:
                known[name + "_memory"] = memory_of(value._a)
    return known


def _by_partials(op, values, result, given):
    known = _facts(op, values, result)
    total = None
    for name, tangent in zip(op.params, given):
        rule = op.rules.get(name)
        if tangent is None or rule is None:
            continue
        if tangent._dtype is not result._dtype:
            tangent = tangent.to(result._dtype)
        needed = [known.get(each) for each in rule.needs]
        if rule.wants_g:
            if tangent._a.shape != result._a.shape:
                tangent = tangent.expand(result._a.shape)
            part = rule.function(TENSOR, tangent, *needed)
        elif rule.constant is not None:
            part = tangent if rule.constant == 1 else tangent * rule.constant
        else:
            part = tangent * rule.function(TENSOR, *needed)
        total = part if total is None else total + part
    if total is None:
        return None
    return _shaped(total, result)


def _shaped(tangent, result):
    """A tangent in its result's shape and dtype, in memory of its own."""
    if not isinstance(tangent, Tensor):
        tangent = wrap(np.asarray(tangent), None)
    if tangent._a.shape != result._a.shape:
        tangent = tangent.expand(result._a.shape)
    if tangent._dtype is not result._dtype:
        if tangent._dtype.is_complex and not result._dtype.is_complex:
            tangent = TENSOR.real(tangent)
        tangent = tangent.to(result._dtype)
    if 0 in tangent._a.strides and tangent._a.size > 1:
        tangent = TENSOR.clone(tangent)
    return tangent


def _by_jvp(op, values, results, given):
    known = _facts(op, values, results if op.returns is not None else results[0])
    rules = op.jvp if isinstance(op.jvp, dict) else {op.params[0]: op.jvp}
    total = None
    for name, tangent in zip(op.params, given):
        rule = rules.get("x" if name == "input" and "x" in rules else name)
        if tangent is None or rule is None:
            continue
        code = rule.__code__
        needs = ["input" if each == "x" else each for each in code.co_varnames[2 : code.co_argcount]]
        part = rule(TENSOR, tangent, *[known[each] for each in needs])
        parts = part if isinstance(part, tuple) else (part,)
        total = (
            parts
            if total is None
            else tuple(a if b is None else b if a is None else a + b for a, b in zip(total, parts))
        )
    if total is None:
        return [None] * len(results)
    return [None if t is None else _shaped(t, r) for t, r in zip(total, results)]


def _by_itself(op, values, given):
    """A linear operator (in its one tensor that carries a tangent), or a view: the operator on the tangent."""
    moved = [t if t is not None and isinstance(t, Tensor) else v for v, t in zip(values, given)]
    result = levels.execute(op, moved)
    return result if isinstance(result, tuple) else [result]


def _by_transposing(op, values, results, given):
    """The vjp of the vjp."""
    from .calls import grad

    # one floor for all: what a lane has beside it may have its places on the floors below, which stay as they are
    values, results = levels.lifted(values), levels.lifted(results)
    raws, edges, layout = unwrapped(op, values)
    flat = []
    for name, count in layout.items:
        tangent = given[op.params.index(name)]
        flat += [tangent] if count is None else (tangent or [None] * count)
    tensors = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif value.__class__ in (list, tuple):
            tensors += [each for each in value if isinstance(each, Tensor)]
    arrays, counters = tuple(kept(r) for r in results), tuple(r._vc for r in results)
    recorded = thread.grad
    was = set_grad(True)
    quiet, thread.quiet = thread.quiet, None
    try:
        # an edge only where there is a tangent to push, but the real one where there is one: the rule's own dependence on its arguments
        places = []
        for tensor, edge, tangent in zip(tensors, edges, flat):
            places.append(
                None if tangent is None else (edge if edge is not None else Leaf(None, tensor._a, tensor._dtype))
            )
        own = [p if p is not None else e for p, e in zip(places, edges)]
        node = make_node(op, values, raws, own, layout, arrays, counters)
        if not recorded:
            own = [None if p is None else Leaf(None, t._a, t._dtype) for p, t in zip(places, tensors)]
            node = make_node(op, values, raws, own, layout, arrays, counters)
        # any cotangent will do, for the vjp is linear in it; ones, because some rules treat zeros apart
        cotangents = []
        for k, each in enumerate(results):
            live = (each._dtype.is_floating_point or each._dtype.is_complex) and k not in (op.nondiff or ())
            cotangents.append(_ones(each) if live else None)
        pulled = node.run_graph(cotangents[0] if op.returns is None else cotangents, True)
        pairs = [
            (p, t)
            for p, t in zip(pulled, flat)
            if t is not None and p is not None and isinstance(p, Tensor) and edge_of(p) is not None
        ]
        live = [c for c in cotangents if c is not None]
        if not pairs:
            return [None if c is None else TENSOR.zeros_like(c.detach()) for c in cotangents]
        pushed = grad(
            [p for p, _ in pairs],
            live,
            [t.to(p._dtype) if t._dtype is not p._dtype else t for p, t in pairs],
            create_graph=recorded,
            allow_unused=True,
            retain_graph=True,
        )
    finally:
        thread.quiet = quiet
        set_grad(was)
    if recorded and not any(edge is not None for edge in edges) and not any(t.requires_grad for _, t in pairs):
        # nothing here is recorded but the stand-ins for places in the graph
        pushed = [None if each is None else _unplaced(each) for each in pushed]
    found = iter(pushed)
    return [None if c is None else _shaped(_or_zeros(next(found), c), r) for c, r in zip(cotangents, results)]


def _unplaced(tensor):
    """A tensor without its place in the graph of this floor; what a lane holds keeps its places, and its tangent."""
    return attach(tensor._a, tensor._dtype, None, tensor._vc) if levels.is_lane(tensor) else tensor.detach()


def _ones(like):
    """Ones shaped like a tensor, with a place of their own at the innermost level."""
    ones = levels.lift(wrap(np.ones(like._a.shape, like._dtype.numpy), like._dtype))
    ones._edge = Leaf(None, ones._a, ones._dtype)
    return ones


def _or_zeros(tangent, like):
    return TENSOR.zeros_like(like.detach()) if tangent is None else tangent


# ------------------------------------------------------------------------------------------------- custom functions


def _custom(cls, args):
    """``Function.apply`` where an argument carries a tangent: the user's ``jvp``."""
    if not propagating():
        return NotImplemented
    tangents = [tangent_of(each) if isinstance(each, Tensor) else None for each in args]
    if not any(t is not None for t in tangents):
        return NotImplemented
    separate = cls.setup_context is not function.Function.setup_context
    versions = [None if t is None else t._vc[0] for t in tangents]
    with _off(), _set_fwd_grad_enabled(False):
        result, ctx, outputs = function.call(cls, args, separate)
        found = moved_by(ctx, args, tangents, outputs)
    dirty = [id(each) for each in ctx.dirty_tensors or ()]
    own = {id(each): (t, version) for each, t, version in zip(args, tangents, versions) if isinstance(each, Tensor)}
    for output, tangent, fixed in zip(outputs, found, _fixed(ctx, outputs)):
        if fixed:
            continue
        if id(output) in dirty:
            before, version = own[id(output)]
            if before is not None:
                if tangent is not before or before._vc[0] == version:
                    raise RuntimeError(_NOT_IN_PLACE)
                continue
            _check_kind(output, tangent)
        elif output._view is not None:
            _check_view(output, tangent, args, tangents)
        attach_tangent(output, tangent)
    ctx.let_go()
    return result


_NOT_IN_PLACE = (
    "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is modifying an input inplace, then "
    "the jvp function must modify the corresponding gradient inplace."
)


def moved_by(ctx, args, tangents, outputs):
    """What the user's ``jvp`` makes of the tangents of ``args``: one for each of ``outputs``, None for those that have no derivative."""
    if ctx.materialize_grads:
        tangents = [
            TENSOR.zeros_like(each.detach()) if t is None and isinstance(each, Tensor) and _moves(each) else t
            for t, each in zip(tangents, args)
        ]
    ctx._in_jvp = True
    try:
        found = ctx.apply_jvp(*tangents)
    finally:
        ctx._in_jvp = False
    found = found if isinstance(found, tuple) else (found,)
    for i, each in enumerate(found):
        if each is not None and not isinstance(each, Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(each).__name__}) for grad output {i}.")
    if len(found) != len(outputs):
        raise RuntimeError(
            f"Function's jvp returned an invalid number of forward gradients (expected {len(outputs)} but got {len(found)})"
        )
    for i, (output, tangent, fixed) in enumerate(zip(outputs, found, _fixed(ctx, outputs))):
        if not fixed and not any(output is each for each in ctx.dirty_tensors or ()):
            _check_kind(output, tangent)
        elif fixed and tangent is not None and isinstance(output, Tensor):
            raise RuntimeError(
                f"Function's jvp returned a gradient at position {i}, but  the corresponding forward output is not a "
                "differentiable Tensor.You should return None at that position instead."
            )
    return [each if isinstance(output, Tensor) else None for each, output in zip(found, outputs)]


def _fixed(ctx, outputs):
    """Which outputs have no derivative."""
    marked = [id(each) for each in ctx.non_differentiable or ()]
    return [not isinstance(each, Tensor) or id(each) in marked or not _moves(each) for each in outputs]


def _check_kind(output, tangent):
    if tangent is None or not _moves(tangent):
        raise RuntimeError("Expected both tensor and its forward grad to be floating point or complex")
    _check_size(output, tangent)


def _root(tensor):
    return tensor if tensor._view is None else tensor._view.base


def _check_view(output, tangent, args, tangents):
    """The tangent of an output that is a view of an argument must be such a view of the argument's."""
    for each, own in zip(args, tangents):
        if own is None or not isinstance(each, Tensor) or _root(each) is not _root(output):
            continue
        if tangent is None or tangent._view is None:
            raise RuntimeError(
                "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a view."
            )
        if _root(tangent) is not _root(own):
            where = "the given grad input" if own._view is None else "the same base as the given grad input"
            raise RuntimeError(f"A custom Function is returning a view but the jvp is not returning a view of {where}.")


def _moves(tensor):
    return tensor._dtype.is_floating_point or tensor._dtype.is_complex


_interpret.custom = _custom  # type: ignore[attr-defined]
