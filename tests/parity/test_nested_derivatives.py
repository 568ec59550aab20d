"""Derivatives of derivatives of every operator beside PyTorch: reverse and forward mode over each other, and ``vmap`` over both.

For the first sample of each entry of the operator database the values of each nesting agree, or both libraries refuse it; where PyTorch
has no derivative, with its words.
"""

import re
import warnings

import numpy as np
import pytest
import torch

import rushlight
from tests.parity.harness import scope
from tests.parity.harness.checks import _seed
from tests.parity.harness.compare import close, dtype_name, flatten, to_numpy
from tests.parity.harness.names import Absent, Translator
from tests.parity.harness.samples import recipes

ENTRIES = {
    scope.entry_id(op): op
    for op in scope.entries()
    if op.supports_autograd and torch.float64 in op.supported_backward_dtypes("cpu")
}
MOST_ELEMENTS = 600
REFUSALS = re.compile("is not implemented|Trying to use forward AD")

#: entries that differ: what PyTorch gives there is wrong (by finite differences), or has no one answer
WRONG_THERE = {
    **dict.fromkeys(("empty_like", "new_empty", "new_empty_strided"), "uninitialised"),
    "as_strided_scatter": "its gradient is given to the elements that were replaced",
    "scatter_reduce[prod]": "its tangent is zero where every factor is scattered",
    "cholesky_inverse": "its tangent multiplies in an order that holds for commuting factors only",
    "triangular_solve": "its tangent takes the whole of a matrix of which one triangle counts",
    "nn.functional.linear_cross_entropy[chunked]": "made of Functions that know no transforms",
    "nn.functional.linear_cross_entropy[chunked_none]": "made of Functions that know no transforms",
    "tensor_split": "reads sections from memory that a transform's tensor does not show",
    "resize_": "what may be resized within a transform depends on its place in the stack",
    "resize_as_": "what may be resized within a transform depends on its place in the stack",
    "index_reduce[prod]": "asks for single values",
    "nn.functional.embedding_bag": "two parts of its derivative are missing, and either may be named",
    **dict.fromkeys(
        ("nn.functional.layer_norm", "nn.functional.batch_norm", "nn.functional.instance_norm"),
        "forward mode twice takes saved statistics for constants",
    ),
    **dict.fromkeys(
        ("native_layer_norm", "native_batch_norm"), "forward mode twice takes saved statistics for constants"
    ),
    **dict.fromkeys(
        ("linalg.det", "linalg.slogdet", "logdet", "linalg.solve", "linalg.solve_ex", "linalg.tensorsolve"),
        "forward mode twice takes a saved factorization for a constant",
    ),
    "linalg.householder_product": "forward mode twice takes its result for a constant",
    **dict.fromkeys(
        ("nn.functional.soft_margin_loss", "nn.functional.huber_loss", "nn.functional.glu"),
        "the derivative has no forward mode",
    ),
}


class Function:
    """One sample as a function of its tensors that require grad, and these."""

    def __init__(self, module, op, recipe):
        self.module = module
        translator = Translator(module)
        self.operator = op.op if module is torch else translator.operator(op)
        self.process = recipe.process if module is torch else translator.value(recipe.process)
        self.args, self.kwargs, tensors = recipe.build(translator, False)
        self.primals = tuple(t for t, picture in zip(tensors, recipe._pictures) if picture.requires_grad)

    def __call__(self, *primals):
        put = {id(own): given for own, given in zip(self.primals, primals)}

        def filled(value):
            if isinstance(value, self.module.Tensor):
                return put.get(id(value), value)
            if type(value) in (tuple, list):
                return type(value)(filled(each) for each in value)
            return {k: filled(v) for k, v in value.items()} if type(value) is dict else value

        _seed(self.module)
        results = flatten(self.process(self.operator(*filled(self.args), **filled(self.kwargs))))
        return tuple(each for each in results if each.dtype.is_floating_point)

    def like(self, tensors, seed):
        """Numbers that are the same for both libraries, shaped like ``tensors``."""
        random = np.random.RandomState(seed)
        return tuple(self.module.tensor(random.uniform(-1, 1, tuple(t.shape))).to(t.dtype) for t in tensors)

    def pull(self, *values):
        """The vjp as a function of primals and cotangents."""
        return self.module.func.vjp(self, *values[: len(self.primals)])[1](values[len(self.primals) :])

    def all(self):
        """Arguments of ``pull``."""
        return (*self.primals, *self.like(self(*self.primals), 5))

    def batches(self, tensors):
        return tuple(self.module.stack([each, each * 0.9]) for each in tensors)


def _reverse_twice(f):
    results, pull = f.module.func.vjp(f.pull, *f.all())
    return pull(f.like(results, 6))


def _forward_over_reverse(f):
    values = f.all()
    return f.module.func.jvp(f.pull, values, f.like(values, 8))


def _forward_twice(f):
    return f.module.func.jvp(lambda *p: f.module.func.jvp(f, p, f.like(p, 9))[1], f.primals, f.like(f.primals, 10))


def _batch_of_reverse(f):
    return f.module.func.vmap(f.pull)(*f.batches(f.all()))


def _batch_of_forward(f):
    tangents = f.batches(f.like(f.primals, 11))
    return f.module.func.vmap(lambda *t: f.module.func.jvp(f, f.primals, t))(*tangents)


NESTINGS = (_reverse_twice, _forward_over_reverse, _forward_twice, _batch_of_reverse, _batch_of_forward)


def _outcome(nesting, module, op, recipe):
    """Arrays, or the exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = Function(module, op, recipe)
        try:
            return [(dtype_name(each), to_numpy(each)) for each in flatten(nesting(f))]
        except Exception as error:
            return error


def _difference(ours, theirs):
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        texts = [f"{type(e).__name__}: {e}" if isinstance(e, Exception) else "a value" for e in (ours, theirs)]
        if isinstance(theirs, Exception) and isinstance(ours, Exception) and not REFUSALS.search(texts[1]):
            return None
        return None if texts[0] == texts[1] else f"{texts[0]} instead of {texts[1]}"
    if len(ours) != len(theirs):
        return f"{len(ours)} tensors instead of {len(theirs)}"
    for (kind, a), (expected, b) in zip(ours, theirs):
        found = f"{kind} instead of {expected}" if kind != expected else close(a, b, kind)
        if found is not None:
            return found
    return None


@pytest.mark.parametrize("entry", [name for name in ENTRIES if name not in WRONG_THERE])
def test_nested_derivatives_agree(entry):
    op = ENTRIES[entry]
    small = [r for r in recipes(op, torch.float64, True) if 0 < r.numel <= MOST_ELEMENTS][:1]
    if not small or not any(picture.requires_grad for picture in small[0]._pictures):
        pytest.skip("no small sample to differentiate")
    for nesting in NESTINGS:
        try:
            ours = _outcome(nesting, rushlight, op, small[0])
        except Absent as error:
            pytest.skip(f"not there, see docs/coverage.md: {error}")
        found = _difference(ours, _outcome(nesting, torch, op, small[0]))
        assert found is None, f"{nesting.__name__} of {small[0]!r}: {found}"
