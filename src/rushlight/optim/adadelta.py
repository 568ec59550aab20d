"""``torch.optim.adadelta``: steps in the unit of the parameter, by the ratio of two running averages."""

from ..ops import creation
from ._checks import check_lr, check_mode, check_nonnegative, check_numbers
from ._elementwise import ElementwiseOptimizer, counter, run
from .optimizer import _to_scalar

__all__ = ["Adadelta", "adadelta"]


def _step(F, p, g, square, moved, kept, new, eps, lr):
    F.mul_(square, kept)
    F.addcmul_(square, g, g, new)
    delta = F.sqrt(moved + eps) / F.sqrt(square + eps) * g
    F.mul_(moved, kept)
    F.addcmul_(moved, delta, delta, new)
    F.add_(p, delta, lr)


class Adadelta(ElementwiseOptimizer):
    """Steps of ``lr * g * sqrt(u + eps) / sqrt(v + eps)``: averages of squared steps ``u`` and gradients ``v`` (Zeiler, arXiv:1212.5701).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: factor of the step.
        rho: how much of the averages is kept in a step.
        eps: added under the roots.
        weight_decay: this much of the parameter is added to its gradient.
        maximize: climb instead.
        foreach, capturable, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_nonnegative("epsilon value", eps)
        check_nonnegative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        return {"step": counter(group), "square_avg": creation.zeros_like(p), "acc_delta": creation.zeros_like(p)}

    def _update(self, group):
        adadelta(
            *self._collect(group, "square_avg", "acc_delta", "step"),
            lr=group["lr"],
            rho=group["rho"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            capturable=group["capturable"],
        )


def adadelta(
    params,
    grads,
    square_avgs,
    acc_deltas,
    state_steps,
    capturable=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    rho,
    eps,
    weight_decay,
    maximize,
):
    """One step of ``Adadelta`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_mode(params, foreach, differentiable, capturable, xla=(False, False))
    numbers = (rho, 1 - rho, eps, -_to_scalar(lr))
    run(
        _step,
        params,
        grads,
        [square_avgs, acc_deltas],
        state_steps,
        lambda step: numbers,
        maximize=maximize,
        weight_decay=weight_decay,
    )
