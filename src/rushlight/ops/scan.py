"""Running reductions and differences; a running sum's transpose is the running sum from the other end."""

import numpy as np

from .. import dtypes
from ..array import scan as kernels
from ..array.arguments import wrap_dim, wrap_dims
from ..tensor import Tensor, wrap
from .linalg_out import accept_out
from .reduce import raw, rush_dtype
from .refusals import same
from .table import composite, differentiable


def reversed_cumsum(F, g, dim):
    """Running sums from the end; a 0-d array is its own."""
    return F.flip(F.cumsum(F.flip(g, (dim,)), dim), (dim,)) if g.ndim else g


def _in_dtype_of_out(arguments, outs):
    """Running sums and products are computed in the dtype of ``out=``, unless ``dtype=`` names one."""
    *rest, dtype = arguments
    return (*rest, outs[0]._dtype if dtype is None else dtype)


_own_dtype = dict(out="same", prepare_out=_in_dtype_of_out)
differentiable(
    *("cumsum", kernels.cumsum),
    **dict(vjp=lambda F, g, dim: reversed_cumsum(F, g, dim), linear=True, inplace=True, **_own_dtype),
)


def _cumprod_vjp(F, g, x, y, dim):
    if not x.ndim:
        return g
    dim = wrap_dim(dim, x.ndim)
    if not (raw(x) == 0).any():
        return reversed_cumsum(F, g * F.conj(y), dim) / F.conj(x)
    # with zeros: for each k, running products with element k taken for one; those from k on are its derivatives
    x, g = F.transpose(x, dim, -1), F.transpose(g, dim, -1)
    n = tuple(x.shape)[-1]
    table = F.expand(F.unsqueeze(x, -2), (*tuple(x.shape), n))
    one = np.eye(n, dtype=bool)
    later = np.triu(np.ones((n, n), bool))
    if isinstance(x, Tensor):
        one, later = wrap(one), wrap(~later)
    else:
        later = ~later
    products = F.masked_fill(F.cumprod(F.masked_fill(table, one, 1), -1), later, 0)
    return F.transpose(F.sum(F.unsqueeze(g, -2) * F.conj(products), -1), dim, -1)


differentiable("cumprod", kernels.cumprod, vjp=_cumprod_vjp, inplace=True, **_own_dtype)


def _running_vjp(F, g, y, dim, x_shape):
    if not len(x_shape):
        return g
    return F.scatter_add(F.new_zeros(g, tuple(x_shape)), dim, y[1], g)


_scalar_type = same("expected scalar_type {result} but found {out}")
_running = dict(vjp=_running_vjp, returns=("values", "indices"), nondiff=(1,), saves=(1,), out=True)
_running["check_out"] = _scalar_type
differentiable("cummax", kernels.cummax, **_running)
differentiable("cummin", kernels.cummin, **_running)


def _logcumsumexp_vjp(F, g, x, y, dim):
    if not x.ndim or not raw(x).size:
        return g

    def from_the_end(a):
        return F.flip(F.logcumsumexp(F.flip(a, (dim,)), dim), (dim,))

    if rush_dtype(x).is_complex:
        return F.conj(F.exp(from_the_end(F.log(F.conj(g)) - y) + x))
    # positive and negative cotangents apart, for each has a logarithm
    none = float(np.finfo(raw(g).dtype).min) / 4 if raw(g).dtype.kind == "f" else -1e30  # a finite log of zero
    positive = F.where(F.gt(g, 0), F.log(F.masked_fill(g, F.le(g, 0), 1.0)), none)
    negative = F.where(F.lt(g, 0), F.log(F.masked_fill(-g, F.ge(g, 0), 1.0)), none)
    return F.exp(from_the_end(positive - y) + x) - F.exp(from_the_end(negative - y) + x)


def _logcumsumexp_jvp(F, t, x, dim):
    if not x.ndim or not raw(x).size:
        return t
    if not rush_dtype(
        x
    ).is_complex:  # of complex ones PyTorch takes the exponential as they are, NaN where it overflows
        top = F.amax(x, dim, True)
        x = x - F.masked_fill(top, F.logical_not(F.isfinite(top)), 0.0)
    shares = F.exp(x)
    # where all there is so far is far below the largest, both sums underflow; PyTorch's tiny number keeps the quotient
    return F.cumsum(shares * t, dim) / (F.cumsum(shares, dim) + 1e-13)


differentiable(
    *("logcumsumexp", kernels.logcumsumexp),
    **dict(vjp=_logcumsumexp_vjp, jvp=_logcumsumexp_jvp, out=True, check_out=_scalar_type),
)


# --------------------------------------------------------------------------------------------- differences, integrals


@composite("diff")
def diff(F, input, n=1, dim=-1, prepend=None, append=None):
    if input.ndim < 1:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = wrap_dim(dim, input.ndim)
    for each in (prepend, append):
        if each is not None and each.ndim != input.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
        for i, (own, other) in enumerate(zip(input.shape, () if each is None else each.shape)):
            if own != other and i != dim:
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the differencing "
                    f"dimension; input.size({i}) = {own}, but got tensor.size({i}) = {other}"
                )
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return F.clone(input)
    if prepend is not None or append is not None:
        input = F.cat([each for each in (prepend, input, append) if each is not None], dim)
    n = min(n, tuple(input.shape)[dim])
    for _ in range(n):
        size = tuple(input.shape)[dim]
        if not size:
            break
        later, earlier = F._narrow(input, dim, 1, size - 1), F._narrow(input, dim, 0, size - 1)
        input = F.logical_xor(later, earlier) if rush_dtype(input) is dtypes.bool else later - earlier
    return input


