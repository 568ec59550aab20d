"""Tensors whose class answers for operators (``__torch_dispatch__``): what stands for their elements, and how answers are recorded.

Such a tensor often has no elements of its own. What it has is a *shell*: an array of the right shape, strides and place in memory whose
elements mean nothing, so NumPy's functions refuse it. Calls are recorded above the class: it computes with recording off, and the call
becomes a node of the graph like any other. A node keeps arrays, never tensors; so it keeps a shell that knows a *twin* of the tensor
(the same class, attributes and memory, no place in the graph), of which the tensor comes back to life for the derivative rules. These must
run on tensors wherever they may meet one, which is while any shell is alive (``state.shells``).
"""

import contextlib
import copyreg
import threading
import weakref

import numpy as np

from .. import inplace
from ..ops import dispatch
from ..ops.record import make_node
from ..ops.table import TENSOR
from ..ops.writing import _needs_original, share_counter
from ..tensor import Tensor, _new, attach, wrap, wrap_view
from .graph import Output
from .modes import enter_rare, leave_rare, set_grad, state, thread

__all__ = [
    *(
        "Shell",
        "added",
        "asking_shell",
        "class_answers",
        "enable_reentrant_dispatch",
        "hollow",
        "kept",
        "passed_over",
        "recorded",
    ),
    *("settle", "shell", "unrecorded", "unwrapped", "values_of"),
]


class Shell(np.ndarray):
    """The array of a tensor whose class answers for it; ``twin`` is set where a node keeps it.

    ``owner`` is a weak reference to the tensor itself, whose class is asked where the value of a single element is wanted; ``source``
    one to the tensor that a node keeps, which comes back itself if it is still there, and where it was.
    """

    twin = owner = source = None
    _counted = False

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        raise RuntimeError(_NO_STORAGE)

    def __array_function__(self, function, types, args, kwargs):
        raise RuntimeError(_NO_STORAGE)

    def item(self):
        owner = None if self.owner is None else self.owner()
        if owner is None:
            raise RuntimeError(_NO_STORAGE)
        return dispatch.ask_method("_local_scalar_dense", (owner,), {})

    def __bool__(self):
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def revived(self, edge, counter):
        """The tensor again, at a place of the graph."""
        source = None if self.source is None else self.source()
        if source is not None and source._edge is edge and source._vc is counter and source._view is None:
            return source
        made = twin(self.twin)
        made._edge, made._vc = edge, counter
        return made

    def __del__(self):
        if self._counted:
            state.shells -= 1
            leave_rare()


class AskingShell(Shell):
    """The shell of a tensor whose class is asked, once, for its strides, and with ``policy`` "sizes" for its shape too.

    The class answers with None to leave a question to the shell.
    """

    policy = "strides"

    @property
    def shape(self):
        found = self.asked("sym_size") if self.policy == "sizes" else None
        return np.ndarray.shape.__get__(self) if found is None else tuple(found)

    @property
    def ndim(self):
        found = self.asked("dim") if self.policy == "sizes" else None
        return np.ndarray.ndim.__get__(self) if found is None else found

    @property
    def size(self):
        found = self.asked("numel") if self.policy == "sizes" else None
        return np.ndarray.size.__get__(self) if found is None else found

    @property
    def strides(self):
        found = self.asked("sym_stride")
        return np.ndarray.strides.__get__(self) if found is None else tuple([step * self.itemsize for step in found])

    def asked(self, name, *args):
        """What the class answers; None where it leaves that to the array."""
        owner = None if self.owner is None else self.owner()
        if owner is None:
            return None
        key = (name, *args)
        if key not in self.__dict__:
            self.__dict__[key] = dispatch.ask_method(name, (owner, *args), {})
        return self.__dict__[key]


_NO_STORAGE = "Cannot access data pointer of Tensor that doesn't have storage"


def shell(array, cls=Shell):
    """A shell over the memory of an array."""
    made = np.ndarray.view(array, cls)
    made._counted = True
    state.shells += 1
    enter_rare()
    return made


def settle(tensor, array):
    """Make a shell the array of a tensor."""
    tensor._a = array
    array.owner = weakref.ref(tensor)


