"""``x[index]`` and ``x[index] = value``.

Integers, slices, None and Ellipsis make a view by NumPy's own basic indexing, recorded as one node under the name of the last step
PyTorch would take. Masks and index tensors copy; their kernels are in ``array.indexing``.
"""

import collections.abc

import numpy as np

from .. import dtypes, inplace
from ..array.element import scalar
from ..array.indexing import is_whole, split
from ..array.shape import strided_view
from ..autograd.graph import Leaf, spoken, type_name, warn_user
from ..autograd.modes import state, thread
from ..tensor import Tensor, edge_of, reading, wrap_view
from . import dispatch
from .answering import EXACT, ask, foreign
from .binding import spoken_type
from .core import tell_of_imaginary_parts
from .dispatch import broadcast, execute, share_counter
from .forms import form_of
from .record import Layout, make_node
from .table import METHODS, RAW, TENSOR, differentiable
from .unfolding import folded, leave_room

_BASIC = {int, slice, type(None), type(Ellipsis)}
_ALL = slice(None)


def _view(input, index):
    if index.__class__ is not tuple:
        index = (index,)
    # an Ellipsis makes NumPy return an array of no dimensions instead of a number
    return input[index if any(each is Ellipsis for each in index) else (*index, ...)]


def _unview(input, index, size):
    """Zeros of ``size`` with ``input`` at ``index``: the transpose of a basic subscript."""
    made = np.zeros(size, input.dtype)
    made[index] = input
    return made


def _blank(input, index):
    """A copy with zeros at ``index``."""
    made = np.array(input)
    made[tuple(index) if index.__class__ is list else index] = 0
    return made


_private = dict(method=False, function=False)
_rule = dict(vjp=lambda F, g, index, x_shape: F._unsubscript(g, index, x_shape), view=True, **_private)
_SELECT = differentiable("_select", _view, node_name="SelectBackward0", **_rule)
_SLICE = differentiable("_slice", _view, node_name="SliceBackward0", **_rule)
_UNSQUEEZE = differentiable("_none", _view, node_name="UnsqueezeBackward0", **_rule)
_WHOLE = differentiable("_whole", _view, node_name="AliasBackward0", **_rule)
_alias = dict(vjp=lambda F, g: g, linear=True, view=True, **_private)
_ALIAS = differentiable("_alias", lambda input: input[...], node_name="AliasBackward0", **_alias)
# the same as the steps of forward mode: from a tensor to one that carries a tangent, and back
differentiable("_make_dual", lambda input: input[...], node_name="ViewBackward0", **_alias)
differentiable(
    *("_fw_primal", lambda input: input[...]),
    **dict(_alias, node_name="Identity", cpp_name="torch::autograd::Identity"),
)
differentiable("_unsubscript", _unview, vjp=lambda F, g, index: F._slice(g, index), **_private)
differentiable("_blank", _blank, vjp=lambda F, g, index: F._blank(g, index), **_private)


def _taken(input, index):
    from ..array.indexing import getitem

    return getitem(input, tuple(index))


def _untake(input, index, size):
    """Zeros of ``size`` with ``input`` added at ``index`` (masks and index arrays; places may repeat)."""
    from ..array.indexing import put_at, split

    made = np.zeros(size, input.dtype)
    basic, arrays = split(tuple(index), size)
    view = made[tuple(basic)]
    put_at(view if isinstance(view, np.ndarray) else made[(*basic, ...)], arrays, input, True)
    return made


_INDEX = differentiable(
    "_index",
    _taken,
    node_name="IndexBackward0",
    vjp=lambda F, g, index, x_shape: F._unindex(g, index, x_shape),
    **_private,
)

for _op, _shows in {
    _SELECT: "dim index self_sym_sizes",
    _SLICE: "dim end self_sym_sizes start step",
    _UNSQUEEZE: "dim",
    _WHOLE: "",
    _INDEX: "indices self_sym_sizes",
}.items():
    _op.node_class = folded(_op, _shows.split())
differentiable("_unindex", _untake, vjp=lambda F, g, index: F._index(g, index), **_private)


