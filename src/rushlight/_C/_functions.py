"""``torch._C._functions``: the nodes that are not made by operators."""

from ..autograd.graph import Leaf as AccumulateGrad
from ..autograd.refusing import DelayedError, Error, UndefinedGrad
from ..inplace import CopySlices
from ..missing import module_getattr

__all__ = ["AccumulateGrad", "CopySlices", "DelayedError", "Error", "UndefinedGrad"]

__getattr__ = module_getattr(__name__)
