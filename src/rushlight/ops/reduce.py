"""Reductions and their derivatives: a cotangent is spread over what was reduced."""

import math

import numpy as np

from .. import dtypes
from ..array import reduce as kernels
from ..array import statistics as variance
from ..array.arguments import wrap_dim
from ..array.statistics import correction_of
from ..autograd.modes import state
from ..tensor import Tensor
from .binding import overload_error
from .linalg_out import accept_out
from .refusals import castable, only, same
from .results import result_type
from .table import PLACES, TENSOR, composite, differentiable

_private = dict(method=False, function=False)


# ------------------------------------------------------------------------------------------------------------- tools


def _dims(dim, ndim):
    """The dimensions a reduction ran over, as a tuple."""
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        return (int(dim) % ndim if ndim else 0,)
    return tuple([d % ndim if ndim else 0 for d in dim]) if dim else tuple(range(ndim))


def restore(F, g, x_shape, dim, keepdim):
    """A reduced array with the reduced dimensions put back in at size one."""
    if keepdim or not len(x_shape):
        return g
    gone = _dims(dim, len(x_shape))
    return F.reshape(g, tuple([1 if i in gone else n for i, n in enumerate(x_shape)]))


def spread(F, g, x_shape, dim, keepdim):
    """A reduced array repeated over what was reduced."""
    if not len(x_shape):
        return g
    return F.expand(restore(F, g, x_shape, dim, keepdim) if g.ndim else g, x_shape)


def count(x_shape, dim):
    """How many elements went into one result."""
    n = 1
    for d in _dims(dim, len(x_shape)):
        n *= x_shape[d] if x_shape else 1
    return n


def rush_dtype(value):
    """The rushlight dtype of an array or a tensor."""
    return value.dtype if value.dtype.__class__ is dtypes.dtype else dtypes.of(value.dtype)


def as_number(F, mask, like):
    """A mask as zeros and ones of the dtype of ``like``."""
    return F._to_dtype(mask, rush_dtype(like))


def raw(value):
    """The array of a tensor; an array as it is. For decisions that depend on values: within ``vmap`` those of all samples."""
    if state.shells and isinstance(value, Tensor):
        from ..autograd.shells import values_of

        value = values_of(value)  # where the tensor's class answers for it, that is asked for each
    value = getattr(value, "_a", value)
    while hasattr(value, "held"):
        value, at = value.held._a, getattr(value, "bdim", None)
        value = np.moveaxis(value, at, 0) if at else value
    return value


def by_dim(stem):
    """Names of nodes as PyTorch has them: one for the reduction of all, one for that of some dimensions."""
    all_name, some_name = stem + "Backward0", stem + "Backward1"
    return lambda values: all_name if values[1] is None else some_name


def ratio(a, b):
    """``a / b`` of Python numbers with C's answers for a zero divisor."""
    if b:
        return a / b
    return math.nan if not a or math.isnan(a) else math.copysign(math.inf, a)


# -------------------------------------------------------------------------------------------------------------- sums


def _in_dtype_of_out(arguments, outs):
    """Sums and products are computed in the dtype of ``out=``, which must be that of ``dtype=`` if one is given."""
    *others, dtype = arguments
    out = outs[0]._dtype
    if dtype is not None:
        same("Expected out tensor to have dtype {cpp_result}, but got {cpp_out} instead")(dtype, out)
    return *others, out


differentiable(
    *("sum", kernels.sum),
    **dict(vjp=lambda F, g, x_shape, dim, keepdim: spread(F, g, x_shape, dim, keepdim), out=True, linear=True),
    **dict(node_name=by_dim("Sum"), prepare_out=_in_dtype_of_out),
)


def _mean_out(arguments, outs):
    """PyTorch's refusals; a mean along dimensions is computed in the dtype of ``out=``, unless ``dtype=`` names one."""
    input, dim, keepdim, dtype = arguments
    out, own = outs[0]._dtype, dtypes.of(input.dtype) if dtype is None else dtype
    if dim is None:
        castable("mean.dtype_out(): input types can't be cast to the desired output type {out}")(own, out)
    elif dtype is not None:
        same("Expected out tensor to have dtype {cpp_result}, but got {cpp_out} instead")(dtype, out)
    elif out.category < 2:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {out.legacy}")
    elif own.category >= 2:
        return input, dim, keepdim, out
    return arguments


differentiable(
    *("mean", kernels.mean),
    **dict(
        vjp=lambda F, g, x_shape, dim, keepdim: spread(F, _over(F, g, count(x_shape, dim)), x_shape, dim, keepdim),
        **dict(out=True, linear=True, node_name=by_dim("Mean"), prepare_out=_mean_out),
    ),
)