def getitem(self, index):
    """``self[index]``."""
    if state.rare or self.__class__ is not Tensor:
        diverted = _diverted(getitem, (self, index), self)
        if diverted is not NotImplemented:
            return diverted
    kind = index.__class__
    if kind in _BASIC or (kind is tuple and all(each.__class__ in _BASIC for each in index)):
        return _basic(self, index if kind is tuple else (index,))
    return _general(self, index)


def _diverted(function, args, self):
    result = ask((METHODS, function.__name__), args, args, {})
    if result is not NotImplemented:
        return result
    if dispatch.intercept is not None and state.rare:
        result = dispatch.intercept(_SLICE if function is getitem else _SETITEM, args, function)
        if result is not NotImplemented:
            return result
    if dispatch.ask_classes is None or not dispatch.foreign(args):
        return NotImplemented
    index = normal(args[1] if args[1].__class__ is tuple else (args[1],))
    if function is getitem:
        op = _step(self, index) if _is_basic(index) else _INDEX
        return dispatch.ask_classes(op, (self, index), getitem)
    if not _is_basic(index):
        return dispatch.ask_classes(_PUT, (self, index, args[2]), setitem)
    # a write to a view, as in PyTorch
    part = getitem(self, index)
    part.copy_(args[2]) if isinstance(args[2], Tensor) else part.fill_(args[2])
    return None


def _basic(self, index):
    array = self._a
    for each in index:
        if each.__class__ is slice and each.step is not None and each.step <= 0:
            raise _step_error(each.step)
    try:
        found = array[(*index, ...)] if Ellipsis not in index else array[index]
    except IndexError:
        raise _index_error(array, index) from None
    if found.__class__ is not np.ndarray:
        found = array[(*index, np.newaxis)][..., 0] if Ellipsis in index else np.asarray(found)
    if None in index:
        found = _stepping(array, index, found)
    replay = (lambda base: getitem(base, index)) if state.rare and thread.replay else None
    tensor = wrap_view(found, self._dtype, self, replay=replay)
    edge = self._edge if self._view is None else edge_of(self)
    if edge is not None and thread.grad:
        op = _step(self, index)
        leave_room(index)
        if state.rare:
            tensor._edge = make_node(op, (self, index), (array, index), (edge,), _ONE, (found,), (tensor._vc,))
            return tensor
        form = op.layouts.get(_FORM) or _form(op)
        cls = op.node_class or op.node()
        tensor._edge = form.record(cls, (self, index), (array, index), (edge,), found, tensor._vc, self._dtype)
    return tensor


def _stepping(array, index, found):
    """What NumPy found, with the strides that new dimensions have in PyTorch; NumPy gives them 0."""
    if found.size == array.size and array.flags.c_contiguous:
        return array.reshape(found.shape)
    strides = list(found.strides)
    dim = at = 0
    for each in index:
        if each is None:
            strides[at] = array.shape[dim] * array.strides[dim] if dim < array.ndim else array.itemsize
            at += 1
        elif each is Ellipsis:
            passed = array.ndim - sum(1 for e in index if e is not None and e is not Ellipsis)
            dim, at = dim + passed, at + passed
        else:
            dim += 1
            at += each.__class__ is slice
    return strided_view(found, found.shape, strides)


def _steps(each):
    return each.step is not None and each.step <= 0


def _step_error(step):
    return ValueError("slice step cannot be zero" if step == 0 else "step must be greater than zero")


_ONE = Layout([("input", None)])
_FORM = "subscript"


def _form(op):
    """The only form there is of a recorded subscript."""
    found = op.layouts[_FORM] = form_of(op, _ONE, (True,))
    return found


def _step(self, index):
    """The operator PyTorch would apply last for this index."""
    last = _WHOLE
    dim = 0
    for each in index:
        if each is None:
            last = _UNSQUEEZE
        elif each is Ellipsis:
            dim += self._a.ndim - sum(1 for e in index if e is not None and e is not Ellipsis)
            continue
        elif each.__class__ is slice:
            if len(index) == 1 or not is_whole(each, self._a.shape[dim] if dim < self._a.ndim else 0):
                last = _SLICE
            dim += 1
            continue
        else:
            last = _SELECT
            dim += 1
            continue
        dim += each is not None
    return last


