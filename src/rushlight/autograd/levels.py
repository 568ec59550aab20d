"""What stands before operators: a stack of interpreters for each thread.

An interpreter is a function ``(op, values, how) -> result or NotImplemented``. ``how`` is None for an ordinary call, ``"inplace"`` for
``op_``, the ``out`` tensor of a call with ``out=``, or the function of a subscript. The innermost is asked first; while it runs it is off
the stack, so the operators it calls are met by the interpreters below it. Operators ask only while ``state.rare`` is set, which an
interpreter on the stack sees to.
"""

import threading

from ..ops import dispatch
from .modes import enter_rare, leave_rare

__all__ = ["Below", "pop", "push"]


class _Stack(threading.local):
    interpreters = ()


_stack = _Stack()


def push(interpreter):
    """Put an interpreter on top of this thread's stack."""
    _stack.interpreters = (*_stack.interpreters, interpreter)
    enter_rare()


def pop():
    """Take the topmost interpreter away."""
    _stack.interpreters = _stack.interpreters[:-1]
    leave_rare()


def remove(interpreter):
    """Take one interpreter away, wherever it is."""
    found = list(_stack.interpreters)
    found.remove(interpreter)
    _stack.interpreters = tuple(found)
    leave_rare()


class Below:
    """Within the block the stack ends below its topmost interpreter (or below ``count`` of them)."""

    __slots__ = ("_was", "count")

    def __init__(self, count=1):
        self.count = count

    def __enter__(self):
        self._was = _stack.interpreters
        _stack.interpreters = self._was[: len(self._was) - self.count]

    def __exit__(self, *exc):
        _stack.interpreters = self._was


def _intercept(op, values, how):
    stack = _stack.interpreters
    if not stack:
        return NotImplemented
    for depth in range(1, len(stack) + 1):
        with Below(depth):
            result = stack[-depth](op, values, how)
        if result is not NotImplemented:
            return result
    return NotImplemented


dispatch.intercept = _intercept
