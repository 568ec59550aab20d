"""Taking and putting by index and by mask, with their derivatives: a gather's is a scatter that adds, and the other way round."""

import numpy as np

from .. import dtypes
from ..array import gather as kernels
from ..array import indexing, masks
from ..array.arguments import wrap_dim
from ..array.shape import expand
from ..autograd.refusing import DelayedError
from ..tensor import Tensor
from . import undifferentiable
from .asking import asking
from .reduce import as_number, raw
from .refusals import same
from .table import PLACES, TENSOR, composite, differentiable

_private = dict(method=False, function=False)


# ------------------------------------------------------------------------------------------------- gather and scatter

differentiable(
    *("gather", kernels.gather),
    **dict(
        vjp=lambda F, g, dim, index, x_shape: F._gather_backward(g, tuple(x_shape), dim, index),
        **dict(out="same", apart=True),
    ),
)
differentiable(
    *("_gather_backward", kernels._gather_backward),
    **dict(vjp=dict(grad_output=lambda F, g, dim, index: F.gather(g, dim, index)), **_private),
)


def _scatter(input, dim, index, src):
    return kernels.scatter(input, dim, index, src)


def _scatter_reduced(input, dim, index, src, reduce):
    return kernels.scatter(input, dim, index, src, reduce=reduce)


def _scatter_value(input, dim, index, value):
    return kernels.scatter(input, dim, index, value)


def _src_vjp(F, g, dim, index, src_shape):
    if not raw(index).size:
        return F.new_zeros(g, tuple(src_shape))
    if tuple(index.shape) != tuple(src_shape):
        raise RuntimeError("the backward of scatter needs src and index of one shape")
    return F.gather(g, dim, index)


_input_vjp = dict(input=lambda F, g, dim, index: F._scatter_value(g, dim, index, 0))
_made = dict(node_name="ScatterBackward0", inplace=True, out="same", spoken_out="scatter", **_private)
differentiable("_scatter", _scatter, vjp=dict(_input_vjp, src=_src_vjp), **_made)
differentiable("_scatter_value", _scatter_value, vjp=_input_vjp, **dict(_made, node_name="ScatterBackward1"))
differentiable("_scatter_reduced", _scatter_reduced, inplace=True, out="same", spoken_out="aten::scatter", **_private)


def _scatter_call(F, name, input, dim, index, src, value, reduce, **rest):
    src = value if src is None else src
    if reduce is not None:
        return getattr(F, "_scatter_reduced" + name)(input, dim, index, src, reduce, **rest)
    if hasattr(src, "shape"):
        return getattr(F, "_scatter" + name)(input, dim, index, src, **rest)
    return getattr(F, "_scatter_value" + name)(input, dim, index, src, **rest)


@composite("scatter")
def scatter(F, input, dim, index, src=None, *, value=None, reduce=None, out=None):
    rest = {} if out is None else {"out": out}
    return _scatter_call(F, "", input, dim, index, src, value, reduce, **rest)


def _method(name):
    def hang(function):
        function.__name__ = function.__qualname__ = name
        setattr(Tensor, name, function)
        setattr(TENSOR, name, function)
        return function

    return hang


@_method("scatter_")
def scatter_(self, dim, index, src=None, *, value=None, reduce=None):
    """``scatter`` in place."""
    return _scatter_call(TENSOR, "_", self, dim, index, src, value, reduce)


differentiable(
    *("scatter_add", kernels.scatter_add),
    **dict(vjp=dict(input=lambda F, g: g, src=_src_vjp), inplace=True, out="same"),
)


# -------------------------------------------------------------------------------- combining what meets in one place


#: the refusal to differentiate the gradient of a product once more; ``{}`` is the operator, then the name of its source
_NO_SECOND = (
    "{0}(): Double backward is unsupported for {1} when >1 zeros in {1} are scattered to the same position in self"
)


