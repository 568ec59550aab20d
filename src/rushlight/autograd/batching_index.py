"""Batching rules of what takes indices: subscripts, gathers and scatters, embeddings, and what PyTorch refuses for its shape."""

import numpy as np

from ..ops import subscript
from ..ops.table import TENSOR
from ..tensor import Tensor, wrap
from .batching import RULES, batched, each_expanded, fronted, rule, run, up
from .vmap import expanded, front, loop, looped, padded, unwritable

# --------------------------------------------------------------------------------------------------------- subscripts


def _is_mask(each):
    return isinstance(each, Tensor) and each._dtype.name in ("bool", "uint8")


def unmasked(level, tensor, index):
    """An index without masks: those that are the same for all samples become index tensors, others cannot be."""
    made = []
    for each in index:
        if not _is_mask(each) or not each._a.ndim:
            made.append(each)
            continue
        held, dim = level.split(each)
        if dim is not None:
            raise RuntimeError(
                "vmap: We do not support batching operators that can support dynamic shape. Attempting to batch over indexing with a "
                "boolean mask."
            )
        made += TENSOR.nonzero(held, as_tuple=True)
    return tuple(made)


class _Layout:
    """Where the index tensors of a subscript stand and where their common dimensions come to lie in a sample's result.

    ``span`` is how many dimensions they broadcast to, ``place`` where those lie in the result of a sample, ``together`` whether the
    index tensors are neighbours.
    """

    def __init__(self, level, index, ndim):
        self.advanced = [i for i, each in enumerate(index) if isinstance(each, Tensor) or each.__class__ is bool]
        pairs = [(level.split(e) if isinstance(e, Tensor) else (e, None)) for e in index]
        self.held = [p[0] for p in pairs]
        self.dims = [p[1] for p in pairs]
        self.batched = any(d is not None for d in self.dims)
        shapes = [h._a.ndim - (d is not None) for h, d in zip(self.held, self.dims) if isinstance(h, Tensor)]
        self.span = max(shapes, default=0)
        at = self.advanced
        # integers among index tensors are index tensors too
        whole = [i for i, e in enumerate(index) if i in at or e.__class__ is int] if at else []
        self.whole = whole
        self.together = not whole or whole == list(range(whole[0], whole[-1] + 1))
        self.place = 0
        if whole and self.together:
            used = sum(1 for e in index if e is not None and e is not Ellipsis and e.__class__ is not bool)
            for each in index[: whole[0]]:
                self.place += ndim - used if each is Ellipsis else 1


def _spread_index(level, layout):
    """The index tensors of every sample, the batch in front: shape (size, *ones, *sample's shape)."""
    made = []
    for i, (held, dim) in enumerate(zip(layout.held, layout.dims)):
        if isinstance(held, Tensor) and dim is not None:
            made.append(padded(front(held, dim), layout.span + 1, dim))
        elif i in layout.whole and held.__class__ is int:
            made.append(wrap(np.asarray(held)))
        else:
            made.append(held)
    return made


def _samples(level, span):
    """The number of each sample, to index a batch by."""
    return wrap(np.arange(level.size).reshape(level.size, *(1,) * span))


def getitem(level, x, dim, index):
    """``x[index]`` of every sample: (result, dimension of the batch)."""
    ndim = x._a.ndim - (dim is not None)
    layout = _Layout(level, index, ndim)
    if not layout.advanced:
        if dim is None:
            return subscript.getitem(x, index), None
        return subscript.getitem(front(x, dim), (slice(None), *index)), 0
    if not layout.batched:
        if dim is None:
            return subscript.getitem(x, tuple(layout.held)), None
        found = subscript.getitem(front(x, dim), (slice(None), *layout.held))
        # index tensors that are not neighbours put their dimensions first, before the batch
        return found, 0 if layout.together else layout.span
    spread = _spread_index(level, layout)
    if dim is None:
        found = subscript.getitem(x, tuple(spread))
        return found, layout.place if layout.together else 0
    found = subscript.getitem(front(x, dim), (_samples(level, layout.span), *spread))
    if layout.place and layout.together:
        # the batch's index and the others are not neighbours: (size, *span, *rest) is how it came out
        order = list(range(1, found._a.ndim))
        common, rest = order[: layout.span], order[layout.span :]
        found = TENSOR.permute(found, (0, *rest[: layout.place], *common, *rest[layout.place :]))
    return found, 0


