"""vjp, jvp, vhp, hvp, jacobian, hessian and batched gradients, with every option and refusal."""

# ruff: noqa: B023 - every function runs as soon as it is made

import importlib

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import difference, outcome  # noqa: E402

# what is known to differ, and why
KNOWN = {
    "jacv 58": "columns that do not depend on the input are plain zeros here, zeros with a graph there",
    "hesv 59": "the same",
    "jacv 81": "the same",
    "hesv 82": "the same",
    "bat bad": "PyTorch's text shows the shape of the batched stand-in, not that of the cotangent",
}


def happenings(torch):  # noqa: F811 - each library in turn
    """Every result of a script, by a name made of what it calls and how many came before."""
    found = {}

    def t(name, function):
        found[f"{name} {len(found)}"] = outcome(lambda log: show(wrapped(function)))

    af = importlib.import_module(torch.__name__ + ".autograd.functional")

    def show(x):
        if isinstance(x, torch.Tensor):
            return (x.tolist() if x.numel() < 40 else round(x.sum().item(), 4), x.requires_grad)
        if isinstance(x, (tuple, list)):
            return tuple(map(show, x))
        return x

    D = torch.float64

    def wrapped(f):
        return f()

    x = torch.tensor([1.0, 2.0], dtype=D)
    y = torch.tensor([3.0, 4.0], dtype=D)

    def f1(a):
        return a * a * a

    def f2(a, b):
        return (a * b, a.sum())

    def s1(a):
        return (a**3).sum()

    def s2(a, b):
        return (a**2 * b).sum()

    v = torch.tensor([1.0, -1.0], dtype=D)
    for strict in (False, True):
        for cg in (False, True):
            for rg in (False, True):
                X = x.clone().requires_grad_(rg)
                Y = y.clone().requires_grad_(rg)
                k = dict(create_graph=cg, strict=strict)
                t(("vjp", strict, cg, rg), lambda: af.vjp(f1, X, v, **k))
                t("vjp2", lambda: af.vjp(f2, (X, Y), (v, torch.tensor(2.0, dtype=D)), **k))
                t("jvp", lambda: af.jvp(f1, X, v, **k))
                t("jvp2", lambda: af.jvp(f2, (X, Y), (v, v), **k))
                t("vhp", lambda: af.vhp(s1, X, v, **k))
                t("vhp2", lambda: af.vhp(s2, (X, Y), (v, v), **k))
                t("hvp", lambda: af.hvp(s1, X, v, **k))
                t("hvp2", lambda: af.hvp(s2, (X, Y), (v, v), **k))
                t("jac", lambda: af.jacobian(f1, X, **k))
                t("jac2", lambda: af.jacobian(f2, (X, Y), **k))
                t("hes", lambda: af.hessian(s1, X, **k))
                t("hes2", lambda: af.hessian(s2, (X, Y), **k))
                t("jacv", lambda: af.jacobian(f2, (X, Y), vectorize=True, **k))
                t("hesv", lambda: af.hessian(s2, (X, Y), vectorize=True, **k))
                t("jacf", lambda: af.jacobian(f2, (X, Y), vectorize=True, strategy="forward-mode", **k))
                t("hesf", lambda: af.hessian(s2, (X, Y), vectorize=True, outer_jacobian_strategy="forward-mode", **k))
                t("jacf nv", lambda: af.jacobian(f2, (X, Y), strategy="forward-mode", **k))
                t("lin", lambda: af.hvp(lambda a: a.sum(), X, v, **k))
                t("linh", lambda: af.hessian(lambda a: a.sum(), X, **k))
                t("indep", lambda: af.vjp(lambda a, b: a, (X, Y), v, **k))
                t("indepj", lambda: af.jacobian(lambda a, b: a, (X, Y), **k))
                t("det", lambda: af.vjp(lambda a: a.detach(), X, v, **k))
                t("jdet", lambda: af.jvp(lambda a: a.detach(), X, v, **k))
    t("badv", lambda: af.vjp(f1, x, v[:1]))
    t("badv2", lambda: af.vjp(f2, (x, y), v))
    t("nov", lambda: af.vjp(f1, x))
    t("nov ok", lambda: af.vjp(s1, x))
    t("nov j", lambda: af.jvp(f1, x))
    t("nov j ok", lambda: af.jvp(f1, x[:1]))
    t("nonT", lambda: af.vjp(f1, 3))
    t("nonT2", lambda: af.vjp(f2, (x, 3)))
    t("outs", lambda: af.vjp(lambda a: 3, x))
    t("vhp nonscalar", lambda: af.vhp(f1, x, v))
    t("hvp tuple", lambda: af.hvp(f2, (x, y), (v, v)))
    t("hes nonscalar", lambda: af.hessian(f1, x))
    t("strat", lambda: af.jacobian(f1, x, strategy="z"))
    t("vhp tuple1", lambda: af.vhp(lambda a: (a.sum(),), x, v))
    t("hvpnov", lambda: af.hvp(lambda a: (a**3).sum(), x[:1]))
    X = x.clone().requires_grad_()
    t("bat", lambda: torch.autograd.grad(X * X, X, torch.eye(2, dtype=D), is_grads_batched=True))
    t("bat bad", lambda: torch.autograd.grad(X * X, X, torch.ones(3, 3, dtype=D), is_grads_batched=True))
    t(
        "bat cg",
        lambda: torch.autograd.grad(X * X * X, X, torch.eye(2, dtype=D), is_grads_batched=True, create_graph=True),
    )
    t(
        "bat none",
        lambda: torch.autograd.grad(
            X * X, (X, y.clone().requires_grad_()), torch.eye(2, dtype=D), is_grads_batched=True, allow_unused=True
        ),
    )
    return found


def test_as_pytorch():
    import rushlight

    theirs, ours = happenings(torch), happenings(rushlight)
    assert list(theirs) == list(ours)
    sentences = [f"{name}: {difference(theirs[name], ours[name])}" for name in theirs]
    sentences = [each for each in sentences if not each.endswith(": None")]
    sentences = [each for each in sentences if not any(each.startswith(known) for known in KNOWN)]
    assert not sentences, "\n".join(sentences)
