"""Memory of views that strides cannot say: conjugates, and the negative imaginary parts of those.

PyTorch marks such a view with a bit and conjugates whenever it reads. Here the view has memory of its own, the mirror of the memory that
it looks at. A mirror is brought up to date where the version counter shows that its source was written to since (``tensor.edge_of``), and
copied back after every write to the view (``inplace.finish``), so that both sides see what is written to either.
"""

import numpy as np

from .array.shape import address, strided_view

__all__ = ["Mirror", "reflected"]


def reflected(function, source):
    """``function(source)``, an elementwise function of one array, in new memory with the strides of ``source``.

    Of an array that runs backwards, which no tensor of a user's does, it is an ordinary copy.
    """
    made = function(source, out=...)
    if made.strides == source.strides or not source.size or min(source.strides) < 0:
        return made
    extent = 1 + sum((n - 1) * s for n, s in zip(source.shape, source.strides)) // source.itemsize
    held = np.ndarray(source.shape, source.dtype, np.empty(extent, source.dtype), 0, source.strides)
    held[...] = made
    return held


class Mirror:
    """``array`` holds ``function(source)``, where ``function`` undoes itself; ``version`` is that of the source it was computed from."""

    __slots__ = ("array", "function", "source", "version")

    def __init__(self, array, source, function, version):
        self.array, self.source, self.function, self.version = array, source, function, version

    def update(self, version):
        """Read the source again if it has another version."""
        if self.version != version:
            self.function(self.source, out=self.array)
            self.version = version

    def write_back(self):
        """Bring what was written to the mirror to its source."""
        self.function(self.array, out=self.source)

    def counterpart(self, array):
        """The part of the source that a strided view of the mirror reflects."""
        return strided_view(self.source, array.shape, array.strides, address(array) - address(self.array))
