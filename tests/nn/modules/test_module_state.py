"""State dictionaries: what goes out comes back, and what does not fit is named."""

import pytest

import rushlight as torch
from rushlight import nn


def test_the_state_goes_out_and_comes_back():
    a, b = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    a(torch.randn(8, 3))
    state = a.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert state._metadata == {"": {"version": 2}}
    assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
    x = torch.randn(2, 3)
    assert torch.equal(a.eval()(x), b.eval()(x))


def test_every_disagreement_is_named_at_once():
    with pytest.raises(RuntimeError) as error:
        nn.Sequential(nn.Linear(2, 1)).load_state_dict({"0.weight": torch.ones(3, 1), "other": torch.ones(1)})
    assert str(error.value) == (
        'Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: "0.bias". \n\t'
        'Unexpected key(s) in state_dict: "other". \n\tsize mismatch for 0.weight: copying a param with shape '
        "torch.Size([3, 1]) from checkpoint, the shape in current model is torch.Size([1, 2])."
    )


def test_leniently_the_keys_are_returned():
    result = nn.Linear(2, 1).load_state_dict({"bias": torch.ones(1), "x": torch.ones(1)}, strict=False)
    assert result.missing_keys == ["weight"]
    assert result.unexpected_keys == ["x"]


def test_assigning_takes_the_tensors_themselves():
    m, weight = nn.Linear(2, 1, bias=False), torch.ones(1, 2, dtype=torch.float64)
    m.load_state_dict({"weight": weight}, assign=True)
    weight.mul_(3)
    assert m.weight.tolist() == [[3.0, 3.0]]
    assert m.weight.requires_grad


def test_a_file_from_before_batches_were_counted_is_read():
    state = nn.BatchNorm1d(2).state_dict()
    del state["num_batches_tracked"], state._metadata
    m = nn.BatchNorm1d(2)
    m.load_state_dict(state)
    assert m.num_batches_tracked.item() == 0


def test_extra_state_travels_along():
    class Counting(nn.Linear):
        count = 0

        def get_extra_state(self):
            return self.count

        def set_extra_state(self, state):
            self.count = state

    a, b = Counting(1, 1), Counting(1, 1)
    a.count = 5
    b.load_state_dict(a.state_dict())
    assert b.count == 5
