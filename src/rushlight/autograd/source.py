"""Source that is written at run time: what takes an operator's hot path from a loop over its description to straight lines."""

import os

_PACKAGE = __name__.partition(".")[0]
_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

__all__ = ["define"]


def define(source, label, scope):
    """Run ``source`` in ``scope`` and return it; it counts as rushlight's own code where warnings and errors look for the user's line."""
    scope["__name__"] = f"{_PACKAGE}.written"
    exec(compile(source, os.path.join(_FOLDER, f"<{label}>"), "exec"), scope)
    return scope
