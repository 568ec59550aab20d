"""The multivariate normal distribution."""

import math

from .. import broadcast_shapes, cholesky_inverse, eye, flip, linalg, matmul
from ..size import Size
from . import constraints
from .distribution import Distribution
from .utils import lazy_property, standard_normal

__all__ = ["MultivariateNormal"]


def _batch_mv(matrix, vector):
    """The product of matrices with vectors, with batch dimensions that broadcast."""
    return matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(factor, x):
    """``x^T M^-1 x`` for ``M = L L^T`` with the lower triangular ``factor`` L, batched."""
    return linalg.solve_triangular(factor, x.unsqueeze(-1), upper=False).squeeze(-1).pow(2).sum(-1)


def _half_log_det(factor):
    """Half the log determinant of ``L L^T``."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _precision_to_scale_tril(precision):
    """The Cholesky factor of a matrix's inverse: that of the matrix read backwards, inverted."""
    backwards = flip(linalg.cholesky(flip(precision, (-2, -1))), (-2, -1)).mT
    return linalg.solve_triangular(backwards, eye(precision.shape[-1], dtype=precision.dtype), upper=False)


#: the matrices a spread may be given by, and how each gives the Cholesky factor of the covariance
SCALE_TRIL_OF = {
    "scale_tril": lambda matrix: matrix,
    "covariance_matrix": linalg.cholesky,
    "precision_matrix": _precision_to_scale_tril,
}


class MultivariateNormal(Distribution):
    """Normal vectors of mean ``loc``, shape (..., n).

    Exactly one of three matrices of shape (..., n, n) is given: ``covariance_matrix``, its inverse ``precision_matrix``, or its lower
    Cholesky factor ``scale_tril``, the quickest.
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {
            "scale_tril": scale_tril,
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
        }
        given = [name for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        (name,) = given
        matrix = matrices[name]
        if matrix.dim() < 2:
            spoken = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(f"{spoken} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        self.loc = loc.expand(batch_shape + (-1,))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = SCALE_TRIL_OF[name](matrix)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(MultivariateNormal, _instance)
        batch_shape = Size(batch_shape)
        vector_shape = batch_shape + self._event_shape
        new.loc = self.loc.expand(vector_shape)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        for name in SCALE_TRIL_OF:
            if name in self.__dict__:
                setattr(new, name, getattr(self, name).expand(vector_shape + self._event_shape))
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _as_matrix(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        return self._as_matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        return self._as_matrix(matmul(self._unbroadcasted_scale_tril, self._unbroadcasted_scale_tril.mT))

    @lazy_property
    def precision_matrix(self):
        return self._as_matrix(cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        noise = standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        normalizer = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (normalizer + distance) - _half_log_det(self._unbroadcasted_scale_tril)

    def entropy(self):
        half_log_det = _half_log_det(self._unbroadcasted_scale_tril)
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy
