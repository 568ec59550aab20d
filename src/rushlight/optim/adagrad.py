"""``torch.optim.adagrad``: steps scaled by all the squared gradients so far."""

from ..ops import creation
from ..tensor import Tensor
from ._checks import (
    check_fused,
    check_lr,
    check_mode,
    check_nonnegative,
    check_numbers,
)
from ._elementwise import ElementwiseOptimizer, counter, run, skipped
from .optimizer import _device_dtype_check_for_fused, _get_scalar_dtype, _to_scalar

__all__ = ["Adagrad", "adagrad"]


def _step(F, p, g, total, eps, size):
    F.addcmul_(total, g, g)
    F.addcdiv_(p, g, F.root(total, eps), size)


class Adagrad(ElementwiseOptimizer):
    """Steps of ``lr * g / (sqrt(sum of squared gradients) + eps)`` (Duchi, Hazan and Singer, JMLR 12, 2011).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate; at step ``t`` it is ``lr / (1 + (t - 1) * lr_decay)``.
        weight_decay: this much of the parameter is added to its gradient.
        initial_accumulator_value: where the sum begins.
        eps: added to the denominator.
        maximize: climb instead.
        foreach, differentiable, fused: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range. RuntimeError: fused with foreach or differentiable.
    """

    _later = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check_nonnegative("lr_decay value", lr_decay)
        check_nonnegative("weight_decay value", weight_decay)
        check_nonnegative("initial_accumulator_value value", initial_accumulator_value)
        check_nonnegative("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        if fused:
            self._need_device_dtype_check_for_fused = True
            self._step_supports_amp_scaling = True
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self._new_state(p, group))

    def __setstate__(self, state):
        super().__setstate__(state)
        fused = self.param_groups[-1]["fused"] if self.param_groups else None
        for kept in self.state.values():
            if not isinstance(kept["step"], Tensor):
                kept["step"] = creation.tensor(float(kept["step"]), dtype=_get_scalar_dtype(fused))

    def share_memory(self):
        """Put the sums into memory that other processes see."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _new_state(self, p, group):
        start = self.defaults["initial_accumulator_value"]
        start = complex(start, start) if p.is_complex() else start
        return {"step": counter(group), "sum": creation.full_like(p, start)}

    def _update(self, group):
        params, grads, sums, steps = self._collect(group, "sum", "step")
        if group["fused"] and params and getattr(self, "_need_device_dtype_check_for_fused", True):
            _device_dtype_check_for_fused(params[0])
            self._need_device_dtype_check_for_fused = False
        adagrad(
            params,
            grads,
            sums,
            steps,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            lr_decay=group["lr_decay"],
            eps=group["eps"],
            has_sparse_grad=False,
            foreach=group["foreach"],
            maximize=group["maximize"],
            differentiable=group["differentiable"],
            has_complex=any(p.is_complex() for p in params),
            fused=group["fused"],
            grad_scale=getattr(self, "grad_scale", None),
            found_inf=getattr(self, "found_inf", None),
        )


def adagrad(
    params,
    grads,
    state_sums,
    state_steps,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_sparse_grad=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    weight_decay,
    lr_decay,
    eps,
    maximize,
):
    """One step of ``Adagrad`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    if fused and params:
        if has_sparse_grad or has_complex:
            raise RuntimeError("`fused` does not support sparse grad or complex param")
        if differentiable:
            raise RuntimeError("adagrad with fused=True does not support differentiable=True")
    check_mode(params, foreach, differentiable)
    if skipped(grads, grad_scale, found_inf, fused):
        return
    lr = _to_scalar(lr)
    run(
        _step,
        params,
        grads,
        [state_sums],
        state_steps,
        lambda step: (eps, -(lr / (1 + (step - 1) * lr_decay))),
        maximize=maximize,
        weight_decay=weight_decay,
    )


def _make_sparse(grad, grad_indices, values):
    """A sparse tensor like ``grad``; there is none here."""
    raise NotImplementedError("rushlight has no sparse tensors, so no optimiser takes a sparse gradient")
