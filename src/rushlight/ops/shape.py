"""Views of a tensor and their derivatives: the cotangent goes back through the inverse view.

Parts of a tensor (``select``, ``diagonal``, ``unfold`` and their kin) have a backward operator each, which puts the cotangent
into zeros of the input's size; the two are each other's transpose, so derivatives of any order exist.
"""

import operator

import numpy as np

from .. import dtypes, inplace
from ..array import shape as kernels
from ..array.arguments import wrap_dim
from ..autograd.graph import Leaf, warn_user
from ..autograd.modes import state, thread
from ..inplace import bump
from ..mirror import reflected
from ..settings import first_warning
from ..tensor import Tensor, attach, mirror_of
from .binding import overload_error
from .core import contiguous_format
from .record import node_class
from .table import PLACES, RAW, TENSOR, composite, differentiable

_private = dict(method=False, function=False)
_view = dict(view=True, linear=True)


# ------------------------------------------------------------------------------------------------------------ shapes


# where strides do not allow a view, kernels of views return None, and ``otherwise`` answers


def _viewed(input, size):
    if size.__class__ is tuple and len(size) == 1 and size[0].__class__ is dtypes.dtype:
        return None
    return kernels.view(input, size)


def _view_dtype(input, size):
    """The same memory and version read as another dtype: no view as the graph knows them, and without a gradient."""
    (dtype,) = size
    if mirror_of(input) is not None:
        kind = "conjugate view tensors" if input.is_conj() else "tensors with negative bit set"
        raise RuntimeError(f"torch.Tensor.view is not supported for {kind} when converting to a different dtype.")
    return attach(kernels.view_dtype(input._a, dtype), dtype, None, input._vc)


def _reshape(input, shape):
    if not input.flags.c_contiguous:
        return None
    return kernels.reshape(input, shape)


def _reshape_alias(input, size):
    try:
        return input.reshape(kernels.infer_size(size, input.size), copy=False)
    except ValueError:
        return None


def _reshape_apart(input, shape):
    """An array with gaps: a view under a name of its own where strides allow one, else a copy."""
    return TENSOR._reshape_alias(input, shape)


def _reshape_copy(input, size):
    return TENSOR._unsafe_view(TENSOR.clone(input, memory_format=contiguous_format), size)


def _flatten(input, start_dim=0, end_dim=-1):
    shape = kernels.flattened(input.shape, start_dim, end_dim)
    return None if shape == input.shape else _reshape(input, shape)


def _flatten_copy(input, start_dim, end_dim):
    shape = kernels.flattened(input._a.shape, start_dim, end_dim)
    return input if shape == input._a.shape else _reshape_apart(input, shape)


def _ravel(input):
    return kernels.view(input, (-1,)) if input.flags.c_contiguous else None


def _ravel_copy(input):
    return TENSOR.view(TENSOR.clone(input, memory_format=contiguous_format), (-1,))


def _unview(F, g, x_shape):
    return F.reshape(g, x_shape)


differentiable("view", _viewed, vjp=_unview, otherwise=_view_dtype, varargs="size", function=False, **_view)
_as_view = dict(vjp=_unview, node_name="ViewBackward0", **_view)
differentiable("reshape", _reshape, otherwise=_reshape_apart, varargs="shape", **_as_view)
differentiable("_reshape_alias", _reshape_alias, vjp=_unview, otherwise=_reshape_copy, **_private, **_view)
differentiable("flatten", _flatten, otherwise=_flatten_copy, **_as_view)
differentiable("ravel", _ravel, otherwise=_ravel_copy, **_as_view)
# rules get a copy where they have no view
RAW.view, RAW.reshape, RAW.flatten, RAW.ravel = kernels.view, kernels.reshape, kernels.flatten, kernels.ravel
differentiable(
    *("unflatten", kernels.unflatten),
    **dict(vjp=lambda F, g, x_shape: F.reshape(g, x_shape), node_name="ViewBackward0", **_view),
)


def _squeeze_name(values):
    dim = values[1]
    return "SqueezeBackward" + ("0" if dim is None else "1" if isinstance(dim, int) else "2")


