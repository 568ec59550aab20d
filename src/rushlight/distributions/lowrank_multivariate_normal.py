"""The multivariate normal distribution with a covariance of low rank plus a diagonal.

With ``C = I + W^T D^-1 W`` (the capacitance matrix), the Woodbury identity and the matrix determinant lemma give inverse and
determinant of ``W W^T + D`` at the cost of matrices of the low rank.
"""

import math

from .. import broadcast_tensors, diag_embed, eye, linalg, matmul
from ..size import Size
from . import constraints
from .distribution import Distribution
from .multivariate_normal import _batch_mahalanobis, _batch_mv, _half_log_det
from .utils import lazy_property, standard_normal

__all__ = ["LowRankMultivariateNormal"]


def _one_plus(matrix):
    return matrix + eye(matrix.shape[-1], dtype=matrix.dtype)


def _batch_capacitance_tril(factor, diagonal):
    """The Cholesky factor of the capacitance matrix."""
    return linalg.cholesky(_one_plus(matmul(factor.mT / diagonal.unsqueeze(-2), factor)))


def _batch_lowrank_logdet(factor, diagonal, capacitance_tril):
    """The log determinant of the covariance."""
    return 2 * _half_log_det(capacitance_tril) + diagonal.log().sum(-1)


def _batch_lowrank_mahalanobis(factor, diagonal, x, capacitance_tril):
    """``x^T covariance^-1 x``."""
    within = _batch_mv(factor.mT / diagonal.unsqueeze(-2), x)
    return (x.pow(2) / diagonal).sum(-1) - _batch_mahalanobis(capacitance_tril, within)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors of mean ``loc`` (..., n) and covariance ``cov_factor @ cov_factor.T + diag(cov_diag)``.

    ``cov_factor`` has shape (..., n, rank), ``cov_diag`` (..., n).
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m")
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        try:
            columns = broadcast_tensors(loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1))
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc = columns[0][..., 0]
        self.cov_factor = columns[1]
        self.cov_diag = columns[2][..., 0]
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)
        super().__init__(self.loc.shape[:-1], event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(LowRankMultivariateNormal, _instance)
        batch_shape = Size(batch_shape)
        vector_shape = batch_shape + self._event_shape
        new.loc = self.loc.expand(vector_shape)
        new.cov_diag = self.cov_diag.expand(vector_shape)
        new.cov_factor = self.cov_factor.expand(vector_shape + self.cov_factor.shape[-1:])
        for name in ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"):
            setattr(new, name, getattr(self, name))
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def _parts(self):
        return self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag

    def _as_matrix(self, matrix):
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        factor, diagonal = self._parts
        return (factor.pow(2).sum(-1) + diagonal).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        # of I + D^-1/2 W W^T D^-1/2, which is well conditioned, scaled by D^1/2
        factor, diagonal = self._parts
        root = diagonal.sqrt().unsqueeze(-1)
        scaled = factor / root
        return self._as_matrix(root * linalg.cholesky(_one_plus(matmul(scaled, scaled.mT))))

    @lazy_property
    def covariance_matrix(self):
        factor, diagonal = self._parts
        return self._as_matrix(matmul(factor, factor.mT) + diag_embed(diagonal))

    @lazy_property
    def precision_matrix(self):
        factor, diagonal = self._parts
        part = linalg.solve_triangular(self._capacitance_tril, factor.mT / diagonal.unsqueeze(-2), upper=False)
        return self._as_matrix(diag_embed(diagonal.reciprocal()) - part.mT @ part)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        factor, diagonal = self._parts
        low = standard_normal(shape[:-1] + self.cov_factor.shape[-1:], self.loc.dtype)
        own = standard_normal(shape, self.loc.dtype)
        return self.loc + _batch_mv(factor, low) + diagonal.sqrt() * own

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_lowrank_mahalanobis(*self._parts, value - self.loc, self._capacitance_tril)
        log_det = _batch_lowrank_logdet(*self._parts, self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + distance)

    def entropy(self):
        log_det = _batch_lowrank_logdet(*self._parts, self._capacitance_tril)
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy
