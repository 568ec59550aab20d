"""What a profile is made of: events, averages of them, lists of both, and how these are shown."""

import json

__all__ = ["EventList", "FormattedTimesMixin", "FunctionEvent", "FunctionEventAvg", "Interval"]


class Interval:
    """A stretch of time in microseconds."""

    def __init__(self, start, end):
        self.start, self.end = start, end

    def elapsed_us(self):
        return self.end - self.start


def _as_text(name):
    return property(lambda self: _format_time(getattr(self, name)), doc=f"``{name}`` with its unit.")


class FormattedTimesMixin:
    """Mean times of a call, and times with their units."""

    #: there is no other device than the CPU
    device_time_total = self_device_time_total = device_time = 0
    device_memory_usage = self_device_memory_usage = 0

    @property
    def cpu_time(self):
        """The mean time of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    cpu_time_str = _as_text("cpu_time")
    cpu_time_total_str = _as_text("cpu_time_total")
    self_cpu_time_total_str = _as_text("self_cpu_time_total")
    device_time_str = _as_text("device_time")
    device_time_total_str = _as_text("device_time_total")
    self_device_time_total_str = _as_text("self_device_time_total")


class FunctionEvent(FormattedTimesMixin):
    """One operator call, node of a backward pass or marked stretch.

    Args:
        id: its number.
        start_us, end_us: microseconds since the profile began.
        thread, fwd_thread: the thread that ran it; for a node, the one that made it (0 for whatever is no node).
        input_shapes, stack, cpu_memory_usage: if the profile was asked to note them.
        sequence_nr: number of the node that recorded the call, or that ran; -1 where there is none.
    """

    def __init__(
        self,
        id,
        name,
        thread,
        start_us,
        end_us,
        *,
        fwd_thread=0,
        input_shapes=(),
        stack=(),
        cpu_memory_usage=0,
        sequence_nr=-1,
        node_id=-1,
        is_async=False,
        is_remote=False,
    ):
        self.id, self.node_id = id, node_id
        self.name = self.key = name
        self.time_range = Interval(start_us, end_us)
        self.thread, self.fwd_thread = thread, fwd_thread
        self.input_shapes, self.stack = input_shapes, stack
        self.cpu_memory_usage = cpu_memory_usage
        self.sequence_nr = sequence_nr
        self.is_async, self.is_remote = is_async, is_remote
        self.cpu_children = []
        self.cpu_parent = None
        self.count = 1

    def append_cpu_child(self, child):
        self.cpu_children.append(child)
        child.cpu_parent = self

    @property
    def cpu_time_total(self):
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self):
        """Time in it but not in the events within it."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self):
        """Bytes of it but not of the events within it."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self):
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} thread={self.thread} "
            f"input_shapes={self.input_shapes} seq_nr={self.sequence_nr}>"
        )


class FunctionEventAvg(FormattedTimesMixin):
    """All events of one key together; the key is that of the first one added."""

    def __init__(self):
        self.key = self.input_shapes = self.stack = self.cpu_parent = None
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0

    def add(self, other):
        """Add an event, or an average of the same key."""
        if self.key is None:
            self.key, self.input_shapes, self.stack = other.key, other.input_shapes, other.stack
            self.cpu_parent = other.cpu_parent
        if other.key != self.key:
            raise AssertionError(f"an average of {self.key} cannot take in {other.key}")
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.count += other.count
        return self

    def __iadd__(self, other):
        return self.add(other)

    def __repr__(self):
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} cpu_time={self.cpu_time_str} "
            f"count={self.count}>"
        )


def _format_time(us, unit=None):
    """Microseconds in the largest unit that leaves at least one of it, or in ``unit`` ("us", "ms" or "s")."""
    if unit is None:
        unit = "s" if us >= 1e6 else "ms" if us >= 1e3 else "us"
    return f"{us / {'us': 1, 'ms': 1e3, 's': 1e6}[unit]:.3f}{unit}"


def _format_memory(count):
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if abs(count) >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count} B"


def _shortened(text, width):
    return text if len(text) <= width else text[: width - 3] + "..."


class EventList(list):
    """Events, or averages of them."""

    def __init__(self, events=(), *, profile_memory=False, with_shapes=False):
        super().__init__(events)
        self._memory, self._shapes = profile_memory, with_shapes

    def _populate_cpu_children(self):
        """Find out which events lie within which: those of the same thread whose time does."""
        around = {}
        for event in sorted(self, key=lambda event: (event.time_range.start, -event.time_range.end)):
            open_ones = around.setdefault(event.thread, [])
            while open_ones and open_ones[-1].time_range.end < event.time_range.end:
                open_ones.pop()
            if open_ones and event.time_range.start < open_ones[-1].time_range.end:
                open_ones[-1].append_cpu_child(event)
            open_ones.append(event)

    @property
    def self_cpu_time_total(self):
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(self, group_by_input_shapes=False, group_by_stack_n=0):
        """One entry for each name (and, if asked, each set of input shapes or the innermost lines of the stack)."""
        found = {}
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shapes else ""
            key = (event.key, shapes, tuple(event.stack[:group_by_stack_n]))
            found.setdefault(key, FunctionEventAvg()).add(event)
        return EventList(found.values(), profile_memory=self._memory, with_shapes=group_by_input_shapes)

    def total_average(self):
        """Everything together."""
        total = FunctionEventAvg()
        for event in self:
            total.key = event.key
            total.add(event)
        total.key = "Total"
        return total

    def table(
        self,
        sort_by=None,
        row_limit=100,
        max_src_column_width=75,
        max_name_column_width=55,
        max_shapes_column_width=80,
        header=None,
        top_level_events_only=False,
        time_unit=None,
    ):
        """The events as text, by default in the order they came.

        Args:
            sort_by: an attribute, e.g. "self_cpu_time_total"; largest first.
            row_limit: how many rows at most, -1 for all.
            max_src_column_width, max_name_column_width, max_shapes_column_width: what is longer is cut.
            header: a line above the table.
            top_level_events_only: leave out what lies within another event.
            time_unit: "us", "ms" or "s" for all times.
        """

        def time(us):
            return _format_time(us, time_unit)

        events = [each for each in self if not (top_level_events_only and each.cpu_parent is not None)]
        if sort_by is not None:
            events.sort(key=lambda event: -getattr(event, sort_by) if sort_by != "key" else event.key)
        total = sum(event.self_cpu_time_total for event in self) or 1.0
        stacks = any(event.stack for event in events)
        columns = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        columns += ["CPU Mem", "Self CPU Mem"] if self._memory else []
        columns += ["# of Calls"] + (["Input Shapes"] if self._shapes else []) + (["Source Location"] if stacks else [])
        rows = []
        for event in events[: row_limit if row_limit >= 0 else None]:
            row = [_shortened(event.key, max_name_column_width)]
            row += [f"{100 * event.self_cpu_time_total / total:.2f}%", time(event.self_cpu_time_total)]
            row += [f"{100 * event.cpu_time_total / total:.2f}%", time(event.cpu_time_total), time(event.cpu_time)]
            if self._memory:
                row += [_format_memory(event.cpu_memory_usage), _format_memory(event.self_cpu_memory_usage)]
            row += [str(event.count)]
            row += [_shortened(str(list(event.input_shapes)), max_shapes_column_width)] if self._shapes else []
            row += [_shortened(event.stack[0] if event.stack else "", max_src_column_width)] if stacks else []
            rows.append(row)
        widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
        rule = "  ".join("-" * width for width in widths)

        def line(row):
            return "  ".join(cell.rjust(width) for cell, width in zip(row, widths))

        lines = ([header] if header else []) + [rule, line(columns), rule, *map(line, rows), rule]
        return "\n".join([*lines, f"Self CPU time total: {time(self.self_cpu_time_total)}", ""])

    __str__ = table

    def export_chrome_trace(self, path):
        """Write the events as JSON for chrome://tracing or Perfetto."""
        found = [
            dict(
                ph="X",
                cat="cpu_op",
                name=event.name,
                pid=0,
                tid=event.thread,
                ts=event.time_range.start,
                dur=event.cpu_time_total,
                args={"Input Dims": event.input_shapes},
            )
            for event in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": found}, file)