differentiable(
    *("squeeze", kernels.squeeze),
    **dict(vjp=lambda F, g, x_shape, dim: F.reshape(g, x_shape), node_name=_squeeze_name, **_view),
)
differentiable("unsqueeze", kernels.unsqueeze, vjp=lambda F, g, dim: F.squeeze(g, dim), **_view)
differentiable(
    *("expand", kernels.expand),
    **dict(vjp=lambda F, g, x_shape: F.sum_to(g, x_shape), varargs="size", function=False, **_view),
)
differentiable(
    *("broadcast_to", kernels.broadcast_to),
    **dict(vjp=lambda F, g, x_shape: F.sum_to(g, x_shape), node_name="ExpandBackward0", varargs="size", **_view),
)


@composite("view_as", function=False)
def view_as(F, input, other):
    return F.view(input, tuple(other.shape))


@composite("reshape_as", function=False)
def reshape_as(F, input, other):
    return F.reshape(input, tuple(other.shape))


@composite("expand_as", function=False)
def expand_as(F, input, other):
    return F.expand(input, tuple(other.shape))


@composite("sum_to_size", function=False, varargs="size")
def sum_to_size(F, input, size):
    from ..array.join import summed_dims

    shape, size = tuple(input.shape), tuple(size)
    if not size:
        return F.sum(input)
    if shape == size:
        return input
    dims = summed_dims(shape, size)
    return F.reshape(F.sum(input, dims, True), size) if dims else F.reshape(input, size)


# ------------------------------------------------------------------------------------------------ order of dimensions


def _inverse(dims):
    ndim = len(dims)
    order = [0] * ndim
    for i, dim in enumerate(dims):
        order[dim % ndim] = i
    return tuple(order)


differentiable("permute", kernels.permute, vjp=lambda F, g, dims: F.permute(g, _inverse(dims)), varargs="dims", **_view)
differentiable(
    *("transpose", kernels.transpose),
    **dict(vjp=lambda F, g, dim0, dim1: F.transpose(g, dim0, dim1), aliases=("swapdims",), **_view),
)
differentiable("t", kernels.t, vjp=lambda F, g: F.t(g), node_name="TBackward0", **_view)


@composite("swapaxes")
def swapaxes(F, input, axis0, axis1):
    return F.transpose(input, axis0, axis1)


@composite("movedim", aliases=("moveaxis",))
def movedim(F, input, source, destination):
    order = _moved(input.ndim, source, destination)
    return F.permute(input, order) if order else F._alias(input)


def _moved(ndim, source, destination):
    """The permutation that moves ``source`` to ``destination``, read off an array whose sizes name its dimensions."""
    marked = np.broadcast_to(np.zeros((), np.int8), tuple(range(1, ndim + 1)))
    return tuple([n - 1 for n in kernels.movedim(marked, source, destination).shape])


#: what PyTorch says of transposes of numbers, once
_IDENTITY = "Tensor.{} is deprecated on 0-D tensors. This function is the identity in these cases."
_CONJUGATE = "{} is deprecated on 0-D tensors. Consider using x.conj()."


def _tell_once(text):
    if first_warning(text):
        warn_user(text)


def _matrix_transpose(self):
    """The last two dimensions exchanged."""
    if self.ndim < 2:
        kernels.mT(self._a)
        _tell_once(_IDENTITY.format("mT"))
        return self
    return TENSOR.transpose(self, -2, -1)


def _reversed(self):
    """All dimensions reversed."""
    if self._a.ndim == 2:
        return TENSOR.permute(self, (1, 0))
    _tell_once(
        "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an error in a future "
        "release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the "
        "dimensions of a tensor."
        if self._a.ndim
        else _IDENTITY.format("T")
    )
    return TENSOR.permute(self, tuple(range(self.ndim - 1, -1, -1)))


def _of_rank(tensor):
    """An array of as many dimensions, for the checks of a kernel that is not to compute."""
    return np.empty((1,) * tensor.ndim)


def _conjugate_transpose(self):
    """The conjugate transpose of a matrix."""
    kernels.H(_of_rank(self))
    if not self.ndim:
        _tell_once(_CONJUGATE.format("Tensor.H"))
    return TENSOR.conj(TENSOR.transpose(self, 0, 1) if self.ndim else self)


def _batch_conjugate_transpose(self):
    """The conjugate transpose of the last two dimensions."""
    kernels.mH(_of_rank(self))
    if not self.ndim:
        _tell_once(_CONJUGATE.format("Tensor.mH"))
    return TENSOR.conj(TENSOR.transpose(self, -2, -1) if self.ndim else self)


