"""What a profile is made of: events, averages of them, and lists of both. How they are shown is in `profiler_table`."""

import bisect
import collections
import enum
import json
import warnings

from .profiler_table import format_time as _format_time
from .profiler_table import table

__all__ = [
    *("DeviceType", "EventList", "FormattedTimesMixin", "FunctionEvent", "FunctionEventAvg", "Interval", "Kernel"),
    *("MemRecordsAcc", "MEMORY_EVENT_NAME"),
]

#: the event of memory that was taken or given back outside of every other event
MEMORY_EVENT_NAME = "[memory]"
#: `FunctionEvent.scope`: a call, a node of a backward pass, a stretch that the program marked
FUNCTION, BACKWARD_FUNCTION, USER_SCOPE = 0, 1, 7

DeviceType = enum.Enum(
    "DeviceType",
    "CPU CUDA MKLDNN OPENGL OPENCL IDEEP HIP FPGA MAIA XLA Vulkan Metal XPU MPS Meta HPU VE Lazy IPU MTIA PrivateUse1",
    start=0,
)

Kernel = collections.namedtuple("Kernel", ["name", "device", "duration"])


class Interval:
    """A stretch of time in microseconds."""

    def __init__(self, start, end):
        self.start, self.end = start, end

    def elapsed_us(self):
        return self.end - self.start


def _as_text(name):
    return property(lambda self: _format_time(getattr(self, name)), doc=f"``{name}`` with its unit.")


def _older(name, now):
    """A property under the name it had when there was no device but CUDA."""

    def read(self):
        please = "please use" if name == "cuda_time" else "Use"
        end = ", " if name == "cuda_time" else ". "
        warnings.warn(f"`{name}` is deprecated{end}{please} `{now}` instead.", FutureWarning, stacklevel=2)
        return getattr(self, now)

    return property(read)


