"""Batching rules: which operator has which, and those of elementwise operators, views and other work on shapes.

A rule is ``(level, op, values, dims) -> (result, dim)``; see ``vmap``. It puts the batch in front (``front``), moves the dimensions it is
told by one, and calls the operator once. An operator may bring a rule of its own (``batch=`` in its declaration); else it has the one
registered here under its name, else the elementwise one, else the loop.
"""

import numpy as np

from ..array.whole import WHOLE
from ..dtypes import dtype
from ..inplace import Geometry
from ..ops import dispatch
from ..ops.compute import compute, operand_dtype
from ..ops.table import OPS, TENSOR, as_array
from ..tensor import Tensor, edge_of, wrap
from . import levels
from .levels import UNBATCHABLE
from .vmap import expanded, front, loop, padded

__all__ = ["RULES", "batched", "each_expanded", "fronted", "rule", "rule_of", "run", "up", "ups"]

#: batching rules by operator name
RULES = {}


def rule(*names):
    """Register a batching rule for operators."""

    def register(function):
        for name in names:
            RULES[name] = function
        return function

    return register


def rule_of(op):
    """An operator's rule, remembered in its ``batch``."""
    if "sum" not in RULES:
        from . import (  # noqa: F401 - they register rules
            batching_index,
            batching_linear,
            batching_nn,
            batching_random,
            batching_reduce,
        )

    found = RULES.get(op.name)
    if found is None:
        found = elementwise if op.elementwise else loop
    op.batch = found
    return found


def has_rule(op):
    """Whether an operator is computed for all samples at once."""
    return rule_of(op) is not loop


# ----------------------------------------------------------------------------------------------------------- helpers


def run(name, *values):
    """An operator by name on bound values (defaults for those left out), met by the levels below."""
    op = OPS[name]
    if len(values) < len(op.params):
        values = op.binder()(*values)
    return levels.execute(op, values)


def batched(op, values):
    """The operator itself on bound values; on a shorter way where nothing below wants to know of it and nothing is recorded."""
    if levels._stack.interpreters or op.returns is not None:
        return levels.execute(op, tuple(values))
    raws = []
    for value in values:
        kind = value.__class__
        if kind is Tensor:
            if edge_of(value) is not None:
                return levels.execute(op, tuple(values))
            value = value._a
        elif isinstance(value, Tensor) or (
            (kind is list or kind is tuple) and any([isinstance(each, Tensor) for each in value])
        ):
            return levels.execute(op, tuple(values))
        raws.append(value)
    result = compute(op, raws)
    if result is None or result.__class__ is tuple or result.__class__ is list:
        return levels.execute(op, tuple(values))
    return dispatch.wrap_one(op, values, raws, as_array(result))


def fronted(values, dims):
    """Held tensors with their batches in front."""
    return [front(v, d) if d is not None else v for v, d in zip(values, dims)]


def each_expanded(level, values, dims, places):
    """``values`` with a batch in front of those at ``places`` (that are tensors), whether they had one or not."""
    made = list(values)
    for i in places:
        if isinstance(made[i], Tensor):
            made[i] = expanded(made[i], dims[i], level.size)
    return made


def up(dim, ndim):
    """A dimension of a sample with ``ndim`` dimensions, counted with the batch in front."""
    span = max(ndim, 1)
    if not -span <= dim < span:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})")
    return dim % span + 1


def ups(dims, ndim):
    return tuple([up(dim, ndim) for dim in dims])


# -------------------------------------------------------------------------------------------------------- elementwise


def elementwise(level, op, values, dims):
    """Operands broadcast from the right, so those of fewer dimensions get ones after the batch."""
    params = op.params
    if len(op.operands) == 1:
        place = params.index(op.operands[0])
        values[place] = front(values[place], dims[place])
        return direct(op, values), 0
    return _broadcast(op, values, dims, [params.index(name) for name in op.operands])


