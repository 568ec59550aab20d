"""Make modules without drawing their parameters."""

import inspect

from ... import get_rng_state, set_rng_state
from ..modules.module import Module


def skip_init(module_cls, *args, **kwargs):
    """``module_cls(*args, **kwargs)`` with parameters and buffers left as they come from memory; the random stream stays where it is.

    There is no meta device to make the module on, so what its ``__init__`` draws is drawn and dropped: it takes as long as usual.
    RuntimeError for a class that is no `Module` or does not take ``device``.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    state = get_rng_state()
    try:
        made = module_cls(*args, **kwargs)
    finally:
        set_rng_state(state)
    return made.to_empty(device=kwargs.get("device", "cpu"))
