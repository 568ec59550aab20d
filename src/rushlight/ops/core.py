"""What the tensor itself is built on: copies, casts, fills, writes from one tensor to another, and views of a base."""

import math

import numpy as np

from .. import devices, dtypes, inplace
from ..array.shape import resized
from ..autograd.engine import sum_to as _sum_to
from ..autograd.graph import Leaf, warn_user
from ..autograd.inference import is_inference_mode_enabled
from ..autograd.modes import state, thread
from ..parameter import Parameter
from ..tensor import Tensor, edge_of, outside, refit, wrap
from . import dispatch
from .asking import asking
from .creation import CHANNELS_LAST, as_dtype
from .dispatch import bind, broadcast, execute, execute_inplace
from .table import OPS, PLACES, RAW, TENSOR, differentiable

# ------------------------------------------------------------------------------------------------- memory formats


class memory_format:  # noqa: N801 - PyTorch's name
    """How the elements of a tensor lie in memory, e.g. ``torch.channels_last``."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _memory_format, (self.name,)


def _memory_format(name):
    return MEMORY_FORMATS[name]


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
MEMORY_FORMATS = {f.name: f for f in (contiguous_format, preserve_format, channels_last, channels_last_3d)}
_CHANNELS_LAST = {MEMORY_FORMATS[name]: rank for name, rank in CHANNELS_LAST.items()}


def in_format(array, format):
    """A copy of ``array`` laid out in a memory format."""
    if format in _CHANNELS_LAST:
        if array.ndim != _CHANNELS_LAST[format]:
            raise RuntimeError(f"required rank {_CHANNELS_LAST[format]} tensor to use {format.name} format")
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)
    if format is contiguous_format or 0 in array.strides:
        return np.array(array, order="C")
    return np.array(array, order="K")


def is_in_format(array, format):
    if format in _CHANNELS_LAST:
        if hasattr(array, "strided"):
            # that of a transform's tensor
            array = array.strided()
        return array.ndim == _CHANNELS_LAST[format] and np.moveaxis(array, 1, -1).flags.c_contiguous
    return array.flags.c_contiguous


# --------------------------------------------------------------------------------------------------- copies, casts


def _clone(input, *, memory_format=None):
    return in_format(input, memory_format)


differentiable("clone", _clone, vjp=lambda F, g: g, linear=True)


def tell_of_imaginary_parts(array):
    """The warning where complex numbers are made real."""
    if array.size:
        warn_user("Casting complex values to real discards the imaginary part")


def _cast(input, dtype, memory_format=None):
    if input.dtype.kind == "c" and not dtype.is_complex:
        tell_of_imaginary_parts(input)
        input = input.real
    # what is repeated is laid out in order, all else as it lies
    cast = input.astype(dtype.numpy, order="C" if 0 in input.strides else "K")
    return cast if memory_format is None or is_in_format(cast, memory_format) else in_format(cast, memory_format)


differentiable("_to_dtype", _cast, vjp=lambda F, g: g, node_name="ToCopyBackward0", method=False, function=False)


def _sum_to_size(input, size):
    return np.array(_sum_to(input, tuple(size)))


differentiable(
    *("sum_to", _sum_to_size),
    **dict(vjp=lambda F, g, x_shape: F.expand(_pad(F, g, len(x_shape)), x_shape), method=False, function=False),
)
RAW.sum_to = lambda input, size: _sum_to(np.asarray(input), tuple(size))


def _pad(F, g, ndim):
    return F.reshape(g, (1,) * (ndim - len(g.shape)) + tuple(g.shape))


def _gather_view(input, geometry):
    return geometry.gather(input)


def _scatter_view(input, geometry):
    return geometry.scatter(input)


def _write_view(input, src, geometry):
    whole, part = geometry.copy(input)
    part[...] = src
    return whole


def _around_view(F, g, geometry):
    """What is left of a base-shaped cotangent outside of a view: zeros within."""
    return F._view_write(g, F.zeros_like(F._view_gather(g, geometry)), geometry)


# each other's transpose: a view taken from a base-shaped tensor, and its cotangent put back
_private = dict(method=False, function=False)
differentiable("_view_gather", _gather_view, vjp=lambda F, g, geometry: F._view_scatter(g, geometry), **_private)
differentiable("_view_scatter", _scatter_view, vjp=lambda F, g, geometry: F._view_gather(g, geometry), **_private)
differentiable(
    *("_view_write", _write_view),
    vjp=dict(input=_around_view, src=lambda F, g, geometry: F._view_gather(g, geometry)),
    **dict(_private, node_name="CopySlices"),
)


def to(self, *args, **kwargs):
    """The tensor with another dtype (or device, of which there is one): itself if nothing changes.

    ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``, each with ``non_blocking``, ``copy``, ``memory_format``.
    """
    dtype, copy, format = _parse_to(args, kwargs)
    return TENSOR._to_dtype(self, dtype or self._dtype, format) if copy else cast(self, dtype or self._dtype, format)


def _parse_to(args, kwargs):
    dtype = kwargs.pop("dtype", None)
    device = kwargs.pop("device", None)
    copy = kwargs.pop("copy", False)
    format = kwargs.pop("memory_format", None)
    kwargs.pop("non_blocking", None)
    other = kwargs.pop("other", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    rest = list(args)
    if rest:
        first = rest.pop(0)
        if isinstance(first, Tensor):
            other = first
        elif isinstance(first, dtypes.dtype) or first in (float, int, bool, complex):
            dtype = first
        elif isinstance(first, (str, devices.device, int)) or first is None:
            device = first
            if rest and (rest[0] is None or isinstance(rest[0], dtypes.dtype)):
                dtype = rest.pop(0)
        else:
            raise TypeError(
                f"to() received an invalid combination of arguments - got ({type(first).__name__}), but expected one of:\n"
                " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n * (torch.dtype dtype, bool non_blocking = False, bool copy = False, "
                "*, torch.memory_format memory_format = None)\n * (Tensor tensor, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n"
            )
        if len(rest) > 1:
            copy = rest[1]
    if other is not None:
        dtype = other._dtype
    devices.check(device)
    return (None if dtype is None else as_dtype(dtype)), copy, format


def cast(tensor, dtype, format=None):
    """The tensor in another dtype (and memory format); itself if it has it. Gradients flow between floating and complex dtypes."""
    if format is preserve_format:
        format = None
    if dtype is tensor._dtype and (format is None or is_in_format(tensor._a, format)):
        return tensor
    return TENSOR._to_dtype(tensor, dtype, format)


def _caster(name, dtype):
    def method(self, memory_format=None):
        return cast(self, dtype, memory_format)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as ``{dtype!r}``; itself if it is."
    return method


for _name, _dtype in {
    **dict(float=dtypes.float32, double=dtypes.float64, half=dtypes.float16, bfloat16=dtypes.bfloat16),
    **dict(
        byte=dtypes.uint8, char=dtypes.int8, short=dtypes.int16, int=dtypes.int32, long=dtypes.int64, bool=dtypes.bool
    ),
    **dict(cfloat=dtypes.complex64, cdouble=dtypes.complex128),
}.items():
    setattr(Tensor, _name, _caster(_name, _dtype))


def type_(self, dtype=None, non_blocking=False):
    """The name of the tensor's legacy type, or the tensor cast to a dtype or legacy type."""
    if dtype is None:
        return f"torch.{self._dtype.legacy}Tensor"
    if isinstance(dtype, str):
        from .creation import TYPED

        short = dtype.removeprefix("torch.")
        if short not in TYPED:
            raise ValueError(f"invalid type: '{dtype}'")
        return cast(self, TYPED[short].dtype)
    return cast(self, getattr(dtype, "dtype", dtype))


