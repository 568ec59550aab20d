"""``torch.backends``: switches of PyTorch's libraries. None of them is here; asking is answered truthfully, setting has no effect to have."""

from ..missing import module_getattr
from . import mha  # noqa: F401


class _Backend:
    """A library of PyTorch's that is not here: ``is_available()`` is False, and its switches keep what they are set to."""

    def __init__(self, **switches):
        self.__dict__.update(switches)

    def is_available(self):
        return False

    def is_built(self):
        return False

    def version(self):
        return None


cudnn = _Backend(enabled=True, benchmark=False, deterministic=False, allow_tf32=True)
cuda = _Backend(
    matmul=_Backend(allow_tf32=False, allow_fp16_reduced_precision_reduction=False), preferred_linalg_library=None
)
mps = _Backend()
mkl = _Backend()
mkldnn = _Backend(enabled=False)
openmp = _Backend()
quantized = _Backend(engine="none", supported_engines=["none"])
__getattr__ = module_getattr(__name__)
