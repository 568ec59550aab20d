"""What nodes save, when somebody wants a say in it: saved tensors as objects, and hooks that pack and unpack them.

Ordinary nodes keep bare arrays. A ``SavedTensor`` stands in for one where a custom Function saved it, or where hooks are on: the
innermost ``saved_tensors_hooks`` of the thread packs every tensor a node saves, and its partner unpacks it when a derivative needs it.
"""

import threading

from ..tensor import Tensor, attach, edge_of
from .graph import Leaf, Output, freed, stale, target
from .modes import enter_rare, leave_rare, set_grad, state, thread

__all__ = ["Kept", "SavedTensor", "Unseen", "active_hooks", "disable", "pack_node", "pop", "push"]


class _Stack(threading.local):
    hooks = ()
    disabled = None


_stack = _Stack()


def active_hooks():
    """The innermost (pack, unpack) of this thread, or None."""
    return _stack.hooks[-1] if _stack.hooks else None


def push(pack, unpack):
    """Let ``pack`` have every tensor saved from now on."""
    if _stack.disabled is not None:
        raise RuntimeError(_stack.disabled)
    _stack.hooks = (*_stack.hooks, (pack, unpack))
    enter_rare()


def pop():
    """Undo the innermost ``push``."""
    if not _stack.hooks:
        raise RuntimeError("there are no saved tensor hooks to take away")
    _stack.hooks = _stack.hooks[:-1]
    leave_rare()


class Kept:
    """What code called within the block pushes and does not pop, or pops and did not push, is put right at its end.

    The engine calls users' code in it: as in PyTorch, whose engine gives each node a state of its own, hooks end with the node.
    """

    __slots__ = ("_was",)

    def __enter__(self):
        self._was = _stack.hooks

    def __exit__(self, *exc):
        was, now = self._was, _stack.hooks
        if now is not was:
            _stack.hooks = was
            for _ in range(len(now), len(was)):
                enter_rare()
            for _ in range(len(was), len(now)):
                leave_rare()


class Unseen:
    """What is saved within the block no hooks are shown."""

    __slots__ = ("_was",)

    def __enter__(self):
        self._was, _stack.hooks = _stack.hooks, ()

    def __exit__(self, *exc):
        _stack.hooks = self._was


def disabled():
    """The message with which hooks are refused, or None."""
    return _stack.disabled


def disable(message):
    """Refuse hooks with ``message`` (None: allow them); returns what it was."""
    was = _stack.disabled
    if message is not None and _stack.hooks:
        raise RuntimeError(message)
    _stack.disabled = message
    return was


