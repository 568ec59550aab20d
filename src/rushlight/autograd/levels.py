"""What stands before operators: a stack of interpreters for each thread.

An interpreter is called as ``(op, values, how) -> result or NotImplemented``. ``how`` is None for an ordinary call, ``"inplace"`` for
``op_``, the ``out`` tensor of a call with ``out=``, or the function of a subscript. The innermost is asked first; while it runs it is off
the stack, so the operators it calls are met by the interpreters below it. Operators ask only while ``state.rare`` is set, which an
interpreter on the stack sees to.

A *level* is an interpreter whose tensors carry more than the function that runs at it sees: all samples of a batch (``vmap``), or a
tangent (``jvp``). Such a tensor is an ordinary Tensor around a ``Lane``, an array that has the shape, strides and dtype the function
sees and knows the tensor *held* behind it. A level computes on what is held and wraps the results.

Each floor of the stack has a graph of its own: edges that transforms make within a level hang on the lanes, those from outside on what is
held. So nodes save lanes like any array, and a saved value that comes back to life is a tensor of its level again. A tensor that gets
an edge within a level is made a lane of it first (``lift``).
"""

import threading

import numpy as np

from .. import inplace
from ..ops import dispatch, subscript
from ..ops.record import Layout, make_node
from ..ops.writing import _needs_original, share_counter
from ..tensor import Tensor, attach, edge_of, wrap_view
from . import function
from .graph import Output
from .modes import enter_rare, leave_rare, set_grad, state, thread

__all__ = [
    "UNBATCHABLE",
    *(
        "Above",
        "Below",
        "Lane",
        "Level",
        "batches",
        "detach_all",
        "detached",
        "execute",
        "execute_inplace",
        "in_forward",
    ),
    *("is_lane", "lift", "lifted"),
    *("overwritten", "placed", "pop", "push", "refuse_batched", "remade", "resize", "top"),
]


UNBATCHABLE = "Batching rule not implemented for aten::{name}; the fallback path doesn't work on out= or view ops."


class _Stack(threading.local):
    interpreters = ()


_stack = _Stack()


def push(interpreter, at=None):
    """Put an interpreter on this thread's stack: on top, or above the lowest ``at`` of it."""
    stack = _stack.interpreters
    at = len(stack) if at is None else at
    _stack.interpreters = (*stack[:at], interpreter, *stack[at:])
    enter_rare()


def pop():
    """Take the topmost interpreter away."""
    _stack.interpreters = _stack.interpreters[:-1]
    leave_rare()


def remove(interpreter):
    """Take one interpreter away, wherever it is."""
    found = list(_stack.interpreters)
    found.remove(interpreter)
    _stack.interpreters = tuple(found)
    leave_rare()


class Below:
    """Within the block the stack ends below its topmost interpreter (or below ``count`` of them)."""

    __slots__ = ("_was", "count")

    def __init__(self, count=1):
        self.count = count

    def __enter__(self):
        self._was = _stack.interpreters
        _stack.interpreters = self._was[: len(self._was) - self.count]

    def __exit__(self, *exc):
        _stack.interpreters = self._was


class Above:
    """Within the block an interpreter that was asked, and so is off the stack, is on top of it again."""

    __slots__ = ("_interpreter", "_was")

    def __init__(self, interpreter):
        self._interpreter = interpreter

    def __enter__(self):
        self._was = _stack.interpreters
        _stack.interpreters = (*self._was, self._interpreter)

    def __exit__(self, *exc):
        _stack.interpreters = self._was


def _intercept(op, values, how):
    stack = _stack.interpreters
    depth = len(stack)
    try:
        while depth:
            depth -= 1
            _stack.interpreters = stack[:depth]
            result = stack[depth](op, values, how)
            if result is not NotImplemented:
                return result
    finally:
        _stack.interpreters = stack
    return NotImplemented


dispatch.intercept = _intercept


def execute(op, values):
    """Run an operator on bound arguments, met by the interpreters of the stack and the arguments' classes."""
    if _stack.interpreters:
        result = _intercept(op, values, None)
        if result is not NotImplemented:
            return result
    if state.shells:
        result = dispatch.ask_classes(op, values, None)
        if result is not NotImplemented:
            return result
    return dispatch.execute(op, values)


