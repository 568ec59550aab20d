"""``torch.optim.sgd``: stochastic gradient descent, with momentum if wanted."""

from ..ops import creation
from ._checks import check_fused, check_tensor_lr
from ._elementwise import ElementwiseOptimizer, run, skipped
from .optimizer import _device_dtype_check_for_fused, _to_scalar

__all__ = ["SGD", "sgd"]


def _step(F, p, g, buffer, lr, momentum, rest, first, nesterov):
    if buffer is not None:
        if first:
            F.copy_(buffer, F.detach(g))
        else:
            F.mul_(buffer, momentum)
            F.add_(buffer, g, rest)
        g = g + F.keep(buffer) * momentum if nesterov else buffer
    F.add_(p, g, lr)


class SGD(ElementwiseOptimizer):
    """Stochastic gradient descent: ``p -= lr * g``.

    With ``momentum``, ``b = momentum * b + (1 - dampening) * g`` takes the place of ``g`` (the first step takes ``g`` itself as
    ``b``), or with ``nesterov`` ``g + momentum * b`` does (Sutskever et al., On the importance of initialization and momentum in
    deep learning, 2013, with lr outside the buffer).

    Args:
        params: tensors, (name, tensor) pairs, or groups of them.
        lr: learning rate, a number or a tensor of one element.
        momentum, dampening, nesterov: as above.
        weight_decay: this much of the parameter is added to its gradient.
        maximize: climb instead.
        foreach, fused, differentiable: see ``torch.optim.optimizer``.

    Raises:
        ValueError: an option out of range. RuntimeError: fused with foreach or differentiable.
    """

    _later = {"nesterov": False, "maximize": False, "foreach": None, "differentiable": False, "fused": False}
    _numbers = ()

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_tensor_lr(lr)
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        if fused:
            self._step_supports_amp_scaling = True
            self._need_device_dtype_check_for_fused = True
        check_fused(fused, foreach, differentiable)

    def _update(self, group):
        kept = group["momentum"] != 0
        params, grads, buffers = [], [], []
        for p in group["params"]:
            grad = p.grad
            if grad is not None:
                params.append(p)
                grads.append(grad)
                if kept:
                    buffers.append(self.state[p].get("momentum_buffer"))
        if group["fused"] and params and getattr(self, "_need_device_dtype_check_for_fused", True):
            _device_dtype_check_for_fused(params[0])
            self._need_device_dtype_check_for_fused = False
        sgd(
            params,
            grads,
            buffers,
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
            has_sparse_grad=False,
            foreach=group["foreach"],
            fused=group["fused"],
            grad_scale=getattr(self, "grad_scale", None),
            found_inf=getattr(self, "found_inf", None),
        )
        if kept:
            for p, buffer in zip(params, buffers):
                self.state[p]["momentum_buffer"] = buffer


def sgd(
    params,
    d_p_list,
    momentum_buffer_list,
    has_sparse_grad=False,
    foreach=None,
    fused=None,
    grad_scale=None,
    found_inf=None,
    *,
    weight_decay,
    momentum,
    lr,
    dampening,
    nesterov,
    maximize,
):
    """One step of ``SGD`` on lists of parameters, gradients and momentum buffers (None before the first step, then filled in)."""
    if skipped(d_p_list, grad_scale, found_inf, fused):
        return
    numbers = (-_to_scalar(lr), momentum, 1 - dampening)

    def step(params, grads, buffers, first):
        run(
            _step,
            params,
            grads,
            [buffers],
            None,
            lambda step: numbers,
            maximize=maximize,
            weight_decay=weight_decay,
            flags=(first, nesterov),
        )

    if momentum == 0:
        step(params, d_p_list, None, False)
        return
    fresh = [i for i, buffer in enumerate(momentum_buffer_list) if buffer is None]
    if not fresh:
        step(params, d_p_list, momentum_buffer_list, False)
        return
    for i in fresh:
        momentum_buffer_list[i] = creation.empty_like(d_p_list[i].detach())
    for places, first in ((fresh, True), ([i for i in range(len(params)) if i not in fresh], False)):
        step(*[[each[i] for i in places] for each in (params, d_p_list, momentum_buffer_list)], first)
