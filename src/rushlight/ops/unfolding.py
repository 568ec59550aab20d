"""The nodes that PyTorch makes of one subscript.

``x[1:, 0]`` is recorded here as one node; PyTorch records a slice and then a selection. Whoever does not look cannot tell, so the chain
is made when somebody asks the node for ``next_functions`` or for what it saved: it becomes the node of the last step, and those of the
steps before are put below it. Their places in the order of all nodes were left free when it was recorded (``leave_room``).
"""

import operator

import numpy as np

from ..array.indexing import is_whole
from ..autograd.engine import current_pass
from ..autograd.graph import Node, freed, tick
from ..autograd.saved import SavedTensor
from ..autograd.saved_attributes import raw_saved
from ..tensor import wrap
from .forms import FormNode, form_of
from .record import Layout, Saved
from .table import OPS

__all__ = ["folded", "leave_room"]

_LAST = (1 << 63) - 1


def leave_room(index):
    """Let the next node stand behind as many free places as its subscript may have steps before the last."""
    for _ in range(1, len(index)):
        tick()


class Folded(FormNode):
    """A node of a subscript, whatever its number of steps."""

    __slots__ = ()
    shows = staticmethod(lambda edges: edges[:1])  # index tensors have no place

    @property
    def next_functions(self):
        if self.saved is not None and current_pass() is None:
            unfolded(self)
        return Node.next_functions.fget(self)


def folded(op, shows):
    """The class of a subscript operator's nodes; ``shows`` names what those of its last step save."""
    fixed = {"__slots__": (), "op": op, "__module__": "builtins", "is_view": bool(op.view)}
    for each in shows:
        each = f"_saved_{each}"
        fixed[each] = property(lambda self, each=each: _saved(self, each))
    if "indices" in shows:
        fixed["_raw_saved_indices"] = property(_raw_indices)
    return type(op.node_name, (Folded,), fixed)


def _saved(node, name):
    if node.saved is None:
        raise freed()
    node = unfolded(node)
    if not isinstance(node, Folded):
        return getattr(node, name)
    values = node.saved.values
    if name == "_saved_self_sym_sizes":
        return values["input_shape"]
    return tuple([_index_tensor(node, each) for each in values["index"]])


def _index_tensor(node, each):
    if each.__class__ is SavedTensor:
        return each.unpack(node)
    return wrap(each) if isinstance(each, np.ndarray) else None


def _raw_indices(node):
    found = raw_saved(unfolded(node), "index")
    return tuple([each if each.__class__ is SavedTensor else SavedTensor.of_nothing() for each in found])


def unfolded(node):
    """A node as that of its last step. Within a backward pass, which has counted the graph as it is, another node that shows the same."""
    node.thaw()
    saved = node.saved
    if saved.packed:
        return node
    index, shape = saved.values["index"], saved.values["input_shape"]
    index = tuple(index) if isinstance(index, (tuple, list)) else (index,)
    marks = saved.marks.get("index") or [None] * len(index)
    before, last = _steps(index, marks, shape)
    if not before and len(last) == len(index) and all(each is not Ellipsis for each in index):
        return node
    edge = node.next[0]
    for k, (name, arguments) in enumerate(before):
        edge = _node(OPS[name], arguments, edge, shape, node.dtype, node.seq - len(before) + k + (last is None))
        shape = edge.shape
    if last is None:
        # nothing but views: the node becomes that of the last one
        kind, edge, made = edge.__class__, edge.next[0], edge.saved
    else:
        values = {**saved.values, "index": [each for each, _ in last], "input_shape": shape}
        marks = {**saved.marks, "index": [mark for _, mark in last]}
        kind, made = node.__class__, Saved(values, marks, saved.layout)
    if current_pass() is not None:
        shown = kind()
        shown.saved, shown.guard = made, None
        return shown
    node.__class__, node.saved, node.next = kind, made, (edge, *node.next[1:])
    return node


def _node(op, arguments, edge, shape, dtype, seq):
    """The node of one step: a view operator on a tensor of this shape."""
    ghost = np.empty(shape, np.bool_)
    form = _ONE_OF.get(op.name)
    if form is None:
        form = _ONE_OF[op.name] = form_of(op, Layout([("input", None)]), (True,))
    raws = (ghost, *arguments)
    node = form.record(op.node(raws), raws, raws, (edge,), op.kernel(*raws), None, dtype)
    node.seq = seq
    return node


#: the form of each operator's recorded step
_ONE_OF = {}


def _steps(index, marks, shape):
    """The views that PyTorch makes one after the other for an index, as (operator, arguments), and what is left for index tensors.

    The rest is a list of (item of an index, its mark among what was saved), or None where there are no index tensors.
    """
    views, rest, dim = [], [], 0
    left = len(shape) - sum([_spans(each) for each in index])
    sizes = list(shape)
    for each, mark in zip(index, marks):
        if each is Ellipsis:
            rest += [(_ALL, None)] * left
            dim += left
        elif each.__class__ is int:
            views.append(("select", (dim, each)))
            del sizes[dim]
        elif each is None or each.__class__ is slice:
            if each is None:
                views.append(("unsqueeze", (dim,)))
                sizes.insert(dim, 1)
            elif len(index) == 1 or not is_whole(each, sizes[dim]):
                start, stop, step = each.start or 0, _LAST if each.stop is None else each.stop, each.step or 1
                start, stop, step = operator.index(start), operator.index(stop), operator.index(step)
                views.append(("_slice_dim", (dim, start, stop, step)))
                sizes[dim] = len(range(*each.indices(sizes[dim])))
            rest.append((_ALL, None))
            dim += 1
        elif isinstance(each, (bool, np.bool_)) or not each.ndim:
            # a number that says whether to take everything: a new dimension of size 1, and none or one of it
            views.append(("unsqueeze", (dim,)))
            sizes.insert(dim, 1)
            rest.append((np.zeros(int(each), np.int64), mark))
            dim += 1
        else:
            rest.append((each, mark))
            dim += _spans(each)
    while rest and rest[-1][0] is _ALL:
        rest.pop()
    if rest:
        return views, rest
    return views or [("_alias", ())], None


_ALL = slice(None)


def _spans(each):
    """How many dimensions of the tensor an item of an index is about."""
    if each is None or each is Ellipsis or isinstance(each, (bool, np.bool_)):
        return 0
    mask = isinstance(each, np.ndarray) and each.dtype in (np.bool_, np.uint8)
    return each.ndim if mask else 1
