"""torch.utils.checkpoint: values, how often things run, random streams, refusals."""

import importlib
import warnings

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene = Scenes()

    def L():
        return torch.tensor([1.0, 2.0], requires_grad=True)

    def tl(x):
        return None if x is None else [round(v, 4) for v in x.tolist()]

    def f(x):
        return (x.sin() * x.exp()).cos()

    C = importlib.import_module(torch.__name__ + ".utils.checkpoint")
    ck = C.checkpoint
    outer = scene

    def both(ur):
        def scene(function):
            function.__name__ += "_reentrant" if ur else ""
            return outer(function)

        @scene
        def basic(log):
            x = L()
            n = [0]

            def g(a):
                n[0] += 1
                return f(a)

            y = ck(g, x, use_reentrant=ur)
            y.sum().backward()
            x2 = L()
            f(x2).sum().backward()
            return n, tl(x.grad) == tl(x2.grad), tl(x.grad)

        @scene
        def rng(log):
            x = L()
            y = ck(lambda a: torch.nn.functional.dropout(a * a, 0.5), x, use_reentrant=ur)
            torch.manual_seed(1)
            y.sum().backward()
            return ((x.grad != 0) == (y != 0)).all().item()

        @scene
        def ggrad(log):
            x = L()
            y = ck(f, x, use_reentrant=ur)
            return tl(torch.autograd.grad(y.sum(), x)[0])

        @scene
        def noinput(log):
            w = L()
            x = torch.ones(2)
            y = ck(lambda a: a * w, x, use_reentrant=ur)
            log(y.requires_grad)
            y.sum().backward()
            return tl(w.grad)

        @scene
        def nested(log):
            x = L()
            y = ck(lambda a: ck(f, a * 2, use_reentrant=ur) * a, x, use_reentrant=ur)
            y.sum().backward()
            return tl(x.grad)

        @scene
        def seq(log):
            x = L()
            n = [0]

            def g(a):
                n[0] += 1
                return a.sin()

            y = C.checkpoint_sequential([g, g, g, g], 2, x, use_reentrant=ur)
            y.sum().backward()
            return n, tl(x.grad)

        @scene
        def kw(log):
            x = L()
            return tl(ck(lambda a, b=1: a * b, x, b=3, use_reentrant=ur))

    both(False)
    both(True)

    @scene
    def early(log):
        x = L()

        def g(a):
            b = a.sin()
            c = b.exp()
            log("end")
            return c + 1

        ck(g, x, use_reentrant=False).sum().backward()
        with C.set_checkpoint_early_stop(False):
            y = ck(g, x, use_reentrant=False)
        y.sum().backward()

    @scene
    def determ(log):
        x = L()
        n = [0]

        def g(a):
            n[0] += 1
            return a.sin().exp() if n[0] == 1 else a.sin()

        ck(g, x, use_reentrant=False).sum().backward()

    @scene
    def determ2(log):
        x = L()
        n = [0]

        def g(a):
            n[0] += 1
            return a.sin().exp() if n[0] == 1 else torch.cat([a, a]).sin().exp()

        ck(g, x, use_reentrant=False).sum().backward()

    @scene
    def determ3(log):
        x = L()
        n = [0]

        def g(a):
            n[0] += 1
            return a.sin().exp() if n[0] == 1 else a.sin().exp()

        ck(g, x, use_reentrant=False, determinism_check="z").sum().backward()

    @scene
    def ret(log):
        x = L()
        n = [0]

        def g(a):
            n[0] += 1
            return f(a)

        y = ck(g, x, use_reentrant=False).sum()
        y.backward(retain_graph=True)
        y.backward()
        return n, tl(x.grad)

    @scene
    def dbl(log):
        x = L()
        y = ck(f, x, use_reentrant=False).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        g.sum().backward()
        return tl(x.grad)

    @scene
    def ctx(log):
        import contextlib

        @contextlib.contextmanager
        def c(n):
            log("in " + n)
            yield
            log("out " + n)

        x = L()
        y = ck(f, x, use_reentrant=False, context_fn=lambda: (c("f"), c("r")))
        y.sum().backward()

    @scene
    def badpos(log):
        ck(f, L(), use_reentrant=True, foo=3)

    @scene
    def tup(log):
        x = L()
        a, b = ck(lambda z: (z * 2, z.sin()), x, use_reentrant=True)
        (a + b).sum().backward()
        return tl(x.grad)

    @scene
    def default(log):
        with warnings.catch_warnings(record=True) as w:
            warnings.simplefilter("always")
            ck(f, L())
            return [str(q.message)[:80] for q in w]

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_as_pytorch(name):
    sentence = compare(scenes, name)
    assert sentence is None, sentence