def execute_inplace(op, values):
    """The same in place."""
    if _stack.interpreters:
        result = _intercept(op, values, "inplace")
        if result is not NotImplemented:
            return result
    if state.shells:
        result = dispatch.ask_classes(op, values, "inplace")
        if result is not NotImplemented:
            return result
    return dispatch.execute_inplace(op, values)


def top():
    """The innermost level of the stack, or None."""
    for interpreter in reversed(_stack.interpreters):
        if isinstance(interpreter, Level):
            return interpreter
    return None


def in_forward():
    """Whether some ``jvp`` runs."""
    return any(isinstance(each, Level) and each.forward for each in _stack.interpreters)


def sees_rules():
    """Whether somebody on the stack must see the operators of derivative rules."""
    return any(isinstance(each, Level) or getattr(each, "sees_rules", False) for each in _stack.interpreters)


def lift(tensor):
    """A tensor that may get an edge of its own at this place of the stack: a lane of the innermost level, at the same place of its graph."""
    level = top()
    return tensor if level is None else level.lift(tensor)


def lifted(values):
    """Bound values whose tensors are all lanes of the innermost level (as they are, where there is none)."""
    level = top()
    return values if level is None else level._lifted(values)


# ------------------------------------------------------------------------------------------------------------- lanes


class Lane(np.ndarray):
    """The array of a level's tensor: what it looks like to the function, and ``held``, what it stands for.

    Its elements are those of one sample (or the primal), so that strides and places in memory are true; but to compute with them would
    be an error, so NumPy's functions refuse.
    """

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        raise self._misused(ufunc)

    def __array_function__(self, function, types, args, kwargs):
        if function is np.may_share_memory:
            return function(*[np.asarray(each) for each in args])
        raise self._misused(function)

    def _misused(self, function):
        if getattr(self, "level", None) not in _stack.interpreters:
            return RuntimeError(
                "Either your tensor may have escaped from inside a function being vmapped and this is a user error (see "
                "https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal functorch error in "
                "`gen_vmap_plumbing` Please file an issue if it looks like the latter"
            )
        return RuntimeError(f"a kernel was called on the tensor of a transform: numpy.{function.__name__}")

    def view(self, *args):
        if not args:
            raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")
        return super().view(*args)

    def __getitem__(self, index):
        if index is Ellipsis:
            return self.level.same(self)
        return super().__getitem__(index)

    def tolist(self):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    def item(self):
        return self.level.item(self)

    def strided(self):
        """The array as one whose layout may be compared with a memory format's."""
        return np.asarray(self)


def is_lane(tensor):
    """Whether a tensor belongs to some level."""
    return isinstance(tensor._a, Lane)


# ------------------------------------------------------------------------------------------------------------ levels


