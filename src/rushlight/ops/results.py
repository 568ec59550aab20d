"""The named tuples of operators with several results, as ``torch.return_types`` has them."""

from collections import namedtuple

#: result classes by name, for ``torch.return_types``
RESULT_TYPES = {}


def result_type(name, fields):
    """A named tuple class shown as ``torch.return_types.name(field=..., ...)``."""
    made = RESULT_TYPES.get(name)
    if made is not None:
        return made
    base = namedtuple(name, fields)

    def shown(self):
        return f"torch.return_types.{name}(\n" + ",\n".join(f"{f}={getattr(self, f)!r}" for f in fields) + ")"

    made = type(name, (base,), {"__slots__": (), "__repr__": shown, "__module__": "torch.return_types"})
    RESULT_TYPES[name] = made
    return made
