"""``torch.nn.parameter``: parameters, buffers, and those whose shape is not known yet."""

from ..ops.creation import empty
from ..parameter import Parameter, _ParameterMeta
from ..tensor import Tensor, _new

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]


class _BufferMeta(type(Tensor)):
    # a buffer is a plain tensor with a mark, so that operators need not know the class
    def __instancecheck__(self, instance):
        if self is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False):
            return True
        return type.__instancecheck__(self, instance)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that registers itself as a buffer when assigned to a module.

    Args:
        data: the tensor whose memory it takes (an empty one by default).
        persistent: whether it belongs into the module's state dictionary.
    """

    __slots__ = ()

    def __new__(cls, data=None, *, persistent=True):
        data = empty(0) if data is None else data
        made = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


class UninitializedTensorMixin:
    """What parameters and buffers without a shape have in common: they can change dtype and become real, and nothing else."""

    __slots__ = ()

    def materialize(self, shape, device=None, dtype=None):
        """Become a real parameter or buffer of this shape, with uninitialised elements."""
        self.data = empty(shape, device=device, dtype=self._dtype if dtype is None else dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when "
            "trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before "
            "accessing their attributes."
        )

    def share_memory_(self):
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before calling "
            "`module.share_memory()`."
        )

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol):
        return _uninitialized, (type(self).__name__, self.requires_grad)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in _ALLOWED:
            return super().__torch_function__(func, types, args, kwargs)
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {func}. This error happens when you are using a `LazyModule` or "
            f"explicitly manipulating `torch.nn.parameter.{cls.__name__}` objects. When using LazyModules Call `forward` with a dummy "
            "batch to initialize the parameters before calling torch functions"
        )


#: what may be done with a tensor that has no shape yet: convert it, copy into it, ask for its kind and its attributes
_ALLOWED = frozenset(
    (
        *(
            "__hash__",
            "size",
            "copy_",
            "is_complex",
            "is_floating_point",
            "half",
            "float",
            "double",
            "bfloat16",
            "char",
        ),
        *("short", "int", "long", "cuda", "cpu", "to", "type", "get_device", "_to_dtype", "detach", "clone"),
        *("__get__", "__set__"),
    )
)


def is_lazy(param):
    """Whether `param` is a parameter or buffer without a shape."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape the first call of its module decides."""

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return Parameter.__new__(cls, empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self._dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape the first call of its module decides."""

    __slots__ = ()
    cls_to_become = Tensor

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = empty(0, device=device, dtype=dtype)
        made = _new(cls)
        made._a, made._dtype, made._edge, made._vc, made._view = data._a, data._dtype, None, [0], None
        if requires_grad:
            made.requires_grad_(True)
        made.persistent = persistent
        made._is_buffer = True
        return made

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self._dtype, persistent=self.persistent)
        return memo[id(self)]


def _uninitialized(name, requires_grad):
    return globals()[name](requires_grad)


for _class in (Buffer, UninitializedTensorMixin, UninitializedParameter, UninitializedBuffer):
    _class.__module__ = "torch.nn.parameter"
_ParameterMeta.__module__ = "torch.nn.parameter"
