"""``torch.utils``: its modules are loaded at first use."""

import importlib


def __getattr__(name):
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    from ..missing import explain

    raise AttributeError(explain("torch.utils", name))
