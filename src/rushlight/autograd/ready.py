"""Which of the nodes that wait for nothing runs next: the one with the highest sequence number, and leaves before all."""

__all__ = ["Ready"]


class Ready:
    """A heap of nodes by sequence number. Leaves all have the same, and come out in the order in which PyTorch's engine has them.

    That order, which hooks see, is that of the binary heap of C++'s standard library: a node that goes in rises past smaller ones only;
    when the first comes out, the hole sinks along the larger children (the second of equal ones) to the bottom, and the last node rises from there.
    """

    __slots__ = ("nodes",)

    def __init__(self, nodes=()):
        self.nodes = []
        for node in nodes:
            self.push(node)

    def __bool__(self):
        return bool(self.nodes)

    def push(self, node):
        self.nodes.append(node)
        self._rise(node, len(self.nodes) - 1)

    def pop(self):
        nodes = self.nodes
        first, last = nodes[0], nodes.pop()
        count, hole, child = len(nodes), 0, 2
        if not count:
            return first
        while child < count:
            if nodes[child].seq < nodes[child - 1].seq:
                child -= 1
            nodes[hole] = nodes[child]
            hole, child = child, 2 * child + 2
        if child == count:
            # a last child without a sibling
            nodes[hole] = nodes[child - 1]
            hole = child - 1
        self._rise(last, hole)
        return first

    def _rise(self, node, hole):
        nodes, seq = self.nodes, node.seq
        while hole:
            above = (hole - 1) // 2
            if nodes[above].seq >= seq:
                break
            nodes[hole] = nodes[above]
            hole = above
        nodes[hole] = node
