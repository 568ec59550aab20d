"""``torch.optim.sparse_adam``: Adam for sparse gradients, of which there are none here."""

from ..autograd.modes import no_grad
from ._checks import check_betas, check_tensor_lr
from ._elementwise import ElementwiseOptimizer
from .optimizer import evaluate

__all__ = ["SparseAdam"]


class SparseAdam(ElementwiseOptimizer):
    """Adam that updates only what a sparse gradient names.

    rushlight has no sparse tensors, so every gradient is dense and ``step`` refuses it as PyTorch's does; use ``Adam``. What can be
    had without a step works: groups, checkpoints, checks of the options.

    Args:
        params: real tensors, (name, tensor) pairs, or groups of them.
        lr, betas, eps, maximize: as in ``Adam``.

    Raises:
        ValueError: an option out of range, or complex parameters.
    """

    _numbers = ()

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        check_tensor_lr(lr)
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        groups = enumerate(self.param_groups)
        found = [[index, at] for index, group in groups for at, p in enumerate(group["params"]) if p.is_complex()]
        if found:
            raise ValueError(f"Complex params at indices {found}: SparseAdam does not support complex parameters")

    @no_grad()
    def step(self, closure=None):
        """RuntimeError for any gradient, which is dense; returns what ``closure`` returned if there is none."""
        loss = evaluate(closure)
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
