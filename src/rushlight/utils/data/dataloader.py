"""The loader: batches of a dataset, in this process or from others.

With workers, batch k is made by worker ``k % num_workers`` while others are being used: every worker has a queue of index lists to
work off, ``prefetch_factor`` of them ahead, and all answer on one queue. Tensors travel pickled.
"""

import itertools
import math
import multiprocessing
import os
import queue
import signal
import time
import warnings
from typing import Generic, TypeVar

from ... import empty, int64
from ...autograd.modes import marked
from ...failures import ExceptionWrapper
from ...shown import Shown
from . import _utils
from ._utils import worker
from ._utils.fetch import fetcher
from .dataset import Dataset, IterableDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

_T_co = TypeVar("_T_co", covariant=True)


def _end_of(process):
    """How a worker came to its end, as a RuntimeError."""
    code = process.exitcode
    if code >= 0:
        return RuntimeError(
            f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly with exit code {code}. Details are lost due to "
            "multiprocessing. Rerunning with num_workers=0 may give better error trace."
        )
    return RuntimeError(f"DataLoader worker (pid {process.pid}) is killed by signal: {signal.strsignal(-code)}. ")


#: seconds that workers of an iterator nobody has any more get to end by themselves
_PATIENCE_WITH_LOST = 0.3

default_collate = _utils.collate.default_collate
default_convert = _utils.collate.default_convert
get_worker_info = worker.get_worker_info


