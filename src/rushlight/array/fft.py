"""Discrete Fourier transforms: the three kernels all of ``torch.fft`` is made of, and the windowed transform's frames.

Complex to complex, real to complex and complex to real, over several dimensions at once. A kernel takes already resized input.
``normalization`` is 0 (no factor), 1 (1/sqrt(n)) or 2 (1/n). NumPy keeps single precision (version 2 and later).
"""

import numpy as np

__all__ = ["c2c", "c2r", "frequencies", "normalization", "overlap_add", "r2c", "scale_slice"]

_FORWARD = ("backward", "ortho", "forward")  # NumPy's name of a factor when transforming forwards, by ours
_INVERSE = ("forward", "ortho", "backward")


def normalization(norm, forward):
    """Our number for PyTorch's ``norm``, which is relative to the direction."""
    if norm is None or norm == "backward":
        return 0 if forward else 2
    if norm == "forward":
        return 2 if forward else 0
    if norm == "ortho":
        return 1
    raise RuntimeError(f'Invalid normalization mode: "{norm}"')


def c2c(input, dim, normalization, forward):
    """The transform of complex data over the dimensions ``dim``."""
    if not dim:
        return input.copy()
    if not input.size:
        return np.zeros(input.shape, input.dtype)
    if forward:
        return np.fft.fftn(input, axes=dim, norm=_FORWARD[normalization])
    return np.fft.ifftn(input, axes=dim, norm=_INVERSE[normalization])


def r2c(input, dim, normalization, onesided):
    """The transform of real data; ``onesided`` keeps half of the last of ``dim``, the rest of which is its mirror image."""
    if not input.size:
        shape = list(input.shape)
        if onesided:
            shape[dim[-1]] = shape[dim[-1]] // 2 + 1
        return np.zeros(shape, np.complex64 if input.dtype.itemsize == 4 else np.complex128)
    half = np.fft.rfftn(input, axes=dim, norm=_FORWARD[normalization])
    return half if onesided else _mirrored(half, dim, input.shape[dim[-1]])


def _mirrored(half, dim, n):
    """The whole transform of real data from its half: element -k (in all of ``dim``) is the conjugate of element k."""
    last = dim[-1]
    shape = list(half.shape)
    kept = shape[last]
    shape[last] = n
    out = np.empty(shape, half.dtype)
    head = (slice(None),) * last
    out[(*head, slice(0, kept))] = half
    rest = half[(*head, slice(n - kept, 0, -1))]
    for d in dim[:-1]:
        rest = np.roll(np.flip(rest, d), 1, d)
    np.conjugate(rest, out=out[(*head, slice(kept, n))])
    return out


def c2r(input, dim, normalization, last_dim_size):
    """The inverse of ``r2c(onesided=True)``, its last dimension ``last_dim_size`` long."""
    sizes = [*[input.shape[d] for d in dim[:-1]], last_dim_size]
    if not input.size:
        shape = list(input.shape)
        shape[dim[-1]] = last_dim_size
        return np.zeros(shape, np.float32 if input.dtype.itemsize == 8 else np.float64)
    return np.fft.irfftn(input, s=sizes, axes=dim, norm=_INVERSE[normalization])


def scale_slice(input, dim, start, length, factor):
    """A copy in which ``length`` elements from ``start`` along ``dim`` are multiplied by ``factor``."""
    out = np.array(input)
    out[(*(slice(None),) * dim, slice(start, start + length))] *= factor
    return out


def overlap_add(input, hop):
    """Frames ``(..., n, count)`` added where they overlap, ``hop`` apart: ``(..., hop * (count - 1) + n)``.

    One addition for each of a frame's ``hop``-sized pieces, whatever the number of frames.
    """
    *batch, n, count = input.shape
    total = hop * (count - 1) + n
    pieces = -(-n // hop)
    out = np.zeros((*batch, count + pieces, hop), input.dtype)
    for k in range(pieces):
        part = input[..., k * hop : min(n, (k + 1) * hop), :]
        out[..., k : k + count, : part.shape[-2]] += part.swapaxes(-1, -2)
    return out.reshape(*batch, -1)[..., :total]


def frequencies(n, d, dtype, half):
    """The frequencies of ``fft`` (or, ``half``, of ``rfft``) for ``n`` samples ``d`` apart."""
    name = "rfftfreq" if half else "fftfreq"
    if dtype.category < 2:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    count = n // 2 + 1 if half else n
    out = np.arange(count)
    if not half:
        out[(n + 1) // 2 :] -= n
    working = np.float32 if dtype.itemsize == 2 else dtype.numpy
    with np.errstate(all="ignore"):
        step = np.divide(1.0, n * d)
        return (out.astype(working) * np.asarray(step, working)).astype(dtype.numpy)
