"""Forward mode: tangents through operators, views, writes, custom functions; refusals."""

import importlib

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import difference, outcome  # noqa: E402

# what is known to differ, and why
KNOWN = {}


def happenings(torch):  # noqa: F811 - each library in turn
    """Every result of a script, by a name made of what it calls and how many came before."""
    found = {}

    def t(name, function):
        found[f"{name} {len(found)}"] = outcome(lambda log: show(wrapped(function)))

    fa = importlib.import_module(torch.__name__ + ".autograd.forward_ad")

    def show(x):
        if x is None:
            return None
        if isinstance(x, torch.Tensor):
            return ([round(q, 6) for q in x.flatten().tolist()], tuple(x.shape), x.requires_grad)
        if isinstance(x, (tuple, list)):
            return tuple(map(show, x))
        return x

    D = torch.float64

    def wrapped(f):
        with fa.dual_level():
            return f()

    def mk(*v):
        return torch.tensor(v, dtype=D)

    x = mk(1.0, 2.0, 3.0)
    tx = mk(1.0, 0.5, 2.0)
    X = x.clone().requires_grad_()
    M = torch.arange(6, dtype=D).reshape(2, 3) + 1
    TM = M * 0.1 + 1

    def d():
        return fa.make_dual(x, tx)

    def dX():
        return fa.make_dual(X, tx)

    def dM():
        return fa.make_dual(M, TM)

    def u(y):
        return fa.unpack_dual(y).tangent if isinstance(y, torch.Tensor) else tuple(map(u, y))

    t("sin", lambda: u(d().sin()))
    t("mul", lambda: u(d() * d() + 3 * d()))
    t("sum", lambda: u(d().sum()))
    t("mm", lambda: u(dM() @ dM().T))
    t("softmax", lambda: u(dM().softmax(1)))
    t("sel", lambda: u(d()[1:]))
    t("sort", lambda: u(dM().sort(1, descending=True)[0]))
    t("max", lambda: u(dM().max(1).values))
    t("cat", lambda: u(torch.cat([d(), x])))
    t("stack", lambda: u(torch.stack([d(), d() * 2])))
    t("idx", lambda: u(d()[torch.tensor([0, 0, 2])]))
    t("where", lambda: u(torch.where(x > 1.5, d(), x * 2)))
    t("linalg", lambda: u(torch.linalg.inv(dM()[:, :2])))
    t("logsumexp", lambda: u(dM().logsumexp(0)))
    t("cumsum", lambda: u(dM().cumsum(0)))
    t("var", lambda: u(dM().var(0)))
    t("prod", lambda: u(d().prod()))
    t("norm", lambda: u(d().norm()))
    t("pow", lambda: u(d() ** d()))
    t("relu", lambda: u((d() - 2).relu()))
    t("view", lambda: u(dM().view(-1)[2:4]))
    t("split", lambda: u(dM().split(1, 1)[1]))
    t("unbind", lambda: u(dM().unbind(0)[1]))
    t("conv", lambda: u(torch.nn.functional.conv1d(dM()[None], torch.ones(1, 2, 2, dtype=D))))
    t("ln", lambda: u(torch.nn.functional.layer_norm(dM(), (3,))))
    t("ce", lambda: u(torch.nn.functional.cross_entropy(dM(), torch.tensor([0, 2]))))
    t("einsum", lambda: u(torch.einsum("ij,kj->ik", dM(), M)))
    t("qr", lambda: u(torch.linalg.qr(dM().T)[1].abs()))

    def inp():
        y = x.clone()
        z = d()
        y.mul_(z)
        return u(y)

    t("inp", inp)

    def inp2():
        z = d() * 1
        z.mul_(2)
        z[0] = 5.0
        z[1:].sin_()
        return u(z)

    t("inp2", inp2)

    def inp3():
        y = torch.zeros(3, dtype=D)
        v = y[1:]
        y[0] = d()[2]
        v.copy_(d()[:2])
        return u(y), u(v)

    t("inp3", inp3)

    def inp4():
        y = torch.zeros(2, 3, dtype=D)
        v = y.t()
        v[0] = d()[:2]
        return u(y), u(v)

    t("inp4", inp4)

    def for_():
        y = dX().sin() * dX()
        tg = u(y)
        g = torch.autograd.grad(tg.sum(), X)[0]
        return tg, g.detach()

    t("fwd over rev", for_)

    def rof():
        y = (dX() ** 3).sum()
        (g,) = torch.autograd.grad(y, X, create_graph=True)
        return (u(g),)

    t("fwd of rev grad", rof)

    def rof2():
        z = dX()
        y = (z**3).sum()
        (g,) = torch.autograd.grad(y, z, create_graph=True)
        return u(g), g

    t("fwd of rev grad2", rof2)
    t("nolvl", lambda: (fa.exit_dual_level(), fa.make_dual(x, tx)))

    def nest():
        with fa.dual_level():
            pass

    t("nested", nest)
    t("shape", lambda: fa.make_dual(x, tx[:1]))
    t("dtype", lambda: fa.make_dual(x, tx.float()))
    t("int", lambda: fa.make_dual(x.long(), tx))
    t("int2", lambda: fa.make_dual(x, tx.long()))
    t("twice", lambda: fa.make_dual(d(), tx))
    t("unpack none", lambda: fa.unpack_dual(x))
    t("printed", lambda: show(fa.unpack_dual(x)))
    t("detach", lambda: u(d().detach()))
    t("clone", lambda: u(d().clone()))
    t("nograd", lambda: torch.no_grad()(lambda: u(d() * 2))())

    def dis():
        z = d()
        with fa._set_fwd_grad_enabled(False):
            return u(z * 2)

    t("dis", dis)
    t("out", lambda: torch.sin(d(), out=torch.empty(3, dtype=D)))

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_forward(a, b)
            return a * b, a + b

        @staticmethod
        def jvp(ctx, ta, tb):
            a, b = ctx.saved_tensors
            return ta * b + a * tb, ta + tb

    t("fn", lambda: u(F.apply(d(), x)))

    class F2(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

    t("fn nojvp", lambda: u(F2.apply(d())))
    t("item", lambda: d()[0].item())
    t("long", lambda: u(d().long()))
    t("eq", lambda: u(d() > 1))
    t("argmax", lambda: u(d().argmax()))
    t("float", lambda: u(d().float()))
    c = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)
    tc = torch.tensor([0.5 + 1j, 1 - 2j], dtype=torch.complex128)

    def dc():
        return fa.make_dual(c, tc)

    def r(y):
        return torch.view_as_real(u(y)) if u(y).is_complex() else u(y)

    for n, f in dict(
        abs=lambda: r(dc().abs()),
        angle=lambda: r(dc().angle()),
        mul=lambda: r(dc() * dc()),
        conj=lambda: r(dc().conj().resolve_conj()),
        real=lambda: r(dc().real),
        exp=lambda: r(dc().exp()),
        sum=lambda: r(dc().sum()),
        vr=lambda: r(torch.view_as_real(dc())),
        prod=lambda: r(dc().prod()),
        cx=lambda: r(torch.complex(d(), x)),
    ).items():
        t("c" + n, f)
    t("tens_exit", lambda: (lambda z: z)(d() * 2))

    def after():
        with fa.dual_level():
            z = d() * 2
        with fa.dual_level():
            return show(u(z))

    t("printed", lambda: after())
    t("drop", lambda: (torch.manual_seed(0), u(torch.nn.functional.dropout(d(), 0.5)))[1].shape)
    t("bn", lambda: u(torch.nn.functional.batch_norm(dM(), None, None, training=True)))
    t("pad", lambda: u(torch.nn.functional.pad(d(), (1, 1))))
    t("gather", lambda: u(dM().gather(1, torch.tensor([[0, 1], [2, 2]]))))
    t("svd", lambda: u(torch.linalg.svdvals(dM())))
    t("det", lambda: u(torch.linalg.det(dM()[:, :2])))
    t("solve", lambda: u(torch.linalg.solve(dM()[:, :2], x[:2])))
    t("expand", lambda: u(d().expand(2, 3)))
    t("mean", lambda: u(dM().mean(0)))
    t("atan2", lambda: u(torch.atan2(d(), x)))
    t("addmm", lambda: u(torch.addmm(dM()[:, :2], dM(), M.T)))
    t("clampt", lambda: u(d().clamp(max=2.0)))
    return found


def test_as_pytorch():
    import rushlight

    theirs, ours = happenings(torch), happenings(rushlight)
    assert list(theirs) == list(ours)
    sentences = [f"{name}: {difference(theirs[name], ours[name])}" for name in theirs]
    sentences = [each for each in sentences if not each.endswith(": None")]
    sentences = [each for each in sentences if not any(each.startswith(known) for known in KNOWN)]
    assert not sentences, "\n".join(sentences)