def hollow(shape, dtype, strides=None, offset=0, policy=None):
    """A shell of its own memory, which the system gives out only if it is touched; ``strides`` and ``offset`` count elements.

    ``policy``: what the tensor's class is to be asked for, "sizes", "strides" or None.
    """
    if strides is None:
        strides, step = [], 1
        for size in reversed(shape):
            strides.insert(0, step)
            step *= max(size, 1)
    extent = 0 if 0 in shape else 1 + sum((n - 1) * s for n, s in zip(shape, strides))
    try:
        memory = np.zeros(offset + max(extent, 1), dtype)
        array = np.ndarray(shape, dtype, memory, offset * dtype.itemsize, tuple([s * dtype.itemsize for s in strides]))
    except MemoryError:
        # larger than all memory: such a tensor has a shape, and its strides are those of one element seen from everywhere
        array = np.broadcast_to(np.zeros((), dtype), shape)
    return shell(array) if policy is None else asking_shell(array, policy)


def asking_shell(array, policy):
    """A shell over the memory of an array, of a tensor whose class is to be asked for its "sizes" or "strides"."""
    made = shell(array, AskingShell)
    made.policy = policy
    return made


def twin(tensor):
    """A tensor of the same class that shares memory and attributes, and has no place in the graph."""
    made = _new(type(tensor))
    for name in copyreg._slotnames(type(tensor)):
        if hasattr(tensor, name):
            setattr(made, name, getattr(tensor, name))
    made.__dict__ = tensor.__dict__
    made._edge = made._view = None
    return made


class _PassedOver(threading.local):
    classes = False


#: whether the classes of this thread's arguments are not asked for now
passed_over = _PassedOver()


def _disabled(func, types, args=(), kwargs=None):
    """The ``__torch_dispatch__`` of classes that leave operators to rushlight: run them as on plain tensors."""
    was, passed_over.classes = passed_over.classes, True
    try:
        return func(*args, **(kwargs or {}))
    finally:
        passed_over.classes = was


Tensor.__torch_dispatch__ = staticmethod(_disabled)


def class_answers(cls):
    """Whether a class of tensors answers for operators."""
    return cls.__torch_dispatch__ is not _disabled


def answers(tensor):
    """Whether a tensor's class does."""
    return class_answers(type(tensor))


def kept(tensor):
    """The array by which a node keeps a tensor."""
    if not answers(tensor):
        return tensor._a
    array = shell(tensor._a)
    array.twin, array.source = twin(tensor), weakref.ref(tensor)
    return array


def values_of(tensor):
    """The elements of a tensor as an array, each asked for by itself where its class answers for it."""
    if not answers(tensor):
        return tensor._a
    elements = [each.item() for each in tensor.detach().reshape((-1,)).unbind(0)]
    return np.array(elements, tensor._dtype.numpy).reshape(tensor._a.shape)


@contextlib.contextmanager
def added(tensor, offset):
    """Within the block an array is added to the elements of a tensor, in its memory and unseen by versions."""
    if not answers(tensor):
        array = tensor._a
        before = array.copy()
        array += np.asarray(offset, array.dtype)
        try:
            yield
        finally:
            array[...] = before
        return
    elements = tensor.data
    before = elements.clone()
    elements.add_(wrap(np.asarray(offset, tensor._dtype.numpy)))
    try:
        yield
    finally:
        elements.copy_(before)


# --------------------------------------------------------------------------------------------------------- recording


class _Outside(threading.local):
    grad = None


_outside = _Outside()


class enable_reentrant_dispatch:  # noqa: N801 - PyTorch's name
    """Within the block of a class's answer, what it computes is recorded as it is outside of it."""

    def __enter__(self):
        self._was = thread.grad
        if _outside.grad is not None:
            set_grad(_outside.grad)
        return self

    def __exit__(self, *exc):
        set_grad(self._was)


def unrecorded(answer):
    """``answer()`` with recording off."""
    was = set_grad(False)
    above, _outside.grad = _outside.grad, was
    try:
        return answer()
    finally:
        _outside.grad = above
        set_grad(was)


