"""Reverse mode: cotangents are pulled back along the graph, later nodes first.

Two loops share the rules of the nodes. ``_run_plain`` serves the everyday ``loss.backward()``: arrays only, nothing recorded, no
hooks, every leaf below the roots gets its gradient. ``_Task`` serves everything else (hooks, ``create_graph``, chosen inputs):
it counts dependencies as PyTorch's engine does, so that hooks run in PyTorch's order and only what is needed is executed.
Neither recurses, so the depth of a graph is not bounded by the stack.
"""

import functools
import itertools
import operator
import threading
from heapq import heappop, heappush
from sys import getrefcount

import numpy as np

from ..array.reduce import add_reduce
from .anomaly import check_outputs, is_anomaly_enabled, report, running
from .graph import Leaf, Output, target
from .modes import set_grad, state, thread
from .ready import Ready
from .region import LARGE, count_consumers, run_region

_ndarray = np.ndarray
_add = np.add.reduce


class Bridge:
    """What the engine must know of tensors, filled in by the tensor floor above."""

    wrap = None  # array, dtype -> tensor that does not require grad
    same = None  # (array, dtype) of a tensor
    add = None  # recorded sum of two tensors
    gather = None  # sum of a gradient and another, recorded or in place
    copy = None  # recorded copy of a tensor, laid out in memory as a leaf's array is


bridge = Bridge()


def fit(cotangent, edge):
    """A raw cotangent in the shape and dtype of the edge it goes to (broadcast axes summed, real part for real inputs)."""
    if cotangent.shape != edge.shape:
        cotangent = sum_to(cotangent, edge.shape)
    wanted = edge.dtype.numpy
    if cotangent.dtype is not wanted and cotangent.dtype != wanted:
        if cotangent.dtype.kind == "c" and wanted.kind != "c":
            cotangent = cotangent.real
        cotangent = cotangent.astype(wanted)
    return cotangent


def sum_to(array, shape):
    """Sum a broadcast array back to ``shape``: what broadcasting does, transposed."""
    if not shape:
        return add_reduce(array, None) if array.size > 256 or array.dtype.itemsize == 2 else _add(array, None)
    lead = array.ndim - len(shape)
    if array.shape[lead:] == shape:
        # a bias: only leading axes were added
        return add_reduce(array, tuple(range(lead)))
    axes = tuple(range(lead)) + tuple(
        [lead + i for i, size in enumerate(shape) if size == 1 and array.shape[lead + i] != 1]
    )
    got = array.shape
    if lead < 0:
        raise Unfit(got, shape)
    if axes:
        array = add_reduce(array, axes, True)
    if array.shape[lead:] != shape:
        raise Unfit(got, shape)
    return array.reshape(shape)


class Unfit(RuntimeError):
    """A cotangent of another shape than the edge it goes to: a tensor took on another shape unrecorded."""

    def __init__(self, got, shape):
        self.got, self.shape = list(got), list(shape)
        super().__init__(f"got {self.got} but expected shape compatible with {self.shape}")

    def of(self, node):
        """The error, as PyTorch's engine tells it of the node that was running."""
        shapes = [None if edge is None else list(edge.shape) for edge in node.next]
        index = shapes.index(self.shape) if self.shape in shapes else 0
        return RuntimeError(f"Function {node.name()} returned an invalid gradient at index {index} - {self}")


def _in_dtype(cotangent, dtype):
    """A cotangent, an array or a tensor, in the dtype that a leaf wants its gradients in."""
    if hasattr(cotangent, "_a"):
        return cotangent.to(dtype)
    if cotangent.dtype.kind == "c" and dtype.numpy.kind != "c":
        cotangent = cotangent.real
    return cotangent.astype(dtype.numpy, copy=False)


def _store(leaf, cotangent):
    """Put a raw cotangent into ``leaf.grad``: taken over if nobody else holds its memory, copied or added otherwise."""
    if cotangent.__class__ is not _ndarray:
        cotangent = np.asarray(cotangent)
    grad = leaf.grad
    if grad is None:
        # the caller's name, this parameter and getrefcount's own argument
        if (
            cotangent.base is not None
            or getrefcount(cotangent) > 3
            or (cotangent.strides != leaf.array.strides and thread.layouts)
        ):
            cotangent = _like_leaf(leaf, cotangent)
        leaf.grad = bridge.wrap(cotangent, leaf.dtype)
    else:
        held = grad._a
        if held.flags.writeable:
            np.add(held, cotangent, out=held)
            grad._vc[0] += 1
        else:
            leaf.grad = bridge.wrap(held + cotangent, leaf.dtype)