def _index_error(array, index):
    dims = sum(1 for each in index if each is not None and each is not Ellipsis)
    if dims > array.ndim:
        if array.ndim == 0 and len(index) == 1 and index[0].__class__ is slice:
            return IndexError("slice() cannot be applied to a 0-dim tensor.")
        if array.ndim == 0 and len(index) == 1 and index[0] != 0:
            return IndexError(f"index {index[0]} is out of bounds for dimension 0 with size 0")
        if array.ndim == 0 and len(index) == 1:
            return IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
                "0-dim tensor to a number"
            )
        return IndexError(f"too many indices for tensor of dimension {array.ndim}")
    dim = 0
    for place, each in enumerate(index):
        if each is None:
            continue
        if each is Ellipsis:
            dim += array.ndim - dims
            continue
        size = array.shape[dim] if dim < array.ndim else 0
        if each.__class__ is int and not -size <= each < size:
            return IndexError(f"index {each} is out of bounds for dimension {place} with size {size}")
        dim += 1
    return IndexError("an index can only have a single ellipsis ('...')")


#: a sequence this long is taken for data, not for a tuple of indices
_MANY = 32
_MASKS = (dtypes.bool, dtypes.uint8)


def as_tuple(index):
    """The items of an index. A short sequence that holds anything but numbers stands for a tuple, as in PyTorch."""
    if index.__class__ is tuple:
        return index
    if isinstance(index, collections.abc.Sequence) and len(index) < _MANY:
        for each in index:
            if each is None or each is Ellipsis or isinstance(each, _ITEMS):
                warn_user(
                    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
                    "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
                    "which will result either in an error or a different result"
                )
                return tuple(index)
    return (index,)


_ITEMS = (Tensor, slice, np.ndarray, collections.abc.Sequence)


def normal(index):
    """An index as a tuple of what PyTorch tells apart: ints, slices, None, Ellipsis, bools, and tensors."""
    from .creation import infer, tensor

    made = []
    for each in as_tuple(index):
        kind = each.__class__
        if kind in _BASIC or isinstance(each, (Tensor, bool, np.bool_)):
            if (
                isinstance(each, Tensor)
                and each._a.ndim == 0
                and each._dtype.category == 1
                and each._dtype.name != "uint8"
            ):
                each = int(each._a)
            made.append(slice(*map(_plain_bound, (each.start, each.stop, each.step))) if kind is slice else each)
        elif isinstance(each, np.ndarray):
            made.append(tensor(each))
        elif isinstance(each, (list, range, tuple)):
            inferred = infer(each) if len(each) else dtypes.int64
            made.append(tensor(each, dtype=inferred if inferred in _MASKS else dtypes.int64))
        elif isinstance(each, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{kind.__name__}'")
        elif hasattr(each, "__index__"):
            made.append(each.__index__())
        else:
            raise IndexError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{kind.__name__})"
            )
    return tuple(made)


def _plain_bound(value):
    return value if value is None or value.__class__ is int else value.__index__()


def _general(self, index):
    if index.__class__ is not Tensor and foreign((index,)):
        result = ask((METHODS, "__getitem__"), (self, index), (self, index), {})
        if result is not NotImplemented:
            return result
    index = normal(index)
    if all(each.__class__ in _BASIC for each in index):
        return _basic(self, index)
    leave_room(index)
    return execute(_INDEX, (self, index))


# ------------------------------------------------------------------------------------------------------------ writing


def _no_kernel(input, index, value):
    raise NotImplementedError("writes go through setitem")


_set_rules = dict(
    input=lambda F, g, index: F._blank(g, index),
    value=lambda F, g, index, value_shape: _part(F, g, index, value_shape),
)
_SETITEM = differentiable("_setitem", _no_kernel, vjp=_set_rules, node_name="CopySlices", **_private)
# a whole tensor is written to directly, not by way of a view
_COPY = differentiable(
    "_setwhole",
    _no_kernel,
    vjp=_set_rules,
    node_name="CopyBackwards",
    **_private,
)
_FILL = differentiable("_setnumber", _no_kernel, vjp=_set_rules, node_name="FillBackward3", **_private)
_PUT = differentiable("_setindex", _no_kernel, vjp=_set_rules, node_name="IndexPutBackward0", **_private)