def recorded(op, values, answer, inplace=False):
    """``answer()``, what a mode or some argument's class makes of a call of an operator, with its place in the graph."""
    return (_written if inplace else _made)(op, values, answer)


def unwrapped(op, values):
    """``dispatch.unwrap`` with the arrays by which a node keeps such tensors."""
    raws, edges, layout, _ = dispatch.unwrap(op, values)
    for i, value in enumerate(values):
        if isinstance(value, Tensor):
            raws[i] = kept(value)
        elif raws[i].__class__ is list:
            raws[i] = [kept(each) if isinstance(each, Tensor) else each for each in value]
    return raws, edges, layout


def _made(op, values, answer):
    result = unrecorded(answer)
    many = isinstance(result, (tuple, list))
    results = list(result) if many else [result]
    if not all(isinstance(each, Tensor) for each in results):
        return result
    if any(each is value for each in results for value in values):
        results = [_another(each) if any(each is value for value in values) else each for each in results]
        result = type(result)(results) if many else results[0]
    if op.view and answers(values[0]):
        _seat(op, values, results, many)
    elif thread.grad:
        _open(values[0] if op.view else None, results, many)
    if not thread.grad or not (op.rules or op.joint is not None):
        return result
    raws, edges, layout = unwrapped(op, values)
    skip = op.nondiff or ()
    live = [k not in skip and each._dtype.category >= 2 and each._edge is None for k, each in enumerate(results)]
    if not any(live) or all(edge is None for edge in edges):
        return result
    arrays, counters = [kept(each) for each in results], [each._vc for each in results]
    if op.returns is None and not many:
        results[0]._edge = make_node(op, values, raws, edges, layout, arrays, counters, None, results[0]._dtype)
        return result
    if op.returns is None:
        op.returns = "list"
    node = make_node(op, values, raws, edges, layout, arrays, counters)
    for k, each in enumerate(results):
        if live[k]:
            each._edge = Output(node, k, each._a.shape, each._dtype)
    return result


def _another(tensor):
    """Another tensor of the same class, memory and version, at no place of the graph."""
    return twin(tensor) if answers(tensor) else attach(tensor._a, tensor._dtype, None, tensor._vc)


def _open(source, results, many):
    """Let views of ``source`` that were made with recording off be views as if they had been made with it; others are none."""
    above = None if source is None or source._view is None else source._view.refuse
    for each in results:
        view = each._view
        if view is not None and view.refuse == "no_grad":
            view.refuse, view.version = "multi" if many else above, view.made
            each._edge = None  # who looked meanwhile saw the base's
            if source is None:
                each._view = None


def _seat(op, values, results, many):
    """Make results of a view operator views of its first argument, in its memory."""
    source = values[0]
    raws = [np.ndarray.view(v._a, np.ndarray) if isinstance(v, Tensor) else v for v in values]
    found = dispatch.compute(op, raws)
    for each, array in zip(results, found if many else (found,)):
        if array is None or array.shape != each._a.shape or not answers(each):
            continue
        empty = isinstance(each._a, Shell)
        if not empty and not dispatch._shares(each._a, source._a):
            continue
        replay = (lambda base: op.public(base, *values[1:])) if op.replay else None
        memory = shell(array) if empty else each._a
        view = wrap_view(memory, each._dtype, source, refuse="multi" if many else None, replay=replay)
        if empty:
            settle(each, memory)
        each._vc, each._view = view._vc, view._view


def _written(op, values, answer):
    target = values[0]
    if target._view is not None:
        inplace.written_edge(target)
    raws, edges, layout = unwrapped(op, values)
    wanted = thread.grad and any(edge is not None for edge in edges)
    inplace.check(target, wanted)
    original = kept(unrecorded(lambda: TENSOR.clone(target))) if wanted and _needs_original(op) else None
    version = target._vc[0]
    unrecorded(answer)
    # what was written to the target itself counts when it is recorded
    target._vc[0] = version
    if not wanted:
        inplace.finish(target, None)
        return target
    counter = [target._vc[0] + 1]
    node = make_node(op, values, raws, edges, layout, (kept(target),), (counter,), original)
    share_counter(node, counter, target._vc)
    inplace.finish(target, node)
    return target
