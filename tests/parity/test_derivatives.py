"""Every operator's first and second derivative against finite differences, in float64, on the database's small samples.

Along a random direction v the derivative of a random combination of the results is compared with central differences, and the
product of its Hessian with v with central differences of the gradient. Where PyTorch's own derivative fails the same test the
sample lies at a kink (ties, clamped values) or the operator defines its derivative otherwise, and is passed over; each operator
must keep at least one sample unless PyTorch has none.
"""

import warnings

import numpy as np
import pytest
import torch

import rushlight
from tests.parity.harness import scope
from tests.parity.harness.checks import _seed, is_absence
from tests.parity.harness.compare import flatten, to_numpy
from tests.parity.harness.names import Absent, Translator
from tests.parity.harness.samples import recipes

STEP = 1e-6
MOST_ELEMENTS, MOST_SAMPLES = 150, 3

ENTRIES = {
    scope.entry_id(op): op
    for op in scope.entries()
    if op.supports_autograd and torch.float64 in op.supported_backward_dtypes("cpu")
}


class Function:
    """One sample as a function of its real tensors that require grad: a random combination of the results."""

    def __init__(self, module, op, recipe):
        self.module = module
        self.translator = Translator(module)
        self.function = self.translator.operator(op) if module is not torch else op.op
        self.recipe = recipe

    def __call__(self, shifts=None):
        args, kwargs, tensors = self.recipe.build(self.translator)
        inputs = [t for t in tensors if t.requires_grad and str(t.dtype).endswith("float64")]
        if shifts is not None:
            with self.module.no_grad():
                for tensor, shift in zip(inputs, shifts):
                    tensor.add_(self.module.from_numpy(shift.reshape(tuple(tensor.shape))))
        _seed(self.module)
        random = np.random.RandomState(7)
        total = None
        process = self.recipe.process if self.module is torch else self.translator.value(self.recipe.process)
        for result in flatten(process(self.function(*args, **kwargs))):
            if not result.requires_grad or not str(result.dtype).endswith("float64"):
                continue
            weights = self.module.from_numpy(np.asarray(random.uniform(0.5, 1.5, tuple(result.shape))))
            part = (result * weights).sum()
            total = part if total is None else total + part
        return inputs, total

    def gradient(self, shifts=None, create_graph=False):
        inputs, total = self(shifts)
        if total is None or not inputs:
            return None
        return self.module.autograd.grad(total, inputs, create_graph=create_graph, materialize_grads=True), inputs

    def errors(self, seed):
        """Relative errors of the first and the second derivative; None where there is nothing to differentiate."""
        inputs, total = self()
        if total is None or not inputs:
            return None
        random = np.random.RandomState(seed)
        direction = [random.uniform(-1, 1, tuple(t.shape)) for t in inputs]
        plus, minus = ([sign * STEP * d for d in direction] for sign in (1, -1))
        found, leaves = self.gradient(create_graph=True)
        values = [self(shifts)[1].item() for shifts in (plus, minus)]
        slope = (values[0] - values[1]) / (2 * STEP)
        analytic = sum(float((to_numpy(g) * d).sum()) for g, d in zip(found, direction))
        first = abs(slope - analytic) / max(1.0, abs(slope), abs(analytic))
        along = None
        for g, d in zip(found, direction):
            if g.requires_grad:
                part = (g * self.module.from_numpy(np.asarray(d))).sum()
                along = part if along is None else along + part
        sides = [self.gradient(shifts)[0] for shifts in (plus, minus)]
        curved = [(to_numpy(a) - to_numpy(b)) / (2 * STEP) for a, b in zip(*sides)]
        if along is None:
            product = [np.zeros_like(c) for c in curved]
        else:
            product = [to_numpy(p) for p in self.module.autograd.grad(along, leaves, materialize_grads=True)]
        scale = max(1.0, *(np.abs(c).max(initial=0) for c in curved), *(np.abs(p).max(initial=0) for p in product))
        second = max(np.abs(c - p).max(initial=0) for c, p in zip(curved, product)) / scale
        return first, second


def _sound(errors, order):
    return errors is not None and np.isfinite(errors[order]) and errors[order] < (1e-5 if order == 0 else 1e-4)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("order", [0, 1], ids=["first", "second"])
def test_derivative_agrees_with_finite_differences(entry, order):
    op = ENTRIES[entry]
    if order == 1 and not op.supports_gradgrad:
        pytest.skip("PyTorch has no second derivative here")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        small = [r for r in recipes(op, torch.float64, True) if 0 < r.numel <= MOST_ELEMENTS][:MOST_SAMPLES]
        checked = 0
        for number, recipe in enumerate(small):
            try:
                theirs = Function(torch, op, recipe).errors(number)
            except Exception:  # PyTorch refuses this sample under grad (an integer result, say)
                continue
            if not _sound(theirs, order):
                continue
            try:
                ours = Function(rushlight, op, recipe).errors(number)
            except (Absent, AttributeError) as error:
                if not isinstance(error, Absent) and not is_absence(error):
                    raise
                pytest.skip(f"not there, see docs/coverage.md: {error}")
            assert _sound(ours, order), f"sample {number} ({recipe!r}): errors {ours}, PyTorch's {theirs}"
            checked += 1
    if not checked:
        pytest.skip("no small smooth sample in the database")