Tensor.T = property(_reversed)
Tensor.mT = property(_matrix_transpose)
Tensor.H = property(_conjugate_transpose)
Tensor.mH = property(_batch_conjugate_transpose)


@composite("adjoint")
def adjoint(F, input):
    if input.ndim < 2:
        kernels.adjoint(_of_rank(input))
        _tell_once(_CONJUGATE.format("adjoint()"))
        return F.conj(input)
    return F.conj(F.transpose(input, -2, -1))


# ------------------------------------------------------------------------------------------------------------- parts


def _select_backward(grad_output, input_sizes, dim, index):
    out = np.zeros(input_sizes, grad_output.dtype)
    out[(*(slice(None),) * wrap_dim(dim, out.ndim), index)] = grad_output
    return out


def _slice_backward(grad_output, input_sizes, dim, start, end, step):
    out = np.zeros(input_sizes, grad_output.dtype)
    out[(*(slice(None),) * wrap_dim(dim, out.ndim), slice(start, end, step))] = grad_output
    return out


def _diagonal_backward(grad_output, input_sizes, offset, dim1, dim2):
    out = np.zeros(input_sizes, grad_output.dtype)
    kernels.diagonal(out, offset, dim1, dim2)[...] = grad_output
    return out


def _unfold_backward(grad_in, input_sizes, dim, size, step):
    """Windows added back where they came from: one assignment if they do not overlap, else one addition for each tap."""
    out = np.zeros(input_sizes, grad_in.dtype)
    if not input_sizes:
        return grad_in.reshape(-1)[:1].sum().reshape(()) if size else out
    if step >= size:
        kernels.unfold(out, dim, size, step)[...] = grad_in
        return out
    dim = wrap_dim(dim, out.ndim)
    head = (slice(None),) * dim
    reach = (grad_in.shape[dim] - 1) * step + 1
    for tap in range(size):
        out[(*head, slice(tap, tap + reach, step))] += grad_in[..., tap]
    return out


differentiable(
    "select", kernels.select, vjp=lambda F, g, x_shape, dim, index: F._select_backward(g, x_shape, dim, index), **_view
)
differentiable(
    *("_select_backward", _select_backward),
    **dict(
        vjp=lambda F, g, dim, index: F.select(g, dim, index),
        linear=True,
        node_name="SelectBackwardBackward0",
        **_private,
    ),
)
differentiable(
    *("_slice_dim", kernels.slice),
    **dict(vjp=lambda F, g, x_shape, dim, start, end, step: F._slice_backward(g, x_shape, dim, start, end, step)),
    **dict(node_name="SliceBackward0", **_private, **_view),
)
differentiable(
    *("_slice_backward", _slice_backward),
    **dict(vjp=lambda F, g, dim, start, end, step: F._slice_dim(g, dim, start, end, step), linear=True, **_private),
)
differentiable(
    *("_narrow", kernels.narrow),
    **dict(vjp=lambda F, g, x_shape, dim, start, length: _widened(F, g, x_shape, dim, start, length)),
    **dict(node_name="SliceBackward0", **_private, **_view),
)


def _widened(F, g, shape, dim, start, length):
    start = start + shape[dim] if start < 0 else start
    return F._slice_backward(g, shape, dim, start, start + length, 1)


@composite("narrow")
def narrow(F, input, dim, start, length):
    if hasattr(start, "shape"):
        if tuple(start.shape) or str(start.dtype).rpartition(".")[2][:3] not in ("int", "uin"):
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start)
    return F._narrow(input, dim, start, length)


differentiable(
    *("diagonal", kernels.diagonal),
    **dict(vjp=lambda F, g, x_shape, offset, dim1, dim2: F._diagonal_backward(g, x_shape, offset, dim1, dim2), **_view),
)
differentiable(
    *("_diagonal_backward", _diagonal_backward),
    **dict(vjp=lambda F, g, offset, dim1, dim2: F.diagonal(g, offset, dim1, dim2), linear=True, **_private),
)
differentiable(
    *("unfold", kernels.unfold),
    **dict(vjp=lambda F, g, x_shape, dimension, size, step: F._unfold_backward(g, x_shape, dimension, size, step)),
    **dict(function=False, **_view),
)
differentiable(
    *("_unfold_backward", _unfold_backward),
    **dict(vjp=lambda F, g, dim, size, step: F.unfold(g, dim, size, step), linear=True, **_private),
)


