"""What torch.utils.data does, refuses and draws; every line is printed, and both libraries must print the same."""

import os
import random
import re
import time
import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import torch
import torch.utils.data as D
from torch.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
    random_split,
)


def plain(text):
    """Without addresses, process numbers, the library's name and its own lines of a traceback."""
    text = re.sub(r"0x[0-9a-f]+|(?<=pid\(s\) )\d+", "N", text).replace("rushlight.", "torch.")
    own = False
    kept = []
    for line in text.split("\n"):
        if line.startswith("  File"):
            own = __file__ not in line
        elif not line.startswith("   "):
            own = False
        if not own:
            kept.append(line)
    return "\n".join(kept)


def show(name, f):
    try:
        print(name, "->", plain(repr(f()))[:300])
    except BaseException as x:
        print(name, "!!", type(x).__name__, plain(str(x))[:1500])


class DS(Dataset):
    def __len__(s):
        return 5

    def __getitem__(s, i):
        if i == 3:
            raise ValueError("bad item")
        return torch.tensor(i)


class It(IterableDataset):
    def __iter__(s):
        return iter(range(5))


class NoLen(Dataset):
    def __getitem__(s, i):
        return i


ds = TensorDataset(torch.arange(10))
show("neg workers", lambda: DataLoader(ds, num_workers=-1))
show("timeout", lambda: DataLoader(ds, timeout=-1))
show("prefetch", lambda: DataLoader(ds, prefetch_factor=2))
show("prefetchneg", lambda: DataLoader(ds, prefetch_factor=-2, num_workers=1))
show("persist", lambda: DataLoader(ds, persistent_workers=True))
show("iter shuffle", lambda: DataLoader(It(), shuffle=True))
show("iter sampler", lambda: DataLoader(It(), sampler=[1]))
show("iter bs", lambda: DataLoader(It(), batch_sampler=[[1]]))
show("sampler shuffle", lambda: DataLoader(ds, shuffle=True, sampler=[1]))
show("bs excl", lambda: DataLoader(ds, batch_size=2, batch_sampler=[[1]]))
show("bs none", lambda: DataLoader(ds, batch_size=None, drop_last=True))
show("bs 0", lambda: DataLoader(ds, batch_size=0))
show("bs f", lambda: DataLoader(ds, batch_size=2.5))
show("setattr", lambda: setattr(DataLoader(ds), "batch_size", 3))
show("mpctx", lambda: DataLoader(ds, multiprocessing_context="fork"))
show("mpctx2", lambda: DataLoader(ds, multiprocessing_context="foo", num_workers=1))
show("mpctx3", lambda: DataLoader(ds, multiprocessing_context=4, num_workers=1))
show("nolen", lambda: len(DataLoader(NoLen())))
show("nolen shuffle", lambda: DataLoader(NoLen(), shuffle=True))
show("len it", lambda: len(DataLoader(It())))
show("collate", lambda: D.default_collate([object()]))
show("collate str", lambda: D.default_collate(["a", "b"]))
show("collate mixed", lambda: D.default_collate([torch.ones(2), torch.ones(3)]))
show("collate seq", lambda: D.default_collate([[1, 2], [1]]))
show("collate np", lambda: D.default_collate([np.ones(2), np.zeros(2)]))
show("collate npstr", lambda: D.default_collate([np.array(["a"])]))
show("collate npf", lambda: D.default_collate([np.float32(2)]))
P = namedtuple("P", "a b")
show("collate nt", lambda: D.default_collate([P(1, 2.0), P(3, 4.0)]))
show("collate od", lambda: D.default_collate([OrderedDict(a=1), OrderedDict(a=2)]))
show("collate bytes", lambda: D.default_collate([b"a"]))
show("collate bool", lambda: D.default_collate([True, False]))
show("collate none", lambda: D.default_collate([None]))
show("collate range", lambda: D.default_collate([range(2), range(2)]))
show("collate tuple", lambda: D.default_collate([(1, 2), (3, 4)]))
show("collate complex", lambda: D.default_collate([1j]))
show("convert", lambda: D.default_convert({"a": np.ones(2), "b": [1, np.float64(2)], "c": P(1, 2), "d": "x"}))
show("td", lambda: TensorDataset(torch.ones(2), torch.ones(3)))
show("sd", lambda: StackDataset(ds, DS()))
show("sd0", lambda: StackDataset())
show("sd1", lambda: StackDataset(torch.ones(3)))
show("sd2", lambda: StackDataset(ds, a=ds))
show("sdk", lambda: StackDataset(a=ds, b=ds)[2])
show("sdget", lambda: StackDataset(a=ds, b=ds).__getitems__([1, 2]))
show("concat0", lambda: ConcatDataset([]))
show("concat it", lambda: ConcatDataset([It()]))
show("concat idx", lambda: ConcatDataset([ds, ds])[-21])
show("concat idx2", lambda: ConcatDataset([ds, ds])[-1])
show("chain", lambda: list(ChainDataset([It(), It()])))
show("chain2", lambda: list(ChainDataset([ds])))
show("chainlen", lambda: len(ChainDataset([It()])))
show("split", lambda: random_split(ds, [3, 3]))
show("split frac", lambda: [len(x) for x in random_split(ds, [0.33, 0.33, 0.34])])
show("split frac bad", lambda: random_split(ds, [0.5, 0.6]))
show("split zero", lambda: random_split(ds, [0.01, 0.99]))
show("rs", lambda: RandomSampler(ds, replacement=1))
show("rs2", lambda: RandomSampler(ds, num_samples=0))
show(
    "rs3",
    lambda: list(
        RandomSampler(
            [],
        )
    ),
)
show("ws", lambda: WeightedRandomSampler([1.0, 2.0], num_samples=-1))
show("ws2", lambda: WeightedRandomSampler([[1.0, 2.0]], num_samples=1))
show("ws3", lambda: WeightedRandomSampler([1.0, 2.0], num_samples=1, replacement=1))
show("bs1", lambda: BatchSampler([1], 0, False))
show("bs2", lambda: BatchSampler([1], True, False))
show("bs3", lambda: BatchSampler([1], 2, 1))
show("notimpl", lambda: Dataset()[0])
show("lenD", lambda: len(Dataset()))
show("add", lambda: len(ds + ds))
show("single err", lambda: list(DataLoader(DS(), batch_size=2)))
show("worker err", lambda: list(DataLoader(DS(), batch_size=2, num_workers=1)))