def _over(F, g, n):
    return g * ratio(1.0, n) if not n else g / n


def _nansum_out(arguments, outs):
    input, *_, dtype = arguments
    out, own = outs[0]._dtype, dtypes.of(input.dtype)
    if dtype is not None and dtype is not out:
        raise RuntimeError(f"nansum: provided dtype must match dtype of result. Got {out.legacy} and {dtype.legacy}.")
    if own.is_floating_point:
        _nansum_kernel(own, out)
    return arguments


_nansum_kernel = only(
    lambda out: out.is_floating_point, "\"nansum_cpu\" not implemented for '{out}'", NotImplementedError
)
differentiable(
    *("nansum", kernels.nansum),
    **dict(
        vjp=lambda F, g, x, x_shape, dim, keepdim: F.masked_fill(spread(F, g, x_shape, dim, keepdim), F.isnan(x), 0.0),
        out=True,
        prepare_out=_nansum_out,
    ),
)


@composite("nanmean")
def nanmean(F, input, dim=None, keepdim=False, *, dtype=None):
    if rush_dtype(input).category < 2 and dtype is None:
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got " + rush_dtype(input).legacy
        )
    present = F.sum(F.logical_not(F.isnan(input)), dim, keepdim)
    return F.nansum(input, dim, keepdim, dtype=dtype) / F._to_dtype(
        present, rush_dtype(input) if dtype is None else dtype
    )


accept_out("nanmean", _nansum_kernel, "nansum")


def _trace_vjp(F, g, x_shape):
    eye = np.eye(x_shape[0], x_shape[1], dtype=raw(g).dtype)
    return g * (eye if raw(g) is g else _constant(eye))


def _constant(array):
    from ..tensor import wrap

    return wrap(array)


differentiable("trace", kernels.trace, vjp=_trace_vjp, linear=True)


def _prod_vjp(F, g, x, y, x_shape, dim, keepdim):
    if dim is None and len(x_shape) != 1:
        flat = _prod_vjp(F, g, F.reshape(x, (-1,)), y, (int(math.prod(x_shape)),), 0, False)
        return F.reshape(flat, x_shape)
    dim = 0 if dim is None else wrap_dim(int(dim), len(x_shape))
    if not len(x_shape):
        return g
    wide = restore(F, g, x_shape, dim, keepdim)
    if not (raw(x) == 0).any():
        return wide * F.conj(restore(F, y, x_shape, dim, keepdim) / x)
    # the product of all others: what comes before times what comes after
    n = x_shape[dim]
    one = F.ones_like(F._narrow(x, dim, 0, 1))
    before = F.cumprod(F.cat([one, F._narrow(x, dim, 0, n - 1)], dim), dim)
    after = F.flip(F.cumprod(F.cat([one, F._narrow(F.flip(x, (dim,)), dim, 0, n - 1)], dim), dim), (dim,))
    return wide * F.conj(before * after)


differentiable(
    *("prod", kernels.prod),
    **dict(vjp=_prod_vjp, out=True, node_name=by_dim("Prod"), prepare_out=_in_dtype_of_out),
)

# ----------------------------------------------------------------------------------------------------------- extremes


def shared(F, g, x, y, dim, count_nan=True):
    """The cotangent of an extreme (both with reduced dimensions kept), shared evenly among the elements that attain it.

    A NaN counts as attaining NaN, unless ``count_nan`` is off: ``amax`` then has NaN for the whole slice, as in PyTorch.
    """
    mask = F.eq(x, y)
    if count_nan and rush_dtype(y).is_floating_point and np.isnan(raw(y)).any():
        mask = F.logical_or(mask, F.logical_and(F.isnan(x), F.isnan(y)))
    mask = as_number(F, mask, g)
    return mask * (g / F.sum(mask, dim, True))


def _extreme_vjp(F, g, x, y, x_shape, dim, keepdim):
    return shared(F, restore(F, g, x_shape, dim, keepdim), x, restore(F, y, x_shape, dim, keepdim), dim, False)


_match = same(
    "Expected the dtype for input and out to match, but got {result} for input's dtype and {out} for out's dtype."
)
differentiable("amax", kernels.amax, vjp=_extreme_vjp, out=True, check_out=_match)
differentiable("amin", kernels.amin, vjp=_extreme_vjp, out=True, check_out=_match)
differentiable(
    *("hash_tensor", kernels.hash_tensor),
    **dict(out=True, check_out=same("Expected result to be of dtype uint64, but got {out}")),
)


def _aminmax(input, dim=None, keepdim=False):
    return kernels.aminmax(input, dim=dim, keepdim=keepdim)


def _aminmax_vjp(F, g, x, y, x_shape, dim, keepdim):
    total = None
    for each, extreme in zip(g, y, strict=True):
        if each is not None:
            part = _extreme_vjp(F, each, x, extreme, x_shape, dim, keepdim)
            total = part if total is None else total + part
    return total