def accumulate(leaf, cotangent):
    """The same for a tensor, recorded."""
    grad = leaf.grad
    leaf.grad = bridge.copy(cotangent, leaf.array) if grad is None else bridge.gather(grad, cotangent)


def _like_leaf(leaf, cotangent):
    """A copy with the leaf's strides where its elements fill their memory in some order, else contiguous."""
    owner = leaf.array
    if not owner.flags.c_contiguous and owner.shape == cotangent.shape:
        extent = 1 + sum([(n - 1) * s for n, s in zip(owner.shape, owner.strides)]) // owner.itemsize
        if extent == owner.size and 0 not in owner.strides:
            made = np.empty_like(owner, dtype=cotangent.dtype)
            made[...] = cotangent
            return made
    return np.array(cotangent, order="C")


# ------------------------------------------------------------------------------------------- what is running


_number = itertools.count().__next__


class _Pass:
    """One run of the engine, as those see it who ask from within: hooks and the user's own backward functions."""

    #: functions to call at its end
    callbacks = ()
    #: the edges whose cotangents are wanted, None where all leaves are
    wanted = None
    #: whether gradients are accumulated, as by ``backward``, or handed out
    accumulate = True

    @functools.cached_property
    def number(self):
        """Which one it is; counted only of those that were asked, as most are not."""
        return _number()

    def at_end(self, callback):
        self.callbacks = (*self.callbacks, callback)

    def _called_back(self):
        done = 0
        # a callback may add another
        while done < len(self.callbacks):
            self.callbacks[done]()
            done += 1

    def will_run(self, node):
        """Whether this run executes a node."""
        return node in _below([target(edge) for edge, _ in self.roots])

    def _useful(self, node):
        """Whether a node that was reached is run, too."""
        return True

    def execution_order(self):
        """The nodes and leaves it runs, in their order."""
        counts = dict.fromkeys([target(edge) for edge, _ in self.roots], 0)
        nodes = _below(counts)
        for node in nodes:
            for edge in node.next:
                if edge is not None:
                    counts[target(edge)] = counts.get(target(edge), 0) + 1
        ready = Ready([node for node in nodes if counts[node] == 0])
        found = []
        while ready:
            node = ready.pop()
            if self._useful(node):
                found.append(node)
            for edge in node.next:
                if edge is not None:
                    below = target(edge)
                    counts[below] -= 1
                    if counts[below] == 0:
                        ready.push(below)
        return found


def _below(nodes):
    """The nodes and leaves that can be reached from ``nodes``, with them."""
    found = dict.fromkeys(nodes)
    stack = list(found)
    for node in stack:
        for edge in node.next:
            if edge is not None and target(edge) not in found:
                found[target(edge)] = None
                stack.append(target(edge))
    return found


def _below_edges(node):
    """What lies behind the edges of a node, None where no gradient is wanted."""
    return [None if edge is None else target(edge) for edge in node.next]


class _Passes(threading.local):
    current = None


_passes = _Passes()


def current_pass():
    """The innermost run of the engine in this thread, or None."""
    return _passes.current


# ------------------------------------------------------------------------------------------------------- plain loop


def _run_plain(roots, keep):
    """Accumulate into every leaf below ``roots`` (pairs of edge and raw cotangent)."""
    outer = _passes.current
    _passes.current = own = _Pass()
    own.roots, own.keep = roots, keep
    try:
        _pull_plain(roots, keep)
        if own.callbacks:
            own._called_back()
    finally:
        _passes.current = outer


