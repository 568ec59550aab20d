"""Window functions: torch.hann_window and its kin, and torch.signal.windows.

None of them is an operator: they make new tensors. Each returns a one-dimensional tensor of `window_length` (`M`) elements,
of the default floating dtype unless `dtype` says otherwise; lengths 0 and 1 give the empty window and the single 1.
"""

import numpy as np

from .. import devices, dtypes
from ..array import window_functions as kernels
from ..tensor import strided, wrap
from .creation import check_options, finish
from .table import PLACES

__all__ = ["SIGNAL_WINDOWS"]

#: torch.signal.windows by name
SIGNAL_WINDOWS = PLACES.setdefault("signal.windows", {})

HANN, HAMMING, BLACKMAN = (0.5, 0.5), (0.54, 0.46), (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


# ------------------------------------------------------------------------------------------- torch.hann_window, ...

_CPP = {"float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double", "bool": "bool"}
_CPP |= {"int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char"}
_CPP |= {"complex64": "c10::complex<float>", "complex128": "c10::complex<double>"}


def _torch_window(name, window_length, periodic, compute, dtype, layout, device, pin_memory, requires_grad):
    if not isinstance(window_length, (int, np.integer)) or isinstance(window_length, bool):
        raise TypeError(
            f"{name}(): argument 'window_length' (position 1) must be int, not {type(window_length).__name__}"
        )
    check_options(name, None, device, pin_memory)
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"{name} expects floating point dtypes, got: TensorOptions(dtype={_CPP.get(dtype.name, dtype.name)}, "
            "device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, "
            "memory_format=(nullopt))"
        )
    if layout is not None and layout is not strided:
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout!r}")
    if window_length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
    if window_length < 2:
        made = np.ones(window_length, dtype.numpy)
    else:
        made = compute(window_length, window_length + 1 if periodic else window_length, dtype.numpy)
    return finish(wrap(made), requires_grad)


def hann_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """Hann window, ``(1 - cos(2 pi x)) / 2``."""

    def compute(count, span, numpy):
        return kernels.general_cosine(count, span, HANN, numpy)

    return _torch_window(
        "hann_window", window_length, periodic, compute, dtype, layout, device, pin_memory, requires_grad
    )


def hamming_window(
    window_length,
    periodic=True,
    alpha=0.54,
    beta=0.46,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Hamming window, ``alpha - beta cos(2 pi x)``."""

    def compute(count, span, numpy):
        return kernels.general_cosine(count, span, (alpha, beta), numpy)

    return _torch_window(
        "hamming_window", window_length, periodic, compute, dtype, layout, device, pin_memory, requires_grad
    )


def blackman_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """Blackman window, ``0.42 - 0.5 cos(2 pi x) + 0.08 cos(4 pi x)``."""

    def compute(count, span, numpy):
        return kernels.general_cosine(count, span, BLACKMAN, numpy)

    return _torch_window(
        "blackman_window", window_length, periodic, compute, dtype, layout, device, pin_memory, requires_grad
    )


def bartlett_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """Bartlett window, a triangle."""
    return _torch_window(
        "bartlett_window", window_length, periodic, kernels.bartlett, dtype, layout, device, pin_memory, requires_grad
    )


def kaiser_window(
    window_length,
    periodic=True,
    beta=12.0,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """Kaiser window of shape `beta`."""

    def compute(count, span, numpy):
        return kernels.kaiser(count, span, beta, numpy)

    return _torch_window(
        "kaiser_window", window_length, periodic, compute, dtype, layout, device, pin_memory, requires_grad
    )


for _function in (hann_window, hamming_window, blackman_window, bartlett_window, kaiser_window):
    _function.__module__ = "torch"
    PLACES[""][_function.__name__] = _function

# --------------------------------------------------------------------------------------------- torch.signal.windows


def _signal_window(name, M, sym, compute, dtype, layout, device, requires_grad):
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype!r}")
    devices.check(device)
    made = compute(M, M if sym else M + 1, dtype.numpy) if M > 1 else np.ones(M, dtype.numpy)
    return finish(wrap(made), requires_grad)


def bartlett(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Bartlett window, a triangle."""
    return _signal_window("bartlett", M, sym, kernels.bartlett, dtype, layout, device, requires_grad)


def cosine(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Half a period of the sine."""
    return _signal_window("cosine", M, sym, kernels.cosine, dtype, layout, device, requires_grad)


def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """``exp(-|n - center| / tau)``; a symmetric window has its centre in the middle."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def compute(count, span, numpy):
        return kernels.exponential(count, span, center, tau, numpy)

    return _signal_window("exponential", M, sym, compute, dtype, layout, device, requires_grad)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Gaussian window of standard deviation `std`, in samples."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def compute(count, span, numpy):
        return kernels.gaussian(count, span, std, numpy)

    return _signal_window("gaussian", M, sym, compute, dtype, layout, device, requires_grad)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Kaiser window of shape `beta`."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def compute(count, span, numpy):
        return kernels.kaiser(count, span, beta, numpy)

    return _signal_window("kaiser", M, sym, compute, dtype, layout, device, requires_grad)


def general_cosine(M, *, a, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Sum of ``(-1)**k a[k] cos(2 pi k x)``."""
    if M > 1:
        if not isinstance(a, (list, tuple)):
            raise TypeError("Coefficients must be a list/tuple")
        if not a:
            raise ValueError("Coefficients cannot be empty")

    def compute(count, span, numpy):
        return kernels.general_cosine(count, span, a, numpy)

    return _signal_window("general_cosine", M, sym, compute, dtype, layout, device, requires_grad)


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """``alpha - (1 - alpha) cos(2 pi x)``."""
    options = dict(sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
    return general_cosine(M, a=[alpha, 1.0 - alpha], **options)


def _fixed(name, coefficients, text):
    named = "blackman" if name == "blackman" else "general_cosine"  # the name in PyTorch's texts

    def window(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
        def compute(count, span, numpy):
            return kernels.general_cosine(count, span, coefficients, numpy)

        return _signal_window(named, M, sym, compute, dtype, layout, device, requires_grad)

    window.__name__ = window.__qualname__ = name
    window.__doc__ = text
    return window


hann = _fixed("hann", HANN, "Hann window.")
hamming = _fixed("hamming", HAMMING, "Hamming window.")
blackman = _fixed("blackman", BLACKMAN, "Blackman window.")
nuttall = _fixed("nuttall", NUTTALL, "Nuttall window of four terms.")

for _function in (
    *(
        bartlett,
        blackman,
        cosine,
        exponential,
        gaussian,
        general_cosine,
        general_hamming,
        hamming,
        hann,
        kaiser,
        nuttall,
    ),
):
    _function.__module__ = "torch.signal.windows"
    SIGNAL_WINDOWS[_function.__name__] = _function
