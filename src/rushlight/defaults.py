"""Settings of the library as a whole: the default device and type, threads between operators.

rushlight computes on the CPU, in the calling thread, so most of these have one value.
"""

from . import devices, dtypes

__all__ = [
    "get_default_device",
    "get_num_interop_threads",
    "set_default_device",
    "set_default_tensor_type",
    "set_flush_denormal",
    "set_num_interop_threads",
]


def get_default_device():
    """The device on which tensors are made: the CPU."""
    return devices.cpu


def set_default_device(device):
    """Accept the CPU (or None); AssertionError, RuntimeError or NotImplementedError for any other device."""
    devices.check(device)


def set_default_tensor_type(t):
    """Make the dtype of a tensor type (``torch.DoubleTensor`` or ``"torch.DoubleTensor"``) the default; deprecated by PyTorch."""
    if isinstance(t, str):
        from .ops.creation import TYPED

        name = t.rpartition(".")[2]
        if name not in TYPED:
            raise AttributeError(f"module 'torch' has no attribute '{name}'")
        t = TYPED[name]
    dtype = getattr(t, "dtype", None)
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    dtypes.set_default_dtype(dtype)


def set_flush_denormal(mode):
    """Whether denormal numbers could be flushed to zero as asked: NumPy keeps them, so True for False only."""
    return not mode


_interop = 1


def get_num_interop_threads():
    """How many operators may run beside each other: one, unless `set_num_interop_threads` said otherwise."""
    return _interop


def set_num_interop_threads(count):
    """Note the number; operators run one after the other whatever it is. RuntimeError unless positive."""
    global _interop
    if not isinstance(count, int):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(count).__name__}")
    if count <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _interop = count
