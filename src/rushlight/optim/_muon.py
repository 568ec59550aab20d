"""``torch.optim.Muon``: momentum made orthogonal, for the matrices of hidden layers."""

import math

from ..autograd.modes import no_grad
from ..ops import creation
from ..ops.table import TENSOR
from ._checks import check_tensor_lr
from ._elementwise import ElementwiseOptimizer
from .optimizer import _to_scalar, evaluate

__all__ = ["Muon"]

EPS = 1e-7
#: of the quintic that the Newton-Schulz iteration repeats: chosen for a steep slope at zero (Jordan et al., 2024)
DEFAULT_A, DEFAULT_B, DEFAULT_C = 3.4445, -4.7750, 2.0315
DEFAULT_NS_STEPS = 5


class Muon(ElementwiseOptimizer):
    """Momentum orthogonalised by a Newton-Schulz iteration in bfloat16 (Jordan et al., Muon, 2024).

    Args:
        params: 2-dimensional tensors, (name, tensor) pairs, or groups of them; real.
        lr: learning rate.
        weight_decay: ``lr * weight_decay`` of the parameter is taken from it.
        momentum: how much of the running average of gradients is kept in a step; ``nesterov`` looks ahead by it.
        ns_coefficients, eps, ns_steps: of the iteration.
        adjust_lr_fn: how the step depends on the matrix: "original" (as None) times ``sqrt(max(1, rows / columns))``,
            "match_rms_adamw" times ``0.2 * sqrt(max(rows, columns))`` (arXiv:2502.16982).

    Raises:
        ValueError: an option out of range, or a parameter of another number of dimensions. RuntimeError: a complex one, at a step.
    """

    _numbers = ()

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(DEFAULT_A, DEFAULT_B, DEFAULT_C),
        eps=EPS,
        ns_steps=DEFAULT_NS_STEPS,
        adjust_lr_fn=None,
    ):
        check_tensor_lr(lr)
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def _new_state(self, p, group):
        return {"momentum_buffer": creation.zeros_like(p.grad)}

    @no_grad()
    def step(self, closure=None):
        """Update every parameter that has a gradient; returns what ``closure`` returned, or None."""
        loss = evaluate(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.is_complex():
                    raise RuntimeError("Muon does not support complex parameters")
            params, grads, buffers = self._collect(group, "momentum_buffer")
            muon(
                params,
                grads,
                buffers,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                nesterov=group["nesterov"],
                ns_coefficients=group["ns_coefficients"],
                eps=group["eps"],
                ns_steps=group["ns_steps"],
                adjust_lr_fn=group["adjust_lr_fn"],
                has_complex=False,
            )
        return loss


def muon(
    params,
    grads,
    muon_momentum_bufs,
    *,
    foreach=None,
    lr,
    weight_decay,
    momentum,
    nesterov,
    ns_coefficients,
    ns_steps,
    eps,
    adjust_lr_fn,
    has_complex,
):
    """One step of ``Muon`` on lists of parameters, gradients and momentum buffers, all written in place."""
    if foreach:
        raise RuntimeError("Foreach is not supported for Muon yet")
    if has_complex:
        raise ValueError("Complex parameters are not supported")
    lr = _to_scalar(lr)
    for p, grad, buffer in zip(params, grads, muon_momentum_bufs):
        if grad.ndim != 2:
            raise ValueError("Param gradient must be a 2D matrix")
        buffer.lerp_(grad, 1 - momentum)
        update = grad.lerp(buffer, momentum) if nesterov else buffer
        update = _zeropower_via_newtonschulz(update, ns_coefficients, ns_steps, eps)
        p.mul_(1 - lr * weight_decay)
        p.add_(update, alpha=-_adjust_lr(lr, adjust_lr_fn, p.shape))


def _zeropower_via_newtonschulz(grad, ns_coefficients, ns_steps, eps):
    """A bfloat16 matrix with the singular vectors of ``grad`` and singular values near 1.

    Each step is the odd quintic ``a X + b (X X^T) X + c (X X^T)^2 X``, on the wide one of the matrix and its transpose.
    """
    if ns_steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if grad.ndim != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(ns_coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = ns_coefficients
    tall = grad.size(0) > grad.size(1)
    x = grad.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(ns_steps):
        gram = x @ x.T
        x = TENSOR.addmm(x, TENSOR.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


def _adjust_lr(lr, adjust_lr_fn, param_shape):
    """The learning rate for a matrix of this shape, so that steps have the same size whatever the shape."""
    rows, columns = param_shape[:2]
    if adjust_lr_fn == "match_rms_adamw":
        return lr * (0.2 * math.sqrt(max(rows, columns)))
    return lr * math.sqrt(max(1, rows / columns))


Muon.__module__ = "torch.optim"
