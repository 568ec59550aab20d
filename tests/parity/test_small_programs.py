"""Programs of a line or two, run on PyTorch and on rushlight: what they show, warn of and raise must be the same.

The programs are in `small_programs.txt`: one a line, statements between ``;;``, the last one an expression whose repr is compared.
"""

import pathlib
import re
import warnings

import numpy as np
import pytest
import torch

import rushlight

PROGRAMS = [
    line
    for line in pathlib.Path(__file__).with_name("small_programs.txt").read_text().splitlines()
    if line and not line.startswith("#")
]

#: warnings that a process gives once, so that whether a program gives them depends on what ran before it
ONCE = (
    *("TypedStorage is deprecated", "The given buffer is not writable", "The given NumPy array is not writable"),
    *("`torch.jit.script` is deprecated", "index_reduce() is in beta"),
)


def outcome(module, program):
    """(repr of the last expression or the error, texts of the warnings)."""
    *statements, last = program.split(";;")
    scope = {"torch": module, "np": np}
    module.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec("\n".join(statements), scope)
            shown = repr(eval(last.strip(), scope))
        except Exception as error:
            shown = f"{type(error).__name__}: {error}"
    told = [re.sub(r" \(Triggered internally.*", "", str(each.message)) for each in caught]
    return shown, [text for text in told if not text.startswith(ONCE)]


@pytest.mark.parametrize("program", PROGRAMS)
def test_same(program):
    assert outcome(rushlight, program) == outcome(torch, program)
