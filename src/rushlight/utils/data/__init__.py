"""``torch.utils.data``: datasets, samplers, and the loader that makes batches of them."""

from .dataloader import DataLoader, _DatasetKind, default_collate, default_convert, get_worker_info
from .dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .distributed import DistributedSampler
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "_DatasetKind",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]


def __getattr__(name):
    if name in ("IterDataPipe", "MapDataPipe", "DFIterDataPipe", "DataChunk", "datapipes", "functional_datapipe"):
        raise AttributeError(
            f"rushlight has no data pipes ({name}): PyTorch has given them up; a Dataset or an IterableDataset does their work"
        )
    from ...missing import explain

    raise AttributeError(explain("torch.utils.data", name))