def _pull_plain(roots, keep):
    heap = []
    pending = {}
    leaves = {}

    def deliver(edge, cotangent):
        kind = edge.__class__
        if kind is Leaf:
            held = leaves.get(edge)
            leaves[edge] = cotangent if held is None else held + cotangent
        elif kind is Output:
            node = edge.node
            slots = pending.get(node)
            if slots is None:
                pending[node] = slots = [None] * node.width
                heappush(heap, (-node.seq, node))
            held = slots[edge.index]
            slots[edge.index] = cotangent if held is None else held + cotangent
        else:
            held = pending.get(edge)
            if held is None:
                pending[edge] = cotangent
                heappush(heap, (-edge.seq, edge))
            else:
                pending[edge] = held + cotangent

    for edge, cotangent in roots:
        deliver(edge, cotangent)
    consumers = None
    while heap:
        node = heappop(heap)[1]
        cotangent = pending.pop(node)
        if cotangent.__class__ is _ndarray and cotangent.size > LARGE and getattr(node, "steps", None) is not None:
            if consumers is None:
                consumers = count_consumers(roots)
            leaving = run_region(node, cotangent, keep, consumers, pending)
            if leaving is not None:
                for edge, cotangent in leaving:
                    deliver(edge, cotangent)
                node = edge = cotangent = leaving = None
                continue
        try:
            received = node.run(cotangent, keep)
        except Unfit as error:
            raise error.of(node) from None
        for edge, cotangent in zip(node.next, received):
            if edge is None or cotangent is None:
                continue
            # the body of deliver, written out: this is the innermost loop of training
            kind = edge.__class__
            if kind is Leaf:
                held = leaves.get(edge)
                leaves[edge] = cotangent if held is None else held + cotangent
            elif kind is Output:
                deliver(edge, cotangent)
            else:
                held = pending.get(edge)
                if held is None:
                    pending[edge] = cotangent
                    heappush(heap, (-edge.seq, edge))
                else:
                    pending[edge] = held + cotangent
        node = edge = cotangent = held = received = None
    while leaves:
        leaf, cotangent = leaves.popitem()
        if leaf.owner is not None:
            _store(leaf, cotangent)


# ------------------------------------------------------------------------------------------------------ full loop


_sequence = operator.attrgetter("seq")

#: what a profiler wants to be around each node that runs: a function of the node giving a context, or None
around = None


