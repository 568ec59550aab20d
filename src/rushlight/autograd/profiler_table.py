"""Tables of a profile's events, laid out as PyTorch's."""

import math

__all__ = ["format_memory", "format_time", "table"]

_WIDTH = 12
_GAP = "  "


def format_time(us, unit=None):
    """Microseconds in the largest unit that leaves at least one of it, or in ``unit`` ("us", "ms" or "s")."""
    if unit not in ("us", "ms", "s"):
        unit = "s" if us >= 1e6 else "ms" if us >= 1e3 else "us"
    return f"{us / {'us': 1, 'ms': 1e3, 's': 1e6}[unit]:.3f}{unit}"


def format_memory(count):
    """Bytes in the largest unit that leaves at least one of it."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if abs(count) >= unit:
            return f"{count / unit:.2f} {name}"
    return f"{count} B"


def _share(us, total):
    return f"{us * 100.0 / total:.2f}%" if total else "NaN"


def _longest(texts, limit):
    """The width of a column with these texts."""
    width = max(map(len, texts), default=0) + 4
    return width if limit is None else min(width, limit)


def _cut_name(name, limit):
    return name if limit is None or len(name) < limit - 3 else name[: limit - 3] + "..."


def _cut_path(path, width):
    """The end of a path, which tells more than its beginning."""
    if len(path) <= width:
        return path
    path = path[len(path) - width :]
    return "..." + path[3:] if len(path) > 3 else path


class _Column:
    """A heading, a width, and what stands in it for an event."""

    def __init__(self, heading, width, cell, left=False):
        self.heading, self.width, self.cell, self.left = heading, width, cell, left

    def fit(self, text):
        return text.ljust(self.width) if self.left else text.rjust(self.width)


def _line(columns, texts):
    return "".join(column.fit(text) + _GAP for column, text in zip(columns, texts)) + "\n"


def _flops_column(events):
    """The column of counted operations, in the unit that suits the smallest count; none if nothing was counted."""
    counted = [event.flops for event in events if event.flops and event.flops > 0]
    if not counted:
        return []
    power = math.floor(max(0, min(math.log10(min(counted)) / 3, 5)))

    def cell(event):
        return f"{event.flops * 10 ** (-3.0 * power):8.3f}" if event.flops and event.flops > 0 else "--"

    return [_Column(f"Total {('', 'K', 'M', 'G', 'T', 'P')[power]}FLOPs", _WIDTH, cell)]


def table(
    events,
    sort_by=None,
    header=None,
    row_limit=100,
    max_src_column_width=75,
    max_name_column_width=55,
    max_shapes_column_width=80,
    with_flops=False,
    profile_memory=False,
    top_level_events_only=False,
    time_unit=None,
):
    """Events, or averages of them, as text; the arguments are those of `EventList.table`."""
    if not events:
        return ""
    if sort_by is not None:
        for device in ("cuda", "xpu", "privateuse1"):
            sort_by = sort_by.replace(device, "device")
        events = sorted(events, key=lambda event: getattr(event, sort_by), reverse=True)
    total = sum(event.self_cpu_time_total for event in events)

    def time(name):
        return lambda event: format_time(getattr(event, name), time_unit)

    def memory(name):
        return lambda event: format_memory(getattr(event, name))

    name_width = _longest([event.key for event in events], max_name_column_width)
    columns = [_Column("Name", name_width, lambda event: _cut_name(event.key, max_name_column_width))]
    if any(event.overload_name for event in events):
        columns.append(
            _Column(
                "Overload Name", name_width, lambda event: _cut_name(event.overload_name or "", max_name_column_width)
            )
        )
    columns += [
        _Column("Self CPU %", _WIDTH, lambda event: _share(event.self_cpu_time_total, total)),
        _Column("Self CPU", _WIDTH, time("self_cpu_time_total")),
        _Column("CPU total %", _WIDTH, lambda event: "0" if event.is_async else _share(event.cpu_time_total, total)),
        _Column("CPU total", _WIDTH, time("cpu_time_total")),
        _Column("CPU time avg", _WIDTH, time("cpu_time")),
    ]
    if profile_memory:
        columns.append(_Column("CPU Mem", _WIDTH, memory("cpu_memory_usage")))
        columns.append(_Column("Self CPU Mem", _WIDTH, memory("self_cpu_memory_usage")))
    columns.append(_Column("# of Calls", _WIDTH, lambda event: str(event.count)))
    if any(event.node_id != -1 for event in events):
        columns.append(_Column("Node ID", _WIDTH, lambda event: str(event.node_id)))
    if any(event.input_shapes for event in events):
        width = _longest([str(event.input_shapes) for event in events], max_shapes_column_width)
        columns.append(_Column("Input Shapes", width, lambda event: str(event.input_shapes)[:width]))
    stacks = [event.stack for event in events if event.stack]
    if stacks:
        source = _longest([entry for stack in stacks for entry in stack], max_src_column_width)
        columns.append(
            _Column(
                "Source Location", source, lambda event: _cut_path(event.stack[0] if event.stack else "", source), True
            )
        )
    if with_flops:
        columns += _flops_column(events)

    rule = _line(columns, ["-" * column.width for column in columns])
    double = "=" * (len(rule) - 1 - len(_GAP)) + "\n"
    lines = [] if header is None else [double, header + "\n"]
    if top_level_events_only:
        lines += [double, "This report only display top-level ops statistics\n"]
    lines += [rule, _line(columns, [column.heading for column in columns]), rule]
    shown = [each for each in events if not (top_level_events_only and each.cpu_parent is not None)]
    for event in shown[: row_limit if row_limit >= 0 else None]:
        lines.append(_line(columns, [column.cell(event) for column in columns]))
        if stacks:
            for entry in (*event.stack[1:], ""):
                texts = [_cut_path(entry, source) if column.left else "" for column in columns]
                lines.append(_line(columns, texts))
    lines += [rule, f"Self CPU time total: {format_time(total, time_unit)}\n"]
    return "".join(lines)
