"""``torch.optim.asgd``: stochastic gradient descent that also averages the parameters."""

from ..ops import creation
from ._checks import check_lr, check_mode, check_nonnegative
from ._elementwise import ElementwiseOptimizer, counter, number, put, run
from .optimizer import _get_scalar_dtype, _get_value, _to_scalar

__all__ = ["ASGD", "asgd"]


def _step(F, p, g, average, kept, eta, share):
    F.mul_(p, kept)
    F.add_(p, g, eta)
    if share == 1:
        F.copy_(average, p)
    else:
        F.add_(average, p - average, share)


class ASGD(ElementwiseOptimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992): ``state["ax"]`` is the average of the parameter.

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr, lambd, alpha: the learning rate at step ``t`` is ``lr / (1 + lambd * lr * t) ** alpha``; ``lambd`` also decays the parameter.
        t0: the step at which averaging begins.
        weight_decay: this much of the parameter is added to its gradient.
        maximize: climb instead.
        foreach, differentiable, capturable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}
    _numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_nonnegative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        return {
            "step": counter(group),
            "eta": creation.tensor(_get_value(group["lr"]), dtype=_get_scalar_dtype()),
            "mu": creation.ones((), dtype=_get_scalar_dtype()),
            "ax": creation.zeros_like(p),
        }

    def _update(self, group):
        params, grads, averages, mus, etas, steps = self._collect(group, "ax", "mu", "eta", "step")
        asgd(
            params,
            grads,
            averages,
            mus,
            etas,
            steps,
            lambd=group["lambd"],
            lr=group["lr"],
            t0=group["t0"],
            alpha=group["alpha"],
            weight_decay=group["weight_decay"],
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            capturable=group["capturable"],
        )


def asgd(
    params,
    grads,
    axs,
    mus,
    etas,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lambd,
    lr,
    t0,
    alpha,
    weight_decay,
):
    """One step of ``ASGD`` on lists of parameters, gradients and state, all written in place."""
    what = "params, mus, etas, and state_steps"
    check_mode(params, foreach, differentiable, capturable, what=what)
    lr = _to_scalar(lr)

    def numbers(step, mu, eta):
        """Those of this step, and into the state those of the next."""
        rate = number(eta)
        now = (1 - lambd * rate, -rate, number(mu))
        put(eta, _get_value(lr / ((1 + lambd * lr * step) ** alpha)))
        put(mu, 1 / max(1, step - t0))
        return now

    run(
        _step, params, grads, [axs], state_steps, numbers, own=(mus, etas), maximize=maximize, weight_decay=weight_decay
    )
