"""``torch.cuda.amp``: the older names of ``torch.amp``, for a device that is not here; they warn and switch themselves off."""

from ...amp.deprecated import of_device

autocast, GradScaler, custom_fwd, custom_bwd = of_device("cuda")

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]
