"""The process that loads batches for another one."""

import os
import queue
import random
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler

import numpy as np

from .... import manual_seed, set_num_threads
from ....failures import ExceptionWrapper
from .fetch import fetcher

__all__ = ["IterableEnded", "Resume", "WorkerInfo", "get_worker_info", "unpacked"]

#: seconds between two looks at whether the parent is still alive
_LOOK = 5.0


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: ``id`` of ``num_workers``, its ``seed`` and its copy of the ``dataset``; it is always a process.

    ``rng`` is for workers that are threads, which PyTorch provides for.
    """

    id: int
    num_workers: int
    seed: int
    dataset: object
    rng: object = None
    worker_method: str = "multiprocessing"


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


def packed(result, where):
    """A result as bytes: pickled here and not by the queue, so that one that cannot be pickled is told of like any other failure."""
    try:
        return bytes(ForkingPickler.dumps(result))
    except Exception:
        failure = ExceptionWrapper(where=where)
    if isinstance(result, ExceptionWrapper):
        # an exception of a class that does not travel
        result.exc_type, failure = RuntimeError, result
    return bytes(ForkingPickler.dumps(failure))


def unpacked(data):
    """The result that was packed."""
    return ForkingPickler.loads(data)


def _generate_state(base_seed, worker_id):
    """Four words of 32 bits to seed NumPy's legacy generator with."""
    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return tuple(np.random.SeedSequence(entropy).generate_state(4).tolist())


def _seed(base_seed, worker_id):
    """Give this process random streams of its own."""
    random.seed(base_seed + worker_id)
    manual_seed(base_seed + worker_id)
    np.random.seed(_generate_state(base_seed, worker_id))


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
    _worker_info = WorkerInfo(id=worker_id, num_workers=count, seed=base_seed + worker_id, dataset=dataset)
    failure = items = None
    try:
        if init is not None:
            init(worker_id)
        items = fetcher(dataset, iterable, auto_collation, collate_fn, drop_last)
    except Exception:
        failure = ExceptionWrapper(where=where)
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
            except Exception:
                failure = ExceptionWrapper(where=where)
            results.put((asked, None))
            continue
        number, wanted = asked
        if failure is not None:
            result, failure = failure, None
        else:
            try:
                result = items.fetch(wanted)
            except StopIteration:
                result = IterableEnded(worker_id) if iterable else ExceptionWrapper(where=where)
            except Exception:
                result = ExceptionWrapper(where=where)
        results.put((number, packed(result, where)))
        asked = result = None
    if done.is_set():
        # nobody reads any more: do not wait until what was put has been taken
        results.cancel_join_thread()
