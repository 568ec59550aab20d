"""``torch.optim.lr_scheduler``: how the learning rate changes from step to step.

Most schedules multiply the current rate by a factor of the epoch (``_Chainable``), so that several can act on one optimiser; those
that place it on a curve of their own (cycles, warm restarts, one cycle) are in ``_cycles``, the one that follows a measure is in
``_plateau``, and all are shown here.
"""

import math
import types
import warnings
import weakref
from bisect import bisect_right
from collections import Counter
from contextlib import contextmanager
from functools import wraps

from ..shown import Shown
from ..tensor import Tensor
from .optimizer import Optimizer, _to_scalar

__all__ = [
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "SequentialLR",
    "CosineAnnealingLR",
    "ChainedScheduler",
    "ReduceLROnPlateau",
    "CyclicLR",
    "CosineAnnealingWarmRestarts",
    "OneCycleLR",
    "PolynomialLR",
    "LRScheduler",
]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is used "
    "instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_HOW_TO = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


# ----------------------------------------------------------------------------------- rates may be numbers or tensors


def _format_param(name, optimizer, param):
    """A value for each group: a list of the right length, or one value for all; tensors copied."""
    groups = optimizer.param_groups
    if not isinstance(param, (list, tuple)):
        param = [param] * len(groups)
    elif len(param) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(param)} values, param_groups has {len(groups)}."
        )
    return [_copy(each) for each in param]


def _copy(value):
    return value.clone() if isinstance(value, Tensor) else value


def _param_groups_val_list(optimizer, key):
    """``group[key]`` of each group; tensors copied."""
    return [_copy(group[key]) for group in optimizer.param_groups]


def _update_param_group_val(param_group, key, val):
    """Set ``param_group[key]``; a tensor there is filled, so that whoever holds it sees the new value."""
    if isinstance(param_group[key], Tensor):
        param_group[key].fill_(_to_scalar(val))
    else:
        param_group[key] = val


def _check_optimizer(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


# ---------------------------------------------------------------------------------------------------------- the base


class LRScheduler(Shown):
    """Base of the schedules: ``step`` sets each group's ``lr`` to what ``get_lr`` computes for the next epoch.

    Args:
        optimizer: whose learning rates are scheduled; they are set at once.
        last_epoch: the epoch to go on from, for groups that have an ``initial_lr``; -1 to begin.

    Raises:
        TypeError: no optimiser. KeyError: a group without ``initial_lr`` when going on.
    """

    _get_lr_called_within_step = False
    _is_initial = False
    #: attributes that ``state_dict`` leaves out, or puts in another form
    _unsaved = ("optimizer",)

    def __init__(self, optimizer, last_epoch=-1):
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0.\n"
                    "This typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs = _param_groups_val_list(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _track_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        """Set the rates of the epoch the schedule begins with."""
        self._step_count = 0
        with _initial_mode(self):
            self.step()

    def state_dict(self):
        """Every attribute but the optimiser, as a dict."""
        return {key: value for key, value in self.__dict__.items() if key not in self._unsaved}

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key not in self._unsaved})

    def get_last_lr(self):
        """The rates that were set last, one for each group; tensors are copies."""
        return self._last_lr

    def get_lr(self):
        """The rates for ``last_epoch``, one for each group; to be called by ``step`` only."""
        raise NotImplementedError

    def step(self, epoch=None):
        """Go on by one epoch (deprecated: to ``epoch``), after the optimiser's own step."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warnings.warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make "
                    f"sure to call `optimizer.step()` before `lr_scheduler.step()`. See more details at {_HOW_TO}",
                    UserWarning,
                    stacklevel=2,
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
                    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in "
                    f"PyTorch skipping the first value of the learning rate schedule. See more details at {_HOW_TO}",
                    UserWarning,
                    stacklevel=2,
                )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        """Set the rates of the next epoch, or of ``epoch`` by the closed form where there is one."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        with _enable_get_lr_call(self):
            values = (closed or self.get_lr)()
        self._set_lr(values)

    def _set_lr(self, values):
        for group, lr in zip(self.optimizer.param_groups, values):
            _update_param_group_val(group, "lr", lr)
        self._last_lr = _param_groups_val_list(self.optimizer, "lr")


class _LRScheduler(LRScheduler):
    """The base by its old name."""


def _track_steps(optimizer):
    """Let the optimiser note that its ``step`` has been called, which schedules want to come first."""
    step = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    owner = weakref.ref(optimizer)
    function = step.__func__

    @wraps(function)
    def wrapper(*args, **kwargs):
        self = owner()
        self._opt_called = True
        return function.__get__(self, type(self))(*args, **kwargs)

    wrapper._wrapped_by_lr_sched = True
    optimizer.step = wrapper


@contextmanager
def _during(scheduler, flag):
    setattr(scheduler, flag, True)
    try:
        yield scheduler
    finally:
        setattr(scheduler, flag, False)


def _enable_get_lr_call(o):
    """A context in which ``get_lr`` may be called without a warning."""
    return _during(o, "_get_lr_called_within_step")


def _initial_mode(o):
    """The context of a schedule's first step."""
    return _during(o, "_is_initial")


