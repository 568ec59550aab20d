"""Keeping freed memory at hand, so that large results do not pay for fresh pages.

Most of the time of a large elementwise pass on plain NumPy goes into page faults: the C library gives the memory of a freed array back
to the system, and the next array gets pages that must be zeroed again. glibc can be told to keep it, which serves every array NumPy
makes, temporaries of kernels included, at no cost for each; docs/memory.md has the measurements that chose this over a pool in Python.
Elsewhere (other C libraries, Pyodide) nothing is changed.
"""

import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: glibc accepts at most 32 MiB here; larger arrays are mapped each time
_HEAP_UP_TO = 32 << 20
#: how much freed memory at the top of the heap stays with the process
_KEPT = 1 << 30


def keep_freed_memory():
    """Tell glibc to serve arrays of up to 32 MiB from its heap and to keep up to 1 GiB of freed memory; True if it was told.

    The environment variable ``RUSHLIGHT_KEEP_MEMORY=0`` leaves the C library as it is.
    """
    if os.environ.get("RUSHLIGHT_KEEP_MEMORY") == "0" or not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ImportError, AttributeError, OSError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _HEAP_UP_TO)) and bool(mallopt(_M_TRIM_THRESHOLD, _KEPT))