def type_as(self, other):
    """This tensor in the dtype of ``other``."""
    return cast(self, other._dtype)


def contiguous(self, memory_format=contiguous_format):
    """The tensor itself where its elements lie in order, else a copy where they do."""
    if is_contiguous(self, memory_format) if state.rare else is_in_format(self._a, memory_format):
        return self
    return TENSOR.clone(self, memory_format=memory_format)


def is_contiguous(self, memory_format=contiguous_format):
    if state.rare and hasattr(self._a, "policy"):
        answer = self._a.asked("is_contiguous", *(() if memory_format is contiguous_format else (memory_format,)))
        if answer is not None:
            return answer
    return bool(is_in_format(self._a, memory_format))


def cpu(self, memory_format=None):
    return self


def cuda(self, device=None, non_blocking=False, memory_format=None):
    raise AssertionError("Torch not compiled with CUDA enabled")


# --------------------------------------------------------------------------------------------------------- writing


def _unrecorded(self, other=None):
    """Whether a write to ``self`` is plain: no special mode, no subclass, and nothing to record."""
    if (
        state.rare
        or self._vc.__class__ is not list
        or self.__class__ not in _PLAIN
        or (other is not None and other.__class__ not in _PLAIN)
    ):
        return False
    return not thread.grad or not (self.requires_grad or (other is not None and edge_of(other) is not None))


