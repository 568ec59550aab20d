"""In-place writes: what they may touch, and how they rewrite history.

A write to a tensor that is no view replaces the tensor's place in the graph by the node of the write. A write to a view is a write to
a part of its base: the base's new node (CopySlices) applies the write's own node to the part and passes the rest on, and the view,
like every other view of that base, is looked up again from the base at its next use (AsStrided).
"""

import warnings
import weakref

import numpy as np

from . import dtypes
from .array.shape import strided_view as raw_strided_view
from .autograd.engine import bridge
from .autograd.graph import Leaf, Node, bump, describe, extra_of, freed, spoken, tick
from .autograd.modes import set_grad, state, thread
from .tensor import Tensor, address, attach, edge_of, reading, wrap, wrap_view


class Geometry:
    """Where a view's elements lie in its base: shapes and byte strides of both, and the view's offset in bytes."""

    __slots__ = ("base_shape", "base_strides", "dense", "offset", "shape", "strides")

    def __init__(self, base, view):
        self.base_shape, self.base_strides = base.shape, base.strides
        self.shape, self.strides = view.shape, view.strides
        self.offset = address(view) - _base_address(base)
        self.dense = base.flags.c_contiguous

    def blank(self, dtype, zero):
        """A new array with the base's shape and strides, and the flat buffer it lies in."""
        itemsize = dtype.itemsize
        extent = 1 + sum((n - 1) * s for n, s in zip(self.base_shape, self.base_strides)) // itemsize
        if 0 in self.base_shape:
            extent = 0
        flat = (np.zeros if zero else np.empty)(max(extent, 1), dtype)
        return np.ndarray(self.base_shape, dtype, flat, 0, self.base_strides), flat

    def part(self, flat):
        """The view's elements within a buffer made by ``blank``."""
        return np.ndarray(self.shape, flat.dtype, flat, self.offset, self.strides)

    def copy(self, whole):
        """A copy of an array shaped like the base, with the base's strides, and the view's part of it (sharing its memory)."""
        if self.dense:
            array = np.array(whole, order="C")
            return array, np.ndarray(self.shape, array.dtype, array, self.offset, self.strides)
        array, flat = self.blank(whole.dtype, zero=False)
        array[...] = whole
        return array, self.part(flat)

    def gather(self, whole):
        """The view's part of an array shaped like the base, copied."""
        return self.copy(whole)[1].copy()

    def scatter(self, part):
        """An array shaped like the base, zero but for the view's part; elements that share memory are summed."""
        array, flat = self.blank(part.dtype, zero=True)
        repeated = tuple(i for i, (n, s) in enumerate(zip(self.shape, self.strides)) if s == 0 and n > 1)
        if repeated:
            part = part.sum(axis=repeated, keepdims=True)
        shape = part.shape
        into = np.ndarray(shape, flat.dtype, flat, self.offset, self.strides)
        if _overlapping(shape, self.strides):
            places = np.ndarray(shape, np.intp, np.arange(flat.size), *self._in_items(flat.dtype.itemsize))
            np.add.at(flat, places, part)
        else:
            into[...] = part
        return array

    def _in_items(self, itemsize):
        step = np.dtype(np.intp).itemsize
        return self.offset // itemsize * step, tuple(s // itemsize * step for s in self.strides)


_last_base = (lambda: None, 0)


def _base_address(array):
    """``address``, remembered for the last one asked for: writes to one base come together, and asking NumPy takes 0.8 us."""
    global _last_base
    known, found = _last_base
    if known() is not array:
        found = address(array)
        _last_base = (weakref.ref(array), found)
    return found


def _overlapping(shape, strides):
    """Whether two elements of a strided array may share memory (0 strides of length 1 aside)."""
    reach = 0
    for stride, size in sorted((s, n) for n, s in zip(shape, strides) if n > 1):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