differentiable(
    "_aminmax",
    _aminmax,
    vjp=_aminmax_vjp,
    returns=("min", "max"),
    node_name="AminmaxBackward0",
    out="same",
    spoken_out="aminmax",
    **_private,
)


def named(name, fields, function, args, out):
    """A private operator's results under the public name; ``out`` is passed on to it."""
    made = function(*args) if out is None else function(*args, out=out)
    return result_type(name, fields)(*made)


@composite("aminmax")
def aminmax(F, input, *, dim=None, keepdim=False, out=None):
    return named("aminmax", ("min", "max"), F._aminmax, (input, dim, keepdim), out)


def take_vjp(F, g, y, x_shape, dim, keepdim):
    """The cotangent of values picked along ``dim``, put back where ``y[1]`` says they came from."""
    if not len(x_shape):
        return g
    dim = wrap_dim(dim, len(x_shape))
    places = y[1]
    if not keepdim:
        g, places = F.unsqueeze(g, dim), F.unsqueeze(places, dim)
    return F.scatter(F.new_zeros(g, tuple(x_shape)), dim, places, g)


def picking(name, kernel, node_name=None, **options):
    """Declare an operator that picks (values, indices) along ``dim``, under a private name."""
    differentiable(
        *(f"_{name}_dim", kernel),
        **dict(vjp=take_vjp, returns=("values", "indices"), nondiff=(1,), saves=(1,)),
        **dict(node_name=node_name or f"{name.capitalize()}Backward0", **_private, **options),
    )


def _along(kernel):
    def along(input, dim, keepdim=False):
        return kernel(input, dim, keepdim)

    return along


def _everything(kernel):
    def everything(input):
        return kernel(input)

    return everything


_MAX_OR_MIN = (
    "Tensor input, *, Tensor out = None",
    "Tensor input, Tensor other, *, Tensor out = None",
    "Tensor input, int dim, bool keepdim = False, *, tuple of Tensors out = None",
)
_CAN_CAST = (
    "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got false.  "
    "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
)


def _max_or_min(name, pairwise):
    kernel = getattr(kernels, name)
    picking(name, _along(kernel), out="same", spoken_out=name, shown=name)
    differentiable(
        *(f"_{name}_all", _everything(kernel)),
        **dict(vjp=lambda F, g, x, y: shared(F, g, x, y, None) if x.ndim else g, **_private),
        **dict(node_name=f"{name.capitalize()}Backward1", spoken_out=name, check_out=castable(_CAN_CAST)),
    )

    def either(F, input, dim=None, keepdim=False, *, other=None, out=None):
        rest = {} if out is None else {"out": out}
        if isinstance(dim, np.integer):
            dim = int(dim)
        if not hasattr(input, "shape") or not (dim is None or isinstance(dim, int) or hasattr(dim, "shape")):
            raise overload_error(name, (input,) if dim is None else (input, dim), {}, _MAX_OR_MIN)
        if other is not None or hasattr(dim, "shape"):
            return getattr(F, pairwise)(input, dim if other is None else other, **rest)
        if dim is None:
            return getattr(F, f"_{name}_all")(input, **rest)
        return named(name, ("values", "indices"), getattr(F, f"_{name}_dim"), (input, dim, keepdim), out)

    composite(name)(either)


_max_or_min("max", "maximum")
_max_or_min("min", "minimum")
differentiable("argmax", kernels.argmax, out="same")
differentiable("argmin", kernels.argmin, out="same")
_truth = (dtypes.bool, dtypes.uint8)
for _name in ("any", "all"):
    _check = only(lambda out: out in _truth, _name + " only supports bool tensor for result, got: {out}")
    differentiable(_name, getattr(kernels, _name), out=True, check_out=_check)
differentiable("count_nonzero", kernels.count_nonzero)


def _of_bools(kernel):
    def reduced(input):
        if input.dtype != np.bool_:
            raise RuntimeError("self.scalar_type() == at::kBool INTERNAL ASSERT FAILED")
        return np.asarray(kernel(input))

    return reduced


# for checks of arguments: within `vmap` they look at all samples, and their answer is no batch
for _name, _kernel in (("_is_all_true", np.all), ("_is_any_true", np.any)):
    differentiable(_name, _of_bools(_kernel))
    PLACES[""][_name] = getattr(TENSOR, _name)
    setattr(Tensor, _name, getattr(TENSOR, _name))

# ---------------------------------------------------------------------------------------------------- logarithm, norm


def _logsumexp_vjp(F, g, x, y, x_shape, dim, keepdim):
    return restore(F, g, x_shape, dim, keepdim) * F.conj(F.exp(x - restore(F, y, x_shape, dim, keepdim)))