def _reduction_vjp(F, g, needs, x, src, y, reduce, include_self, names, pick, add, fill, redo):
    """Cotangents of scatter_reduce and index_reduce; ``pick``, ``add``, ``fill``, ``redo`` move between the two sides.

    ``pick`` reads at the index, ``add`` adds there, ``fill`` writes zero there, ``redo`` is the operator itself. ``names`` are the
    operator's and its source's.
    """
    if reduce == "sum":
        to_self, to_src = g, pick(g)
    elif reduce == "mean":
        ones = F.ones_like(x) if include_self else F.zeros_like(x)
        n = add(ones, F.ones_like(src))
        n = F.masked_fill(n, F.eq(n, 0), 1.0)
        to_self = g / n
        to_src = pick(to_self)
    elif reduce == "prod":
        own = F.masked_fill(x, F.eq(x, 0), 1.0)
        to_self = g * redo(own, src) / own
        zero = F.eq(src, 0)
        zeros = pick(add(F.zeros_like(x), as_number(F, zero, src)))
        single = F.logical_and(zero, F.eq(zeros, 1))
        without = redo(x, F.masked_fill(src, single, 1.0))
        rest = pick(g * y) / F.masked_fill(src, zero, 1.0)
        to_src = F.where(single, pick(g * without), rest)
        if F is TENSOR and (raw(zeros) > 1).any():
            # right as it is, but the derivatives of what is left out here would be wrong
            to_src = DelayedError(_NO_SECOND.format(*names), 1)(to_src)
    else:
        own = as_number(F, F.eq(x, y), g)
        theirs = as_number(F, F.eq(src, pick(y)), g)
        share = g / add(own, theirs)
        to_self, to_src = own * share, theirs * pick(share)
    if not include_self:
        to_self = fill(to_self)
    return to_self, to_src


def _scatter_reduce_vjp(F, g, needs, x, dim, index, src, y, reduce, include_self):
    to_self, to_src = _reduction_vjp(
        *(F, g, needs, x, src, y, reduce, include_self, ("scatter_reduce", "src")),
        pick=lambda a: F.gather(a, dim, index),
        add=lambda a, b: F.scatter_add(a, dim, index, b),
        fill=lambda a: F._scatter_value(a, dim, index, 0),
        redo=lambda a, b: F.scatter_reduce(a, dim, index, b, reduce, include_self=include_self),
    )
    return to_self, None, to_src


differentiable("scatter_reduce", kernels.scatter_reduce, vjp_all=_scatter_reduce_vjp, inplace=True, out="same")


def _index_reduce_vjp(F, g, needs, x, dim, index, source, y, reduce, include_self):
    to_self, to_src = _reduction_vjp(
        *(F, g, needs, x, source, y, reduce, include_self, ("index_reduce", "source")),
        pick=lambda a: F.reshape(F.index_select(a, dim, index), tuple(source.shape)),
        add=lambda a, b: F.index_add(a, dim, index, b),
        fill=lambda a: F._index_fill_value(a, dim, index, 0),
        redo=lambda a, b: F.index_reduce(a, dim, index, b, reduce, include_self=include_self),
    )
    return to_self, None, to_src


differentiable(
    *("index_reduce", kernels.index_reduce),
    vjp_all=_index_reduce_vjp,
    jvp=dict.fromkeys(("input", "source"), undifferentiable.tangent("index_reduce")),
    **dict(inplace=True, out="same"),
)

# ----------------------------------------------------------------------------------------------- whole slices by index


def _index_select_vjp(F, g, dim, index, x_shape):
    return F._index_select_backward(g, tuple(x_shape), dim, index)


_select_out = same("index_select(): self and result must have the same scalar type")
differentiable("index_select", kernels.index_select, vjp=dict(input=_index_select_vjp), out=True, check_out=_select_out)
differentiable(
    *("_index_select_backward", kernels._index_select_backward),
    **dict(vjp=dict(grad_output=lambda F, g, dim, index: F.index_select(g, dim, index)), **_private),
)
differentiable(
    *("index_add", kernels.index_add),
    **dict(
        vjp=dict(
            input=lambda F, g: g,
            source=lambda F, g, dim, index, alpha, source_shape: F.reshape(
                F.index_select(g, dim, index) * alpha, tuple(source_shape)
            ),
        ),
        **dict(inplace=True, out="same"),
    ),
)
differentiable(
    *("index_copy", kernels.index_copy),
    **dict(
        vjp=dict(
            input=lambda F, g, dim, index: F._index_fill_value(g, dim, index, 0),
            source=lambda F, g, dim, index, source_shape: F.reshape(F.index_select(g, dim, index), tuple(source_shape)),
        ),
        **dict(inplace=True, out="same"),
    ),
)


