"""Names within PyTorch that libraries take from it, and what they do with them."""

import importlib

import pytest

import rushlight as torch


def test_no_module_is_a_script_but_those_that_say_so():
    class Old(torch.jit.ScriptModule):
        @torch.jit.script_method
        def forward(self, x):
            return x + 1

    assert not isinstance(torch.nn.ReLU(), torch.jit.ScriptModule)
    assert Old()(torch.ones(1)).item() == 2
    assert Old().original_name == "Old"
    assert not isinstance(len, torch.jit.ScriptFunction)


@pytest.mark.parametrize(
    "args, kwargs, device, dtype, non_blocking",
    [
        (("cpu",), {}, "cpu", None, False),
        ((torch.float64,), {}, None, torch.float64, False),
        ((torch.ones(1),), {}, "cpu", torch.float32, False),
        ((), {"device": "cpu", "dtype": torch.half}, "cpu", torch.float16, False),
        (("cpu", torch.float32, True), {}, "cpu", torch.float32, True),
    ],
)
def test_the_arguments_of_to(args, kwargs, device, dtype, non_blocking):
    found = torch._C._nn._parse_to(*args, **kwargs)
    assert found == (None if device is None else torch.device(device), dtype, non_blocking, None)


def test_calls_between_processes_are_not_there_to_be_asked_for():
    rpc = torch.distributed.rpc  # not a stand-in: it has a file of its own
    assert not rpc.is_available() and not hasattr(rpc, "api")


def test_tensors_within_vmap_are_told_from_others():
    asked = importlib.import_module("rushlight._C._functorch").is_batchedtensor
    found = []
    torch.vmap(lambda x: (found.append(asked(x)), x)[1])(torch.ones(2))
    assert found == [True] and not asked(torch.ones(2))


def test_the_modules_of_devices():
    assert torch.get_device_module("cpu").__name__.endswith(".cpu")
    assert not (torch.accelerator.is_available() or torch.xpu.is_available() or torch.mps.is_available())
    with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is available"):
        torch.accelerator.synchronize()
    with torch.cuda.device(None), torch.cuda.stream(None):
        assert not isinstance(3, torch.cuda.Stream)
    with pytest.raises(RuntimeError, match="requires CUDA support"):
        torch.cuda.Stream()
