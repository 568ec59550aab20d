"""``torch.onnx``: models are not exported here. Its classes can be named; using one says so."""

from ..absent import stand_in

__all__ = ["is_in_onnx_export"]


def is_in_onnx_export():
    """False: nothing is exported."""
    return False


__getattr__ = stand_in(__name__, "rushlight exports no models; save a state_dict with torch.save instead")