def setitem(level, x, dim, index, value):
    """``x[index] = value`` for every sample, in place."""
    given, value_dim = level.split(value) if isinstance(value, Tensor) else (value, None)
    layout = _Layout(level, index, x._a.ndim - (dim is not None))
    if dim is None:
        if value_dim is not None or layout.batched:
            raise unwritable(level, subscript._SETITEM, ())
        subscript.setitem(x, tuple(layout.held), given)
        return
    x = front(x, dim)
    if layout.advanced:
        subscript.setitem(x, *_written(level, layout, index, x._a.ndim - 1, given, value_dim))
        return
    part = subscript.getitem(x, (slice(None), *index))
    if isinstance(given, Tensor):
        part.copy_(_fitted(level, given, value_dim, part._a.ndim))
    else:
        part.fill_(given)


def _written(level, layout, index, ndim, given, value_dim):
    """(index, value) of a write to a whole batch, for an index with tensors in it."""
    moved = layout.batched and layout.place and layout.together
    if isinstance(given, Tensor):
        # the result's dimensions, without the batch
        result = layout.span + ndim - len([i for i in layout.whole if layout.held[i].__class__ is not bool])
        result += sum(each is None for each in index)
        given = _fitted(level, given, value_dim, result + 1)
        if moved:
            if value_dim is None and given._a.ndim <= result:
                given = expanded(given, None, level.size)
            given = padded(given, result + 1, 0)
            common = list(range(1 + layout.place, 1 + layout.place + layout.span))
            rest = [i for i in range(1, result + 1) if i not in common]
            given = TENSOR.permute(given, (0, *common, *rest))
        elif not layout.batched and not layout.together and value_dim is not None:
            given = TENSOR.movedim(given, 0, layout.span)
    if layout.batched:
        return (_samples(level, layout.span), *_spread_index(level, layout)), given
    return (slice(None), *layout.held), given


def _fitted(level, value, dim, ndim):
    """A value to be written, with the batch in front of ``ndim - 1`` dimensions (those of length 1 it has too many dropped)."""
    if dim is None:
        while value._a.ndim > ndim - 1 and value._a.shape[0] == 1:
            value = TENSOR.select(value, 0, 0)
        return value
    value = front(value, dim)
    while value._a.ndim > ndim and value._a.shape[1] == 1:
        value = TENSOR.select(value, 1, 0)
    return padded(value, ndim, 0)


@rule("_select", "_slice", "_none", "_whole")
def _basic(level, op, values, dims):
    index = values[1] if values[1].__class__ is tuple else (values[1],)
    return subscript.getitem(front(values[0], dims[0]), (slice(None), *index)), 0


@rule("_unsubscript")
def _unsubscript(level, op, values, dims):
    x, index, size = values
    index = index if index.__class__ is tuple else (index,)
    return batched(op, (front(x, dims[0]), (slice(None), *index), (level.size, *size))), 0


@rule("_blank")
def _blank(level, op, values, dims):
    x, index = values
    if subscript._is_basic(index):
        return batched(op, (front(x, dims[0]), (slice(None), *index))), 0
    x = expanded(x, dims[0], level.size)
    index = _relaned(level, index, dims[1])
    layout = _Layout(level, index, x._a.ndim - 1)
    return batched(op, (x, _written(level, layout, index, x._a.ndim - 1, 0, None)[0])), 0


