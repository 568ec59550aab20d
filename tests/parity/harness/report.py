"""Counters of what agreed, and how they are shown."""

import dataclasses
import json

# The order of the columns. `forward` comes when forward mode does; `grad_fn` and `alias` are told, not asked for.
COLUMNS = (
    "value",
    "dtype",
    "shape",
    "requires_grad",
    "method",
    "aliases",
    "grad",
    "gradgrad",
    "forward",
    "inplace",
    "out",
    "errors",
    "error_texts",
    "memory",
    "grad_fn",
)
INFORMATIONAL = ("memory", "grad_fn")
COUNTED = tuple(c for c in COLUMNS if c not in INFORMATIONAL)


@dataclasses.dataclass
class Cell:
    """One column of one entry: how many comparisons agreed, disagreed, or met something that is not there."""

    agree: int = 0
    disagree: int = 0
    absent: int = 0
    notes: list = dataclasses.field(default_factory=list)

    @property
    def status(self):
        if self.disagree:
            return "disagree"
        if self.absent:
            return "absent"
        return "agree" if self.agree else "none"


class Row:
    """All columns of one entry. `good`, `bad` and `missing` count; `bad` and `missing` take a sentence."""

    def __init__(self, entry, family, most_notes=6):
        self.entry = entry
        self.family = family
        self.cells = {}
        self.seconds = 0.0
        self._most_notes = most_notes

    def _cell(self, column):
        return self.cells.setdefault(column, Cell())

    def good(self, column):
        self._cell(column).agree += 1

    def bad(self, column, note):
        cell = self._cell(column)
        cell.disagree += 1
        note = note.replace("\n", "\\n")
        if len(cell.notes) < self._most_notes and note not in cell.notes:
            cell.notes.append(note)

    def missing(self, column, note):
        cell = self._cell(column)
        cell.absent += 1
        note = note.replace("\n", "\\n")
        if len(cell.notes) < self._most_notes and note not in cell.notes:
            cell.notes.append(note)

    def judge(self, column, sentence, where):
        """Count one comparison: `sentence` is None when it agreed."""
        if sentence is None:
            self.good(column)
        else:
            self.bad(column, f"{where}: {sentence}")

    def status(self, column):
        cell = self.cells.get(column)
        return cell.status if cell else "none"

    def gaps(self, but=()):
        """The counted columns that do not agree (`but` leaves some out)."""
        return [c for c in COUNTED if c not in but and self.status(c) in ("disagree", "absent")]

    def as_dict(self):
        return {
            "entry": self.entry,
            "family": self.family,
            "seconds": round(self.seconds, 3),
            "columns": {
                c: {"status": cell.status, "agree": cell.agree, "disagree": cell.disagree, "absent": cell.absent}
                | ({"notes": cell.notes} if cell.notes else {})
                for c, cell in self.cells.items()
            },
        }

    @classmethod
    def from_dict(cls, data):
        row = cls(data["entry"], data["family"])
        row.seconds = data["seconds"]
        for column, cell in data["columns"].items():
            row.cells[column] = Cell(cell["agree"], cell["disagree"], cell["absent"], cell.get("notes", []))
        return row


_MARK = {"agree": "+", "disagree": "X", "absent": "-", "none": "."}


def table(rows):
    """One line for each entry: + agrees, X disagrees, - is absent, . is not asked of it."""
    width = max([len(r.entry) for r in rows] + [5])
    lines = [f"{'entry':<{width}} " + " ".join(f"{c[:7]:>7}" for c in COLUMNS)]
    for row in rows:
        lines.append(f"{row.entry:<{width}} " + " ".join(f"{_MARK[row.status(c)]:>7}" for c in COLUMNS))
    return "\n".join(lines)


def details(row, most=3):
    """The first failures of an entry, a line each."""
    lines = []
    for column in COLUMNS:
        cell = row.cells.get(column)
        if cell and cell.notes:
            counts = f"{cell.disagree} disagree, {cell.absent} absent, {cell.agree} agree"
            lines.append(f"  {row.entry} | {column} ({counts})")
            if column == "error_texts" and cell.notes == row.cells["errors"].notes:
                lines.append("      the same as for errors")
                continue
            lines += [f"      {note}" for note in cell.notes[:most]]
    return "\n".join(lines)


def summary(rows):
    """How many entries agree, column by column, and in all counted columns."""
    lines = [f"{'column':<14} {'asked':>6} {'agree':>6} {'disagree':>9} {'absent':>7} {'share':>7}"]
    for column in COLUMNS:
        tally = {s: sum(r.status(column) == s for r in rows) for s in ("agree", "disagree", "absent")}
        asked = sum(tally.values())
        share = f"{100 * tally['agree'] / asked:6.1f}%" if asked else "      -"
        note = " (told, not counted)" if column in INFORMATIONAL else ""
        lines.append(
            f"{column:<14} {asked:>6} {tally['agree']:>6} {tally['disagree']:>9} {tally['absent']:>7} {share}{note}"
        )
    for label, but in (("all but forward", ("forward",)), ("all", ())):
        whole = sum(not r.gaps(but) for r in rows)
        lines.append(f"entries that agree in {label}: {whole} of {len(rows)} ({100 * whole / max(len(rows), 1):.1f} %)")
    return "\n".join(lines)


def to_json(rows, path):
    with open(path, "w") as file:
        json.dump([r.as_dict() for r in rows], file, indent=1)


def from_json(path):
    with open(path) as file:
        return [Row.from_dict(d) for d in json.load(file)]
