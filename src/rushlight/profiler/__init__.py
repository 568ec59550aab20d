"""``torch.profiler``: profiles of operators in steps; ``torch.autograd.profiler`` does the work."""

import enum
import os
import socket
import time

from ..autograd import profiler as _profiler
from ..autograd.profiler import record_function

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What can be profiled; there is the CPU."""

    CPU = 0
    CUDA = 2


class ProfilerAction(enum.Enum):
    """What to do in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def kineto_available():
    """False: PyTorch's tracer of devices is not here; profiles are rushlight's own."""
    return False


def supported_activities():
    return {ProfilerActivity.CPU}


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A function from the number of a step to a ProfilerAction: cycles of ``wait``, ``warmup`` and ``active`` steps."""
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError("Invalid profiler schedule arguments")

    def action(step):
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle = wait + warmup + active
        if repeat and step // cycle >= repeat:
            return ProfilerAction.NONE
        at = step % cycle
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == cycle - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """``on_trace_ready`` that writes a Chrome trace into ``dir_name``."""

    def handle(prof):
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        path = os.path.join(dir_name, f"{name}.{time.time_ns()}.pt.trace.json")
        prof.export_chrome_trace(path)
        if use_gzip:
            import gzip

            with open(path, "rb") as plain, gzip.open(path + ".gz", "wb") as packed:
                packed.write(plain.read())
            os.remove(path)

    return handle


class profile:  # noqa: N801 - PyTorch's name
    """Profile a block, or with ``schedule`` some of the steps marked by ``step()``.

    Args:
        activities: must contain ``ProfilerActivity.CPU`` if given; others record nothing here, so they are refused.
        schedule: function from a step's number to a ``ProfilerAction``.
        on_trace_ready: called with this object when a recorded cycle ends.
        record_shapes, profile_memory, with_stack: as in ``torch.autograd.profiler.profile``.
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
    ):
        if activities is not None and ProfilerActivity.CPU not in activities:
            raise RuntimeError("there is only the CPU here: activities must contain ProfilerActivity.CPU")
        self._options = dict(record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack)
        self._schedule, self._ready = schedule, on_trace_ready
        self.step_num = 0
        self.profiler = None
        self._running = self._last = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        self._apply(self._action())

    def stop(self):
        if self._running is not None:
            self._finish(self._ready)

    def step(self):
        """End one step and begin the next."""
        before = self._action()
        if self._mark is not None:
            self._mark.__exit__(None, None, None)
            self._mark = None
        if before is ProfilerAction.RECORD_AND_SAVE and self._running is not None:
            self._finish(self._ready)
        self.step_num += 1
        self._apply(self._action())

    _mark = None

    def _action(self):
        return ProfilerAction.RECORD if self._schedule is None else self._schedule(self.step_num)

    def _apply(self, action):
        if action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            if self._running is None:
                self._running = _profiler.profile(**self._options).__enter__()
            if self._schedule is not None or self.step_num:
                self._mark = record_function(f"ProfilerStep#{self.step_num}").__enter__()
        elif self._running is not None:
            self._finish(None)

    def _finish(self, ready):
        if self._mark is not None:
            self._mark.__exit__(None, None, None)
            self._mark = None
        self._running.__exit__(None, None, None)
        self.profiler, self._running = self._running, None
        if ready is not None:
            ready(self)

    def events(self):
        """The events of the last recorded cycle."""
        if self.profiler is None:
            raise AssertionError("nothing has been recorded yet")
        return self.profiler.function_events

    def key_averages(self, *args, **kwargs):
        return self.events().key_averages(*args, **kwargs)

    def export_chrome_trace(self, path):
        self.events().export_chrome_trace(path)
