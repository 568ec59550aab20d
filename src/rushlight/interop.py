"""Tensors beside Python's and NumPy's own objects: numbers, lists, arrays, DLPack, pickles and copies."""

import copyreg
import operator

import numpy as np

from . import dtypes
from .autograd.inference import counter
from .autograd.modes import no_grad, state, thread
from .ops import dispatch
from .ops.answering import disabled, functions
from .size import Size
from .storage import borrow, require_storage, root
from .tensor import Tensor, _new, edge_of, mirror_of, reading, wrap

# --------------------------------------------------------------------------------------------------------- numbers


def item(self):
    """The value of a one-element tensor as a Python number."""
    answer = _answer(self) if state.rare else NotImplemented
    if answer is not NotImplemented:
        return answer
    array = reading(self)
    if array.size != 1:
        raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
    value = array.item()
    return float(value) if self._dtype is dtypes.bfloat16 else value


def _answer(self):
    """The value that modes, or the tensor's class, give for it; NotImplemented where nobody is asked."""
    return NotImplemented if dispatch.ask_method is None else dispatch.ask_method("_local_scalar_dense", (self,), {})


def tolist(self):
    """Nested lists of Python numbers (a number for a 0-d tensor)."""
    if _answers(self):
        raise RuntimeError(f".tolist() is not supported for tensor subclasses, got {type(self).__name__}")
    array = reading(self)
    return (array.astype(np.float32) if self._dtype is dtypes.bfloat16 else array).tolist()


def _number(self):
    if self._a.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return item(self)


def _bool(self):
    size = self._a.size
    if size != 1:
        if state.rare and hasattr(self._a, "bdim"):
            bool(self._a)  # what vmap says of it
        what = "no values" if size == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
    answer = _answer(self) if state.rare else NotImplemented
    return bool(reading(self) if answer is NotImplemented else answer)


def _index(self):
    if self._a.size != 1 or self._dtype.category > 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(item(self))


def _float(self):
    value = _number(self)
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeError("value cannot be converted to type double without overflow")
        value = value.real
    return float(value)


def _int(self):
    value = _number(self)
    if isinstance(value, complex):
        value = value.real
    if value != value:
        raise ValueError("cannot convert float NaN to integer")
    return int(value)


def _len(self):
    if self._a.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return self._a.shape[0]


def _iter(self):
    if self._a.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


def _contains(self, element):
    if isinstance(element, (Tensor, int, float, bool, complex)):
        return bool((self == element).any().item())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def _format(self, spec):
    if self._a.ndim == 0 and type(self) is Tensor:
        return format(item(self), spec)
    return object.__format__(self, spec) if spec else str(self)


# ----------------------------------------------------------------------------------------------------------- NumPy


def numpy(self, *, force=False):
    """The tensor's memory as a NumPy array (shared). ``force`` detaches first."""
    if _answers(self):
        raise RuntimeError(".numpy() is not supported for tensor subclasses.")
    if not force and thread.grad and edge_of(self) is not None:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    if not force:
        for bit, resolve, asked in (("conjugate", "conj", self.is_conj), ("negative", "neg", self.is_neg)):
            if asked():
                raise RuntimeError(
                    f"Can't call numpy() on Tensor that has {bit} bit set. Use tensor.resolve_{resolve}().numpy() instead."
                )
    if self._dtype is dtypes.bfloat16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    return reading(self).view()


def _array(self, dtype=None, copy=None):
    array = numpy(self)
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


def _array_ufunc(self, ufunc, method, *inputs, out=None, **kwargs):
    """NumPy's functions applied to tensors return tensors.

    ``np.float64(2) * tensor`` comes here too: a NumPy number beside a tensor is a plain number, as in PyTorch, so that the tensor's
    dtype and its gradient are kept.
    """
    written = _OPERATORS.get(ufunc)
    if (
        written is not None
        and method == "__call__"
        and out is None
        and not kwargs
        and isinstance(inputs[0], np.generic)
    ):
        return written(inputs[0].item(), inputs[1])
    arrays = [_array(each) if isinstance(each, Tensor) else each for each in inputs]
    if out is not None:
        outs = tuple(each._a if isinstance(each, Tensor) else each for each in out)
        getattr(ufunc, method)(*arrays, out=outs, **kwargs)
        return out[0] if len(out) == 1 else out
    result = getattr(ufunc, method)(*arrays, **kwargs)
    if isinstance(result, tuple):
        return tuple(_wrap_result(each, type(self)) for each in result)
    return _wrap_result(result, type(self))


