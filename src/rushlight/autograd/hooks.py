"""Removable hooks, kept in the order in which they were registered."""

import functools
import weakref
from collections import OrderedDict

from .graph import mark_hooks
from .modes import thread


class RemovableHandle:
    """Takes a hook away again: ``handle.remove()``, or leaving ``with handle:``.

    Args:
        hooks_dict: where the hook is kept under ``handle.id``; only referred to weakly.
        extra_dict: another dictionary, or a list of them, that may know the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        if extra_dict is None:
            self.extra_dict_ref = ()
        else:
            extra = [extra_dict] if isinstance(extra_dict, dict) else extra_dict
            self.extra_dict_ref = tuple(weakref.ref(each) for each in extra)

    def remove(self):
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state):
        hooks, self.id = state[:2]
        # a dictionary that died has nothing to be taken from
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        extra = state[2] if len(state) > 2 and state[2] else ()
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if each is None else each) for each in extra)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __reduce__(self):
        # by a function, as the class is shown under a name where it may not be found
        return _handle, (), self.__getstate__()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


def _handle():
    return RemovableHandle.__new__(RemovableHandle)


RemovableHandle.__module__ = "torch.utils.hooks"


def insert(hooks, fn):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = fn
    mark_hooks()
    return handle


def add(extra, kind, fn):
    """Register ``fn`` among the ``kind`` ("pre", "post", "post_accumulate") hooks of a node's extra."""
    hooks = getattr(extra, kind)
    if hooks is None:
        hooks = OrderedDict()
        setattr(extra, kind, hooks)
    return insert(hooks, fn)


def add_tensor(extra, index, fn):
    """Register ``fn(grad)`` on output ``index`` of a node (or on a leaf, index 0)."""
    if extra.tensor is None:
        extra.tensor = {}
    return insert(extra.tensor.setdefault(index, OrderedDict()), fn)


def of_tensor(extra, index):
    """The hooks on output ``index`` of a node (or on a leaf, index 0) by number, or None."""
    return None if extra is None or extra.tensor is None else extra.tensor.get(index)


def set_of_tensor(extra, index, hooks):
    """Have a dictionary of hooks, or none, in place of those that are there."""
    if extra.tensor is None:
        extra.tensor = {}
    extra.tensor[index] = hooks
    mark_hooks()


def within(transform, hook):
    """A hook for the backward pass of one reverse transform: those of others around it, which go the same way, pass it by."""

    @functools.wraps(hook, updated=())
    def scoped(gradient):
        return hook(gradient) if thread.reverse and thread.reverse[-1].own is transform.own else None

    return scoped
