"""``torch.nn.parallel``: one module on several devices. There is one device here, so what wraps a module calls it."""

from ...missing import module_getattr
from . import scatter_gather  # noqa: F401
from .data_parallel import DataParallel, data_parallel
from .distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]

__getattr__ = module_getattr(__name__)
