"""Forward mode of batches, as ``gradcheck`` runs it: a batch of tangents for one primal, also where they are written in place."""

import pytest

import rushlight as torch
from rushlight.autograd import forward_ad
from rushlight.autograd.batched import batch_map


def _whole(dual):
    made = torch.zeros(2, 2)
    made.copy_(dual)
    return made


def _row(dual):
    made = torch.zeros(3, 2)
    made[1].copy_(dual[0])
    return made


def _column(dual):
    made = torch.zeros(2, 2)[:, 0]
    made.add_(dual[:, 1])
    return made


def _transposed(dual):
    made = torch.zeros(2, 2).t()
    made += 3 * dual.t()
    return made


@pytest.mark.parametrize(
    "write, found",
    [
        (_whole, lambda t: t),
        (_row, lambda t: torch.stack([0 * t[:, 0], t[:, 0], 0 * t[:, 0]], 1)),
        (_column, lambda t: t[:, :, 1]),
        (_transposed, lambda t: 3 * t.transpose(1, 2)),
    ],
)
def test_a_batch_of_tangents_is_written_into_what_had_none(write, found):
    tangents = torch.arange(12.0).view(3, 2, 2)

    def pushed(tangent):
        with forward_ad.dual_level():
            return forward_ad.unpack_dual(write(forward_ad.make_dual(torch.zeros(2, 2), tangent))).tangent

    assert torch.equal(batch_map(pushed, tangents), found(tangents))


def test_a_dual_holds_its_tangent_itself_if_it_is_laid_out_alike():
    primal, tangent, across = torch.ones(2, 3), torch.ones(2, 3), torch.arange(6.0).view(3, 2).t()
    with forward_ad.dual_level():
        assert forward_ad.unpack_dual(forward_ad.make_dual(primal, tangent)).tangent is tangent
        copied = forward_ad.unpack_dual(forward_ad.make_dual(primal, across)).tangent
        assert copied.stride() == (3, 1) and torch.equal(copied, across)


def test_a_view_that_is_the_whole_base_shares_its_tangent():
    base = torch.zeros(2)
    view = base.view_as(base)
    with forward_ad.dual_level():
        view.copy_(forward_ad.make_dual(torch.ones(2), torch.tensor([3.0, 4.0])))
        found = forward_ad.unpack_dual(base).tangent
        assert found is forward_ad.unpack_dual(view).tangent and found.tolist() == [3.0, 4.0]
