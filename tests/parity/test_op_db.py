"""PyTorch's operator database, entry by entry: what agrees must agree, what is listed as a gap must still be one."""

import pytest
import torch

import rushlight
from tests.parity import known_gaps
from tests.parity.harness import report, scope
from tests.parity.harness.checks import Checker

ENTRIES = {scope.entry_id(op): op for op in scope.entries()}
GAPS, SHARE, WITHOUT = known_gaps.read()


@pytest.fixture(scope="module")
def checker():
    return Checker(rushlight)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_agrees_except_for_its_known_gaps(entry, checker):
    row = checker.run(ENTRIES[entry])
    known = set(GAPS.get(entry, ((), ""))[0])
    found = set(row.gaps(WITHOUT))
    new = sorted(found - known)
    assert not new, f"{entry} does not agree in {', '.join(new)}:\n{report.details(row)}"
    fixed = sorted(known - found)
    assert not fixed, f"{entry} agrees in {', '.join(fixed)} now: remove that from tests/parity/known_gaps.toml"


def test_gaps_are_listed_for_entries_in_scope_with_columns_and_a_reason():
    for entry, (columns, reason) in GAPS.items():
        assert entry in ENTRIES, f"{entry} is not an entry in scope"
        assert columns
        assert set(columns) <= set(report.COUNTED), columns
        assert len(reason) > 10, f"{entry} needs a reason"


def test_what_is_listed_as_not_there_is_not_there(checker):
    """A whole column may be missing (forward mode); as soon as it is there, it counts."""
    assert set(WITHOUT) <= {"forward"}
    assert ("forward" in WITHOUT) == (not checker.has_forward)


def test_share_of_entries_that_agree_is_at_least_the_recorded_one():
    # every gap is asserted above, so the list is the truth about the share
    assert 1 - len(GAPS) / len(ENTRIES) >= SHARE - 1e-4


def test_the_harness_agrees_with_itself():
    """PyTorch against PyTorch: a difference here is a fault of the harness."""
    checker = Checker(torch)
    for entry in (
        "sin",
        "div[floor_rounding]",
        "linalg.svd",
        "__getitem__",
        "nn.functional.dropout",
        "index_reduce[mean]",
    ):
        row = checker.run(ENTRIES[entry])
        assert not row.gaps(), report.details(row)
        assert row.status("value") == "agree"


@pytest.mark.parametrize(
    ("name", "fault", "column"),
    [
        ("sin", lambda x: torch.sin(x) + 1e-6, "value"),
        ("sin", lambda x: torch.sin(x).to(torch.complex128), "dtype"),
        ("sin", lambda x: torch.sin(x).unsqueeze(0), "shape"),
        ("sin", lambda x: torch.sin(x).detach(), "requires_grad"),
        ("sin", lambda x: torch.sin(x.detach()) + 0 * x, "grad"),
        ("sin", lambda x: torch.sin(x), "out"),
    ],
)
def test_the_harness_sees_a_fault(name, fault, column):
    """A wrong value, dtype, shape, flag, gradient, or a missing `out` must show in its column."""
    checker = Checker(torch)
    checker.ours.operator = lambda op: fault
    row = checker.run(ENTRIES[name])
    assert row.status(column) in ("disagree", "absent"), report.table([row])
