"""Forward mode, gradcheck, checkpointing, anomaly and inference mode, without PyTorch beside them."""

import math
import os
import subprocess
import sys
import warnings

import pytest

import rushlight as torch
from rushlight.autograd import forward_ad, gradcheck, gradgradcheck
from rushlight.utils.checkpoint import checkpoint


def double(*values, grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x.sin() * x).sum(),
        lambda x: x.view(2, 2).inverse(),
        lambda x: x.softmax(0),
        lambda x: x.sort(descending=True).values[1:],
        lambda x: torch.stack([x, x * x]).cumsum(1).logsumexp(0),
        lambda x: torch.nn.functional.layer_norm(x, (4,)),
        lambda x: x.clone().mul_(x)[::2].exp(),
    ],
)
def test_tangents_agree_with_finite_differences(function):
    x, t = double(0.3, 1.4, 0.9, 2.0), double(1.0, -0.5, 0.25, 0.7)
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(function(forward_ad.make_dual(x, t))).tangent
    eps = 1e-6
    expected = (function(x + eps * t) - function(x - eps * t)) / (2 * eps)
    assert torch.allclose(tangent, expected, rtol=1e-6, atol=1e-7)


def test_writes_to_a_dual_and_its_views_share_one_tangent():
    x = double(0.0, 0.0, 0.0)
    view = x[1:]
    with forward_ad.dual_level():
        view.copy_(forward_ad.make_dual(double(2.0, 3.0), double(5.0, 7.0)))
        view.mul_(view)
        assert forward_ad.unpack_dual(x).tangent.tolist() == [0.0, 20.0, 42.0]
    assert forward_ad.unpack_dual(x).tangent is None


def test_forward_over_reverse_is_a_hessian_vector_product():
    x, t = double(1.0, 2.0, grad=True), double(1.0, -1.0)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, t)
        (first,) = torch.autograd.grad((dual**3).sum(), dual, create_graph=True)
        assert forward_ad.unpack_dual(first).tangent.tolist() == [6.0, -12.0]


def test_levels_do_not_nest():
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match="Nested forward mode"), forward_ad.dual_level():
        pass
    with pytest.raises(RuntimeError, match="no level exists"):
        forward_ad.make_dual(double(1.0), double(1.0))


class WrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return 3 * gradient * ctx.saved_tensors[0]


def test_gradcheck_sees_inputs_that_the_function_holds_itself():
    layer = torch.nn.Linear(2, 1).double()
    x, before = double(1.0, 2.0), layer.weight.tolist()
    assert gradcheck(lambda *parameters: layer(x).exp(), tuple(layer.parameters()))
    assert layer.weight.tolist() == before


@pytest.mark.parametrize("fast_mode", [False, True])
def test_gradcheck_finds_the_wrong_gradient(fast_mode):
    x = double(0.5, 1.5, grad=True)
    assert gradcheck(torch.sin, x, fast_mode=fast_mode, check_forward_ad=True)
    assert gradgradcheck(torch.sin, x, fast_mode=fast_mode)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(WrongGradient.apply, x, fast_mode=fast_mode)
    assert not gradcheck(WrongGradient.apply, x, fast_mode=fast_mode, raise_exception=False)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoint_runs_twice_draws_the_same_and_gives_the_same_gradient(reentrant):
    runs = []

    def function(x):
        runs.append(None)
        return torch.nn.functional.dropout(x.sin(), 0.5) * x

    x = torch.linspace(0.1, 2.0, 20).requires_grad_()
    torch.manual_seed(3)
    function(x).sum().backward()
    expected, x.grad = x.grad, None
    torch.manual_seed(3)
    y = checkpoint(function, x, use_reentrant=reentrant)
    torch.manual_seed(99)
    y.sum().backward()
    assert len(runs) == 3
    assert torch.equal(x.grad, expected)


def test_checkpoint_keeps_less():
    def deep(x):
        for _ in range(20):
            x = x.sin()
        return x

    def kept(function):
        count = [0]

        def pack(tensor):
            count[0] += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            function(torch.ones(10, requires_grad=True))
        return count[0]

    assert kept(deep) == 200
    # of a checkpointed call the arguments only; the numbers it keeps in place of other tensors never reach the outer hooks
    assert kept(lambda x: checkpoint(deep, x, use_reentrant=False)) == 10


def test_checkpoint_notices_that_the_function_did_something_else():
    first = [True]

    def fickle(x):
        if first:
            first.clear()
            return x.sin().exp()
        return x.sin()

    y = checkpoint(fickle, torch.ones(3, requires_grad=True), use_reentrant=False)
    with pytest.raises(RuntimeError, match="A different number of tensors was saved"):
        y.sum().backward()


