"""Passes over loaders with workers, kept and not; both libraries must print the same."""

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info


class SeedDS(Dataset):
    def __len__(s):
        return 6

    def __getitem__(s, i):
        return torch.tensor([i, int(torch.randint(10**6, ()))])


class It(IterableDataset):
    def __init__(s, n):
        s.n = n

    def __iter__(s):
        i = get_worker_info()
        return iter(range(s.n)) if i is None else iter(range(i.id * 10, i.id * 10 + (3 if i.id else 7)))


if __name__ == "__main__":
    torch.manual_seed(1)
    dl = DataLoader(SeedDS(), num_workers=2, persistent_workers=True, shuffle=True, batch_size=2)
    for _ in range(3):
        print([b.tolist() for b in dl], torch.rand(1).item())
    it = iter(dl)
    print(next(it).tolist())
    it = iter(dl)
    print([b.tolist() for b in it])
    print([b.tolist() for b in DataLoader(It(5), num_workers=2, batch_size=2)])
    print([b.tolist() for b in DataLoader(It(5), num_workers=3, batch_size=2, drop_last=True, prefetch_factor=1)])
    print(sorted(tuple(b.tolist()) for b in DataLoader(It(5), num_workers=2, batch_size=2, in_order=False)))
    dl = DataLoader(It(5), num_workers=2, persistent_workers=True, batch_size=None)
    for _ in range(2):
        print([b for b in dl])
    torch.manual_seed(1)
    print([b.tolist() for b in DataLoader(SeedDS(), num_workers=1, multiprocessing_context="spawn", batch_size=3)])
    print(len(DataLoader(SeedDS(), batch_size=4)), len(DataLoader(SeedDS(), batch_size=4, drop_last=True)))
    for _ in range(2):
        for b in DataLoader(
            TensorDataset(torch.randn(10, 3), torch.arange(10)), batch_size=4, shuffle=True, num_workers=2
        ):
            print(b[1].tolist(), round(b[0].sum().item(), 4))