def _relaned(level, index, dims):
    """An index of held tensors as one of this level's, as subscripts take it."""
    if dims is None:
        return tuple(index)
    return tuple(each if d is None else level.make(each, d) for each, d in zip(index, dims))


@rule("_index")
def _index(level, op, values, dims):
    return getitem(level, values[0], dims[0], _relaned(level, values[1], dims[1]))


@rule("_unindex")
def _unindex(level, op, values, dims):
    """Zeros with the cotangent added at ``index``: the transpose of ``getitem``."""
    g, index, size = values
    index = _relaned(level, index, dims[1])
    layout = _Layout(level, index, len(size))
    if not layout.batched and layout.together:
        return batched(op, (front(g, dims[0]), (slice(None), *layout.held), (level.size, *size))), 0
    g = expanded(g, dims[0], level.size)
    if not layout.batched:
        return batched(op, (TENSOR.movedim(g, 0, layout.span), (slice(None), *layout.held), (level.size, *size))), 0
    if layout.place and layout.together:
        common = list(range(1 + layout.place, 1 + layout.place + layout.span))
        rest = [i for i in range(1, g._a.ndim) if i not in common]
        g = TENSOR.permute(g, (0, *common, *rest))
    index = (_samples(level, layout.span), *_spread_index(level, layout))
    return batched(op, (g, index, (level.size, *size))), 0


@rule("_index_put")
def _index_put(level, op, values, dims):
    x, indices, given, accumulate = values
    indices = tuple(slice(None) if each is None else each for each in _relaned(level, indices, dims[1]))
    index = unmasked(level, None, indices)
    x = expanded(x, dims[0], level.size)
    layout = _Layout(level, index, x._a.ndim - 1)
    whole, given = _written(level, layout, index, x._a.ndim - 1, given, dims[2])
    whole = tuple(None if each.__class__ is slice else each for each in whole)
    return batched(op, (x, whole, given, accumulate)), 0


# ---------------------------------------------------------------------------------------------- gathers and scatters


def _along(*places):
    """Operators of tensors with as many dimensions, at ``places``, and one dimension they work along."""

    def moved(level, op, values, dims):
        values = each_expanded(level, values, dims, places)
        at = op.params.index("dim")
        ndim = values[0]._a.ndim - 1
        where = up(values[at], ndim)
        flat = [i for i in places if isinstance(values[i], Tensor) and values[i]._a.ndim == 1]
        kept = values[places[-1] if op.name == "gather" else 0]._a.ndim == 1
        for i in flat:
            values[i] = TENSOR.unsqueeze(values[i], 1)
        values[at] = where
        result = batched(op, values)
        return (TENSOR.squeeze(result, 1) if kept else result), 0

    return moved


RULES["gather"] = _along(0, 2)
for _name in ("_scatter", "_scatter_reduced", "scatter_add", "scatter_reduce"):
    RULES[_name] = _along(0, 2, 3)
RULES["_scatter_value"] = _along(0, 2)


@rule("_gather_backward")
def _gather_back(level, op, values, dims):
    g, sizes, dim, index = each_expanded(level, values, dims, (0, 3))
    where = up(dim, len(sizes))
    if not sizes:
        if g._a.ndim == 1:
            g, index = TENSOR.unsqueeze(g, 1), TENSOR.unsqueeze(index, 1)
        return TENSOR.squeeze(batched(op, (g, (level.size, 1), 1, index)), 1), 0
    if g._a.ndim == 1:
        g, index = TENSOR.unsqueeze(g, 1), TENSOR.unsqueeze(index, 1)
    return batched(op, (g, (level.size, *sizes), where, index)), 0


def _spread_along(index, dim, shape):
    """Index tensors (size, k) as ones for ``gather``: shape ``shape`` with k at ``dim``, repeated along the other dimensions."""
    ones = [1] * len(shape)
    ones[0], ones[dim] = shape[0], index._a.shape[1]
    wide = list(shape)
    wide[dim] = index._a.shape[1]
    return TENSOR.expand(TENSOR.reshape(index, tuple(ones)), tuple(wide))


