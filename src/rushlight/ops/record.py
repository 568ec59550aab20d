"""Recording: the nodes of operators, what they save, and how their rules are run on arrays or on tensors."""

import numpy as np

from .. import dtypes
from ..array.shape import memory_of
from ..autograd.anomaly import note
from ..autograd.engine import fit, sum_to
from ..autograd.graph import Node, Output, freed, stale, tick
from ..autograd.modes import state
from ..autograd.saved import active_hooks, pack_node
from ..autograd.saved_attributes import show_saved
from ..tensor import Tensor, attach
from .table import RAW, TENSOR

_multiply = np.multiply


class Layout:
    """Which parameters of an operator held tensors in a call: ``items`` lists (parameter, count), count None for a single tensor.

    ``plans`` remembers what to save, by which of the tensors require grad, and ``forms`` how (``forms.Form``); ``complete`` says that every argument that must be a
    tensor was one.
    """

    __slots__ = ("complete", "forms", "items", "plans")

    def __init__(self, items):
        self.items = items
        self.plans = {}
        self.forms = {}
        self.complete = False


class Saved:
    """What a node keeps for its rules: values by name, and which of them are tensors (and where they hang in the graph).

    ``marks[name]`` is (place, dtype, counter): place is a number among the node's inputs, -1 - k for output k; for a list
    argument a list of such triples. ``layout`` is the call's. ``packed`` says that some values are SavedTensor objects.
    """

    __slots__ = ("layout", "marks", "packed", "values")

    def __init__(self, values, marks, layout):
        self.values = values
        self.marks = marks
        self.layout = layout
        self.packed = False


class OpNode(Node):
    """A node whose derivative comes from its operator's declaration."""

    __slots__ = ()

    def run(self, cotangent, keep):
        return self._pull(RAW, cotangent, keep, _raw_values, fit, self.next)

    def run_graph(self, cotangent, keep):
        return self._pull(TENSOR, cotangent, keep, _tensor_values, fit_tensor, self.next)

    def run_some(self, cotangent, keep, needs, graph):
        edges = tuple([edge if need else None for edge, need in zip(self.next, needs)])
        if graph:
            return self._pull(TENSOR, cotangent, keep, _tensor_values, fit_tensor, edges)
        return self._pull(RAW, cotangent, keep, _raw_values, fit, edges)

    def _pull(self, F, cotangent, keep, revive, fit, edges):
        """Run the rules of the arguments whose edge in ``edges`` is not None."""
        saved = self.saved
        if saved is None:
            raise freed()
        if self.guard:
            self.check()
        op = self.op
        if saved.packed:
            saved = _opened(self, saved)
        values = revive(self, saved)
        if not keep and saved.marks:
            self.saved = self.guard = None
        if self.width > 1 or op.returns is not None:
            cotangent = _differentiable_part(op, cotangent)
        if op.joint is not None:
            return self._joint(F, cotangent, saved, values, fit, edges)
        result = []
        at = 0
        for name, count in saved.layout.items:
            rule = op.rules.get(name)
            if count is None:
                edge = edges[at]
                at += 1
                if edge is None or rule is None:
                    # what is recorded without a rule, comparisons in place, is constant nearly everywhere
                    constant = edge is not None and not op.rules
                    result.append(fit(np.zeros(edge.shape, edge.dtype.numpy), edge) if constant else None)
                    continue
                pulled = self._apply(F, rule, cotangent, values)
                result.append(pulled if pulled is None else fit(pulled, edge))
                continue
            group = edges[at : at + count]
            at += count
            if rule is None or not any(edge is not None for edge in group):
                result.extend([None] * count)
                continue
            pulled = self._apply(F, rule, cotangent, values)
            result.extend(
                None if edge is None or each is None else fit(each, edge) for edge, each in zip(group, pulled)
            )
        return result

    def _apply(self, F, rule, cotangent, values):
        if rule.wants_g or not self.op.elementwise:
            return rule.function(F, cotangent, *[values[name] for name in rule.needs])
        if rule.constant is not None:
            if rule.constant == 1:
                return cotangent
            return -cotangent if rule.constant == -1 else cotangent * rule.constant
        partial = rule.function(F, *[values[name] for name in rule.needs])
        if partial.__class__ is complex:
            return cotangent * partial.conjugate()
        if partial.__class__ is int and partial == 1:
            return cotangent
        return cotangent * F.conj(partial) if _is_complex(partial) else cotangent * partial

    def _joint(self, F, cotangent, saved, values, fit, edges):
        rule = self.op.joint
        needs = tuple(edge is not None for edge in edges)
        given = [values[name] for name in rule.needs]
        if rule.wants_needs:
            pulled = rule.function(F, cotangent, _grouped(needs, saved.layout.items), *given)
        else:
            pulled = rule.function(F, cotangent, *given)
        flat = []
        for (_, count), each in zip(saved.layout.items, pulled):
            flat.extend([each] if count is None else (each if each is not None else [None] * count))
        return [None if g is None or edge is None else fit(g, edge) for g, edge in zip(flat, edges)]

    def check(self):
        """Raise if a saved value was written to since."""
        guard = iter(self.guard)
        for counter, version, array, dtype, place in zip(guard, guard, guard, guard, guard):
            if counter[0] != version:
                edge = None
                if place is not None:
                    edge = self.next[place] if place >= 0 else self if dtype.category >= 2 else None
                raise stale(
                    array,
                    dtype,
                    counter if place is None or place >= 0 else [counter[0], None, *counter[2:]],
                    version,
                    edge,
                    self,
                )