class Die(Dataset):
    def __len__(s):
        return 5

    def __getitem__(s, i):
        os._exit(3)


show("die", lambda: list(DataLoader(Die(), num_workers=1)))


class Kill(Dataset):
    def __len__(s):
        return 5

    def __getitem__(s, i):
        os.kill(os.getpid(), 9)


show("kill", lambda: list(DataLoader(Kill(), num_workers=1)))


class Slow(Dataset):
    def __len__(s):
        return 5

    def __getitem__(s, i):
        time.sleep(3)
        return i


show("timeoutw", lambda: list(DataLoader(Slow(), num_workers=1, timeout=0.5)))


class KE(Dataset):
    def __len__(s):
        return 5

    def __getitem__(s, i):
        return {}["k"]


show("keyerr", lambda: list(DataLoader(KE(), num_workers=1)))


class SeedDS(Dataset):
    def __len__(s):
        return 4

    def __getitem__(s, i):
        w = get_worker_info()
        return torch.tensor(
            [
                w.id,
                w.seed % 10**9,
                torch.initial_seed() % 10**9,
                random.randint(0, 10**6),
                int(np.random.randint(10**6)),
                int(torch.randint(10**6, ())),
            ]
        )


torch.manual_seed(3)
show("seeds", lambda: [x.tolist() for x in DataLoader(SeedDS(), num_workers=2)])
torch.manual_seed(3)
show("shuffle", lambda: [x[0].tolist() for x in DataLoader(ds, batch_size=3, shuffle=True)] + [torch.rand(1).item()])
torch.manual_seed(3)
show(
    "shuffle w",
    lambda: [x[0].tolist() for x in DataLoader(ds, batch_size=3, shuffle=True, num_workers=2)] + [torch.rand(1).item()],
)
show(
    "gen",
    lambda: [
        x[0].tolist() for x in DataLoader(ds, batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(1))
    ],
)
torch.manual_seed(5)
show("repl", lambda: list(RandomSampler(ds, replacement=True, num_samples=40)))
show("num", lambda: list(RandomSampler(ds, num_samples=25)))
show("wrs", lambda: list(WeightedRandomSampler([0.1, 0.5, 0.4], 8)))
show("srs", lambda: list(SubsetRandomSampler([3, 4, 5, 6])))
show("split", lambda: [list(s.indices) for s in random_split(ds, [3, 7])])
show("dsamp", lambda: [list(DistributedSampler(ds, num_replicas=3, rank=r, seed=2)) for r in range(3)])
show("dsamp2", lambda: list(DistributedSampler(ds, num_replicas=3, rank=3)))
show(
    "dsamp3",
    lambda: [list(DistributedSampler(ds, num_replicas=3, rank=r, shuffle=False, drop_last=True)) for r in range(3)],
)
show("info", lambda: get_worker_info())
show("repr", lambda: str(Subset(ds, [1]).__getitems__([0])))


class ItW(IterableDataset):
    def __iter__(s):
        i = get_worker_info()
        return iter(range(i.id, 7, i.num_workers))

    def __len__(s):
        return 3


with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter("always")
    show("itw", lambda: [x.tolist() for x in DataLoader(ItW(), num_workers=2, batch_size=2)])
    print([str(x.message)[:700] for x in w])
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter("always")
    show("manyw", lambda: DataLoader(ds, num_workers=9) and 1)
    print([str(x.message)[:700] for x in w])
show("it drop", lambda: [x.tolist() for x in DataLoader(It(), batch_size=2, drop_last=True)])
show("bs none", lambda: list(DataLoader(ds, batch_size=None)))
show(
    "info repr",
    lambda: [
        x
        for x in DataLoader(
            type("X", (Dataset,), {"__len__": lambda s: 1, "__getitem__": lambda s, i: str(get_worker_info())[:60]})(),
            num_workers=1,
            batch_size=None,
            multiprocessing_context="fork",
        )
    ],
)
dl = DataLoader(SeedDS(), num_workers=2, persistent_workers=True)
torch.manual_seed(1)
show("pers", lambda: [[x.tolist()[0][:3] for x in dl] for _ in range(2)])
show(
    "pin",
    lambda: (
        DataLoader(ds, pin_memory=True)
        and [x for x in DataLoader(ds, pin_memory=True, batch_size=10)][0][0].is_pinned()
    ),
)
show("winit", lambda: list(DataLoader(ds, num_workers=1, worker_init_fn=lambda i: 1 / 0)))
show("attrs", lambda: {k: v for k, v in vars(DataLoader(ds, batch_size=2)).items() if not k.startswith("_")}.keys())
show(
    "smp",
    lambda: (
        type(DataLoader(ds).sampler).__name__,
        type(DataLoader(ds, batch_size=None).sampler).__name__,
        type(DataLoader(It()).sampler).__name__,
        DataLoader(ds).batch_sampler.batch_size,
    ),
)