@rule("index_select")
def _index_select(level, op, values, dims):
    x, dim, index = values
    ndim = x._a.ndim - (dims[0] is not None)
    where = up(dim, ndim)
    if dims[2] is None:
        x = front(x, dims[0])
        if ndim:
            return batched(op, (x, where, index)), 0
        return TENSOR.squeeze(batched(op, (TENSOR.unsqueeze(x, 1), 1, index)), 1), 0
    x = expanded(x, dims[0], level.size)
    index = front(index, dims[2])
    if index._a.ndim == 1:
        index = TENSOR.unsqueeze(index, 1)
    if not ndim:
        return TENSOR.squeeze(TENSOR.gather(TENSOR.unsqueeze(x, 1), 1, index.long()), 1), 0
    return TENSOR.gather(x, where, _spread_along(index.long(), where, x._a.shape)), 0


@rule("_index_select_backward")
def _index_select_back(level, op, values, dims):
    g, sizes, dim, index = values
    where = up(dim, len(sizes))
    g = expanded(g, dims[0], level.size)
    if not sizes:
        return TENSOR.reshape(g, (level.size,)), 0
    if dims[3] is None:
        return batched(op, (g, (level.size, *sizes), where, index)), 0
    index = front(index, dims[3])
    index = TENSOR.unsqueeze(index, 1) if index._a.ndim == 1 else index
    zeros = wrap(np.zeros((level.size, *sizes), g._dtype.numpy), g._dtype)
    return TENSOR.scatter_add(zeros, where, _spread_along(index.long(), where, g._a.shape), g), 0


@rule("index_add", "index_copy", "_index_fill_value", "_index_fill_tensor", "index_reduce")
def _index_written(level, op, values, dims):
    x, dim, index, source, *rest = values
    ndim = x._a.ndim - (dims[0] is not None)
    if not ndim:
        return looped(level, op, values, dims)
    x = TENSOR.clone(expanded(x, dims[0], level.size)) if dims[0] is None else front(x, dims[0])
    where = up(dim, ndim)
    fills = op.name.startswith("_index_fill")
    if dims[2] is None and (not fills or dims[3] is None):
        source = source if fills else expanded(source, dims[3], level.size)
        if not fills and source._a.ndim == 1:
            source = TENSOR.unsqueeze(source, 1)
        return batched(op, (x, where, index, source, *rest)), 0
    index = expanded(index, dims[2], level.size).long()
    index = TENSOR.unsqueeze(index, 1) if index._a.ndim == 1 else index
    wide = _spread_along(index, where, x._a.shape)
    if fills:
        if not isinstance(source, Tensor):
            return TENSOR._scatter_value(x, where, wide, source), 0
        source = expanded(source, dims[3], level.size).to(x._dtype)
        source = TENSOR.expand(TENSOR.reshape(source, (level.size, *(1,) * ndim)), wide._a.shape)
        return TENSOR._scatter(x, where, wide, source), 0
    source = TENSOR.reshape(expanded(source, dims[3], level.size), wide._a.shape)
    if op.name == "index_add":
        alpha = rest[0]
        return TENSOR.scatter_add(x, where, wide, source if alpha == 1 else source * alpha), 0
    if op.name == "index_copy":
        return TENSOR._scatter(x, where, wide, source), 0
    return TENSOR.scatter_reduce(x, where, wide, source, rest[0], include_self=rest[1]), 0


@rule("take")
def _take(level, op, values, dims):
    x, index = values
    if dims[0] is None:
        return batched(op, (x, front(index, dims[1]))), 0
    flat = TENSOR.reshape(front(x, dims[0]), (level.size, -1))
    count = flat._a.shape[1]
    index = expanded(index, dims[1], level.size)
    places = TENSOR.remainder(index, max(count, 1)) + _samples(level, index._a.ndim - 1) * count
    return batched(op, (flat, places)), 0