def _filling(name, node_name, **rules):
    def fill(input, dim, index, value):
        return kernels.index_fill(input, dim, index, value)

    rules["input"] = lambda F, g, dim, index: F._index_fill_value(g, dim, index, 0)
    differentiable(name, fill, vjp=rules, inplace=True, node_name=node_name, **_private)


_filling("_index_fill_value", "IndexFillBackward0")
_filling(
    "_index_fill_tensor",
    "IndexFillBackward1",
    value=lambda F, g, dim, index: F.sum(g - F._index_fill_value(g, dim, index, 0)),
)


@composite("index_fill")
def index_fill(F, input, dim, index, value):
    return getattr(F, "_index_fill_tensor" if hasattr(value, "shape") else "_index_fill_value")(
        input, dim, index, value
    )


@_method("index_fill_")
def index_fill_(self, dim, index, value):
    """``index_fill`` in place."""
    name = "_index_fill_tensor_" if hasattr(value, "shape") else "_index_fill_value_"
    return getattr(TENSOR, name)(self, dim, index, value)


# ---------------------------------------------------------------------------------------------------- by flat index

differentiable(
    *("take", kernels.take),
    **dict(
        vjp=lambda F, g, index, x_shape: F.put(F.new_zeros(g, tuple(x_shape)), index, g, True),
        out=True,
        check_out=same(
            "take(): self and out expected to have the same dtype, but got self.dtype = {result} and out.dtype = {out}"
        ),
        apart=True,
    ),
)


def _put_input_vjp(F, g, index, accumulate, source_shape):
    return g if accumulate else F.put(g, index, F.new_zeros(g, tuple(source_shape)), False)


differentiable(
    *("put", kernels.put),
    **dict(
        vjp=dict(
            input=_put_input_vjp,
            source=lambda F, g, index, source_shape: F.reshape(F.take(g, index), tuple(source_shape)),
        ),
        inplace=True,
    ),
)


@composite("take_along_dim")
def take_along_dim(F, input, indices, dim=None, *, out=None):
    rest = {} if out is None else {"out": out}
    kernels.take_along_dim(raw(input), raw(indices), dim) if _needs_words(input, indices, dim) else None
    if dim is None:
        return F.gather(F.reshape(input, (-1,)), 0, F.reshape(indices, (-1,)), **rest)
    dim = wrap_dim(dim, input.ndim)
    source, wanted = kernels.along_shapes(tuple(input.shape), tuple(indices.shape), dim)
    if raw(indices).size and raw(indices).min() < 0:
        indices = F.where(F.lt(indices, 0), indices + source[dim], indices)
    return F.gather(F.expand(input, source), dim, F.expand(indices, wanted), **rest)


def _needs_words(input, indices, dim):
    """Whether the kernel would refuse (its words are PyTorch's)."""
    return raw(indices).dtype != np.int64 or (dim is not None and input.ndim != indices.ndim)


# ------------------------------------------------------------------------------------------------- several index arrays


def _whole(indices):
    """Index arrays as a subscript: None stands for a whole dimension."""
    return [slice(None) if each is None else each for each in indices]


def _index_put(input, indices, values, accumulate=False):
    return indexing.index_put(input, indices, values, accumulate)


def _index_put_input(F, g, indices, accumulate, values_dtype):
    return g if accumulate else F._index_put(g, list(indices), F.new_zeros(g, ()), False)


differentiable(
    *("_index_put", _index_put),
    **dict(
        vjp=dict(
            input=_index_put_input,
            values=lambda F, g, indices, values_shape: F.sum_to(F._index(g, _whole(indices)), tuple(values_shape)),
        ),
        **dict(inplace=True, node_name="IndexPutBackward0", **_private),
    ),
)


