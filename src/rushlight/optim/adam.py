"""``torch.optim.adam``: Adam and, with decoupled weight decay, AdamW."""

from ..ops import creation
from ..tensor import Tensor
from ._checks import (
    check_betas,
    check_fused,
    check_mode,
    check_nonnegative,
    check_numbers,
    check_tensor_lr,
)
from ._elementwise import ElementwiseOptimizer, counter, run, skipped
from .optimizer import _device_dtype_check_for_fused, _get_scalar_dtype, _to_scalar

__all__ = ["Adam", "adam"]


def _step(F, p, g, mean, square, largest, new_mean, old_square, new_square, scale, offset, size):
    F.lerp_(mean, g, new_mean)
    F.mul_(square, old_square)
    F.addcmul_(square, g, g, new_square)
    if largest is not None:
        F.maximum_(largest, square)
        square = largest
    F.addcdiv_(p, mean, F.root(square, offset, scale), size)


class Adam(ElementwiseOptimizer):
    """Steps scaled by running averages of the gradient and of its square (Kingma and Ba, 2014, arXiv:1412.6980).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate, a number or a tensor of one element.
        betas: how much of the averages of the gradient and of its square is kept in a step; both floats or both tensors.
        eps: added to the denominator.
        weight_decay: this much of the parameter is added to its gradient, or with ``decoupled_weight_decay`` (AdamW) times ``lr``
            taken from the parameter.
        amsgrad: divide by the largest average so far (Reddi et al., 2018).
        maximize: climb instead.
        foreach, capturable, differentiable, fused: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range. RuntimeError: fused with foreach or differentiable.
    """

    _later = {
        **{"amsgrad": False, "maximize": False, "foreach": None, "capturable": False, "differentiable": False},
        **{"decoupled_weight_decay": False, "fused": None},
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_tensor_lr(lr)
        check_nonnegative("learning rate", lr)
        check_nonnegative("epsilon value", eps)
        check_betas(betas)
        check_nonnegative("weight_decay value", weight_decay)
        if not any(all(isinstance(beta, kind) for beta in betas[:2]) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        for index in (0, 1):
            if isinstance(betas[index], Tensor):
                if foreach and not capturable:
                    raise ValueError(
                        f"betas[{index}] as a Tensor is not supported for capturable=False and foreach=True"
                    )
                if betas[index].numel() != 1:
                    raise ValueError(f"Tensor betas[{index}] must be 1-element")
        defaults = {
            "lr": lr,
            "betas": tuple(map(_to_scalar, betas)),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        if fused and not differentiable:
            self._step_supports_amp_scaling = True
        check_fused(fused, foreach, differentiable)

    def _check_first(self, p, group):
        if group["fused"]:
            _device_dtype_check_for_fused(p)

    def _new_state(self, p, group):
        made = {"step": counter(group), "exp_avg": creation.zeros_like(p), "exp_avg_sq": creation.zeros_like(p)}
        if group["amsgrad"]:
            made["max_exp_avg_sq"] = creation.zeros_like(p)
        return made

    def _update(self, group):
        params, grads, means, squares, largest, steps = self._collect(
            group, "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"
        )
        beta1, beta2 = group["betas"]
        adam(
            params,
            grads,
            means,
            squares,
            largest,
            steps,
            amsgrad=group["amsgrad"],
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
            foreach=group["foreach"],
            capturable=group["capturable"],
            differentiable=group["differentiable"],
            fused=group["fused"],
            grad_scale=getattr(self, "grad_scale", None),
            found_inf=getattr(self, "found_inf", None),
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def adam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    state_steps,
    foreach=None,
    capturable=False,
    differentiable=False,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    decoupled_weight_decay=False,
    *,
    amsgrad,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
    maximize,
):
    """One step of ``Adam`` on lists of parameters, gradients and state, all written in place."""
    check_numbers(state_steps)
    if foreach and not capturable and params:
        for name, value, error in (
            ("lr", lr, RuntimeError),
            ("beta1", beta1, ValueError),
            ("beta2", beta2, ValueError),
        ):
            if isinstance(value, Tensor):
                raise error(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
    if fused and differentiable and params:
        raise RuntimeError("Adam with fused=True does not support differentiable=True")
    check_mode(params, foreach, differentiable, capturable and not fused)
    if skipped(grads, grad_scale, found_inf, fused):
        return
    lr, beta1, beta2 = map(_to_scalar, (lr, beta1, beta2))
    # the average's share of the gradient is computed in the parameter's precision where beta1 is a tensor
    new_mean = 1 - (beta1.double() if isinstance(beta1, Tensor) else beta1)

    def numbers(step):
        if differentiable:
            # recorded, the correction is computed in the precision of the counter, and lr moves to where it is differentiable
            step = creation.tensor(step, dtype=_get_scalar_dtype())
            size = -(lr / (1 - beta1**step))
            return new_mean, beta2, 1 - beta2, (1 - beta2**step).sqrt() * size, eps / size, 1
        return new_mean, beta2, 1 - beta2, (1 - beta2**step) ** 0.5, eps, -(lr / (1 - beta1**step))

    run(
        _step,
        params,
        grads,
        [exp_avgs, exp_avg_sqs, max_exp_avg_sqs if amsgrad else None],
        state_steps,
        numbers,
        maximize=maximize,
        weight_decay=0 if decoupled_weight_decay else weight_decay,
        shrink=1 - lr * weight_decay if decoupled_weight_decay and weight_decay != 0 else None,
    )
