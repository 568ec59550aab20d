"""Ready parametrisations of weights: orthogonal, of length and direction apart, of spectral norm one."""

import enum

from ... import (  # type: ignore[attr-defined]
    _weight_norm,
    add,
    allclose,
    cat,
    eye,
    finfo,
    geqrf,
    linalg,
    matrix_exp,
    norm_except_dim,
    randn,
    vdot,
    zeros_like,
)
from ... import mv as _mv
from ...autograd.modes import no_grad
from ...tensor import Tensor
from ..functional import normalize
from ..modules.module import Module
from . import parametrize
from .spectral_norm import output_dim

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _weight_of(module, name):
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


# Orthogonal -----------------------------------------------------------------------------------------------------------


class _OrthMaps(enum.Enum):
    matrix_exp = enum.auto()
    cayley = enum.auto()
    householder = enum.auto()


def _is_orthogonal(matrix):
    rows, columns = matrix.shape[-2:]
    identity = eye(columns, dtype=matrix.dtype, device=matrix.device)
    return allclose(matrix.mH @ matrix, identity, atol=10.0 * rows * finfo(matrix.dtype).eps)


def _make_orthogonal(matrix):
    """The Q of the QR decomposition whose R has a positive diagonal."""
    reflectors, tau = geqrf(matrix)
    factor = linalg.householder_product(reflectors, tau)
    return factor.mul_(reflectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2))


class _Orthogonal(Module):
    """A matrix (or several) to one with orthonormal columns, or rows if these are fewer.

    With ``base``, a point of the manifold that assignment sets, the map starts from there (M. Lezcano-Casado, 2019).
    """

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        if weight.is_complex() and orthogonal_map is _OrthMaps.householder:
            # reflectors alone do not determine their scales there
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):  # noqa: N803 - PyTorch's name
        transposed = X.size(-2) < X.size(-1)
        tall = X.mT if transposed else X
        make = self._by_reflections if self.orthogonal_map is _OrthMaps.householder else self._by_skew_matrix
        result = make(tall)
        if hasattr(self, "base"):
            result = self.base @ result
        return result.mT if transposed else result

    def _by_skew_matrix(self, tall):
        """The exponential of a skew-Hermitian matrix, or Cayley's (I + A/2)(I - A/2)^-1; the first columns of it."""
        rows, columns = tall.shape[-2:]
        lower = tall.tril()
        if rows != columns:
            rest = tall.new_zeros(rows, rows - columns).expand(*tall.shape[:-2], -1, -1)
            lower = cat([lower, rest], dim=-1)
        skew = lower - lower.mH
        if self.orthogonal_map is _OrthMaps.matrix_exp:
            result = matrix_exp(skew)
        else:
            identity = eye(rows, dtype=skew.dtype, device=skew.device)
            result = linalg.solve(add(identity, skew, alpha=-0.5), add(identity, skew, alpha=0.5))
        return result if rows == columns else result[..., :columns]

    def _by_reflections(self, tall):
        """The product of the Householder reflections in the columns; the diagonal holds signs, which are not differentiated."""
        vectors = tall.tril(diagonal=-1)
        tau = 2.0 / (1.0 + (vectors * vectors).sum(dim=-2))
        return linalg.householder_product(vectors, tau) * tall.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)

    @no_grad()
    def right_inverse(self, Q):  # noqa: N803 - PyTorch's name
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        transposed = Q.size(-2) < Q.size(-1)
        tall = Q.mT if transposed else Q
        if not hasattr(self, "base"):
            result = self._reflectors(tall)
            return result.mT if transposed else result
        rows, columns = tall.shape[-2:]
        if rows != columns:
            rest = randn(*tall.shape[:-2], rows, rows - columns, dtype=Q.dtype, device=Q.device)
            self.base = _make_orthogonal(cat([tall, rest], dim=-1))
        else:
            self.base = tall.clone() if _is_orthogonal(tall) else _make_orthogonal(tall)
        # where the map gives the identity, so that the result is the base; the signs of reflections are -1 there
        origin = zeros_like(Q)
        origin.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return origin

    def _reflectors(self, tall):
        if self.orthogonal_map is not _OrthMaps.householder:
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        vectors, tau = geqrf(tall)
        signs = vectors.diagonal(dim1=-2, dim2=-1)
        signs.sign_()
        # LAPACK leaves a reflection out by a tau of exactly zero
        signs[tau == 0.0] *= -1
        return vectors


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Keep the weight ``name`` of a module orthogonal (unitary where complex); returns the module.

    Args:
        orthogonal_map: "matrix_exp", "cayley" or "householder"; by default the first for square and complex weights, else the last.
        use_trivialization: parametrise around the last value assigned, which takes a matrix more.

    ValueError for tensors of fewer than two dimensions, unknown maps, and reflections of complex weights.
    """
    weight = _weight_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _OrthMaps.__members__:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, _OrthMaps[orthogonal_map], use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


# Weight norm ----------------------------------------------------------------------------------------------------------


class _WeightNorm(Module):
    """(length, direction) to the weight g v / ||v||."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return _weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """Split the weight ``name`` into length (``original0``) and direction (``original1``); returns the module.

    State dictionaries of the older form (``weight_g``, ``weight_v``) are read too (T. Salimans and D. Kingma, 2016).

    Args:
        dim: each index of this dimension has a length of its own; None: one length for all.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def from_older_form(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in older):
            for number, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{number}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(from_older_form)
    return module


# Spectral norm --------------------------------------------------------------------------------------------------------


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which the power method follows (T. Miyato et al., 2018)."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        dims = weight.ndim
        if not -dims <= dim < dims:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{dims}, {dims - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + dims
        self.eps = eps
        if dims > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            u, v = (matrix.new_empty(size).normal_(0, 1) for size in matrix.size())
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _matrix(self, weight):
        if self.dim != 0:
            weight = weight.permute(self.dim, *(k for k in range(weight.dim()) if k != self.dim))
        return weight.flatten(1)

    @no_grad()
    def _power_method(self, matrix, iterations):
        for _ in range(iterations):
            self._u.copy_(normalize(_mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(normalize(_mv(matrix.H, self._u), dim=0, eps=self.eps))

    def forward(self, weight):
        if weight.ndim == 1:
            # its singular value is its norm
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # what this call saves for backward must outlive the next one
        u, v = self._u.clone(), self._v.clone()
        return weight / vdot(u, _mv(matrix, v))

    def right_inverse(self, value):
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide the weight ``name`` of a module by its largest singular value; returns the module.

    Args:
        n_power_iterations: steps of the power method at each use in training.
        eps: the least norm by which its vectors are divided.
        dim: the dimension that stands for rows: 0, or 1 for transposed convolutions.
    """
    weight = _weight_of(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    return parametrize.register_parametrization(module, name, made)
