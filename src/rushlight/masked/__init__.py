"""``torch.masked``: reductions and normalisations that leave out the elements a mask says to leave out.

The functions take ordinary tensors and a ``mask`` (true where an element counts). The class ``MaskedTensor``, which
carries its mask along, is not there.
"""

from ..missing import module_getattr
from . import _ops  # noqa: F401 - the module by which examples of PyTorch call them
from .masks import canonical_dims as _canonical_dim  # noqa: F401 - PyTorch's private names, of which references are made
from .masks import canonical_input_mask as _input_mask  # noqa: F401
from .masks import reduction_identity as _reduction_identity  # noqa: F401
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
