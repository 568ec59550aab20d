"""``torch.optim.nadam``: Adam with Nesterov momentum."""

from ..ops import creation
from ._checks import (
    check_betas,
    check_lr,
    check_mode,
    check_nonnegative,
    check_numbers,
)
from ._elementwise import ElementwiseOptimizer, counter, number, put, run
from .optimizer import _get_scalar_dtype, _to_scalar

__all__ = ["NAdam", "nadam"]


def _step(F, p, g, mean, square, new_mean, old_square, new_square, correction, eps, by_gradient, by_mean):
    F.lerp_(mean, g, new_mean)
    F.mul_(square, old_square)
    F.addcmul_(square, g, g, new_square)
    scale = F.root(square / correction, eps)
    F.addcdiv_(p, g, scale, by_gradient)
    F.addcdiv_(p, mean, scale, by_mean)


class NAdam(ElementwiseOptimizer):
    """Adam with Nesterov momentum on a schedule (Dozat, Incorporating Nesterov momentum into Adam, 2016).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate.
        betas: how much of the averages of the gradient and of its square is kept in a step.
        eps: added to the denominator.
        weight_decay: this much of the parameter is added to its gradient, or with ``decoupled_weight_decay`` times ``lr`` taken from it.
        momentum_decay: the momentum at step ``t`` is ``beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)``.
        maximize: climb instead.
        foreach, capturable, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {
        **{"maximize": False, "foreach": None, "capturable": False, "differentiable": False},
        **{"decoupled_weight_decay": False},
    }
    _numbers = ("step", "mu_product")

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
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
        check_nonnegative("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        return {
            "step": counter(group),
            "mu_product": creation.ones((), dtype=_get_scalar_dtype()),
            "exp_avg": creation.zeros_like(p),
            "exp_avg_sq": creation.zeros_like(p),
        }

    def _update(self, group):
        beta1, beta2 = group["betas"]
        nadam(
            *self._collect(group, "exp_avg", "exp_avg_sq", "mu_product", "step"),
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            momentum_decay=group["momentum_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
            foreach=group["foreach"],
            capturable=group["capturable"],
            differentiable=group["differentiable"],
        )


def nadam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    mu_products,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    capturable=False,
    differentiable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    momentum_decay,
    eps,
):
    """One step of ``NAdam`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_numbers(mu_products, "mu_products")
    what = "params, mu_products, and state_steps" if foreach else "params, mu_products and state_steps"
    check_mode(params, foreach, differentiable, capturable, what=what)
    lr = _to_scalar(lr)

    def numbers(step, mu_product):
        mu, following = (beta1 * (1.0 - 0.5 * 0.96 ** (at * momentum_decay)) for at in (step, step + 1))
        if differentiable:
            mu_product *= mu
            product = mu_product.clone()
        else:
            # in the precision of the state, as a tensor's product would be
            put(mu_product, float(mu_product._a * mu))
            product = number(mu_product)
        by_gradient = -lr * (1.0 - mu) / (1.0 - product)
        by_mean = -lr * following / (1.0 - product * following)
        return 1 - beta1, beta2, 1 - beta2, 1 - beta2**step, eps, by_gradient, by_mean

    run(
        _step,
        params,
        grads,
        [exp_avgs, exp_avg_sqs],
        state_steps,
        numbers,
        own=(mu_products,),
        maximize=maximize,
        weight_decay=0 if decoupled_weight_decay else weight_decay,
        shrink=1 - lr * weight_decay if decoupled_weight_decay and weight_decay != 0 else None,
    )
