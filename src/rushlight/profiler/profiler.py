"""The profile that programs use, its schedules, and what writes its traces; ``torch.autograd.profiler`` does the work."""

import enum
import os
import socket
import time
import warnings

from ..absent import absent
from ..autograd import profiler as prof
from ..autograd.profiler import ProfilerActivity

__all__ = [
    *("ExecutionTraceObserver", "ProfilerAction", "profile", "schedule", "supported_activities"),
    "tensorboard_trace_handler",
]

PROFILER_STEP_NAME = "ProfilerStep"
_DEVICES = ("CUDA", "XPU", "MTIA", "HPU")

_told = set()


class ProfilerAction(enum.Enum):
    """What to do in a step. The last one is of devices and not for schedules."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3
    DEVICE_STOPPED = 4


ExecutionTraceObserver = absent(
    "torch.profiler.ExecutionTraceObserver", "rushlight writes traces for Chrome (export_chrome_trace) and no others"
)


def supported_activities():
    """What can be noted: what runs on the CPU."""
    return prof._supported_activities()


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A function from the number of a step to a ProfilerAction: cycles of ``wait``, ``warmup`` and ``active`` steps.

    Args:
        repeat: how many cycles; 0 for as many as there are steps.
        skip_first: steps before the first cycle.
        skip_first_wait: anything but 0 leaves out the first ``wait``.
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    cycle = wait + warmup + active

    def schedule_fn(step):
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step += (wait if skip_first_wait else 0) - skip_first
        at = step % cycle
        if (repeat and step >= repeat * cycle) or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == cycle - 1 else ProfilerAction.RECORD

    return schedule_fn


def _always(step):
    return ProfilerAction.RECORD


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False, use_python_export=False):
    """``on_trace_ready`` that writes each trace into ``dir_name``, as ``worker.time.pt.trace.json``.

    Args:
        worker_name: what tells workers apart; by default the host's name and the number of the process.
        use_gzip: pack the files.
        use_python_export: see ``export_chrome_trace``.
    """

    def handler_fn(profile):
        try:
            os.makedirs(dir_name, exist_ok=True)
        except Exception as error:
            raise RuntimeError("Can't create directory: " + dir_name) from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        profile.export_chrome_trace(os.path.join(dir_name, name), use_python_export=use_python_export)

    return handler_fn


def _parsed(activities):
    """The set of activities, which may be given by dicts from one to the kinds of it that are wanted."""
    found, kinds = set(), {}
    for each in activities:
        if not isinstance(each, (ProfilerActivity, dict)):
            raise TypeError(f"Expected ProfilerActivity or dict, got {type(each)}")
        for activity in each if isinstance(each, dict) else (each,):
            if activity in found:
                raise ValueError(f"Activity {activity} specified more than once")
            found.add(activity)
            if isinstance(each, dict):
                kinds[activity] = set(each[activity])
    return found, kinds


class _KinetoProfile:
    """A profile that is started and stopped, without steps; the arguments are those of `profile`."""

    def __init__(
        self,
        *,
        activities=None,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        with_flops=False,
        with_modules=False,
        experimental_config=None,
        execution_trace_observer=None,
        acc_events=False,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
    ):
        self.activities, self.activity_filters = (
            (supported_activities(), {}) if activities is None else _parsed(activities)
        )
        self.record_shapes, self.profile_memory = record_shapes, profile_memory
        self.with_stack, self.with_flops, self.with_modules = with_stack, with_flops, with_modules
        self.experimental_config = experimental_config and prof._usable(experimental_config, with_stack)
        self.execution_trace_observer = execution_trace_observer
        self.acc_events, self.custom_trace_id_callback = acc_events, custom_trace_id_callback
        self.post_processing_timeout_s = post_processing_timeout_s
        self.profiler = None
        # in PyTorch's order of preference; that there is no such device is told when recording is made ready
        self.use_device = next((each.lower() for each in _DEVICES if ProfilerActivity[each] in self.activities), None)
        self.preset_metadata, self._trace_metadata = {}, {}

    def start(self):
        self.prepare_trace()
        self.start_trace()

    def stop(self):
        self.stop_trace()

    def prepare_trace(self):
        """Make ready to record: what a step of warming up does."""
        if self.profiler is not None and self.acc_events:
            self.profiler._prepare_trace()
            return
        text = (
            "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle will be reported. "
            "To keep events across cycles, set acc_events=True."
        )
        if self.profiler is not None and text not in _told:
            _told.add(text)
            warnings.warn(text, stacklevel=3)
        self.profiler = prof.profile(
            use_cpu=ProfilerActivity.CPU in self.activities,
            use_device=self.use_device,
            record_shapes=self.record_shapes,
            with_flops=self.with_flops,
            profile_memory=self.profile_memory,
            with_stack=self.with_stack,
            with_modules=self.with_modules,
            use_kineto=True,
            experimental_config=self.experimental_config,
            acc_events=self.acc_events,
            custom_trace_id_callback=self.custom_trace_id_callback,
            post_processing_timeout_s=self.post_processing_timeout_s,
            activity_filters=self.activity_filters,
        )
        self.profiler._prepare_trace()

    def start_trace(self):
        """Begin to record."""
        if self.execution_trace_observer:
            self.execution_trace_observer.start()
        self._made("starting trace")._start_trace()
        for option in ("profile_memory", "with_stack", "record_shapes", "with_modules", "with_flops"):
            if getattr(self, option):
                self.add_metadata_json(option, "1")
        for key, value in self.preset_metadata.items():
            self.add_metadata_json(key, value)

    def stop_trace(self):
        """End recording."""
        if self.execution_trace_observer:
            self.execution_trace_observer.stop()
        self._made("stopping trace").__exit__(None, None, None)

    def _made(self, doing):
        if self.profiler is None:
            raise AssertionError(f"Profiler must be initialized before {doing}")
        return self.profiler

    def export_chrome_trace(self, path, use_python_export=False):
        """Write the last recorded cycle for Perfetto or chrome://tracing; packed where the name ends in ``.gz``."""
        self._made("exporting chrome trace").export_chrome_trace(path, self._trace_metadata, use_python_export)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write a line for each event with a stack, for flame graphs; ``with_stack=True`` is required."""
        return self._made("exporting stacks").export_stacks(path, metric)

    def toggle_collection_dynamic(self, enable, activities):
        """Stop (or go on) noting these activities while the profile runs."""
        if self.profiler is not None:
            self.profiler.toggle_collection_dynamic(enable, activities)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """One entry for each name; see ``EventList.key_averages``."""
        return self._made("getting key averages").key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def events(self):
        """The events of the last recorded cycle."""
        return self._made("accessing events").function_events

    def add_metadata(self, key, value):
        """Put a text into the trace, under a name."""
        self._trace_metadata[key] = '"' + value.replace('"', '\\"') + '"'

    def add_metadata_json(self, key, value):
        """Put JSON into the trace, under a name."""
        self._trace_metadata[key] = value

    def preset_metadata_json(self, key, value):
        """The same, before the profile has been started."""
        self.preset_metadata[key] = value

    def export_memory_timeline(self, path, device=None):
        """PyTorch's picture of memory over time, which it is giving up; NotImplementedError here."""
        raise NotImplementedError(
            "rushlight draws no timeline of memory; profile_memory=True notes bytes in events and traces"
        )