def _like_first(F, parts, shapes):
    """The cotangents of several views, zeros where one is undefined; ``shapes`` are those of the views."""
    one = next(part for part in parts if part is not None)
    return [F.new_zeros(one, shape) if part is None else part for part, shape in zip(parts, shapes, strict=True)]


def _several(g):
    """The cotangents of several results; the engine hands over that of a single one as it is."""
    return g if isinstance(g, (tuple, list)) else (g,)


def _unbind_vjp(F, g, dim, x_shape):
    g = _several(g)
    dim = wrap_dim(dim, len(x_shape))
    return F.stack(_like_first(F, g, [x_shape[:dim] + x_shape[dim + 1 :]] * len(g)), dim)


def _split_vjp(kernel):
    """The cotangents of the parts joined again; their sizes are worked out by splitting an array without elements."""

    def vjp(F, g, x_shape, given, dim):
        g = _several(g)
        ghost = np.broadcast_to(np.zeros((), np.int8), x_shape)
        shapes = [part.shape for part in kernel(ghost, given, dim)]
        return F.cat(_like_first(F, g, shapes), dim)

    return vjp


def _splitter(name, kernel, argument, node_name, view=True, **options):
    first = kernel.__code__.co_varnames[0]
    made = eval(
        f"lambda F, g, {first}_shape, {argument}, dim: rule(F, g, {first}_shape, {argument}, dim)",
        {"rule": _split_vjp(kernel)},
    )
    differentiable(name, kernel, vjp=made, view=view, returns="list", node_name=node_name, **options)


differentiable("unbind", kernels.unbind, vjp=_unbind_vjp, view=True, returns="list")
_splitter("_split", kernels.split, "split_size_or_sections", "SplitBackward0", **_private)
_splitter("split_with_sizes", kernels.split_with_sizes, "split_sizes", "SplitWithSizesBackward0")
_splitter("chunk", kernels.chunk, "chunks", "SplitBackward0")
# parts of the same memory that the graph does not take for views: whoever asks for them promises to write to none
_splitter("_unsafe_split", kernels.split, "split_size_or_sections", "UnsafeSplitBackward0", view=False, **_private)
_splitter(
    "unsafe_split_with_sizes", kernels.split_with_sizes, "split_sizes", "UnsafeSplitWithSizesBackward0", view=False
)
_splitter("unsafe_chunk", kernels.chunk, "chunks", "UnsafeSplitBackward0", view=False)


@composite("unsafe_split")
def unsafe_split(F, tensor, split_size, dim=0):
    return F._unsafe_split(tensor, split_size, dim)


@composite("split")
def split(F, tensor, split_size_or_sections=None, dim=0, *, split_size=None):
    given = split_size if split_size_or_sections is None else split_size_or_sections
    if isinstance(given, (tuple, list)):
        return F.split_with_sizes(tensor, list(given), dim)
    return F._split(tensor, given, dim)


# what PyTorch calls the sizes depends on who calls
TENSOR.split.__wrapped__ = lambda tensor, split_size_or_sections, dim=0: None
Tensor.split.__wrapped__ = lambda self, split_size, dim=0: None  # type: ignore[attr-defined]


@composite("tensor_split")
def tensor_split(
    F, input, indices_or_sections=None, dim=0, *, indices=None, sections=None, tensor_indices_or_sections=None
):
    given = next(
        each for each in (indices_or_sections, indices, sections, tensor_indices_or_sections) if each is not None
    )
    if isinstance(given, Tensor):
        given = given._a
        kernels.tensor_split(np.empty(0), given, 0) if given.dtype != np.int64 or given.ndim > 1 else None
        given = given.tolist()
    return _parts(F, input, given, dim)


def _parts(F, input, given, dim):
    """The parts of ``tensor_split``, each a slice of its own."""
    bounds = kernels.split_bounds(tuple(input.shape), given, dim)
    return tuple([F._slice_dim(input, dim, start, end) for start, end in bounds])


_NAMED_SPLIT = ("Tensor input, int sections", "Tensor input, tuple of ints indices")


