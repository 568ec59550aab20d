"""Starting several processes of one function, and waiting for all of them, or for the first that fails."""

import logging
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]

log = logging.getLogger("torch.multiprocessing.spawn")  # the name by which programs turn it on and off

ENV_VAR_PARALLEL_START = "TORCH_MP_PARALLEL_START"
#: seconds that processes get to obey SIGTERM
_PATIENCE = 30


class ProcessException(Exception):
    """A process did not end well: number ``error_index``, with id ``error_pid``."""

    def __init__(self, msg, error_index, error_pid):
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.error_pid = error_pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """A process ended by an exception; the text has its traceback."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal (``signal_name``) or with an ``exit_code`` other than 0."""

    def __init__(self, msg, error_index, error_pid, exit_code, signal_name=None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _run(fn, index, args, path):
    """What a process does: the function, whose exception goes to the file at ``path``."""
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass  # whoever interrupted knows
    except Exception:
        with open(path, "wb") as file:
            pickle.dump(traceback.format_exc(), file)
        sys.exit(1)


class ProcessContext:
    """Processes that were started together."""

    def __init__(self, processes, error_files):
        self.processes = processes
        self.error_files = error_files
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self):
        """The ids of the processes."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Wait until a process ends, or ``timeout`` seconds; True once all have ended well.

        When one fails the others get ``grace_period`` seconds to end by themselves (none by default), are then terminated, and
        after as long again (30 seconds by default) killed; ProcessRaisedException or ProcessExitedException is raised.
        """
        if not self.sentinels:
            return True
        ended = multiprocessing.connection.wait(self.sentinels, timeout)
        failed = None
        for sentinel in ended:
            index = self.sentinels.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                failed = index
                break
        if failed is None:
            if not self.sentinels:
                self._forget_files()
            return not self.sentinels
        self._stop(grace_period)
        try:
            raise self._failure(failed)
        finally:
            self._forget_files()

    def _stop(self, grace_period):
        """End all processes: by waiting ``grace_period`` seconds where given, then by SIGTERM, in the end by SIGKILL."""
        if grace_period is not None:
            self._wait(grace_period)
        for process in self.processes:
            if process.is_alive():
                log.warning("Terminating process %s via signal SIGTERM", process.pid)
                process.terminate()
        self._wait(_PATIENCE if grace_period is None else grace_period)
        for process in self.processes:
            if process.is_alive():
                log.warning(
                    "Unable to shutdown process %s via SIGTERM , forcefully exiting via SIGKILL",
                    process.pid,
                )
                process.kill()
            process.join()

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0, end - time.monotonic()))

    def _failure(self, index):
        process, path = self.processes[index], self.error_files[index]
        if os.path.getsize(path):
            with open(path, "rb") as file:
                text = pickle.load(file)
            return ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n{text}", index, process.pid
            )
        code = process.exitcode
        if code >= 0:
            return ProcessExitedException(
                f"process {index} terminated with exit code {code}", index, process.pid, exit_code=code
            )
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"<Unknown signal {-code}>"
        return ProcessExitedException(
            f"process {index} terminated with signal {name}", index, process.pid, exit_code=code, signal_name=name
        )

    def _forget_files(self):
        for path in self.error_files:
            if os.path.exists(path):
                os.unlink(path)


class SpawnContext(ProcessContext):
    """The old name of ``ProcessContext``."""

    def __init__(self, processes, error_files):
        warnings.warn("SpawnContext is renamed to ProcessContext since 1.4 release.", stacklevel=2)
        super().__init__(processes, error_files)


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Run ``fn(i, *args)`` for i = 0 ... nprocs - 1 in a process each.

    Args:
        fn: the function; with the methods "spawn" and "forkserver" one that can be pickled.
        args: its further arguments; see the package for how tensors travel.
        nprocs: the number of processes.
        join: wait for all of them.
        daemon: whether they end with this process.
        start_method: "spawn", "fork" or "forkserver"; the last starts all at once where the environment has
            TORCH_MP_PARALLEL_START=1.

    Returns a ``ProcessContext`` without ``join``, else None.
    """
    context = multiprocessing.get_context(start_method)

    def begin(index):
        descriptor, path = tempfile.mkstemp(prefix="rushlight-errors-")
        os.close(descriptor)
        process = context.Process(target=_run, args=(fn, index, args, path), daemon=daemon)
        process.start()
        return process, path

    if start_method == "forkserver" and os.environ.get(ENV_VAR_PARALLEL_START) == "1":
        with ThreadPoolExecutor(nprocs) as threads:
            begun = list(threads.map(begin, range(nprocs)))
    else:
        begun = [begin(index) for index in range(nprocs)]
    started = ProcessContext([process for process, _ in begun], [path for _, path in begun])
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """`start_processes` by the method "spawn"."""
    if start_method != "spawn":
        warnings.warn(
            f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method use:\n\t\t "
            "torch.multiprocessing.start_processes(...)",
            FutureWarning,
            stacklevel=2,
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method="spawn")