#: what stands between a NumPy number and a tensor, by the function NumPy calls for it
_OPERATORS = {
    **{np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.true_divide: operator.truediv},
    **{np.floor_divide: operator.floordiv, np.remainder: operator.mod, np.power: operator.pow},
    **{np.bitwise_and: operator.and_, np.bitwise_or: operator.or_, np.bitwise_xor: operator.xor},
}


def _wrap_result(result, kind):
    if not isinstance(result, (np.ndarray, np.generic)):
        return result
    made = wrap(np.asarray(result))
    return made if kind is Tensor or kind.__torch_function__ is disabled else made.as_subclass(kind)


# ---------------------------------------------------------------------------------------------------------- DLPack


def _dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    if edge_of(self) is not None:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and not isinstance(stream, int):
        raise TypeError("stream must be ``int`` or ``none``")
    array = self._a
    given = {}
    if max_version is not None:
        given["max_version"] = max_version
    if dl_device is not None:
        given["dl_device"] = dl_device
    if copy is not None:
        given["copy"] = copy
    return array.__dlpack__(**given)


def _dlpack_device(self):
    return self._a.__dlpack_device__()


class _Exporter:
    """A DLPack capsule as an object that hands it out. RuntimeError for what is no capsule, or one that was used."""

    def __init__(self, capsule):
        if not repr(capsule).startswith('<capsule object "dltensor'):
            raise RuntimeError(
                "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
                "already constructed a tensor from it once."
            )
        self._capsule = capsule

    def __dlpack__(self, **options):
        return self._capsule

    def __dlpack_device__(self):
        return 1, 0


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor over the memory of any object that speaks DLPack."""
    if isinstance(ext_tensor, Tensor) and copy is None:
        return ext_tensor.detach()
    if not hasattr(ext_tensor, "__dlpack__"):
        ext_tensor = _Exporter(ext_tensor)
    array = np.from_dlpack(ext_tensor) if copy is None else np.from_dlpack(ext_tensor, copy=copy)
    if not array.flags.writeable:
        array = array.copy() if copy else _writable(array)
    return wrap(array)


def _writable(array):
    """NumPy imports unversioned capsules read-only; the exporter's memory is writable all the same."""
    import ctypes

    buffer = (ctypes.c_char * array.nbytes).from_address(array.__array_interface__["data"][0])
    made = np.frombuffer(buffer, array.dtype, array.size) if array.size else np.empty(0, array.dtype)
    made = np.lib.stride_tricks.as_strided(made, array.shape, array.strides)
    buffer._owner = array
    return made


def to_dlpack(tensor):
    """A DLPack capsule of the tensor."""
    return _dlpack(tensor)


# ----------------------------------------------------------------------------------------------- copies and pickles


def _deepcopy(self, memo):
    if functions.off == "once":
        functions.off = None  # it is this function that is redispatched; what it calls is answered for as always
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you were "
            "attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001"
        )
    import copy

    made = _clone_of_class(self) if _is_wrapper(self) else _copy_of_memory(self, memo)
    memo[id(self)] = made
    if self._edge is not None:
        made.requires_grad_(True)
    if self.grad is not None:
        made.grad = copy.deepcopy(self.grad, memo)
    for name in copyreg._slotnames(type(self)):
        if name not in _OWN_SLOTS and hasattr(self, name):
            setattr(made, name, copy.deepcopy(getattr(self, name), memo))
    if self.__dict__:
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return made


#: what a tensor keeps for itself; other slots are those of a user's subclass
_OWN_SLOTS = frozenset(copyreg._slotnames(Tensor))  # type: ignore[attr-defined]