class MultiOpNode(OpNode):
    """A node of an operator with several outputs; ``shape`` and ``dtype`` are tuples."""

    __slots__ = ("width",)

    @property
    def _input_metadata(self):
        skip = self.op.nondiff or ()
        return tuple([each for k, each in enumerate(super()._input_metadata) if k not in skip])


def _differentiable_part(op, cotangent):
    if op.nondiff is None or not isinstance(cotangent, (list, tuple)):
        return tuple(cotangent) if isinstance(cotangent, list) else cotangent
    kept = [each for i, each in enumerate(cotangent) if i not in op.nondiff]
    return kept[0] if len(kept) == 1 else tuple(kept)


def _grouped(needs, items):
    """Needs by argument: a list argument is wanted when any of its tensors is."""
    result, at = [], 0
    for _, count in items:
        if count is None:
            result.append(needs[at])
            at += 1
        else:
            result.append(any(needs[at : at + count]))
            at += count
    return tuple(result)


def _is_complex(value):
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return False
    return dtype.is_complex if dtype.__class__ is dtypes.dtype else dtype.kind == "c"


def _opened(node, saved):
    """A copy of a packed Saved with arrays again."""
    from ..autograd.saved import open_values

    return Saved(open_values(node, saved.values), saved.marks, saved.layout)


def _raw_values(node, saved):
    return saved.values


def _tensor_values(node, saved):
    values = dict(saved.values)
    for name, mark in saved.marks.items():
        value = values[name]
        if mark.__class__ is list:
            values[name] = [_revive(node, each, m) if m is not None else each for each, m in zip(value, mark)]
        else:
            values[name] = _revive(node, value, mark)
    return values


def _revive(node, array, mark):
    place, dtype, counter = mark
    if place is None:
        edge = None
    elif place >= 0:
        edge = node.next[place]
    elif node.width > 1 or isinstance(node, MultiOpNode):
        at = -1 - place
        edge = None if at in (node.op.nondiff or ()) else Output(node, at, node.shape[at], node.dtype[at])
    else:
        edge = node
    if state.shells and getattr(array, "twin", None) is not None:
        return array.revived(edge, counter)
    tensor = attach(array, dtype, edge, counter)
    if state.duals:
        revived(tensor)
    return tensor


#: what forward mode does with a saved value that comes back to life: gives it its tangent again
revived = None
#: what forward mode does with the copy of a tensor's array that an in-place operator saves of it: lets it have the tensor's tangent
copied = None


def fit_tensor(cotangent, edge):
    """``fit`` for recorded cotangents."""
    if not isinstance(cotangent, Tensor):
        return attach(np.asarray(cotangent, edge.dtype.numpy), edge.dtype, None, [0])
    if cotangent._a.shape != edge.shape:
        cotangent = TENSOR.sum_to(cotangent, edge.shape)
    if cotangent._dtype is not edge.dtype:
        if cotangent._dtype.is_complex and not edge.dtype.is_complex:
            cotangent = TENSOR.real(cotangent)
        if cotangent._dtype is not edge.dtype:
            cotangent = TENSOR._to_dtype(cotangent, edge.dtype)
    return cotangent


# -------------------------------------------------------------------------------------------------------- building


#: nodes that PyTorch does not generate from its table
_NAMESPACED = ("CopyBackwards", "CopySlices", "NotImplemented")


