"""Batching rules of operators along dimensions: reductions, scans, sorts, softmax."""

from ..ops.table import TENSOR
from ..tensor import Tensor
from .batching import RULES, batched, each_expanded, rule, run, up, ups
from .vmap import front, loop

#: operators that reduce over all dimensions, or any number of them
_MANY = (
    "sum mean nansum amax amin logsumexp _norm _older_norm var std var_mean std_mean any all count_nonzero"
).split()
#: operators that take one dimension, or None for the flattened tensor
_ONE = ("prod argmax argmin _aminmax").split()
#: operators along one dimension
_ALONG = (
    "_max_dim _min_dim _median_dim _nanmedian_dim mode kthvalue cumsum cumprod cummax cummin logcumsumexp sort topk argsort _softmax "
    "_log_softmax glu"
).split()


def _every(result, change):
    """A function applied to one result or to each of several."""
    if isinstance(result, Tensor):
        return change(result)
    changed = [change(each) for each in result]
    return type(result)(*changed) if hasattr(type(result), "_fields") else tuple(changed)


def _over_many(level, op, values, dims):
    at = op.params.index("dim")
    x = front(values[0], dims[0])
    ndim = x._a.ndim - 1
    given = values[at]
    if op.name in ("var", "std", "var_mean", "std_mean") and given.__class__ is bool:
        values[2], given = given, None
    if not ndim:
        # a number: reduced over a dimension made for it, which keepdim then must not keep
        if isinstance(given, (int, tuple, list)):
            ups((given,) if isinstance(given, int) else given, 0)
        rest = list(values)
        rest[0], rest[at] = TENSOR.unsqueeze(x, 1), (1,)
        if "keepdim" in op.params:
            rest[op.params.index("keepdim")] = False
        return batched(op, rest), 0
    if given is None or (isinstance(given, (tuple, list)) and not given):
        values[at] = tuple(range(1, ndim + 1))
    else:
        values[at] = ups((given,) if isinstance(given, int) else given, ndim)
    values[0] = x
    return batched(op, values), 0


def _over_one(level, op, values, dims):
    at = op.params.index("dim")
    x = front(values[0], dims[0])
    ndim = x._a.ndim - 1
    keep = op.params.index("keepdim")
    given, kept = values[at], values[keep]
    if given is None or not ndim:
        if given is not None:
            up(given, 0)
        flat = TENSOR.reshape(x, (level.size, x._a.size // max(level.size, 1)))
        values[0], values[at], values[keep] = flat, 1, False
        result = batched(op, values)
        if kept and ndim:
            result = _every(result, lambda r: TENSOR.reshape(r, (level.size, *(1,) * ndim)))
        return result, 0
    values[0], values[at] = x, up(given, ndim)
    return batched(op, values), 0


def _along(level, op, values, dims):
    at = op.params.index("dim")
    x = front(values[0], dims[0])
    ndim = x._a.ndim - 1
    if values[at] is None or any(d is not None for d in dims[1:]):
        return loop(level, op, values, dims)
    where = up(values[at], ndim)
    if ndim:
        values[0], values[at] = x, where
        return batched(op, values), 0
    values[0], values[at] = TENSOR.unsqueeze(x, 1), 1
    reduces = "keepdim" in op.params
    if reduces:
        values[op.params.index("keepdim")] = False
    result = batched(op, values)
    return (result if reduces else _every(result, lambda r: TENSOR.squeeze(r, 1))), 0


for _name in _MANY:
    RULES[_name] = _over_many
for _name in _ONE:
    RULES[_name] = _over_one
for _name in _ALONG:
    RULES[_name] = _along


@rule("_max_all", "_min_all", "_median_all", "_nanmedian_all")
def _whole(level, op, values, dims):
    x = front(values[0], dims[0])
    flat = TENSOR.reshape(x, (level.size, x._a.size // max(level.size, 1)))
    if op.name in ("_max_all", "_min_all"):
        return run("amax" if op.name == "_max_all" else "amin", flat, (1,)), 0
    return run(op.name.replace("_all", "_dim"), flat, 1)[0], 0


@rule("trace")
def _trace(level, op, values, dims):
    x = front(values[0], dims[0])
    if x._a.ndim != 3:
        raise RuntimeError("trace: expected a matrix")
    return run("sum", run("diagonal", x, 0, 1, 2), (1,)), 0


@rule("_softmax_backward_data", "_log_softmax_backward_data")
def _softmax_back(level, op, values, dims):
    g, y, dim = each_expanded(level, values, dims, (0, 1))
    ndim = y._a.ndim - 1
    if ndim:
        return batched(op, (g, y, up(dim, ndim))), 0
    return TENSOR.squeeze(batched(op, (TENSOR.unsqueeze(g, 1), TENSOR.unsqueeze(y, 1), 1)), 1), 0


@rule("_is_all_true", "_is_any_true")
def _of_all_samples(level, op, values, dims):
    return batched(op, values), None