class _Task(_Pass):
    """One run of the engine with everything PyTorch allows: hooks, chosen inputs, recorded gradients."""

    def __init__(self, roots, keep, create_graph, inputs, accumulate, record=True):
        self.roots, self.keep = roots, keep
        self.record = record
        self.create_graph = create_graph
        self.accumulate = accumulate
        self.captured = {}
        self.inputs = inputs
        self.wanted = None if inputs is None else {}
        if inputs is not None:
            for edge in inputs:
                index = edge.index if edge.__class__ is Output else 0
                self.wanted.setdefault(target(edge), []).append((index, edge))
        #: what waits for a node: its cotangent, or a list of them for one with several outputs
        self.pending = {}
        for edge, cotangent in roots:
            self._add(edge, cotangent)
        self._explore()

    def _explore(self):
        """Find what lies below the roots, and which of it leads to a wanted input."""
        self.reached = reached = set(self.pending)
        # for now, so that one look tells what need not be followed
        reached.add(None)
        self.order = order = [node for node in self.pending if node.__class__ is not Leaf]
        single = True
        for node in order:
            for edge in node.next:
                if edge not in reached:
                    if edge.__class__ is Output:
                        single = False
                        edge = edge.node
                        if edge in reached:
                            continue
                    reached.add(edge)
                    if edge.__class__ is not Leaf:
                        order.append(edge)
        reached.discard(None)
        # lower sequence numbers lie below
        order.sort(key=_sequence, reverse=True)
        self.needed = None
        #: nodes at which something else is done than to run them: their cotangent is asked for, or nothing below them is
        self.stops = ()
        #: which cotangents of a node are needed, where not all are
        self.partial = {}
        if self.wanted is not None:
            self.leads = leads = set(self.wanted)
            leading = leads.__contains__
            for node in reversed(order):
                marks = tuple(map(leading, node.next if single else _below_edges(node)))
                if True in marks:
                    leads.add(node)
                elif node not in leads:
                    continue
                if False in marks:
                    self.partial[node] = marks
            self.stops = {node for node in self.pending if node not in leads}
            # backward(inputs=...) runs the nodes of its inputs, grad(...) stops at those with nothing wanted below
            if self.accumulate:
                self.needed = leads
            else:
                self.needed = leads.difference([n for n in self.wanted if True not in map(leading, _below_edges(n))])
                self.stops.update(self.wanted)

    def _count(self):
        """For the loop with hooks: how many edges lead to each node from what is still to run; what waits for none is ready."""
        self.dependencies = dependencies = dict.fromkeys(self.pending, 0)
        stack = list(self.pending)
        for node in stack:
            for edge in node.next:
                if edge is not None:
                    below = target(edge)
                    if below not in dependencies:
                        dependencies[below] = 0
                        stack.append(below)
                    dependencies[below] += 1
        self.ready = Ready([node for node in self.pending if dependencies[node] == 0])

    def _add(self, edge, cotangent):
        if edge.__class__ is not Output:
            held = self.pending.get(edge)
            self.pending[edge] = (
                cotangent if held is None else held if cotangent is None else self._sum(held, cotangent)
            )
            return
        slots = self.pending.get(edge.node)
        if slots is None:
            slots = self.pending[edge.node] = [None] * edge.node.width
        if cotangent is not None:
            held = slots[edge.index]
            slots[edge.index] = cotangent if held is None else self._sum(held, cotangent)

    def _sum(self, a, b):
        return bridge.add(a, b) if self.create_graph else a + b

    # hooks see tensors; a plain run holds arrays
    def _show(self, cotangent, edge_dtype):
        if self.create_graph or cotangent is None:
            return cotangent
        return bridge.wrap(np.asarray(cotangent), edge_dtype)

    def _take(self, tensor):
        return tensor if self.create_graph or tensor is None else tensor._a

    def execute(self):
        outer, _passes.current = _passes.current, self
        was = set_grad(self.create_graph and self.record)
        try:
            if not (around is not None or state.hooks or is_anomaly_enabled()):
                self._run_quietly()
            if self.pending:
                self._count()
                while self.ready:
                    node = self.ready.pop()
                    if around is None:
                        self._step(node)
                    else:
                        with around(node):
                            self._step(node)
            if self.callbacks:
                self._called_back()
        finally:
            set_grad(was)
            _passes.current = outer
        return self.captured

    def _step(self, node):
        slots = self.pending.pop(node)
        if slots.__class__ is not list:
            slots = [slots]
        extra = getattr(node, "extra", None) if state.hooks else None
        if self.wanted is not None:
            needed = node in self.needed
            if extra is not None and not needed:
                # hooks of a tensor run once: here, or below where the node is going to run; then grad() has taken its value before them
                self._tensor_hooks(node, extra, slots)
            self._capture(node, slots)
            if not needed:
                return
        if extra is not None:
            self._tensor_hooks(node, extra, slots)
            if extra.pre:
                slots = self._pre_hooks(node, extra, slots)
        if node.__class__ is Leaf:
            self._leaf(node, slots, extra)
            return
        seen = slots if extra is not None and extra.post else ()
        received = self._call(node, slots)
        if state.hooks:
            received = self._after(node, received, seen)
        for edge, cotangent in zip(node.next, received):
            if edge is None:
                continue
            below = target(edge)
            self._add(edge, cotangent)
            left = self.dependencies[below] = self.dependencies[below] - 1
            if left == 0 and self._useful(below):
                self.ready.push(below)

    def _run_quietly(self):
        """Run everything while no hook exists and anomaly mode is off; what is left ``pending`` when that changes is for ``_step``.

        Without hooks only the order of nodes matters, which is that of their sequence numbers; leaves come last.
        """
        pending, stops, partial = self.pending, self.stops, self.partial
        create_graph, keep = self.create_graph, self.keep
        reach = self.reached if self.wanted is None else self.leads
        outer = running.node
        try:
            for node in self.order:
                if node not in pending:
                    continue
                held = pending.pop(node)
                if node in stops:
                    self._capture(node, held)
                    if node not in self.needed:
                        continue
                running.node = node
                if held is None or held.__class__ is list:
                    received = self._call(node, [None] if held is None else held)
                elif node in partial:
                    received = node.run_some(held, keep, partial[node], create_graph)
                elif create_graph:
                    received = node.run_graph(held, keep)
                else:
                    received = node.run(held, keep)
                if state.hooks:
                    received = self._after(node, received, ())
                for edge, cotangent in zip(node.next, received):
                    if edge.__class__ is Output:
                        if edge.node in reach:
                            self._add(edge, cotangent)
                    elif edge in reach:
                        held = pending.get(edge)
                        if held is None:
                            pending[edge] = cotangent
                        elif cotangent is not None:
                            pending[edge] = self._sum(held, cotangent)
                received = cotangent = held = None
                # anomaly mode is one of the rare ones
                if state.hooks or state.rare and is_anomaly_enabled():
                    return
        except Unfit as error:
            raise error.of(running.node) from None
        finally:
            running.node = outer
        while pending:
            leaf, held = pending.popitem()
            if leaf in stops:
                self._capture(leaf, held)
                if leaf not in self.needed:
                    continue
            slots = [held]
            held = None
            self._leaf(leaf, slots, None)

    def _capture(self, node, held):
        if not self.accumulate:
            for index, edge in self.wanted.get(node, ()):
                self.captured[edge] = held[index] if held.__class__ is list else held

    def will_run(self, node):
        return node in self.reached and self._useful(node)

    def _useful(self, node):
        return self.wanted is None or node in self.needed or node in self.wanted

    def _call(self, node, slots):
        if all(slot is None for slot in slots) and not getattr(node, "takes_undefined", False):
            return [None] * len(node.next)
        given = slots[0] if node.width == 1 else slots
        run = node.run_graph if self.create_graph else node.run
        if node in self.partial:
            run = functools.partial(node.run_some, needs=self.partial[node], graph=self.create_graph)
        outer, running.node = running.node, node
        try:
            if not is_anomaly_enabled():
                return run(given, self.keep)
            try:
                received = run(given, self.keep)
                check_outputs(node, received)
                return received
            except BaseException:
                report(node)
                raise
        except Unfit as error:
            raise error.of(node) from None
        finally:
            running.node = outer

    def _after(self, node, received, seen):
        """What a node returned, after its hooks; those registered while it ran are not shown what it was given."""
        extra = getattr(node, "extra", None)
        return self._post_hooks(node, extra, received, seen) if extra is not None and extra.post else received

    def _leaf(self, leaf, slots, extra):
        cotangent = slots[0]
        if cotangent is None or leaf.owner is None:
            return
        if self.create_graph:
            accumulate(leaf, cotangent)
        else:
            slots[0] = None
            _store(leaf, cotangent)
        if extra is not None:
            if extra.post_accumulate:
                for hook in list(extra.post_accumulate.values()):
                    variable = leaf.variable
                    result = hook(variable)
                    if result is not None and result is not variable:
                        if not hasattr(result, "_a"):
                            raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
                        raise RuntimeError("Tensor post accumulate grad hooks should return None.")
            if extra.post:
                self._post_hooks(leaf, extra, [], [cotangent])

    def _tensor_hooks(self, node, extra, slots):
        """Hooks of tensors, output by output as they got their first; then what tensors keep of their gradients."""
        if extra.cast is not None and slots[0] is not None:
            slots[0] = _in_dtype(slots[0], extra.cast)
        for index, hooks in list((extra.tensor or {}).items()):
            if hooks:
                shown = self._show(slots[index], _dtype_of(node, index))
                for hook in list(hooks.values()):
                    result = hook(shown)
                    if result is not None:
                        check_hook_result(shown, result, hook)
                        shown = result
                slots[index] = self._take(shown)
        for index, keeper in list((extra.retain or {}).items()):
            tensor = keeper()
            if tensor is not None and slots[index] is not None:
                shown = self._show(slots[index], _dtype_of(node, index))
                held = tensor._own_grad()
                tensor._set_own_grad(shown if held is None else held + shown)

    def _pre_hooks(self, node, extra, slots):
        places = _outputs(node)
        shown = self._shown_outputs(node, places, slots)
        for hook in list(extra.pre.values()):
            result = hook(shown)
            if result is not None:
                check_hook_results(shown, result, hook)
                shown = result
        slots = list(slots)
        for i, each in zip(places, shown):
            slots[i] = self._take(each)
        return slots

    def _post_hooks(self, node, extra, received, slots):
        places = range(len(received)) if node.shows is None else node.shows(tuple(range(len(received))))
        grad_inputs = tuple(
            [
                None if i is None else self._show(received[i], None if node.next[i] is None else node.next[i].dtype)
                for i in places
            ]
        )
        grad_outputs = self._shown_outputs(node, _outputs(node) if slots else (), slots)
        for hook in list(extra.post.values()):
            result = hook(grad_inputs, grad_outputs)
            if result is not None:
                check_hook_results(grad_inputs, result, hook)
                grad_inputs = result
        received = list(received)
        for i, each in zip(places, grad_inputs):
            if i is not None:
                received[i] = self._take(each)
        return received

    def _shown_outputs(self, node, places, slots):
        return tuple([self._show(slots[i], _dtype_of(node, i)) for i in places])