def _broadcast(op, values, dims, places):
    ndim = 0
    scalar = mixed = False
    dtype = None
    for i in places:
        value = values[i]
        if not isinstance(value, Tensor):
            continue
        own = value._a.ndim + (dims[i] is None)
        ndim = own if own > ndim else ndim
        scalar = scalar or own == 1
        mixed = mixed or (dtype is not None and value._dtype is not dtype)
        dtype = value._dtype
    common = None
    if scalar and (mixed or any(not isinstance(values[i], Tensor) for i in places)):
        common = _common(values, dims, places)
    for i in places:
        value, dim = values[i], dims[i]
        if dim is not None:
            values[i] = value = padded(front(value, dim), ndim, dim)
        if common is not None and isinstance(value, Tensor) and value._dtype is not common:
            values[i] = TENSOR._to_dtype(value, common)
    return direct(op, values), 0


def direct(op, values):
    """An elementwise operator on held tensors; on the shortest way where nothing below wants to know of it."""
    if levels._stack.interpreters:
        return batched(op, values)
    kernel = _KERNELS.get(op.name)
    if kernel is None:
        kernel = _KERNELS[op.name] = _shortest(op)
    ufunc, count, defaults = kernel
    if ufunc is None or tuple(values[count:]) != defaults:
        return batched(op, values)
    arrays = []
    dtype = None
    for value in values[:count]:
        kind = value.__class__
        if kind is float or kind is int:
            arrays.append(value)
            continue
        if kind is not Tensor or (dtype is not None and value._dtype is not dtype) or edge_of(value) is not None:
            return batched(op, values)
        dtype = value._dtype
        arrays.append(value._a)
    if dtype is None or not dtype.plain:
        return batched(op, values)
    try:
        return wrap(ufunc(*arrays, out=...), dtype)
    except ValueError:
        return batched(op, values)


#: by operator: the ufunc that computes it on float tensors of one dtype (None if there is none), of how many values, and what the
#: others must be for it
_KERNELS = {}


def _shortest(op):
    if not op.elementwise:
        return None, 0, ()
    kernel = op.plain or op.kernel
    count = len(op.operands)
    usual = kernel.__class__ is np.ufunc and kernel.nin == count and op.kind in ("same", "float")
    if not usual or op.params[:count] != op.operands or op.name in WHOLE:
        return None, 0, ()
    defaults = op.defaults()
    return kernel, count, tuple([defaults.get(name) for name in op.params[count:]])


def _common(values, dims, places):
    """The dtype samples promote to, where it is not that of batches: tensors without dimensions count less, and batches have one more."""
    arrays = [values[i]._a if isinstance(values[i], Tensor) else values[i] for i in places]
    seen = [np.empty((0,) * (a.ndim - 1), a.dtype) if dims[i] is not None else a for i, a in zip(places, arrays)]
    wanted = operand_dtype(seen)
    return None if operand_dtype(arrays) is wanted else wanted


def pointwise(*names):
    """The rule of operators whose tensor parameters ``names`` broadcast together."""

    def broadcast(level, op, values, dims):
        places = [op.params.index(name) for name in names]
        if dims[places[0]] is None and isinstance(values[places[0]], Tensor):
            # some take their result's shape from the first operand alone
            values[places[0]] = expanded(values[places[0]], None, level.size)
            dims[places[0]] = 0
        return _broadcast(op, values, dims, places)

    return broadcast


for _name, _operands in dict(
    lerp=("input", "end", "weight"),
    isclose=("input", "other"),
    heaviside=("input", "values"),
    nextafter=("input", "other"),
    _share=("input", "wins", "ties"),
    polar=("abs", "angle"),
    _complex=("real", "imag"),
    _leaky=("input", "gate", "slope"),
    _masked=("grad", "mask"),
    _gated=("input", "mask", "gate"),
    _above=("input", "gate", "threshold"),
    _noisy=("input", "noise", "gate"),
    _rrelu_with_noise=("input", "noise"),
    _hardsigmoid_backward=("grad", "input"),
    _where=("condition", "first", "other"),
    _masked_fill_value=("input", "mask"),
    _tied=("input", "other"),
).items():
    RULES[_name] = pointwise(*_operands)