def _diff_out(input, n=1, *rest, **named):
    step = "logical_xor" if input.dtype is dtypes.bool else "sub"
    return (None, step, False) if n else (_scalar_type, "diff", True)


accept_out("diff", varying=_diff_out)


def _widths(F, name, y, x, dim):
    """The distances between sample points, shaped to multiply ``y``'s intervals along ``dim``."""
    n = tuple(y.shape)[dim]
    if x.ndim == 1:
        if tuple(x.shape)[0] != n:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = F.reshape(x, tuple([n if d == dim else 1 for d in range(y.ndim)]))
    elif x.ndim < y.ndim:
        x = F.reshape(x, (1,) * (y.ndim - x.ndim) + tuple(x.shape))
    at = dim - y.ndim
    size = tuple(x.shape)[at]
    return F._narrow(x, at, 1, size - 1) - F._narrow(x, at, 0, size - 1)


def _areas(F, name, y, x, dx, dim):
    """Twice the area of every trapezoid, or the sum of both sides and the width where that is one number."""
    if not y.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    dim = wrap_dim(dim, y.ndim)
    n = tuple(y.shape)[dim]
    if not n:
        return None, None, dim
    widths = 1 if x is None else _widths(F, name, y, x, dim)
    sides = F._narrow(y, dim, 1, n - 1) + F._narrow(y, dim, 0, n - 1)
    return sides * widths if x is not None else sides, (1 if dx is None else dx) if x is None else 1, dim


def _spacings(spacing, dims, given):
    """A number or a vector of coordinates for each dimension."""
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, (int, float, complex)) or (hasattr(spacing, "shape") and not spacing.ndim):
        return [spacing] * len(dims)
    spacing = list(spacing)
    if len(spacing) != len(dims):
        if given:
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the "
                f"same length, but got a spacing argument of length {len(spacing)} and a dim argument of length {len(dims)}."
            )
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"'self.dim() = {len(dims)}', since dim argument was not given, but got a list of length {len(spacing)}"
        )
    return spacing


def _one_gradient(F, x, h, dim, edge_order):
    n = tuple(x.shape)[dim]

    def part(start, length=None):
        return F._narrow(x, dim, start, n - 2 if length is None else length)

    def column(values):
        return F.reshape(values, tuple([-1 if d == dim else 1 for d in range(x.ndim)]))

    if hasattr(h, "shape") and h.ndim:
        steps = F._narrow(h, 0, 1, n - 1) - F._narrow(h, 0, 0, n - 1)
        left, right = F._narrow(steps, 0, 0, n - 2), F._narrow(steps, 0, 1, n - 2)
        both = left + right
        a, b, c = -right / (left * both), (right - left) / (left * right), left / (right * both)
        inner = column(a) * part(0) + column(b) * part(1) + column(c) * part(2)
        first, second = F.select(steps, 0, 0), F.select(steps, 0, 1 if n > 2 else 0)
        last, before = F.select(steps, 0, n - 2), F.select(steps, 0, max(n - 3, 0))
    else:
        inner = (part(2) - part(0)) / (2 * h)
        first = second = last = before = h
    if edge_order == 1:
        head = (part(1, 1) - part(0, 1)) / first
        tail = (part(n - 1, 1) - part(n - 2, 1)) / last
    else:
        p, q = first, second
        head = (
            part(0, 1) * (-(2 * p + q) / (p * (p + q)))
            + part(1, 1) * ((p + q) / (p * q))
            + part(2, 1) * (-p / (q * (p + q)))
        )
        p, q = before, last
        tail = (
            part(n - 3, 1) * (q / (p * (p + q)))
            + part(n - 2, 1) * (-(q + p) / (p * q))
            + part(n - 1, 1) * ((2 * q + p) / (q * (p + q)))
        )
    return F.cat([head, inner, tail], dim)


@composite("gradient", method=False)
def gradient(F, input, *, spacing=None, dim=None, edge_order=1):
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    given = dim is not None
    dims = (dim,) if isinstance(dim, int) else tuple(range(input.ndim)) if dim is None else tuple(dim)
    dims = wrap_dims(dims, input.ndim)
    spacings = _spacings(spacing, dims, given)
    for d in dims:
        if tuple(input.shape)[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    if rush_dtype(input).category < 2:
        input = F._to_dtype(input, dtypes.get_default_dtype())
    return tuple([_one_gradient(F, input, h, d, edge_order) for h, d in zip(spacings, dims)])


@composite("trapezoid", aliases=("trapz",), method=False)
def trapezoid(F, y, x=None, *, dx=None, dim=-1):
    areas, width, dim = _areas(F, "trapezoid", y, x, dx, dim)
    if areas is None:
        return F.new_zeros(y, tuple([n for d, n in enumerate(y.shape) if d != dim]))
    return F.sum(areas, dim) * width / 2


@composite("cumulative_trapezoid", method=False)
def cumulative_trapezoid(F, y, x=None, *, dx=None, dim=-1):
    areas, width, dim = _areas(F, "cumulative_trapezoid", y, x, dx, dim)
    if areas is None:
        return F.new_zeros(y, tuple(y.shape))
    return F.cumsum(areas, dim) * width / 2