def _outputs(node):
    """The numbers of a node's outputs that a cotangent may come for."""
    # asked of the class, as a custom Function's node has what attributes the user gives it
    op = type(node).op
    without = None if op is None else op.nondiff
    return range(node.width) if not without else [i for i in range(node.width) if i not in without]


def _dtype_of(node, index):
    return node.dtype if node.width == 1 else node.dtype[index]


def check_hook_result(before, after, hook):
    """PyTorch's checks on the gradient a hook returns in place of another."""
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not hasattr(after, "_a"):
        raise TypeError(f"expected Variable, but hook returned '{type(after).__name__}'")
    name = getattr(hook, "__name__", "<unknown>")
    if before._dtype is not after._dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was torch.{before._dtype.legacy}Tensor got "
            f"torch.{after._dtype.legacy}Tensor)"
        )
    if before._a.shape != after._a.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")


def check_hook_results(before, after, hook):
    """The same for a hook of a node, which returns a tuple."""
    if not isinstance(after, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(after).__name__}'")
    if len(after) != len(before):
        name = getattr(hook, "__name__", "<unknown>")
        raise RuntimeError(
            f"hook '{name}' has returned an incorrect number of values (got {len(after)}, but expected {len(before)})"
        )
    for old, new in zip(before, after):
        if new is not None:
            check_hook_result(old, new, hook)