def _warn_get_lr_called_within_step(lr_scheduler):
    """Warn of a call of ``get_lr`` by anybody but ``step``."""
    if not lr_scheduler._get_lr_called_within_step:
        warnings.warn(
            "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
            UserWarning,
            stacklevel=3,
        )


# --------------------------------------------------------------------------------------- factors of the current rate


class _Chainable(LRScheduler):
    """Base of the schedules that multiply the current rate; a subclass says by what."""

    def _factor(self):
        """What the rates are multiplied by to get to ``last_epoch``; None to leave them."""
        raise NotImplementedError

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        factor = self._factor()
        if factor is None:
            return _param_groups_val_list(self.optimizer, "lr")
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class _ClosedForm(_Chainable):
    """Those that can also say by what the initial rate is multiplied at an epoch."""

    def _total_factor(self):
        """What the initial rates are multiplied by at ``last_epoch``."""
        raise NotImplementedError

    def _get_closed_form_lr(self):
        factor = self._total_factor()
        return [base_lr * factor for base_lr in self.base_lrs]


class StepLR(_ClosedForm):
    """Times ``gamma`` every ``step_size`` epochs."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        return None if self.last_epoch == 0 or self.last_epoch % self.step_size != 0 else self.gamma

    def _total_factor(self):
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(_ClosedForm):
    """Times ``gamma`` at each of the epochs ``milestones``; twice at one that is there twice."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        return self.gamma ** self.milestones[self.last_epoch] if self.last_epoch in self.milestones else None

    def _total_factor(self):
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(_ClosedForm):
    """Times ``factor`` for the first ``total_iters`` epochs; ValueError for a factor outside [0, 1]."""

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _total_factor(self):
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(_ClosedForm):
    """Times a factor that goes in a line from ``start_factor`` to ``end_factor`` within ``total_iters`` epochs.

    Raises:
        ValueError: ``start_factor`` outside (0, 1], or ``end_factor`` outside [0, 1].
    """

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _total_factor(self):
        rise = self.end_factor - self.start_factor
        return self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters


