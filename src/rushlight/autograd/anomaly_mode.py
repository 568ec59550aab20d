"""``torch.autograd.anomaly_mode``: anomaly mode by PyTorch's module name."""

from .anomaly import detect_anomaly, set_detect_anomaly

__all__ = ["detect_anomaly", "set_detect_anomaly"]