def node_class(op, name):
    """The class of an operator's nodes of one name."""
    from .fast import WHOLE, WholeNode, fast_node_base
    from .forms import FormNode

    if op.elementwise:
        base = fast_node_base(op)
    elif op.name in WHOLE:
        base = WholeNode
    else:
        base = MultiOpNode if op.returns is not None else FormNode
    fixed = {"__slots__": (), "op": op, "__module__": "builtins", "shows": _shown_by(op, name)}
    fixed["is_view"] = bool(op.view) and not op.replay
    fixed["cpp_name"] = op.cpp_name or (f"torch::autograd::{name}" if name in _NAMESPACED else None)
    made = type(name, (base,), fixed)
    show_saved(made, op)
    return made


def _shown_by(op, name):
    """Which of a node's edges PyTorch shows, as a function of ``next``; None for all of them.

    Arguments without a derivative (masks, indices) have no place. A number beside a tensor has one where the operator makes a tensor
    of it (add, mul), and none where it has an overload for numbers, which is where its nodes have another name for them (rsub, pow).
    """
    if op.elementwise and len(op.operands) == 2:
        if len(op.rules) < 2:
            return staticmethod(lambda edges: edges[:1]) if op.operands[0] in op.rules else None
        if not callable(op.node_name):
            return staticmethod(lambda edges: edges if len(edges) == 2 else (*edges, None))
        some = attach(np.zeros(()), dtypes.float64, None, [0])
        given = {**op.defaults(), **dict.fromkeys(op.operands, some)}
        if op.node_name(tuple([given.get(each) for each in op.params])) == name:
            return None
        return staticmethod(lambda edges: edges[:1])
    if op.joint is not None and "index" in op.params:
        return staticmethod(lambda edges: (edges[0], *edges[2:]))
    if op.joint is not None or not op.rules or op.elementwise:
        return None
    if op.params[0] == "condition":
        return staticmethod(lambda edges: edges[1:])
    if set(op.rules) == {op.params[0]} and op.params[0] != "tensors":
        return staticmethod(lambda edges: edges[:1])
    if op.params[0] in op.rules and any(
        each in ("index", "indices", "mask", "pivots") and each not in op.rules for each in op.params
    ):
        # between the first argument and a value lie a mask, or any number of index tensors
        return staticmethod(lambda edges: (edges[0], edges[-1] if len(edges) > 1 else None))
    return None


def make_node(op, values, raws, edges, layout, results, counters, original=None, dtype=None):
    """Record one call.

    ``values`` are the bound arguments, ``raws`` the same with arrays for tensors, ``edges`` one for each tensor in the order of the
    call's ``layout``; ``results`` the result arrays and ``counters`` the version counters of their tensors (at the version to save).
    ``original`` is the first argument's array before an in-place write, where a rule needs it.
    """
    cls = op.node_class or op.node(values)
    if op.returns is not None and not issubclass(cls, MultiOpNode):
        raise TypeError(f"{op.name} returns several results but is not declared so")
    node = cls()
    node.seq = tick()
    node.next = tuple(edges)
    if op.returns is not None:
        node.width = len(results)
        node.shape = tuple([r.shape for r in results])
        node.dtype = tuple([dtypes.of(r.dtype) for r in results])
    else:
        node.shape = results[0].shape
        node.dtype = dtype or dtypes.of(results[0].dtype)
    wanted = True if len(edges) == 1 else tuple([edge is not None for edge in edges])
    plan = layout.plans.get(wanted)
    if plan is None:
        plan = layout.plans[wanted] = plan_of(op, layout.items, (True,) if wanted is True else wanted)
    plain, shapes, others = plan
    kept, marks, guard = {}, {}, []
    for name, index in plain:
        kept[name] = raws[index]
    for name, index in shapes:
        kept[name] = raws[index].shape
    for name, save, index, place in others:
        save(name, index, place, values, raws, kept, marks, guard, results, counters, original)
    node.saved = Saved(kept, marks, layout)
    node.guard = guard
    if state.rare:
        hooks = active_hooks()
        if hooks is not None:
            pack_node(node, hooks)
        note(node)
    return node


# ways to save a value, by what it is


def _save_tensor(name, index, place, values, raws, kept, marks, guard, results, counters, original):
    tensor, array = values[index], raws[index]
    if original is not None and index == 0:
        kept[name] = original
        marks[name] = (place, tensor._dtype, [0])
        return
    counter = tensor._vc
    kept[name] = array
    marks[name] = (place, tensor._dtype, counter)
    guard += (counter, counter[0], array, tensor._dtype, place)


