"""Running a stretch of large elementwise nodes backward in blocks.

Between two large elementwise nodes a cotangent is written to memory and read again, and memory is what large elementwise work waits for.
So when the plain loop meets such a node, it looks for all elementwise nodes of the same shape below it that get their cotangents from
within the stretch only, and runs their rules together on one block of elements after another: intermediate cotangents stay in
the cache, only saved values are read and only what leaves the stretch is written.
"""

import numpy as np

from ..array.large import BLOCK, LARGE, flat
from ..array.threads import parallel
from .graph import Leaf, target

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


def _ready(node, shape):
    """The saved arrays of a node cut for blocks, or None if it cannot run in blocks."""
    pull = getattr(node, "pull", None)
    if pull is None or node.shape != shape:
        return None
    for edge in node.next:
        if edge is not None and edge.shape != shape:
            return None
    return node.operands()


def run_region(first, cotangent, keep, consumers, pending):
    """Run the stretch that begins at ``first``; a list of (edge, cotangent) that leave it, or None if there is no stretch."""
    shape, size = first.shape, cotangent.size
    start = flat(cotangent, size)
    members = {}
    if start is None or not _join(members, first, shape, size):
        return None
    inner = {}
    stack = [first]
    while stack:
        for edge in stack.pop().next:
            if edge is None or edge.__class__ is Leaf or edge in members:
                continue
            inner[edge] = count = inner.get(edge, 0) + 1
            if count == consumers.get(edge) and edge not in pending and _join(members, edge, shape, size):
                stack.append(edge)
    if len(members) < 2:
        return None
    order = sorted(members, key=lambda node: -node.seq)
    exits = {}
    for node in order:
        for edge in node.next:
            if edge is not None and edge not in members and edge not in exits:
                exits[edge] = np.empty(shape, edge.dtype.numpy)
    targets = {edge: array.reshape(-1) for edge, array in exits.items()}
    plan = [(node, node.pull, members[node], tuple(edge is not None for edge in node.next)) for node in order]
    value, cut = start

    def body(begin, end):
        for at in range(begin, end, BLOCK):
            block = slice(at, min(at + BLOCK, end))
            _run_block(plan, first, value[block] if cut else value, block, targets)

    parallel(size, body)
    if not keep:
        for node in order:
            node.release()
    return list(exits.items())


def _join(members, node, shape, size):
    saved = _ready(node, shape)
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


def _run_block(plan, first, value, block, targets):
    """All rules of the stretch on one block of elements."""
    cotangents = {first: value}
    written = set()
    for node, pull, parts, wanted in plan:
        given = [each[block] if cut else each for each, cut in parts]
        for edge, pulled in zip(node.next, pull(cotangents.pop(node), *wanted, *given)):
            if edge is None or pulled is None:
                continue
            out = targets.get(edge)
            if out is None:
                held = cotangents.get(edge)
                cotangents[edge] = pulled if held is None else held + pulled
            elif edge in written:
                part = out[block]
                np.add(part, pulled, out=part)
            else:
                out[block] = pulled
                written.add(edge)
