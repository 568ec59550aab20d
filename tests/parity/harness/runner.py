"""Runs chosen entries, in this process or in several; a module of its own, so that new processes can import it."""

import importlib
import multiprocessing
import os
import sys


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
