"""The matrix exponential by scaling and squaring with Padé approximants.

Degrees and their radii are those of N. J. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J.
Matrix Anal. Appl. 26 (2005), table 2.3. One degree is chosen for a whole batch, by its largest norm; squarings by matrix.
"""

import math

import numpy as np

from .arguments import is_half
from .linalg import check_floating, check_square

__all__ = ["linalg_matrix_exp"]

_COEFFICIENTS = {
    3: (120, 60, 12, 1),
    5: (30240, 15120, 3360, 420, 30, 1),
    7: (17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1),
    9: (17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160, 110880, 3960, 90, 1),
    13: (
        *(64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600),
        *(670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1),
    ),
}
_RADII = {
    8: (
        (3, 1.495585217958292e-2),
        (5, 2.539398330063230e-1),
        (7, 9.504178996162932e-1),
        (9, 2.097847961257068),
        (13, 5.371920351148152),
    ),
    4: ((3, 4.258730016922831e-1), (5, 1.880152677804762), (7, 3.925724783138660)),
}


def linalg_matrix_exp(A):  # noqa: N803 - PyTorch's name
    """exp(A) of square matrices, batched."""
    check_square("linalg.matrix_exp", A)
    check_floating("linalg.matrix_exp", A)
    if not A.size:
        return np.zeros(A.shape, A.dtype)
    if is_half(A.dtype):
        return linalg_matrix_exp(A.astype(np.float32)).astype(A.dtype)
    norm = np.abs(A).sum(-2).max(-1)
    single = A.dtype.itemsize // (2 if A.dtype.kind == "c" else 1) == 4
    radii = _RADII[4 if single else 8]
    largest = float(norm.max())
    if not math.isfinite(largest):
        return _with_finite_part(A, norm)
    for degree, radius in radii:
        if largest <= radius:
            return _pade(A, degree)
    degree, radius = radii[-1]
    with np.errstate(divide="ignore"):
        squarings = np.maximum(0, np.ceil(np.log2(norm / radius))).astype(np.int64)
    result = _pade(np.ldexp(1.0, -squarings).astype(norm.dtype)[..., None, None] * A, degree)
    for step in range(int(squarings.max())):
        result = np.where((squarings > step)[..., None, None], np.matmul(result, result), result)
    return result


def _with_finite_part(a, norm):
    """Infinite or NaN matrices have NaN exponentials; the others of the batch are not touched by them."""
    out = np.full(a.shape, np.nan, a.dtype)
    good = np.isfinite(norm)
    if good.any():
        out[good] = linalg_matrix_exp(a[good])
    return out


def _pade(a, degree):
    b = [a.dtype.type(c) for c in _COEFFICIENTS[degree]]
    eye = np.eye(a.shape[-1], dtype=a.dtype)
    square = np.matmul(a, a)
    if degree == 13:
        fourth = np.matmul(square, square)
        sixth = np.matmul(fourth, square)
        odd = np.matmul(sixth, b[13] * sixth + b[11] * fourth + b[9] * square)
        odd = np.matmul(a, odd + b[7] * sixth + b[5] * fourth + b[3] * square + b[1] * eye)
        even = np.matmul(sixth, b[12] * sixth + b[10] * fourth + b[8] * square)
        even = even + b[6] * sixth + b[4] * fourth + b[2] * square + b[0] * eye
    else:
        odd, even = b[1] * eye, b[0] * eye
        power = eye
        for i in range(2, degree + 1, 2):
            power = np.matmul(power, square)
            even = even + b[i] * power
            odd = odd + b[i + 1] * power
        odd = np.matmul(a, odd)
    return np.linalg.solve(even - odd, even + odd)
