"""Mixed precision, and what compiling means where nothing is compiled."""

import pytest

import rushlight as torch
import rushlight.nn.functional as F


def test_products_compute_low_and_losses_high():
    x = torch.rand(3, 3, requires_grad=True)
    with torch.autocast("cpu"):
        product = x @ x
        loss = F.mse_loss(product, torch.zeros(3, 3))
        assert product.dtype is torch.bfloat16 and loss.dtype is torch.float32
        assert (x + x).dtype is torch.float32
    loss.backward()
    assert x.grad.dtype is torch.float32
    assert (x @ x).dtype is torch.float32


def test_contexts_nest_and_an_inner_one_can_switch_off():
    x = torch.rand(3, 3)
    with torch.autocast("cpu"):
        with torch.autocast("cpu", enabled=False):
            assert (x @ x).dtype is torch.float32
        with torch.autocast("cpu", dtype=torch.float16):
            assert (x @ x).dtype is torch.float16
        assert (x @ x).dtype is torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")


def test_a_parameter_is_converted_once():
    weight = torch.rand(3, 3, requires_grad=True)
    with torch.autocast("cpu"):
        first, second = torch.mm(weight, weight), torch.mm(weight, weight)
    assert first.grad_fn.next_functions[0][0] is second.grad_fn.next_functions[0][0]


def test_other_devices_switch_themselves_off_with_a_warning():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        context = torch.autocast("cuda")
    with context:
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32
    with pytest.warns(FutureWarning, match="torch.cuda.amp.GradScaler"), pytest.warns(UserWarning, match="Disabling"):
        assert not torch.cuda.amp.GradScaler().is_enabled()


def test_a_scaler_leaves_out_steps_that_are_not_finite():
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    seen = []
    for factor in (1.0, float("inf"), 1.0, 1.0):
        optimiser.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimiser)
        scaler.update()
        seen.append((weight[0].item(), scaler.get_scale()))
    assert seen == [(0.5, 8.0), (0.5, 4.0), (0.0, 4.0), (-0.5, 8.0)]
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 8.0


def test_a_compiled_module_lends_everything_of_the_one_within():
    inner = torch.nn.Linear(2, 3)
    model = torch.compile(inner)
    assert torch.equal(model(torch.ones(1, 2)), inner(torch.ones(1, 2)))
    assert list(model.state_dict()) == ["_orig_mod.weight", "_orig_mod.bias"]
    assert model.weight is inner.weight and len(list(model.parameters())) == 2
    with pytest.raises(NotImplementedError, match="no graph to give"):
        torch.compile(inner, backend=lambda graph, inputs: graph)


def test_what_needs_torchscript_files_or_the_network_says_so():
    with pytest.raises(NotImplementedError, match="state_dict"):
        torch.jit.load("model.pt")
    with pytest.raises(NotImplementedError, match="fetches neither code nor weights"):
        torch.hub.load("a/b", "c")
    with pytest.warns(DeprecationWarning):
        assert torch.jit.script(torch.nn.Tanh())(torch.zeros(1)).item() == 0


def test_devices_are_those_that_pytorch_knows():
    assert torch.autocast("cpu:0").device == "cpu" and torch.is_autocast_enabled("cuda") is False
    assert torch.get_autocast_dtype("cpu") is torch.get_autocast_dtype("hpu") is torch.bfloat16
    assert torch.get_autocast_dtype("xpu") is torch.float16
    for ask in (torch.autocast, torch.amp.is_autocast_available, torch.get_autocast_dtype, torch.is_autocast_enabled):
        with pytest.raises(RuntimeError, match="Invalid device string: 'no device'"):
            ask("no device")
    with pytest.raises(RuntimeError, match="unsupported scalarType"):
        torch.autocast("vulkan")
    with pytest.raises(RuntimeError, match="unknown device type for autocast"):
        torch.is_autocast_enabled("meta")


def test_prelu_computes_in_the_lower_dtype():
    with torch.autocast("cpu"):
        assert torch.nn.PReLU()(torch.ones(2)).dtype is torch.bfloat16
