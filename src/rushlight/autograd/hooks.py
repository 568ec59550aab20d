"""Removable hooks, kept in the order in which they were registered."""

import itertools
import weakref

from .graph import mark_hooks

_ids = itertools.count().__next__


class RemovableHandle:
    """Takes a hook away again: ``handle.remove()``, or leaving ``with handle:``."""

    def __init__(self, hooks):
        self._hooks = weakref.ref(hooks)
        self.id = _ids()

    def remove(self):
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


class Hooks(dict):
    """Hooks by number; a dict that can be referred to weakly."""

    __slots__ = ("__weakref__",)


def insert(hooks, fn):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = fn
    mark_hooks()
    return handle


def add(extra, kind, fn):
    """Register ``fn`` among the ``kind`` ("pre", "post", "post_accumulate") hooks of a node's extra."""
    hooks = getattr(extra, kind)
    if hooks is None:
        hooks = Hooks()
        setattr(extra, kind, hooks)
    return insert(hooks, fn)


def add_tensor(extra, index, fn):
    """Register ``fn(grad)`` on output ``index`` of a node (or on a leaf, index 0)."""
    if extra.tensor is None:
        extra.tensor = {}
    return insert(extra.tensor.setdefault(index, Hooks()), fn)
