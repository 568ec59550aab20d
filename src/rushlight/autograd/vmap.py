"""The level of ``vmap``: its tensors stand for a whole batch, while the function sees one sample.

An operator runs once on what is held, by its batching rule: ``op.batch(level, op, values, dims) -> (result, dim)``, with held tensors
in ``values``, the dimension of the batch in each (None: the same for all samples) in ``dims``, lists for lists. The rules of the families
are in ``batching.py`` and ``batching_*.py``; ``batching.rule_of`` finds an operator's. An operator without one runs sample by sample, with PyTorch's warning.
"""

import warnings

import numpy as np

from ..dtypes import dtype
from ..ops import dispatch, subscript
from ..ops.forms import form_of
from ..ops.record import make_node
from ..ops.table import TENSOR
from ..ops.written import holds_parts
from ..tensor import Tensor, attach, edge_of, wrap
from . import levels
from .anomaly import is_anomaly_enabled
from .levels import Lane, Level
from .modes import thread
from .saved import active_hooks

__all__ = ["Batched", "VmapLevel", "any_batched", "expanded", "front", "loop", "looped", "padded", "unwritable"]

ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please try to "
    "rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch internals, please file a bug "
    "report."
)
_TRUTH = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet, please file "
    "an issue at https://github.com/pytorch/pytorch/issues ."
)
_EITHER = (
    "vmap: It looks like you're either (1) calling .item() on a Tensor or (2) attempting to use a Tensor in some data-dependent control "
    "flow or (3) encountering this error in PyTorch internals. For (1): we don't support vmap over calling .item() on a Tensor, please "
    "try to rewrite what you're doing with other operations. For (2): we don't support data-dependent control flow in vmap yet, please "
    "file an issue at https://github.com/pytorch/pytorch/issues . For (3): please file an issue."
)
RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags on vmap "
    "or perform the randomness operation out of vmap"
)
UNWRITABLE = (
    "vmap: {what}(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has more elements than "
    "`self`. This happened due to `other` being vmapped over but `self` not being vmapped over {where}. Please try to use out-of-place "
    "operators instead of {what}. If said operator is being called inside the PyTorch framework, please file a bug report instead."
)
_ARITHMETIC = frozenset(
    "sub mul div _copy _setitem _masked_fill_value _masked_fill_tensor clamp clamp_min clamp_max logical_and logical_or logical_xor".split()
)
_NAMED = {"_fill": "fill_", "index_add": "index_add_", "index_copy": "index_copy_", "scatter_add": "scatter_add_"}


def unwritable(level, op, values):
    """The error for a write of what differs between samples into a tensor that is the same for all."""
    if op.name in ("add", "atan2"):
        target, others = values[0], [v for v in values[1:] if isinstance(v, Tensor)]
        shape = (level.size, *np.broadcast_shapes(*[each._a.shape for each in (target, *others)]))
        return RuntimeError(
            f"output with shape {list(target._a.shape)} doesn't match the broadcast shape {list(shape)}"
        )
    if op.name in _ARITHMETIC or op.name in _NAMED:
        what, where = _NAMED.get(op.name, "inplace arithmetic"), "in a vmap"
    else:
        what, where = f"aten::{op.name.lstrip('_')}_", f"at level {level.number}"
    return RuntimeError(UNWRITABLE.format(what=what, where=where))


_NUMBERS = frozenset((int, float, bool, type(None), str, dtype))


class Batched(Lane):
    """The array of a batch's tensor: ``held`` with the batch at dimension ``bdim`` (None: held is the same for every sample)."""

    def __bool__(self):
        raise self.level.unreadable(self.level.no_truth)

    def astype(self, *args, **kwargs):
        raise self.level.unreadable(self.level.no_item)

    def strided(self):
        raise RuntimeError(
            "NYI: querying is_contiguous inside of vmap for memory_format other than torch.contiguous_format"
        )


