"""Functions of `torch.nn.functional` that are more than an operator, and the names around it."""

import inspect
import subprocess
import sys

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F  # noqa: N812
from rushlight.nn.attention import SDPBackend, sdpa_kernel


def test_gumbel_softmax_samples_and_passes_the_soft_gradient():
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(2)
    soft = F.gumbel_softmax(logits, tau=0.7)
    torch.manual_seed(2)
    hard = F.gumbel_softmax(logits, tau=0.7, hard=True)
    assert torch.allclose(soft.sum(1), torch.ones(6, dtype=torch.float64))
    assert torch.equal(hard.detach().round(), F.one_hot(soft.argmax(1), 4).double())
    weights = torch.randn(6, 4, dtype=torch.float64)
    a = torch.autograd.grad((soft * weights).sum(), logits)[0]
    b = torch.autograd.grad((hard * weights).sum(), logits)[0]
    assert torch.allclose(a, b)


def test_the_gumbel_softmax_draws_each_class_with_its_probability():
    torch.manual_seed(0)
    logits = torch.log(torch.tensor([0.2, 0.5, 0.3])).expand(20000, 3)
    share = F.gumbel_softmax(logits, hard=True).mean(0)
    assert torch.allclose(share, torch.tensor([0.2, 0.5, 0.3]), atol=0.02)


def test_gradients_of_convolutions_as_functions():
    x = torch.randn(2, 4, 7, dtype=torch.float64, requires_grad=True)
    w = torch.randn(6, 2, 3, dtype=torch.float64, requires_grad=True)
    y = F.conv1d(x, w, None, 2, 1, 1, 2)
    g = torch.randn(y.shape, dtype=torch.float64)
    gx, gw = torch.autograd.grad(y, (x, w), g)
    assert torch.allclose(nn.grad.conv1d_input(x.shape, w, g, 2, 1, 1, 2), gx)
    assert torch.allclose(nn.grad.conv1d_weight(x, w.shape, g, 2, 1, 1, 2), gw)


def test_functions_show_their_arguments():
    assert str(inspect.signature(F.dropout)) == "(input, p=0.5, training=True, inplace=False)"


def test_the_one_attention_kernel_stands_for_those_of_the_cpu():
    q = torch.randn(1, 2, 3, 4)
    expected = F.scaled_dot_product_attention(q, q, q)
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.CUDNN_ATTENTION]):
        assert torch.equal(F.scaled_dot_product_attention(q, q, q), expected)
    with pytest.raises(RuntimeError, match="No available kernel"), sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        pass


def test_data_parallel_calls_its_module():
    m = nn.DataParallel(nn.Linear(2, 3))
    assert m(torch.ones(1, 2)).shape == (1, 3)
    assert list(m.state_dict()) == ["module.weight", "module.bias"]
    assert not isinstance(m, nn.parallel.DistributedDataParallel)
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        nn.parallel.DistributedDataParallel(m)


def test_kinds_of_tensors_are_collected_from_arguments():
    assert nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": torch.float64}}) == {
        "device": "cpu",
        "dtype": torch.float64,
    }
    with pytest.raises(TypeError, match="dtype specified twice"):
        nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"dtype": 2}})


def test_importing_the_package_does_not_import_nn():
    code = f"import sys; sys.path[:] = {sys.path!r}; import rushlight; print('rushlight.nn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
