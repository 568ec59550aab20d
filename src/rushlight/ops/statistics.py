"""Order statistics, histograms and correlations."""

import numpy as np

from .. import dtypes
from ..array import statistics as kernels
from ..array.arguments import wrap_dim
from . import undifferentiable
from .linalg_out import accept_out
from .reduce import named, picking, raw, rush_dtype, shared, take_vjp
from .refusals import same
from .results import result_type
from .table import composite, differentiable

_private = dict(method=False, function=False)


# -------------------------------------------------------------------------------------------------- order statistics


def _first_vjp(F, g, x, y, x_shape):
    """The cotangent of a median of all: PyTorch gives it to the element (shared, where several are equal)."""
    return shared(F, g, x, y, None) if len(x_shape) else g


def _median(name):
    kernel = getattr(kernels, name)

    def along(input, dim, keepdim=False):
        return kernel(input, dim, keepdim)

    def everything(input):
        return kernel(input)

    picking(name, along, f"{name.capitalize()}Backward1")
    differentiable(f"_{name}_all", everything, vjp=_first_vjp, node_name=f"{name.capitalize()}Backward0", **_private)

    def either(F, input, dim=None, keepdim=False, *, out=None):
        if dim is None:
            return getattr(F, f"_{name}_all")(input)
        return named(name, ("values", "indices"), getattr(F, f"_{name}_dim"), (input, dim, keepdim), out)

    composite(name)(either)


_median("median")
_median("nanmedian")

_picks = dict(vjp=take_vjp, returns=("values", "indices"), nondiff=(1,), saves=(1,), out=True)
_mode_out = same("expected scalar type '{result}' but got '{out}' for values output")
differentiable("mode", kernels.mode, check_out=_mode_out, **_picks)
_kth_out = same("output values must be of same type as input")
differentiable("kthvalue", kernels.kthvalue, check_out=_kth_out, apart=True, **_picks)

_QUANTILE_OUT = "quantile() out tensor must be same dtype as the input tensor"
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name, input, q, interpolation):
    dtype = rush_dtype(input)
    if not raw(input).size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if hasattr(q, "shape"):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if rush_dtype(q) is not dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        values = raw(q)
        if not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")


def _quantile(F, name, input, q, dim, keepdim, interpolation, skip_nan):
    _check_quantile(name, input, q, interpolation)
    shape = tuple(input.shape)
    if dim is not None:
        dim = wrap_dim(dim, len(shape))
    if dim is None or not shape:
        flat, kept = F.reshape(input, (-1,)), ()
    else:
        flat = F.transpose(input, dim, -1)
        kept = tuple(flat.shape)[:-1]
    ordered = F.sort(flat, -1)[0]
    dtype = rush_dtype(ordered)
    n = ordered.shape[-1]
    missing = F.sum(F.isnan(ordered), -1, True)
    scalar = not hasattr(q, "shape") or not q.ndim
    wanted = F.reshape(q, (-1,)) if hasattr(q, "shape") else _like(input, np.full(1, q, dtype.numpy))
    m = tuple(wanted.shape)[0]
    # the rank of each quantile, a tensor, for gradients flow to q; the last where that holds NaN, sorted to the end
    if skip_nan:
        rank = wanted * F._to_dtype(F.clamp(n - 1 - missing, 0), dtype)
    else:
        rank = F.expand(wanted * (n - 1), (*kept, m))
        if raw(missing).any():
            rank = F.masked_fill(rank, missing > 0, float(n - 1))
    if interpolation == "lower":
        rank = F.floor(rank)
    elif interpolation == "higher":
        rank = F.ceil(rank)
    elif interpolation == "nearest":
        rank = F.round(rank)
    low = F._to_dtype(F.floor(rank), dtypes.int64)
    out = F.gather(ordered, -1, low)
    if interpolation in ("linear", "midpoint"):
        if interpolation == "midpoint":
            weight = F.full_like(rank, 0.5)
        else:
            weight = rank - F._to_dtype(low, dtype)
        high = F._to_dtype(F.ceil(rank), dtypes.int64)
        out = F.lerp(out, F.gather(ordered, -1, high), weight)
    out = F.movedim(out, -1, 0)
    if dim is None or not shape:
        out = F.reshape(out, (m, *((1,) * len(shape) if keepdim else ())))
    else:
        out = F.transpose(F.unsqueeze(out, -1), dim + 1, -1)
        out = out if keepdim else F.squeeze(out, dim + 1)
    return F.squeeze(out, 0) if scalar else out


def _like(value, array):
    """``array`` as a tensor beside tensors, as it is beside arrays."""
    if raw(value) is value:
        return array
    from ..tensor import wrap

    return wrap(array)


@composite("quantile")
def quantile(F, input, q, dim=None, keepdim=False, *, interpolation="linear"):
    return _quantile(F, "quantile", input, q, dim, keepdim, interpolation, False)


accept_out("quantile", same(_QUANTILE_OUT), copies=True)


@composite("nanquantile")
def nanquantile(F, input, q, dim=None, keepdim=False, *, interpolation="linear"):
    return _quantile(F, "nanquantile", input, q, dim, keepdim, interpolation, True)


accept_out("nanquantile", same(_QUANTILE_OUT), copies=True)


# ------------------------------------------------------------------------------------------------------- counting

differentiable(
    *("bincount", kernels.bincount),
    vjp=dict(weights=undifferentiable.derivative("bincount")),
    jvp=dict(weights=undifferentiable.tangent("aten::bincount")),
    **undifferentiable.NODE,
)
differentiable(
    *("histc", kernels.histc),
    **dict(
        out=True,
        spoken_out=False,
        check_out=same(
            "torch.histogram: input tensor and hist tensor should have the same dtype, but got input {cpp_result} and hist "
            "{cpp_out}"
        ),
    ),
)