def sample(array, bdim, size):
    """An array with the place in memory, shape and strides of the first sample."""
    if bdim is None:
        return array
    if not size:
        shape = array.shape[:bdim] + array.shape[bdim + 1 :]
        return np.broadcast_to(np.zeros((), array.dtype), shape)
    return np.ndarray.__getitem__(array, (slice(None),) * bdim + (0, ...))


class VmapLevel(Level):
    """One call of ``vmap`` over ``size`` samples."""

    array = Batched
    # why what depends on values or on chance is refused
    no_item, no_truth, no_random = ITEM, _TRUTH, RANDOM

    def __init__(self, size, randomness):
        super().__init__()
        self.size, self.randomness = size, randomness

    def make(self, held, bdim):
        """A tensor of this level."""
        array = np.ndarray.view(sample(held._a, bdim, self.size), Batched)
        array.level, array.held, array.bdim = self, held, bdim
        return attach(array, held._dtype, None, [0])

    def split(self, tensor):
        """(held, bdim) of any tensor."""
        array = tensor._a
        if array.__class__ is Batched and array.level is self:
            return array.held, array.bdim
        return tensor, None

    def item(self, array):
        if array.bdim is None:
            return array.held._a.item()
        raise self.unreadable(self.no_item)

    def unreadable(self, text):
        """The error for reading a value that differs between samples: ``text``, or what PyTorch says from another transform within."""
        return RuntimeError(text if self.takes_old_functions or self.number == thread.transforms else _EITHER)

    def same(self, array):
        made = np.ndarray.view(array, Batched)
        made.level, made.held, made.bdim = self, array.held, array.bdim
        return made

    def lift(self, tensor):
        return tensor if self.owns(tensor) else self.make(tensor, None)

    def detached(self, tensor):
        array = tensor._a
        made = self.make(array.held.detach(), array.bdim)
        made._vc = tensor._vc
        return made

    def made_like(self, array, make, shape):
        held, bdim = array.held, array.bdim
        if shape is None or bdim is None:
            return self.make(make(held) if shape is None else make(held, shape), bdim)
        return self.make(make(held, (self.size, *shape)), 0)

    def resized(self, array, shape, memory_format):
        if memory_format is not None and memory_format.name != "contiguous_format":
            raise RuntimeError("resize_: batching rule only supports None or Contiguous MemoryFormat")
        if array.bdim:
            raise RuntimeError("NYI: resize_ batch rule for batch dim != 0")
        held = array.held.resize_(*(shape if array.bdim is None else (self.size, *shape)))
        return self.make(held, array.bdim)._a

    def copied(self, tensor):
        held, bdim = self.split(tensor)
        return self.make(TENSOR.clone(held), bdim)

    def split_all(self, values):
        """(values with held tensors, the batch's dimension in each; lists for lists)."""
        given, dims = [], []
        for value in values:
            if isinstance(value, Tensor):
                value, dim = self.split(value)
            elif value.__class__ in (list, tuple) and any(isinstance(each, Tensor) for each in value):
                pairs = [self.split(each) if isinstance(each, Tensor) else (each, None) for each in value]
                value, dim = [v for v, _ in pairs], [d for _, d in pairs]
            else:
                dim = None
            given.append(value)
            dims.append(dim)
        return given, dims

    def __call__(self, op, values, how):
        if how is not None or not (self.outer_grad or not thread.grad):
            return super().__call__(op, values, how)
        # the ordinary call in one pass over the values
        given, dims, raws, edges = [], [], [], []
        owned = many = placed = strange = False
        mask, bit = 0, 1
        for value in values:
            kind = value.__class__
            dim = None
            raw = value
            if kind is Tensor:
                raw = value._a
                mask |= bit
                if raw.__class__ is Batched and raw.level is self:
                    owned = True
                    edge = value._edge if value._view is None else edge_of(value)
                    placed = placed or edge is not None
                    edges.append(edge)
                    value, dim = raw.held, raw.bdim
                    many = many or dim is not None
                else:
                    strange = True
            elif kind not in _NUMBERS and (isinstance(value, Tensor) or not holds_parts(value)):
                return super().__call__(op, values, how)
            given.append(value)
            dims.append(dim)
            raws.append(raw)
            bit += bit
        if not owned:
            return NotImplemented
        if not many:
            result = levels.execute(op, tuple(given))
        else:
            result, dim = (op.batch or rule_of(op))(self, op, given, dims)
            if result.__class__ is Tensor and dim is not None:
                result = self.make(result, dim)
                if not op.view and not placed:
                    return result
            else:
                result = self.wrapped(result, dim)
        if strange or result.__class__ is not Tensor:
            return self._finished(op, values, result)
        if op.view:
            result = self._as_view(op, values, result)
        if placed and self._wants_place(op, result):
            result = self.lift(result)
            result._edge = self._node(op, values, raws, edges, mask, result)
        return result

    def _node(self, op, values, raws, edges, mask, result):
        """The node of a call with one result, all tensors of which are lanes of this level."""
        layout = op.layouts.get(mask) or dispatch.layout_of(op, mask)
        if op.elementwise or active_hooks() is not None or is_anomaly_enabled():
            return make_node(op, values, raws, edges, layout, (result._a,), (result._vc,), None, result._dtype)
        wanted = tuple([edge is not None for edge in edges])
        form = layout.forms.get(wanted) or form_of(op, layout, wanted)
        kind = op.node_class or op.node(values)
        return form.record(kind, values, raws, tuple(edges), result._a, result._vc, result._dtype)

    def compute(self, op, values):
        given, dims = self.split_all(values)
        if not any_batched(dims):
            return levels.execute(op, given)
        return self.wrapped(*(op.batch or rule_of(op))(self, op, given, dims))

    def wrapped(self, result, dim):
        """Results of a rule as tensors of this level; those without a batch stay as they are."""
        if isinstance(result, Tensor):
            return result if dim is None else self.make(result, dim)
        dims = dim if isinstance(dim, (tuple, list)) else (dim,) * len(result)
        return levels.remade(
            result,
            [
                each if d is None or not isinstance(each, Tensor) else self.make(each, d)
                for each, d in zip(result, dims)
            ],
        )

    def compute_inplace(self, op, values):
        given, dims = self.split_all(values)
        if dims[0] is None:
            if any_batched(dims):
                raise unwritable(self, op, values)
            levels.execute_inplace(op, given)
            return
        target = front(given[0], dims[0])
        if op.name == "_copy":
            target.copy_(padded(front(given[1], dims[1]), target._a.ndim, dims[1]))
            return
        if op.name == "_zero":
            target.zero_()
            return
        given, dims = self.split_all(levels.overwritten(self, op, values))
        result, dim = (op.batch or rule_of(op))(self, op, given, dims)
        result = expanded(result, dim, self.size)
        if result._a.shape != target._a.shape:
            raise RuntimeError(
                f"output with shape {list(target._a.shape)} doesn't match the broadcast shape {list(result._a.shape)}"
            )
        if result._dtype is not target._dtype:
            from ..inplace import cast_check

            cast_check(result._dtype, target._dtype)
        target.copy_(result)

    def plain_index(self, tensor, index):
        from .batching_index import unmasked

        return unmasked(self, tensor, index)

    def compute_getitem(self, tensor, index):
        from .batching_index import getitem

        held, dim = self.split(tensor)
        try:
            found, out = getitem(self, held, dim, index)
        except IndexError as error:
            raise _index_error(tensor, index, error) from None
        return self.wrapped(found, out)

    def compute_setitem(self, target, index, value):
        from .batching_index import setitem

        held, dim = self.split(target)
        try:
            setitem(self, held, dim, index, value)
        except IndexError as error:
            raise _index_error(target, index, error) from None

    # -------------------------------------------------------------------------------------------------------- random

    def shape_of_draw(self, shape):
        """(shape to draw in, whether its first dimension is the batch) for a random tensor of ``shape`` in the function."""
        if self.randomness == "error":
            raise RuntimeError(self.no_random)
        return ((self.size, *shape), True) if self.randomness == "different" else (shape, False)

    # ---------------------------------------------------------------------------------------------- custom functions

    def custom(self, cls, args):
        from .batching_custom import call

        return call(self, cls, args)