class ExponentialLR(_ClosedForm):
    """Times ``gamma`` every epoch."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        return None if self._is_initial else self.gamma

    def _total_factor(self):
        return self.gamma**self.last_epoch


class PolynomialLR(_ClosedForm):
    """Times ``(1 - epoch / total_iters) ** power``, zero after ``total_iters`` epochs."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        now, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return (now / before) ** self.power

    def _total_factor(self):
        return (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power


# ----------------------------------------------------------------------------------------------- the user's functions


class LambdaLR(LRScheduler):
    """The initial rate times ``lr_lambda(epoch)``: one function, or a list of one for each group (else ValueError)."""

    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        groups = optimizer.param_groups
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * len(groups)
        elif len(lr_lambda) != len(groups):
            raise ValueError(f"Expected {len(groups)} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """Every attribute but the optimiser; of the functions only the attributes of those that are objects."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(each, types.FunctionType) else each.__dict__.copy() for each in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned."""
        super().load_state_dict(state_dict)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if attributes is not None:
                function.__dict__.update(attributes)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        return [base_lr * function(self.last_epoch) for function, base_lr in zip(self.lr_lambdas, self.base_lrs)]


class MultiplicativeLR(LambdaLR):
    """The current rate times ``lr_lambda(epoch)``: one function, or a list of one for each group (else ValueError)."""

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self._is_initial:
            return _param_groups_val_list(self.optimizer, "lr")
        groups = self.optimizer.param_groups
        return [group["lr"] * function(self.last_epoch) for function, group in zip(self.lr_lambdas, groups)]


# -------------------------------------------------------------------------------------------------------- the cosine


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial rate to ``eta_min`` within ``T_max`` epochs, and back (Loshchilov and Hutter, arXiv:1608.03983).

    Each step follows from the one before, so that it can be chained.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):  # noqa: N803 - PyTorch's name
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        if self._is_initial:
            return _param_groups_val_list(self.optimizer, "lr")
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        groups = self.optimizer.param_groups
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # at the lowest point the quotient below is not defined
            return [
                group["lr"] + (base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
                for base_lr, group in zip(self.base_lrs, groups)
            ]
        now, before = (1 + math.cos(math.pi * epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1))
        return [now / before * (group["lr"] - self.eta_min) + self.eta_min for group in groups]

    def _get_closed_form_lr(self):
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (base_lr - self.eta_min) * height / 2 for base_lr in self.base_lrs]


# ----------------------------------------------------------------------------------------------- schedules of schedules


def _check_members(scheduler, optimizer, members):
    """TypeError or ValueError for members that a schedule of schedules cannot step."""
    name = type(scheduler).__name__
    for index, member in enumerate(members):
        if not hasattr(member, "optimizer"):
            raise TypeError(f"{name} at index {index} should have `optimizer` as its attribute.")
        if isinstance(member, ReduceLROnPlateau):
            raise ValueError(
                f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be specified when "
                f"calling `step`, but got one at index {index} in the given schedulers sequence."
            )
        if optimizer != member.optimizer:
            raise ValueError(
                f"{name} expects all schedulers to belong to the same optimizer, but got scheduler {type(member).__name__} at "
                f"index {index} has {member.optimizer}, which is different from {type(optimizer).__name__}."
            )


class _Compound(LRScheduler):
    """What schedules of schedules share: their members' states within their own."""

    _unsaved = ("optimizer", "_schedulers")

    def state_dict(self):
        """Every attribute but the optimiser, with the members' states in place of the members."""
        state = super().state_dict()
        state["_schedulers"] = [each.state_dict() for each in self._schedulers]
        return state

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned."""
        super().load_state_dict(state_dict)
        for member, state in zip(self._schedulers, state_dict["_schedulers"]):
            member.load_state_dict(state)


class SequentialLR(_Compound):
    """One schedule after another: the next takes over at each of the epochs ``milestones``.

    Raises:
        ValueError: no schedules, one of another optimiser or a ``ReduceLROnPlateau``, or not one milestone between every two.
        TypeError: one that has no optimiser.
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__} expects at least one scheduler, but got no scheduler.")
        _check_members(self, optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, "
                f"but got number of schedulers {len(schedulers)} and the number of milestones to be equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # the members have each made their first step; all but the one that is on must not have
        for group in self.optimizer.param_groups:
            _update_param_group_val(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched=None):
        """Take the first step of all members, and of members of members, back."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for member in sched._schedulers:
                self.recursive_undo(member)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self):
        """Go on by one epoch."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        member = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            member._update_lr(0)
        else:
            member.step()
        self._last_lr = member.get_last_lr()


class ChainedScheduler(_Compound):
    """Several schedules at once: each of them steps in a step.

    Raises:
        ValueError: no schedules, one of another optimiser, or a ``ReduceLROnPlateau``. TypeError: one that has no optimiser.
    """

    def __init__(self, schedulers, optimizer=None):
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler to be chained, but got no scheduler."
            )
        optimizer = optimizer or schedulers[0].optimizer
        _check_members(self, optimizer, schedulers)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = _param_groups_val_list(self._schedulers[-1].optimizer, "lr")

    def step(self):
        """Go on by one epoch."""
        for member in self._schedulers:
            member.step()
        self._last_lr = _param_groups_val_list(self._schedulers[-1].optimizer, "lr")


from ._cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR  # noqa: E402 - they are built on what is above
from ._plateau import ReduceLROnPlateau  # noqa: E402
