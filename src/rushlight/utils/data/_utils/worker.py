"""The process that loads batches for another one."""

import os
import queue
import random
import traceback
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler

import numpy as np

from .... import manual_seed, set_num_threads
from .fetch import fetcher

__all__ = ["Failure", "IterableEnded", "Resume", "WorkerInfo", "get_worker_info", "unpacked"]

#: seconds between two looks at whether the parent is still alive
_LOOK = 5.0


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: ``id`` of ``num_workers``, its ``seed`` and its copy of the ``dataset``."""

    id: int
    num_workers: int
    seed: int
    dataset: object


_worker_info = None


def get_worker_info():
    """The ``WorkerInfo`` of this process, or None in the main process."""
    return _worker_info


@dataclass(frozen=True)
class IterableEnded:
    """A worker's copy of an iterable dataset has come to its end."""

    worker_id: int


@dataclass(frozen=True)
class Resume:
    """Begin another pass over the dataset."""


class _KeyText(str):
    """The text of a KeyError, which would else be shown as a quoted string with its line breaks escaped."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


class Failure:
    """An exception of a worker on its way to the main process, with the worker's own traceback as text."""

    def __init__(self, error, where):
        self.kind = type(error)
        self.text = "".join(traceback.format_exception(error))
        self.where = where

    def reraise(self):
        text = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(_KeyText(text))
        try:
            error = self.kind(text)
        except Exception:
            # a class that is made otherwise than by a text
            raise RuntimeError(text) from None
        raise error


def packed(result, where):
    """A result as bytes: pickled here and not by the queue, so that one that cannot be pickled is told of like any other failure."""
    try:
        return bytes(ForkingPickler.dumps(result))
    except Exception as error:
        failure = Failure(error, where)
    if isinstance(result, Failure):
        # an exception of a class that does not travel
        result.kind, failure = RuntimeError, result
    return bytes(ForkingPickler.dumps(failure))


def unpacked(data):
    """The result that was packed."""
    return ForkingPickler.loads(data)


def _seed(base_seed, worker_id):
    """Give this process random streams of its own."""
    random.seed(base_seed + worker_id)
    manual_seed(base_seed + worker_id)
    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))


def run(job, worker_id, indices, results, done):
    """Load what is asked for on the queue ``indices`` until None comes; put (number, batch) on ``results``.

    ``job`` is (dataset, iterable, auto_collation, collate_fn, drop_last, base_seed, init function, number of workers).
    """
    global _worker_info
    dataset, iterable, auto_collation, collate_fn, drop_last, base_seed, init, count = job
    parent = os.getppid()
    set_num_threads(1)
    _seed(base_seed, worker_id)
    where = f"in DataLoader worker process {worker_id}"
    _worker_info = WorkerInfo(worker_id, count, base_seed + worker_id, dataset)
    failure = items = None
    try:
        if init is not None:
            init(worker_id)
        items = fetcher(dataset, iterable, auto_collation, collate_fn, drop_last)
    except Exception as error:
        failure = Failure(error, where)
    while os.getppid() == parent:
        try:
            asked = indices.get(timeout=_LOOK)
        except queue.Empty:
            if done.is_set():
                break
            continue
        if asked is None or done.is_set():
            break
        if isinstance(asked, Resume):
            try:
                items = fetcher(dataset, iterable, auto_collation, collate_fn, drop_last)
            except Exception as error:
                failure = Failure(error, where)
            results.put((asked, None))
            continue
        number, wanted = asked
        if failure is not None:
            result, failure = failure, None
        else:
            try:
                result = items.fetch(wanted)
            except StopIteration as error:
                result = IterableEnded(worker_id) if iterable else Failure(error, where)
            except Exception as error:
                result = Failure(error, where)
        results.put((number, packed(result, where)))
        asked = result = None
    if done.is_set():
        # nobody reads any more: do not wait until what was put has been taken
        results.cancel_join_thread()
