"""torch.autograd.graph: hooks on saved tensors, several gradients, gradient edges, versions."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene = Scenes()
    g = torch.autograd.graph

    def L():
        return torch.tensor([1.0, 2.0], requires_grad=True)

    def tl(x):
        return None if x is None else x.tolist()

    @scene
    def hooks(log):
        x = L()
        with g.saved_tensors_hooks(lambda a: (log(("p", a.tolist())), a * 2)[1], lambda a: (log("u"), a)[1]):
            y = x.exp()
            z = y * x
            w = z.sum(0).sin()
        w.backward()
        return tl(x.grad)

    @scene
    def hooks_nested(log):
        x = L()
        with g.saved_tensors_hooks(lambda a: (log("p1"), a)[1], lambda a: a):
            y = x.exp()
            with g.saved_tensors_hooks(lambda a: (log("p2"), a)[1], lambda a: a):
                y = y * x
        y.sum().backward()
        return tl(x.grad)

    @scene
    def hooks_bad_unpack(log):
        x = L()
        with g.saved_tensors_hooks(lambda a: 1, lambda a: a):
            y = x * x
        y.sum().backward()

    @scene
    def hooks_bad_pack(log):
        x = L()
        with g.saved_tensors_hooks(lambda a: a.mul_(2), lambda a: a):
            y = x * x
        y.sum().backward()

    @scene
    def hooks_error(log):
        x = L()

        def p(a):
            raise ValueError("boo")

        with g.saved_tensors_hooks(p, lambda a: a):
            x * x

    @scene
    def raw(log):
        x = L()
        y = x.exp()
        y.grad_fn._raw_saved_result.register_hooks(
            lambda a: (log(("p", tl(a), a.requires_grad)), a * 2)[1], lambda a: a
        )
        y.sum().backward()
        return tl(x.grad)

    @scene
    def raw2(log):
        x = L()
        y = x * x
        y.grad_fn._raw_saved_self.register_hooks(lambda a: a * 2, lambda a: a)
        y.grad_fn._raw_saved_self.register_hooks(lambda a: a * 2, lambda a: a)

    @scene
    def fn_hooks(log):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                y = a * 2
                ctx.save_for_backward(a, y)
                return y

            @staticmethod
            def backward(ctx, gr):
                a, y = ctx.saved_tensors
                log((tl(a), tl(y), y.grad_fn is None))
                return gr * a

        x = L()
        with g.saved_tensors_hooks(lambda a: a + 10, lambda a: a):
            y = F.apply(x)
        y.sum().backward()
        log(tl(x.grad))
        y = F.apply(x)
        y.grad_fn._raw_saved_tensors[0].register_hooks(lambda a: a * 100, lambda a: a)
        y.sum().backward()

    @scene
    def disabled(log):
        with g.disable_saved_tensors_hooks("no no"):
            with g.saved_tensors_hooks(lambda a: a, lambda a: a):
                pass

    @scene
    def disabled2(log):
        with g.saved_tensors_hooks(lambda a: a, lambda a: a):
            with g.disable_saved_tensors_hooks("no no"):
                pass

    @scene
    def cpu(log):
        x = L()
        with g.save_on_cpu():
            y = x.exp() * x
        y.sum().backward()
        return tl(x.grad)

    @scene
    def mutation(log):
        x = L()
        with g.allow_mutation_on_saved_tensors():
            y = x * 1
            z = y.sin()
            y.mul_(3)
            w = z + y * y
            y.add_(5)
            w.sum().backward()
        return tl(x.grad)

    @scene
    def mutation_out(log):
        x = L()
        with g.allow_mutation_on_saved_tensors():
            y = x * 1
            z = y.sin()
            y.mul_(3)
        z.sum().backward()

    @scene
    def mutation_nested(log):
        with g.allow_mutation_on_saved_tensors():
            with g.allow_mutation_on_saved_tensors():
                pass

    @scene
    def multi(log):
        a, b, c = L(), L(), L()
        h = g.register_multi_grad_hook((a, b, c), lambda gs: log([tl(x) for x in gs]))
        (a * b).sum().backward()
        (a * b * c).sum().backward()
        h.remove()
        (a * b * c).sum().backward()

    @scene
    def multi_any(log):
        a, b = L(), L()
        g.register_multi_grad_hook((a, b), lambda gr: log(tl(gr)), mode="any")
        (a * b * 2).sum().backward()
        (a * 3).sum().backward()

    @scene
    def multi_mode(log):
        g.register_multi_grad_hook((L(),), lambda gs: 0, mode="x")

    @scene
    def incv(log):
        x = L()
        y = x * 1
        z = y * y
        g.increment_version(y)
        log(y._version)
        z.sum().backward()

    @scene
    def edge(log):
        x = L()
        y = x * 2
        e = g.get_gradient_edge(y)
        z = (y * 3).sum()
        log([tl(q) for q in torch.autograd.grad(z, e)])
        log(e.output_nr)
        log(e.node is y.grad_fn)
        ez = g.get_gradient_edge((y * 3).sum())
        log([tl(q) for q in torch.autograd.grad(ez, x)])
        ex = g.get_gradient_edge(x)
        log(ex.node.name())
        torch.autograd.backward(g.get_gradient_edge((y * 5).sum()), inputs=[ex])
        log(tl(x.grad))

    @scene
    def edge_norg(log):
        g.get_gradient_edge(torch.ones(2))

    @scene
    def edge_split(log):
        x = L()
        a, b = x.split(1)
        e = g.get_gradient_edge(b)
        log(e.output_nr)
        z = (a * 2 + b * 3).sum()
        log([tl(q) for q in torch.autograd.grad(z, [e, g.get_gradient_edge(a)])])

    @scene
    def preserve(log):
        x = L()
        y = x * 1
        z = y * y
        with torch.autograd._unsafe_preserve_version_counter(y):
            y.mul_(2)
        z.sum().backward()
        return tl(x.grad), y._version

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_as_pytorch(name):
    sentence = compare(scenes, name)
    assert sentence is None, sentence
