"""What took how long: ``torch.autograd.profiler``. Programs mostly use ``torch.profiler``, which is built on this.

`profiler_record` notes what runs, `profiler_util` has the events that are made of it, `profiler_table` and `profiler_trace` show them.
"""

import collections
import copy
import enum
import types
import uuid
import warnings

from ..absent import absent
from ..missing import module_getattr
from . import profiler_record
from .modes import ContextDecorator
from .profiler_record import Recorder, active, native_thread
from .profiler_trace import write_trace
from .profiler_util import USER_SCOPE, EventList, FunctionEvent, MemRecordsAcc

__all__ = [
    "EnforceUnique",
    "EventList",
    "FunctionEvent",
    "KinetoStepTracker",
    "MemRecordsAcc",
    "emit_itt",
    "emit_nvtx",
    "load_nvprof",
    "parse_nvprof_trace",
    "profile",
    "record_function",
]

ProfilerActivity = enum.Enum("ProfilerActivity", dict(CPU=0, XPU=1, MTIA=4, CUDA=2, HPU=3, PrivateUse1=5))


class _ExperimentalConfig:
    """Options of PyTorch's tracing library. Those that are of devices and of other libraries must be left as they are.

    Args:
        verbose: stacks are noted wherever ``with_stack`` asks for them, so this changes nothing.
        trace_only: events are not to be asked for; only ``export_chrome_trace`` is.
    """

    def __init__(
        self,
        profiler_metrics=(),
        profiler_measure_per_kernel=False,
        verbose=False,
        performance_events=(),
        enable_cuda_sync_events=False,
        adjust_profiler_step=False,
        disable_external_correlation=False,
        profile_all_threads=False,
        capture_overload_names=False,
        record_python_gc_info=False,
        expose_kineto_event_metadata=False,
        custom_profiler_config="",
        adjust_timestamps=False,
        trace_only=False,
    ):
        options = dict(locals())
        del options["self"]
        self.verbose, self.trace_only = options.pop("verbose"), options.pop("trace_only")
        for name, value in options.items():
            if value:
                raise NotImplementedError(
                    f"rushlight's profiler notes what runs on the CPU in Python and has no {name}"
                )