def _histogram(input, bins, range, weight, density):
    return kernels.histogram(input, bins, range=range, weight=weight, density=density)


def _histogram_out(arguments, outs):
    given = dtypes.of(arguments[0].dtype)
    for name, where, out in zip(("hist", "bin_edges"), ("", " for dimension 0"), outs):
        if given is not out._dtype:
            raise RuntimeError(
                f"torch.histogram: input tensor and {name} tensor should have the same dtype, but got input "
                f"{given.cpp_name} and {name} {out._dtype.cpp_name}{where}"
            )
    return arguments


differentiable(
    *("_histogram", _histogram),
    vjp=undifferentiable.derivative("histogram"),
    jvp=undifferentiable.tangent("aten::histogram"),
    **undifferentiable.NODE,
    **dict(returns=("hist", "bin_edges"), out=True, spoken_out="aten::histogram", prepare_out=_histogram_out),
    **_private,
)


@composite("histogram")
def histogram(F, input, bins, *, range=None, weight=None, density=False, out=None):
    return named("histogram", ("hist", "bin_edges"), F._histogram, (input, bins, range, weight, density), out)


def _histogramdd(input, bins, range, weight, density):
    return kernels.histogramdd(input, bins, range=range, weight=weight, density=density)


differentiable(
    *("_histogramdd", _histogramdd),
    vjp=undifferentiable.derivative("_histogramdd_from_bin_cts"),
    jvp=undifferentiable.tangent("aten::_histogramdd_from_bin_cts"),
    **dict(undifferentiable.NODE, returns="list"),
    **_private,
)


def _refuse_histogramdd(input, bins, **other):
    """TypeError for keywords that ``histogramdd`` does not have, ``out=`` among them."""
    if isinstance(bins, (tuple, list)) and bins and isinstance(bins[0], int):
        raise TypeError("expected Tensor as element 0 in argument 1, but got int")
    shown = [type(input).__name__, type(bins).__name__]
    shown += [f"{name}={type(value).__name__}" for name, value in sorted(other.items())]
    rest = "tuple of floats range = None, Tensor weight = None, bool density = False"
    forms = [f" * (Tensor input, {kind} bins, {rest})\n" for kind in ("int", "tuple of ints", "tuple of Tensors")]
    raise TypeError(
        f"histogramdd() received an invalid combination of arguments - got ({', '.join(shown)}), but expected one of:\n"
        + "".join(forms)
    )


@composite("histogramdd", method=False)
def histogramdd(F, input, bins, range=None, weight=None, density=False, **other):
    if other:
        _refuse_histogramdd(input, bins, weight=weight, density=density, **other)
    hist, *edges = F._histogramdd(input, bins, range, weight, density)
    return result_type("histogramdd", ("hist", "bin_edges"))(hist, tuple(edges))


# ---------------------------------------------------------------------------------------------------- correlations


def _weights(F, input, fweights, aweights, n):
    """The product of both kinds of weights, checked; None without any."""
    weights = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if given.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {given.ndim} dimensions"
            )
        dtype = rush_dtype(given)
        if name == "fweights" and dtype.category != 1:
            raise RuntimeError(
                f"cov(): expected fweights to have integral dtype but got fweights with {dtype.legacy} dtype"
            )
        if name == "aweights" and not dtype.is_floating_point:
            raise RuntimeError(
                f"cov(): expected aweights to have floating point dtype but got aweights with {dtype.legacy} dtype"
            )
        size = raw(given).size
        if size != n:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{size} != {n}"
            )
        if size and raw(given).min() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
        weights = given if weights is None else weights * given
    return weights


@composite("cov")
def cov(F, input, *, correction=1, fweights=None, aweights=None):
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if rush_dtype(input) is dtypes.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    if rush_dtype(input).category < 2:
        input = F._to_dtype(input, dtypes.get_default_dtype())
    x = F.reshape(input, (1, -1)) if input.ndim < 2 else input
    n = tuple(x.shape)[1]
    weights = _weights(F, input, fweights, aweights, n)
    if weights is not None and rush_dtype(weights).category < 2:
        weights = F._to_dtype(weights, rush_dtype(input).to_real())
    total = n if weights is None else F.sum(weights)
    if n == 0 or (weights is not None and raw(total) == 0):
        average = F.sum(x, 1) / 0.0
    else:
        average = (F.sum(x, 1) if weights is None else F.sum(x * weights, 1)) / total
    if weights is not None and aweights is not None and correction:
        weighted = weights * aweights
        factor = total - correction * F.sum(weighted) / total
    else:
        factor = total - correction
    if float(raw(factor).real if hasattr(factor, "shape") else factor) <= 0:
        import warnings

        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            UserWarning,
            stacklevel=4,
        )
        factor = 0.0
    away = x - F.unsqueeze(average, 1)
    scaled = away if weights is None else away * weights
    product = F.matmul(away, F.conj(F.transpose(scaled, 0, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        made = product / factor
    return F.squeeze(made)


@composite("corrcoef")
def corrcoef(F, input):
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    c = F.cov(input)
    if not c.ndim:
        return c / c
    deviation = F.sqrt(F.diagonal(c))
    c = c / F.unsqueeze(deviation, 1) / F.unsqueeze(deviation, 0)
    if rush_dtype(c).is_complex:
        return F._complex(F.clamp(F.real(c), -1, 1), F.clamp(F.imag(c), -1, 1))
    return F.clamp(c, -1, 1)
