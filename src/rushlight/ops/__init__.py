"""The operators of rushlight, by family; importing this package declares them all."""

import importlib
import importlib.util

from . import core, creation, subscript, table  # noqa: F401

creation.hang_raw(table.RAW)

#: the files of operator families
FAMILIES = (
    *("elementwise", "compare", "special", "activation", "windows"),
    *("shape", "join", "indexing", "gather", "reduce", "scan", "sort", "softmax", "pad"),
    *("matmul", "linalg", "fft"),
    *("random", "dropout", "embedding", "conv", "pooling", "norm", "loss", "resample", "fold", "attention", "recurrent"),
)
for _family in FAMILIES:
    if importlib.util.find_spec(f"{__name__}.{_family}") is not None:
        try:  # TEMPORARY while the families are being written side by side
            importlib.import_module(f"{__name__}.{_family}")
        except Exception as _error:
            import sys

            print(f"rushlight: family {_family} does not load: {_error!r}", file=sys.stderr)

from . import operators  # noqa: E402

operators.hang()