def _check_index_list(name, indices):
    for i, each in enumerate(indices):
        if not hasattr(each, "shape"):
            raise TypeError(f"expected Tensor as element {i} in argument {0}, but got {type(each).__name__}")


@composite("index_put")
def index_put(F, input, indices, values, accumulate=False):
    _check_index_list("index_put", indices)
    return F._index_put(input, list(indices), values, accumulate)


@_method("index_put_")
def index_put_(self, indices, values, accumulate=False):
    """``index_put`` in place."""
    _check_index_list("index_put_", indices)
    return TENSOR._index_put_(self, list(indices), values, accumulate)


PLACES[""]["index_put_"] = asking(index_put_, ("", "index_put_"))


# ------------------------------------------------------------------------------------------------------------- by mask


def _where(condition, first, other):
    return masks.where(condition, first, other)


differentiable(
    *("_where", _where),
    **dict(
        vjp=dict(
            first=lambda F, g, condition, first_shape: F.masked_fill(g, F.logical_not(condition), 0.0),
            other=lambda F, g, condition, other_shape: F.masked_fill(g, condition, 0.0),
        ),
        **dict(node_name="WhereBackward0", **_private),
        **dict(out=True, spoken_out="where", check_out=same("Expected out type to be {result} but got {out}")),
    ),
)


@composite("where", method=False)
def where(F, condition, input=None, other=None, *, out=None):
    if input is None and other is None:
        return F.nonzero(condition, as_tuple=True)
    return F._where(condition, input, other) if out is None else F._where(condition, input, other, out=out)


def _where_method(self, condition, other):
    """This tensor where ``condition`` holds, else ``other``."""
    return TENSOR._where(condition, self, other)


_where_method.__name__ = _where_method.__qualname__ = "where"
Tensor.where = _where_method


def _filled(name, node_name, **rules):
    def fill(input, mask, value):
        return masks.masked_fill(input, mask, value)

    rules["input"] = lambda F, g, mask: F._masked_fill_value(g, mask, 0.0)
    differentiable(name, fill, vjp=rules, inplace=True, node_name=node_name, **_private)


_filled("_masked_fill_value", "MaskedFillBackward0")
_filled("_masked_fill_tensor", "MaskedFillBackward1", value=lambda F, g, mask: F.sum(F.where(mask, g, F.zeros_like(g))))


@composite("masked_fill")
def masked_fill(F, input, mask, value):
    return getattr(F, "_masked_fill_tensor" if hasattr(value, "shape") else "_masked_fill_value")(input, mask, value)


@_method("masked_fill_")
def masked_fill_(self, mask, value):
    """``masked_fill`` in place."""
    return getattr(TENSOR, "_masked_fill_tensor_" if hasattr(value, "shape") else "_masked_fill_value_")(
        self, mask, value
    )


def _masked_select_vjp(F, g, mask, x_shape):
    from ..array.arguments import broadcast_shapes_of_two

    shape = broadcast_shapes_of_two(tuple(mask.shape), tuple(x_shape))
    return F.masked_scatter(F.new_zeros(g, shape), mask, g)


differentiable(
    *("masked_select", masks.masked_select),
    **dict(vjp=_masked_select_vjp, out=True, apart=True),
    check_out=same("masked_select(): self and result must have the same scalar type"),
)


def _source_vjp(F, g, mask, source_shape):
    taken = F.masked_select(g, mask)
    missing = int(np.prod(source_shape, dtype=np.int64)) - taken.shape[0]
    if missing:
        taken = F.cat([taken, F.new_zeros(taken, (missing,))], 0)
    return F.reshape(taken, tuple(source_shape))


def _refuse_mask(target, arguments, shape):
    """PyTorch's refusal of a mask that does not expand to the tensor written to."""
    mask, size = arguments[1], list(target._a.shape)
    if mask.ndim > len(size):
        raise RuntimeError(
            f"expand(CPUBoolType{{{list(mask.shape)}}}, size={size}): the number of sizes provided ({len(size)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({mask.ndim})"
        )
    expand(mask, size)


