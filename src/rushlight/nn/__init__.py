"""``torch.nn``: what models are built from."""

import importlib as _importlib

from ..missing import explain as _explain
from ..parameter import Parameter  # noqa: F401


def __getattr__(name):
    try:
        return _importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(_explain(__name__, name))
