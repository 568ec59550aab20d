"""``torch.optim.rprop``: step sizes that grow while the gradient keeps its sign and shrink when it turns."""

from ..ops import creation
from ._checks import check_lr, check_mode, check_numbers
from ._elementwise import ElementwiseOptimizer, counter, run
from .optimizer import _to_scalar

__all__ = ["Rprop", "rprop"]


def _step(F, p, g, before, sizes, shrink, grow, smallest, largest):
    turn = F.sign(g * F.keep(before))
    factor = F.where(turn > 0, grow, F.where(turn < 0, shrink, F.where(turn == 0, turn + 1, turn)))
    F.mul_(sizes, factor)
    F.clamp_(sizes, smallest, largest)
    # where the sign has turned, the step is left out and the next one counts as the first
    g = F.where(turn < 0, F.zeros_like(g), g)
    F.addcmul_(p, F.sign(g), sizes, -1)
    F.copy_(before, g)


class Rprop(ElementwiseOptimizer):
    """Resilient backpropagation (Riedmiller and Braun, 1993): only the signs of the gradient count.

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: the size of the first step.
        etas: factors of the step size when the gradient's sign turns and when it stays.
        step_sizes: the smallest and the largest step.
        maximize: climb instead.
        capturable, foreach, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range.
    """

    _later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        size = _to_scalar(group["lr"])
        size = complex(size, size) if p.is_complex() else float(size)
        return {"step": counter(group), "prev": creation.zeros_like(p), "step_size": creation.full_like(p.grad, size)}

    def _update(self, group):
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        rprop(
            *self._collect(group, "prev", "step_size", "step"),
            step_size_min=smallest,
            step_size_max=largest,
            etaminus=shrink,
            etaplus=grow,
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            capturable=group["capturable"],
        )


def rprop(
    params,
    grads,
    prevs,
    step_sizes,
    state_steps,
    foreach=None,
    capturable=False,
    maximize=False,
    differentiable=False,
    has_complex=False,
    *,
    step_size_min,
    step_size_max,
    etaminus,
    etaplus,
):
    """One step of ``Rprop`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    check_mode(params, foreach, differentiable, capturable, xla=(True, True))
    numbers = (etaminus, etaplus, step_size_min, step_size_max)
    run(_step, params, grads, [prevs, step_sizes], state_steps, lambda step: numbers, maximize=maximize)
