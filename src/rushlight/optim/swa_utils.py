"""``torch.optim.swa_utils``: averages of a model's weights over training, and the learning rate that goes with them."""

import itertools
import math
from copy import deepcopy

from .. import dtypes
from ..autograd.modes import no_grad
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ..ops import creation
from .lr_scheduler import LRScheduler, _format_param, _warn_get_lr_called_within_step

__all__ = [
    "AveragedModel",
    "update_bn",
    "SWALR",
    "get_ema_multi_avg_fn",
    "get_swa_multi_avg_fn",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
]


def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _averages(tensors):
    """Whether the tensors are of a dtype that has fractions."""
    return tensors[0].is_floating_point() or tensors[0].is_complex()


def get_ema_multi_avg_fn(decay=0.999):
    """The function ``(averages, currents, count)`` that moves each average to ``decay`` of itself and the rest of the current one.

    ValueError for a ``decay`` outside [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        fractions = _averages(ema_param_list)
        for average, current in zip(ema_param_list, current_param_list):
            if fractions:
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(average * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """The function ``(averages, currents, count)`` that takes one more into averages over ``count``, each counting the same."""

    @no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        count = num_averaged + 1
        fractions = _averages(averaged_param_list)
        for average, current in zip(averaged_param_list, current_param_list):
            if fractions:
                average.lerp_(current, float(1 / count))
            else:
                average.addcdiv_(current - average, creation.as_tensor(count))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """The function ``(average, current, count)`` that returns ``decay * average + (1 - decay) * current``.

    ValueError for a ``decay`` outside [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The function ``(average, current, count)`` that returns the average over one more."""

    @no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose weights are averages over calls of ``update_parameters``.

    The first call copies the weights. Averages are equal (SWA, arXiv:1803.05407) unless a function says otherwise.

    Args:
        model: the model to copy.
        device: where to keep the averages.
        avg_fn: function ``(average, current, count)`` that returns the new average of one parameter.
        multi_avg_fn: function ``(averages, currents, count)`` that writes the new averages of a list of parameters in place.
        use_buffers: average the buffers too, instead of copying them.

    Raises:
        AssertionError: both functions given.
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", creation.tensor(0, dtype=dtypes.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Take the weights of ``model`` into the averages."""
        averages, currents = (self._averaged(each) for each in (self.module, model))
        if self.n_averaged == 0:
            for average, current in zip(averages, currents):
                average.copy_(current)
        elif self.multi_avg_fn is not None:
            for dtype in dict.fromkeys(each.dtype for each in averages):
                places = [i for i, each in enumerate(averages) if each.dtype is dtype]
                self.multi_avg_fn([averages[i] for i in places], [currents[i] for i in places], self.n_averaged)
        else:
            update = self.avg_fn or get_swa_avg_fn()
            for average, current in zip(averages, currents):
                average.copy_(update(average, current, self.n_averaged))
        if not self.use_buffers:
            for average, current in zip(self.module.buffers(), model.buffers()):
                average.detach().copy_(current.detach())
        self.n_averaged += 1

    def _averaged(self, model):
        """What of a model is averaged, outside the graph."""
        more = model.buffers() if self.use_buffers else ()
        return [each.detach() for each in itertools.chain(model.parameters(), more)]


AveragedModel.__module__ = "torch.optim.swa_utils"


@no_grad()
def update_bn(loader, model, device=None):
    """Compute the running statistics of a model's batch norms anew, by one pass over a loader.

    Args:
        loader: gives tensors, or lists or tuples whose first item is the model's input.
        model: the model, put into training mode for the pass.
        device: where to move the input.
    """
    momenta = {}
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        model(batch if device is None else batch.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the current rate to ``swa_lr`` within ``anneal_epochs``, and constant from then on.

    Args:
        optimizer: whose learning rates are scheduled.
        swa_lr: the rate to end at, a number or a list of one for each group.
        anneal_epochs: how long the way there is.
        anneal_strategy: "cos" or "linear".
        last_epoch: the epoch to go on from.

    Raises:
        ValueError: an option out of range.
    """

    _unsaved = ("optimizer", "anneal_func")

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for rate, group in zip(_format_param("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ["cos", "linear"]:
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._set_anneal_func(anneal_strategy)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _linear_anneal(t):
        return t

    @staticmethod
    def _cosine_anneal(t):
        return (1 - math.cos(math.pi * t)) / 2

    @staticmethod
    def _get_initial_lr(lr, swa_lr, alpha):
        """The rate the way began at, from the one a share ``alpha`` into it."""
        return swa_lr if alpha == 1 else (lr - alpha * swa_lr) / (1 - alpha)

    def get_lr(self):
        _warn_get_lr_called_within_step(self)
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, alpha = (self.anneal_func(max(0, min(1, at / max(1, self.anneal_epochs)))) for at in (step - 1, step))
        lrs = []
        for group in self.optimizer.param_groups:
            first = self._get_initial_lr(group["lr"], group["swa_lr"], before)
            lrs.append(group["swa_lr"] * alpha + first * (1 - alpha))
        return lrs

    def _set_anneal_func(self, anneal_strategy):
        self._anneal_strategy = anneal_strategy
        self.anneal_func = self._cosine_anneal if anneal_strategy == "cos" else self._linear_anneal

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned."""
        super().load_state_dict(state_dict)
        self._set_anneal_func(self._anneal_strategy)
