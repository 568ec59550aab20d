"""`python -m tests.parity.harness`: run the database against rushlight and show what does not agree.

python -m tests.parity.harness --ops 'sin|sum' -v      # these entries, with the first failures
python -m tests.parity.harness --family nn --failures  # only what fails
python -m tests.parity.harness --json out.json -j 2    # everything, in two processes
python -m tests.parity.harness --against torch         # the harness against itself: all must agree
"""

import argparse
import importlib
import multiprocessing
import os
import sys
import time


def _run_some(arguments):
    target, pattern, numbers, limit = arguments
    import torch

    from . import scope
    from .checks import Checker

    torch.set_num_threads(1)
    chosen = scope.entries(pattern)
    checker = Checker(importlib.import_module(target))
    rows = []
    for n in numbers:
        if os.environ.get("PARITY_TRACE"):
            print(scope.entry_id(chosen[n]), file=sys.stderr, flush=True)
        rows.append((n, checker.run(chosen[n], limit)))
    return rows


def run(pattern=None, target="rushlight", jobs=1, limit=60.0, family=None):
    """Rows of all chosen entries, in the database's order."""
    from . import scope

    chosen = scope.entries(pattern)
    numbers = [i for i, op in enumerate(chosen) if family is None or scope.family(op) == family]
    if jobs <= 1:
        pairs = _run_some((target, pattern, numbers, limit))
    else:
        chunks = [numbers[i::24] for i in range(24)]
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            parts = pool.imap_unordered(_run_some, [(target, pattern, c, limit) for c in chunks if c])
            pairs = [pair for part in parts for pair in part]
    return [row for _, row in sorted(pairs, key=lambda p: p[0])]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m tests.parity.harness", description=__doc__.split("\n")[0])
    parser.add_argument("--ops", help="regular expression on whole names, as 'sin|nn.functional.conv.*'")
    parser.add_argument("--family", choices=("elementwise", "reduce", "nn", "linalg", "core"))
    parser.add_argument("--against", default="rushlight", help="the module under test (default: rushlight)")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="processes")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one entry")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the first failures of each entry")
    parser.add_argument("--notes", type=int, default=3, help="how many failures of each column -v shows")
    parser.add_argument("--failures", action="store_true", help="show only entries with a gap")
    parser.add_argument("--json", metavar="FILE", help="write all rows there")
    parser.add_argument("--slowest", type=int, default=0, metavar="N", help="show the N slowest entries")
    parser.add_argument("--quiet", action="store_true", help="the summary only")
    options = parser.parse_args(argv)

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    start = time.time()
    rows = run(options.ops, options.against, options.jobs, options.limit, options.family)
    if not rows:
        print("no entry in scope has that name", file=sys.stderr)
        return 2
    from . import report

    if options.json:
        report.to_json(rows, options.json)
    shown = [r for r in rows if r.gaps()] if options.failures else rows
    if not options.quiet and shown:
        print(report.table(shown))
    if options.verbose:
        for row in shown:
            text = report.details(row, options.notes)
            if text:
                print(text)
    for row in sorted(rows, key=lambda r: -r.seconds)[: options.slowest]:
        print(f"{row.seconds:8.2f} s  {row.entry}")
    print(report.summary(rows))
    print(f"{len(rows)} entries in {time.time() - start:.0f} s")
    return 0 if not any(r.gaps() for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