@rule("_to_dtype", "_zero", "_view_as_real", "_conj", "frexp")
@rule("_identity_like", "tril", "triu", "_shared_by", "pixel_shuffle", "pixel_unshuffle")
@rule("constant_pad_nd", "_pad_by_index", "_unravel_index")
def leading(level, op, values, dims):
    """Operators that leave dimensions in front alone."""
    return batched(op, fronted(values, dims)), 0


@rule("clone")
def _clone(level, op, values, dims):
    wanted = values[1] and _FOR_BATCHES.get(values[1].name)
    if wanted:
        raise RuntimeError(
            "NYI: Tensor.clone(memory_format) inside vmap is only supported with memory_format torch.preserve_format or "
            f"torch.contiguous_format (got {wanted})"
        )
    return leading(level, op, values, dims)


#: memory formats of four or five dimensions, which a batch has one more of: PyTorch's inner names
_FOR_BATCHES = {"channels_last": "ChannelsLast", "channels_last_3d": "ChannelsLast3d"}


for _name in ("_alias", "_make_dual", "_fw_primal"):
    RULES[_name] = leading


@rule("view_as_complex")
def _view_as_complex(level, op, values, dims):
    if values[0]._a.ndim == 1:
        raise RuntimeError("Input tensor must have one or more dimensions")
    return leading(level, op, values, dims)


@rule("_neg_view")
def _unbatchable_view(level, op, values, dims):
    raise RuntimeError(UNBATCHABLE.format(name=op.name))


@rule("linalg_cross")
def _cross(level, op, values, dims):
    a, b = each_expanded(level, values[:2], dims, (0, 1))
    if a._a.ndim != b._a.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    return batched(op, (a, b, up(values[2], a._a.ndim - 1))), 0


@rule("_block_diag")
def _block_diag(level, op, values, dims):
    made = [padded(expanded(x, d, level.size), 3, 0) for x, d in zip(values[0], dims[0])]
    width = sum([x._a.shape[2] for x in made])
    rows, at = [], 0
    for x in made:
        rows.append(run("constant_pad_nd", x, (at, width - at - x._a.shape[2])))
        at += x._a.shape[2]
    return TENSOR.cat(rows, 1), 0


@rule("_prelu")
def _prelu(level, op, values, dims):
    x, weight = values
    ndim = x._a.ndim - (dims[0] is not None)
    x = padded(front(x, dims[0]), ndim + 1, dims[0])
    lead = weight._a.shape[:1] if dims[1] is not None else ()
    weight = front(weight, dims[1])
    if ndim >= 2 and weight._a.size > 1:
        weight = TENSOR.reshape(weight, (*lead, *(1,) * bool(lead), -1, *(1,) * (ndim - 2)))
    else:
        weight = TENSOR.reshape(weight, (*lead, *(1,) * ndim))
    return TENSOR.where(x > 0, x, weight * x), 0


@rule("_copy")
def _copied(level, op, values, dims):
    target = expanded(values[0], dims[0], level.size)
    source = padded(front(values[1], dims[1]), target._a.ndim, dims[1])
    return batched(op, (target, source, *values[2:])), 0


@rule("fill", "_fill")
def _filled(level, op, values, dims):
    x, value = values
    if dims[1] is None:
        return batched(op, (front(x, dims[0]), value)), 0
    shape = x._a.shape if dims[0] is None else front(x, dims[0])._a.shape[1:]
    value = TENSOR.reshape(front(value, dims[1]), (level.size, *(1,) * len(shape)))
    return TENSOR.clone(TENSOR.expand(value.to(x._dtype), (level.size, *shape))), 0


