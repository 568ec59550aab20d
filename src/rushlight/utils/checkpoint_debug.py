"""What a checkpoint with ``debug=True`` shows where running again saved something else: the operators of both runs, and who called them."""

import traceback

from ..autograd import levels
from ..autograd.graph import PACKAGE
from ..tensor import Tensor

__all__ = ["OperatorLog", "report"]


class OperatorLog:
    """A context that notes each operator called in it, with the stack of its caller."""

    def __init__(self):
        self.calls = []

    def __enter__(self):
        self.calls.clear()
        levels.push(self._note)

    def __exit__(self, *exc):
        levels.remove(self._note)

    def _note(self, op, values, how):
        stack = [each for each in traceback.extract_stack() if not each.filename.startswith(PACKAGE)]
        shown = f"{_name(op, how)}({', '.join(map(_shown, values))})"
        self.calls.append((shown, "".join(traceback.format_list(stack))))
        return NotImplemented


def _name(op, how):
    if callable(how):
        return how.__name__
    return f"torch.{op.name.strip('_')}" + ("_" if how == "inplace" else "")


def _shown(value):
    if isinstance(value, Tensor):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)


def report(first, again):
    """The text of the error, from the logs of the two runs."""
    parts = []
    for title, log in (("the original forward", first), ("recomputation", again)):
        parts.append(f"Stack traces of the operators that ran in {title}\n{'-' * 80}")
        parts += [f"{call}   ({i} of {len(log.calls)})\n\n{stack}" for i, (call, stack) in enumerate(log.calls, 1)]
    for title, log in (("the original forward", first), ("recomputation", again)):
        parts.append("\n".join([f"Operations executed during {title}:\n", *[call for call, _ in log.calls]]))
    parts.append(_ADVICE)
    return "\n\n".join(["An error happened while unpacking tensors; the operators of both runs follow.", *parts])


_ADVICE = """\
 ERROR: Detected non-determinism while running activation checkpointing

 You are seeing this error because you passed `debug=True` to checkpoint and
 what was saved when the function ran again is not what it had saved at first.
 Compare the two lists of operations above to find the first that differs; the
 stack traces further up show which line of your code called it."""
