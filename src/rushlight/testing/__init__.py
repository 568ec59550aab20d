"""``torch.testing``: comparison of results, and tensors to test with."""

from ..missing import module_getattr
from .comparison import assert_allclose, assert_close
from .creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
__getattr__ = module_getattr(__name__)
