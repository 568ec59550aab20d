"""Small scripts run on PyTorch and on rushlight, whose every visible result must be the same.

A test file has a function ``scenes(torch)`` that returns a ``Scenes`` full of functions of a log. What a scene returns, what it logs, and
the type and text of what it raises are compared; numbers up to rounding.
"""

import math
import re
import warnings


class Scenes(dict):
    """Functions by name; used as a decorator."""

    def __call__(self, function):
        assert function.__name__ not in self, function.__name__
        self[function.__name__] = function
        return function


def outcome(function):
    """What a scene shows: (what it returned or raised, what it logged)."""
    log = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(log.append)
        except Exception as error:
            result = ("raised", type(error).__name__, _text(str(error)))
    return result, log


def _text(text):
    """A message without what rushlight adds, and without where PyTorch's C++ raised it."""
    text = text.split("\nThe value was saved by")[0]
    text = re.split(r"\n+Tip: ", text)[0]
    return re.sub(r" \(Triggered internally.*", "", text)


def difference(theirs, ours, where="result"):
    """None if the two are the same, else a sentence."""
    if isinstance(theirs, (list, tuple)) and isinstance(ours, (list, tuple)):
        if len(theirs) != len(ours):
            return f"{where}: {ours!r} instead of {theirs!r}"
        found = (difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(theirs, ours)))
        return next((each for each in found if each), None)
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        same = math.isclose(theirs, ours, rel_tol=2e-5, abs_tol=1e-6) or (math.isnan(theirs) and math.isnan(ours))
    else:
        same = _text(theirs) == _text(ours) if isinstance(theirs, str) and isinstance(ours, str) else theirs == ours
    return None if same else f"{where}: {ours!r} instead of {theirs!r}"


def compare(scenes, name):
    """Run one scene on both libraries; a sentence if they differ."""
    import torch

    import rushlight

    return difference(outcome(scenes(torch)[name]), outcome(scenes(rushlight)[name]))
