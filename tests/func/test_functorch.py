"""``functorch``, the older name of ``torch.func``: models as functions of their state, and advice to use the newer names."""

import subprocess
import sys

import numpy as np
import pytest

import rushlight as torch
from rushlight import functorch
from rushlight._functorch.apis import chunk_vmap

pytestmark = pytest.mark.filterwarnings("ignore:We've integrated functorch")


def test_the_older_names_recommend_the_newer():
    with pytest.warns(FutureWarning, match="Please use `torch.func.grad` instead"):
        gradient = functorch.grad(lambda x: (x * x).sum())
    assert gradient(torch.tensor([1.0, 2.0])).tolist() == [2.0, 4.0]


def test_a_model_as_a_function_of_its_parameters():
    model = torch.nn.Linear(2, 1)
    function, params = functorch.make_functional(model)
    assert function.param_names == ("weight", "bias") and all(each.requires_grad for each in params)
    assert params[0] is not model.weight and torch.equal(params[0], model.weight)
    given = (torch.tensor([[2.0, 3.0]]), torch.tensor([1.0]))
    assert function(given, torch.tensor([1.0, 10.0])).tolist() == [33.0]
    with pytest.raises(RuntimeError, match="2 tensors"):
        function(given[:1], torch.ones(2))


def test_tracking_can_be_left_off():
    _, params = functorch.make_functional(torch.nn.Linear(2, 1), disable_autograd_tracking=True)
    assert not any(each.requires_grad for each in params)


def test_shared_parameters_are_given_once():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    function, params = functorch.make_functional(Tied())
    assert function.names_map == {"a.weight": ["a.weight", "b.weight"]}
    assert function((torch.tensor([[3.0]]),), torch.tensor([1.0])).tolist() == [9.0]


def test_buffers_have_a_function_of_their_own():
    model = torch.nn.BatchNorm1d(2).eval()
    with pytest.raises(RuntimeError, match="`model` has buffers"):
        functorch.make_functional(model)
    function, params, buffers = functorch.make_functional_with_buffers(model)
    shifted = (torch.tensor([1.0, 1.0]), *buffers[1:])
    np.testing.assert_allclose(function(params, shifted, torch.ones(1, 2)).detach().numpy(), [[0.0, 0.0]], atol=1e-6)


def test_an_ensemble_is_one_function_of_stacked_state():
    models = [torch.nn.Linear(2, 1) for _ in range(3)]
    function, params, buffers = functorch.combine_state_for_ensemble(models)
    assert [tuple(each.shape) for each in params] == [(3, 1, 2), (3, 1)] and buffers == ()
    x = torch.tensor([1.0, 2.0])
    found = torch.vmap(function, in_dims=(0, 0, None))(params, buffers, x)
    np.testing.assert_allclose(found.numpy(), [model(x).tolist() for model in models], rtol=1e-6)
    with pytest.raises(RuntimeError, match="Expected at least one model"):
        functorch.combine_state_for_ensemble([])


def test_chunks_by_their_number():
    seen = []

    def double(x):
        seen.append(x.shape)
        return x * 2

    assert chunk_vmap(double, chunks=3)(torch.arange(7.0)).tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert len(seen) == 3


def test_it_is_imported_beside_torch():
    program = (
        "from rushlight import alias; alias.install()\n"
        "import functorch, torch\n"
        "from functorch.experimental import chunk_vmap\n"
        "from torch._functorch.eager_transforms import grad\n"
        "assert grad is torch.func.grad and functorch.vmap.__wrapped__ is torch.func.vmap\n"
        "alias.uninstall()\n"
        "import sys; assert 'functorch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