differentiable(
    *("masked_scatter", masks.masked_scatter),
    **dict(vjp=dict(input=lambda F, g, mask: F.masked_fill(g, mask, 0.0), source=_source_vjp), inplace=True),
    misfit=_refuse_mask,
)


@composite("nonzero")
def nonzero(F, input, *, as_tuple=False, out=None):
    if out is not None and not hasattr(out, "dtype"):
        raise TypeError(f"nonzero(): argument 'out' must be Tensor, not {type(out).__name__}")
    if as_tuple and out is not None:
        raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
    if as_tuple:
        return F._nonzero_tuple(input)
    return F._nonzero(input) if out is None else F._nonzero(input, out=out)


_nonzero_out = same("nonzero: Expected out tensor to have scalar type {result} but got scalar type{out}")
differentiable("_nonzero", masks.nonzero, out=True, check_out=_nonzero_out, **_private)
differentiable("_nonzero_tuple", masks.nonzero_tuple, returns="list", **_private)
differentiable("argwhere", masks.argwhere)


def _nonzero_static(input, size, fill_value):
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    found = masks.nonzero(input)[:size]
    out = np.full((size, input.ndim), fill_value, np.int64)
    out[: len(found)] = found
    return out


differentiable("_nonzero_static", _nonzero_static, **_private)


@composite("nonzero_static", out=True)
def nonzero_static(F, input, *, size, fill_value=-1):
    return F._nonzero_static(input, size, fill_value)


def _unravel_index(indices, shape):
    if indices.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {dtypes.of(indices.dtype)!r}")
    places, step = [], 1
    for n in reversed(shape):
        places.append(indices // step % n)
        step *= n
    return tuple(places[::-1])


differentiable("_unravel_index", _unravel_index, returns="list", **_private)


@composite("unravel_index", method=False)
def unravel_index(F, indices, shape):
    if hasattr(shape, "shape"):
        shape = raw(shape).reshape(-1).tolist()
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    for n in shape:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(shape)}")
    return F._unravel_index(indices, shape)


# ----------------------------------------------------------------------------------------- a part replaced by another


def _part_writer(name, part, params, node_name):
    """``name``: a copy of the input with one of its views replaced by ``src``."""
    from ..array import shape

    view = getattr(shape, part)

    def replaced(input, src, args):
        out = np.array(input, order="C")
        target = view(out, *args)
        if target.shape != src.shape:
            raise RuntimeError(
                f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
                f"{list(target.shape)}"
            )
        target[...] = src
        return out

    public = "_slice_dim" if part == "slice" else part
    rules = dict(
        input=lambda F, g, src_shape, args: getattr(F, "_" + name)(g, F.new_zeros(g, tuple(src_shape)), args),
        src=lambda F, g, args: getattr(F, public)(g, *args),
    )
    differentiable(
        "_" + name, replaced, vjp=rules, node_name=node_name, out="same", spoken_out="aten::" + name, **_private
    )
    space = {}
    names = ", ".join(params)
    bare = "".join(f"{each.partition('=')[0]}, " for each in params)
    source = (
        f"def {name}(F, input, src, {names}, *, out=None):\n"
        f"    rest = {{}} if out is None else {{'out': out}}\n"
        f"    return F._{name}(input, src, ({bare}), **rest)\n"
    )
    exec(source, space)  # a function with PyTorch's signature for the operator
    composite(name)(space[name])


_part_writer("select_scatter", "select", ("dim", "index"), "SelectScatterBackward0")
_part_writer("slice_scatter", "slice", ("dim=0", "start=None", "end=None", "step=1"), "SliceScatterBackward0")
_part_writer("diagonal_scatter", "diagonal", ("offset=0", "dim1=0", "dim2=1"), "DiagonalScatterBackward0")
_part_writer("as_strided_scatter", "as_strided", ("size", "stride", "storage_offset=None"), "AsStridedScatterBackward0")