_PLAIN = {Tensor, Parameter}


def _write(op, values):
    """A write that a mode of this thread may want to see."""
    if state.rare and dispatch.intercept is not None:
        result = dispatch.intercept(op, values, "inplace")
        if result is not NotImplemented:
            return result
    if dispatch.ask_classes is not None and dispatch.foreign(values):
        result = dispatch.ask_classes(op, values, "inplace")
        if result is not NotImplemented:
            return result
    return execute_inplace(op, values)


def _copied(input, src, non_blocking=False):
    if src.shape != input.shape:
        if broadcast(input.shape, src.shape) != input.shape:
            raise RuntimeError(
                f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(broadcast(input.shape, src.shape))}"
            )
        src = np.broadcast_to(src, input.shape)
    if src.dtype != input.dtype:
        if src.dtype.kind == "c" and input.dtype.kind != "c":
            tell_of_imaginary_parts(src)
            src = src.real
        src = src.astype(input.dtype)
    return src


_copy = differentiable(
    "_copy",
    _copied,
    vjp=dict(input=lambda F, g: F.zeros_like(g), src=lambda F, g: g),
    node_name="CopyBackwards",
    inplace=True,
    **_private,
)


def copy_(self, src, non_blocking=False):
    """Write ``src`` (broadcast and cast) into this tensor; gradients flow to ``src``."""
    if not isinstance(src, Tensor):
        if isinstance(src, (int, float, complex)):
            return fill_(self, src)
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    if src._vc is self._vc and inplace.same_place(src._a, self._a) and _unrecorded(self, src):
        inplace.finish(self, None)
        return self
    if _unrecorded(self, src) and src._a.shape == self._a.shape and src._dtype.is_complex <= self._dtype.is_complex:
        inplace.check_memory(self._a)
        if self._vc is src._vc:
            inplace.check_apart(self._a, src._a)
        np.copyto(self._a, src._a, casting="unsafe")
        inplace.finish(self, None)
        return self
    return _write(_copy, (self, src, non_blocking))


def _filled(input, value):
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
            )
        return np.broadcast_to(value.astype(input.dtype), input.shape)
    from .creation import _full

    return np.broadcast_to(_full((), value, dtypes.of(input.dtype)), input.shape)


_fill_rules = dict(input=lambda F, g: F.zeros_like(g), value=lambda F, g: F.sum(g))


def _fill_name(number, tensor):
    return lambda values: tensor if isinstance(values[1], Tensor) else number


differentiable("fill", _filled, vjp=_fill_rules, node_name=_fill_name("FillBackward0", "FillBackward1"), method=False)
differentiable(
    *("_fill", _filled),
    **dict(vjp=_fill_rules, node_name=_fill_name("FillBackward2", "FillBackward3"), inplace=True, **_private),
)
fill_ = TENSOR.fill_ = TENSOR._fill_
fill_.__name__ = fill_.__qualname__ = "fill_"
_zeroed = differentiable(
    "_zero", lambda input: np.broadcast_to(np.zeros((), input.dtype), input.shape), vjp=dict(input=lambda F, g: F.zeros_like(g)),
    node_name="ZeroBackward0", inplace=True, **_private,
)  # fmt: skip


def zero_(self):
    """Write zeros into this tensor."""
    if _unrecorded(self) and self._a.flags.writeable:
        self._a.fill(0)
        inplace.finish(self, None)
        return self
    return _write(_zeroed, (self,))


def detach(self):
    """The same memory (and version) outside the graph."""
    if state.rare and thread.transforms:
        from ..autograd.levels import detach_all

        return detach_all(self)
    made = outside(self)
    if self.__class__ is not Tensor or state.rare:
        answer = NotImplemented if dispatch.ask_method is None else dispatch.ask_method("detach", (self,), {})
        if answer is not NotImplemented:
            answer._vc = self._vc
            return answer
    return made


def detach_(self):
    """Take this tensor out of the graph, in place."""
    if self._view is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
            "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
            "these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as "
            "the solution."
        )
    if isinstance(self._edge, Leaf):
        self._edge.owner = None
    self._edge = None
    self.__dict__.pop("_tangent", None)
    return self


