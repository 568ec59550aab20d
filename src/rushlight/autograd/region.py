"""Running a stretch of large elementwise nodes backward in blocks.

Between two large elementwise nodes a cotangent is written to memory and read again, and memory is what large elementwise work waits for.
So when the plain loop meets such a node, it looks for all elementwise nodes of the same shape below it that get their cotangents from
within the stretch only, and runs their rules together on one block of elements after another: intermediate cotangents stay in
the cache, only saved values are read and only what leaves the stretch is written.
"""

import numpy as np

from ..array.large import LARGE, block_size, flat
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
    run = _program(order, members, list(exits), start[1])
    saved = [array for node in order for array, _ in members[node]]
    targets = [array.reshape(-1) for array in exits.values()]
    pulls = [node.pull for node in order]
    block = block_size()
    parallel(size, lambda begin, end: run(pulls, start[0], saved, targets, begin, end, block))
    if not keep:
        for node in order:
            node.release()
    return list(exits.items())


_PROGRAMS = {}


def _program(order, members, exits, cut):
    """The function that runs a stretch of this form on a range of elements: straight-line source, remembered by form.

    The form is, for each node, where its cotangents go (the number of a node of the stretch, or of an exit) and which of its saved
    values are cut into blocks.
    """
    number = {node: i for i, node in enumerate(order)}
    form = (
        cut,
        tuple(
            (
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
        scope = {"add": np.add}
        exec(_source(*form), scope)
        found = _PROGRAMS[form] = scope["run"]
    return found


def _source(cut, nodes):
    lines = ["def run(pulls, g, saved, targets, begin, end, size):"]
    count = len(nodes)
    lines.append("    " + "".join([f"p{i}, " for i in range(count)]) + "= pulls")
    values = [(i, j, kind) for i, (_, kinds) in enumerate(nodes) for j, kind in enumerate(kinds)]
    if values:
        lines.append("    " + "".join([f"v{i}_{j}, " for i, j, _ in values]) + "= saved")
    outs = 1 + max(-1 - place for places, _ in nodes for place in places if place is not None and place < 0)
    lines.append("    " + "".join([f"t{k}, " for k in range(outs)]) + "= targets")
    lines += ["    for at in range(begin, end, size):", "        to = min(at + size, end)"]
    lines += [f"        o{k} = t{k}[at:to]" for k in range(outs)]
    lines.append("        c0 = g[at:to]" if cut else "        c0 = g")
    held, written = {0}, set()
    for i, (places, kinds) in enumerate(nodes):
        wanted = [str(place is not None) for place in places]
        given = [f"v{i}_{j}[at:to]" if kind else f"v{i}_{j}" for j, kind in enumerate(kinds)]
        names = "".join([f"r{j}, " for j in range(len(places))])
        lines.append(f"        {names}= p{i}({', '.join([f'c{i}', *wanted, *given])})")
        for j, place in enumerate(places):
            if place is None:
                continue
            if place >= 0:
                lines.append(f"        c{place} = c{place} + r{j}" if place in held else f"        c{place} = r{j}")
                held.add(place)
            elif place in written:
                lines.append(f"        add(o{-1 - place}, r{j}, o{-1 - place})")
            else:
                lines.append(f"        o{-1 - place}[...] = r{j}")
                written.add(place)
        lines.append(f"        c{i} = None")
    return "\n".join(lines)


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