class Level:
    """An interpreter with tensors of its own. Subclasses say how to ``compute`` on what is held.

    ``outer_grad`` is the grad mode around the transform: with it off, nothing below the level is recorded.
    """

    #: the class of the level's arrays
    array = Lane
    #: whether its tensors carry tangents
    forward = False
    #: whether Functions without setup_context, which transforms of torch.func refuse, may run at it
    takes_old_functions = False

    def __init__(self):
        self.outer_grad = thread.grad
        thread.transforms += 1
        self.number = thread.transforms

    def __enter__(self):
        push(self)
        return self

    def __exit__(self, *exc):
        thread.transforms -= 1
        remove(self)

    def owns(self, tensor):
        """Whether a tensor belongs to this level."""
        array = tensor._a
        return array.__class__ is self.array and array.level is self

    def _concerned(self, values):
        for value in values:
            if isinstance(value, Tensor):
                if value._a.__class__ is self.array and value._a.level is self:
                    return True
            elif value.__class__ is list or value.__class__ is tuple:
                for each in value:
                    if isinstance(each, Tensor) and self.owns(each):
                        return True
        return False

    def __call__(self, op, values, how):
        if not self._concerned(values):
            return NotImplemented
        if how is None:
            return self._finished(op, values, self._run(op, values))
        if how is subscript.getitem:
            return self._getitem(*values)
        if how is subscript.setitem:
            return self._setitem(*values)
        if how == "inplace":
            return self._inplace(op, values)
        raise RuntimeError(UNBATCHABLE.format(name=f"{op.name}.out"))

    def _run(self, op, values):
        if self.outer_grad or not thread.grad:
            return self.compute(op, values)
        was = set_grad(False)
        try:
            return self.compute(op, values)
        finally:
            set_grad(was)

    def below(self, function, *args):
        """Call ``function`` with the grad mode that holds below this level."""
        if self.outer_grad or not thread.grad:
            return function(*args)
        was = set_grad(False)
        try:
            return function(*args)
        finally:
            set_grad(was)

    # what subclasses define

    def compute(self, op, values):
        """The operator's result(s) on bound values: lanes of this level, or plain tensors where nothing of it is in them."""
        raise NotImplementedError

    def compute_inplace(self, op, values):
        """Write the operator's result into what ``values[0]`` holds."""
        raise NotImplementedError

    def lift(self, tensor):
        """The tensor as a lane of this level, at the same place of this level's graph (itself if it is one)."""
        raise NotImplementedError

    def copied(self, tensor):
        """A lane with a copy of what ``tensor`` holds."""
        raise NotImplementedError

    def resized(self, array, shape, memory_format):
        """A lane's array after what it holds has got room for ``shape``."""
        raise NotImplementedError

    def custom(self, cls, args):
        """A custom Function, on what is held: what ``apply`` returns."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------ the level's own graph

    def records(self, values):
        """Whether something of this level's graph is among the values, and recorded."""
        if not thread.grad or thread.quiet is self:
            return False
        for value in values:
            if isinstance(value, Tensor):
                if self.owns(value) and edge_of(value) is not None:
                    return True
            elif value.__class__ is list or value.__class__ is tuple:
                for each in value:
                    if isinstance(each, Tensor) and self.owns(each) and edge_of(each) is not None:
                        return True
        return False

    def _lifted(self, values):
        return tuple(
            self.lift(v)
            if isinstance(v, Tensor)
            else v.__class__([self.lift(e) if isinstance(e, Tensor) else e for e in v])
            if v.__class__ is list or v.__class__ is tuple
            else v
            for v in values
        )

    def _finished(self, op, values, result):
        """Results with their places in this level's graph, and as views of the arguments they are views of."""
        if result.__class__ is Tensor:
            if op.view:
                result = self._as_view(op, values, result)
            if self._wants_place(op, result) and self.records(values):
                result = self.lift(result)
                self._record(op, values, [result], [True], False)
            return result
        many = isinstance(result, (tuple, list))
        results = list(result) if many else [result]
        if op.view:
            results = [self._as_view(op, values, each, "multi" if many else None) for each in results]
        if (op.rules or op.joint is not None) and self.records(values):
            skip = op.nondiff or ()
            live = [i not in skip and each._dtype.category >= 2 for i, each in enumerate(results)]
            if any(live):
                made = [self.lift(each) for each in results]
                self._record(op, values, made, live, many)
                results = made
        if not many:
            return results[0]
        return result if all(a is b for a, b in zip(result, results)) else remade(result, results)

    def _as_view(self, op, values, result, refuse=None):
        """The result of an operator that may give a view, as the view it is of the first argument."""
        source = values[0]
        if not isinstance(result, Tensor) or not self.owns(source):
            return result
        if not self.owns(result) and result._view is not None:
            # what is the same for all samples comes back as it is; but a write to it has to reach the source's place in this graph
            result = self.lift(result)
        if not self.owns(result) or not self.is_view(result):
            return result
        replay = (lambda base: execute(op, (base, *values[1:]))) if op.replay else None
        return wrap_view(result._a, result._dtype, source, refuse=refuse, replay=replay)

    def _wants_place(self, op, result):
        """Whether the result of a call with an argument that is in this level's graph gets a place in it too."""
        return (
            thread.grad
            and thread.quiet is not self
            and result._dtype.category >= 2
            and (op.rules or op.joint is not None)
        )

    def _record(self, op, values, results, live, many):
        values = self._lifted(values)
        raws, edges, layout, _ = dispatch.unwrap(op, values)
        arrays = [each._a for each in results]
        if many and op.returns is None:
            op.returns = "list"
        counters = [each._vc for each in results]
        if not many:
            results[0]._edge = make_node(op, values, raws, edges, layout, arrays, counters, None, results[0]._dtype)
            return
        node = make_node(op, values, raws, edges, layout, arrays, counters)
        for k, each in enumerate(results):
            if live[k]:
                each._edge = Output(node, k, each._a.shape, each._dtype)

    def is_view(self, tensor):
        """Whether what a result of this level holds is a view."""
        return tensor._a.held._view is not None

    def _inplace(self, op, values):
        target = values[0]
        recorded = self.records(values)
        inplace.check(target, recorded)
        if not recorded:
            self.below(self.compute_inplace, op, values)
            inplace.finish(target, None)
            return target
        values = (target, *self._lifted(values[1:]))
        original = self.copied(target)._a if _needs_original(op) else None
        raws, edges, layout, _ = dispatch.unwrap(op, values)
        self.below(self.compute_inplace, op, values)
        counter = [target._vc[0] + 1]
        node = make_node(op, values, raws, edges, layout, (target._a,), (counter,), original)
        share_counter(node, counter, target._vc)
        inplace.finish(target, node)
        return target

    # ------------------------------------------------------------------------------------------------------- subscripts

    def _getitem(self, tensor, index):
        index = normal_index(index)
        basic = subscript._is_basic(index)
        op = subscript._step(tensor, index) if basic else subscript._INDEX
        if not basic:
            index = self.plain_index(tensor, index)
        return self._finished(op, (tensor, index), self.below(self.compute_getitem, tensor, index))

    def _setitem(self, target, index, value):
        index = normal_index(index)
        basic = subscript._is_basic(index)
        if not basic:
            index = self.plain_index(target, index)
        given = isinstance(value, Tensor)
        recorded = self.owns(target) and self.records((target, value))
        if self.owns(target):
            inplace.check(target, recorded)
        self.below(self.compute_setitem, target, index, value)
        if not self.owns(target):
            return
        if not recorded:
            inplace.finish(target, None)
            return
        op = subscript._SETITEM if basic else subscript._PUT
        values = self._lifted((target, index, value))
        layout, edges = [("input", None)], [edge_of(target)]
        raw = tuple(each._a if isinstance(each, Tensor) else each for each in values[1])
        tensors = sum(isinstance(each, Tensor) for each in values[1])
        if tensors:
            layout.append(("index", tensors))
            edges += [None] * tensors
        value = values[2]
        if given:
            layout.append(("value", None))
            edges.append(edge_of(value))
        counter = [target._vc[0] + 1]
        raws = (target._a, raw, value._a if given else np.asarray(value))
        node = make_node(op, (target, values[1], value), raws, edges, Layout(layout), (target._a,), (counter,))
        share_counter(node, counter, target._vc)
        inplace.finish(target, node)

    def plain_index(self, tensor, index):
        """An index with tensors in it, with masks made index tensors where they may be."""
        return index

    def compute_getitem(self, tensor, index):
        raise NotImplementedError

    def compute_setitem(self, target, index, value):
        raise NotImplementedError


