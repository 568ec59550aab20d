"""``torch.nn``: what models are built from."""

import importlib as _importlib

from ..missing import explain as _explain
from .modules import *  # noqa: F403
from .modules import __all__ as _classes
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "factory_kwargs",
    *_classes,
]


def factory_kwargs(kwargs):
    """The arguments that say what kind of tensor to make (device, dtype, memory_format), from those of a module's ``__init__``.

    Those under the name "factory_kwargs" count as if given directly; TypeError for any other, or one given twice.
    """
    if kwargs is None:
        return {}
    own = {"device", "dtype", "memory_format"}
    if not kwargs.keys() <= own | {"factory_kwargs"}:
        raise TypeError(f"unexpected kwargs {kwargs.keys() - own - {'factory_kwargs'}}")
    made = dict(kwargs.get("factory_kwargs", {}))
    for name in ("device", "dtype", "memory_format"):
        if name in kwargs:
            if name in made:
                raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
            made[name] = kwargs[name]
    return made


def __getattr__(name):
    try:
        return _importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(_explain(__name__, name))