class Replay:
    """How a view is made again from its base, and how the base lies in memory."""

    __slots__ = ("layout", "make")

    def __init__(self, make, base):
        self.make, self.layout = make, Geometry(base, base)

    def __call__(self, whole):
        return self.make(whole)


class AsStridedBackward0(Node):
    """From a view to its base: the cotangent lands where the view's elements lie."""

    __slots__ = ()
    is_view = True

    def run(self, cotangent, keep):
        return (self.saved.scatter(np.asarray(cotangent)),)

    def run_graph(self, cotangent, keep):
        return (functions()._view_scatter(cotangent, self.saved),)


class CopySlices(Node):
    """A base some view of which was written to: ``saved`` is the write's node and the view's geometry (or replay).

    What the write's node saved goes with it; it is not freed before, as a result it saved may lead to it past this node.
    """

    __slots__ = ("shows",)
    cpp_name = "torch::autograd::CopySlices"

    def run(self, cotangent, keep):
        if self.saved is None:
            raise freed()
        fn, geometry = self.saved
        if isinstance(geometry, Geometry):
            whole, part = geometry.copy(np.asarray(cotangent))
            inner = fn.run(part.copy(), True)
            if self.next[0] is None:
                whole = None
            else:
                part[...] = 0 if inner[0] is None else inner[0]
        else:
            whole, inner = self._replayed(fn, geometry, cotangent, keep)
        if not keep:
            self.saved = None
        return (whole, *inner[1:])

    def _replayed(self, fn, replay, cotangent, keep):
        """The cotangent of the base, and what the write's node returned, where the view is made again by its operator."""
        was = set_grad(False)
        try:
            whole = wrap(replay.layout.copy(np.asarray(cotangent))[0])
            part = replay(whole)
            inner = fn.run(part._a.copy(), keep)
            part._a[...] = 0 if inner[0] is None else inner[0]
            finish(part, None)
        finally:
            set_grad(was)
        return whole._a, inner

    def run_graph(self, cotangent, keep):
        if self.saved is None:
            raise freed()
        fn, geometry = self.saved
        F = functions()
        if isinstance(geometry, Geometry):
            part = F._view_gather(cotangent, geometry)
            inner = fn.run_graph(part, True)
            whole = None
            if self.next[0] is not None:
                whole = F._view_write(cotangent, F.zeros_like(part) if inner[0] is None else inner[0], geometry)
        else:
            whole = bridge.copy(cotangent, geometry.layout.blank(cotangent._a.dtype, zero=False)[0])
            part = geometry(whole)
            inner = fn.run_graph(F.clone(part), True)
            part.zero_() if inner[0] is None else part.copy_(inner[0])
        if not keep:
            self.saved = None
        return (whole, *inner[1:])


def functions():
    """The operators on tensors (the floor above): needed only when gradients themselves are recorded."""
    from .ops.table import TENSOR

    return TENSOR


# ------------------------------------------------------------------------------------------------------- history


def refresh(tensor, view):
    """Look a view's edge up again after a write to its storage, or at each use where it was made outside the graph."""
    if view.mirror is not None:
        view.mirror.update(tensor._vc[0])
    base = view.base
    edge = edge_of(base)
    own = tensor._edge
    if edge is None:
        if view.version != -1:
            view.version = tensor._vc[0]
        if own.__class__ is not Leaf or not hasattr(own, "array"):
            tensor._edge = None
        return
    if view.refuse is not None:
        if view.made != tensor._vc[0] and thread.grad:
            raise refusal(view, own, indirect=True)
        if own is None or (own.__class__ is Leaf and not hasattr(own, "array")):
            # a view made without recording requires grad because its base does, but what is computed from it leads nowhere, not to
            # the view either
            tensor._edge = nowhere = Leaf()
            nowhere.shape, nowhere.dtype = tensor._a.shape, tensor._dtype
        return
    view.version = tensor._vc[0]
    old = tensor._edge
    if view.replay is not None:
        was = set_grad(True)
        try:
            tensor._edge = view.replay(base)._edge
        finally:
            set_grad(was)
        return
    node = _strided_node(tensor, base, edge)
    if state.hooks:
        move_retained(tensor, old, node)
    tensor._edge = node