class _DatasetKind:
    """The two kinds of datasets."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        return fetcher(dataset, kind == _DatasetKind.Iterable, auto_collation, collate_fn, drop_last)


class _InfiniteConstantSampler(Sampler):
    """The "indices" of an iterable dataset."""

    def __iter__(self):
        return itertools.repeat(None)


#: what cannot be changed once the samplers have been made of it
_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Shown, Generic[_T_co]):
    """An iterable of batches.

    Args:
        dataset: a map-style or iterable-style dataset.
        batch_size: items in a batch; None for single items without a batch dimension.
        shuffle: visit the items in a random order, another one in each pass.
        sampler: the order of indices, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: processes that load; 0 loads in this one.
        collate_fn: makes a batch of a list of items (``default_collate``).
        pin_memory: there is no device here that memory could be pinned for; a warning says so.
        drop_last: leave out a last batch that is too short.
        timeout: seconds to wait for a batch of a worker; 0 waits for ever.
        worker_init_fn: called with its number in each worker, after seeding.
        multiprocessing_context: a start method ("fork", "spawn", "forkserver") or a context.
        generator: of the shuffle and of the workers' seeds.
        prefetch_factor: batches that each worker is ahead (2 with workers).
        persistent_workers: keep the workers between passes.
        in_order: give batches in the order of the sampler, not as they arrive.

    Raises ValueError for settings that exclude each other, with PyTorch's texts.
    """

    _iterator = None
    __initialized = False

    def __init__(
        self,
        dataset: Dataset[_T_co],
        batch_size=1,
        shuffle=None,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        if isinstance(dataset, IterableDataset):
            self._dataset_kind = _DatasetKind.Iterable
            for name, value, neutral in (
                ("shuffle", shuffle, (None, False)),
                ("sampler", sampler, (None,)),
                ("batch_sampler", batch_sampler, (None,)),
            ):
                if not any(value is each for each in neutral):
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        else:
            self._dataset_kind = _DatasetKind.Map
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._dataset_kind == _DatasetKind.Iterable:
                sampler = _InfiniteConstantSampler()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._announced = None
        self.check_worker_number_rationality()

    def __setattr__(self, name, value):
        if self.__initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {self.__class__.__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        return self.__context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        if context is not None:
            if self.num_workers <= 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        "multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start method, but "
                    f"got multiprocessing_context={context}"
                )
        self.__context = context

    @property
    def _auto_collation(self):
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def _get_iterator(self):
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self):
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    def __len__(self):
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        length = self._announced = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self):
        """Warn of more workers than this process has processors."""
        try:
            processors = len(os.sched_getaffinity(0))
        except AttributeError:
            processors = os.cpu_count()
        if self.num_workers and processors and self.num_workers > processors:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested max number of worker in "
                f"current system is {processors}, which is smaller than what this DataLoader is going to create. Please be aware "
                "that excessive worker creation might get DataLoader running slow or even freeze, lower the worker number to avoid "
                "potential slowness/freeze if necessary.",
                stacklevel=3,
            )


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None and prefetch_factor >= 0:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable multiprocessing, "
            "otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


class _BaseDataLoaderIter:
    """One pass over a loader."""

    def __init__(self, loader) -> None:
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used.",
                stacklevel=3,
            )
        self._dataset = loader.dataset
        self._iterable = loader._dataset_kind == _DatasetKind.Iterable
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        self._sampler = loader._index_sampler
        self._base_seed = empty((), dtype=int64).random_(generator=loader.generator).item()
        self._begin(loader)

    def _begin(self, loader):
        self._sampler_iter = iter(self._sampler)
        self._num_yielded = 0
        self._announced = loader._announced

    def __iter__(self):
        return self

    def __next__(self):
        with marked(f"enumerate(DataLoader)#{type(self).__name__}.__next__"):
            batch = self._next_data()
            self._num_yielded += 1
            if self._iterable and self._announced is not None and self._num_yielded > self._announced:
                self._warn_of_length()
            return batch

    next = __next__

    def _warn_of_length(self):
        text = (
            f"Length of IterableDataset {self._dataset} was reported to be {self._announced} (when accessing len(dataloader)), but "
            f"{self._num_yielded} samples have been fetched. "
        )
        if self._num_workers:
            text += (
                "For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset replica at "
                "each worker. Please see https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
            )
        warnings.warn(text, stacklevel=3)

    def __len__(self):
        return len(self._sampler)

    def __getstate__(self):
        raise NotImplementedError("{} cannot be pickled", self.__class__.__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Loading in this process."""

    def __init__(self, loader) -> None:
        super().__init__(loader)
        arguments = (self._dataset, self._iterable, loader._auto_collation, loader.collate_fn, loader.drop_last)
        self._dataset_fetcher = fetcher(*arguments)

    def _next_data(self):
        return self._dataset_fetcher.fetch(next(self._sampler_iter))


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Loading in other processes. Every index list has a number; ``_tasks`` says which worker has it, or holds its batch."""

    def __init__(self, loader) -> None:
        super().__init__(loader)
        context = loader.multiprocessing_context or multiprocessing
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._prefetch = loader.prefetch_factor * self._num_workers
        self._results = context.Queue()
        self._done = context.Event()
        self._queues, self._workers = [], []
        self._shut_down = False
        self._owner = os.getpid()
        job = (
            *(self._dataset, self._iterable, loader._auto_collation, loader.collate_fn, loader.drop_last),
            *(self._base_seed, loader.worker_init_fn, self._num_workers),
        )
        for i in range(self._num_workers):
            indices = context.Queue()
            indices.cancel_join_thread()
            arguments = (job, i, indices, self._results, self._done)
            process = context.Process(target=worker.run, args=arguments, daemon=True)
            process.start()
            self._queues.append(indices)
            self._workers.append(process)
        self._start()

    def _start(self):
        self._tasks = {}
        self._sent = self._next = 0
        self._active = [True] * self._num_workers
        self._turn = itertools.cycle(range(self._num_workers))
        for _ in range(self._prefetch):
            self._ask()

    def _reset(self, loader):
        """Begin another pass with the same workers."""
        self._begin(loader)
        for indices in self._queues:
            indices.put(worker.Resume())
        waiting = self._num_workers
        while waiting:
            # batches of a pass that was left early are thrown away
            number, _ = self._receive()
            waiting -= isinstance(number, worker.Resume)
        self._start()

    def _ask(self):
        """Give the next index list to the next worker that still works."""
        try:
            indices = next(self._sampler_iter)
        except StopIteration:
            return
        for i in itertools.islice(self._turn, self._num_workers):
            if self._active[i]:
                self._queues[i].put((self._sent, indices))
                self._tasks[self._sent] = (i,)
                self._sent += 1
                return

    def _receive(self):
        """What the next worker to answer says; RuntimeError where none can, or after ``timeout``."""
        # where there are no processes (in a browser), this module cannot be imported
        from multiprocessing.connection import wait

        waited_for = [self._results._reader, *[process.sentinel for process in self._workers]]
        left = self._timeout or None
        while True:
            ready = wait(waited_for, left)
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            try:
                # a worker that has ended may have answered before
                number, data = self._results.get(timeout=None if self._results._reader in ready else 0.1)
                return number, None if data is None else worker.unpacked(data)
            except queue.Empty:
                failed = [process for process, on in zip(self._workers, self._active) if on and not process.is_alive()]
                if failed:
                    numbers = ", ".join(str(process.pid) for process in failed)
                    self._shutdown_workers()
                    raise RuntimeError(f"DataLoader worker (pid(s) {numbers}) exited unexpectedly") from _end_of(
                        failed[0]
                    )
                # workers that have nothing more to do may end
                alive = [process.sentinel for process in self._workers if process.is_alive()]
                waited_for = [self._results._reader, *alive]

    def _next_data(self):
        while True:
            # batches of workers that came to their end early will never come
            while self._next < self._sent and not self._awaited(self._next):
                self._tasks.pop(self._next, None)
                self._next += 1
            if self._next >= self._sent:
                if not self._persistent:
                    self._shutdown_workers()
                raise StopIteration
            task = self._tasks[self._next]
            if len(task) == 2:
                del self._tasks[self._next]
                self._next += 1
                return self._given(task[1])
            number, batch = self._receive()
            if isinstance(batch, worker.IterableEnded):
                self._tasks.pop(number, None)
                if self._active[batch.worker_id]:
                    self._active[batch.worker_id] = False
                    if not self._persistent:
                        self._queues[batch.worker_id].put(None)
                    self._ask()
            elif number == self._next or not self._in_order:
                del self._tasks[number]
                if number == self._next:
                    self._next += 1
                return self._given(batch)
            else:
                self._tasks[number] += (batch,)

    def _awaited(self, number):
        """Whether a batch is there, or its worker is still at work."""
        task = self._tasks.get(number)
        return task is not None and (len(task) == 2 or self._active[task[0]])

    def _given(self, batch):
        self._ask()
        if isinstance(batch, ExceptionWrapper):
            batch.reraise()
        return batch

    def _shutdown_workers(self, patience=_utils.MP_STATUS_CHECK_INTERVAL):
        """Let the workers end; those that have not after ``patience`` seconds are stopped."""
        # a process that was forked from this one has copies of what is not its own
        if self._shut_down or os.getpid() != self._owner:
            return
        self._shut_down = True
        self._done.set()
        for indices in self._queues:
            indices.put(None)
        end = time.monotonic() + patience
        for process in self._workers:
            process.join(timeout=max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.terminate()
        for indices in self._queues:
            indices.close()
        self._results.close()

    def __del__(self):
        if getattr(self, "_shut_down", True) is False:
            # in a cycle of garbage the queues may be closed already, and the workers hear nothing
            self._shutdown_workers(patience=_PATIENCE_WITH_LOST)