def normal_index(index):
    """An index as a tuple; lanes of no dimensions stay tensors, for they have no value to read."""
    index = subscript.as_tuple(index)
    if any(isinstance(each, Tensor) and is_lane(each) for each in index):
        return tuple(
            each if isinstance(each, Tensor) and is_lane(each) else subscript.normal((each,))[0] for each in index
        )
    return subscript.normal(index)


def placed(tensor):
    """Whether a tensor has a place in some graph, of its own level or of one below."""
    while edge_of(tensor) is None:
        tensor = getattr(tensor._a, "held", None)
        if tensor is None:
            return False
    return True


def overwritten(level, op, values):
    """The values to compute an in-place operator on: where the graphs below save its first operand, a copy of it."""
    if thread.grad and _needs_original(op) and any(isinstance(v, Tensor) and placed(v) for v in values):
        return (level.copied(values[0]), *values[1:])
    return values


def batches(tensor):
    """The levels for which a tensor is a batch."""
    found = set()
    array = tensor._a
    while isinstance(array, Lane):
        if getattr(array, "bdim", None) is not None:
            found.add(array.level)
        array = array.held._a
    return found


def refuse_batched(tensors, name):
    """RuntimeError where a tensor is a batch of ``vmap``, for an operator (by PyTorch's ``name``) that cannot be batched."""
    for each in tensors:
        if any(not level.takes_old_functions for level in batches(each)):
            raise RuntimeError(UNBATCHABLE.format(name=name))