def _answers(self):
    """Whether a tensor's class answers for operators (``__torch_dispatch__``)."""
    return self.__class__ is not Tensor and type(self).__torch_dispatch__ is not Tensor.__torch_dispatch__


def _is_wrapper(self):
    """Whether a tensor has no elements of its own, and its class answers for operators (``autograd.shells``)."""
    return hasattr(self._a, "twin")


def _clone_of_class(self):
    """A copy of a wrapper: what its class makes of ``clone``."""
    with no_grad():
        made = self.clone()
    if type(made) is not type(self):
        raise RuntimeError(
            "The default implementation of __deepcopy__() for wrapper subclasses only works for subclass types that implement clone() and "
            "for which cloning returns another instance of the same subclass. You should either properly implement clone() for your "
            "subclass or override __deepcopy__() if it is intended behavior for clone() to return an instance of a different type."
        )
    return made


def _copy_of_memory(self, memo):
    """A copy in a copy of the whole storage, which other tensors over it are given too."""
    made = _new(Tensor)
    if type(self) is not Tensor:
        with no_grad():
            made = self.new_empty((0,))
        if type(made) is not type(self):
            raise RuntimeError(
                "The default implementation of __deepcopy__() for non-wrapper subclasses only works for subclass types that implement "
                "new_empty() and for which that function returns another instance of the same subclass. You should either properly "
                "implement new_empty() for your subclass or override __deepcopy__() if it is intended behavior for new_empty() to return "
                "an instance of a different type."
            )
    require_storage(reading(self))
    source = root(self._a)
    key = ("rushlight storage", id(source))
    flat = memo.get(key)
    if flat is None:
        flat = memo[key] = source.copy(order="K")
        memo.setdefault(id(memo), []).append(source)
    offset = self._a.__array_interface__["data"][0] - source.__array_interface__["data"][0]
    made._a, made._dtype, made._edge, made._view = _over(flat, self._a, offset), self._dtype, None, None
    made._vc = counter()
    return made


def _over(flat, like, offset):
    """An array over a copied storage, placed as ``like`` is in the original."""
    if like.size == 0:
        return np.empty(like.shape, like.dtype)
    if like.shape == flat.shape and like.strides == flat.strides and like.dtype == flat.dtype:
        return flat
    raw = flat.reshape(-1) if flat.flags.c_contiguous else flat.ravel(order="K")
    return np.ndarray(like.shape, like.dtype, raw, offset, like.strides)


def _copy(self):
    """Another tensor over the same memory; the result of a recorded operation becomes a leaf, as in PyTorch."""
    from .tensor import _new

    require_storage(self._a)
    _warn_of_hooks(self)
    made = _new(type(self))
    made._a, made._dtype, made._vc = self._a, self._dtype, self._vc
    made._view = None if mirror_of(self) is None else self._view
    made._edge = None
    if self.requires_grad:
        made.requires_grad_(True)
    made.__dict__.update(self.__dict__)
    return made


def _warn_of_hooks(self):
    if self._backward_hooks:
        from .utils.hooks import warn_if_has_hooks

        warn_if_has_hooks(self)


def _rebuild(cls, array, name, requires_grad, state):
    from .tensor import _new

    made = _new(Tensor if cls is None else cls)
    made._a, made._dtype, made._edge, made._vc, made._view = array, dtypes.BY_NAME[name], None, [0], None
    if requires_grad:
        made.requires_grad_(True)
    if state:
        made.__dict__.update(state)
    return made


def _reduce(self, protocol):
    # the result of a recorded operation comes back as a leaf, as in PyTorch
    if _is_wrapper(self):
        return _rebuild_wrapper, wrapper_parts(self)
    array = reading(self)
    require_storage(array)
    _warn_of_hooks(self)
    kind = None if type(self) is Tensor else type(self)
    return _rebuild, (kind, np.array(array, order="K"), self._dtype.name, self.requires_grad, self.__dict__ or None)


def _rebuild_wrapper(args, state):
    from . import _tensor, _utils

    return _tensor._rebuild_from_type_v2(_utils._rebuild_wrapper_subclass, args[0], args, state)


