"""``torch.optim.Adafactor``: steps scaled by an average of squares that is kept as a row and a column for each matrix."""

from .. import dtypes
from ..autograd.modes import no_grad
from ..ops import creation
from ..ops.table import TENSOR
from ..tensor import Tensor
from ._checks import check_tensor_lr
from ._elementwise import ElementwiseOptimizer, counter
from .optimizer import _to_scalar, evaluate

__all__ = ["Adafactor", "adafactor"]


class Adafactor(ElementwiseOptimizer):
    """Adafactor (Shazeer and Stern, 2018, arXiv:1804.04235), with ``lr`` as the largest relative step and for the weight decay.

    Args:
        params: tensors, (name, tensor) pairs, or groups of them; real.
        lr: the relative step is ``min(lr, 1 / sqrt(t))`` times the root mean square of the parameter.
        beta2_decay: at step ``t`` the averages take ``t ** beta2_decay`` of the new squares.
        eps: (added to the denominator, None for the dtype's; the least root mean square a parameter counts with).
        d: updates of a greater root mean square are scaled down to it.
        weight_decay: ``lr * weight_decay`` of the parameter is taken from it.
        maximize: climb instead.
        foreach: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range. RuntimeError: at a step with a complex parameter.
    """

    _later = {"foreach": None}

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        foreach=None,
        maximize=False,
    ):
        check_tensor_lr(lr)
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        shape, grad = p.shape, p.grad
        if len(shape) < 2:
            return {"step": counter(group), "variance": creation.zeros_like(grad)}
        return {
            "step": counter(group),
            "row_var": grad.new_zeros((*shape[:-1], 1)),
            "col_var": grad.new_zeros((*shape[:-2], 1, shape[-1])),
        }

    @no_grad()
    def step(self, closure=None):
        """Update every parameter that has a gradient; returns what ``closure`` returned, or None."""
        loss = evaluate(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.is_complex():
                    raise RuntimeError("Adafactor does not support complex parameters")
            eps1, eps2 = group["eps"]
            adafactor(
                *self._collect(group, "row_var", "col_var", "variance", "step"),
                d=group["d"],
                lr=group["lr"],
                beta2_decay=group["beta2_decay"],
                weight_decay=group["weight_decay"],
                eps1=eps1,
                eps2=eps2,
                foreach=group["foreach"],
                maximize=group["maximize"],
                grad_scale=getattr(self, "grad_scale", None),
                found_inf=getattr(self, "found_inf", None),
            )
        return loss


def adafactor(
    params,
    grads,
    row_vars,
    col_vars,
    variances,
    state_steps,
    foreach=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    *,
    d,
    lr,
    beta2_decay,
    weight_decay,
    eps1,
    eps2,
    maximize,
):
    """One step of ``Adafactor`` on lists of parameters, gradients and state, all written in place."""
    if not all(isinstance(step, Tensor) for step in state_steps):
        raise RuntimeError("`state_steps` argument must contain a list of singleton tensors")
    if params and (grad_scale is not None or found_inf is not None):
        raise AssertionError("Grad scaling should occur outside of optimizer.step()")
    lr = _to_scalar(lr)
    for p, grad, row, column, variance, step in zip(params, grads, row_vars, col_vars, variances, state_steps):
        if maximize:
            grad = -grad
        if eps1 is None:
            eps1 = dtypes.finfo(p.dtype).eps
        step += 1
        time = step.item()
        new = time**beta2_decay
        size = max(eps2, _root_mean_square(p)) * min(lr, 1 / time**0.5)
        if weight_decay != 0:
            p.mul_(1 - lr * weight_decay)
        if grad.dim() > 1:
            if row is None or column is None:
                raise AssertionError("row_var and col_var should be defined when grad is multidimensional")
            estimate = _factored(grad, row, column, new, eps1)
        else:
            if variance is None:
                raise AssertionError("variance should be defined when grad is a vector")
            variance.lerp_(grad * grad, new)
            estimate = variance.clone()
        update = estimate.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        p.add_(update, alpha=-size / max(1.0, _root_mean_square(update) / d))


def _factored(grad, row, column, new, eps):
    """The average of squares of a matrix (or of each in a stack) from those of its rows and columns, which take in the new ones."""
    for kept, dim in ((row, -1), (column, -2)):
        squares = TENSOR.norm(grad, dim=dim, keepdim=True).square_().div_(grad.size(dim))
        kept.lerp_(squares, new)
    return (row @ column).div_(row.mean(dim=-2, keepdim=True).clamp_(min=eps))


def _root_mean_square(x):
    return x.norm(2).item() / x.numel() ** 0.5


Adafactor.__module__ = "torch.optim"
