"""The names that mixed precision had in ``torch.cuda.amp`` and ``torch.cpu.amp``."""

import functools
import warnings

from .. import dtypes
from . import autocast_mode, grad_scaler

__all__ = ["of_device"]


def _warn(device, old, new):
    warnings.warn(
        f"`torch.{device}.amp.{old}(args...)` is deprecated. Please use `torch.amp.{new}('{device}', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


def of_device(device):
    """(autocast, GradScaler, custom_fwd, custom_bwd) of one device."""

    class autocast(autocast_mode.autocast):  # noqa: N801 - PyTorch's name
        __doc__ = autocast_mode.autocast.__doc__

        def __init__(
            self,
            enabled=True,
            dtype=dtypes.bfloat16 if device == "cpu" else dtypes.float16,
            cache_enabled=True,
        ):
            _warn(device, "autocast", "autocast")
            super().__init__(device, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)

    class GradScaler(grad_scaler.GradScaler):
        __doc__ = grad_scaler.GradScaler.__doc__

        def __init__(
            self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True
        ) -> None:
            _warn(device, "GradScaler", "GradScaler")
            super().__init__(device, init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    @functools.wraps(autocast_mode.custom_fwd)
    def custom_fwd(fwd=None, *, cast_inputs=None):
        return autocast_mode.custom_fwd(fwd, device_type=device, cast_inputs=cast_inputs)

    @functools.wraps(autocast_mode.custom_bwd)
    def custom_bwd(bwd=None):
        return autocast_mode.custom_bwd(bwd, device_type=device)

    for kind, file in ((autocast, "autocast_mode"), (GradScaler, "grad_scaler")):
        kind.__module__ = f"torch.{device}.amp.{file}"
        kind.__qualname__ = kind.__name__
    return autocast, GradScaler, custom_fwd, custom_bwd