@rule("_masked_fill_tensor")
def _masked_fill(level, op, values, dims):
    x, mask, value = values
    if dims[2] is None and isinstance(value, Tensor):
        return _broadcast(op, values, dims, [0, 1])
    if value._a.ndim > 1:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._a.ndim - 1} dimension(s)."
        )
    x, mask, value = fronted(values, dims)
    ndim = max(x._a.ndim + (dims[0] is None), mask._a.ndim + (dims[1] is None))
    value = TENSOR.reshape(value.to(x._dtype), (level.size, *(1,) * (ndim - 1)))
    return TENSOR.where(padded(mask, ndim, dims[1]), value, padded(x, ndim, dims[0])), 0


# ---------------------------------------------------------------------------------------------------- views and shapes


def _shape_rule(*names):
    """Rules ``(x, ndim, size, *rest) -> (rest of the values)`` for operators of one tensor that names its dimensions."""

    def register(function):
        def moved(level, op, values, dims):
            x = front(values[0], dims[0])
            return batched(op, (x, *function(x, x._a.ndim - 1, level.size, *values[1:]))), 0

        for name in names:
            RULES[name] = moved
        return function

    return register


@_shape_rule("view", "reshape", "_reshape_alias", "_unsafe_view")
def _view(x, ndim, count, size):
    if isinstance(size, dtype) or (isinstance(size, (tuple, list)) and len(size) == 1 and isinstance(size[0], dtype)):
        return (size,)
    return ((count, *([size] if isinstance(size, int) else size)),)


@_shape_rule("unflatten")
def _unflatten(x, ndim, count, dim, sizes):
    return up(dim, ndim), sizes


@_shape_rule("squeeze")
def _squeeze(x, ndim, count, dim):
    if dim is None:
        return (tuple([i for i in range(1, ndim + 1) if x._a.shape[i] == 1]),)
    if not ndim and isinstance(dim, int) and dim:
        raise RuntimeError(f"Dimension is out of range (expected to be in range of [-1, 0], but got [{dim}]")
    given = (dim,) if isinstance(dim, int) else dim
    return (ups(given, ndim) if ndim else (),)


@_shape_rule("unsqueeze")
def _unsqueeze(x, ndim, count, dim):
    return (up(dim, ndim + 1),)


@_shape_rule("permute")
def _permute(x, ndim, count, order):
    order = ups(order, ndim) if ndim else ()
    return ((0, *order),)


@_shape_rule("flip")
def _flip(x, ndim, count, order):
    return (ups((order,) if isinstance(order, int) else order, ndim) if ndim else (),)


@_shape_rule("select", "_narrow")
def _select(x, ndim, count, dim, *rest):
    if not ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    return up(dim, ndim), *rest


@_shape_rule("_slice_dim")
def _slice_dim(x, ndim, count, dim, *rest):
    return up(dim, ndim), *rest


@_shape_rule("_select_backward", "_slice_backward", "_unfold_backward")
def _put_back(x, ndim, count, sizes, dim, *rest):
    if not sizes:
        # a number has been unfolded to one window
        return (count,), 0, 1, 1
    return (count, *sizes), up(dim, len(sizes)), *rest


@_shape_rule("_diagonal_backward")
def _diagonal_back(x, ndim, count, sizes, offset, dim1, dim2):
    return (count, *sizes), offset, up(dim1, len(sizes)), up(dim2, len(sizes))


@_shape_rule("diagonal", "diagonal_copy")
def _diagonal(x, ndim, count, offset, dim1, dim2):
    return offset, up(dim1, ndim), up(dim2, ndim)


@_shape_rule("diag_embed")
def _diag_embed(x, ndim, count, offset, dim1, dim2):
    return offset, up(dim1, ndim + 1), up(dim2, ndim + 1)


@_shape_rule("rot90")
def _rot90(x, ndim, count, k, order):
    return k, ups(order, ndim)


@_shape_rule("_pad_by_index_backward")
def _pad_back(x, ndim, count, sizes, *rest):
    return (count, *sizes), *rest


@_shape_rule("_fft_c2c", "_fft_r2c", "_fft_c2r")
def _fft(x, ndim, count, dim, *rest):
    return ups(dim, ndim), *rest


@_shape_rule("_scale_slice")
def _scale_slice(x, ndim, count, dim, *rest):
    return up(dim, ndim), *rest


