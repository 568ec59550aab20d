"""``torch.nn``: what models are built from."""

import importlib as _importlib

from ..missing import explain as _explain
from .modules import *  # noqa: F403
from .modules import __all__ as _classes
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", *_classes]


def __getattr__(name):
    try:
        return _importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(_explain(__name__, name))