def _asked(name, self, args, **options):
    """What modes or the tensor's class make of a method; NotImplemented where nobody is asked."""
    if dispatch.ask_method is None or not (state.rare or self.__class__ not in _PLAIN):
        return NotImplemented
    return dispatch.ask_method(name, (self, *args), options)


def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Make this tensor refer to the memory of ``source`` (a tensor or storage)."""
    from ..storage import UntypedStorage

    answer = _asked(
        "set_", self, () if source is None else (source, storage_offset, size, stride)[: 1 if size is None else 4]
    )
    if answer is not NotImplemented:
        return answer
    inplace.check(self, edge_of(self) is not None)
    if source is None:
        self._a = np.empty((0,), self._dtype.numpy)
    elif isinstance(source, Tensor):
        self._a, self._dtype = source._a, source._dtype
    elif isinstance(source, UntypedStorage) or hasattr(source, "_untyped"):
        source = getattr(source, "_untyped", source)
        count = source.nbytes() // self._dtype.itemsize
        shape = (count,) if size is None else tuple(size)
        self._a = source.strided(self._dtype, storage_offset, shape, stride)
    else:
        raise TypeError(f"set_(): argument 'source' (position 1) must be Tensor, not {type(source).__name__}")
    refit(self)
    inplace.finish(self, None)
    return self


def resize_(self, *sizes, memory_format=None):
    """Change the shape, keeping what fits of the elements as they lie in memory; tensors that require grad refuse.

    A tensor that has the shape keeps its strides unless a ``memory_format`` is named.
    """
    from .creation import sizes as parse

    shape = parse("resize_", sizes)
    answer = _asked("resize_", self, (shape,), memory_format=memory_format)
    if answer is not NotImplemented:
        return answer
    if hasattr(self._a, "held"):
        from ..autograd.levels import resize

        return resize(self, shape, memory_format)
    if edge_of(self) is not None and not is_inference_mode_enabled():
        raise RuntimeError("cannot resize variables that require grad")
    if self.__dict__.get("_tangent") is not None:
        raise RuntimeError("cannot resize variables that has a forward grad")
    if memory_format is preserve_format:
        raise RuntimeError("Unsupported memory formatPreserve")
    if shape == self._a.shape and memory_format is None:
        return self
    count = math.prod(shape)
    if math.prod([max(size, 1) for size in shape[1:]]) >= 1 << 63:
        raise RuntimeError("Stride calculation overflowed")
    if count * self._dtype.itemsize >= 1 << 63:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")
    inplace.bump(self._vc)
    self._a = _shaped(resized(self._a, (count,)), shape, memory_format)
    refit(self)
    return self


def _shaped(flat, shape, format):
    """A flat array in a shape and memory format, its elements where they are."""
    if format not in _CHANNELS_LAST:
        return flat.reshape(shape)
    if len(shape) != _CHANNELS_LAST[format]:
        raise RuntimeError(f"required rank {_CHANNELS_LAST[format]} tensor to use {format.name} format")
    return np.moveaxis(flat.reshape((shape[0], *shape[2:], shape[1])), -1, 1)


def resize_as_(self, other, memory_format=None):
    """``resize_`` to the shape of ``other``, and with ``preserve_format`` to its memory format."""
    if memory_format is preserve_format:
        fitting = (
            each
            for each in _CHANNELS_LAST
            if is_in_format(other._a, each) and not is_in_format(other._a, contiguous_format)
        )
        memory_format = next(fitting, contiguous_format)
    return resize_(self, tuple(other._a.shape), memory_format=memory_format)


for _name in (
    *(
        "to",
        "type_as",
        "contiguous",
        "is_contiguous",
        "cpu",
        "cuda",
        "copy_",
        "zero_",
        "detach",
        "detach_",
        "set_",
        "resize_",
    ),
    "resize_as_",
):
    setattr(Tensor, _name, globals()[_name])
Tensor.fill_ = fill_
Tensor.type = type_
TENSOR.copy_ = copy_
TENSOR.zero_ = zero_
TENSOR.detach = detach
#: methods that torch has as functions too
for _name in ("fill_", "zero_", "detach_", "resize_as_"):
    PLACES[""][_name] = asking(globals()[_name], ("", _name))

__all__ = ["OPS", "bind", "cast", "execute", "thread", "wrap"]
