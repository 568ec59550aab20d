"""``torch.ao``: nothing is quantised here. Its classes can be named, and asked of by ``isinstance``; using one says so."""

from ..absent import stand_in

__all__ = []
__getattr__ = stand_in(__name__, "rushlight quantises nothing")
