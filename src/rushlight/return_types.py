"""``torch.return_types``: the named tuples of operators with several results, made when an operator first returns one."""

from .missing import explain
from .ops.results import RESULT_TYPES


def __getattr__(name):
    found = RESULT_TYPES.get(name)
    if found is None:
        from .ops.dispatch import result_class
        from .ops.table import OPS

        op = OPS.get(name)
        if op is None or op.returns in (None, "list"):
            raise AttributeError(explain(__name__, name))
        found = result_class(op)
    return found
