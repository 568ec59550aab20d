"""Datasets, samplers and loaders."""

import os
import pathlib
import pickle
import subprocess
import sys

import pytest

import rushlight as torch
from rushlight.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    StackDataset,
    TensorDataset,
    default_collate,
    get_worker_info,
    random_split,
)

SOURCE = str(pathlib.Path(torch.__file__).parents[1])


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        if index == 5 and getattr(self, "broken", False):
            raise ValueError("five is broken")
        if index == 5 and getattr(self, "deadly", False):
            os._exit(3)
        return torch.tensor(float(index)), index * index


class Stream(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        return iter(range(5)) if info is None else iter(range(info.id, 5, info.num_workers))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order_whoever_makes_them(workers):
    batches = list(DataLoader(Squares(), batch_size=3, num_workers=workers))
    assert [b[0].tolist() for b in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [b[1].tolist() for b in batches] == [[0, 1, 4], [9, 16, 25], [36]]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_seed_fixes_the_order_and_leaves_the_default_stream_where_it_was(workers):
    def run():
        torch.manual_seed(3)
        order = [b[1].tolist() for b in DataLoader(Squares(), batch_size=4, shuffle=True, num_workers=workers)]
        return order, torch.rand(1).item()

    assert run() == run()
    # as PyTorch 2.13 shuffles ten items after manual_seed(3)
    torch.manual_seed(3)
    loader = DataLoader(TensorDataset(torch.arange(10)), batch_size=3, shuffle=True, num_workers=workers)
    assert [b[0].tolist() for b in loader] == [[6, 2, 0], [1, 8, 3], [5, 4, 7], [9]]


def test_an_error_of_a_worker_names_its_class_and_shows_its_line():
    data = Squares()
    data.broken = True
    with pytest.raises(ValueError, match="(?s)Caught ValueError in DataLoader worker process 1.*five is broken"):
        list(DataLoader(data, batch_size=3, num_workers=2))


def test_a_worker_that_dies_is_missed_at_once():
    data = Squares()
    data.deadly = True
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as caught:
        list(DataLoader(data, batch_size=3, num_workers=1))
    assert "exited unexpectedly with exit code 3. Details are lost" in str(caught.value.__cause__)


class Unsendable(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        class Own(Exception):
            pass

        if self.raising:
            raise Own("of its own class")
        return lambda: index


@pytest.mark.parametrize("raising", [False, True])
def test_what_cannot_travel_is_told_of(raising):
    data = Unsendable()
    data.raising = raising
    said = "of its own class" if raising else "Can't pickle local object"
    with pytest.raises((RuntimeError, AttributeError), match=f"^Caught .* in DataLoader worker process 0(.|\n)*{said}"):
        list(DataLoader(data, num_workers=1, collate_fn=list))


def test_streams_are_shared_out_by_their_own_hand():
    assert sorted(int(x) for b in DataLoader(Stream(), batch_size=2, num_workers=2) for x in b) == [0, 1, 2, 3, 4]
    assert [b.tolist() for b in DataLoader(Stream(), batch_size=2)] == [[0, 1], [2, 3], [4]]


def test_kept_workers_serve_several_passes():
    loader = DataLoader(Squares(), batch_size=4, num_workers=2, persistent_workers=True)
    first = [b[1].tolist() for b in loader]
    assert [b[1].tolist() for b in loader] == first


def test_batches_keep_the_form_of_items():
    batch = default_collate([{"a": 1, "b": [2.0, "x"]}, {"a": 3, "b": [4.0, "y"]}])
    assert batch["a"].tolist() == [1, 3] and list(batch["b"][1]) == ["x", "y"]
    assert batch["b"][0].dtype is torch.float64
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        default_collate([[1], [1, 2]])


def test_splits_are_disjoint_and_whole():
    parts = random_split(Squares(), [0.5, 0.5], generator=torch.Generator().manual_seed(1))
    assert sorted(parts[0].indices + parts[1].indices) == list(range(7))
    with pytest.raises(ValueError, match="Sum of input lengths does not equal the length of the input dataset!"):
        random_split(Squares(), [3, 3])


def test_datasets_stand_one_after_another_and_side_by_side():
    both = Squares() + Squares()
    assert isinstance(both, ConcatDataset) and len(both) == 14 and both[-1][1] == 36
    assert StackDataset(a=Squares(), b=Squares())[2]["b"][1] == 4


def test_samplers_count_what_they_give():
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert len(BatchSampler(range(5), 2, True)) == 2
    assert sorted(RandomSampler(Squares())) == list(range(7))
    assert len(list(RandomSampler(Squares(), replacement=True, num_samples=40))) == 40


SPAWN = """
import torch
from torch.utils.data import DataLoader, TensorDataset

if __name__ == "__main__":
    data = TensorDataset(torch.arange(4))
    print([b[0].tolist() for b in DataLoader(data, batch_size=2, num_workers=1, multiprocessing_context="spawn")])
"""


def test_workers_that_start_afresh_find_torch(tmp_path):
    script = tmp_path / "spawning.py"
    script.write_text(SPAWN)
    command = [sys.executable, "-m", "rushlight", "run", str(script)]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout == "[[0, 1], [2, 3]]\n", done.stderr


def test_exceptions_travel_with_their_traceback():
    from rushlight._utils import ExceptionWrapper

    try:
        {}["no\nkey"]
    except KeyError:
        caught = pickle.loads(pickle.dumps(ExceptionWrapper(where="in a test")))
    with pytest.raises(KeyError, match="(?s)Caught KeyError in a test.\nOriginal Traceback.*KeyError: 'no"):
        caught.reraise()
