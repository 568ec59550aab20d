"""The update rules against their formulas, and the ways they are run: arrays, tensors, blocks, threads."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.optim import _elementwise

GRADS = np.array([[0.5, -1.0, 2.0], [0.25, 3.0, -0.125], [1.0, 1.0, -2.0], [-0.5, 0.0, 1.5]])
START = np.array([1.0, -2.0, 3.0])


def run(kind, *, dtype=torch.float64, start=START, grads=GRADS, **options):
    """The parameter after a step with each gradient, and the optimiser."""
    p = torch.nn.Parameter(torch.tensor(start, dtype=dtype))
    optim = getattr(torch.optim, kind)([p], **options)
    for grad in grads:
        p.grad = torch.tensor(grad, dtype=dtype)
        optim.step()
    return p, optim


def test_sgd_with_momentum():
    p, velocity = START.copy(), None
    for g in GRADS:
        g = g + 0.1 * p
        velocity = g if velocity is None else 0.9 * velocity + 0.5 * g
        p = p - 0.2 * velocity
    made, _ = run("SGD", lr=0.2, momentum=0.9, dampening=0.5, weight_decay=0.1)
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_nesterov():
    p, velocity = START.copy(), None
    for g in GRADS:
        velocity = g if velocity is None else 0.9 * velocity + g
        p = p - 0.2 * (g + 0.9 * velocity)
    made, _ = run("SGD", lr=0.2, momentum=0.9, nesterov=True)
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_adam(kind, amsgrad):
    p, m, v, top = START.copy(), 0, 0, 0
    for t, g in enumerate(GRADS, 1):
        if kind == "AdamW":
            p = p * (1 - 0.1 * 0.05)
        else:
            g = g + 0.05 * p
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        top = np.maximum(top, v)
        used = top if amsgrad else v
        p = p - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(used / (1 - 0.95**t)) + 1e-6)
    made, _ = run(kind, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05, amsgrad=amsgrad)
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_adagrad():
    p, total = START.copy(), 0.25
    for t, g in enumerate(GRADS):
        total = total + g * g
        p = p - 0.3 / (1 + t * 0.1) * g / (np.sqrt(total) + 1e-10)
    made, _ = run("Adagrad", lr=0.3, lr_decay=0.1, initial_accumulator_value=0.25)
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_rmsprop_centered_with_momentum():
    p, v, m, buffer = START.copy(), 0, 0, 0
    for g in GRADS:
        v, m = 0.9 * v + 0.1 * g * g, 0.9 * m + 0.1 * g
        buffer = 0.5 * buffer + g / (np.sqrt(v - m * m) + 1e-8)
        p = p - 0.01 * buffer
    made, _ = run("RMSprop", lr=0.01, alpha=0.9, centered=True, momentum=0.5)
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-10)


def test_adadelta():
    p, v, u = START.copy(), 0, 0
    for g in GRADS:
        v = 0.9 * v + 0.1 * g * g
        move = np.sqrt(u + 1e-6) / np.sqrt(v + 1e-6) * g
        u = 0.9 * u + 0.1 * move * move
        p = p - move
    made, _ = run("Adadelta")
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_adamax():
    p, m, u = START.copy(), 0, 0
    for t, g in enumerate(GRADS, 1):
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g) + 1e-8)
        p = p - 0.002 / (1 - 0.9**t) * m / u
    made, _ = run("Adamax")
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_asgd_averages_from_t0_on():
    made, optim = run("ASGD", lr=0.1, lambd=0.0, alpha=0.0, t0=2)
    trace = START - 0.1 * np.cumsum(GRADS, 0)
    # the average is the parameter until the share it takes drops below one, after step t0 + 2
    np.testing.assert_allclose(made.detach().numpy(), trace[-1], rtol=1e-6)
    np.testing.assert_allclose(optim.state[made]["ax"].numpy(), trace[-1], rtol=1e-6)
    assert optim.state[made]["mu"].item() == 0.5


def test_rprop_steps_by_sign():
    made, optim = run("Rprop", lr=0.1, grads=[[1.0, -1.0, 2.0], [3.0, 1.0, 0.0]])
    assert optim.state[made]["step_size"].tolist() == pytest.approx([0.12, 0.05, 0.1])
    assert made.tolist() == pytest.approx([1 - 0.1 - 0.12, -2 + 0.1, 3 - 0.1])


def test_radam_is_plain_momentum_at_first():
    p, m = START.copy(), 0
    for t, g in enumerate(GRADS, 1):
        m = 0.9 * m + 0.1 * g
        p = p - 0.001 * m / (1 - 0.9**t)
    made, _ = run("RAdam")
    np.testing.assert_allclose(made.detach().numpy(), p, rtol=1e-12)


def test_muon_moves_along_an_orthogonal_matrix():
    grad = np.diag([3.0, 0.5])
    p, _ = run("Muon", start=np.zeros((2, 2)), grads=[grad], weight_decay=0, lr=1.0, dtype=torch.float32)
    moved = -p.detach().numpy()
    assert np.all((np.diag(moved) > 0.6) & (np.diag(moved) < 1.3)) and abs(moved[0, 1]) < 1e-2
    with pytest.raises(ValueError, match="only supports 2D"):
        torch.optim.Muon([torch.nn.Parameter(torch.ones(3))])


def test_adafactor_keeps_a_row_and_a_column():
    start = np.ones((3, 4))
    p, optim = run("Adafactor", start=start, grads=[np.full((3, 4), 2.0)])
    assert [tuple(optim.state[p][key].shape) for key in ("row_var", "col_var")] == [(3, 1), (1, 4)]
    # the squares are all equal, so the update is one, times the parameter's size and the largest relative step
    np.testing.assert_allclose(p.detach().numpy(), start - 0.01, rtol=1e-6)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_finds_the_minimum_of_rosenbrocks_function(search):
    p = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    optim = torch.optim.LBFGS([p], lr=1 if search else 0.1, max_iter=100, line_search_fn=search)

    def closure():
        optim.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    for _ in range(1 if search else 20):
        first = optim.step(closure)
    assert p.tolist() == pytest.approx([1, 1], abs=1e-4)
    assert first.requires_grad


def test_sparse_adam_says_that_gradients_are_dense():
    with pytest.raises(RuntimeError, match="does not support dense gradients, please consider Adam"):
        run("SparseAdam")
    with pytest.raises(NotImplementedError, match="no sparse tensors"):
        torch.optim._functional.sparse_adam([], [1], [], [], [], eps=1, beta1=0, beta2=0, lr=1, maximize=False)


# ------------------------------------------------------------------------------------------------- how rules are run

KINDS = ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta", "Adamax", "ASGD", "Rprop", "NAdam", "RAdam"]


@pytest.mark.parametrize("kind", KINDS)
def test_tensor_operators_and_arrays_agree(kind, monkeypatch):
    options = {"weight_decay": 0.1} if kind != "Rprop" else {}
    direct, _ = run(kind, **options)
    monkeypatch.setattr(_elementwise, "_arrays", lambda row: None)
    by_tensors, _ = run(kind, **options)
    np.testing.assert_allclose(by_tensors.detach().numpy(), direct.detach().numpy(), rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_large_parameters_are_updated_in_blocks_to_the_same_numbers(kind, monkeypatch):
    random = np.random.RandomState(0)
    start, grads = random.randn(300, 401), random.randn(3, 300, 401)
    in_blocks, _ = run(kind, start=start, grads=grads, dtype=torch.float32)
    monkeypatch.setattr(_elementwise, "LARGE", 1 << 40)
    whole, _ = run(kind, start=start, grads=grads, dtype=torch.float32)
    assert torch.equal(in_blocks, whole)


@pytest.mark.parametrize("layout", ["transposed", "sliced"])
def test_large_parameters_of_other_layouts(layout):
    random = np.random.RandomState(0)
    base = torch.tensor(random.randn(400, 302))
    start = base.T if layout == "transposed" else base[:, ::2]
    p = torch.nn.Parameter(start)
    grad = torch.tensor(random.randn(*start.shape))
    p.grad = grad
    before = p.detach().clone()
    torch.optim.Adam([p], lr=0.1).step()
    expected, _ = run("Adam", start=before.numpy(), grads=[grad.numpy()], lr=0.1)
    assert torch.allclose(p, expected, rtol=1e-13)
    # the parameter shares the memory it was made of
    assert torch.equal(p, base.T if layout == "transposed" else base[:, ::2])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_state_has_the_parameters_dtype(dtype):
    p, optim = run("Adam", dtype=dtype, lr=0.1)
    assert optim.state[p]["exp_avg"].dtype is dtype and optim.state[p]["step"].dtype is torch.float32
    expected, _ = run("Adam", lr=0.1)
    assert torch.allclose(p.double(), expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_complex_parameters_are_pairs_of_reals(kind):
    start, grads = START + 1j * START[::-1], GRADS + 1j * GRADS[::-1]
    both, _ = run(kind, start=start, grads=grads, dtype=torch.complex128)
    real, _ = run(kind, start=start.real, grads=grads.real)
    imaginary, _ = run(kind, start=start.imag, grads=grads.imag)
    np.testing.assert_allclose(both.detach().numpy(), real.detach().numpy() + 1j * imaginary.detach().numpy())


def test_parameters_that_share_memory_with_read_only_arrays_are_refused():
    array = np.ones(3)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        p = torch.from_numpy(array).requires_grad_()
    p.grad = torch.ones(3, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="read-only"):
        torch.optim.SGD([p], lr=1.0).step()
    assert array.tolist() == [1, 1, 1]


def test_expanded_parameters_are_refused():
    p = torch.ones(1).expand(3).requires_grad_()
    p.grad = torch.ones(3)
    with pytest.raises(RuntimeError, match="more than one element"):
        torch.optim.SGD([p], lr=1.0).step()


def test_an_expanded_gradient_is_read_as_it_is():
    p = torch.nn.Parameter(torch.ones(3))
    p.sum().backward()
    torch.optim.Adam([p], lr=0.5).step()
    assert p.tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_zero_dimensional_and_empty_parameters():
    p, q = torch.nn.Parameter(torch.tensor(2.0)), torch.nn.Parameter(torch.ones(0, 3))
    p.grad, q.grad = torch.tensor(1.0), torch.ones(0, 3)
    for kind in KINDS:
        optim = getattr(torch.optim, kind)([p, q], lr=0.1)
        before = p.item()
        optim.step()
        assert p.item() < before and p.shape == () and optim.state_dict()["param_groups"][0]["params"] == [0, 1]


def test_a_step_counts_as_a_write_and_is_named_when_it_does_harm():
    p = torch.nn.Parameter(torch.ones(2))
    optim = torch.optim.Adam([p])
    loss = (p * p).sum()
    p.grad = torch.ones(2)
    optim.step()
    assert p._version == 1
    with pytest.raises(RuntimeError, match=r"(?s)at version 1; expected version 0.*last written to in .*test_rules.py"):
        loss.backward()


def test_rates_that_are_tensors():
    rate = torch.tensor(0.1, dtype=torch.float64)
    by_tensor, _ = run("Adam", lr=rate)
    by_number, _ = run("Adam", lr=0.1)
    assert torch.allclose(by_tensor, by_number, rtol=1e-12)
    assert run("SGD", lr=torch.tensor([0.5]))[0].shape == (3,)


def test_gradients_flow_through_a_differentiable_step():
    rate = torch.tensor(0.1, requires_grad=True)
    start = torch.tensor([1.0, 2.0], requires_grad=True)
    p = start.clone()
    optim = torch.optim.SGD([p], lr=rate, differentiable=True)
    for _ in range(2):
        p.grad = torch.autograd.grad((p * p).sum(), p, create_graph=True)[0]
        optim.step()
    # p after two steps is start * (1 - 2 lr)^2
    slopes = torch.autograd.grad(p.sum(), (start, rate))
    assert slopes[0].tolist() == pytest.approx([0.64, 0.64])
    assert slopes[1].item() == pytest.approx(3 * 2 * 0.8 * -2)


def test_options_of_accelerators_say_where_they_work():
    p = torch.nn.Parameter(torch.ones(2))
    optim = torch.optim.Adam([p], capturable=True)
    p.grad = torch.ones(2)
    with pytest.raises(AssertionError, match="must be on supported devices"):
        optim.step()
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        torch.optim.Adam([p], fused=True, foreach=True)
    for way in ({"fused": True}, {"foreach": True}):
        q = torch.nn.Parameter(torch.ones(2))
        q.grad = torch.ones(2)
        torch.optim.AdamW([q], **way).step()
        assert q.tolist() == pytest.approx([0.99899, 0.99899])


def test_the_functional_form_writes_in_place():
    p, g, m, v, step = (torch.ones(2), torch.ones(2), torch.zeros(2), torch.zeros(2), torch.zeros(()))
    options = dict(amsgrad=False, beta1=0.9, beta2=0.999, lr=0.1, weight_decay=0, eps=1e-8, maximize=True)
    torch.optim.adam.adam([p], [g], [m], [v], [], [step], **options)
    assert p.tolist() == pytest.approx([1.1, 1.1]) and step.item() == 1 and m.tolist() == pytest.approx([-0.1, -0.1])