def _named_split(name, needed):
    def split(F, input, indices_or_sections=None, *, indices=None, sections=None):
        given = next((each for each in (indices_or_sections, indices, sections) if each is not None), None)
        sequence = isinstance(given, (tuple, list)) and all(isinstance(each, int) for each in given)
        if not hasattr(input, "shape") or not (sequence or isinstance(given, int)):
            raise overload_error(name, (input,) if given is None else (input, given), {}, _NAMED_SPLIT)
        kernel = getattr(kernels, name)
        kernel(np.broadcast_to(np.zeros((), np.int8), tuple(input.shape)), given)  # the checks
        return _parts(F, input, given, 0 if name == "hsplit" and input.ndim == 1 else needed - 1)

    split.__name__ = name
    composite(name)(split)


_named_split("hsplit", 2)
_named_split("vsplit", 1)
_named_split("dsplit", 3)


# --------------------------------------------------------------------------------------------- raw memory, other dtypes


def _as_strided_vjp(F, g, input_memory, size, stride, storage_offset):
    return F._as_strided_backward(g, input_memory, tuple(size), tuple(stride), storage_offset)


def _places(memory, size, stride, storage_offset):
    """The places of the elements of an input that lies so in ``memory`` (`memory_of`), of the strided view's, and their number."""
    shape, steps, start, total = memory
    flat = np.arange(total)
    own = np.ndarray(shape, flat.dtype, flat, start * 8, [s * 8 for s in steps])
    offset = start if storage_offset is None else storage_offset
    view = np.ndarray(size, flat.dtype, flat, offset * 8, [s * 8 for s in stride])
    return own, view, total


def _as_strided_backward(grad_output, memory, size, stride, storage_offset):
    """The cotangent of the memory, read at the places of the input (shared out where several elements share one)."""
    from ..array.accumulate import sum_rows

    own, view, total = _places(memory, size, stride, storage_offset)
    sums = sum_rows(view.reshape(-1), grad_output.reshape(-1), total)
    uses = np.bincount(own.reshape(-1), minlength=total)
    if uses.size and uses.max() > 1:
        sums = sums / np.maximum(uses, 1)
    return sums[own].astype(grad_output.dtype, copy=False)


def _as_strided_backward_vjp(F, g, memory, size, stride, storage_offset):
    return F._as_strided_forward(g, memory, size, stride, storage_offset)


def _as_strided_forward(grad, memory, size, stride, storage_offset):
    """What the strided view reads of a tangent of the input: the transpose of ``_as_strided_backward``."""
    from ..array.accumulate import sum_rows

    own, view, total = _places(memory, size, stride, storage_offset)
    sums = sum_rows(own.reshape(-1), grad.reshape(-1), total)
    uses = np.bincount(own.reshape(-1), minlength=total)
    if uses.size and uses.max() > 1:
        sums = sums / np.maximum(uses, 1)
    return sums[view].astype(grad.dtype, copy=False)


def _as_strided_forward_vjp(F, g, memory, size, stride, storage_offset):
    return F._as_strided_backward(g, memory, size, stride, storage_offset)


differentiable("as_strided", kernels.as_strided, vjp=_as_strided_vjp, view=True)
differentiable(
    *("_as_strided_backward", _as_strided_backward), **dict(vjp=dict(grad_output=_as_strided_backward_vjp), **_private)
)
differentiable(
    *("_as_strided_forward", _as_strided_forward), **dict(vjp=dict(grad=_as_strided_forward_vjp), **_private)
)
differentiable(
    *("_view_as_real", kernels.view_as_real),
    **dict(
        node_name="ViewAsRealBackward0",
        vjp=lambda F, g: F.view_as_complex(F.clone(g, memory_format=contiguous_format)),
        view=True,
        replay=True,
        linear=True,
        **_private,
    ),
)
differentiable(
    *("view_as_complex", kernels.view_as_complex),
    **dict(vjp=lambda F, g: F.view_as_real(g), view=True, replay=True, linear=True),
)


def _is_complex(input):
    dtype = input.dtype
    return dtype.is_complex if dtype.__class__ is dtypes.dtype else dtype.kind == "c"


def _is_conj(input):
    return isinstance(input, Tensor) and input.is_conj()


# views that have memory of their own, see ``mirror``
differentiable(
    *("_conj", lambda input: reflected(np.conjugate, input)),
    **dict(vjp=lambda F, g: F.conj(g), reflects=np.conjugate, replay=True, **_view),
)
differentiable(
    *("_neg_view", lambda input: reflected(np.negative, input)),
    **dict(vjp=lambda F, g: -g, reflects=np.negative, replay=True, **_view),
)
for _name in ("_conj", "_neg_view"):
    PLACES[""][_name] = getattr(TENSOR, _name)
    setattr(Tensor, _name, getattr(TENSOR, _name))


