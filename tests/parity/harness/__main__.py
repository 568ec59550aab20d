"""`python -m tests.parity.harness`: run the database against rushlight and show what does not agree.

python -m tests.parity.harness --ops 'sin|sum' -v      # these entries, with the first failures
python -m tests.parity.harness --family nn --failures  # only what fails
python -m tests.parity.harness --json out.json -j 2    # everything, in two processes
python -m tests.parity.harness --against torch         # the harness against itself: all must agree
"""

import argparse
import os
import sys
import time

from .runner import run


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