def _part(F, g, index, shape):
    part = F._slice(g, index) if _is_basic(index) else F._index(g, index)
    if F is RAW:
        part = np.asarray(part)
    extra = len(shape) - len(part.shape)
    # leading axes of length one of the value were dropped when it was written
    return F.reshape(F.sum_to(part, tuple(shape)[max(extra, 0) :]), tuple(shape))


def _is_basic(index):
    return all(each.__class__ in _BASIC for each in index)


def _answered_for(*args):
    """Whether the class of an index or a value wrote in place of ``setitem``."""
    return ask((METHODS, "__setitem__"), args, args, {}) is not NotImplemented


def setitem(self, index, value):
    """``self[index] = value``: written in place, with PyTorch's casts and broadcasting."""
    if state.rare or self.__class__ is not Tensor:
        diverted = _diverted(setitem, (self, index, value), self)
        if diverted is not NotImplemented:
            return
    if index.__class__ in _BASIC:
        index, basic = (index,), True
    else:
        basic = index.__class__ is tuple and _is_basic(index)
        if not basic:
            if index.__class__ is not Tensor and foreign((index,)) and _answered_for(self, index, value):
                return
            index = normal(index)
            if len(index) == 1 and index[0] is False:
                return
            if len(index) == 1 and index[0] is True:
                index = (None,)
            basic = _is_basic(index)
    array = self._a
    # with index tensors alone it is the tensor itself that is written to, else a part of it
    direct = not basic and all([isinstance(each, Tensor) and each._a.ndim for each in index])
    edge = inplace.written_edge(self) if direct else edge_of(self)
    given = isinstance(value, Tensor)
    value_edge = edge_of(value) if given else None
    recorded = thread.grad and (edge is not None or value_edge is not None)
    if basic and not recorded and array.dtype.kind == "f" and (value.__class__ is float or value.__class__ is int):
        # the ordinary case: a number into a view of floats, which NumPy writes as PyTorch does
        if (
            -65504 <= value <= 65504
            and 0 not in array.strides
            and all(each.__class__ is not slice or not _steps(each) for each in index)
        ):
            try:
                array[index] = value
            except IndexError:
                raise _index_error(array, index) from None
            inplace.finish(self, None)
            return
    if value.__class__ not in EXACT and foreign((value,)) and _answered_for(self, index, value):
        return
    if basic:
        where = tuple(index)
        for each in where:
            if each.__class__ is slice and each.step is not None and each.step <= 0:
                raise _step_error(each.step)
        try:
            part = array[where] if Ellipsis in where else array[(*where, ...)]
        except IndexError:
            raise _index_error(array, where) from None
        raw = _value(value, array.dtype)
        if raw.ndim and raw.shape != part.shape:
            raw = _fitted(raw, part.shape, value._dtype)
            if value_edge is not None:
                value = TENSOR.view(value, raw.shape)
                value = value if raw.shape == part.shape else TENSOR.expand(value, part.shape)
                value_edge = value._edge
            raw = np.broadcast_to(raw, part.shape)
        if recorded:
            _check(self, index, edge)
        shared = given and value._vc is self._vc
        if not (shared and inplace.same_place(part, raw)):
            inplace.check_memory(part)
            if shared and raw.ndim == part.ndim:  # a single number is read before it is written to
                inplace.check_apart(part, raw)
        if raw.dtype.kind == "c" and array.dtype.kind != "c":
            tell_of_imaginary_parts(raw)
        dispatch.write(part, raw)
        raws = (array, index, raw)
    else:
        from ..array import indexing

        if recorded:
            views, arrays = indexing.split(
                tuple([reading(e) if isinstance(e, Tensor) else e for e in index]), array.shape
            )
            if not _trivial(self, views):
                # PyTorch writes to a view, at index tensors only
                return setitem(_basic(self, views), tuple([_ALL if each is None else each for each in arrays]), value)
            inplace.check(self, True)
            if value_edge is not None and value._a.ndim and value._a.shape[0] == 1:
                value = TENSOR.view(value, _without_leading_ones(value._a).shape)
                value_edge = value._edge
        raws = (
            array,
            tuple(each._a if isinstance(each, Tensor) else each for each in index),
            _value(value, array.dtype),
        )
        inplace.warn_of_shared_elements(array)
        if given and value._vc is self._vc:
            _check_apart(array, raws[1], value._a)
        indexing.setitem(array, raws[1], raws[2])
    if not recorded:
        inplace.finish(self, None)
        return
    layout, edges = [("input", None)], [edge]
    tensors = sum(isinstance(each, Tensor) for each in index)
    if tensors:
        layout.append(("index", tensors))
        edges += [None] * tensors
    if given:
        layout.append(("value", None))
        edges.append(value_edge)
    counter = [self._vc[0] + 1]
    op = _PUT
    if basic:
        op = _SETITEM if not _trivial(self, index) else _COPY if raws[2].ndim or not array.ndim and given else _FILL
    node = make_node(op, (self, index, value), raws, edges, Layout(layout), (array,), (counter,))
    share_counter(node, counter, self._vc)
    inplace.finish(self, node)