def test_anomaly_mode_shows_the_line_of_the_forward_pass():
    x = double(0.0, grad=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()  # this line is to blame
            with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"):
                y.backward()
    assert any("this line is to blame" in str(each.message) for each in caught)


def test_inference_tensors_stay_out_of_graphs():
    with torch.inference_mode():
        a = torch.ones(2)
        assert a.is_inference() and not torch.is_grad_enabled()
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        x * a
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        a.add_(1)
    assert (x * a.clone()).requires_grad
    assert (a * 2).tolist() == [2.0, 2.0]


def test_functional_products_agree_with_the_matrices():
    functional = torch.autograd.functional
    x, v = double(0.5, 1.5, 2.5), double(1.0, 2.0, -1.0)

    def vector(x):
        return x.sin() * x.sum()

    def scalar(x):
        return (x**3).prod()

    jacobian, hessian = functional.jacobian(vector, x), functional.hessian(scalar, x)
    assert torch.allclose(functional.vjp(vector, x, v)[1], v @ jacobian)
    assert torch.allclose(functional.jvp(vector, x, v)[1], jacobian @ v)
    assert torch.allclose(functional.vhp(scalar, x, v)[1], v @ hessian)
    assert torch.allclose(functional.hvp(scalar, x, v)[1], hessian @ v)
    forward = functional.jacobian(vector, x, vectorize=True, strategy="forward-mode")
    assert torch.allclose(forward, jacobian)
    assert math.isclose(jacobian[0, 0].item(), math.cos(0.5) * 4.5 + math.sin(0.5))


def test_the_level_and_the_mode_of_tangents_can_be_asked_for():
    fwAD = forward_ad
    assert fwAD._current_level == -1
    with forward_ad.dual_level():
        assert fwAD._current_level == 0
        with fwAD._set_fwd_grad_enabled(False):
            assert not fwAD._is_fwd_grad_enabled()
        assert fwAD._is_fwd_grad_enabled()
    assert fwAD._current_level == -1


def test_gradcheck_is_the_function_also_after_its_module_was_imported():
    code = (
        "import rushlight.autograd.gradcheck, rushlight as torch\n"
        "from rushlight.autograd.gradcheck import GradcheckError\n"
        "x = torch.ones(2, dtype=torch.float64, requires_grad=True)\n"
        "assert torch.autograd.gradcheck(torch.sin, (x,)) and torch.autograd.gradgradcheck(torch.sin, (x,))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


def test_products_are_differentiable_by_the_vector_too_and_take_single_numbers():
    functional = torch.autograd.functional
    x, v = double(1.0, 2.0, grad=True), double(3.0, 5.0, grad=True)
    for product in (functional.vjp, functional.jvp):
        _, found = product(lambda x: x**2, x, v, create_graph=True)
        assert torch.autograd.grad(found.sum(), v)[0].tolist() == [2.0, 4.0]
    for product in (functional.vhp, functional.hvp):
        _, found = product(lambda x: (x**2).sum(), x, v, create_graph=True)
        assert torch.autograd.grad(found.sum(), v)[0].tolist() == [2.0, 2.0]
    number = torch.tensor(3.0)
    for options in ({}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        assert functional.jacobian(lambda x: x * x, number, **options).item() == 6.0
    assert torch.func.jacrev(lambda x: x * x)(number).item() == torch.func.jacfwd(lambda x: x * x)(number).item() == 6.0


def test_random_numbers_have_no_tangent():
    ones = torch.ones(3)
    with forward_ad.dual_level():
        written = forward_ad.make_dual(ones.clone(), ones.clone()).exponential_()
        drawn = torch.poisson(forward_ad.make_dual(ones, ones))
        assert forward_ad.unpack_dual(written).tangent.tolist() == [0, 0, 0]
        assert forward_ad.unpack_dual(drawn).tangent.tolist() == [0, 0, 0]


def test_duals_are_shown_with_their_tangents_and_refused_where_they_cannot_go():
    x, t = double(1.0, 2.0), double(3.0, 4.0)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, t)
        assert repr(dual) == (
            "tensor([1., 2.], dtype=torch.float64,\n       tangent=tensor([3., 4.], dtype=torch.float64))"
        )
        assert "tangent" not in repr(x) + repr(t)
        with pytest.raises(RuntimeError, match="itself has a forward gradient at the same level0"):
            forward_ad.make_dual(x, dual)
        for target, given in ((dual, x), (double(0.0, 0.0), dual)):
            with pytest.raises(NotImplementedError, match="because it is an out= function"):
                torch.add(given, x, out=target)
        copy = dual.clone()
        assert copy.detach_() is copy and forward_ad.unpack_dual(copy).tangent is None
