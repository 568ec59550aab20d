"""The entries of PyTorch's operator database that do not agree yet, read from `known_gaps.toml`.

The file names the columns that are not there as a whole (`without`: forward mode, until it comes), and, for each entry, the columns in which it does not agree and the reason. `test_op_db.py` asserts that
each is still a gap, so the list can only be true.
`python -m tests.parity.known_gaps RESULTS.json` rewrites it from a run
of the harness (`python -m tests.parity.harness --json RESULTS.json`) and keeps the reasons that are there.
"""

import json
import pathlib
import sys
import tomllib

from tests.parity.harness.report import COUNTED

PATH = pathlib.Path(__file__).with_name("known_gaps.toml")
NO_REASON = "not looked into yet"


def read(path=PATH):
    """{entry: (columns, reason)}, the recorded share of entries that agree, and the columns that are not there at all."""
    if not path.exists():
        return {}, 0.0, ()
    data = tomllib.loads(path.read_text())
    gaps = {e: (tuple(g["columns"]), g["reason"]) for e, g in data["gaps"].items()}
    return gaps, data["share"], tuple(data["without"])


def write(rows, old, path=PATH):
    """Write the gaps of all rows (`report.Row`); reasons come from `old`, else from the first note of the row."""
    # a column in which nothing agrees and nothing disagrees is not there
    statuses = {c: {r.status(c) for r in rows} for c in COUNTED}
    without = [c for c, found in statuses.items() if "absent" in found and not found & {"agree", "disagree"}]
    gaps = {r.entry: r.gaps(without) for r in rows if r.gaps(without)}
    share = 1 - len(gaps) / len(rows)
    lines = [
        "# Entries of PyTorch's operator database that do not agree yet; see known_gaps.py for how this is kept true.",
        f"# {len(rows) - len(gaps)} of {len(rows)} entries in scope agree in everything that is asked of them.",
        f"share = {share:.4f}",
        f"without = {json.dumps(without)}",
        "",
        "[gaps]",
    ]
    for row in rows:
        if row.entry in gaps:
            reason = old[row.entry][1] if row.entry in old else NO_REASON
            if reason == NO_REASON:
                reason = _first_note(row, gaps[row.entry])
            columns = ", ".join(json.dumps(c) for c in gaps[row.entry])
            lines.append(f"{json.dumps(row.entry)} = {{ columns = [{columns}], reason = {json.dumps(reason)} }}")
    path.write_text("\n".join(lines) + "\n")


def _first_note(row, columns):
    for column in columns:
        for note in row.cells[column].notes:
            return f"{column}: {note}"[:200]
    return NO_REASON


if __name__ == "__main__":
    from tests.parity.harness import report

    write(report.from_json(sys.argv[1]), read()[0])
