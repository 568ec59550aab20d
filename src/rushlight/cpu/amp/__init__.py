"""``torch.cpu.amp``: the older names of ``torch.amp`` for the CPU."""

from ...amp.deprecated import of_device

autocast, GradScaler, custom_fwd, custom_bwd = of_device("cpu")

__all__ = ["GradScaler", "autocast"]
