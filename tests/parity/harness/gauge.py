"""Results that PyTorch's documentation leaves open, compared through what it does determine.

Matrix factorisations: eigenvectors and singular vectors may come back with another sign or phase, or, for equal eigenvalues, as another basis
of the same space: two LAPACK builds differ in this, and PyTorch's documentation says so. For these the values are
compared through what is determined: the eigenvalues, the product of the factors, and that the factors are unitary.

Orders among equal elements: the indices of `topk`, `median`, `nanmedian`, and of `sort` and `argsort` without `stable=True`
"are not guaranteed" where elements are equal. For these the elements the indices point at are compared, and that no index
comes twice.
"""

import numpy as np


def determined(name, outputs, kwargs, given=()):
    """The determined quantities of a result as a list of arrays, or None where all of it is determined.

    `given` are the positional arguments of the call, the first one as an array.
    """
    outputs = list(outputs)
    if name in _KERNELS:
        count, kernel = _KERNELS[name]
        if len(outputs) % count:
            return None
        # with out= the results come twice: what was returned, and what was written into
        chunks = [outputs[i : i + count] for i in range(0, len(outputs), count)]
        with np.errstate(all="ignore"):
            return [array for chunk in chunks for array in kernel(chunk, kwargs)]
    if name in _TIES and not kwargs.get("stable") and outputs[-1].dtype == np.int64:
        count = 1 if name == "argsort" else 2
        if len(outputs) % count:
            return None
        chunks = [outputs[i : i + count] for i in range(0, len(outputs), count)]
        parts = [_pointed_at(name, chunk, kwargs, given) for chunk in chunks]
        return None if any(p is None for p in parts) else [array for part in parts for array in part]
    return None


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


# name -> position of `dim` among the arguments and its default (None: over all elements)
_TIES = {"sort": (1, -1), "argsort": (1, -1), "topk": (2, -1), "median": (1, None), "nanmedian": (1, None)}


def _pointed_at(name, outputs, kwargs, given):
    """Values, what the indices point at, and how many different indices there are; None without indices."""
    position, default = _TIES[name]
    dim = kwargs.get("dim", given[position] if len(given) > position else default)
    indices = outputs[-1]
    values = np.asarray(given[0])
    if (
        not isinstance(dim, int)
        or isinstance(dim, bool)
        or (name != "argsort" and len(outputs) != 2)
        or not indices.size
    ):
        return None
    if values.ndim == 0:
        return outputs
    if indices.ndim < values.ndim:  # reduced without keepdim
        indices = np.expand_dims(indices, dim % values.ndim)
    pointed = np.take_along_axis(values, indices, dim)
    ordered = np.sort(indices, axis=dim)
    different = np.asarray((np.diff(ordered, axis=dim) != 0).sum())
    return [*outputs[:-1], pointed, different]


# name -> how many results, and what of them is determined
_KERNELS = {
    "linalg.svd": (3, lambda outputs, kwargs: _svd(outputs, kwargs, True)),
    "svd": (3, lambda outputs, kwargs: _svd(outputs, kwargs, False)),
    "linalg.eigh": (2, _eigh),
    "linalg.eig": (2, _eig),
    "linalg.eigvals": (1, _eigvals),
}
