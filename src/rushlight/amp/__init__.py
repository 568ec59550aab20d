"""``torch.amp``: mixed precision."""

from ..missing import module_getattr
from .autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

for _kind in (autocast, GradScaler):
    # users see the class where PyTorch has it
    _kind.__module__ = _kind.__module__.replace("rushlight", "torch")

__getattr__ = module_getattr(__name__)
