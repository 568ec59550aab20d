"""Weights as length times direction, and QR decompositions as reflectors: what weight parametrisations are made of."""

import numpy as np

from . import undifferentiable
from .table import PLACES, TENSOR, composite, differentiable


def _others(value, dim):
    """All dimensions of a tensor but ``dim``; all of them for -1."""
    return tuple(k for k in range(value.ndim) if dim == -1 or k != dim)


@composite("norm_except_dim", method=False)
def norm_except_dim(F, v, pow=2, dim=0):
    """The `pow`-norm over all dimensions but `dim`, which keep size 1: (1, ..., v.shape[dim], ..., 1); () for `dim` -1."""
    if dim == -1:
        return F.linalg_vector_norm(v, pow)
    if v.ndim == 1:
        return F.linalg_vector_norm(F.unsqueeze(v, 1), pow, 1)
    return F.linalg_vector_norm(v, pow, _others(v, dim), True)


def _weight_norm_interface(v, magnitude, dim=0):
    lengths = np.sqrt(np.add.reduce(v * v, axis=_others(v, dim), keepdims=True))
    return v * (magnitude / lengths)


def _pull_direction(F, g, v, magnitude, dim):
    # w = m v / |v|: the cotangent less its part along v, times m / |v|
    axes = _others(v, dim)
    square = F.sum(F.mul(v, v), axes, True)
    along = F.div(F.sum(F.mul(g, v), axes, True), square)
    return F.mul(F.sub(g, F.mul(v, along)), F.div(magnitude, F.sqrt(square)))


def _pull_length(F, g, v, dim):
    axes = _others(v, dim)
    return F.div(F.sum(F.mul(g, v), axes, True), F.sqrt(F.sum(F.mul(v, v), axes, True)))


differentiable(
    "_weight_norm_interface",
    _weight_norm_interface,
    vjp=dict(v=_pull_direction, magnitude=_pull_length),
    method=False,
)


@composite("_weight_norm", method=False)
def _weight_norm(F, v, g, dim=0):
    """v g / ||v|| with norms over all dimensions but `dim` (-1: over all); `g` has their shape."""
    if v.ndim > 1 and dim in (0, v.ndim - 1):
        return F._weight_norm_interface(v, g, dim)
    return F.mul(v, F.div(g, F.norm_except_dim(v, 2, dim)))


# code that was written for PyTorch imports it by this name, which as a private one is not shown otherwise
PLACES[""]["_weight_norm"] = TENSOR._weight_norm  # type: ignore[attr-defined]


def _geqrf(input):
    if input.ndim < 2:
        raise RuntimeError(
            f"torch.geqrf: input must have at least 2 dimensions, but got {input.ndim} dimensions instead"
        )
    reflectors, tau = np.linalg.qr(input, mode="raw")
    return np.swapaxes(reflectors, -2, -1), tau


differentiable(
    *("geqrf", _geqrf),
    vjp=undifferentiable.partial("geqrf"),
    jvp=undifferentiable.tangent("geqrf"),
    returns=("a", "tau"),
)
