"""What users find in ``torch.autograd.graph`` beside nodes: hooks on saved values, hooks on several gradients, versions."""

import functools
import threading
import weakref
from collections.abc import Iterable

from .. import inplace
from ..tensor import Tensor, edge_of
from . import engine, saved
from .calls import GradientEdge, get_gradient_edge
from .graph import Leaf, bump, target
from .hooks import RemovableHandle

__all__ = [
    "GradientEdge",
    "RemovableHandle",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Within the block, what an operation saves goes through ``pack_hook(tensor)`` and comes back through ``unpack_hook(packed)``.

    ``pack_hook`` may return anything and must not write to its argument; ``unpack_hook`` must return a tensor of the same content.
    Of nested blocks the innermost counts.

        >>> with torch.autograd.graph.saved_tensors_hooks(lambda x: x.numpy().tobytes(), restore):
        ...     y = model(x)
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        saved.push(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc):
        saved.pop()


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """Keep saved tensors in main memory. Everything is there already, so nothing is copied unless ``pin_memory`` asks for it.

    Args:
        pin_memory: copy each saved tensor into memory of its own, as PyTorch does.
        device_type: "cuda" only, for which there is no device here.
    """

    def __init__(self, pin_memory=False, device_type="cuda"):
        def pack(tensor):
            return (tensor.device, tensor.detach().clone() if pin_memory else tensor.cpu())

        def unpack(packed):
            return packed[1]

        super().__init__(pack, unpack)


class disable_saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Within the block, ``saved_tensors_hooks`` raise RuntimeError with ``error_message``."""

    def __init__(self, error_message):
        self.error_message = error_message

    def __enter__(self):
        self._was = saved.disable(self.error_message)

    def __exit__(self, *exc):
        saved.disable(self._was)

    def __call__(self, function):
        @functools.wraps(function)
        def inside(*args, **kwargs):
            with type(self)(self.error_message):
                return function(*args, **kwargs)

        return inside


# ---------------------------------------------------------------------------------------- writing to what was saved


class _Handle:
    """Stands for a saved tensor; a write to its storage copies it first."""

    __slots__ = ("__weakref__", "counter", "tid")

    def __init__(self, tensor, tid):
        self.counter, self.tid = tensor._vc, tid


class _AllowMutation(threading.local):
    context = None


_allow = _AllowMutation()


class _MutationContext:
    """What was saved within one ``allow_mutation_on_saved_tensors`` block.

    What is saved several times has one handle, found by array and version (``tid_to_weakhandle``). ``original`` has the tensors of
    handles, ``cloned`` the copies of those written to since, and ``handles`` those that a write may concern, by version counter.
    """

    def __init__(self):
        self.original, self.cloned = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
        self.tid_to_weakhandle = weakref.WeakValueDictionary()
        self.handles = {}

    def clear(self):
        for each in (self.original, self.cloned, self.tid_to_weakhandle, self.handles):
            each.clear()

    def pack(self, tensor):
        tid = (id(tensor._a), tensor._vc[0])
        handle = self.tid_to_weakhandle.get(tid)
        if handle is None:
            handle = self.tid_to_weakhandle[tid] = _Handle(tensor, tid)
            self.original[handle] = tensor
            self.handles.setdefault(id(handle.counter), weakref.WeakSet()).add(handle)
        return handle

    def unpack(self, handle):
        if _allow.context is not self:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was originally recorded."
            )
        return self.cloned[handle] if handle in self.cloned else self.original[handle]

    def before_write(self, tensor):
        for handle in self.handles.pop(id(tensor._vc), ()):
            if handle.counter is tensor._vc:
                self.cloned[handle] = self.original.pop(handle).detach().clone()
                del self.tid_to_weakhandle[handle.tid]


def _before_write(tensor):
    if _allow.context is not None:
        _allow.context.before_write(tensor)


class allow_mutation_on_saved_tensors:  # noqa: N801 - PyTorch's name
    """Within the block, what was saved for backward may be written to: it is copied before the first write.

    Both the forward and the backward pass must be inside.
    """

    def __enter__(self):
        if _allow.context is not None:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        self._context = _allow.context = _MutationContext()
        inplace.before_write = _before_write
        saved.push(self._context.pack, self._context.unpack)
        return self._context

    def __exit__(self, *exc):
        saved.pop()
        _allow.context = None
        self._context.clear()


# ------------------------------------------------------------------------------------------------ several gradients


class _MultiHandle(RemovableHandle):
    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call ``fn`` once for each backward pass when the gradients of ``tensors`` have been computed.

    Args:
        tensors: tensors that require grad.
        fn: for ``mode="all"``: called with a list of gradients (None for tensors the pass does not reach) once the last is there;
            for ``mode="any"``: called with the first gradient.

    Returns a handle with ``remove()``.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    tensors = tuple(tensors)
    if mode == "all" and not all(tensor.requires_grad for tensor in tensors):
        raise AssertionError("Expected gradient function to be set")
    lock = threading.Lock()
    if mode == "any":
        seen = weakref.WeakSet()

        @functools.wraps(fn)
        def first(gradient):
            task = engine.current_pass()
            with lock:
                if task in seen:
                    return
                seen.add(task)
            fn(gradient)

        return _MultiHandle(tuple(tensor.register_hook(first) for tensor in tensors if tensor.requires_grad))

    counts, buffers, expected = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
    nodes = [target(edge_of(tensor)) for tensor in tensors]

    def hook_for(index):
        def hook(gradient):
            task = engine.current_pass()
            with lock:
                if task not in buffers:
                    buffers[task] = [None] * len(tensors)
                    counts[task] = 0
                    expected[task] = sum(will_execute(task, node) for node in nodes)
                buffers[task][index] = gradient
                counts[task] += 1
                done = counts[task] == expected[task]
            if done:
                found = buffers.pop(task)
                del counts[task], expected[task]
                fn(found)

        return hook

    return _MultiHandle(tuple(tensor.register_hook(hook_for(i)) for i, tensor in enumerate(tensors)))


def will_execute(task, node):
    """Whether the running backward pass executes ``node``; RuntimeError for a leaf whose gradient ``grad`` was asked for."""
    found = task.will_run(node)
    if found and isinstance(node, Leaf) and not task.accumulate:
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is currently not "
            "supported."
        )
    return found


# --------------------------------------------------------------------------------------------------------- versions


def increment_version(tensor):
    """Say that ``tensor`` (or each of an iterable of them) was written to by other means: saved values of it become stale.

    Inference tensors have no version, and are passed over.
    """
    if not isinstance(tensor, (Tensor, Iterable)):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        if not isinstance(each, Tensor):
            raise RuntimeError("increment_version expects each element of the iterable to be a tensor")
        if not each.is_inference():
            bump(each._vc)


def set_warn_on_accumulate_grad_stream_mismatch(enabled):
    """There are no streams here, so there is never a mismatch; the warning cannot come up."""
    if not isinstance(enabled, bool):
        raise RuntimeError(f"enabled must be a bool, but got {type(enabled).__name__}")


#: likewise: no stream is ever stale
set_override_stale_capture_stream = set_warn_on_accumulate_grad_stream_mismatch


def region_activation_memory_budget(budget):
    """How much of what ``torch.compile`` would save a compiled region may keep; RuntimeError, as nothing is compiled here."""
    name = "torch.autograd.graph.region_activation_memory_budget"
    if isinstance(budget, bool) or not isinstance(budget, (int, float)):
        raise TypeError(f"{name}: expects a float, got {type(budget).__name__}")
    if not 0.0 <= budget <= 1.0:
        raise ValueError(f"{name}: must be in [0, 1], got {budget}")
    raise RuntimeError(f"{name} can only be used inside a torch.compile region; it has no effect in eager mode.")
