"""``torch.optim._functional``: one step of each optimiser as a function of lists of tensors."""

from .adadelta import adadelta  # noqa: F401
from .adagrad import _make_sparse, adagrad  # noqa: F401
from .adam import adam  # noqa: F401
from .adamax import adamax  # noqa: F401
from .adamw import adamw  # noqa: F401
from .asgd import asgd  # noqa: F401
from .nadam import nadam  # noqa: F401
from .radam import radam  # noqa: F401
from .rmsprop import rmsprop  # noqa: F401
from .rprop import rprop  # noqa: F401
from .sgd import sgd  # noqa: F401


def sparse_adam(params, grads, exp_avgs, exp_avg_sqs, state_steps, *, eps, beta1, beta2, lr, maximize):
    """One step of ``SparseAdam``, which needs sparse gradients: NotImplementedError if there are any gradients."""
    if grads:
        raise NotImplementedError("rushlight has no sparse tensors, so no optimiser takes a sparse gradient; use adam")
