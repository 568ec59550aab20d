"""Write `docs/coverage.md`: every public name of PyTorch's tensor modules, and whether rushlight has it.

    python -m tests.parity.harness --json parity.json   # the comparison with PyTorch (needs PyTorch, minutes)
    python tools/coverage.py parity.json                # the page (needs neither)

Three sources: the names of PyTorch (`src/rushlight/data/torch_names.txt`), what `import rushlight` and its operator table
hold, and the result of the comparison on PyTorch's operator database.
"""

import argparse
import datetime
import importlib
import pathlib
import sys
import textwrap
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import rushlight  # noqa: E402
from rushlight import absent, dtypes, missing  # noqa: E402
from tests.parity.harness import report  # noqa: E402
from tests.parity.known_gaps import read as read_gaps  # noqa: E402

PAGE = ROOT / "docs" / "coverage.md"
MODULES = ("torch", "torch.Tensor", "torch.nn.functional", "torch.linalg", "torch.fft", "torch.special")

# What each column of the comparison asks.
QUESTIONS = {
    "value": "values, on PyTorch's sample inputs",
    "dtype": "dtype of the result",
    "shape": "shape of the result",
    "requires_grad": "whether the result requires grad",
    "method": "method and operator forms",
    "aliases": "other names of the same operator",
    "grad": "gradients",
    "gradgrad": "gradients of gradients",
    "forward": "forward tangents",
    "inplace": "in-place forms, and the gradients through them",
    "out": "`out=`: given memory, resizing, refusals",
    "errors": "the database's error inputs: type, and its pattern for the text",
    "error_texts": "the same, whole text",
    "memory": "result shares memory with an input where PyTorch's does",
    "grad_fn": "name of the result's `grad_fn`",
}


def holder(module):
    """Our module or class for one of PyTorch's names, or None."""
    if module == "torch":
        return rushlight
    if module == "torch.Tensor":
        return rushlight.Tensor
    try:
        return importlib.import_module(module.replace("torch", "rushlight", 1))
    except ImportError:
        return None


def entries_by_name(rows):
    """Public dotted name -> rows of the database that speak of it."""
    index = {}
    for row in rows:
        index.setdefault(row.entry.split("[")[0], []).append(row)
    return index


def rows_for(module, name, index):
    """The rows that speak of `module.name`; a method and an in-place form are spoken of by the operator's row."""
    if module == "torch.Tensor":
        plain = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        return index.get(name) or index.get(plain) or []
    prefix = module.removeprefix("torch").lstrip(".")
    return index.get(f"{prefix}.{name}" if prefix else name, [])


# Which columns speak of a method, and of an in-place form.
_METHOD = ("method", "value", "grad", "gradgrad", "forward", "dtype", "shape", "requires_grad")
_INPLACE = ("inplace",)


def differences(module, name, rows, but):
    """Columns in which the rows of a name do not agree, as far as they concern this form of it."""
    found = []
    for row in rows:
        columns = row.gaps(but)
        if module == "torch.Tensor":
            inplace = name.endswith("_") and not name.endswith("__")
            columns = [c for c in columns if c in (_INPLACE if inplace else _METHOD)]
        found += [(row.entry, c) for c in columns]
    return found


def wrapped(names):
    text = ", ".join(f"`{n}`" for n in names)
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False) or "(none)"


def is_here(home, name):
    """Whether a module or class has a name that does something, which the stand-ins for what is absent and dtypes without tensors do not."""
    found = getattr(home, name, None)
    if isinstance(found, types.ModuleType):
        return hasattr(found, "__file__")
    only_named = isinstance(found, rushlight.dtype) and found in dtypes.NAMES_ONLY
    return hasattr(home, name) and not isinstance(found, absent.Absent) and not only_named