def _index_error(tensor, index, error):
    """What is wrong with an index, in terms of one sample (``error`` counts the batch among the dimensions)."""

    def blank(each, dtype):
        return wrap(np.broadcast_to(np.zeros((), dtype.numpy), each._a.shape), dtype)

    index = tuple([blank(e, e._dtype) if isinstance(e, Tensor) and levels.is_lane(e) else e for e in index])
    try:
        with levels.Below(len(levels._stack.interpreters)):
            subscript.getitem(blank(tensor, tensor._dtype), index)
    except IndexError as of_sample:
        return of_sample
    return error


def any_batched(dims):
    """Whether any of the values has a batch."""
    for dim in dims:
        if dim is not None and (dim.__class__ is not list or any(each is not None for each in dim)):
            return True
    return False


# ------------------------------------------------------------------------------------------------- for batching rules


def front(x, dim):
    """A held tensor with its batch at dimension 0."""
    if dim is None or dim == 0:
        return x
    order = (dim, *[i for i in range(x._a.ndim) if i != dim])
    return TENSOR.permute(x, order)


def padded(x, ndim, dim):
    """A held tensor, batch in front if it has one, with dimensions of length 1 after it so that it has ``ndim`` (with the batch)."""
    missing = ndim - x._a.ndim
    if dim is None or missing <= 0:
        return x
    return TENSOR.reshape(x, (x._a.shape[0], *(1,) * missing, *x._a.shape[1:]))


