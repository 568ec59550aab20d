"""What took how long: operators and marked stretches, as events, as a table, and as a trace for Chrome.

While a profile is on, an interpreter (``levels``) stands before operators and notes the start and end of each, its shapes and the bytes of its
result if asked for. Backward, which else runs on arrays, runs its rules as operators then, so that they show.
"""

import contextlib
import threading
import time
import traceback

from ..absent import stand_in
from ..ops import dispatch, subscript
from ..tensor import Tensor
from . import engine, levels
from .graph import PACKAGE, Leaf, target
from .modes import ContextDecorator
from .profiler_util import EventList, FunctionEvent, FunctionEventAvg

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "profile", "record_function"]


class profile(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Note every operator called in the block by this thread.

    Args:
        enabled: False makes it do nothing.
        record_shapes: note the shapes of inputs.
        profile_memory: note the bytes of results.
        with_stack: note the lines of the caller.
        use_cpu: there is only the CPU, so False is refused.
        use_kineto: whether PyTorch's newer profiler does the work; there is one here.
    """

    def __init__(
        self,
        enabled=True,
        *,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        use_cpu=True,
        use_kineto=False,
    ):
        if not use_cpu:
            raise AssertionError("there is only the CPU here: use_cpu must be True")
        self.enabled = enabled
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self._events = None

    def clone(self):
        return self

    def __enter__(self):
        if not self.enabled:
            return self
        if self._events is not None:
            raise RuntimeError("Profiler context manager is not reentrant")
        self._found, self._open, self._makers = [], [], {}
        self._zero = time.perf_counter_ns()
        _active.stack = (*_active.stack, self)
        levels.push(self._interpret)
        _watch(self, True)
        return self

    def __exit__(self, *exc):
        if not self.enabled:
            return
        levels.remove(self._interpret)
        _watch(self, False)
        _active.stack = tuple(each for each in _active.stack if each is not self)
        self._events = EventList(
            sorted(self._found, key=lambda event: event.id),
            profile_memory=self.profile_memory,
            with_shapes=self.record_shapes,
        )

    def _interpret(self, op, values, how):
        event = self._begin(
            "aten::" + op.name.strip("_") + ("_" if how == "inplace" else ""),
            _shapes(values) if self.record_shapes else (),
        )
        try:
            if how is subscript.getitem or how is subscript.setitem:
                result = how(*values)
            elif how == "inplace":
                result = dispatch.execute_inplace(op, values)
            elif how is not None:
                result = dispatch.write_out(op, values, how)
            else:
                result = dispatch.execute(op, values)
            if self.profile_memory and how is None:
                results = result if isinstance(result, tuple) else (result,)
                made = sum(each._a.nbytes for each in results if isinstance(each, Tensor) and not op.view)
                event.cpu_memory_usage = made + sum(child.cpu_memory_usage for child in event.cpu_children)
            self._note_node(event, result)
            return result
        finally:
            self._end(event)

    # backward calls operators then, so that they show
    _interpret.sees_rules = True  # type: ignore[attr-defined]

    def _now(self):
        return (time.perf_counter_ns() - self._zero) / 1e3

    def _begin(self, name, shapes=(), sequence_nr=-1):
        now = self._now()
        event = FunctionEvent(
            len(self._found) + len(self._open),
            name,
            threading.get_ident(),
            now,
            now,
            fwd_thread=self._makers.get(sequence_nr, 0),
            input_shapes=shapes,
            stack=_stack() if self.with_stack else (),
            sequence_nr=sequence_nr,
        )
        if self._open:
            self._open[-1].append_cpu_child(event)
        self._open.append(event)
        return event

    def _end(self, event):
        event.time_range.end = self._now()
        self._open.pop()
        self._found.append(event)

    def _note_node(self, event, result):
        """Give the event of a call the number of the node that recorded it, if there is one."""
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        if isinstance(first, Tensor) and first._edge is not None and first._edge.__class__ is not Leaf:
            event.sequence_nr = target(first._edge).seq
            self._makers.setdefault(event.sequence_nr, event.thread)

    # ------------------------------------------------------------------------------------------------ afterwards

    @property
    def function_events(self):
        if self._events is None:
            raise RuntimeError("Profiler didn't finish running")
        return self._events

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0):
        """One entry for each name; see ``EventList.key_averages``."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self):
        return self.function_events.total_average()

    def table(self, *args, **kwargs):
        return self.function_events.table(*args, **kwargs)

    def export_chrome_trace(self, path):
        self.function_events.export_chrome_trace(path)

    @property
    def self_cpu_time_total(self):
        return self.function_events.self_cpu_time_total

    def __iter__(self):
        return iter(self.function_events)

    def __str__(self):
        return "<unfinished torch.autograd.profile>" if self._events is None else str(self._events)


class _Active(threading.local):
    stack = ()


_active = _Active()


def _shapes(values):
    return [list(each._a.shape) if isinstance(each, Tensor) else [] for each in values]


def _stack():
    frames = traceback.extract_stack()
    return [f"{f.filename}({f.lineno}): {f.name}" for f in reversed(frames) if not f.filename.startswith(PACKAGE)]


@contextlib.contextmanager
def _evaluating(node):
    """Around a node that backward runs: one event for the engine's work on it, and within it one for its own."""
    name, number = node.name(), -1 if node.__class__ is Leaf else node.seq
    began = [
        (each, each._begin(title, (), number))
        for each in _active.stack
        for title in (f"autograd::engine::evaluate_function: {name}", name)
    ]
    try:
        yield
    finally:
        for each, event in reversed(began):
            each._end(event)


#: the profiles that are on in this process
_on = set()


def _watch(profile, on):
    """Have the engine tell of the nodes it runs while any profile is on."""
    (_on.add if on else _on.discard)(profile)
    engine.around = _evaluating if _on else None


def _profiler_enabled():
    """Whether a profile is on in this thread."""
    return bool(_active.stack)


def kineto_available():
    """Whether PyTorch's profiling library is there: no, and nothing here needs it."""
    return False


class record_function(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Mark a stretch of code by name, so that a profile shows it; a context manager and a decorator."""

    def __init__(self, name, args=None):
        self.name, self.args = name, args

    def clone(self):
        return type(self)(self.name, self.args)

    def __enter__(self):
        self._began = [(each, each._begin(self.name)) for each in _active.stack]
        return self

    def __exit__(self, *exc):
        for each, event in self._began:
            each._end(event)


__getattr__ = stand_in(__name__, "rushlight computes on the CPU")
