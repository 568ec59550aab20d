"""``torch.mps``: what scripts ask before they choose a device. There is none here, and what would need one says so."""

from .absent import stand_in

__all__ = ["device_count", "is_available"]


def is_available():
    """False: rushlight computes on the CPU."""
    return False


def device_count():
    return 0


__getattr__ = stand_in(__name__, "rushlight computes on the CPU")
