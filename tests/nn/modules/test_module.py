"""`Module`: registration, walking, conversions, printing, copies."""

import copy
import pickle

import pytest

import rushlight as torch
from rushlight import nn


def stack():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_a_stack_of_layers_computes_and_differentiates():
    model = stack()
    x = torch.randn(5, 3)
    first, last = model[0], model[2]
    hidden = (x @ first.weight.T + first.bias).clamp(min=0)
    assert torch.allclose(model(x), hidden @ last.weight.T + last.bias, atol=1e-6)
    model(x).sum().backward()
    assert last.bias.grad.tolist() == [5.0, 5.0]
    assert torch.allclose(last.weight.grad, hidden.sum(0).expand(2, 4), atol=1e-6)


def test_attributes_are_sorted_into_parameters_buffers_and_modules():
    m = nn.Module()
    m.weight = nn.Parameter(torch.ones(2))
    m.running = nn.Buffer(torch.zeros(2))
    m.hidden = nn.Buffer(torch.zeros(1), persistent=False)
    m.child = nn.Identity()
    m.plain = torch.ones(1)
    assert list(m._parameters) == ["weight"]
    assert list(m._buffers) == ["running", "hidden"]
    assert list(m._modules) == ["child"]
    assert list(m.state_dict()) == ["weight", "running"]
    m.weight = None
    assert dict(m.named_parameters()) == {}
    del m.child
    assert not hasattr(m, "child")


def test_a_shared_part_is_walked_once_unless_asked_otherwise():
    m = nn.Module()
    m.a = m.b = nn.Linear(1, 1)
    assert [name for name, _ in m.named_parameters()] == ["a.weight", "a.bias"]
    assert [name for name, _ in m.named_modules(remove_duplicate=False)] == ["", "a", "b"]
    assert len(list(m.children())) == 1


def test_a_part_is_found_and_replaced_by_its_path():
    m = nn.Sequential(stack())
    assert m.get_submodule("0.2").out_features == 2
    assert m.get_parameter("0.0.bias").shape == (4,)
    m.set_submodule("0.1", nn.Tanh())
    assert isinstance(m[0][1], nn.Tanh)
    with pytest.raises(AttributeError, match="Sequential has no attribute `7`"):
        m.get_submodule("0.7")


def test_conversions_keep_the_parameters_themselves():
    m = nn.BatchNorm1d(2)
    weight = m.weight
    assert m.double() is m
    assert m.weight is weight
    assert m.weight.dtype is torch.float64
    assert m.running_mean.dtype is torch.float64
    assert m.num_batches_tracked.dtype is torch.int64
    with pytest.raises(TypeError, match="only accepts floating point or complex"):
        m.to(torch.int32)


def test_modes_and_gradients_are_set_for_all_parts():
    m = stack()
    m.eval()
    assert not any(part.training for part in m.modules())
    m.requires_grad_(False)
    assert not any(p.requires_grad for p in m.parameters())
    m.requires_grad_(True)
    m(torch.ones(1, 3)).sum().backward()
    m.zero_grad()
    assert all(p.grad is None for p in m.parameters())


def test_a_module_is_printed_with_its_parts():
    m = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ModuleList([nn.ReLU(), nn.ReLU()]))
    assert repr(m) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=False)\n"
        "  (1): ModuleList(\n    (0-1): 2 x ReLU()\n  )\n)"
    )


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_the_same_state_and_no_memory_in_common(duplicate):
    m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.LazyLinear(3))
    twin = duplicate(m)
    assert repr(twin) == repr(m)
    x = torch.randn(4, 2)
    m[:2](x)
    with torch.no_grad():
        m[0].weight.zero_()
    assert twin[0].weight.abs().sum() > 0
    assert twin[1].num_batches_tracked == 0
    assert twin(x).shape == (4, 3)


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match='missing the required "forward" function'):
        nn.Module()(1)


def test_assigning_before_init_says_so():
    class Early(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="cannot assign module before"):
        Early()