def section(module, index, reasons, without):
    """The page's section for one module, and its line in the overview."""
    home = holder(module)
    everything = missing.names(module)
    inside = frozenset(missing._section(missing._read(), f"{module} (internals)"))
    agrees, untested, differs, missed = [], [], [], []
    for name in sorted(everything - inside):
        if home is None or not is_here(home, name):
            missed.append(name)
            continue
        rows = rows_for(module, name, index)
        gaps = differences(module, name, rows, without)
        if gaps:
            differs.append((name, gaps))
        elif rows:
            agrees.append(name)
        else:
            untested.append(name)
    total = len(everything - inside)
    here = len(agrees) + len(untested)
    lines = [f"## {module}", ""]
    lines += [f"Here and compared with PyTorch on its database ({len(agrees)}):", "", wrapped(agrees), ""]
    lines += [f"Here, not in that database ({len(untested)}; other tests speak of them):", "", wrapped(untested), ""]
    lines += [f"Differs ({len(differs)}):", ""]
    if differs:
        lines += ["| name | in | why |", "|---|---|---|"]
        for name, gaps in differs:
            columns = ", ".join(dict.fromkeys(c for _, c in gaps))
            why = "; ".join(dict.fromkeys(reasons.get(e, ((), "not looked into yet"))[1] for e, _ in gaps))
            lines.append(f"| `{name}` | {columns} | {why.replace('|', chr(92) + '|')} |")
    else:
        lines.append("(none)")
    lines += ["", f"Not here ({len(missed)}):", "", wrapped(missed), ""]
    if inside:
        there = sum(home is not None and is_here(home, n) for n in inside)
        lines += [
            f"{len(inside)} further names are PyTorch's own machinery (TorchScript's classes, kernels of other devices and "
            f"libraries, quantised arithmetic, copying twins of views); {there} of them are here.",
            "",
        ]
    return lines, f"| `{module}` | {total} | {here} | {len(differs)} | {len(missed)} |"


def page(rows):
    """The whole page as text."""
    from tests.parity.harness.report import COLUMNS, INFORMATIONAL

    reasons, _, without = read_gaps()
    index = entries_by_name(rows)
    sections, overview = [], []
    for module in MODULES:
        lines, line = section(module, index, reasons, without)
        sections += lines
        overview.append(line)
    whole = sum(not r.gaps(without) for r in rows)
    lines = [
        "# What is here",
        "",
        "Written by `tools/coverage.py` from the operator table and a run of the comparison with PyTorch 2.13.0",
        f"(`tests/parity`) on {datetime.date.today():%Y-%m-%d}; do not edit by hand.",
        "",
        "A name is *here* when rushlight has it, *differs* when PyTorch's operator database shows a difference, and *not here*",
        "when using it raises an error that says so.",
        "",
        "| module | public names | here | differs | not here |",
        "|---|---|---|---|---|",
        *overview,
        "",
        "## The comparison",
        "",
        f"PyTorch's operator database has {len(rows)} entries in scope (an operator, or a variant of one); the sample inputs are",
        "PyTorch's own, in float64, float32, int64, bool and complex128 where PyTorch supports them.",
        f"**{whole} of {len(rows)} ({100 * whole / len(rows):.1f} %) agree in everything asked of them.**"
        + (f" ({', '.join(without)}: not there yet, and not counted.)" if without else ""),
        "Column by column:",
        "",
        "| column | what is compared | asked | agree | disagree | not there | share |",
        "|---|---|---|---|---|---|---|",
    ]
    for column in COLUMNS:
        tally = {s: sum(r.status(column) == s for r in rows) for s in ("agree", "disagree", "absent")}
        asked = sum(tally.values())
        share = f"{100 * tally['agree'] / asked:.1f} %" if asked else ""
        told = " (told, not counted)" if column in INFORMATIONAL else ""
        lines.append(
            f"| {column}{told} | {QUESTIONS[column]} | {asked} | {tally['agree']} | {tally['disagree']} | {tally['absent']} "
            f"| {share} |"
        )
    lines += ["", "Entries of the database that differ, with the reason, stand in `tests/parity/known_gaps.toml`.", ""]
    return "\n".join([*lines, *sections]).rstrip() + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", help="JSON written by `python -m tests.parity.harness --json`")
    options = parser.parse_args(argv)
    rows = report.from_json(options.results)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(rows))
    print(f"{PAGE.relative_to(ROOT)}: {len(rows)} entries")


if __name__ == "__main__":
    main()
