"""Scaling losses so that gradients in float16 do not vanish, and unscaling the gradients before a step."""

import enum
import warnings
from collections import defaultdict

import numpy as np

from .. import dtypes
from ..autograd.modes import no_grad
from ..ops.creation import full
from ..tensor import Tensor

__all__ = ["GradScaler", "OptState"]


class OptState(enum.Enum):
    """What has been done for an optimiser since the last ``update``."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh():
    return {"stage": OptState.READY, "found_inf": None}


_UNUSED = "Attempted {} but {} is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration."


class GradScaler:
    """Multiplies losses by a scale, and divides it out of the gradients before the optimiser steps.

    A step whose gradients are not finite is left out and the scale shrinks; after ``growth_interval`` good steps in a row it grows.

    Args:
        device: "cpu"; any other is switched off with a warning.
        init_scale: the first scale.
        growth_factor, backoff_factor: what the scale is multiplied by when it grows and shrinks.
        growth_interval: good steps before it grows.
        enabled: False makes everything pass through.
    """

    def __init__(
        self,
        device="cuda",
        init_scale=2.0**16,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
        enabled=True,
    ) -> None:
        self._device = device
        if enabled and device != "cpu":
            warnings.warn(
                f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is not available.  Disabling.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        if enabled:
            if not growth_factor > 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if not backoff_factor < 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
            self._init_scale = init_scale
            self._scale = None
            self._growth_factor = growth_factor
            self._backoff_factor = backoff_factor
            self._growth_interval = growth_interval
            self._init_growth_tracker = 0
            self._growth_tracker = None
            self._per_optimizer_states = defaultdict(_fresh)

    def _need(self, what):
        if self._scale is None:
            raise AssertionError(_UNUSED.format(what, "_scale"))
        if self._growth_tracker is None:
            raise AssertionError(_UNUSED.format(what, "_growth_tracker"))

    def scale(self, outputs):
        """A tensor, or every tensor in an iterable of them, times the scale."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = full((), self._init_scale, dtype=dtypes.float32)
            self._growth_tracker = full((), self._init_growth_tracker, dtype=dtypes.int32)
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(each) for each in outputs)
        if hasattr(outputs, "__iter__"):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer):
        """Divide the scale out of the gradients of an optimiser's parameters, to look at them or clip them; once between updates."""
        if not self._enabled:
            return
        self._need("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = float(np.float32(1 / np.float64(self._scale._a)))
        found = False
        with no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    gradient = parameter.grad
                    if gradient is None:
                        continue
                    if gradient._dtype is dtypes.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    gradient.mul_(inverse)
                    found = found or not np.isfinite(gradient._a.astype(np.float32, copy=False)).all()
        state["found_inf"] = full((), float(found), dtype=dtypes.float32)
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer, *args, **kwargs):
        """``optimizer.step`` with unscaled gradients, or nothing (and None) where they are not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._need("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if state["found_inf"] is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if state["found_inf"].item() else optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale=None):
        """Adjust the scale to what the steps since the last update found, or set it."""
        if not self._enabled:
            return
        self._need("update")
        if new_scale is not None:
            self._scale.fill_(float(new_scale))
        else:
            found = [
                state["found_inf"] for state in self._per_optimizer_states.values() if state["found_inf"] is not None
            ]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(each.item() for each in found):
                self._scale.mul_(self._backoff_factor)
                self._growth_tracker.fill_(0)
            else:
                good = self._growth_tracker.item() + 1
                if good == self._growth_interval:
                    grown = np.float32(self._scale.item() * self._growth_factor)
                    if np.isfinite(grown):
                        self._scale.fill_(float(grown))
                    good = 0
                self._growth_tracker.fill_(good)
        self._per_optimizer_states = defaultdict(_fresh)

    def get_scale(self):
        """The scale, a float; 1.0 where scaling is off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self):
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        self._growth_interval = new_interval

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def is_enabled(self):
        return self._enabled

    def state_dict(self):
        """Scale, factors and the count of good steps; empty where scaling is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` gave. RuntimeError if it is empty, from a scaler that was off."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(state_dict["_growth_tracker"])