class FormattedTimesMixin:
    """Mean times of a call, and times with their units; for classes with ``*_time_total`` and ``count``."""

    cpu_time_str = _as_text("cpu_time")
    device_time_str = _as_text("device_time")
    cpu_time_total_str = _as_text("cpu_time_total")
    device_time_total_str = _as_text("device_time_total")
    self_cpu_time_total_str = _as_text("self_cpu_time_total")
    self_device_time_total_str = _as_text("self_device_time_total")
    cuda_time = _older("cuda_time", "device_time")

    @property
    def cpu_time(self):
        """The mean time of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self):
        """The mean time of a call on a device other than the CPU."""
        return self.device_time_total / self.count if self.count else 0.0


class FunctionEvent(FormattedTimesMixin):
    """One operator call, node of a backward pass or marked stretch.

    Args:
        id: its number.
        name, trace_name: what tables and traces call it; ``trace_name`` None leaves it out of traces.
        start_us, end_us: microseconds since the profile began.
        thread, fwd_thread: the thread that ran it; for a node, the one that made it (0 for whatever is no node).
        input_shapes, structured_input_shapes, structured_input_strides: shapes and strides of its arguments, ``[]`` for what is no
            tensor. A list of tensors is ``[]`` in the first, and a list of shapes (strides) in the others.
        concrete_inputs, input_dtypes: values of arguments that are no tensors (None for those that are), and names of types.
        stack: lines of the program that called it, innermost first.
        scope: 0 for a call, 1 for a node of a backward pass, 7 for a stretch marked by the program.
        cpu_memory_usage: bytes taken less bytes given back meanwhile.
        sequence_nr: number of the node that recorded the call, or that ran; -1 where there is none.
        flops: number of additions and multiplications, where ``with_flops`` counted them.
        use_device and whatever is of devices and of other processes: there is the CPU here, but programs may make events of their own.
    """

    def __init__(
        self,
        id,
        name,
        thread,
        start_us,
        end_us,
        overload_name=None,
        fwd_thread=None,
        input_shapes=None,
        stack=None,
        scope=0,
        use_device=None,
        cpu_memory_usage=0,
        device_memory_usage=0,
        is_async=False,
        is_remote=False,
        sequence_nr=-1,
        node_id=-1,
        device_type=DeviceType.CPU,
        device_index=0,
        device_resource_id=None,
        is_legacy=False,
        flops=None,
        trace_name=None,
        concrete_inputs=None,
        kwinputs=None,
        is_user_annotation=False,
        is_python_function=False,
        activity_type=None,
        metadata_json=None,
        flow_id=None,
        flow_type=None,
        flow_start=None,
        external_id=0,
        linked_correlation_id=0,
        extra_meta=None,
        structured_input_shapes=None,
        structured_input_strides=None,
        input_dtypes=None,
        python_id=-1,
        python_parent_id=-1,
        python_module_id=-1,
    ):
        self.id, self.node_id = id, node_id
        self.name, self.overload_name, self.trace_name = name, overload_name, trace_name
        self.time_range = Interval(start_us, end_us)
        self.thread, self.fwd_thread = thread, fwd_thread
        self.count = 1
        self.kernels, self.cpu_children, self.cpu_parent = [], [], None
        self.input_shapes, self.structured_input_shapes = input_shapes, structured_input_shapes
        self.structured_input_strides, self.input_dtypes = structured_input_strides, input_dtypes
        self.concrete_inputs, self.kwinputs = concrete_inputs, kwinputs
        self.stack, self.scope = stack, scope
        self.cpu_memory_usage, self.device_memory_usage = cpu_memory_usage, device_memory_usage
        self.is_async, self.is_remote, self.is_legacy = is_async, is_remote, is_legacy
        self.sequence_nr, self.flops = sequence_nr, flops
        self.use_device, self.device_type, self.device_index = use_device, device_type, device_index
        self.device_resource_id = thread if device_resource_id is None else device_resource_id
        self.is_user_annotation, self.is_python_function = is_user_annotation, is_python_function
        self.activity_type, self.event_metadata = activity_type, extra_meta or None
        self._metadata_json = metadata_json
        self.flow_id, self.flow_type, self.flow_start = flow_id, flow_type, flow_start
        self.external_id, self.linked_correlation_id = external_id, linked_correlation_id
        self.python_id, self.python_parent_id, self.python_module_id = python_id, python_parent_id, python_module_id
        self.self_cpu_percent = self.total_cpu_percent = self.total_device_percent = -1

    metadata_json = _older("metadata_json", "event_metadata")
    cuda_time_total = _older("cuda_time_total", "device_time_total")
    self_cuda_time_total = _older("self_cuda_time_total", "self_device_time_total")
    self_cuda_memory_usage = _older("self_cuda_memory_usage", "self_device_memory_usage")

    @property
    def key(self):
        return self.name

    def append_kernel(self, name, device, duration):
        """Add what a device ran for it."""
        self.kernels.append(Kernel(name, device, duration))

    def append_cpu_child(self, child):
        """Add an event that lies directly within it."""
        if not isinstance(child, FunctionEvent):
            raise AssertionError("Expected child to be a FunctionEvent")
        self.cpu_children.append(child)

    def set_cpu_parent(self, parent):
        """Set the event that it lies directly within."""
        if not isinstance(parent, FunctionEvent):
            raise AssertionError("Expected parent to be a FunctionEvent")
        self.cpu_parent = parent

    def _own(self, name):
        """A quantity of it less that of the events within it; nothing for what begins and ends in different threads."""
        if self.is_async or self.device_type != DeviceType.CPU:
            return 0
        return getattr(self, name) - sum(getattr(child, name) for child in self.cpu_children)

    @property
    def cpu_time_total(self):
        return self.time_range.elapsed_us() if self.device_type == DeviceType.CPU else 0

    @property
    def self_cpu_time_total(self):
        """Time in it but not in the events within it."""
        return self._own("cpu_time_total")

    @property
    def device_time_total(self):
        if self.is_async or not self.use_device:
            return 0
        if self.device_type != DeviceType.CPU:
            return self.time_range.elapsed_us()
        within = 0 if self.is_legacy else sum(child.device_time_total for child in self.cpu_children)
        return sum(kernel.duration for kernel in self.kernels) + within

    @property
    def self_device_time_total(self):
        return self._own("device_time_total") if self.device_type == DeviceType.CPU else self.device_time_total

    @property
    def self_cpu_memory_usage(self):
        """Bytes of it but not of the events within it."""
        return self._own("cpu_memory_usage")

    @property
    def self_device_memory_usage(self):
        return self._own("device_memory_usage")

    def __repr__(self):
        return (
            f"<FunctionEvent id={self.id} name={self.name} overload_name={self.overload_name} "
            f"device_type={self.device_type} node_id={self.node_id} cpu_time={self.cpu_time_str} "
            f"start_us={self.time_range.start} end_us={self.time_range.end} "
            f"cpu_children={[child.id for child in self.cpu_children]} {self.use_device}_time={self.device_time_str} "
            f"name={self.name} thread={self.thread} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage} {self.use_device}_memory_usage={self.device_memory_usage} "
            f"is_async={self.is_async} is_remote={self.is_remote} seq_nr={self.sequence_nr} is_legacy={self.is_legacy}>"
        )


class FunctionEventAvg(FormattedTimesMixin):
    """All events of one key together: sums of times, bytes and counts, and all else as the first one added has it."""

    _SUMS = (
        *("cpu_time_total", "device_time_total", "self_cpu_time_total", "self_device_time_total", "cpu_memory_usage"),
        *("device_memory_usage", "self_cpu_memory_usage", "self_device_memory_usage", "count"),
    )
    _KEPT = (
        *("key", "node_id", "is_async", "is_remote", "cpu_parent", "cpu_children", "overload_name", "input_shapes"),
        *("stack", "scope", "device_type", "is_legacy", "use_device", "is_user_annotation"),
    )

    def __init__(self):
        for name in self._SUMS:
            setattr(self, name, 0)
        self.key = self.use_device = self.input_shapes = self.overload_name = self.stack = self.scope = None
        self.cpu_children = self.cpu_parent = None
        self.node_id, self.flops, self.device_type = 0, 0, DeviceType.CPU
        self.is_async = self.is_remote = self.is_legacy = False

    def add(self, other):
        """Add an event, or an average of the same key."""
        if self.key is None:
            for name in self._KEPT:
                setattr(self, name, getattr(other, name))
        if not isinstance(other, (FunctionEvent, FunctionEventAvg)):
            raise AssertionError("Expected other to be a FunctionEvent or FunctionEventAvg")
        if other.key != self.key:
            raise AssertionError(f"Expected keys to match, but got {other.key} vs {self.key}")
        for name in self._SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if self.flops is None:
            self.flops = other.flops
        elif other.flops is not None:
            self.flops += other.flops
        return self

    def __iadd__(self, other):
        return self.add(other)

    def __repr__(self):
        device = self.use_device or "cuda"
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} cpu_time={self.cpu_time_str} "
            f" self_{device}_time={self.self_device_time_total_str} {device}_time={self.device_time_str} "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} "
            f"{device}_memory_usage={self.device_memory_usage}>"
        )


class EventList(list):
    """Events in the order they began, or averages of them.

    Args:
        use_device, profile_memory, with_flops: what the profile was asked to note, and so the columns of its tables.
    """

    def __init__(self, *args, use_device=None, profile_memory=False, with_flops=False):
        super().__init__(*args)
        self._use_device, self._profile_memory, self._with_flops = use_device, profile_memory, with_flops
        self._tree_built = False

    def __str__(self):
        return self.table()

    def _build_tree(self):
        self._populate_cpu_children()
        self._remove_dup_nodes()
        self._set_backward_stacktraces()
        self._tree_built = True

    def _populate_cpu_children(self):
        """Find out which events lie within which: those of the same thread whose time does."""
        around = {}
        for event in sorted(self, key=lambda event: (event.time_range.start, -event.time_range.end)):
            if event.is_async or event.device_type != DeviceType.CPU:
                continue
            open_ones = around.setdefault((event.thread, event.node_id), [])
            start, end = event.time_range.start, event.time_range.end
            while open_ones and (open_ones[-1].time_range.end < end or open_ones[-1].time_range.end <= start):
                open_ones.pop()
            if open_ones:
                if event.cpu_parent is not None:
                    raise AssertionError(f"There is already a CPU parent event for {event.key}")
                open_ones[-1].append_cpu_child(event)
                event.set_cpu_parent(open_ones[-1])
            open_ones.append(event)

    def _remove_dup_nodes(self):
        """Where an event's only child has its name, let the child's children be its own."""
        gone = set()
        for event in reversed(self):
            parent = event.cpu_parent
            if parent is not None and parent.name == event.name and len(parent.cpu_children) == 1:
                gone.add(id(event))
                parent.cpu_children, parent.kernels = event.cpu_children, event.kernels
                for child in parent.cpu_children:
                    child.cpu_parent = parent
        self[:] = [event for event in self if id(event) not in gone]

    def _set_backward_stacktraces(self):
        """Give what ran within a node of a backward pass the stack of the call that made the node."""
        nodes, made = {}, {}
        for event in self:
            at = event
            while at is not None and at.scope != BACKWARD_FUNCTION:
                at = at.cpu_parent
            if at is not None:
                nodes[id(event)] = at
            elif event.stack is not None:
                made.setdefault((event.sequence_nr, event.thread), event.stack)
        for event in self:
            node = nodes.get(id(event))
            if node is not None:
                event.stack = made.get((node.sequence_nr, node.fwd_thread), [])

    @property
    def self_cpu_time_total(self):
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(self, group_by_input_shapes=False, group_by_stack_n=0, group_by_overload_name=False):
        """One entry for each name (and, if asked, each set of input shapes, innermost lines of the stack, name of the overload)."""
        if not self._tree_built:
            raise AssertionError("Expected tree to be built before calling key_averages")
        found = {}
        for event in self:
            key = (
                *(event.key, event.node_id, event.device_type, event.is_legacy, event.is_user_annotation),
                str(event.input_shapes) if group_by_input_shapes else None,
                tuple(event.stack[:group_by_stack_n]) if group_by_stack_n > 0 else None,
                event.overload_name if group_by_overload_name else None,
            )
            found.setdefault(key, FunctionEventAvg()).add(event)
        averages = EventList(
            found.values(),
            use_device=self._use_device,
            profile_memory=self._profile_memory,
            with_flops=self._with_flops,
        )
        for average in averages:
            average.stack = average.stack[:group_by_stack_n]
            if not group_by_input_shapes:
                average.input_shapes = ""
            if not group_by_overload_name:
                average.overload_name = ""
        return averages

    def total_average(self):
        """Everything together."""
        total = FunctionEventAvg()
        for event in self:
            total.add(event)
            total.key = None
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
            max_src_column_width, max_name_column_width, max_shapes_column_width: what is longer is cut; None for no limit.
            header: a line above the table.
            top_level_events_only: leave out what lies within another event.
            time_unit: "us", "ms" or "s" for all times.
        """
        return table(
            self,
            sort_by=sort_by,
            row_limit=row_limit,
            max_src_column_width=max_src_column_width,
            max_name_column_width=max_name_column_width,
            max_shapes_column_width=max_shapes_column_width,
            header=header,
            with_flops=self._with_flops,
            profile_memory=self._profile_memory,
            top_level_events_only=top_level_events_only,
            time_unit=time_unit,
        )

    def export_chrome_trace(self, path):
        """Write the events as a list in JSON, for chrome://tracing or Perfetto; a profile's own method tells more of them."""
        found = [
            dict(
                name=event.trace_name,
                ph="X",
                ts=event.time_range.start,
                dur=event.time_range.elapsed_us(),
                tid=f" node_id:{event.node_id}, thread_id:{event.thread} " if event.is_remote else event.thread,
                pid="CPU functions",
                args={},
            )
            for event in self
            if event.trace_name is not None
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file)

    def supported_export_stacks_metrics(self):
        return [f"self_{device}_time_total" for device in ("cpu", "cuda", "xpu", "privateuse1")]

    def export_stacks(self, path, metric):
        """Write a line for each event with a stack, outermost call first, for flame graphs: ``a;b;c 12``.

        Args:
            metric: one of ``supported_export_stacks_metrics()``, in whole microseconds; events with none are left out.
        """
        if metric not in self.supported_export_stacks_metrics():
            raise ValueError(f"metric should be one of: {self.supported_export_stacks_metrics()}")
        attribute = metric if metric.startswith("self_cpu") else "self_device_time_total"
        plain = str.maketrans(" ;\t\n", "____")
        with open(path, "w", encoding="utf-8") as file:
            for event in self:
                value = int(getattr(event, attribute))
                if event.stack and value > 0:
                    file.write(f"{';'.join(line.translate(plain) for line in reversed(event.stack))} {value}\n")


class MemRecordsAcc:
    """Finds the records of memory (pairs of a record and a flag) of a stretch of time.

    Args:
        mem_records: sequences whose first element has ``start_ns()``.
    """

    def __init__(self, mem_records):
        self._records = sorted(mem_records, key=lambda record: record[0].start_ns())
        self._starts = [record[0].start_ns() for record in self._records]

    def in_interval(self, start_ns, end_ns):
        """Those from ``start_ns`` to ``end_ns``, both included."""
        first = bisect.bisect_left(self._starts, start_ns)
        yield from self._records[first : bisect.bisect_right(self._starts, end_ns)]
