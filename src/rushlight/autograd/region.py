"""Running a stretch of large elementwise nodes backward in blocks.

Between two large elementwise nodes a cotangent is written to memory and read again, and memory is what large elementwise work waits for.
So when the plain loop meets such a node, it looks for all elementwise nodes of the same shape below it that get their cotangents from
within the stretch only, and runs their rules together on one block of elements after another: intermediate cotangents stay in
the cache, only saved values are read and only what leaves the stretch is written.
"""

import math

import numpy as np

from ..array.large import LARGE, block_size, flat
from ..array.threads import parallel
from .graph import Leaf, target
from .source import define

__all__ = ["LARGE", "count_consumers", "run_region"]


def count_consumers(roots):
    """For every node below the roots, how many edges lead to it."""
    counts = {}
    seen = set()
    stack = [target(edge) for edge, _ in roots]
    for node in stack:
        counts[node] = counts.get(node, 0) + 1
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for edge in node.next:
            if edge is not None and edge.__class__ is not Leaf:
                below = target(edge)
                counts[below] = counts.get(below, 0) + 1
                stack.append(below)
    return counts


def _ready(node, shape, dtype):
    """The saved arrays of a node cut for blocks, or None if it cannot run in blocks."""
    if getattr(node, "steps", None) is None or node.shape != shape or node.dtype is not dtype:
        return None
    for edge in node.next:
        if edge is not None and (edge.shape != shape or edge.dtype is not dtype):
            return None
    return node.operands()


def run_region(first, cotangent, keep, consumers, pending):
    """Run the stretch that begins at ``first``; a list of (edge, cotangent) that leave it, or None if there is no stretch."""
    shape, size = first.shape, cotangent.size
    start = flat(cotangent, size)
    members = {}
    if start is None or cotangent.dtype != first.dtype.numpy or not _join(members, first, first):
        return None
    inner = {}
    stack = [first]
    while stack:
        for edge in stack.pop().next:
            if edge is None or edge.__class__ is Leaf or edge in members:
                continue
            inner[edge] = count = inner.get(edge, 0) + 1
            if count == consumers.get(edge) and edge not in pending and _join(members, edge, first):
                stack.append(edge)
    if len(members) < 2:
        return None
    order = sorted(members, key=lambda node: -node.seq)
    exits = {}
    for node in order:
        for edge in node.next:
            if edge is not None and edge not in members and edge not in exits:
                exits[edge] = np.empty(shape, edge.dtype.numpy)
    run = _program(order, members, list(exits), start[1])
    saved = [array for node in order for array, _ in members[node] if array is not None]
    targets = [array.reshape(-1) for array in exits.values()]
    block = block_size()
    parallel(size, lambda begin, end: run(start[0], saved, targets, begin, end, block))
    if not keep:
        for node in order:
            node.release()
    return list(exits.items())


_PROGRAMS = {}


def _program(order, members, exits, cut):
    """The function that runs a stretch of this form on a range of elements: straight-line source, remembered by form.

    The form is, for each node, its operator, where its cotangents go (the number of a node of the stretch, or of an exit) and which of
    its saved values are cut into blocks.
    """
    number = {node: i for i, node in enumerate(order)}
    form = (
        cut,
        order[0].dtype,
        tuple(
            (
                node.op.name,
                tuple([None if e is None else number[e] if e in number else -1 - exits.index(e) for e in node.next]),
                tuple([None if array is None else sliced for array, sliced in members[node]]),
            )
            for node in order
        ),
    )
    found = _PROGRAMS.get(form)
    if found is None:
        if len(_PROGRAMS) > 256:
            _PROGRAMS.clear()
        found = _PROGRAMS[form] = _Writer(*form, [node.steps() for node in order]).program()
    return found


