"""Tensors over memory that somebody else owns: ``asarray``, ``frombuffer`` and ``from_file``."""

import warnings

import numpy as np

from .. import dtypes
from ..settings import is_warn_always_enabled
from ..tensor import Tensor, wrap
from .creation import array_of, as_dtype, check_options, finish, from_numpy

__all__ = ["asarray", "from_file", "frombuffer"]

_told_of_gradients = False


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """``obj`` as a tensor that shares its memory where that is possible.

    ``obj`` is a tensor, an array, an object with ``__dlpack__``, the buffer protocol (its bytes are read as ``dtype``) or
    ``__array_interface__``, a number or a nested sequence. ``copy`` demands (True) or refuses (False) a copy; a tensor keeps its place
    in the graph unless ``requires_grad`` is False. ValueError where memory cannot be shared though it must.
    """
    check_options("asarray", device=device)
    wanted = None if dtype is None else as_dtype(dtype, name="asarray")
    shared = _sharing(obj, wanted)
    if shared is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return finish(wrap(array_of(obj, wanted)), requires_grad)
    if wanted is not None and wanted is not shared.dtype:
        if copy is False:
            raise ValueError(f"can't alias tensor with dtype '{shared.dtype.legacy}' into dtype '{wanted.legacy}'.")
        made = shared.to(wanted)
    else:
        made = shared.clone() if copy else shared
    if shared.requires_grad and requires_grad is None:
        _tell_of_gradients()
    elif made.requires_grad and not requires_grad:
        return made.detach()
    return finish(made, requires_grad and not made.requires_grad)


def _sharing(obj, dtype):
    """A tensor over the memory of ``obj``; None where it has none to share."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, np.ndarray):
        return from_numpy(obj)
    if isinstance(obj, np.generic):
        return None
    if hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule":
        from ..interop import from_dlpack

        return from_dlpack(obj)
    try:
        memoryview(obj)
    except TypeError:
        return from_numpy(np.asarray(obj)) if hasattr(obj, "__array_interface__") else None
    return frombuffer(obj, dtype=dtypes.get_default_dtype() if dtype is None else dtype)


def _tell_of_gradients():
    global _told_of_gradients
    if not _told_of_gradients or is_warn_always_enabled():
        _told_of_gradients = True
        warnings.warn(
            "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass requires_grad=False "
            "explicitly to get the old behavior and silence this warning.",
            UserWarning,
            stacklevel=3,
        )


_NOTHING = object()


def frombuffer(buffer, *, dtype=_NOTHING, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the memory of an object with the buffer protocol.

    ``count`` elements (all that there are if negative) from ``offset`` bytes on. ValueError where they do not fit.
    """
    if dtype is _NOTHING:
        raise TypeError('frombuffer() missing 1 required positional arguments: "dtype"')
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    d = as_dtype(dtype, name="frombuffer")
    length, item = view.nbytes, d.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count > 0 and offset + count * item > length:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than actual buffer "
            f"length ({length} bytes)"
        )
    if count < 0 and (length - offset) % item:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ({item})"
        )
    if view.readonly:
        warnings.warn(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to the "
            "underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its data or make "
            "it writable before converting it to a tensor. This type of warning will be suppressed for the rest of this program.",
            UserWarning,
            stacklevel=2,
        )
    return finish(wrap(np.frombuffer(view.cast("B"), d.numpy, count, offset), d), requires_grad)


def from_file(
    filename, shared=None, size=0, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """A 1-d tensor over the first ``size`` elements of a file, mapped into memory; with ``shared`` writes go to the file."""
    from ..storage import UntypedStorage

    check_options("from_file", layout, device, pin_memory)
    d = as_dtype(dtype, name="from_file")
    mapped = UntypedStorage.from_file(filename, bool(shared), size * d.itemsize)
    return finish(wrap(mapped.strided(d, 0, (size,)), d), requires_grad)
