"""``torch.masked``: reductions and normalisations that leave out the elements a mask says to leave out.

The functions take ordinary tensors and a ``mask`` (true where an element counts). The class ``MaskedTensor``, which
carries its mask along, is not there.
"""

from ..missing import module_getattr
from . import _ops
from ._ops import *  # noqa: F403
from .masks import canonical_dims as _canonical_dim  # noqa: F401 - PyTorch's private names, of which references are made
from .masks import canonical_input_mask as _input_mask  # noqa: F401
from .masks import reduction_identity as _reduction_identity  # noqa: F401

__all__ = _ops.__all__
__getattr__ = module_getattr(__name__)
