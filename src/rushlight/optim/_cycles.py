"""Schedules that place the learning rate on a curve of their own: cycles, warm restarts, one cycle. Shown in ``lr_scheduler``."""

import math
import types
from functools import partial

from .lr_scheduler import (
    LRScheduler,
    _check_optimizer,
    _enable_get_lr_call,
    _format_param,
    _update_param_group_val,
    _warn_get_lr_called_within_step,
)

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class _Momentum(LRScheduler):
    """What the cycles share that move momentum (or beta1) against the rate: they go between two values of each group."""

    def _begin_momentum(self, base_momentum, max_momentum, last_epoch):
        """Note the two values for each group, and begin at the upper one; returns the lists of both."""
        optimizer = self.optimizer
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        low = _format_param("base_momentum", optimizer, base_momentum)
        high = _format_param("max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for top, bottom, group in zip(high, low, optimizer.param_groups):
                self._set_momentum(group, top)
                group["max_momentum"] = top
                group["base_momentum"] = bottom
        return low, high

    def _set_momentum(self, group, momentum):
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_Momentum):
    """Up and down between two rates in straight lines, the peaks scaled from cycle to cycle (Smith, arXiv:1506.01186).

    Args:
        optimizer: whose learning rates are scheduled; its step is one batch.
        base_lr, max_lr: the two rates, each a number or a list of one for each group.
        step_size_up, step_size_down: steps of the way up and of the way down (None for the same).
        mode: "triangular" leaves the peaks, "triangular2" halves them from cycle to cycle, "exp_range" takes ``gamma ** step``.
        gamma: for "exp_range".
        scale_fn, scale_mode: a function in place of ``mode``, of the number of the "cycle" or of "iterations".
        cycle_momentum, base_momentum, max_momentum: whether momentum (or beta1) goes the opposite way, and between what.
        last_epoch: the step to go on from.

    Raises:
        TypeError: no optimiser. ValueError: an option out of range.
    """

    def __init__(
        self,
        optimizer,
        base_lr,
        max_lr,
        step_size_up=2000,
        step_size_down=None,
        mode="triangular",
        gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        cycle_momentum=True,
        base_momentum=0.8,
        max_momentum=0.9,
        last_epoch=-1,
    ):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = _format_param("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups):
                _update_param_group_val(group, "lr", lr)
        self.max_lrs = _format_param("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ["triangular", "triangular2", "exp_range"] and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self):
        if self._scale_fn_custom is not None:
            return
        self._scale_fn_ref, self.scale_mode = {
            "triangular": (self._triangular_scale_fn, "cycle"),
            "triangular2": (self._triangular2_scale_fn, "cycle"),
            "exp_range": (partial(self._exp_range_scale_fn, self.gamma), "iterations"),
        }[self.mode]

    def scale_fn(self, x):
        """The height of the peak of cycle ``x`` (or at step ``x``), as a share of the first."""
        return (self._scale_fn_ref if self._scale_fn_custom is None else self._scale_fn_custom)(x)

    @staticmethod
    def _triangular_scale_fn(x):
        return 1.0

    @staticmethod
    def _triangular2_scale_fn(x):
        return 1 / (2.0 ** (x - 1))

    @staticmethod
    def _exp_range_scale_fn(gamma, x):
        return gamma**x

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        share = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch

        def rise(low, high):
            return (high - low) * share * self.scale_fn(at)

        if self.cycle_momentum:
            groups = self.optimizer.param_groups
            for group, low, high in zip(groups, self.base_momentums, self.max_momentums):
                self._set_momentum(group, high - rise(low, high))
        return [low + rise(low, high) for low, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self):
        """Every attribute but the optimiser; of the user's function only its attributes if it is an object."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        function = state.pop("_scale_fn_custom")
        own = None if function is None or isinstance(function, types.FunctionType) else function.__dict__.copy()
        state["_scale_fn_custom"] = own
        return state

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned."""
        own = state_dict.pop("_scale_fn_custom")
        super().load_state_dict(state_dict)
        if own is not None:
            self._scale_fn_custom.__dict__.update(own)
        self._init_scale_fn()


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the initial rate to ``eta_min``, again and again (Loshchilov and Hutter, arXiv:1608.03983).

    Args:
        optimizer: whose learning rates are scheduled.
        T_0: epochs until the first restart; each stretch is ``T_mult`` times as long as the one before.
        eta_min: the lowest rate.
        last_epoch: the epoch to go on from.

    Raises:
        ValueError: an option out of range.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):  # noqa: N803 - PyTorch's names
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base_lr - self.eta_min) * height / 2 for base_lr in self.base_lrs]

    def step(self, epoch=None):
        """Go on by one epoch, or to ``epoch``, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self.T_cur, self.T_i = self._locate(epoch)
        self.last_epoch = math.floor(epoch)
        with _enable_get_lr_call(self):
            values = self.get_lr()
        self._set_lr(values)

    def _locate(self, epoch):
        """How far ``epoch`` is into its stretch, and how long that is."""
        if epoch < self.T_0:
            return epoch, self.T_0
        if self.T_mult == 1:
            return epoch % self.T_0, self.T_i
        n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
        return epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1), self.T_0 * self.T_mult**n


class OneCycleLR(_Momentum):
    """Up to ``max_lr`` and down to next to nothing, once (Smith and Topin, Super-convergence, arXiv:1708.07120).

    Args:
        optimizer: whose learning rates are scheduled; its step is one batch.
        max_lr: the peak, a number or a list of one for each group.
        total_steps: steps of the whole, or ``epochs`` and ``steps_per_epoch``.
        pct_start: the share of them before the peak.
        anneal_strategy: "cos" or "linear".
        cycle_momentum, base_momentum, max_momentum: whether momentum (or beta1) goes the opposite way, and between what.
        div_factor: the first rate is ``max_lr / div_factor``.
        final_div_factor: the last rate is the first one over this.
        three_phase: go down to the first rate as fast as up, then to the last.
        last_epoch: the step to go on from.

    Raises:
        TypeError: no optimiser. ValueError: an option out of range, or a step after the last.
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _steps_in_all(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = self._phases(pct_start, three_phase)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ["cos", "linear"]:
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        max_lrs = _format_param("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for peak, group in zip(max_lrs, optimizer.param_groups):
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _phases(self, pct_start, three_phase):
        """The stretches of the cycle: the last step of each, and the names of what the group goes between."""

        def phase(end_step, lrs, momentums):
            return {
                "end_step": end_step,
                "start_lr": lrs[0],
                "end_lr": lrs[1],
                "start_momentum": f"{momentums[0]}_momentum",
                "end_momentum": f"{momentums[1]}_momentum",
            }

        up = phase(float(pct_start * self.total_steps) - 1, ("initial_lr", "max_lr"), ("max", "base"))
        last = self.total_steps - 1
        if not three_phase:
            return [up, phase(last, ("max_lr", "min_lr"), ("base", "max"))]
        down = phase(float(2 * pct_start * self.total_steps) - 2, ("max_lr", "initial_lr"), ("base", "max"))
        return [up, down, phase(last, ("initial_lr", "min_lr"), ("max", "max"))]

    def _anneal_func(self, start, end, pct):
        """The value a share ``pct`` of the way from ``start`` to ``end``."""
        if not hasattr(self, "_anneal_func_type"):
            return self.anneal_func(start, end, pct)  # what schedulers that PyTorch 1 saved hold instead
        if self._anneal_func_type == "cos":
            return self._annealing_cos(start, end, pct)
        if self._anneal_func_type == "linear":
            return self._annealing_linear(start, end, pct)
        raise ValueError(f"Unknown _anneal_func_type: {self._anneal_func_type}")

    @staticmethod
    def _annealing_cos(start, end, pct):
        return end + (start - end) / 2.0 * (math.cos(math.pi * pct) + 1)

    @staticmethod
    def _annealing_linear(start, end, pct):
        return (end - start) * pct + start

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        pct = (step - start) / (end - start)
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], pct))
            if self.cycle_momentum:
                low, high = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._anneal_func(low, high, pct))
        return lrs


def _steps_in_all(total_steps, epochs, steps_per_epoch):
    """How long the cycle is; ValueError where that does not follow from what was given."""
    if total_steps is not None:
        if total_steps <= 0 or not isinstance(total_steps, int):
            raise ValueError(f"Expected positive integer total_steps, but got {total_steps}")
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, count in (("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
        if not isinstance(count, int) or count <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {count}")
    return epochs * steps_per_epoch


for _class in (CyclicLR, CosineAnnealingWarmRestarts, OneCycleLR):
    _class.__module__ = "torch.optim.lr_scheduler"
