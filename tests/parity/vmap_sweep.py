"""``vmap`` of every entry of PyTorch's operator database against the loop over its samples.

Run as a script it prints what each entry does: ``rule`` (all at once), ``loop`` (PyTorch's warning came), ``refused`` (an error, and
PyTorch's vmap refuses too), ``error`` (an error where PyTorch has none), ``wrong``.

    python -m tests.parity.vmap_sweep [pattern]
"""

import collections
import re
import sys
import warnings

import numpy as np
import torch

import rushlight
from tests.parity.harness import scope
from tests.parity.harness.checks import recipes
from tests.parity.harness.compare import flatten, to_numpy
from tests.parity.harness.names import Absent, Translator
from tests.parity.harness.samples import Unsupported

SCALES = (1.0, 0.9, 0.7)
MOST = 4


def batch(module, tensor, dim):
    """Three samples like ``tensor``: the same, and scaled down (which stays in every operator's domain)."""
    plain = tensor.detach()
    if plain.is_floating_point() or plain.is_complex():
        return module.stack([plain * scale for scale in SCALES], dim)
    return module.stack([plain] * len(SCALES), dim)


class Call:
    """A call of which some tensors are batched: ``function(*batches)`` of one sample each."""

    def __init__(self, module, function, args, kwargs, which, dim):
        self.module, self.function, self.args, self.kwargs = module, function, args, kwargs
        self.places = []
        self._find((args, kwargs), ())
        if which == "first":
            self.places = self.places[:1]
        self.dim = dim
        self.batches = [batch(module, self._at(place), dim) for place in self.places]

    def _find(self, value, path):
        if isinstance(value, self.module.Tensor):
            self.places.append(path)
        elif isinstance(value, (tuple, list)):
            for i, each in enumerate(value):
                self._find(each, (*path, i))
        elif isinstance(value, dict):
            for key, each in value.items():
                self._find(each, (*path, key))

    def _at(self, path):
        value = (self.args, self.kwargs)
        for key in path:
            value = value[key]
        return value

    def _filled(self, value, path, given):
        if path in given:
            return given[path]
        if isinstance(value, (tuple, list)) and not isinstance(value, self.module.Size):
            made = [self._filled(each, (*path, i), given) for i, each in enumerate(value)]
            return tuple(made) if isinstance(value, tuple) else made
        if isinstance(value, dict):
            return {key: self._filled(each, (*path, key), given) for key, each in value.items()}
        return value.detach() if isinstance(value, self.module.Tensor) else value

    def on(self, *samples):
        args, kwargs = self._filled((self.args, self.kwargs), (), dict(zip(self.places, samples)))
        result = self.function(*args, **kwargs)
        leaves = [each for each in flatten(result) if isinstance(each, self.module.Tensor)]
        return tuple(leaves)

    def looped(self):
        rows = [self.on(*[b.select(self.dim, k) for b in self.batches]) for k in range(len(SCALES))]
        return [np.stack([to_numpy(each) for each in column]) for column in zip(*rows)]

    def mapped(self):
        return [to_numpy(each) for each in self.module.vmap(self.on, self.dim)(*self.batches)]


def outcome(op, function, recipe, which, dim):
    """(status, detail) of one call."""
    args, kwargs, _ = recipe.build(Translator(rushlight), False)
    kwargs.pop("out", None)
    try:
        call = Call(rushlight, function, args, kwargs, which, dim)
        if not call.places:
            return None, ""
        expected = call.looped()
    except Exception:
        return None, ""  # samples that the operator itself does not take
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = call.mapped()
        except Exception as error:
            return _refused(op, recipe, which, dim, error)
    looped = any("performance drop" in str(each.message) for each in seen)
    for a, b in zip(found, expected):
        if a.shape != b.shape or a.dtype != b.dtype:
            return "wrong", f"{a.shape} {a.dtype} for {b.shape} {b.dtype}"
        if not np.allclose(a, b, rtol=1e-7, atol=1e-9, equal_nan=True):
            return "wrong", f"values differ by {np.nanmax(np.abs(a - b))}"
    return ("loop" if looped else "rule"), ""


def _refused(op, recipe, which, dim, error):
    text = f"{type(error).__name__}: {error}"
    args, kwargs, _ = recipe.build(Translator(torch), False)
    kwargs.pop("out", None)
    try:
        Call(torch, op.op, args, kwargs, which, dim).mapped()
    except Exception as theirs:
        return "refused", f"{text}  |  {type(theirs).__name__}: {theirs}"
    return "error", text


RANK = ("wrong", "error", "loop", "refused", "rule")


def judge(op, most=MOST):
    """(status, detail) of one entry: the worst of its calls."""
    if torch.float64 not in op.supported_dtypes("cpu"):
        return None, ""
    try:
        function = Translator(rushlight).operator(op)
    except Absent:
        return None, ""
    worst, detail = None, ""
    for recipe in recipes(op, torch.float64, False)[:most]:
        for which, dim in (("first", 0), ("first", -1), ("all", 0)):
            try:
                status, why = outcome(op, function, recipe, which, dim)
            except (Absent, Unsupported):
                continue
            if status is not None and (worst is None or RANK.index(status) < RANK.index(worst)):
                worst, detail = status, f"{which} {dim} {recipe!r}: {why}"
    return worst, detail


def main():
    pattern = re.compile(sys.argv[1]) if len(sys.argv) > 1 else None
    counts = collections.Counter()
    for op in scope.entries():
        name = scope.entry_id(op)
        if pattern is not None and not pattern.fullmatch(name):
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            status, detail = judge(op)
        counts[status] += 1
        if status not in ("rule", None):
            print(f"{status:8} {name}: {detail[:400]}".replace("\n", " "), flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