class profile:  # noqa: N801 - PyTorch's name
    """Note every operator called in the block by this thread.

    Args:
        enabled: False makes it do nothing.
        record_shapes: note shapes, strides and types of arguments.
        with_flops: count additions and multiplications of matrix products, convolutions, sums and products.
        profile_memory: note the bytes of results, when they are made and when they go.
        with_stack: note the lines of the caller.
        use_cuda, use_device, use_kineto, use_cpu: there is only the CPU, so other devices are warned of and left out.
        with_modules: nothing is noted for it, as in PyTorch outside of TorchScript.
        experimental_config: see `_ExperimentalConfig`.
        acc_events: keep the events of blocks before, where one object profiles several.
        custom_trace_id_callback: gives the ``trace_id`` of a trace.
        post_processing_timeout_s: events are made at once here, so that it is never used up.
        activity_filters: kinds of activities to note; NotImplementedError if any are given.
    """

    def __init__(
        self,
        enabled=True,
        *,
        use_cuda=False,
        use_device=None,
        record_shapes=False,
        with_flops=False,
        profile_memory=False,
        with_stack=False,
        with_modules=False,
        use_kineto=False,
        use_cpu=True,
        experimental_config=None,
        acc_events=False,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
        activity_filters=None,
    ):
        self.enabled = enabled
        if not enabled:
            return
        if use_cuda:
            warnings.warn(
                "The attribute `use_cuda` will be deprecated soon, please use ``use_device = 'cuda'`` instead.",
                FutureWarning,
                stacklevel=2,
            )
            use_device = "cuda"
        if not use_cpu and not use_kineto:
            raise AssertionError("Device-only events supported only with Kineto (use_kineto=True)")
        if use_device in ("cuda", "xpu", "hpu"):
            kind = use_device.upper()
            warnings.warn(f"{kind} is not available, disabling {kind} profiling", stacklevel=2)
        elif use_device == "mtia":
            raise AssertionError("Legacy MTIA profiling is not supported. Requires use_kineto=True on MTIA devices.")
        elif use_device is not None:
            warnings.warn(f"The {use_device} is not a valid device option.", stacklevel=2)
        if not use_cpu:
            raise AssertionError("No activities specified for the profiler")
        if activity_filters:
            raise NotImplementedError(
                "rushlight's profiler notes all it can of the CPU: activities have no kinds to choose"
            )
        if post_processing_timeout_s is not None and post_processing_timeout_s < 0:
            raise ValueError("post_processing_timeout_s must be non-negative")
        self.use_cuda, self.use_device, self.use_cpu = False, None, True
        self.record_shapes, self.with_flops, self.profile_memory = (
            record_shapes or with_flops,
            with_flops,
            profile_memory,
        )
        self.with_stack, self.with_modules, self.acc_events = with_stack, with_modules, acc_events
        self.experimental_config = _usable(experimental_config or _ExperimentalConfig(), with_stack)
        self.custom_trace_id_callback, self.trace_id = custom_trace_id_callback, ""
        self.post_processing_timeout_s, self.activity_filters = post_processing_timeout_s, {}
        self.entered = False
        self._recorder = self._events = None
        self._before = []

    def default_trace_id(self):
        return f"{uuid.uuid4().int:032X}"

    def create_trace_id(self):
        return (self.custom_trace_id_callback or self.default_trace_id)()

    def __enter__(self):
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self._prepare_trace()
        self._start_trace()
        return self

    def _prepare_trace(self):
        self.entered = True
        self.trace_id = self.create_trace_id()

    def _start_trace(self):
        if self.acc_events and self._recorder is not None:
            self._before = list(self.function_events)
        self._events = None
        self._recorder = Recorder(self.record_shapes, self.profile_memory, self.with_stack, self.with_flops)
        self._running = True
        self._recorder.start()

    def __exit__(self, *exc):
        if self.enabled and self._running:
            self._running = False
            self._recorder.stop()
        return False

    _running = False

    # ------------------------------------------------------------------------------------------------ afterwards

    @property
    def function_events(self):
        """The events; none before the block has ended."""
        if self.experimental_config.trace_only:
            raise RuntimeError(
                "events() is not available when trace_only=True in ExperimentalConfig. Use export_chrome_trace() instead."
            )
        return self._made_events()

    def _made_events(self):
        if self._events is not None:
            return self._events
        done = self._recorder is not None and not self._running
        events = EventList(
            self._recorder.events() if done else [],
            use_device=self.use_device,
            profile_memory=self.profile_memory,
            with_flops=self.with_flops,
        )
        events._build_tree()
        if done:
            events.extend(self._before)
            self._events = events
        return events

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """One entry for each name; see ``EventList.key_averages``."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def total_average(self):
        return self.function_events.total_average()

    def table(
        self,
        sort_by=None,
        row_limit=100,
        max_src_column_width=75,
        max_name_column_width=55,
        max_shapes_column_width=80,
        header=None,
        top_level_events_only=False,
    ):
        """The events as text; see ``EventList.table``."""
        return self.function_events.table(
            *(sort_by, row_limit, max_src_column_width, max_name_column_width, max_shapes_column_width, header),
            top_level_events_only,
        )

    def export_chrome_trace(self, path, metadata=None, use_python_export=False):
        """Write the events of the last block for Perfetto or chrome://tracing; packed where the name ends in ``.gz``.

        Args:
            metadata: names and JSON as text, to be put at the top of the file.
            use_python_export: which of PyTorch's two writers writes it; there is one here.
        """
        if self._recorder is None or self._running:
            raise AssertionError("Expected profiling results")
        events = self._made_events()
        events = events[: len(events) - len(self._before)]
        write_trace(path, events, self._recorder.epoch_ns, native_thread, (metadata or {}).items(), self.trace_id)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write a line for each event with a stack; see ``EventList.export_stacks``."""
        events = self.function_events
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        events.export_stacks(path, metric)

    def toggle_collection_dynamic(self, enabled, activities):
        """Stop (or go on) noting, within the block, if the CPU is among ``activities``."""
        if ProfilerActivity.CPU in set(activities) and self._recorder is not None:
            self._recorder.paused = not enabled

    @property
    def self_cpu_time_total(self):
        """Microseconds in all events together, each counted once."""
        return self.function_events.self_cpu_time_total

    def __repr__(self):
        return "<unfinished torch.autograd.profile>" if self._unfinished() else repr(self.function_events)

    def __str__(self):
        return "<unfinished torch.autograd.profile>" if self._unfinished() else str(self.function_events)

    def _unfinished(self):
        return not self.enabled or self._recorder is None or self._running


def _usable(config, with_stack):
    """The options, without ``trace_only`` where stacks are asked for."""
    if not (config.trace_only and with_stack):
        return config
    warnings.warn(
        "trace_only=True is incompatible with with_stack=True (stack traces require event post-processing). "
        "Disabling trace_only.",
        stacklevel=3,
    )
    config = copy.copy(config)
    config.trace_only = False
    return config