class SavedTensor:
    """One tensor a node saved: the tensor itself for an input, an array and a place for an output (which would be a cycle)."""

    __slots__ = ("_array", "_counter", "_dtype", "_edge", "_hooks", "_index", "_node", "_packed", "_tensor", "_version")

    def __init__(self, tensor=None, node=None, edge=None):
        """``edge`` is the tensor's place in the graph; if it is an output of ``node`` only the number is kept."""
        if tensor is None:
            raise RuntimeError("Trying to create a SavedTensor object from Python is forbidden.")
        self._hooks = self._packed = self._tensor = self._node = None
        self._array, self._dtype = tensor._a, tensor._dtype
        self._counter, self._version = tensor._vc, tensor._vc[0]
        own = node is not None and edge is not None and edge.__class__ is not Leaf and target(edge) is node
        self._index = (edge.index if edge.__class__ is Output else 0) if own else None
        self._edge = None if own else edge
        if not own:
            self._tensor = tensor

    def __reduce_ex__(self, protocol):
        raise TypeError("cannot pickle 'torch._C._autograd.SavedTensor' object")

    @classmethod
    def of_nothing(cls):
        """What stands for None among saved tensors."""
        made = object.__new__(cls)
        for each in cls.__slots__:
            setattr(made, each, None)
        return made

    @classmethod
    def of_freed(cls, dtype):
        """What stands for a tensor that a node no longer keeps."""
        made = cls.of_nothing()
        made._dtype = dtype
        return made

    @property
    def data(self):
        """What is kept: the tensor, or what the packing hook made of it."""
        if self._hooks is not None:
            return self._packed
        return attach(self._array, self._dtype, None, self._counter) if self._tensor is None else self._tensor

    @property
    def unpack_hook(self):
        return None if self._hooks is None else self._hooks[1]

    def freed(self):
        return self._array is None and self._hooks is None

    def free(self):
        self._array = self._tensor = self._packed = self._hooks = self._edge = None

    def unpack(self, node):
        """The tensor again, at its place in the graph; ``node`` is the one that saved it."""
        edge = self._edge
        if self._index is not None:
            edge = (
                node if node.width == 1 else Output(node, self._index, node.shape[self._index], node.dtype[self._index])
            )
        if self._hooks is not None:
            return self._reopened(edge)
        if self._array is None:
            raise freed()
        if self._counter[0] != self._version:
            # of its own output, the node says that it made it, whoever wrote to it since
            counter = self._counter if self._index is None else [self._counter[0], None, *self._counter[2:]]
            raise stale(self._array, self._dtype, counter, self._version, edge, node)
        if self._tensor is not None:
            return self._tensor
        tensor = attach(self._array, self._dtype, edge, self._counter)
        if state.duals:  # with the tangent that it carries within a forward mode level
            from ..ops import record

            record.revived(tensor)
        return tensor

    def _reopened(self, edge):
        was = set_grad(False)
        try:
            with Kept():
                found = self._hooks[1](self._packed)
        finally:
            set_grad(was)
        if not isinstance(found, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(found).__name__}"
            )
        # one outside of the graph is the very tensor that the hook returned
        if edge is None:
            return found
        array = _kept(found)
        return attach(array, found._dtype, edge, found._vc) if array is found._a else array.revived(edge, found._vc)

    def pack(self, tensor, hooks):
        """Hand ``tensor`` to the packing hook and keep what it returns."""
        version = tensor._vc[0]
        was = set_grad(False)
        try:
            self._packed = hooks[0](tensor)
        finally:
            set_grad(was)
        if tensor._vc[0] != version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified "
                "by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to perform "
                "in-place operations on the input to a pack hook."
            )
        self._hooks = hooks
        self._array = self._tensor = self._counter = None

    def register_hooks(self, pack_hook=None, unpack_hook=None):
        """Pack this saved tensor now with ``pack_hook`` and bring it back with ``unpack_hook`` when it is needed."""
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError("register_hooks(): incompatible function arguments: both hooks must be callable")
        if self._dtype is None:
            raise RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
        if self._hooks is not None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is allowed at a "
                "time."
            )
        if self._array is None:
            raise RuntimeError("Calling register_hooks on a saved tensor after it has been freed. " + _FREED_HINT)
        if self._counter[0] != self._version:
            raise stale(self._array, self._dtype, self._counter, self._version, self._edge, self._node)
        self.pack(attach(self._array, self._dtype, None, self._counter), (pack_hook, unpack_hook))


_FREED_HINT = (
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you "
    "need to backward through the graph a second time or if you need to access saved variables after calling backward."
)


# ---------------------------------------------------------------------------------------------- nodes of operators


def pack_node(node, hooks):
    """Hand every tensor that an operator's new node saved to the hooks."""
    saved = node.saved
    for name, mark in saved.marks.items():
        value = saved.values[name]
        if mark.__class__ is list:
            packed = [each if m is None else _packed(node, each, m, hooks) for each, m in zip(value, mark)]
            saved.values[name] = tuple(packed) if value.__class__ is tuple else packed
        else:
            saved.values[name] = _packed(node, value, mark, hooks)
    if saved.marks:
        saved.packed = True
        node.guard = None


def _packed(node, array, mark, hooks):
    tensor = as_tensor(node, array, mark)
    made = SavedTensor(tensor, node, edge_of(tensor))
    made.pack(tensor, hooks)
    return made


def as_tensor(node, array, mark):
    from ..ops.record import _revive

    place, dtype, counter = mark
    if place is not None and place < 0 and -1 - place in (node.op.nondiff or ()):
        return attach(array, dtype, None, counter)
    if thread.grad or place is None or place >= 0 or state.shells:
        return _revive(node, array, mark)
    return attach(array, dtype, None, counter)


def _kept(tensor):
    """The array by which a node keeps a tensor."""
    if not state.shells:
        return tensor._a
    from .shells import kept

    return kept(tensor)


def open_values(node, values):
    """The saved values of a packed node with arrays in place of what the hooks packed."""
    opened = {}
    for name, value in values.items():
        if value.__class__ is SavedTensor:
            value = _kept(value.unpack(node))
        elif value.__class__ in (list, tuple):
            value = type(value)([_kept(each.unpack(node)) if each.__class__ is SavedTensor else each for each in value])
        opened[name] = value
    return opened
