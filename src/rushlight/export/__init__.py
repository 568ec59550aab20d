"""``torch.export``: programs are not exported here. Its classes can be named; using one says so."""

from ..absent import stand_in

__all__ = []
__getattr__ = stand_in(__name__, "rushlight exports no programs; save a state_dict with torch.save instead")