def remade(result, results):
    """Several results in the container an operator returned them in."""
    cls = result.__class__
    return cls(*results) if hasattr(cls, "_fields") else cls(results)


def detached(tensor):
    """The same array at no place of this level's graph."""
    return attach(tensor._a, tensor._dtype, None, tensor._vc)


def detach_all(tensor):
    """``tensor.detach()`` within transforms: outside every graph, also those below its level."""
    array = tensor._a
    if isinstance(array, Lane):
        return array.level.detached(tensor)
    return detached(tensor)


def made_like(input, make, shape):
    """A new tensor beside a lane: ``make`` on what it holds (with the shape to make, if one is given), as a lane of the same level."""
    array = input._a
    depth = _stack.interpreters.index(array.level)
    with Below(len(_stack.interpreters) - depth):
        return array.level.made_like(array, make, shape)


def resize(tensor, shape, memory_format):
    """``resize_`` of a lane."""
    level = tensor._a.level
    depth = _stack.interpreters.index(level)
    with Below(len(_stack.interpreters) - depth):
        tensor._a = level.resized(tensor._a, shape, memory_format)
    inplace.bump(tensor._vc)
    return tensor


# -------------------------------------------------------------------------------------------------- custom functions


class _Stand:
    """Stands for a Function's class while a level records a call of it: ``forward`` is the call, one level down."""

    def __init__(self, cls, forward):
        self._backward_cls = cls._backward_cls
        self.forward = forward
        self.setup_context = cls.setup_context
        self.__name__ = cls.__name__


def _custom(cls, args):
    """``Function.apply`` where interpreters stand before it."""
    stack = _stack.interpreters
    lenient = sum(isinstance(each, Level) and each.takes_old_functions for each in stack)
    if thread.transforms > lenient and cls.setup_context is function.Function.setup_context:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the "
            "setup_context staticmethod. For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
        )
    depth = len(stack)
    try:
        while depth:
            depth -= 1
            interpreter = stack[depth]
            _stack.interpreters = stack[:depth]
            if not isinstance(interpreter, Level):
                result = getattr(interpreter, "custom", lambda *_: NotImplemented)(cls, args)
            elif interpreter._concerned(args):
                result = _custom_at(interpreter, cls, args)
            else:
                continue
            if result is not NotImplemented:
                return result
    finally:
        _stack.interpreters = stack
    return NotImplemented


def _custom_at(level, cls, args):
    if not level.records(args):
        return level.below(level.custom, cls, args)
    below, tangents = _stack.interpreters, thread.forward

    def forward(*args):
        was, _stack.interpreters = _stack.interpreters, below
        try:
            # run_function runs forward without recording and tangents; below the level there are both all the same
            mode, thread.forward = set_grad(level.outer_grad), tangents
            try:
                given = tuple(detached(a) if isinstance(a, Tensor) else a for a in args)
                result = level.custom(cls, given)
            finally:
                set_grad(mode)
                thread.forward = False
        finally:
            _stack.interpreters = was
        # an argument that was written in place comes back as itself
        itself = {id(mine): theirs for mine, theirs in zip(given, args)}

        def outward(each):
            return (itself[id(each)] if id(each) in itself else level.lift(each)) if isinstance(each, Tensor) else each

        return tuple(outward(each) for each in result) if isinstance(result, tuple) else outward(result)

    _stack.interpreters = (*below, level)
    return function.run_function(_Stand(cls, forward), level._lifted(args), True)


function.transform = _custom
