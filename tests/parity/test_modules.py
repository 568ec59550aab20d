"""PyTorch's module database, entry by entry: what agrees must agree, what is listed as a gap must still be one."""

import pathlib
import tomllib

import pytest
import torch
from torch.testing._internal.common_modules import module_db

from tests.parity import modules_older
from tests.parity.modules_harness import ASPECTS, Entry

ENTRIES = {info.name: info for info in module_db}
OLDER = modules_older.entries()
GAPS = tomllib.loads(pathlib.Path(__file__).with_name("modules_gaps.toml").read_text())


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_agrees_except_for_its_known_gaps(name):
    entry = Entry(ENTRIES[name]).run()
    assert entry.runs > 0
    known, found = set(GAPS.get(name, {}).get("aspects", ())), set(entry.notes)
    new = "\n".join(f"{aspect}: {note}" for aspect in sorted(found - known) for note in entry.notes[aspect])
    assert not new, f"{name} does not agree:\n{new}"
    assert not known - found, f"{name} agrees in {sorted(known - found)} now: remove that from modules_gaps.toml"


@pytest.mark.parametrize("name", OLDER)
def test_older_entry_agrees(name):
    entry = modules_older.OlderEntry(OLDER[name]).run()
    assert entry.runs == 2
    if OLDER[name].description.get("has_sparse_gradients"):
        assert "rushlight has no sparse tensors" in entry.notes["forward"][0]
    else:
        assert entry.notes == {}


def test_gaps_are_listed_for_entries_with_aspects_and_a_reason():
    for name, gap in GAPS.items():
        assert name in ENTRIES
        assert gap["aspects"]
        assert set(gap["aspects"]) <= set(ASPECTS)
        assert len(gap["reason"]) > 10


def test_at_least_97_percent_of_the_entries_agree_in_everything():
    # every gap is asserted above, so the list is the truth about the share
    assert 1 - len(GAPS) / len(ENTRIES) >= 0.97


@pytest.mark.parametrize("name", ["nn.Linear", "nn.BatchNorm2d", "nn.LazyConv1d", "nn.GRU", "nn.TransformerEncoder"])
def test_the_harness_agrees_with_itself(name):
    """PyTorch against PyTorch: a difference here is a fault of the harness."""
    assert Entry(ENTRIES[name], torch).run().notes == {}


def test_the_harness_sees_a_difference(monkeypatch):
    """A layer that draws other weights, prints other settings, or returns another result is found out."""
    from rushlight import nn

    monkeypatch.setattr(nn.Linear, "forward", lambda self, input: nn.functional.linear(input, self.weight) * 1.001)
    monkeypatch.setattr(nn.Linear, "extra_repr", lambda self: "")
    notes = Entry(ENTRIES["nn.Linear"]).run().notes
    assert {"text", "forward", "nodes", "gradients"} <= set(notes)