@rule("embedding")
def _embedding(level, op, values, dims):
    weight, indices, *rest = values
    if dims[0] is None:
        return batched(op, (weight, front(indices, dims[1]), *rest)), 0
    if rest[1]:
        return loop(level, op, values, dims)
    weight = front(weight, dims[0])
    count, width = weight._a.shape[1:]
    indices = expanded(indices, dims[1], level.size)
    places = indices + _samples(level, indices._a.ndim - 1) * count
    found = run("embedding", TENSOR.reshape(weight, (level.size * count, width)), places)
    if rest[0] >= 0:
        # the row that does not learn is another one in each sample
        found = TENSOR.where(TENSOR.unsqueeze(TENSOR.eq(indices, rest[0]), -1), found.detach(), found)
    return found, 0


@rule("_embedding_backward")
def _embedding_back(level, op, values, dims):
    g, indices, count, padding, by_frequency = values
    if by_frequency:
        return loop(level, op, values, dims)
    g, indices = expanded(g, dims[0], level.size), expanded(indices, dims[1], level.size)
    if padding >= 0:
        g = TENSOR.masked_fill(g, TENSOR.unsqueeze(TENSOR.eq(indices, padding), -1), 0)
    places = indices + _samples(level, indices._a.ndim - 1) * count
    found = batched(op, (g, places, level.size * count, -1, False))
    return TENSOR.reshape(found, (level.size, count, found._a.shape[-1])), 0


@rule("_bucketize")
def _bucketize(level, op, values, dims):
    if dims[1] is not None:
        return looped(level, op, values, dims)
    return batched(op, fronted(values, dims)), 0


@rule("_searchsorted")
def _searchsorted(level, op, values, dims):
    ordered, wanted, *rest = values
    if dims[0] is None and ordered._a.ndim == 1 and isinstance(wanted, Tensor) and rest[3] is None:
        return batched(op, (ordered, front(wanted, dims[1]), *rest)), 0
    return looped(level, op, values, dims)


@rule("_one_hot_rows")
def _one_hot(level, op, values, dims):
    if values[1] == -1:
        raise RuntimeError(
            "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive num_classes argument."
        )
    return batched(op, fronted(values, dims)), 0


# ------------------------------------------------------------------------------------------------------ what is refused

_DYNAMIC = dict(
    _nonzero="nonzero",
    _nonzero_tuple="where",
    _unique="_unique2",
    _unique_consecutive="unique_consecutive",
)


@rule(*_DYNAMIC)
def _dynamic(level, op, values, dims):
    by_rows = op.name == "_unique" and values[op.params.index("dim")] is not None
    name = "unique_dim" if by_rows else _DYNAMIC[op.name]
    raise RuntimeError(
        f"vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::{name}. Please file "
        "an issue at https://github.com/pytorch/pytorch/issues if you need this feature."
    )


@rule("masked_select")
def _masked_select(level, op, values, dims):
    if dims[1] is not None:
        raise RuntimeError(
            "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this because for each batch this "
            "would return a differently shaped Tensor. Please file an issue at https://github.com/pytorch/pytorch/issues if you need "
            "this feature."
        )
    x, mask = values
    ndim = max(x._a.ndim - 1, mask._a.ndim)
    shape = np.broadcast_shapes(x._a.shape[: dims[0]] + x._a.shape[dims[0] + 1 :], mask._a.shape)
    x = TENSOR.expand(padded(front(x, dims[0]), ndim + 1, 0), (level.size, *shape))
    mask = TENSOR.expand(mask, shape)
    if not ndim:
        x, mask = TENSOR.unsqueeze(x, 1), TENSOR.unsqueeze(mask, 0)
    return subscript.getitem(x, (slice(None), *TENSOR.nonzero(mask, as_tuple=True))), 0
