"""``torch.masked``: reductions and normalisations that leave out the elements a mask says to leave out.

The functions take ordinary tensors and a ``mask`` (true where an element counts). The class ``MaskedTensor``, which
carries its mask along, is not there.
"""

from ..missing import module_getattr
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
__getattr__ = module_getattr(__name__)
