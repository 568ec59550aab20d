"""``vmap`` of PyTorch's operator database: every entry equals the loop over its samples, or is refused as PyTorch refuses it."""

import warnings

import numpy as np
import pytest

from tests.parity.harness import scope
from tests.parity.vmap_sweep import judge

ENTRIES = {scope.entry_id(op): op for op in scope.entries()}

#: entries that are looped over sample by sample, with PyTorch's warning
LOOPED = {
    *("isin", "masked_scatter", "as_strided_scatter", "put", "nonzero_static", "hash_tensor", "repeat_interleave"),
    *("histogram", "histogramdd", "histc", "linalg.lstsq", "linalg.lstsq[grad_oriented]"),
    *("nn.functional.multi_margin_loss", "nn.functional.multilabel_margin_loss", "nn.functional.pdist"),
    *("nn.functional.embedding_bag", "nn.functional.linear_cross_entropy[chunked]"),
}
#: what differs, and why
DIFFERENT = {
    "as_strided": "offsets are counted from the whole batch's memory, in PyTorch too",
    "empty_like": "uninitialised",
    "new_empty": "uninitialised",
    "new_empty_strided": "uninitialised",
    "resize_as_": "of a batch's tensor is refused",
    "linspace[tensor_overload]": "ends that differ between samples are read as numbers",
    "logspace[tensor_overload]": "ends that differ between samples are read as numbers",
    "argwhere": "the shape depends on values",
    "nn.functional.ctc_loss": "lengths that differ between samples are read as numbers",
    "linalg.pinv": "tolerances that differ between samples",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_batch_equals_the_loop(entry):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        status, detail = judge(ENTRIES[entry], most=2)
    if entry in DIFFERENT:
        return
    assert status not in ("wrong", "error"), detail
    assert status != "loop" or entry in LOOPED, f"{entry} has no batching rule: {detail}"
