"""Padding by a constant, a reflection, the border, or the other end.

``padding`` is one int, or the sizes of the sides, last dimension first: (left, right, top, bottom, front, back).
"""

from .. import functional as F  # noqa: N812
from .module import Module
from .utils import _ntuple, _pair, _quadruple

__all__ = [
    *("CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d"),
    *(
        "ReflectionPad1d",
        "ReflectionPad2d",
        "ReflectionPad3d",
        "ReplicationPad1d",
        "ReplicationPad2d",
        "ReplicationPad3d",
    ),
    *("ZeroPad1d", "ZeroPad2d", "ZeroPad3d"),
]

_sextuple = _ntuple(6, "_sextuple")


class _PadNd(Module):
    """Padding that is told nothing but its sizes."""

    __constants__ = ["padding"]
    _each = staticmethod(_pair)
    _mode = "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = self._each(padding)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return str(self.padding)


class _CircularPadNd(_PadNd):
    _mode = "circular"
    _dims = 0

    def _check_input_dim(self, input):
        if input.dim() not in (self._dims + 1, self._dims + 2):
            raise ValueError(f"expected {self._dims + 1}D or {self._dims + 2}D input (got {input.dim()}D input)")

    def forward(self, input):
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class _ConstantPadNd(Module):
    __constants__ = ["padding", "value"]
    _each = staticmethod(_pair)

    def __init__(self, padding, value):
        super().__init__()
        self.value = value
        self.padding = self._each(padding)

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Pads (N, C, L) or (C, L) with values from the other end."""

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Pads (N, C, H, W) or (C, H, W) with values from the other end."""

    _dims = 2
    _each = staticmethod(_quadruple)


class CircularPad3d(_CircularPadNd):
    """Pads (N, C, D, H, W) or (C, D, H, W) with values from the other end."""

    _dims = 3
    _each = staticmethod(_sextuple)


class ConstantPad1d(_ConstantPadNd):
    """Pads (N, C, L) or (C, L) with one value."""


class ConstantPad2d(_ConstantPadNd):
    """Pads (N, C, H, W) or (C, H, W) with one value."""

    _each = staticmethod(_quadruple)


class ConstantPad3d(_ConstantPadNd):
    """Pads (N, C, D, H, W) or (C, D, H, W) with one value."""

    _each = staticmethod(_sextuple)


class ReflectionPad1d(_ReflectionPadNd):
    """Pads (N, C, L) or (C, L) with the values beside the border, mirrored."""


class ReflectionPad2d(_ReflectionPadNd):
    """Pads (N, C, H, W) or (C, H, W) with the values beside the border, mirrored."""

    _each = staticmethod(_quadruple)


class ReflectionPad3d(_ReflectionPadNd):
    """Pads (N, C, D, H, W) or (C, D, H, W) with the values beside the border, mirrored."""

    _each = staticmethod(_sextuple)


class ReplicationPad1d(_ReplicationPadNd):
    """Pads (N, C, L) or (C, L) with the values at the border."""


class ReplicationPad2d(_ReplicationPadNd):
    """Pads (N, C, H, W) or (C, H, W) with the values at the border."""

    _each = staticmethod(_quadruple)


class ReplicationPad3d(_ReplicationPadNd):
    """Pads (N, C, D, H, W) or (C, D, H, W) with the values at the border."""

    _each = staticmethod(_sextuple)


class ZeroPad1d(ConstantPad1d):
    """Pads (N, C, L) or (C, L) with zeros."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)


class ZeroPad2d(ConstantPad2d):
    """Pads (N, C, H, W) or (C, H, W) with zeros."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)


class ZeroPad3d(ConstantPad3d):
    """Pads (N, C, D, H, W) or (C, D, H, W) with zeros."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return str(self.padding)