def _check_apart(array, index, value):
    """Refuse to write values into the part of an array that they lie in themselves."""
    if not value.size or (value.size == 1 and len(index) == 1 and index[0].ndim and index[0].dtype == np.bool_):
        return  # PyTorch fills where a mask and a single value are given
    views, _ = split(index, array.shape)
    inplace.check_no_overlap(array if all(each == _ALL for each in views) else array[(*views, ...)], value)


def _check(self, index, edge):
    if self._view is not None and self._view.refuse is not None and not _trivial(self, index):
        # PyTorch writes to the part, which is a view of the view
        raise inplace.refusal(self._view, edge, part=edge and spoken(_step(self, index).node_name))
    if isinstance(edge, Leaf) and self._view is None and not _trivial(self, index):
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    inplace.check(self, True)


def _trivial(self, index):
    dims = iter(self._a.shape)
    return all(each is Ellipsis or (each.__class__ is slice and is_whole(each, next(dims, 0))) for each in index)


def _value(value, numpy_dtype):
    if isinstance(value, Tensor):
        return value._a
    dtype = dtypes.of(numpy_dtype)
    if isinstance(value, (int, np.integer)):
        if not -1 << 63 <= value < 1 << 63:
            raise ValueError("Overflow when unpacking long long")
    elif not isinstance(value, (float, complex)):
        raise TypeError(f"can't assign a {spoken_type(value)} to a torch.{dtype.legacy}Tensor")
    return scalar(value, dtype)


def _without_leading_ones(raw):
    while raw.ndim and raw.shape[0] == 1:
        raw = raw[0, ...]
    return raw


def _fitted(raw, shape, dtype):
    """A value without its leading dimensions of size one; RuntimeError where it cannot be expanded to ``shape``."""
    raw = _without_leading_ones(raw)
    if raw.ndim > len(shape) or broadcast_fails(shape, raw.shape):
        raise _expand_error(shape, raw.shape, dtype)
    return raw


def broadcast_fails(target, shape):
    return any(b not in (1, a) for a, b in zip(reversed(target), reversed(shape)))


def _expand_error(target, shape, dtype):
    if len(shape) > len(target):
        return RuntimeError(
            f"expand({type_name(dtype)}{{{list(shape)}}}, size={list(target)}): the number of sizes provided ({len(target)}) must "
            f"be greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    for k in range(1, len(shape) + 1):
        if shape[-k] not in (1, target[-k]):
            return RuntimeError(
                f"The expanded size of the tensor ({target[-k]}) must match the existing size ({shape[-k]}) at non-singleton "
                f"dimension {len(target) - k}.  Target sizes: {list(target)}.  Tensor sizes: {list(shape)}"
            )
    return RuntimeError("shapes do not match")


getitem.__name__, getitem.__qualname__ = "__getitem__", "Tensor.__getitem__"
setitem.__name__, setitem.__qualname__ = "__setitem__", "Tensor.__setitem__"


def delitem(self, index):
    """Refused in PyTorch's words."""
    raise TypeError("Tensor does not support deleting items")


Tensor.__getitem__ = getitem
Tensor.__setitem__ = setitem
Tensor.__delitem__ = delitem

__all__ = ["broadcast", "getitem", "setitem"]
