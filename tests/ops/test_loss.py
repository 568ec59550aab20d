"""Losses: derivatives to second order, reductions, names, refusals."""

import warnings

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)
X, T = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
P, Q = rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(0.1, 0.9, (3, 4))
CLASSES = torch.tensor([0, 3, 1])
SIGNS = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)

PAIRS = {
    "mse_loss": (F["mse_loss"], X, T),
    "l1_loss": (F["l1_loss"], X, T),
    "smooth_l1_loss": (lambda x, t, **k: F["smooth_l1_loss"](x, t, beta=0.7, **k), X, T),
    "huber_loss": (lambda x, t, **k: F["huber_loss"](x, t, delta=0.7, **k), X, T),
    "binary_cross_entropy": (F["binary_cross_entropy"], P, Q),
    "binary_cross_entropy_with_logits": (F["binary_cross_entropy_with_logits"], X, Q),
    "soft_margin_loss": (lambda x, **k: F["soft_margin_loss"](x, torch.tensor(T), **k), X),
    "kl_div": (F["kl_div"], X, P),
    "kl_div_log": (lambda x, t, **k: F["kl_div"](x, t, log_target=True, **k), X, T),
    "poisson_nll_loss": (lambda x, t, **k: F["poisson_nll_loss"](x, t, **k), X, P),
    "gaussian_nll_loss": (lambda x, t, v, **k: F["gaussian_nll_loss"](x, t, v, full=True, **k), X, T, P),
    "nll_loss": (lambda x, **k: F["nll_loss"](x, CLASSES, **k), X),
    "cross_entropy": (lambda x, **k: F["cross_entropy"](x, CLASSES, **k), X),
    "cross_entropy_smoothed": (
        lambda x, **k: F["cross_entropy"](x, CLASSES, torch.tensor(P[0]), label_smoothing=0.2, **k),
        X,
    ),
    "cross_entropy_soft": (F["cross_entropy"], X, Q),
    "multi_margin_loss": (lambda x, **k: F["multi_margin_loss"](x, CLASSES, p=2, **k), X),
    "multilabel_margin_loss": (
        lambda x, **k: F["multilabel_margin_loss"](x, torch.tensor([[0, 2, -1, 0]] * 3), **k),
        X,
    ),
    "multilabel_soft_margin_loss": (F["multilabel_soft_margin_loss"], X, Q),
    "hinge_embedding_loss": (lambda x, **k: F["hinge_embedding_loss"](x, SIGNS.unsqueeze(1), **k), X),
    "margin_ranking_loss": (
        lambda x, y, **k: F["margin_ranking_loss"](x, y, SIGNS.unsqueeze(1), margin=0.5, **k),
        X,
        T,
    ),
    "cosine_embedding_loss": (lambda x, y, **k: F["cosine_embedding_loss"](x, y, SIGNS, **k), X, T),
    "triplet_margin_loss": (lambda a, p, n, **k: F["triplet_margin_loss"](a, p, n, **k), X, T, P),
    "linear_cross_entropy": (
        lambda x, w, **k: F["linear_cross_entropy"](x, w, CLASSES, **k),
        X,
        rng.standard_normal((5, 4)),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_derivatives(name, reduction):
    function, *arrays = PAIRS[name]
    once = name in ("multi_margin_loss", "multilabel_margin_loss")  # the rest as in PyTorch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(lambda *a: function(*a, reduction=reduction), *arrays, second=not once)
    if once:
        x = torch.tensor(arrays[0], requires_grad=True)
        (g,) = torch.autograd.grad(function(x, reduction=reduction).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match=f"derivative for aten::{name}_backward is not implemented"):
            g.sum().backward()


def test_reductions_are_of_the_elements():
    x, t = torch.tensor(X), torch.tensor(T)
    for name in ("mse_loss", "huber_loss", "smooth_l1_loss", "l1_loss"):
        each = F[name](x, t, reduction="none").numpy()
        assert F[name](x, t).item() == pytest.approx(each.mean())
        assert F[name](x, t, reduction="sum").item() == pytest.approx(each.sum())


def test_weights_and_positive_weights_of_logits():
    def call(x, w, p):
        return F["binary_cross_entropy_with_logits"](x, torch.tensor(Q), w, pos_weight=p)

    check(call, X, P, P[0] + 1)


def test_cross_entropy_of_indices_and_of_their_one_hot_rows_agree():
    x = torch.tensor(rng.standard_normal((2, 3, 4)))
    t = torch.tensor(rng.integers(0, 3, (2, 4)))
    w = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    soft = F["one_hot"](t, 3).permute(0, 2, 1).to(torch.float64)
    for smoothing in (0.0, 0.3):
        hard = F["cross_entropy"](x, t, w, reduction="none", label_smoothing=smoothing)
        other = F["cross_entropy"](x, soft, w, reduction="none", label_smoothing=smoothing)
        np.testing.assert_allclose(hard.numpy(), other.numpy())


def test_ignored_targets_count_for_nothing():
    x = torch.tensor(X, requires_grad=True)
    t = torch.tensor([0, -100, 1])
    loss = F["cross_entropy"](x, t)
    loss.backward()
    assert loss.item() == pytest.approx(F["cross_entropy"](x[::2], t[::2]).item())
    np.testing.assert_array_equal(x.grad.numpy()[1], 0)


def test_distances():
    def squares(p):
        return lambda a, b: torch.cdist(a, b, p)

    for p in (1.5, 2.0, 3.0):
        check(squares(p), X, T[:2], second=False)
    check(lambda a, b: torch.cdist(a, b, compute_mode="use_mm_for_euclid_dist"), X, T[:2])
    check(lambda a: torch.pdist(a, 2.0), X, second=False)
    for name, function in (("_cdist", lambda x: torch.cdist(x, x[:1].detach(), 3.0)), ("_pdist", torch.pdist)):
        x = torch.tensor(X, requires_grad=True)
        (g,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
        with pytest.raises(NotImplementedError, match=f"the derivative for '{name}_backward' is not implemented."):
            g.sum().backward()
        with pytest.raises(NotImplementedError, match=f"Trying to use forward AD with {name}_forward"):
            torch.func.jvp(function, (x,), (x,))
    check(torch.pairwise_distance, X, T)
    check(torch.cosine_similarity, X, T)


def test_the_distance_of_a_point_to_itself_has_gradient_zero():
    x = torch.tensor(X, requires_grad=True)
    torch.cdist(x, x.detach()).diagonal().sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_ctc_reductions_and_its_only_derivative():
    logs = torch.tensor(rng.standard_normal((5, 2, 3)), requires_grad=True)
    targets = torch.tensor([[1, 2], [2, 0]])

    def call(z, **k):
        return F["ctc_loss"](torch.log_softmax(z, -1), targets, (5, 4), torch.tensor([2, 1]), **k)

    each = call(logs, reduction="none")
    assert call(logs).item() == pytest.approx(float((each.detach().numpy() / [2, 1]).mean()))
    from tests.ops.second_order import _numeric, _value

    g = np.array([0.3, -0.7])
    (found,) = torch.autograd.grad(each, logs, torch.tensor(g))
    expected = _numeric(lambda m: _value(lambda z: call(z, reduction="none"), m, g), [logs.detach().numpy()], 0)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_names_of_nodes():
    x = torch.tensor(X, requires_grad=True)
    loss = F["cross_entropy"](x, CLASSES)
    assert node(loss) == "NllLossBackward0"
    assert loss.grad_fn.next_functions[0][0].name() == "LogSoftmaxBackward0"
    assert node(F["mse_loss"](x, torch.tensor(T))) == "MseLossBackward0"


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "soft_margin_loss", "hinge_embedding_loss"])
def test_an_unknown_reduction(name):
    with pytest.raises(ValueError, match="abc is not a valid value for reduction"):
        F[name](torch.tensor(X), torch.tensor(T), reduction="abc")


def test_the_older_arguments_still_mean_what_they_meant():
    x, t = torch.tensor(X), torch.tensor(T)
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert F["mse_loss"](x, t, size_average=False).item() == F["mse_loss"](x, t, reduction="sum").item()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_chunks_of_rows_is_that_of_all(reduction, weighted):
    torch.manual_seed(0)
    x, scores, bias = (
        torch.randn(7, 3, dtype=torch.float64),
        torch.randn(5, 3, dtype=torch.float64),
        torch.randn(5, dtype=torch.float64),
    )
    classes = torch.tensor([0, 4, 2, 1, 3, 2, 0])
    weight = torch.rand(5, dtype=torch.float64) if weighted else None
    for each in (x, scores, bias):
        each.requires_grad_()
    made = []
    for options in (None, torch.nn.LinearCrossEntropyOptions(batch_chunk_size=3)):
        loss = F["linear_cross_entropy"](
            *(x, scores, classes),
            **dict(linear_bias=bias, weight=weight, reduction=reduction, ignore_index=2, options=options),
        )
        made.append((loss, *torch.autograd.grad(loss.sum() * 3, (x, scores, bias))))
    for whole, chunked in zip(*made):
        assert torch.allclose(whole, chunked, rtol=1e-12)
    with torch.no_grad():
        alone = F["linear_cross_entropy"](
            *(x, scores, classes),
            **dict(linear_bias=bias, weight=weight, reduction=reduction, ignore_index=2, options=options),
        )
    assert torch.allclose(alone, made[1][0])


@pytest.mark.parametrize(
    ("name", "argument", "call"),
    [
        ("soft_margin_loss", "target", lambda x, w: F["soft_margin_loss"](x[:, 0], w[:1])),
        ("nll_loss_forward", "weight", lambda x, w: F["nll_loss"](x, torch.tensor([0, 1]), weight=w)),
        (
            "nll_loss_forward",
            "weight",
            lambda x, w: F["cross_entropy"](x, torch.tensor([0, 1]), w, label_smoothing=0.1),
        ),
        ("nll_loss2d_forward", "weight", lambda x, w: F["nll_loss"](x[..., None], torch.tensor([[0], [1]]), weight=w)),
        ("multi_margin_loss", "weight", lambda x, w: F["multi_margin_loss"](x, torch.tensor([0, 1]), weight=w)),
        ("binary_cross_entropy", "weight", lambda x, w: F["binary_cross_entropy"](x, x.detach(), weight=w)),
        ("native_batch_norm", "running_mean", lambda x, w: F["batch_norm"](x, w, torch.ones(2))),
    ],
)
def test_arguments_without_a_derivative_must_not_require_grad(name, argument, call):
    x, w = torch.full((2, 2), 0.5, requires_grad=True), torch.ones(2, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=f"The function '{name}' is not differentiable with respect to argument '{argument}'"
    ):
        call(x, w)
    with torch.no_grad():
        call(x, w)
    call(x, w.detach())