class profile(_KinetoProfile):  # noqa: N801 - PyTorch's name
    """Profile a block, or with ``schedule`` some of the steps marked by ``step()``.

    Args:
        activities: must contain ``ProfilerActivity.CPU`` if given; others record nothing.
        schedule: function from a step's number to a ``ProfilerAction``; without one, everything is recorded and steps are not marked.
        on_trace_ready: called with this object when a recorded cycle ends.
        record_shapes, profile_memory, with_stack, with_flops, with_modules: as in ``torch.autograd.profiler.profile``.
        experimental_config, acc_events, custom_trace_id_callback, post_processing_timeout_s: likewise.
        execution_trace_observer: an object with ``start``, ``stop`` and ``cleanup``, called as recording begins, ends and is over.
        use_cuda: older than ``activities``; warned of.
    """

    def __init__(
        self,
        *,
        activities=None,
        schedule=None,
        on_trace_ready=None,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        with_flops=False,
        with_modules=False,
        experimental_config=None,
        execution_trace_observer=None,
        acc_events=False,
        use_cuda=None,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
    ):
        activities = None if activities is None else list(activities)
        if use_cuda is not None:
            warnings.warn("`use_cuda` is deprecated, use `activities` argument instead", FutureWarning, stacklevel=2)
        if activities is not None and not any(isinstance(each, (ProfilerActivity, dict)) for each in activities):
            raise AssertionError("No valid profiler activities found")
        super().__init__(
            activities=activities,
            record_shapes=record_shapes,
            profile_memory=profile_memory,
            with_stack=with_stack,
            with_flops=with_flops,
            with_modules=with_modules,
            experimental_config=experimental_config,
            execution_trace_observer=execution_trace_observer,
            acc_events=acc_events,
            custom_trace_id_callback=custom_trace_id_callback,
            post_processing_timeout_s=post_processing_timeout_s,
        )
        self.schedule, self.record_steps = schedule or _always, bool(schedule)
        self.on_trace_ready = on_trace_ready
        self.step_num, self.step_rec_fn = 0, None
        self.current_action = self._scheduled(0)
        prof.KinetoStepTracker.init_step_count(PROFILER_STEP_NAME)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()
        prof.KinetoStepTracker.erase_step_count(PROFILER_STEP_NAME)
        if self.execution_trace_observer:
            self.execution_trace_observer.cleanup()

    def start(self):
        self._transit_action(ProfilerAction.NONE, self.current_action)
        self._mark_step()

    def stop(self):
        self._end_step()
        self._transit_action(self.current_action, None)

    def step(self):
        """End one step and begin the next."""
        self._end_step()
        before, after = self.current_action, self._scheduled(self.step_num + 1)
        self.step_num += 1
        self.current_action = after
        self._transit_action(before, after)
        prof.KinetoStepTracker.increment_step(PROFILER_STEP_NAME)
        self._mark_step()

    def _scheduled(self, step):
        action = self.schedule(step)
        if action == ProfilerAction.DEVICE_STOPPED:
            raise ValueError(
                "ProfilerAction.DEVICE_STOPPED is set internally by the profiler and must not be returned by a "
                "user-provided schedule"
            )
        return action

    def _mark_step(self):
        if self.record_steps:
            self.step_rec_fn = prof.record_function(f"{PROFILER_STEP_NAME}#{self.step_num}").__enter__()

    def _end_step(self):
        if self.step_rec_fn is not None:
            self.step_rec_fn.__exit__(None, None, None)
            self.step_rec_fn = None

    def _transit_action(self, before, after):
        """Do what one action followed by another asks for; ``after`` None is the end of the profile."""
        none, warmup, record, save = list(ProfilerAction)[:4]
        recording, to_record = before in (record, save), after in (record, save)
        if before is warmup and not to_record and after is not warmup:
            # what was made ready is used up
            if after is none:
                warnings.warn("Incorrect schedule: WARMUP followed by NONE", stacklevel=3)
            self.start_trace()
            self.stop_trace()
        elif before is record and after in (none, warmup):
            warnings.warn(f"Incorrect schedule: RECORD followed by {after.name}", stacklevel=3)
            self.stop_trace()
        elif before is save or (before is record and after is None):
            self.stop_trace()
            if self.on_trace_ready:
                self.on_trace_ready(self)
            recording = False
        if after in (warmup, record, save) and before in (none, save):
            self.prepare_trace()
        if to_record and not recording:
            self.start_trace()

    def set_custom_trace_id_callback(self, callback):
        """Set what gives the number of a trace from now on."""
        self.custom_trace_id_callback = callback

    def get_trace_id(self):
        """The number of the current trace; None before there is one."""
        return None if self.profiler is None else self.profiler.trace_id


for _class in (ProfilerAction, _KinetoProfile, profile):
    _class.__module__ = "torch.profiler.profiler"  # where users find them in PyTorch
