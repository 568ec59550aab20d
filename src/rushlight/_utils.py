"""``torch._utils``: the functions by which PyTorch's files name how tensors and parameters are rebuilt.

Their names and arguments are the file format. They run on what a file says, so they check it: sizes, strides and offsets must lie
within the storage, attributes go into ``__dict__`` only.
"""

import copyreg
from collections import OrderedDict

from . import dtypes
from .failures import ExceptionWrapper, KeyErrorMessage  # noqa: F401 - known by this place too
from .parameter import Parameter
from .storage import TypedStorage, UntypedStorage
from .tensor import Tensor, wrap

__all__ = []


def _placed(storage, dtype, offset, size, stride):
    """A tensor over a storage that a file describes."""
    if not isinstance(storage, UntypedStorage) or not isinstance(dtype, dtypes.dtype):
        raise TypeError(
            f"a tensor needs a storage and a dtype, but the file gives {type(storage).__name__} and {type(dtype).__name__}"
        )
    for values in (size, stride):
        if not isinstance(values, (tuple, list)):
            raise TypeError(f"the sizes and strides of a tensor must be tuples, not {type(values).__name__}")
    for value in (offset, *size, *stride):
        if type(value) is not int:
            raise TypeError(f"the sizes, strides and offset of a tensor must be ints, not {type(value).__name__}")
    return wrap(storage.strided(dtype, offset, tuple(size), tuple(stride)), dtype)


def _rebuild_tensor(storage, storage_offset, size, stride):
    if not isinstance(storage, TypedStorage):
        raise TypeError(f"a tensor needs a storage, but the file gives {type(storage).__name__}")
    return _placed(storage._untyped, storage.dtype, storage_offset, size, stride)


def _rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None):
    return _finished(_rebuild_tensor(storage, storage_offset, size, stride), requires_grad, metadata)


def _rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, dtype, metadata=None):
    if not isinstance(storage, (TypedStorage, UntypedStorage)):
        raise TypeError(f"a tensor needs a storage, but the file gives {type(storage).__name__}")
    return _finished(_placed(storage.untyped(), dtype, storage_offset, size, stride), requires_grad, metadata)


def _finished(tensor, requires_grad, metadata):
    """``metadata`` says of tensors that PyTorch had conjugated or negated lazily; here they are so in memory."""
    if metadata:
        if metadata.get("conj"):
            tensor = tensor.conj().clone()
        if metadata.get("neg"):
            tensor = -tensor
    if requires_grad:
        tensor._require_grad(True)
    return tensor


def _rebuild_parameter(data, requires_grad, backward_hooks):
    return Parameter(data, bool(requires_grad))


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    return _set_obj_state(Parameter(data, bool(requires_grad)), state)


def _rebuild_wrapper_subclass(cls, dtype, size, stride, storage_offset, layout, device, requires_grad):
    return Tensor._make_wrapper_subclass(
        *(cls, size),
        **dict(strides=stride, storage_offset=storage_offset, dtype=dtype, layout=layout, device=device),
        requires_grad=requires_grad,
    )


def _set_obj_state(obj, state):
    """Give an object the attributes of a file: a dict, or a pair of it and what its class keeps in slots."""
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for name, value in (slots or {}).items():
        if name not in copyreg._slotnames(type(obj)) or name in copyreg._slotnames(Tensor):
            raise RuntimeError(
                f"the file wants to set slots of a tensor ({', '.join(map(str, slots))}), which it may not"
            )
        setattr(obj, name, value)
    if attributes:
        if type(attributes) not in (dict, OrderedDict):
            raise RuntimeError(f"Invalid serialized state: {state}")
        obj.__dict__.update(attributes)
    return obj


def _absent(name, what):
    def rebuild(*args):
        raise NotImplementedError(f"the file holds {what}, which rushlight does not have")

    rebuild.__name__ = rebuild.__qualname__ = name
    return rebuild


def _element_size(dtype):
    """The bytes of an element."""
    return dtype.itemsize


def _get_available_device_type():
    """None: there is no accelerator."""


def _get_device_index(device, optional=False, allow_cpu=False):
    """The number of a device; -1 for the CPU where that is allowed. ValueError otherwise."""
    from .devices import device as device_of

    if isinstance(device, int):
        return device
    kind = None if device is None else device_of(device)
    if kind is not None and kind.type == "cpu" and allow_cpu:
        return -1 if kind.index is None else kind.index
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{device}")


_rebuild_sparse_tensor = _absent("_rebuild_sparse_tensor", "sparse tensors")
_rebuild_qtensor = _absent("_rebuild_qtensor", "quantised tensors")
_rebuild_nested_tensor = _absent("_rebuild_nested_tensor", "nested tensors")
_rebuild_meta_tensor_no_storage = _absent("_rebuild_meta_tensor_no_storage", "tensors without memory (device meta)")

#: what a file may call to make tensors, the restricted reader included
REBUILD = (
    *(_rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3, _rebuild_parameter, _rebuild_parameter_with_state),
    *(_rebuild_sparse_tensor, _rebuild_qtensor, _rebuild_nested_tensor, _rebuild_meta_tensor_no_storage),
    _rebuild_wrapper_subclass,
)
for _function in REBUILD:
    _function.__module__ = "torch._utils"