class record_function(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Mark a stretch of code by name, so that a profile shows it; a context manager and a decorator.

    Args:
        name: what the stretch is called.
        args: text shown as the one input of it, where shapes are recorded.
    """

    def __init__(self, name, args=None):
        self.name, self.args = name, args
        self.run_callbacks_on_exit = True
        self.record = None

    def clone(self):
        return type(self)(self.name, self.args)

    def __enter__(self):
        values = () if self.args is None else (self.args,)
        self.record = [(recorder, recorder.begin(self.name, values, USER_SCOPE)) for recorder in active.recorders]
        return self

    def __exit__(self, *exc):
        if self.run_callbacks_on_exit:
            self._end()

    def _end(self):
        if self.record is None:
            raise AssertionError("Expected record to be set")
        for recorder, call in self.record:
            recorder.end(call)

    def _call_end_callbacks_on_future(self, fut):
        """Let the stretch end when a future is done, not with the block; returns the future of the same value that ends it."""
        if not self.run_callbacks_on_exit:
            raise RuntimeError("_call_end_callbacks_on_future can only be called once.")
        self.run_callbacks_on_exit = False

        def end(done):
            self._end()
            return done.value()

        return fut.then(end)


def _record_function_with_args_enter(name, *args):
    """Begin a stretch whose arguments are shown; returns what ends it."""
    return [(recorder, recorder.begin(name, args, USER_SCOPE)) for recorder in active.recorders]


def _record_function_with_args_exit(handle):
    for recorder, call in handle:
        recorder.end(call)


def _record_function_enter(name, args=None):
    return _record_function_with_args_enter(name, *(() if args is None else (args,)))


#: ``torch.ops.profiler``: stretches begun and ended by functions
functions = types.SimpleNamespace(
    _record_function_enter=_record_function_enter,
    _record_function_enter_new=_record_function_enter,
    _record_function_exit=_record_function_with_args_exit,
)


class _Emit:
    """Base of what marks operators for profilers of vendors, of which there are none here."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self):
        if self.enabled:
            raise NotImplementedError(
                f"rushlight computes on the CPU and knows no profiler but its own, so torch.autograd.profiler."
                f"{type(self).__name__} is not there"
            )

    def __exit__(self, *exc):
        return False


class emit_nvtx(_Emit):  # noqa: N801 - PyTorch's name
    """Mark every operator for NVIDIA's profilers; NotImplementedError when entered, unless ``enabled=False``."""


class emit_itt(_Emit):  # noqa: N801 - PyTorch's name
    """Mark every operator for Intel's profilers; NotImplementedError when entered, unless ``enabled=False``."""


class EnforceUnique:
    """Refuses what it has seen before."""

    def __init__(self):
        self.seen = set()

    def see(self, *key):
        """Note a key; RuntimeError if it was noted before."""
        if key in self.seen:
            raise RuntimeError("duplicate key: " + str(key))
        self.seen.add(key)


class KinetoStepTracker:
    """The number of steps that anybody has counted: each requester counts its own, and the largest is everybody's."""

    _current_step = 0
    _step_dict: dict[str, int] = collections.defaultdict(int)

    @classmethod
    def init_step_count(cls, requester):
        """Let a requester begin at the current number."""
        cls._step_dict[requester] = cls._current_step

    @classmethod
    def erase_step_count(cls, requester):
        """Forget a requester; returns whether it was known."""
        return cls._step_dict.pop(requester, None) is not None

    @classmethod
    def increment_step(cls, requester):
        """Count one more step of a requester; returns the number of steps."""
        if requester not in cls._step_dict:
            cls.init_step_count(requester)
        cls._step_dict[requester] += 1
        now = max(cls._step_dict.values())
        if now - cls._current_step > 1:
            warnings.warn(
                f"Profiler step count has increased more than 1 - current_step = {cls._current_step} step dict =  {cls._step_dict}",
                stacklevel=2,
            )
        cls._current_step = max(cls._current_step, now)
        return cls._current_step

    @classmethod
    def current_step(cls):
        return cls._current_step


def _profiler_enabled():
    """Whether a profile is on in this thread."""
    return bool(active.recorders)


def kineto_available():
    """Whether ``torch.profiler`` can record and write traces: yes, by means of its own."""
    return True


def _supported_activities():
    return {ProfilerActivity.CPU}


load_nvprof = absent("torch.autograd.profiler.load_nvprof", "rushlight computes on the CPU")
parse_nvprof_trace = absent("torch.autograd.profiler.parse_nvprof_trace", "rushlight computes on the CPU")

_missing = module_getattr(__name__)


def __getattr__(name):
    if name == "_is_profiler_enabled":
        return profiler_record.anywhere()
    return _missing(name)
