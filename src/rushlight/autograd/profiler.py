"""What took how long: operators and marked stretches, as events, as a table, and as a trace for Chrome.

While a profile is on, an interpreter (``levels``) stands before operators and notes the start and end of each, its shapes and the bytes of its
result if asked for. Backward, which else runs on arrays, runs its rules as operators then, so that they show.
"""

import json
import threading
import time

from ..absent import stand_in
from ..ops import dispatch, subscript
from ..tensor import Tensor
from . import levels
from .modes import ContextDecorator

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "profile", "record_function"]


class FunctionEvent:
    """One operator call or marked stretch: times in microseconds, from the start of the profile."""

    def __init__(self, name, start, end, thread, shapes=(), memory=0, stack=()):
        self.name = self.key = name
        self.start, self.end, self.thread = start, end, thread
        self.input_shapes = shapes
        self.cpu_memory_usage = self.self_cpu_memory_usage = memory
        self.stack = stack
        self.cpu_children = []
        self.cpu_parent = None
        self.count = 1

    @property
    def cpu_time_total(self):
        return self.end - self.start

    cpu_time = cpu_time_total

    @property
    def self_cpu_time_total(self):
        """Time in it but not in the events within it."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    def __repr__(self):
        return f"<FunctionEvent name={self.name} cpu_time={_time(self.cpu_time_total)} thread={self.thread} input_shapes={self.input_shapes}>"


class FunctionEventAvg:
    """All events of one key together."""

    def __init__(self, first):
        self.key, self.input_shapes, self.stack = first.key, first.input_shapes, first.stack
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0

    def add(self, event):
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        return self

    @property
    def cpu_time(self):
        """The mean time of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def __repr__(self):
        return f"<FunctionEventAvg key={self.key} self_cpu_time={_time(self.self_cpu_time_total)} cpu_time={_time(self.cpu_time)}>"


def _time(us):
    if us >= 1e6:
        return f"{us / 1e6:.3f}s"
    return f"{us / 1e3:.3f}ms" if us >= 1e3 else f"{us:.3f}us"


def _bytes(count):
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if abs(count) >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count} B"


class EventList(list):
    """Events, or averages of them."""

    def __init__(self, events=(), profile_memory=False, with_shapes=False):
        super().__init__(events)
        self._memory, self._shapes = profile_memory, with_shapes

    @property
    def self_cpu_time_total(self):
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(self, group_by_input_shapes=False, group_by_stack_n=0, group_by_overload_name=False):
        """One entry for each name (and, if asked, each set of input shapes or the innermost lines of the stack)."""
        found = {}
        for event in self:
            key = (
                event.key,
                str(event.input_shapes) if group_by_input_shapes else "",
                tuple(event.stack[:group_by_stack_n]),
            )
            found.setdefault(key, FunctionEventAvg(event)).add(event)
        return EventList(found.values(), self._memory, group_by_input_shapes)

    def total_average(self):
        """Everything together."""
        total = FunctionEventAvg(FunctionEvent("Total", 0, 0, 0))
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by=None,
        row_limit=100,
        max_src_column_width=75,
        max_name_column_width=55,
        header=None,
        top_level_events_only=False,
    ):
        """The events as text, by default in the order they came; ``sort_by`` names an attribute, e.g. "self_cpu_time_total"."""
        events = [e for e in self if not (top_level_events_only and getattr(e, "cpu_parent", None))]
        if sort_by is not None:
            events.sort(key=lambda event: -getattr(event, sort_by) if sort_by != "key" else event.key)
        total = sum(event.self_cpu_time_total for event in self) or 1.0
        columns = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        columns += ["CPU Mem"] if self._memory else []
        columns += ["# of Calls"] + (["Input Shapes"] if self._shapes else [])
        rows = []
        for event in events[: row_limit if row_limit >= 0 else None]:
            name = (
                event.key if len(event.key) <= max_name_column_width else event.key[: max_name_column_width - 3] + "..."
            )
            row = [name, f"{100 * event.self_cpu_time_total / total:.2f}%", _time(event.self_cpu_time_total)]
            row += [
                f"{100 * event.cpu_time_total / total:.2f}%",
                _time(event.cpu_time_total),
                _time(event.cpu_time_total / event.count),
            ]
            row += [_bytes(event.cpu_memory_usage)] if self._memory else []
            row += [str(event.count)] + ([str(list(event.input_shapes))] if self._shapes else [])
            rows.append(row)
        widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
        rule = "  ".join("-" * width for width in widths)

        def line(row):
            return "  ".join(cell.rjust(width) for cell, width in zip(row, widths))

        lines = ([header] if header else []) + [rule, line(columns), rule, *map(line, rows), rule]
        return "\n".join([*lines, f"Self CPU time total: {_time(self.self_cpu_time_total)}", ""])

    __str__ = table

    def export_chrome_trace(self, path):
        """Write the events as JSON for chrome://tracing or Perfetto."""
        found = [
            dict(
                ph="X",
                cat="cpu_op",
                name=e.name,
                pid=0,
                tid=e.thread,
                ts=e.start,
                dur=e.cpu_time_total,
                args={"Input Dims": e.input_shapes},
            )
            for e in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": found}, file)


class profile(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Note every operator called in the block by this thread.

    Args:
        enabled: False makes it do nothing.
        record_shapes: note the shapes of inputs.
        profile_memory: note the bytes of results.
        with_stack: note the lines of the caller.
    """

    def __init__(self, enabled=True, *, record_shapes=False, profile_memory=False, with_stack=False):
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
        self._found, self._open = [], []
        self._zero = time.perf_counter_ns()
        _active.stack = (*_active.stack, self)
        levels.push(self._interpret)
        return self

    def __exit__(self, *exc):
        if not self.enabled:
            return
        levels.remove(self._interpret)
        _active.stack = tuple(each for each in _active.stack if each is not self)
        self._events = EventList(
            sorted(self._found, key=lambda event: event.start), self.profile_memory, self.record_shapes
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
                event.cpu_memory_usage = event.self_cpu_memory_usage = made
            return result
        finally:
            self._end(event)

    # backward calls operators then, so that they show
    _interpret.sees_rules = True  # type: ignore[attr-defined]

    def _now(self):
        return (time.perf_counter_ns() - self._zero) / 1e3

    def _begin(self, name, shapes=()):
        event = FunctionEvent(
            name, self._now(), 0.0, threading.get_ident(), shapes, 0, _stack() if self.with_stack else ()
        )
        if self._open:
            event.cpu_parent = self._open[-1]
            self._open[-1].cpu_children.append(event)
        self._open.append(event)
        return event

    def _end(self, event):
        event.end = self._now()
        self._open.pop()
        self._found.append(event)

    # ------------------------------------------------------------------------------------------------ afterwards

    @property
    def function_events(self):
        if self._events is None:
            raise RuntimeError("Profiler didn't finish running")
        return self._events

    def key_averages(self, *args, **kwargs):
        return self.function_events.key_averages(*args, **kwargs)

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
    import traceback

    from .graph import PACKAGE

    frames = traceback.extract_stack()
    return [f"{f.filename}({f.lineno}): {f.name}" for f in reversed(frames) if not f.filename.startswith(PACKAGE)]


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
