"""``torch._C._profiler``: what programs name of it."""

from ..autograd.profiler import ProfilerActivity, _ExperimentalConfig
from ..missing import module_getattr

__all__ = ["ProfilerActivity"]

# PyTorch has it here and nowhere else
_ExperimentalConfig = _ExperimentalConfig

__getattr__ = module_getattr(__name__)