_logsumexp_out = only(
    lambda out: out.is_floating_point or out.is_complex,
    "logsumexp(): Expected floating point type for result tensor, but got: {out}",
)
differentiable(
    *("logsumexp", kernels.logsumexp),
    **dict(vjp=_logsumexp_vjp, out=True, check_out=_logsumexp_out, aliases=("special_logsumexp",)),
)


def _norm_vjp(F, g, x, y, p, x_shape, dim, keepdim):
    g = restore(F, g, x_shape, dim, keepdim)
    size = restore(F, y, x_shape, dim, keepdim)
    if p == 0:
        return None
    if p == 1:
        return F.sgn(x) * g
    if p == 2:
        return g * F.masked_fill(x / size, F.eq(size, 0), 0.0)
    if math.isinf(p):
        magnitude = F.abs(x)
        mask = as_number(F, F.logical_or(F.eq(magnitude, size), F.isnan(magnitude)), g)
        return F.sgn(x) * (g / F.sum(mask, dim, True) * mask)
    if p < 2:
        slope = F.sgn(x) * F.masked_fill(F.pow(F.abs(x), p - 1), F.eq(x, 0), 0.0)
        scale = F.masked_fill(F.pow(size, 1 - p), F.eq(size, 0), 0.0) if p < 1 else _power_quotient(F, size, p)
        return slope * (g * scale)
    zero = F.eq(size, 0)
    # no division by zero: it would reach the tangents, which are the transpose of this
    share = g / F.masked_fill(F.pow(size, p - 1), zero, 1.0)
    return x * F.pow(F.abs(x), p - 2) * F.masked_fill(share, zero, 0.0)


def _power_quotient(F, size, p):
    return F.masked_fill(F.pow(size, 1 - p), F.eq(size, 0), 0.0)


differentiable(
    *("_norm", kernels.norm),
    **dict(
        vjp=_norm_vjp, node_name="LinalgVectorNormBackward0", out="same", spoken_out="linalg_vector_norm", **_private
    ),
)
# the same under the name it has within `pairwise_distance`
differentiable("_older_norm", kernels.norm, vjp=_norm_vjp, node_name="NormBackward1", **_private)


@composite("norm")
def norm(F, input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    rest = {} if out is None else {"out": out}
    if isinstance(p, str) and p == "nuc":
        return F.linalg_matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype, **rest)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    return F._norm(input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype, **rest)


@composite("dist")
def dist(F, input, other, p=2):
    return F._norm(input - other, p)


# ----------------------------------------------------------------------------------------------------------- variance


def _var_vjp(F, g, x, x_shape, dim, unbiased, keepdim, correction):
    dim, correction = correction_of(dim, unbiased, correction)
    g = restore(F, g, x_shape, dim, keepdim) * ratio(2.0, count(x_shape, dim) - correction)
    return g * (x - F.mean(x, dim, True))


def _std_vjp(F, g, x, y, x_shape, dim, unbiased, keepdim, correction):
    g = F.masked_fill(g / (y * 2), F.eq(y, 0), 0.0)
    return _var_vjp(F, g, x, x_shape, dim, unbiased, keepdim, correction)


def _with_mean(F, g, spread_out, x_shape, dim, unbiased, keepdim, correction):
    """The cotangents of both results together: ``spread_out`` pulls the first one back."""
    total = None if g[0] is None else spread_out(g[0])
    if g[1] is not None:
        dim, _ = correction_of(dim, unbiased, correction)
        part = spread(F, _over(F, g[1], count(x_shape, dim)), x_shape, dim, keepdim)
        total = part if total is None else total + part
    return total


def _var_mean_vjp(F, g, x, x_shape, dim, unbiased, keepdim, correction):
    given = dict(x_shape=x_shape, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)
    return _with_mean(F, g, lambda g: _var_vjp(F, g, x, **given), **given)


def _std_mean_vjp(F, g, x, y, x_shape, dim, unbiased, keepdim, correction):
    given = dict(x_shape=x_shape, dim=dim, unbiased=unbiased, keepdim=keepdim, correction=correction)
    return _with_mean(F, g, lambda g: _std_vjp(F, g, x, y[0], **given), **given)


differentiable("var", variance.var, vjp=_var_vjp, out=True)
differentiable("std", variance.std, vjp=_std_vjp, out=True)
differentiable("var_mean", variance.var_mean, vjp=_var_mean_vjp, returns="list", method=False)
differentiable("std_mean", variance.std_mean, vjp=_std_mean_vjp, returns="list", method=False, saves=(0,))

from . import statistics  # noqa: E402, F401 - declares the other statistics, which use the tools above