@composite("conj")
def conj(F, input):
    return F._conj(input) if _is_complex(input) else input


@composite("view_as_real", method=False)
def view_as_real(F, input):
    if _is_conj(input):
        raise RuntimeError(
            "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view it as real, "
            "use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original."
        )
    return F._view_as_real(input)


@composite("real", method=False)
def real(F, input):
    if not _is_complex(input):
        return input
    return F.select(F.view_as_real(F._conj(input) if _is_conj(input) else input), -1, 0)


@composite("imag", method=False)
def imag(F, input):
    if not _is_complex(input):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    if _is_conj(input):
        return F.select(F._neg_view(F.view_as_real(F._conj(input))), -1, 1)
    return F.select(F.view_as_real(input), -1, 1)


# rules conjugate at every turn, nearly always for nothing
TENSOR.conj = lambda input: TENSOR._conj(input) if input._dtype.is_complex else input
RAW.conj = lambda input: np.conjugate(input) if input.dtype.kind == "c" else input
RAW.real, RAW.imag = operator.attrgetter("real"), operator.attrgetter("imag")


@composite("resolve_conj")
def resolve_conj(F, input):
    return F.clone(input) if _is_conj(input) else input


@composite("resolve_neg")
def resolve_neg(F, input):
    return F.clone(input) if input.is_neg() else input


RAW.resolve_conj = RAW.resolve_neg = lambda input: input


def _set_part(which):
    def setter(self, value):
        part = which(self)
        part.copy_(value if isinstance(value, Tensor) else TENSOR.new_zeros(part, ()).fill_(value))

    return setter


Tensor.real = property(lambda self: TENSOR.real(self), _set_part(lambda self: TENSOR.real(self)))
Tensor.imag = property(lambda self: TENSOR.imag(self), _set_part(lambda self: TENSOR.imag(self)))


# ------------------------------------------------------------------------------------------- changing a tensor's own shape


#: the names of nodes where they are those of the methods that write in place: PyTorch counts these after the others
_IN_PLACE = {
    **{f"SqueezeBackward{i}": f"SqueezeBackward{i + 3}" for i in range(3)},
    **{f"{each}Backward0": f"{each}Backward1" for each in ("Unsqueeze", "Transpose", "T", "AsStrided")},
}
_in_place_classes = {}


def _named_in_place(node):
    """Give the node of a view the class of the same node made in place."""
    name = _IN_PLACE.get(type(node).__name__)
    if name is not None:
        if name not in _in_place_classes:
            _in_place_classes[name] = made = node_class(node.op, name)
            made.is_view = False
        node.__class__ = _in_place_classes[name]


def _take_shape(tensor, view):
    """Give a tensor the shape of its view, and so its tangent that of the view's."""
    tangent = None
    if state.duals:
        from ..autograd.forward_ad import attach_tangent, tangent_of

        tangent = tangent_of(view)
    tensor._a = view._a
    if tangent is not None:
        attach_tangent(tensor, tangent)


def _own_shape(name):
    """The method ``name_``: the tensor itself takes on the view's shape (its storage and version are shared anyway)."""
    view = getattr(TENSOR, name)

    def method(self, *args, **kwargs):
        edge = inplace.written_edge(self)
        inplace.check(self, edge is not None)
        if name == "t" and self._a.ndim > 2:
            raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {self._a.ndim}D")
        made = view(self, *args, **kwargs)
        _take_shape(self, made)
        if edge is not None and thread.grad:
            self._edge = made._edge
            _named_in_place(made._edge)
            if state.hooks:
                inplace.move_retained(self, edge, made._edge)
        elif edge.__class__ is Leaf:
            edge.array, edge.shape = self._a, self._a.shape
        bump(self._vc)
        if self._view is not None and (thread.grad or self._view.replay is not None):
            # without recording, the view has to look its place up again, with its new shape
            self._view.version = self._vc[0]
        return self

    method.__name__ = method.__qualname__ = name + "_"
    setattr(Tensor, name + "_", method)
    setattr(TENSOR, name + "_", method)


for _name in ("squeeze", "unsqueeze", "transpose", "swapaxes", "t", "as_strided"):
    _own_shape(_name)
PLACES[""]["as_strided_"] = Tensor.as_strided_
Tensor.swapdims_ = Tensor.transpose_
