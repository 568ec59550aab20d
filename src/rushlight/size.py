"""``torch.Size``: the shape of a tensor."""


class Size(tuple):
    """A tuple of sizes with ``numel()``; slices and sums of sizes are sizes again."""

    __slots__ = ()

    def numel(self):
        """The number of elements of a tensor of this shape."""
        count = 1
        for size in self:
            count *= size
        return count

    def __getitem__(self, index):
        got = tuple.__getitem__(self, index)
        return Size(got) if index.__class__ is slice else got

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __reduce__(self):
        return _size, (tuple(self),)


def _size(sizes):
    return Size(sizes)


Size.__module__ = "torch"
