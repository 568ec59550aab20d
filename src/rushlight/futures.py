"""``torch.futures``: results that come later, with functions to call when they do."""

import threading
from typing import Generic, TypeVar

from .missing import module_getattr

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A result that some thread sets once; ``wait`` waits for it, ``then`` makes the future of what follows from it."""

    def __init__(self, *, devices=None):
        self._lock = threading.Condition()
        self._done = False
        self._result = self._error = None
        self._callbacks = []

    def done(self):
        """Whether there is a result, or an exception in its place."""
        return self._done

    def wait(self):
        """The result, once it is there; raises the exception that was set in its place."""
        with self._lock:
            self._lock.wait_for(self.done)
        return self.value()

    def value(self):
        """The result. RuntimeError before it is there."""
        if not self._done:
            raise RuntimeError("The future is not ready yet.")
        if self._error is not None:
            raise self._error
        return self._result

    def then(self, callback):
        """The future of ``callback(self)``, which is called once this one is done."""
        following = Future()

        def follow(done):
            try:
                following.set_result(callback(done))
            except Exception as error:
                message = f"Got the following error when running the callback: {type(error).__name__}: {error}"
                following.set_exception(RuntimeError(message))

        self.add_done_callback(follow)
        return following

    def add_done_callback(self, callback):
        """Call ``callback(self)`` once this one is done; at once where it is already."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def set_result(self, result):
        """The result. RuntimeError where there is one."""
        self._finish(result, None)

    def set_exception(self, result):
        """The exception that ``wait`` and ``value`` raise."""
        assert isinstance(result, Exception), f"{result} is of type {type(result)}, not an Exception."
        self._finish(None, result)

    def _finish(self, result, error):
        with self._lock:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. "
                    "Note that a Future can only be marked completed once."
                )
            self._result, self._error, self._done = result, error, True
            callbacks, self._callbacks = self._callbacks, []
            self._lock.notify_all()
        for callback in callbacks:
            callback(self)


def collect_all(futures):
    """The future of the list of ``futures``, done when all of them are."""
    together = Future()
    left = len(futures)
    lock = threading.Lock()

    def count(_):
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            together.set_result(futures)

    for each in futures:
        each.add_done_callback(count)
    if not futures:
        together.set_result(futures)
    return together


def wait_all(futures):
    """The results of all of them, in their order; the first exception among them is raised."""
    return [each.wait() for each in collect_all(futures).wait()]


__getattr__ = module_getattr(__name__)