def expanded(x, dim, size):
    """A held tensor with a batch in front, whether it had one or not."""
    if dim is not None:
        return front(x, dim)
    return TENSOR.expand(x, (size, *x._a.shape))


def rule_of(op):
    """The batching rule of an operator: that of its family, or the loop."""
    from .batching import rule_of as find

    return find(op)


# ---------------------------------------------------------------------------------------------------------- the loop


def loop(level, op, values, dims):
    """Sample by sample, with a warning: what an operator without a batching rule does."""
    warnings.warn(
        f"There is a performance drop because we have not yet implemented the batching rule for aten::{op.shown}. Please file "
        "us an issue on GitHub so that we can prioritize its implementation.",
        UserWarning,
        stacklevel=_stacklevel(),
    )
    return looped(level, op, values, dims)


def looped(level, op, values, dims):
    """The same without a word, for operators that PyTorch batches too or that nobody calls by name."""

    def pick(value, dim, k):
        if dim.__class__ is list:
            return [each if d is None else TENSOR.select(each, d, k) for each, d in zip(value, dim)]
        return value if dim is None else TENSOR.select(value, dim, k)

    if not level.size:
        return empty(level, op, values, dims)
    rows = [levels.execute(op, tuple(pick(v, d, k) for v, d in zip(values, dims))) for k in range(level.size)]
    if not isinstance(rows[0], tuple):
        return TENSOR.stack(rows, 0), 0
    columns = [TENSOR.stack(list(column), 0) for column in zip(*rows)]
    return levels.remade(rows[0], columns), 0


def empty(level, op, values, dims):
    """A batch of no samples: shapes are those of a sample of zeros."""

    def blank(value, dim):
        if dim.__class__ is list:
            return [blank(v, d) for v, d in zip(value, dim)]
        if dim is None:
            return value
        shape = value._a.shape
        return wrap(np.zeros(shape[:dim] + shape[dim + 1 :], value._dtype.numpy), value._dtype)

    made = dispatch.execute(op, tuple(blank(v, d) for v, d in zip(values, dims)))
    results = made if isinstance(made, tuple) else (made,)
    hollow = [wrap(np.zeros((0, *each._a.shape), each._dtype.numpy), each._dtype) for each in results]
    return (levels.remade(made, hollow), 0) if isinstance(made, tuple) else (hollow[0], 0)


def _stacklevel():
    """How far above the warning the user's code is."""
    import sys

    from .graph import user_frame

    wanted = user_frame()
    frame, count = sys._getframe(1), 1
    while frame is not None and frame is not wanted:
        frame, count = frame.f_back, count + 1
    return count
