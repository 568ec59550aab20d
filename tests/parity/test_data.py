"""Datasets, samplers and loaders beside PyTorch's: orders, batches, seeds of workers, errors and warnings."""

import collections
import random
import re
import warnings

import numpy as np
import pytest

theirs = pytest.importorskip("torch", reason="compares with the real PyTorch; `make parity` installs it")

import torch.utils.data.distributed  # noqa: E402, F401

import rushlight as ours  # noqa: E402
import rushlight.utils.data.distributed  # noqa: E402, F401

WORKERS = pytest.mark.parametrize("workers", [0, 2])
Point = collections.namedtuple("Point", "x y")


class Mapping(dict):
    pass


def plain(value):
    """What a result is, without the library it came from."""
    if hasattr(value, "requires_grad"):
        return str(value.dtype), tuple(value.shape), value.tolist(), value.requires_grad
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(each) for each in value]
    return value if isinstance(value, (int, float, str, bytes, type(None))) else repr(value)


def said_by(torch, scene):
    """The outcome of a scene: its result or error, the warnings, and the random draw that follows."""
    torch.manual_seed(3)
    random.seed(1)
    np.random.seed(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = plain(scene(torch, torch.utils.data))
        except Exception as error:
            # of a worker's traceback the first and the last line; those between are the library's own
            lines = re.sub(r"0x[0-9a-f]+", "0x", str(error)).split("\n")
            outcome = type(error).__name__, lines if len(lines) < 4 else (lines[0], lines[-1])
    told = [(each.category.__name__, str(each.message)) for each in caught]
    return outcome, told, torch.rand(1).item()


def agree(scene):
    assert said_by(ours, scene) == said_by(theirs, scene)


def whole(batches):
    """All batches; the workers are let go at once, where an error would keep the iterator (and PyTorch's wait for them) for later."""
    try:
        return list(batches)
    finally:
        getattr(batches, "_shutdown_workers", int)()


def numbers(torch, data):
    return data.TensorDataset(torch.arange(20.0).reshape(10, 2), torch.arange(10))


def stream(data, count, announced=None):
    class Stream(data.IterableDataset):
        def __iter__(self):
            info = data.get_worker_info()
            return iter(range(count) if info is None else range(info.id, count, info.num_workers))

        if announced is not None:

            def __len__(self):
                return announced

        def __repr__(self):
            return "Stream"

    return Stream()


def seeds(torch, data):
    class Seeds(data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            info = data.get_worker_info()
            shown = (info.id, info.num_workers, info.seed) if info else None
            drawn = (random.random(), np.random.rand(), torch.rand(1).item())
            return index, drawn, torch.initial_seed(), shown and shown[:2], shown and shown[2] % 1000003

    return Seeds()


@WORKERS
@pytest.mark.parametrize(
    "options",
    [
        dict(batch_size=3, shuffle=True),
        dict(batch_size=4, drop_last=True),
        dict(batch_sampler=[[0, 1], [5]]),
        dict(batch_size=None),
        dict(sampler=[3, 1, 4]),
        dict(batch_size=5, collate_fn=len),
    ],
    ids=str,
)
def test_batches(options, workers):
    agree(lambda torch, data: list(data.DataLoader(numbers(torch, data), num_workers=workers, **options)))


@WORKERS
def test_a_generator_of_its_own(workers):
    def scene(torch, data):
        generator = torch.Generator().manual_seed(5)
        loader = data.DataLoader(numbers(torch, data), 4, True, generator=generator, num_workers=workers)
        return [list(loader), list(loader), torch.rand(1, generator=generator)]

    agree(scene)


@pytest.mark.parametrize("init", [False, True])
def test_seeds_of_workers(init):
    def scene(torch, data):
        function = (lambda number: torch.manual_seed(number + 100)) if init else None
        loader = data.DataLoader(seeds(torch, data), 2, num_workers=2, worker_init_fn=function, collate_fn=list)
        return list(loader)

    agree(scene)


@WORKERS
@pytest.mark.parametrize(
    "options", [dict(batch_size=2), dict(batch_size=2, drop_last=True), dict(batch_size=None)], ids=str
)
def test_streams(options, workers):
    agree(lambda torch, data: list(data.DataLoader(stream(data, 7), num_workers=workers, **options)))


@WORKERS
def test_streams_longer_than_they_say(workers):
    def scene(torch, data):
        loader = data.DataLoader(stream(data, 7, announced=4), batch_size=2, num_workers=workers)
        return [len(loader), list(loader)]

    agree(scene)


class Two(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


@WORKERS
@pytest.mark.parametrize(
    "error", [ValueError("bad"), KeyError("k"), IndexError("i"), Two(1, 2), FileNotFoundError(2, "no", "f")], ids=repr
)
def test_errors_of_items(error, workers):
    def scene(torch, data):
        class Bad(data.Dataset):
            def __len__(self):
                return 4

            def __getitem__(self, index):
                if index == 2:
                    raise error
                return index

        return whole(iter(data.DataLoader(Bad(), 2, num_workers=workers)))

    agree(scene)


@WORKERS
def test_several_passes(workers):
    def scene(torch, data):
        kept = dict(persistent_workers=True) if workers else {}
        loader = data.DataLoader(numbers(torch, data), 4, True, num_workers=workers, **kept)
        passes = [[batch[1] for batch in loader] for _ in range(3)]
        next(iter(loader))  # left early
        return [passes, [batch[1] for batch in loader], len(loader)]

    agree(scene)


@pytest.mark.parametrize(
    "options",
    [
        dict(batch_size=0),
        dict(batch_size=2.5),
        dict(num_workers=-1),
        dict(timeout=-1),
        dict(prefetch_factor=2),
        dict(persistent_workers=True),
        dict(shuffle=True, sampler=[1]),
        dict(batch_sampler=[[1]], batch_size=2),
        dict(batch_size=None, drop_last=True),
        dict(multiprocessing_context="fork"),
        dict(num_workers=1, multiprocessing_context="x"),
        dict(num_workers=1, multiprocessing_context=3),
        dict(num_workers=1, prefetch_factor=-1),
        dict(num_workers=50),
        dict(pin_memory=True),
    ],
    ids=str,
)
def test_options_that_exclude_each_other(options):
    agree(lambda torch, data: len(data.DataLoader(numbers(torch, data), **options)))
    agree(lambda torch, data: data.DataLoader(stream(data, 3), **options) and None)


@pytest.mark.parametrize("name", ["batch_size", "sampler", "dataset", "drop_last", "num_workers"])
def test_what_cannot_be_changed(name):
    agree(lambda torch, data: setattr(data.DataLoader(numbers(torch, data)), name, 3))


ITEMS = [
    *(
        [1, 2],
        [1.5, 2],
        ["a", "b"],
        [b"a", b"b"],
        [True, False],
        [1, 2.5],
        [2**40, 1],
        [1j, 2j],
        [None, None],
        [[], []],
    ),
    *([np.float32(1), np.float32(2)], [np.ones(2), np.ones(2)], [np.int64(3), np.int64(4)], [np.array("a")] * 2),
    *([{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}], [(1, "a"), (2, "b")], [Point(1, 2.0), Point(3, 4.0)]),
    *([[1, 2], [3]], [(1,), (2, 3)], [{1, 2}, {3}], [range(2), range(2)], [np.bool_(True), np.bool_(False)]),
    *([Mapping(a=1), Mapping(a=2)], [collections.OrderedDict(a=1)] * 2, [np.datetime64("2020-01-01")]),
]


@pytest.mark.parametrize("items", ITEMS, ids=repr)
def test_collating(items):
    agree(lambda torch, data: data.default_collate(items))
    agree(lambda torch, data: data.default_convert(items[0]))


@pytest.mark.parametrize(
    "lengths", [[3, 7], [0.5, 0.5], [0.3, 0.3, 0.4], [3, 3], [0.999, 0.001], [1.5, -0.5], [0.5, 0.6]], ids=str
)
def test_splits(lengths):
    agree(lambda torch, data: [list(part.indices) for part in data.random_split(range(10), lengths)])


SCENES = {
    "concat": lambda torch, d: [d.ConcatDataset([range(3), range(5)])[i] for i in (0, 3, 7, -1)],
    "concat too far": lambda torch, d: d.ConcatDataset([range(3)])[-9],
    "concat of none": lambda torch, d: d.ConcatDataset([]),
    "concat of streams": lambda torch, d: d.ConcatDataset([stream(d, 2)]),
    "chain": lambda torch, d: list(stream(d, 2) + stream(d, 3)),
    "sum": lambda torch, d: (numbers(torch, d) + numbers(torch, d))[15],
    "sizes": lambda torch, d: d.TensorDataset(torch.ones(2), torch.ones(3)),
    "stack": lambda torch, d: (d.StackDataset(range(3), range(3))[1], d.StackDataset(a=range(3)).__getitems__([0, 2])),
    "stack of two lengths": lambda torch, d: d.StackDataset(range(2), range(3)),
    "stack of none": lambda torch, d: d.StackDataset(),
    "stack both ways": lambda torch, d: d.StackDataset(range(2), a=range(2)),
    "subset": lambda torch, d: d.Subset(numbers(torch, d), [1, 2])[[0, 1]],
    "no items": lambda torch, d: d.Dataset()[0],
    "no length": lambda torch, d: len(d.DataLoader(stream(d, 3))),
    "empty": lambda torch, d: d.DataLoader([], shuffle=True),
    "random": lambda torch, d: list(d.RandomSampler(range(5), num_samples=12)),
    "replacement": lambda torch, d: list(d.RandomSampler(range(5), True, num_samples=70)),
    "subset random": lambda torch, d: list(d.SubsetRandomSampler([4, 6, 8])),
    "weighted": lambda torch, d: list(d.WeightedRandomSampler([0.1, 0.9, 0.3], 6)),
    "weighted once": lambda torch, d: list(d.WeightedRandomSampler([0.1, 0.9, 0.3], 2, replacement=False)),
    "batches": lambda torch, d: [list(d.BatchSampler(range(5), 2, drop)) for drop in (True, False)],
    "random of none": lambda torch, d: d.RandomSampler([]),
    "random, wrong": lambda torch, d: d.RandomSampler([1], replacement=1),
    "weights in two dimensions": lambda torch, d: d.WeightedRandomSampler([[1.0]], 2),
    "batches of none": lambda torch, d: d.BatchSampler([1], 0, False),
    "shared out": lambda torch, d: [list(d.distributed.DistributedSampler(range(10), 3, r)) for r in range(3)],
    "shared out evenly": lambda torch, d: list(
        d.distributed.DistributedSampler(range(10), 3, 1, drop_last=True, seed=4)
    ),
    "more than there is": lambda torch, d: [list(d.distributed.DistributedSampler(range(2), 5, r)) for r in range(5)],
    "wrong rank": lambda torch, d: d.distributed.DistributedSampler(range(3), 2, 5),
    "generic": lambda torch, d: [d.Dataset[int], d.DataLoader[int], d.IterableDataset[int], d.Sampler[int]],
    "abstract": lambda torch, d: d.IterableDataset(),
    "modules": lambda torch, d: [d.DataLoader.__module__, d.TensorDataset.__module__, d.RandomSampler.__module__],
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_scenes(scene):
    agree(scene)