@rule("flatten")
def _flatten(level, op, values, dims):
    x = front(values[0], dims[0])
    ndim = x._a.ndim - 1
    if not ndim:
        return TENSOR.reshape(x, (level.size, 1)), 0
    return batched(op, (x, up(values[1], ndim), up(values[2], ndim))), 0


@rule("ravel")
def _ravel(level, op, values, dims):
    x = front(values[0], dims[0])
    return TENSOR.reshape(x, (level.size, x._a.size // max(level.size, 1))), 0


@rule("expand", "broadcast_to")
def _expand(level, op, values, dims):
    x = front(values[0], dims[0])
    size = values[1]
    size = (size,) if isinstance(size, int) else tuple(size)
    return batched(op, (padded(x, len(size) + 1, 0), (level.size, *size), *values[2:])), 0


@rule("transpose")
def _transpose(level, op, values, dims):
    x = front(values[0], dims[0])
    ndim = x._a.ndim - 1
    first, second = up(values[1], ndim), up(values[2], ndim)
    return (batched(op, (x, first, second)) if ndim else run("_alias", x)), 0


@rule("t")
def _t(level, op, values, dims):
    x = front(values[0], dims[0])
    if x._a.ndim > 3:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {x._a.ndim - 1}D")
    return (run("transpose", x, 1, 2) if x._a.ndim == 3 else run("_alias", x)), 0


@rule("unfold")
def _unfold(level, op, values, dims):
    x = front(values[0], dims[0])
    if x._a.ndim == 1:
        return batched(op, (TENSOR.unsqueeze(x, 1), 1, *values[2:])).squeeze(1), 0
    return batched(op, (x, up(values[1], x._a.ndim - 1), *values[2:])), 0


@rule("unbind", "_split", "split_with_sizes", "chunk", "_unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk")
def _parts(level, op, values, dims):
    x = front(values[0], dims[0])
    if x._a.ndim == 1:
        raise RuntimeError(f"Dimension specified as {values[-1]} but tensor has no dimensions")
    return batched(op, (x, *values[1:-1], up(values[-1], x._a.ndim - 1))), 0


@rule("as_strided")
def _as_strided(level, op, values, dims):
    x, size, stride, offset = values
    if len(size) != len(stride):
        raise RuntimeError(
            f"Tensor.as_strided(size, stride, ...): size and stride must have the same length! Got size {list(size)} and stride "
            f"{list(stride)}"
        )
    steps = list(x.stride())
    step = steps.pop(dims[0])
    first = x.storage_offset()
    start = first if offset is None else offset
    lengths = x._a.shape[: dims[0]] + x._a.shape[dims[0] + 1 :]
    last, end = _end(first, lengths, steps), _end(start, size, stride)
    if 0 not in size and not (first <= start and end <= last):
        raise RuntimeError(
            f"result = tensor.as_strided({list(size)}, {list(stride)}, {start}) can access memory outside of `tensor`. `result` can "
            f"access some memory in range [{start}, {end}], but `tensor` can only access some memory in range [{first}, {last}]. This "
            "is not supported inside of vmap, please try to rewrite the `as_strided` call as a sequence of PyTorch view operations"
        )
    return batched(op, (x, (level.size, *size), (step, *stride), first if 0 in size else start)), 0


def _end(start, size, stride):
    """Where the memory ends that a tensor of these sizes and strides (in elements) shows from ``start`` on."""
    return start + 1 + sum([(n - 1) * step for n, step in zip(size, stride)])


@rule("cat")
def _cat(level, op, values, dims):
    tensors, dim = values
    shapes = [t._a.shape if d is None else t._a.shape[:d] + t._a.shape[d + 1 :] for t, d in zip(tensors, dims[0])]
    whole = [shape for shape in shapes if shape != (0,)] or shapes
    dim = up(dim, len(whole[0]))
    made = [expanded(each, d, level.size) for each, d in zip(tensors, dims[0])]
    for i, shape in enumerate(shapes):
        if shape == (0,):
            # such tensors may be joined to all others, here as parts of length 0
            made[i] = TENSOR.reshape(made[i], (level.size, *whole[0][: dim - 1], 0, *whole[0][dim:]))
    return batched(op, (made, dim)), 0


@rule("stack")
def _stack(level, op, values, dims):
    tensors, dim = values
    ndim = max([each._a.ndim - (d is not None) for each, d in zip(tensors, dims[0])])
    made = [expanded(each, d, level.size) for each, d in zip(tensors, dims[0])]
    return batched(op, (made, up(dim, ndim + 1))), 0


@rule("repeat", "tile")
def _repeat(level, op, values, dims):
    x = front(values[0], dims[0])
    times = values[1]
    times = (times,) if isinstance(times, int) else tuple(times)
    ndim = x._a.ndim - 1
    if op.name == "tile":
        times = (1,) * (ndim - len(times)) + times
    elif len(times) < ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return run("repeat", padded(x, len(times) + 1, 0), (1, *times)), 0


@rule("repeat_interleave")
def _repeat_interleave(level, op, values, dims):
    x, repeats, dim, size = values
    if dims[1] is not None or not isinstance(x, Tensor) or repeats is None:
        return loop(level, op, values, dims)
    x = front(x, dims[0])
    if dim is None:
        x, dim = TENSOR.reshape(x, (level.size, -1)), 0
    return batched(op, (x, repeats, up(dim, x._a.ndim - 1), size)), 0


@rule("roll")
def _roll(level, op, values, dims):
    x, shifts, along = front(values[0], dims[0]), values[1], values[2]
    along = (along,) if isinstance(along, int) else tuple(along)
    if along:
        return batched(op, (x, shifts, ups(along, x._a.ndim - 1))), 0
    flat = batched(op, (TENSOR.reshape(x, (level.size, -1)), shifts, (1,)))
    return TENSOR.reshape(flat, x._a.shape), 0


@rule("sum_to")
def _sum_to(level, op, values, dims):
    x, size = front(values[0], dims[0]), tuple(values[1])
    shape = x._a.shape
    lead = len(shape) - 1 - len(size)
    along = [*range(1, lead + 1), *[lead + 1 + i for i, n in enumerate(size) if n == 1 and shape[lead + 1 + i] != 1]]
    if along:
        x = run("sum", x, tuple(along), True)
    return TENSOR.reshape(x, (level.size, *size)), 0


@rule("_select_scatter", "_slice_scatter", "_diagonal_scatter")
def _scattered(level, op, values, dims):
    x, src = each_expanded(level, values[:2], dims, (0, 1))
    ndim = x._a.ndim - 1
    args = tuple(values[2])
    if op.name == "_diagonal_scatter":
        args = (args[0], up(args[1], ndim), up(args[2], ndim))
    else:
        args = (up(args[0], ndim), *args[1:])
    return batched(op, (x, src, args)), 0


# ------------------------------------------------------------------------------------- gradients of writes to views


@rule("_view_gather", "_view_scatter")
def _through_geometry(level, op, values, dims):
    """A part of a base-shaped cotangent, or such a cotangent from a part."""
    x = front(values[0], dims[0])
    return batched(op, (x, _row(level, values[1], x))), 0


@rule("_view_write")
def _write_geometry(level, op, values, dims):
    x, src = each_expanded(level, values[:2], dims, (0, 1))
    return batched(op, (x, src, _row(level, values[2], x))), 0


def _row(level, one, x):
    """The geometry of a batch of bases that lie one after the other, in each of which a view lies as ``one`` says."""
    step = x._a.dtype.itemsize + sum([(n - 1) * s for n, s in zip(one.base_shape, one.base_strides)])
    whole = object.__new__(Geometry)
    whole.base_shape, whole.base_strides = (level.size, *one.base_shape), (step, *one.base_strides)
    whole.shape, whole.strides = (level.size, *one.shape), (step, *one.strides)
    whole.offset, whole.dense = one.offset, one.dense
    return whole
