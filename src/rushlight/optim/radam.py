"""``torch.optim.radam``: Adam that waits until the average of squares can be trusted."""

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

__all__ = ["RAdam", "radam"]


def _step(F, p, g, mean, square, new_mean, old_square, new_square, correction, lr, eps, root, rectified):
    F.lerp_(mean, g, new_mean)
    F.mul_(square, old_square)
    F.addcmul_(square, g, g, new_square)
    move = F.keep(mean) / correction * lr
    if rectified != 0:
        move = move * (root / F.root(square, eps)) * rectified
    F.add_(p, move, -1)


class RAdam(ElementwiseOptimizer):
    """Adam whose scaling by the gradient's square is rectified, and left out in the first steps (Liu et al., arXiv:1908.03265).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate.
        betas: how much of the averages of the gradient and of its square is kept in a step.
        eps: added to the denominator.
        weight_decay: this much of the parameter is added to its gradient, or with ``decoupled_weight_decay`` times ``lr`` taken from it.
        maximize: climb instead.
        foreach, capturable, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {
        **{"foreach": None, "maximize": False, "differentiable": False, "decoupled_weight_decay": False},
        **{"capturable": False},
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        return {"step": counter(group), "exp_avg": creation.zeros_like(p), "exp_avg_sq": creation.zeros_like(p)}

    def _update(self, group):
        beta1, beta2 = group["betas"]
        radam(
            *self._collect(group, "exp_avg", "exp_avg_sq", "step"),
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            foreach=group["foreach"],
            capturable=group["capturable"],
            differentiable=group["differentiable"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def radam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    differentiable=False,
    capturable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
):
    """One step of ``RAdam`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_mode(params, foreach, differentiable, capturable)
    lr = _to_scalar(lr)
    longest = 2 / (1 - beta2) - 1

    def numbers(step):
        correction = 1 - beta2**step
        length = longest - 2 * step * beta2**step / correction
        rectified = 0.0
        if length > 5.0:
            rectified = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
        return 1 - beta1, beta2, 1 - beta2, 1 - beta1**step, lr, eps, correction**0.5, rectified

    run(
        _step,
        params,
        grads,
        [exp_avgs, exp_avg_sqs],
        state_steps,
        numbers,
        maximize=maximize,
        weight_decay=0 if decoupled_weight_decay else weight_decay,
        shrink=1 - lr * weight_decay if decoupled_weight_decay and weight_decay != 0 else None,
    )
