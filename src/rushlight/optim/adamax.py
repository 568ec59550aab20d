"""``torch.optim.adamax``: Adam with the largest gradient in place of the average of squares."""

from ..ops import creation
from ._checks import (
    check_betas,
    check_lr,
    check_mode,
    check_nonnegative,
    check_numbers,
)
from ._elementwise import ElementwiseOptimizer, counter, run
from .optimizer import _to_scalar

__all__ = ["Adamax", "adamax"]


def _step(F, p, g, mean, largest, new_mean, kept, eps, size):
    F.lerp_(mean, g, new_mean)
    F.mul_(largest, kept)
    F.maximum_(largest, F.abs(g) + eps)
    F.addcdiv_(p, mean, F.keep(largest), size)


class Adamax(ElementwiseOptimizer):
    """Adam by the infinity norm: ``p -= lr / (1 - beta1^t) * m / u``, ``u = max(beta2 * u, |g| + eps)`` (arXiv:1412.6980, section 7).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate.
        betas: how much of the average and of the largest gradient is kept in a step.
        eps: added to the size of the gradient.
        weight_decay: this much of the parameter is added to its gradient.
        maximize: climb instead.
        foreach, differentiable, capturable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_nonnegative("epsilon value", eps)
        check_betas(betas)
        check_nonnegative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        return {"step": counter(group), "exp_avg": creation.zeros_like(p), "exp_inf": creation.zeros_like(p)}

    def _update(self, group):
        beta1, beta2 = group["betas"]
        adamax(
            *self._collect(group, "exp_avg", "exp_inf", "step"),
            eps=group["eps"],
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            capturable=group["capturable"],
        )


def adamax(
    params,
    grads,
    exp_avgs,
    exp_infs,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    eps,
    beta1,
    beta2,
    lr,
    weight_decay,
):
    """One step of ``Adamax`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_mode(params, foreach, differentiable, capturable)
    lr = _to_scalar(lr)
    run(
        _step,
        params,
        grads,
        [exp_avgs, exp_infs],
        state_steps,
        lambda step: (1 - beta1, beta2, eps, -(lr / (1 - beta1**step))),
        maximize=maximize,
        weight_decay=weight_decay,
    )
