"""Writing pickles as PyTorch writes them: its names for classes and functions, tensors as places in storages.

Python's own pickler looks every class up by its module's name, and ``torch`` may be somebody else, or nobody, in this process; so
this one is the pure Python pickler, with the names resolved here.
"""

import copyreg
import pickle
from collections import OrderedDict
from types import FunctionType

import numpy as np

from .. import _tensor, _utils, dtypes
from ..autograd.hooks import RemovableHandle
from ..devices import cpu, device
from ..interop import attributes_of, wrapper_parts
from ..nn.modules.module import Module, _Reference
from ..nn.modules.transformer import _Function, _function
from ..nn.parameter import UninitializedTensorMixin
from ..ops.random import Generator
from ..parameter import Parameter
from ..shown import Shown
from ..size import Size
from ..storage import TypedStorage, UntypedStorage, root, storage_class
from ..tensor import Tensor, layout
from .names import find, name_of

__all__ = ["Storages", "pickler", "reduce_tensor"]


class Storages:
    """The storages met while pickling: by key, in the order in which they were met."""

    def __init__(self):
        self.found = {}
        self._keys = {}
        self._dtypes = {}

    def identify(self, storage):
        """(class, key, location, number of elements), which stands for the storage in the pickle."""
        if isinstance(storage, TypedStorage):
            dtype, untyped = storage.dtype, storage._untyped
            kind, count = storage_class(dtype), len(storage)
        else:
            dtype, untyped = dtypes.uint8, storage
            kind, count = UntypedStorage, storage.nbytes()
        if untyped.nbytes() and self._dtypes.setdefault(untyped.data_ptr(), dtype) is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        key = self._keys.setdefault(untyped._cdata, str(len(self._keys)))
        self.found[key] = untyped, count * dtype.itemsize
        from .locations import location_tag

        return kind, key, location_tag(untyped), count


