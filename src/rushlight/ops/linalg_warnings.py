"""Warnings that PyTorch gives once in a process: functions that torch.linalg has replaced, and transforms of signals that want a word."""

import sys
import warnings

from ..settings import is_warn_always_enabled

__all__ = ["forget", "tell", "tell_once"]

_PACKAGE = __name__.partition(".")[0]
_told = set()

_DEPRECATED = (
    "torch.{name} is deprecated in favor of torch.linalg.{new}{and_} will be removed in a future PyTorch release.\n"
)
_TEXTS = {
    "cholesky": (
        _DEPRECATED.format(name="cholesky", new="cholesky", and_=" and")
        + "L = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\n"
        "U = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\n"
        "This transform will produce equivalent results for all valid (symmetric positive definite) inputs."
    ),
    "qr": (
        _DEPRECATED.format(name="qr", new="qr", and_=" and")
        + "The boolean parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\n"
        "should be replaced with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    ),
    "lu": (
        _DEPRECATED.format(name="lu", new="lu_factor / torch.linalg.lu_factor_ex", and_=" and")
        + "LU, pivots = torch.lu(A, compute_pivots)\nshould be replaced with\n"
        "LU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"
    ),
    "triangular_solve": (
        _DEPRECATED.format(name="triangular_solve", new="solve_triangular", and_="and")
        + "torch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of the inputs.\n"
        "X = torch.triangular_solve(B, A).solution\nshould be replaced with\nX = torch.linalg.solve_triangular(A, B)."
    ),
    "lu_solve": (
        _DEPRECATED.format(name="lu_solve", new="lu_solve", and_="and")
        + "Note that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\n"
        "should be replaced with\nX = torch.linalg.lu_solve(LU, pivots, B)"
    ),
    "chain_matmul": (
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    ),
    "cross": (
        "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use "
        "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release."
    ),
    "stft": (
        "A window was not provided. A rectangular window will be applied,which is known to cause spectral leakage. Other "
        "windows such as torch.hann_window or torch.hamming_window are recommended to reduce spectral leakage.To suppress "
        "this warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, device=<device>)`."
    ),
    "istft without a window": (
        "A window was not provided. A rectangular window will be applied.Please provide the same window used by stft to make "
        "the inversion lossless.To suppress this warning and use a rectangular window, explicitly set "
        "`window=torch.ones(n_fft, device=<device>)`."
    ),
    "istft": (
        "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please "
        "check your center and hop_length settings."
    ),
}


def tell_once(name):
    """Warn of ``name``, the first time in the process (each time if so set, ``torch.set_warn_always``)."""
    if name not in _told or is_warn_always_enabled():
        _told.add(name)
        tell(name)


def tell(name):
    """Warn of ``name`` at the caller's line outside this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(_TEXTS[name], UserWarning, stacklevel=level)


def forget():
    """Tell everything again; for tests."""
    _told.clear()
