"""Writing a profile as a trace: JSON that Perfetto and chrome://tracing open, laid out as PyTorch's."""

import gzip
import json
import os
import socket
import sys

from .profiler_util import MEMORY_EVENT_NAME

__all__ = ["write_trace"]


def write_trace(path, events, epoch_ns, thread_of, metadata=(), trace_id=""):
    """Write events of one process.

    Args:
        path: where to; packed if it ends in ``.gz``.
        events: `FunctionEvent`s.
        epoch_ns: the time of day at which the profile began; times of the trace count from there, in microseconds.
        thread_of: the system's number of an event's thread.
        metadata: pairs of a name and JSON as text, put at the top of the file.
    """
    process = os.getpid()
    found = list(_names(process, {thread_of(event.thread) for event in events}))
    for event in events:
        where = dict(pid=process, tid=thread_of(event.thread), ts=event.time_range.start)
        if event.name == MEMORY_EVENT_NAME:
            args = {"Bytes": event.cpu_memory_usage, "Device Type": 0, "Device Id": -1}
            found.append(dict(ph="i", cat="cpu_instant_event", s="t", name=event.name, **where, args=args))
            continue
        args = _arguments(event)
        found.append(
            dict(
                ph="X",
                cat=event.activity_type,
                name=event.trace_name,
                **where,
                dur=event.time_range.elapsed_us(),
                args=args,
            )
        )
    found += _links(events, process, thread_of)
    found += _window(max([event.time_range.end for event in events], default=0))
    whole = {
        "schemaVersion": 1,
        "deviceProperties": [],
        "trace_id": trace_id,
        **{key: json.loads(value) for key, value in metadata},
        "host_name": socket.gethostname(),
        "displayTimeUnit": "ms",
        "baseTimeNanoseconds": epoch_ns,
        "traceEvents": found,
        "traceName": str(path),
    }
    with (gzip.open if str(path).endswith(".gz") else open)(path, "wt", encoding="utf-8") as file:
        json.dump(whole, file, default=str)


def _names(process, threads):
    """What processes and threads are called, as Chrome is told of it."""
    program = os.path.basename(sys.executable) or "python"
    yield dict(ph="M", name="process_name", ts=0, pid=process, tid=0, args={"name": program})
    yield dict(ph="M", name="process_labels", ts=0, pid=process, tid=0, args={"labels": "CPU"})
    yield dict(ph="M", name="process_sort_index", ts=0, pid=process, tid=0, args={"sort_index": process})
    for thread in sorted(threads):
        yield dict(
            ph="M", name="thread_name", ts=0, pid=process, tid=thread, args={"name": f"thread {thread} ({program})"}
        )
        yield dict(ph="M", name="thread_sort_index", ts=0, pid=process, tid=thread, args={"sort_index": thread})


def _arguments(event):
    args = {"External id": event.id, "Record function id": 0, "Ev Idx": event.id - 1}
    if event.sequence_nr >= 0:
        args["Sequence number"], args["Fwd thread id"] = event.sequence_nr, event.fwd_thread
    if event.input_dtypes:
        args["Concrete Inputs"] = ["" if value is None else str(value) for value in event.concrete_inputs]
        args["Input type"] = event.input_dtypes
        args["Input Strides"] = event.structured_input_strides
        args["Input Dims"] = event.structured_input_shapes
    if event.stack:
        args["Call stack"] = ";".join(reversed(event.stack))
    return args


def _window(end):
    """The stretch of time that was recorded; these come last, and programs look for them there."""
    yield dict(
        ph="X",
        cat="Trace",
        name="PyTorch Profiler (0)",
        pid="Spans",
        tid="PyTorch Profiler",
        ts=0,
        dur=end,
        args={"Op count": 0},
    )
    yield dict(ph="M", name="process_sort_index", pid="Spans", tid=0, ts=0, args={"sort_index": 536870912})
    where = dict(ph="i", s="g", pid="Traces", tid="Trace PyTorch Profiler")
    yield dict(**where, name="Iteration Start: PyTorch Profiler", ts=0)
    yield dict(pid="", tid="", ph="i", s="g", name="Record Window End", ts=end)


def _links(events, process, thread_of):
    """Arrows from the call that made a node to the node's run in backward, numbered as nodes run."""
    made, drawn = {}, set()
    for event in events:
        number = event.sequence_nr
        if number < 0:
            continue
        if not event.fwd_thread:
            made[number] = event
        elif number in made and number not in drawn:
            drawn.add(number)
            for phase, end, more in (("s", made[number], {}), ("f", event, {"bp": "e"})):
                yield dict(
                    ph=phase,
                    id=len(drawn),
                    pid=process,
                    tid=thread_of(end.thread),
                    ts=end.time_range.start,
                    cat="fwdbwd",
                    name="fwdbwd",
                    **more,
                )
