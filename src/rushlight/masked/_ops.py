"""``torch.masked._ops``: the functions of ``torch.masked``, where the examples of PyTorch's documentation call them."""

from .normalizations import cumprod, cumsum, log_softmax, normalize, softmax, softmin
from .reductions import amax, amin, argmax, argmin, logaddexp, logsumexp, mean, median, norm, prod, std, sum, var

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]