class Sweep:
    """Many cotangents through one graph, one after another: what is needed and in which order is found out once.

    For nodes of one output only, without hooks; ``Sweep.over`` is None for any other graph. ``pull(cotangent)`` gives the cotangents at
    the inputs in order, None for those that are not reached; nothing is freed.
    """

    def __init__(self, root, order, inputs, create_graph, task):
        number = {node: i for i, node in enumerate(order)}
        self.roots, self.wanted = task.roots, task.wanted
        self.size = len(order)
        self.start = number[root]
        self.ends = [number.get(edge) for edge in inputs]
        self.create_graph = create_graph
        self.steps = [
            (
                i,
                node,
                self._runner(node, task.partial.get(node)),
                [(k, number[edge]) for k, edge in enumerate(node.next) if edge is not None and edge in number],
            )
            for i, node in enumerate(order)
            if node.__class__ is not Leaf and node.next
        ]

    def _runner(self, node, needs):
        """How a node is run, as a function of (cotangent, keep)."""
        if needs is not None:
            return functools.partial(node.run_some, needs=needs, graph=self.create_graph)
        return node.run_graph if self.create_graph else node.run

    @classmethod
    def over(cls, root, inputs, create_graph):
        if state.hooks or state.rare or root.__class__ is Output or any(edge.__class__ is Output for edge in inputs):
            return None
        task = _Task([(root, None)], True, create_graph, inputs, accumulate=False)
        order = [node for node in task.order if node is root or node in task.needed or node in task.wanted]
        if any(node.width > 1 for node in order):
            return None
        order += [node for node in task.wanted if node.__class__ is Leaf and node in task.reached]
        return cls(root, order, inputs, create_graph, task)

    def pull(self, cotangent):
        cells = [None] * self.size
        cells[self.start] = cotangent
        create_graph = self.create_graph
        outer, was = running.node, set_grad(create_graph)
        outer_pass, _passes.current = _passes.current, self._as_pass()
        try:
            for i, node, run, routes in self.steps:
                held = cells[i]
                if held is None:
                    continue
                running.node = node
                received = run(held, True)
                for k, below in routes:
                    pulled = received[k]
                    if pulled is not None:
                        held = cells[below]
                        cells[below] = (
                            pulled if held is None else bridge.add(held, pulled) if create_graph else held + pulled
                        )
            if _passes.current.callbacks:
                _passes.current._called_back()
        finally:
            running.node = outer
            _passes.current = outer_pass
            set_grad(was)
        return [None if at is None else cells[at] for at in self.ends]

    def _as_pass(self):
        """What is running, for those who ask."""
        made = _Pass()
        made.roots, made.keep, made.wanted, made.accumulate = self.roots, True, self.wanted, False
        return made


def backward(roots, *, keep, create_graph=False, inputs=None, record=True):
    """Accumulate cotangents into leaves (all below ``roots``, or the ``inputs`` edges only).

    ``roots`` is a list of (edge, cotangent); cotangents are arrays, or tensors when ``create_graph``, which are recorded if ``record``.
    """
    if not (create_graph or state.hooks or state.rare or inputs is not None):
        _run_plain(roots, keep)
        return
    _Task(roots, keep, create_graph, inputs, accumulate=True, record=record).execute()


def grad(roots, inputs, *, keep, create_graph=False, record=True):
    """Cotangents at the ``inputs`` edges, as a dict by edge; nothing is accumulated.

    With ``create_graph`` and not ``record`` the rules run on tensors, for transforms that must see them, and nothing is recorded.
    """
    return _Task(roots, keep, create_graph, inputs, accumulate=False, record=record).execute()
