"""``torch.masked``: what is masked out counts for nothing, in the result and in the gradient."""

import math

import pytest

import rushlight as torch
from rushlight import masked

X = [[1.0, 2.0, 6.0], [4.0, -1.0, 3.0]]
MASK = [[True, False, True], [False, False, False]]


def values():
    return torch.tensor(X, requires_grad=True), torch.tensor(MASK)


@pytest.mark.parametrize(
    ("name", "of_some", "of_none"),
    [
        ("sum", 7.0, 0.0),
        ("prod", 6.0, 1.0),
        ("amax", 6.0, -math.inf),
        ("amin", 1.0, math.inf),
        ("mean", 3.5, math.nan),
        ("median", 1.0, math.nan),
        ("var", 12.5, math.nan),
        ("std", math.sqrt(12.5), math.nan),
        ("norm", math.sqrt(37.0), 0.0),
        ("logsumexp", 6 + math.log1p(math.exp(-5)), -math.inf),
    ],
)
def test_reductions_leave_out_what_is_masked(name, of_some, of_none):
    x, mask = values()
    rest = {"dim": 1} if name != "norm" else {"ord": 2.0, "dim": 1}
    found = getattr(masked, name)(x, mask=mask, **rest)
    assert found.tolist() == pytest.approx([of_some, of_none], nan_ok=True)
    kept = getattr(masked, name)(x, mask=mask, keepdim=True, **rest)
    assert kept.shape == (2, 1)


def test_without_a_mask_they_are_the_plain_ones():
    x, _ = values()
    assert torch.equal(masked.sum(x, 0), x.sum(0))
    assert torch.equal(masked.var(x), x.var())
    assert torch.equal(masked.amax(x, (0, 1)), x.max())


def test_gradients_are_zero_where_masked():
    x, mask = values()
    masked.mean(x, 1, mask=mask)[0].backward()
    assert x.grad.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
    x, mask = values()
    masked.softmax(x, 1, mask=mask)[0, 0].backward()
    assert x.grad[0, 1] == 0 and x.grad[0, 0] == -x.grad[0, 2]


def test_places_of_extremes():
    x, mask = values()
    assert masked.argmax(x, 1, mask=mask)[0] == 2 and masked.argmin(x, 1, mask=mask)[0] == 0
    assert masked.argmax(x, 1, mask=mask).dtype is torch.float32


def test_integers_are_summed_in_int64():
    x = torch.tensor([100, 100, 100], dtype=torch.int8)
    found = masked.sum(x, mask=torch.tensor([True, True, False]))
    assert found.dtype is torch.int64 and found == 200
    assert masked.amax(x, mask=torch.tensor(False)) == -128
    assert masked.median(x, 0).dtype is torch.int8


def test_normalisations():
    x, mask = values()
    assert masked.cumsum(x, 1, mask=mask)[0].tolist() == [1, 1, 7]
    assert masked.cumprod(x, 1, mask=mask)[0].tolist() == [1, 1, 6]
    share = math.exp(-5) / (1 + math.exp(-5))
    assert masked.softmax(x, 1, mask=mask)[0].tolist() == pytest.approx([share, 0, 1 - share])
    assert masked.softmin(x, 1, mask=mask)[0].tolist() == pytest.approx([1 - share, 0, share])
    assert masked.log_softmax(x, 1, mask=mask)[0].tolist() == pytest.approx(
        [math.log(share), -math.inf, math.log(1 - share)]
    )
    assert masked.normalize(x, 1.0, 1, mask=mask).tolist() == [pytest.approx([1 / 7, 0, 6 / 7]), [0, 0, 0]]
    assert masked.logaddexp(x, x, other_mask=mask)[1].tolist() == X[1]


def test_what_is_refused():
    x, mask = values()
    with pytest.raises(IndexError, match="got mask dimensionality higher than of the input"):
        masked.sum(x, mask=mask[None])
    with pytest.raises(IndexError, match="Dimension out of range"):
        masked.sum(x, 2)
    with pytest.raises(RuntimeError, match="appears multiple times"):
        masked.sum(x, (0, 0))
    with pytest.raises(ValueError, match="Could not infer output dtype. Input dtype must be"):
        masked.mean(x.long())
    with pytest.raises(ValueError, match="no fully masked out rows"):
        masked.median(x.long(), 1, mask=mask)
    with pytest.raises(NotImplementedError, match="identity of amax on torch.bool input"):
        masked.amax(mask, mask=mask)
    with pytest.raises(AttributeError, match="MaskedTensor"):
        getattr(masked, "MaskedTensor")  # noqa: B009 - the point is the lookup


def test_what_leaves_a_reduction_as_it_is():
    x = torch.ones(2, dtype=torch.int32)
    identity = torch.masked._reduction_identity
    assert identity("sum", x).item() == 0 and identity("masked.amax", x).item() == -(2**31)
    assert identity("mean", x.float()) is None


def test_the_mask_a_function_sees():
    x = torch.ones(2, 3)
    assert torch.masked._input_mask(x).all() and torch.masked._input_mask(x).shape == x.shape
    assert torch.masked._input_mask(x, mask=torch.tensor([1, 0, 1])).tolist() == [[True, False, True]] * 2
