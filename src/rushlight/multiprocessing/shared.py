"""Memory that several processes see: files without a name, mapped by each process, handed on as file descriptors.

Nothing has to be cleaned up: the memory is gone when the last process that maps it is.
"""

import mmap
import multiprocessing.reduction
import os
import tempfile

import numpy as np

from .. import dtypes
from ..parameter import Parameter
from ..storage import root
from ..tensor import Tensor, wrap

__all__ = ["is_shared", "reduce_tensor", "register_reductions", "share_memory_"]


class _Shared:
    """A mapping and the descriptor of the file behind it; arrays over the mapping keep it alive."""

    def __init__(self, descriptor, nbytes):
        self.descriptor = descriptor
        self._mapping = mmap.mmap(descriptor, nbytes)
        array = np.frombuffer(self._mapping, np.uint8)
        self._array = array
        self.__array_interface__ = array.__array_interface__

    def __del__(self):
        if hasattr(self, "_array"):
            os.close(self.descriptor)


def _open(descriptor, nbytes):
    """An array of bytes over a shared file, whose base is the ``_Shared`` that keeps it."""
    return np.asarray(_Shared(descriptor, nbytes))


def _allocate(nbytes):
    """An array of bytes over a new shared file."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("rushlight")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, nbytes)
    return _open(descriptor, nbytes)


def is_shared(array):
    """Whether the memory of an array is shared between processes."""
    return isinstance(root(array).base, _Shared)


def share_memory_(tensor):
    """Move the memory of a tensor to where other processes can see it; returns the tensor.

    The whole storage moves with it, but other tensors over that storage stay with the old one: share before making views.
    """
    array = tensor._a
    if array.size == 0 or is_shared(array):
        return tensor
    start = root(array)
    memory = _allocate(start.nbytes)
    flat = start.reshape(-1) if start.flags.c_contiguous else start.ravel(order="K")
    memory[...] = flat.view(np.uint8)
    offset = array.__array_interface__["data"][0] - start.__array_interface__["data"][0]
    tensor.data = wrap(np.ndarray(array.shape, array.dtype, memory, offset, array.strides), tensor._dtype)
    return tensor


def _rebuild(kind, descriptor, nbytes, place, requires_grad):
    name, offset, shape, strides = place
    memory = _open(descriptor.detach(), nbytes)
    dtype = dtypes.BY_NAME[name]
    made = wrap(np.ndarray(shape, dtype.numpy, memory, offset, strides), dtype)
    if kind is not None:
        return Parameter(made, requires_grad)
    return made.requires_grad_(True) if requires_grad else made


def reduce_tensor(tensor):
    """How a tensor is pickled for another process: shared memory by its descriptor, other memory as a copy."""
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing process "
            "boundaries.  If you just want to transfer the data, call detach() on the tensor before serializing (e.g., putting it on "
            "the queue)."
        )
    array = tensor._a
    if not is_shared(array):
        return tensor.__reduce_ex__(2)
    start = root(array)
    offset = array.__array_interface__["data"][0] - start.__array_interface__["data"][0]
    place = (tensor._dtype.name, offset, array.shape, array.strides)
    kind = "parameter" if type(tensor) is Parameter else None
    descriptor = multiprocessing.reduction.DupFd(start.base.descriptor)
    return _rebuild, (kind, descriptor, start.nbytes, place, tensor.requires_grad)


def register_reductions():
    """Let queues, pipes and the arguments of processes take tensors this way."""
    if hasattr(multiprocessing.reduction, "DupFd"):
        for kind in (Tensor, Parameter):
            multiprocessing.reduction.ForkingPickler.register(kind, reduce_tensor)
