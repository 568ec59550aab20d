"""``torch.func`` beside PyTorch: the same calls on both, with values, structures, and texts of errors and warnings compared."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import rushlight

SIDES = (rushlight, torch)


def numbers(value):
    """A result with arrays for tensors."""
    if hasattr(value, "detach"):
        return value.detach().numpy()
    if isinstance(value, dict):
        return {key: numbers(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *[numbers(each) for each in value]]
    return value


def same(a, b):
    if isinstance(a, np.ndarray):
        assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
        np.testing.assert_allclose(
            a, b, rtol=1e-5 if a.dtype == np.float32 else 1e-10, atol=1e-6 if a.dtype == np.float32 else 1e-11
        )
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b):
            same(one, other)
    else:
        assert a == b


def given(torch):
    """The same tensors on either side, and ``torch.func`` as ``f``."""
    random = np.random.RandomState(0)
    return SimpleNamespace(
        x=torch.tensor(random.randn(4, 3)),
        w=torch.tensor(random.randn(3, 2)),
        v=torch.tensor(random.randn(3)),
        f=torch.func,
    )


def outcome(torch, situation):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            torch.manual_seed(0)
            result = numbers(situation(torch, given(torch)))
        except Exception as error:
            return type(error).__name__, str(error)
    told = [str(each.message).partition(" (Triggered")[0] for each in seen if "performance drop" in str(each.message)]
    return result, told


def compare(situation):
    ours, theirs = (outcome(side, situation) for side in SIDES)
    if isinstance(theirs[0], str):
        assert ours == theirs
        return
    assert not isinstance(ours[0], str), ours
    same(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def written(v):
    y = v * 2
    y[0] = v[1] ** 2
    y[1:].mul_(v[1:])
    y.add_(v)
    return y


def filled(torch, v):
    z = torch.zeros(3, dtype=v.dtype)
    z[0] = v[1]
    z[1:] = v[:2] * 2
    return z


VALUES = [
    lambda t, g: g.f.vmap(lambda v: v.sin() * v.sum())(g.x),
    lambda t, g: g.f.vmap(lambda v: v @ g.w, 0, 1)(g.x),
    lambda t, g: g.f.vmap(g.f.grad(lambda v: (v @ g.w).tanh().sum()))(g.x),
    lambda t, g: g.f.vmap(g.f.grad(lambda u, v: (v @ u).tanh().sum()), (None, 0))(g.w, g.x),
    lambda t, g: g.f.grad(lambda u: g.f.vmap(lambda v: (v @ u).tanh().sum())(g.x).sum())(g.w),
    lambda t, g: g.f.vmap(g.f.vmap(lambda a, b: a * b + 1, (0, None)))(g.x, g.x[:, 0]),
    lambda t, g: g.f.jvp(lambda v: v.sin() * v.sum(), (g.x,), (g.x,)),
    lambda t, g: g.f.jvp(lambda v: g.f.jvp(t.sin, (v,), (v,))[1], (g.x,), (g.x,)),
    lambda t, g: g.f.jacrev(lambda v: {"a": v * 2, "b": (v.sum(),)})(g.v),
    lambda t, g: g.f.jacfwd(lambda v: {"a": v * 2, "b": (v.sum(),)})(g.v),
    lambda t, g: g.f.jacrev(lambda a, b: (a * b).sin(), argnums=(0, 1))(g.v, g.v + 1),
    lambda t, g: g.f.jacfwd(lambda a, b: ((a * b).sin(), a), argnums=(1,), has_aux=True)(g.v, g.v + 1),
    lambda t, g: g.f.jacrev(lambda a: (a * g.x, a), has_aux=True, chunk_size=5)(g.v),
    lambda t, g: g.f.hessian(lambda v: (v @ g.w).tanh().sum())(g.v),
    lambda t, g: g.f.jacrev(g.f.jacfwd(lambda v: (v @ g.w).tanh().sum()))(g.v),
    lambda t, g: g.f.vmap(g.f.hessian(lambda v: (v @ g.w).tanh().sum()))(g.x),
    lambda t, g: g.f.grad(lambda v: g.f.jvp(lambda u: (u**3).sum(), (v,), (v,))[1])(g.x),
    lambda t, g: g.f.vmap(written)(g.x),
    lambda t, g: g.f.vmap(g.f.grad(lambda v: (written(v) ** 2).sum()))(g.x),
    lambda t, g: g.f.jvp(written, (g.v,), (g.v,)),
    lambda t, g: g.f.hessian(lambda v: (written(v) ** 2).sum())(g.v),
    lambda t, g: g.f.jacfwd(lambda v: filled(t, v))(g.v),
    lambda t, g: g.f.jacrev(lambda v: filled(t, v))(g.v),
    lambda t, g: g.f.linearize(lambda v: {"a": v.sin() * v.sum()}, g.x)[1](g.x),
    lambda t, g: g.f.vjp(lambda v: (v, {"a": v * v}), g.x)[1]((g.x, {"a": g.x})),
    lambda t, g: g.f.vjp(lambda v: (v * v, {"a": v}), g.x, has_aux=True)[2],
    lambda t, g: g.f.vmap(lambda v: t.histc(v))(g.x),
    lambda t, g: g.f.vmap(lambda v: t.stack([v, v * v]).sort(0, descending=True))(g.x),
    lambda t, g: g.f.vmap(g.f.grad(lambda v, k: t.nn.functional.cross_entropy(v[None], k[None])))(
        g.x, t.tensor([0, 1, 2, 0])
    ),
    lambda t, g: g.f.vmap(lambda v: t.rand(2) + v[0], randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.randn(20) + v[0], randomness="same")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.nn.functional.dropout(v), randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.nn.functional.dropout(v), randomness="same")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.randperm(5), randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: v.clone().normal_(), randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.bernoulli(v.sigmoid()), randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.multinomial(v.sigmoid(), 2), randomness="different")(g.x),
    lambda t, g: g.f.vmap(g.f.vmap(lambda v: t.rand(1) + v, randomness="same"), randomness="different")(g.x),
    lambda t, g: t.autograd.functional.jacobian(lambda v: (v @ g.w).tanh(), g.v, vectorize=True),
    lambda t, g: t.autograd.functional.jacobian(
        lambda v: v.tanh() * v.flip(0), g.v, vectorize=True, strategy="forward-mode"
    ),
    lambda t, g: t.autograd.functional.hessian(lambda v: (v @ g.w).tanh().sum(), g.v, vectorize=True),
]


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_values(number):
    compare(VALUES[number])


def f(v):
    return v


def scalar(v):
    return v.sum()


REFUSED = [
    lambda t, g: g.f.vmap(f)(),
    lambda t, g: g.f.vmap(f, 2)(g.x),
    lambda t, g: g.f.vmap(f, (0, 0))(g.x),
    lambda t, g: g.f.vmap(f, "a")(g.x),
    lambda t, g: g.f.vmap(f, ("a",))(g.x),
    lambda t, g: g.f.vmap(f, [0])(g.x),
    lambda t, g: g.f.vmap(f, None)(g.x),
    lambda t, g: g.f.vmap(f, (None,))(g.x),
    lambda t, g: g.f.vmap(f)(2),
    lambda t, g: g.f.vmap(lambda a, b: a)(g.x, g.x.t()),
    lambda t, g: g.f.vmap(f)(t.tensor(1.0)),
    lambda t, g: g.f.vmap(lambda v: 2)(g.x),
    lambda t, g: g.f.vmap(lambda v: (v, None))(g.x),
    lambda t, g: g.f.vmap(f, out_dims=3)(g.x),
    lambda t, g: g.f.vmap(f, out_dims=(0, 0))(g.x),
    lambda t, g: g.f.vmap(lambda v: (v, v), out_dims=(0,))(g.x),
    lambda t, g: g.f.vmap(f, out_dims="a")(g.x),
    lambda t, g: g.f.vmap(f, out_dims=None)(g.x),
    lambda t, g: g.f.vmap(f, randomness="x")(g.x),
    lambda t, g: g.f.vmap(f, chunk_size=0)(g.x),
    lambda t, g: g.f.vmap(lambda v: v.sum().item())(g.x),
    lambda t, g: g.f.vmap(lambda v: v if v.sum() > 0 else -v)(g.x),
    lambda t, g: g.f.vmap(lambda v: float(v.sum()))(g.x),
    lambda t, g: g.f.vmap(lambda v: v.numpy())(g.x),
    lambda t, g: g.f.vmap(lambda v: v.nonzero())(g.x),
    lambda t, g: g.f.vmap(lambda v: v[v > 0])(g.x),
    lambda t, g: g.f.vmap(lambda v: t.masked_select(v, v > 0))(g.x),
    lambda t, g: g.f.vmap(lambda v: t.unique(v))(g.x),
    lambda t, g: g.f.vmap(lambda v: t.rand(2))(g.x),
    lambda t, g: g.f.vmap(lambda v: t.bernoulli(v), randomness="same")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.ones(3).normal_(), randomness="different")(g.x),
    lambda t, g: g.f.vmap(lambda v: t.zeros(3, dtype=v.dtype).copy_(v))(g.x),
    lambda t, g: g.f.vmap(lambda a, b: a.mul_(b), (None, 0))(g.v, g.x),
    lambda t, g: g.f.vmap(lambda v: t.allclose(v, v))(g.x),
    lambda t, g: g.f.vmap(lambda v: t.equal(v, v))(g.x),
    lambda t, g: g.f.vmap(lambda v: v.requires_grad_())(g.x),
    lambda t, g: g.f.grad(lambda v: v.sum().backward())(g.x),
    lambda t, g: g.f.grad(f)(g.x),
    lambda t, g: g.f.grad(lambda v: 2)(g.x),
    lambda t, g: g.f.grad(lambda v: (v.sum(), v))(g.x),
    lambda t, g: g.f.grad(scalar, has_aux=True)(g.x),
    lambda t, g: g.f.grad(scalar, argnums=2)(g.x),
    lambda t, g: g.f.grad(scalar, argnums=(0, 0))(g.x),
    lambda t, g: g.f.grad(scalar, argnums=())(g.x),
    lambda t, g: g.f.grad(scalar, argnums="a")(g.x),
    lambda t, g: g.f.grad(scalar, argnums=(0, "a"))(g.x),
    lambda t, g: g.f.grad(scalar)(2),
    lambda t, g: g.f.grad(scalar)(t.tensor([1, 2])),
    lambda t, g: g.f.grad(lambda v: v.add_(1).sum())(g.x),
    lambda t, g: g.f.vjp(lambda v: 2, g.x),
    lambda t, g: g.f.vjp(f, g.x)[1](t.ones(2, dtype=t.float64)),
    lambda t, g: g.f.vjp(lambda v: (v, v), g.x)[1](g.x),
    lambda t, g: g.f.vjp(lambda v: (v, v), g.x)[1]([g.x, g.x]),
    lambda t, g: g.f.vjp(f, g.x, has_aux=True),
    lambda t, g: g.f.vjp(lambda v: (), g.x),
    lambda t, g: g.f.jvp(f, g.x, g.x),
    lambda t, g: g.f.jvp(f, (g.x,), (g.x[0],)),
    lambda t, g: g.f.jvp(f, (g.x,), (g.x, g.x)),
    lambda t, g: g.f.jvp(lambda v: 2, (g.x,), (g.x,)),
    lambda t, g: g.f.jvp(f, (), ()),
    lambda t, g: g.f.jvp(lambda v: t.ones(2), (g.x,), (g.x,), strict=True),
    lambda t, g: g.f.jvp(f, (2,), (g.x,)),
    lambda t, g: g.f.jvp(f, (t.tensor([1]),), (t.tensor([1]),)),
    lambda t, g: g.f.jacrev(f, chunk_size=0),
    lambda t, g: g.f.jacfwd(lambda v: [])(g.x),
    lambda t, g: g.f.linearize(t.sin, g.x)[1](g.v),
    lambda t, g: g.f.linearize(t.sin, g.x)[1](g.x.float()),
    lambda t, g: g.f.linearize(t.sin, g.x)[1](g.x, g.x),
    lambda t, g: g.f.functionalize(f, remove="x")(g.x),
    lambda t, g: g.f.stack_module_state([]),
    lambda t, g: g.f.functional_call(t.nn.Linear(2, 2), 2, (g.x,)),
    lambda t, g: g.f.functional_call(t.nn.Linear(2, 2), [{"weight": g.x}, {"weight": g.x}], (g.x,)),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals(number):
    compare(REFUSED[number])


def test_names_and_signatures():
    import inspect

    assert set(torch.func.__all__) - {"rearrange"} <= set(dir(rushlight.func))
    for name in set(torch.func.__all__) - {"rearrange"}:
        ours, theirs = (inspect.signature(getattr(side.func, name)) for side in SIDES)
        assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
            (p.name, p.kind, p.default) for p in theirs.parameters.values()
        ], name


class Shown:
    """What printing shows within transforms."""

    def __init__(self, torch):
        self.lines = []
        self.x = torch.arange(6.0).reshape(2, 3)

    def note(self, v):
        self.lines.append(repr(v))
        return v


@pytest.mark.parametrize(
    "run",
    [
        lambda f, s: f.vmap(s.note)(s.x),
        lambda f, s: f.vmap(s.note, 1)(s.x),
        lambda f, s: f.vmap(f.vmap(s.note))(s.x),
        lambda f, s: f.grad(lambda v: s.note(v * 2).sum())(s.x),
        lambda f, s: f.vmap(f.grad(lambda v: s.note(v).sum()))(s.x),
        lambda f, s: f.jvp(s.note, (s.x,), (s.x,)),
    ],
)
def test_shown(run):
    shown = []
    for side in SIDES:
        noted = Shown(side)
        run(side.func, noted)
        shown.append(noted.lines)
    assert shown[0] == shown[1]
