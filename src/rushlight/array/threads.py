"""Sharing large elementwise work between threads; NumPy lets go of the interpreter while it computes.

``parallel(count, body)`` calls ``body(start, stop)`` on parts of ``range(count)``, one in the calling thread. Where threads cannot be
started the caller does it all. The parts do not depend on timing, and elementwise results not on the parts.
"""

import os
import threading

#: how much less than an equal part a worker gets, which must first wake up
HEAD_START = 0.1
#: parts begin at multiples of this many elements, so that blocks of cached work stay whole
GRAIN = 16384

_count = None
_workers = []
_owner = None
_busy = threading.Lock()


def get_num_threads():
    """How many threads share large work: what was set, else OMP_NUM_THREADS, else the processors this process may use."""
    global _count
    if _count is None:
        _count = _default_count()
    return _count


def _default_count():
    named = os.environ.get("OMP_NUM_THREADS", "")
    if named.isdigit() and int(named):
        return int(named)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def set_num_threads(count):
    """Share large work between ``count`` threads from now on."""
    global _count
    if not isinstance(count, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(count).__name__}")
    if count <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _count = count


class _Worker:
    """A daemon thread that waits for a job, does it, and says so."""

    def __init__(self):
        self.wake, self.done = threading.Lock(), threading.Lock()
        self.wake.acquire()
        self.done.acquire()
        self.job = self.error = None
        threading.Thread(target=self._loop, daemon=True, name="rushlight").start()

    def _loop(self):
        # numpy's floating-point warnings are a matter of each thread
        import numpy

        numpy.seterr(all="ignore")
        while True:
            self.wake.acquire()
            body, start, stop = self.job
            try:
                body(start, stop)
            except BaseException as error:
                self.error = error
            self.job = body = None
            self.done.release()

    def start(self, body, start, stop):
        self.job = (body, start, stop)
        self.wake.release()

    def wait(self):
        self.done.acquire()
        error, self.error = self.error, None
        return error


def _team(size):
    """``size`` workers of this process (a fork starts anew); fewer if threads cannot be started."""
    global _workers, _owner
    if _owner != os.getpid():
        _workers, _owner = [], os.getpid()
    while len(_workers) < size:
        try:
            _workers.append(_Worker())
        except RuntimeError:
            break
    return _workers[:size]


def parallel(count, body):
    """Call ``body(start, stop)`` on parts that make up ``range(count)``; the first exception of any part is raised."""
    threads = get_num_threads()
    if threads < 2 or count < 4 * GRAIN or not _busy.acquire(blocking=False):
        # another thread's large work has the workers
        body(0, count)
        return
    try:
        team = _team(threads - 1)
        # the caller takes more: it begins at once, and if it is the last to finish nobody has to be woken
        share = int(count / (len(team) + 1) * (1 - HEAD_START)) // GRAIN * GRAIN
        start = own = count - share * len(team)
        active = []
        for worker in team:
            if start >= count:
                break
            stop = min(start + share, count)
            worker.start(body, start, stop)
            active.append(worker)
            start = stop
        error = None
        try:
            body(0, own)
        finally:
            for worker in active:
                error = worker.wait() or error
        if error is not None:
            raise error
    finally:
        _busy.release()


def _after_fork():
    # the parent's lock may have been held by a thread that does not exist in the child
    global _busy
    _busy = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