class _Writer:
    """Writes the program of a stretch: every array call in order, into scratch arrays that are used again as soon as they are free.

    A value is an index into ``values``: ``(function, arguments, fills)``, or ``(name,)`` for what is given. ``cut`` tells which values
    have an element for each of the block's; the others are numbers in a 0-d array, computed once.
    """

    def __init__(self, cut, dtype, nodes, steps):
        self.dtype = dtype
        self.values, self.cut = [("g",)], [cut]
        self.saved = []
        self.constants = {}
        self.outs = self._link(nodes, steps)

    def _value(self, cut, *what):
        self.values.append(what)
        self.cut.append(cut)
        return len(self.values) - 1

    def _call(self, function, arguments, fills):
        return self._value(any(self.cut[each] for each in arguments), function, arguments, fills)

    def _link(self, nodes, steps):
        """Number the values of all nodes, and return that of every exit."""
        cotangents, outs = {0: 0}, {}
        for i, (_, places, kinds) in enumerate(nodes):
            given = []
            for j, kind in enumerate(kinds):
                given.append(None if kind is None else self._value(kind, f"v{i}_{j}"))
                if kind is not None:
                    self.saved.append((f"v{i}_{j}", kind))
            for place, pulled in zip(places, steps[i]):
                if place is not None:
                    new = self._inline(*pulled, cotangents[i], given)
                    where, key = (cotangents, place) if place >= 0 else (outs, -1 - place)
                    where[key] = self._sum(where[key], new) if key in where else new
        return [outs[k] for k in range(len(outs))]

    def _inline(self, calls, result, cotangent, given):
        """The value of an operator's steps, with its cotangent and its saved values put in."""
        known = {("g", 0): cotangent, **{("v", j): value for j, value in enumerate(given)}}

        def find(argument):
            where, which = argument
            return self._constant(which) if where == "k" else known[argument]

        for i, (function, arguments, fills) in enumerate(calls):
            known["t", i] = self._call(function, tuple([find(each) for each in arguments]), fills)
        return find(result)

    def _constant(self, number):
        # by its spelling: 0.0 and -0.0 are equal
        key = repr(number)
        if key not in self.constants:
            self.constants[key] = self._value(False, f"k{len(self.constants)}"), number
        return self.constants[key][0]

    def _sum(self, held, new):
        what = self.values[new]
        if what[0] is np.negative:
            # a + (-b) and a - b are the same bits
            return self._call(np.subtract, (held, what[1][0]), True)
        return self._call(np.add, (held, new), True)

    def program(self):
        """The source, compiled."""
        used = self._used()
        last = {}
        for at in used:
            for each in self.values[at][1] if len(self.values[at]) > 1 else ():
                last[each] = at
        for at in self.outs:
            last[at] = len(self.values)
        scope = {"empty": np.empty, "dtype": self.dtype.numpy}
        for at, number in self.constants.values():
            scope[self.values[at][0]] = np.asarray(number, self.dtype.numpy)
        once, body, names, free, scratch = [], [], {}, [], 0
        direct, functions = self._direct(), {}
        for at in used:
            what = self.values[at]
            if len(what) == 1:
                names[at] = what[0]
                if self.cut[at]:
                    names[at] = f"{what[0]}_"
                    body.append(f"{names[at]} = {what[0]}[at:to]")
                continue
            function, arguments, fills = what
            called = functions.setdefault(function, f"{getattr(function, '__name__', 'f')}{len(functions)}")
            given = ", ".join([names[each] for each in arguments])
            for each in set(arguments):
                if last[each] == at and names[each][0] == "s":
                    free.append(names[each])
            if not self.cut[at]:
                names[at] = f"h{at}"
                once.append(f"{names[at]} = {called}({given})")
            elif not fills:
                names[at] = f"r{at}"
                body.append(f"{names[at]} = {called}({given})")
            elif at in direct:
                names[at] = f"o{direct[at]}"
                body.append(f"{called}({given}, {names[at]})")
            else:
                if not free:
                    free.append(f"s{scratch}")
                    scratch += 1
                names[at] = free.pop()
                body.append(f"{called}({given}, {names[at]})")
            body += [f"{names[each]} = None" for each in set(arguments) if last[each] == at and names[each][0] == "r"]
        body += [f"o{k}[...] = {names[at]}" for k, at in enumerate(self.outs) if direct.get(at) != k]
        lines = ["def run(g, saved, targets, begin, end, size):"]
        if self.saved:
            lines.append("    " + "".join([f"{name}, " for name, _ in self.saved]) + "= saved")
        lines.append("    " + "".join([f"t{k}, " for k in range(len(self.outs))]) + "= targets")
        lines += [f"    {line}" for line in once]
        lines += [f"    s{k} = empty(size, dtype)" for k in range(scratch)]
        lines += ["    for at in range(begin, end, size):", "        to = min(at + size, end)"]
        if scratch:
            lines.append("        if to - at < size:")
            lines += [f"            s{k} = s{k}[: to - at]" for k in range(scratch)]
        lines += [f"        o{k} = t{k}[at:to]" for k in range(len(self.outs))]
        lines += [f"        {line}" for line in body]
        scope.update({name: function for function, name in functions.items()})
        return define("\n".join(lines), "stretch", scope)["run"]

    def _used(self):
        """The values that some exit depends on, in order."""
        wanted, stack = set(), list(self.outs)
        while stack:
            at = stack.pop()
            if at not in wanted:
                wanted.add(at)
                stack += self.values[at][1] if len(self.values[at]) > 1 else ()
        return sorted(wanted)

    def _direct(self):
        """Values that can be computed in an exit's own memory: the number of the exit, by value."""
        found = {}
        for k, at in enumerate(self.outs):
            what = self.values[at]
            if len(what) > 1 and what[2] and self.cut[at] and at not in found:
                found[at] = k
        return found


def _join(members, node, first):
    """Take a node into the stretch that begins at ``first``, if it can be run in blocks with it."""
    shape, size = first.shape, math.prod(first.shape)
    saved = _ready(node, shape, first.dtype)
    if saved is None:
        return False
    parts = []
    for array in saved:
        part = (None, False) if array is None else flat(array, size)
        if part is None or (array is not None and array.ndim and array.size == size and array.shape != shape):
            return False
        parts.append(part)
    members[node] = parts
    return True
