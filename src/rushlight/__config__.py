"""``torch.__config__``: what the numbers are computed with."""

import os

__all__ = ["parallel_info", "show"]


def show():
    """The versions of rushlight, NumPy and Python, one a line."""
    import platform

    import numpy as np

    from . import __rushlight_version__, __version__

    return (
        f"rushlight {__rushlight_version__}, after PyTorch {__version__}, built with:\n"
        f"  - NumPy {np.__version__}\n"
        f"  - Python {platform.python_version()}\n"
    )


def parallel_info():
    """How many threads elementwise work may use, and the settings of the BLAS behind NumPy."""
    from . import get_num_interop_threads, get_num_threads

    asked = [f"\t{name} : {os.environ.get(name, '[not set]')}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")]
    return "\n".join(
        (
            "ATen/Parallel:",
            f"\tat::get_num_threads() : {get_num_threads()}",
            f"\tat::get_num_interop_threads() : {get_num_interop_threads()}",
            "Environment variables:",
            *asked,
            "ATen parallel backend: native thread pool\n",
        )
    )