def _strided_node(view, source, edge):
    """The node of a view by strides of ``source``, whose edge is ``edge``."""
    node = AsStridedBackward0()
    node.seq = tick()
    node.shape = view._a.shape
    node.dtype = view._dtype
    node.next = (edge,)
    node.saved = Geometry(source._a, view._a)
    return node


def strided_view(source, shape, strides, offset):
    """A recorded view of ``source`` by byte strides and byte offset from its first element."""
    if hasattr(source._a, "held"):  # a lane's memory is seen by its level
        item = source._dtype.itemsize
        start = source.storage_offset() + offset // item
        return source.as_strided(shape, [stride // item for stride in strides], start)
    array = raw_strided_view(source._a, shape, strides, offset)
    made = wrap_view(array, source._dtype, source)
    edge = edge_of(source)
    if edge is not None:
        made._edge = _strided_node(made, source, edge)
    return made


_WHY = {
    "no_grad": (
        " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
        "the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want "
        "the inplace to be tracked)."
    ),
    "multi": (
        " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be "
        "modified inplace. You should replace the inplace operation by an out-of-place one."
    ),
    "inference": (
        " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
        "the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you "
        "want the inplace to be tracked)."
    ),
    "custom": (
        " This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle "
        "view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This "
        "behavior is forbidden. You can fix this by cloning the output of the custom Function."
    ),
}


#: what wants to know of a write before it happens (allow_mutation_on_saved_tensors): function of the tensor, or None
before_write = None


def announce(tensor):
    """Tell whoever wants to know that ``tensor`` is about to be written to."""
    if state.rare and before_write is not None:
        before_write(tensor)


def check(tensor, recorded):
    """Refuse a write that PyTorch refuses; ``recorded`` says whether any operand requires grad. Nothing is changed."""
    announce(tensor)
    if tensor._vc.__class__ is not list:
        tensor._vc.check_write()
    reading(tensor)
    if not (recorded and thread.grad):
        return
    view = tensor._view
    if view is not None and view.refuse is not None:
        raise refusal(view, tensor._edge)
    edge = edge_of(tensor)
    if view is not None:
        if edge is not None and view.base.is_leaf:
            raise _written_leaf_view()
    if edge is not None and edge.__class__ is Leaf:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def _written_leaf_view():
    return RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def written_edge(tensor):
    """The edge of a tensor about to be written to. A view that refuses writes says so before its place is looked up."""
    view = tensor._view
    if view is None:
        return tensor._edge
    if view.refuse is not None and thread.grad and tensor.requires_grad:
        raise refusal(view, tensor._edge)
    edge = edge_of(tensor)
    if edge is None and view.base._edge is not None and thread.grad:
        raise _written_leaf_view()
    return edge


def refusal(view, edge, indirect=False, part=None):
    """The error for a write to a view that refuses it (or to its ``part``, a node's name); ``indirect`` where not the view itself was written to."""
    what = "its base or another view of its base has been" if indirect else "is being"
    recorded = part is not None or (edge is not None and edge.__class__ is not Leaf)
    if recorded:
        node, index = (None, 0) if part is not None else describe(edge)
        text = f"Output {index} of {part or spoken(node.name())} is a view"
    if view.refuse in ("inference", "no_grad") or not recorded:
        made, now = (
            ("inference", "in normal mode") if view.refuse == "inference" else ("no_grad", "with grad mode enabled")
        )
        text = f"{text} of a view which was created" if recorded else "A view was created"
        text += f" in {made} mode and {what} modified inplace {now}."
    else:
        text += f" and {what} modified inplace."
    return RuntimeError(text + _WHY[view.refuse])


def check_memory(array):
    """Refuse to write into a tensor whose elements share memory (an expanded one)."""
    if 0 in array.strides and _overlapping_write(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def warn_of_shared_elements(array, name="index_put_"):
    """What PyTorch says of writes by index to an expanded tensor, which it does not refuse as it does other writes."""
    if 0 in array.strides and _overlapping_write(array):
        warnings.warn(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. "
            "This also applies to advanced indexing e.g. "
            + ("tensor[indices] = tensor" if name == "index_put_" else "tensor[mask] = scalar"),
            UserWarning,
            stacklevel=3,
        )


def check_apart(target, source):
    """Refuse to write into memory that a dense source reads under another arrangement."""
    if same_place(target, source):
        return
    if target.strides == source.strides and target.nbytes == source.nbytes and address(target) == address(source):
        return  # PyTorch does not look at the shapes
    check_no_overlap(target, source)


def same_place(one, other):
    """Whether two arrays show the same elements of the same memory."""
    if one is other:
        return True
    alike = one.shape == other.shape and one.itemsize == other.itemsize and _steps(one) == _steps(other)
    return alike and address(one) == address(other)


def check_no_overlap(target, source):
    """The same of a source that must not be the target itself either."""
    if overlap(target, source):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def overlap(one, other):
    """Whether two arrays are known to share memory, which is looked at where both fill the memory they span."""
    return one is other or (_dense(one) and _dense(other) and np.may_share_memory(one, other))


def _steps(array):
    """The strides that matter: those of dimensions with more than one element."""
    return [s for n, s in zip(array.shape, array.strides) if n > 1]


def _dense(array):
    """Whether the elements fill the memory they span."""
    if array.flags.forc:
        return True
    return array.size == 1 + sum((n - 1) * s for n, s in zip(array.shape, array.strides)) // array.itemsize


def _overlapping_write(array):
    return any(s == 0 and n > 1 for n, s in zip(array.shape, array.strides)) and array.size > 0


def finish(tensor, node):
    """Note the write that just happened, and give ``tensor`` the node of it (None if nothing was recorded)."""
    view = tensor._view
    if view is not None and view.mirror is not None:
        view.mirror.write_back()
    if node is None:
        bump(tensor._vc)
        return
    if view is None:
        bump(tensor._vc, node.name())
        if state.hooks:
            move_retained(tensor, tensor._edge, node)
        tensor._edge = node
        return
    base = view.base
    whole = CopySlices()
    whole.next = (edge_of(base), *node.next[1:])
    whole.shape = base._a.shape
    whole.dtype = base._dtype
    whole.shows = node.shows
    whole.saved = (node, Geometry(base._a, tensor._a) if view.replay is None else Replay(view.replay, base._a))
    whole.seq = tick()
    bump(tensor._vc, whole.name())
    if state.hooks:
        move_retained(base, base._edge, whole)
    base._edge = whole
    # the view itself, like every other, looks its place up at its next use; with hooks about, a retained gradient must move now
    if state.hooks and view.replay is None:
        refresh(tensor, view)


def move_retained(tensor, old, new):
    """A tensor that keeps its gradient goes on doing so at its new place: the gradient wanted is that of its value now."""
    if old is None or old.__class__ is Leaf or new is None:
        return
    node, index = describe(old)
    extra = getattr(node, "extra", None)
    if extra is None or not extra.retain or index not in extra.retain or extra.retain[index]() is not tensor:
        return
    keeper = extra.retain.pop(index)
    node, index = describe(new)
    extra = extra_of(node)
    if extra.retain is None:
        extra.retain = {}
    extra.retain[index] = keeper


def cast_check(result, target):
    """Refuse to store a result of dtype ``result`` into a tensor of dtype ``target``."""
    if not dtypes.can_cast(result, target):
        raise RuntimeError(f"result type {result.legacy} can't be cast to the desired output type {target.legacy}")


__all__ = ["Tensor", "attach", "cast_check", "check", "check_memory", "finish", "refresh", "written_edge"]