def wrapper_parts(self):
    """What of a wrapper is pickled: what it is seen as, and its attributes and slots."""
    place = tuple(self.shape), self.stride(), self.storage_offset(), self.layout, self.device
    args = (type(self), self._dtype, *place, self.requires_grad)
    return args, attributes_of(self)


def attributes_of(self):
    """What of a tensor's attributes is pickled: a dict, or with slots of its class a pair of two."""
    slots = {n: getattr(self, n) for n in copyreg._slotnames(type(self)) if n not in _OWN_SLOTS and hasattr(self, n)}
    return (dict(self.__dict__), slots) if slots else dict(self.__dict__)


def _repr(self, *, tensor_contents=None):
    from .printing import tensor_repr

    if thread.transforms:
        from .func.showing import transformed_repr

        return transformed_repr(self)
    return tensor_repr(self, tensor_contents=tensor_contents)


def _dir(self):
    return sorted(set(dir(type(self))) | set(self.__dict__))


for _python, _function in {
    **dict(
        __bool__=_bool,
        __float__=_float,
        __int__=_int,
        __index__=_index,
        __len__=_len,
        __iter__=_iter,
        __contains__=_contains,
    ),
    **dict(
        __complex__=lambda self: complex(_number(self)),
        __format__=_format,
        __array__=_array,
        __array_ufunc__=_array_ufunc,
    ),
    **dict(
        __dlpack__=_dlpack,
        __dlpack_device__=_dlpack_device,
        __deepcopy__=_deepcopy,
        __copy__=_copy,
        __reduce_ex__=_reduce,
    ),
    **dict(__repr__=_repr, __dir__=_dir, __reversed__=lambda self: self.flip(0) if self._a.ndim else self),
    **dict(item=item, tolist=tolist, numpy=numpy, __array_priority__=1000),
}.items():
    setattr(Tensor, _python, _function)


def share_memory_(self):
    """Move the memory to where other processes can see it; returns the tensor. See ``torch.multiprocessing``."""
    from .multiprocessing.shared import share_memory_

    require_storage(self._a)
    return share_memory_(self)


def is_shared(self):
    """Whether other processes can see the memory."""
    from .multiprocessing.shared import is_shared

    return is_shared(self._a)


Tensor.share_memory_, Tensor.is_shared = share_memory_, is_shared


def _sized(self, dim=None):
    """The shape, or the size of one axis."""
    if dim is None:
        return Size(self._a.shape)
    ndim = self._a.ndim
    if not hasattr(dim, "__index__"):
        raise TypeError(f"size(): argument 'dim' (position 1) must be int, not {type(dim).__name__}")
    if not -ndim <= dim < ndim:
        if ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    return self._a.shape[dim]


Tensor.size = _sized
Tensor.dim = Tensor.ndimension = lambda self: self._a.ndim
Tensor.numel = Tensor.nelement = lambda self: self._a.size
Tensor.element_size = lambda self: self._dtype.itemsize
Tensor.is_floating_point = lambda self: self._dtype.is_floating_point
Tensor.is_complex = lambda self: self._dtype.is_complex
Tensor.is_signed = lambda self: self._dtype.is_signed
Tensor.is_pinned = lambda self, device=None: False
Tensor.is_same_size = lambda self, other: self._a.shape == other._a.shape
Tensor.get_device = lambda self: -1


def _reflects(function):
    def asked(self):
        while hasattr(self._a, "held"):
            # a transform's tensor is lazily what the tensor within it is
            self = self._a.held
        mirror = mirror_of(self)
        return mirror is not None and mirror.function is function

    return asked


Tensor.is_conj, Tensor.is_neg = _reflects(np.conjugate), _reflects(np.negative)
Tensor.has_names = lambda self: False
Tensor.is_set_to = lambda self, other: (
    self._a.__array_interface__["data"] == other._a.__array_interface__["data"] and self._a.strides == other._a.strides
    and self._a.shape == other._a.shape
)  # fmt: skip

__all__ = ["borrow", "from_dlpack", "to_dlpack"]
