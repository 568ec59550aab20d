"""Matrix factorisations whose factors are only determined up to a phase or a rotation.

Eigenvectors and singular vectors may come back with another sign or phase, or, for equal eigenvalues, as another basis
of the same space: two LAPACK builds differ in this, and PyTorch's documentation says so. For these the values are
compared through what is determined: the eigenvalues, the product of the factors, and that the factors are unitary.
"""

import numpy as np


def determined(name, outputs, kwargs):
    """The determined quantities of a factorisation as a list of arrays, or None where `name` is not one."""
    kernel = _KERNELS.get(name)
    if kernel is None:
        return None
    with np.errstate(all="ignore"):
        return kernel(list(outputs), kwargs)


def _adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def _gram(a):
    return _adjoint(a) @ a


def _svd(outputs, kwargs, transposed):
    u, s, v = outputs
    if kwargs.get("compute_uv") is False or not s.size:
        return outputs
    vh = v if transposed else _adjoint(v)
    k = s.shape[-1]
    product = (u[..., :k] * s[..., None, :]) @ vh[..., :k, :]
    return [s, product, _gram(u), _gram(_adjoint(vh))]


def _eigh(outputs, kwargs):
    w, v = outputs
    return [w, (v * w[..., None, :]) @ _adjoint(v), _gram(v)]


def _eig(outputs, kwargs):
    """Eigenvalues in order of (real, imaginary), and the matrix they rebuild; columns have norm one."""
    w, v = outputs
    if not w.size:
        return outputs
    order = np.lexsort((np.round(w.imag, 9), np.round(w.real, 9)))
    product = (v * w[..., None, :]) @ np.linalg.inv(v)
    return [np.take_along_axis(w, order, -1), product, np.linalg.norm(v, axis=-2)]


def _eigvals(outputs, kwargs):
    (w,) = outputs
    order = np.lexsort((np.round(w.imag, 9), np.round(w.real, 9)))
    return [np.take_along_axis(w, order, -1)]


_KERNELS = {
    "linalg.svd": lambda outputs, kwargs: _svd(outputs, kwargs, True),
    "svd": lambda outputs, kwargs: _svd(outputs, kwargs, False),
    "linalg.eigh": _eigh,
    "linalg.eig": _eig,
    "linalg.eigvals": _eigvals,
}
