"""``torch.nn.functional.pad``: derivatives in every mode, and what it refuses."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.nn.functional import pad
from tests.ops.differences import check

X = np.random.default_rng(9).standard_normal((2, 3, 4))


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("widths", [(1, 2), (0, 2, 1, 1), (-1, 1)])
def test_derivatives_agree_with_differences(mode, widths):
    check(lambda x: pad(x if len(widths) == 2 else x[None], widths, mode), X)


def test_what_it_refuses():
    x = torch.zeros(2, 3)
    with pytest.raises(RuntimeError, match="Padding length must be divisible by 2"):
        pad(x, (1,))
    with pytest.raises(
        RuntimeError, match="Padding length should be less than or equal to two times the input dimension"
    ):
        pad(x, (1,) * 6)
    with pytest.raises(
        NotImplementedError, match="Padding size 2 is not supported for 1D input tensor.\nSupported comb"
    ):
        pad(torch.zeros(3), (1, 1), "reflect")
    with pytest.raises(RuntimeError, match="doesn't take in value argument"):
        pad(x, (1, 1), "reflect", 2.0)


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
def test_only_batches_may_be_empty(mode):
    assert pad(torch.zeros(0, 3, 4), (2, 2), mode=mode).shape == (0, 3, 8)
    text = r"Expected 2D or 3D \(batch mode\) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: "
    for shape, spoken in (((3, 0, 4), r"\[3, 0, 4\]"), ((0, 4), r"\[0, 4\]")):
        with pytest.raises(RuntimeError, match=text + spoken):
            pad(torch.zeros(shape), (2, 2), mode=mode)
    with pytest.raises(NotImplementedError, match="Padding size 2 is not supported for 4D input tensor."):
        pad(torch.zeros(2, 3, 4, 5), (1, 1), mode=mode)
