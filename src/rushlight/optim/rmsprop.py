"""``torch.optim.rmsprop``: steps scaled by a running average of the squared gradient."""

from ..ops import creation
from ._checks import check_lr, check_mode, check_nonnegative, check_numbers
from ._elementwise import ElementwiseOptimizer, counter, run
from .optimizer import _to_scalar

__all__ = ["RMSprop", "rmsprop"]


def _step(F, p, g, square, mean, buffer, kept, new, eps, momentum, lr):
    F.mul_(square, kept)
    F.addcmul_(square, g, g, new)
    variance = square
    if mean is not None:
        F.lerp_(mean, g, new)
        variance = square - F.keep(mean) * F.keep(mean)
    scale = F.root(variance, eps)
    if buffer is None:
        F.addcdiv_(p, g, scale, lr)
    else:
        F.mul_(buffer, momentum)
        F.addcdiv_(buffer, g, scale)
        F.add_(p, buffer, lr)


class RMSprop(ElementwiseOptimizer):
    """Steps of ``lr * g / (sqrt(average of g squared) + eps)`` (Hinton, lecture 6 of Neural networks for machine learning, 2012).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate.
        alpha: how much of the average is kept in a step.
        eps: added to the denominator.
        weight_decay: this much of the parameter is added to its gradient.
        momentum: how much of the last step is added to this one.
        centered: divide by an estimate of the variance instead (Graves, arXiv:1308.0850).
        maximize: climb instead.
        capturable, foreach, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {
        **{"momentum": 0, "centered": False, "foreach": None, "maximize": False, "differentiable": False},
        **{"capturable": False},
    }

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        check_nonnegative("epsilon value", eps)
        check_nonnegative("momentum value", momentum)
        check_nonnegative("weight_decay value", weight_decay)
        check_nonnegative("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        made = {"step": counter(group), "square_avg": creation.zeros_like(p)}
        if group["momentum"] > 0:
            made["momentum_buffer"] = creation.zeros_like(p)
        if group["centered"]:
            made["grad_avg"] = creation.zeros_like(p)
        return made

    def _update(self, group):
        rmsprop(
            *self._collect(group, "square_avg", "grad_avg", "momentum_buffer", "step"),
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            centered=group["centered"],
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            capturable=group["capturable"],
        )


def rmsprop(
    params,
    grads,
    square_avgs,
    grad_avgs,
    momentum_buffer_list,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
):
    """One step of ``RMSprop`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_mode(params, foreach, differentiable, capturable, xla=(True, True))
    numbers = (alpha, 1 - alpha, eps, momentum, -_to_scalar(lr))
    run(
        _step,
        params,
        grads,
        [square_avgs, grad_avgs if centered else None, momentum_buffer_list if momentum > 0 else None],
        state_steps,
        lambda step: numbers,
        maximize=maximize,
        weight_decay=weight_decay,
    )