def _save_list(name, index, place, values, raws, kept, marks, guard, results, counters, original):
    kept[name] = list(raws[index])
    marks[name] = found = []
    for tensor, array in zip(values[index], raws[index]):
        if isinstance(tensor, Tensor):
            found.append((place, tensor._dtype, tensor._vc))
            guard += (tensor._vc, tensor._vc[0], array, tensor._dtype, place)
            place += 1
        else:
            found.append(None)


def _save_result(name, index, place, values, raws, kept, marks, guard, results, counters, original):
    result, counter = results[0], counters[0]
    dtype = dtypes.of(result.dtype)
    kept["y"] = result
    marks["y"] = (-1, dtype, counter)
    guard += (counter, counter[0], result, dtype, -1)


def _save_results(name, index, place, values, raws, kept, marks, guard, results, counters, original):
    kept["y"] = tuple(results)
    marks["y"] = found = []
    for k, (result, counter) in enumerate(zip(results, counters)):
        dtype = dtypes.of(result.dtype)
        found.append((-1 - k, dtype, counter))
        guard += (counter, counter[0], result, dtype, -1 - k)


def _saving(wanted):
    """`_save_results` for a rule that reads only some of the results: the others may be written to before backward."""

    def save(name, index, place, values, raws, kept, marks, guard, results, counters, original):
        kept["y"] = tuple([each if k in wanted else None for k, each in enumerate(results)])
        marks["y"] = found = [None] * len(results)
        for k in wanted:
            if k < len(results):
                result, counter = results[k], counters[k]
                dtype = dtypes.of(result.dtype)
                found[k] = (-1 - k, dtype, counter)
                guard += (counter, counter[0], result, dtype, -1 - k)

    return save


def _save_fact(name, index, place, values, raws, kept, marks, guard, results, counters, original):
    value, fact = raws[index], fact_of(name)
    kept[name] = [fact(each) for each in value] if value.__class__ in (list, tuple) else fact(value)


def fact_of(name):
    """The function that finds what ``<argument>_shape``, ``_dtype`` or ``_memory`` asks of an argument."""
    return _FACTS[name.rpartition("_")[2]]


def _shape_of(value):
    return getattr(value, "shape", ())


def _dtype_of(value):
    dtype = getattr(value, "dtype", None)
    return dtypes.of_number(value) if dtype is None else dtypes.of(dtype)


_FACTS = {"shape": _shape_of, "dtype": _dtype_of, "memory": memory_of}


def plan_of(op, items, wanted):
    """What to save when the tensors of ``items`` marked in ``wanted`` require grad.

    Three lists: (name, parameter) of values kept as they are, (name, parameter) of tensors whose shape is kept, and (name, how,
    parameter, place) of everything else.
    """
    at = {}
    place = 0
    for name, count in items:
        at[name] = (place, count)
        place += 1 if count is None else count
    plain, shapes, others = [], [], []
    for name in needed_by(op, items, wanted):
        if name == "y":
            save = _save_result if op.returns is None else _saving(op.saves) if op.saves else _save_results
            others.append((name, save, None, None))
        elif name in at:
            place, count = at[name]
            others.append((name, _save_tensor if count is None else _save_list, op.params.index(name), place))
        elif name in op.params:
            plain.append((name, op.params.index(name)))
        else:
            stem, _, what = name.rpartition("_")
            if stem not in op.params or what not in _FACTS:
                raise TypeError(
                    f"{op.name}: its rule asks for {name!r}, which is neither a parameter nor a fact of one"
                )
            index = op.params.index(stem)
            if what == "shape" and at.get(stem, (0, 0))[1] is None:
                shapes.append((name, index))
            else:
                others.append((name, _save_fact, index, None))
    return plain, shapes, others


def needed_by(op, items, wanted):
    """Names of what the rules read that pull back to the tensors of ``items`` marked in ``wanted``."""
    if op.joint is not None:
        return op.joint.needs
    names = []
    at = 0
    for name, count in items:
        width = 1 if count is None else count
        if name in op.rules and any(wanted[at : at + width]):
            for need in op.rules[name].needs:
                if need not in names:
                    names.append(need)
        at += width
    return names


__all__ = ["Layout", "MultiOpNode", "OpNode", "Saved", "fit_tensor", "make_node", "node_class", "sum_to"]