def _place(tensor):
    """(root array, offset in elements, strides in elements) of a tensor; of a copy where its place cannot be said in elements."""
    array = tensor._a
    item = array.itemsize
    if array.size == 0:
        return (root(array) if array.base is not None else array), 0, tensor.stride()
    start = root(array)
    offset, rest = divmod(array.__array_interface__["data"][0] - start.__array_interface__["data"][0], item)
    dense = start.flags.c_contiguous or start.flags.f_contiguous
    if rest or offset < 0 or not dense or any(step < 0 or step % item for step in array.strides):
        start, offset, array = (copied := np.array(array, order="C")), 0, copied
    return start, offset, tuple(step // item for step in array.strides) if array is not tensor._a else tensor.stride()


def reduce_tensor(tensor):
    """How a tensor is pickled: (function, arguments), of PyTorch's names."""
    from ..utils.hooks import warn_if_has_hooks

    if isinstance(tensor, UninitializedTensorMixin):
        return type(tensor), (tensor.requires_grad,)
    if hasattr(tensor._a, "twin"):
        args, state = wrapper_parts(tensor)
        return _tensor._rebuild_from_type_v2, (_utils._rebuild_wrapper_subclass, type(tensor), args, state)
    state = tensor.__dict__
    if isinstance(tensor, Parameter) and type(tensor) is not Tensor:
        data = tensor.data
        if state:
            return _utils._rebuild_parameter_with_state, (data, tensor.requires_grad, OrderedDict(), dict(state))
        return _utils._rebuild_parameter, (data, tensor.requires_grad, OrderedDict())
    if getattr(tensor, "_backward_hooks", None):
        warn_if_has_hooks(tensor)
    start, offset, strides = _place(tensor)
    memory = UntypedStorage(start)
    dtype = tensor._dtype
    place = (offset, tuple(tensor._a.shape), strides, tensor.requires_grad, OrderedDict())
    if dtype.name in ("uint16", "uint32", "uint64"):
        rebuild, args = _utils._rebuild_tensor_v3, (memory, *place, dtype)
    else:
        rebuild, args = _utils._rebuild_tensor_v2, (TypedStorage(wrap_storage=memory, dtype=dtype), *place)
    if state or type(tensor) is not Tensor:
        return _tensor._rebuild_from_type_v2, (rebuild, type(tensor), args, attributes_of(tensor))
    return rebuild, args


#: by which pickles make an object without calling its class
_newobj = getattr(copyreg, "__newobj__")  # noqa: B009 - type checkers do not know it


def _new(obj, protocol):
    """An object as PyTorch's pickles have it: a new one of its class, and its state."""
    return object.__reduce_ex__(obj, max(protocol, 2))


def _layout(value, protocol):
    from . import _get_layout

    return _get_layout, (repr(value),)


#: how instances of the library's classes are pickled, where that differs from what they say themselves
_REDUCERS = {
    dtypes.dtype: lambda value, protocol: value.name,
    device: lambda value, protocol: (device, (value.type,) if value.index is None else (value.type, value.index)),
    Size: lambda value, protocol: (Size, (tuple(value),)),
    layout: _layout,
    Generator: lambda value, protocol: (Generator, (cpu,), (value.initial_seed(), None, value.get_state())),
    RemovableHandle: lambda value, protocol: (_newobj, (RemovableHandle,), value.__getstate__()),
}
#: methods that keep the name ``torch`` out of pickles; here it belongs in
_AVOIDING = (Module.__reduce_ex__, Shown.__reduce_ex__)


def _reduce(obj, protocol):
    kind = type(obj)
    special = _REDUCERS.get(kind)
    if special is not None:
        return special(obj, protocol)
    if issubclass(kind, Tensor) and kind.__reduce_ex__ in (
        *(Tensor.__reduce_ex__, Parameter.__reduce_ex__),
        UninitializedTensorMixin.__reduce_ex__,
    ):
        return reduce_tensor(obj)
    if getattr(kind, "__reduce_ex__", None) in _AVOIDING:
        return _new(obj, protocol)
    return NotImplemented


class _Pickler(pickle._Pickler):
    """Pickles with the names of PyTorch."""

    def __init__(self, file, protocol, identify):
        super().__init__(file, protocol)
        self._identify = identify

    def persistent_id(self, obj):
        return self._identify(obj) if isinstance(obj, (TypedStorage, UntypedStorage)) else None

    def save(self, obj, save_persistent_id=True):
        # stand-ins for functions that keep the name ``torch`` out of other pickles
        if type(obj) is _Reference:
            obj = obj.function
        elif type(obj) is _Function:
            obj = _function(obj.name)
        return super().save(obj, save_persistent_id)

    def reducer_override(self, obj):
        if isinstance(obj, (type, FunctionType)):
            return obj.__qualname__ if name_of(obj, obj.__qualname__) else NotImplemented
        return _reduce(obj, self.proto)

    def save_global(self, obj, name=None):
        name = name or getattr(obj, "__qualname__", None) or obj.__name__
        known = name_of(obj, name)
        if known is None:
            if "<locals>" in name:
                raise AttributeError(f"Can't pickle local object {name!r}")
            return super().save_global(obj, name)
        module, name = known
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        elif "." in name:
            parent, _, last = name.rpartition(".")
            return self.save_reduce(getattr, (find(module, parent), last), obj=obj)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)


def pickler(pickle_module, file, protocol, identify):
    """A pickler for ``file``; ``identify(storage)`` gives the persistent id of a storage.

    With a ``pickle_module`` other than Python's, its ``Pickler`` is used, which finds the library's classes only where ``torch`` is
    rushlight.
    """
    if pickle_module is pickle:
        return _Pickler(file, protocol, identify)

    class Theirs(pickle_module.Pickler):
        def persistent_id(self, obj):
            return identify(obj) if isinstance(obj, (TypedStorage, UntypedStorage)) else None

        def reducer_override(self, obj):
            reduced = _reduce(obj, protocol)
            if reduced is NotImplemented and hasattr(super(), "reducer_override"):
                return super().reducer_override(obj)
            return reduced

    return Theirs(file, protocol)
