"""Hooks on tensors and nodes: which run, in which order, what they see and what they may return."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene = Scenes()

    def L():
        return torch.tensor([1.0, 2.0], requires_grad=True)

    def n(name):
        return lambda log: (
            lambda *a: log(
                (name, [[None if q is None else q.tolist() for q in (p if isinstance(p, tuple) else (p,))] for p in a])
            )
        )

    @scene
    def order(log):
        x = L()
        y = x * 2
        y.register_hook(n("t1")(log))
        y.register_hook(n("t2")(log))
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        y.grad_fn.register_prehook(n("pre")(log))
        y.grad_fn.register_hook(n("post")(log))
        x.register_hook(n("leaf")(log))
        x.register_post_accumulate_grad_hook(lambda p: log(("pa", p.grad.tolist())))
        (y * 3).sum().backward()
        return x.grad.tolist(), y.grad.tolist()

    @scene
    def inplace_hook(log):
        x = L()
        y = x * 2
        y.register_hook(n("before")(log))
        y.retain_grad()
        y.mul_(3)
        y.register_hook(n("after")(log))
        y.sum().backward()
        return y.grad.tolist(), x.grad.tolist()

    @scene
    def retain_then_inplace_view(log):
        x = L()
        y = x * 2
        y.retain_grad()
        v = y[:1]
        v.mul_(5)
        (y * 2).sum().backward()
        return y.grad.tolist(), x.grad.tolist()

    @scene
    def retain_view(log):
        x = L()
        y = x * 2
        v = y[:1]
        v.retain_grad()
        v.mul_(5)
        (y * 2).sum().backward()
        return v.grad is None or v.grad.tolist(), x.grad.tolist()

    @scene
    def hook_view(log):
        x = L()
        y = x * 2
        v = y[:1]
        v.register_hook(n("v")(log))
        v.mul_(5)
        v.register_hook(n("v2")(log))
        ((y * 2).sum() + v.sum()).backward()
        return x.grad.tolist()

    @scene
    def hook_leaf_then_inplace(log):
        x = L()
        x.register_hook(n("h")(log))
        with torch.no_grad():
            x.mul_(2)
        (x * 2).sum().backward()
        return x.grad.tolist()

    @scene
    def remove(log):
        x = L()
        h = x.register_hook(n("h")(log))
        (x * 2).sum().backward()
        h.remove()
        (x * 2).sum().backward()
        h.remove()
        return x.grad.tolist()

    @scene
    def none_hook(log):
        x = L()
        x.register_hook(lambda g: None)
        x.register_hook(lambda g: g + 1)
        (x * 2).sum().backward()
        return x.grad.tolist()

    @scene
    def accgrad_hooks(log):
        x = L()
        y = x * 2
        acc = y.grad_fn.next_functions[0][0]
        acc.register_prehook(n("pre")(log))
        acc.register_hook(n("post")(log))
        x.register_hook(n("t")(log))
        x.register_post_accumulate_grad_hook(lambda p: log("pa"))
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def accgrad_pre_change(log):
        x = L()
        y = x * 2
        acc = y.grad_fn.next_functions[0][0]
        acc.register_prehook(lambda g: (g[0] * 7,))
        y.sum().backward()
        return x.grad.tolist(), acc.variable is x

    @scene
    def multi_out(log):
        x = L()
        a, b = x.split(1)
        a.grad_fn.register_hook(n("post")(log))
        a.grad_fn.register_prehook(n("pre")(log))
        a.register_hook(n("a")(log))
        b.register_hook(n("b")(log))
        (a * 2).sum().backward()
        return x.grad.tolist()

    @scene
    def pre_change(log):
        x = L()
        y = x * 2
        y.grad_fn.register_prehook(lambda g: (g[0] * 2,))
        y.grad_fn.register_prehook(n("p")(log))
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def pre_wrongcount(log):
        x = L()
        y = x * 2
        y.grad_fn.register_prehook(lambda g: (g[0] * 2, g[0]))
        y.sum().backward()

    @scene
    def pre_nontuple(log):
        x = L()
        y = x * 2
        y.grad_fn.register_prehook(lambda g: g[0] * 2)
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def post_nontuple(log):
        x = L()
        y = x * 2
        y.grad_fn.register_hook(lambda i, o: i[0] * 2)
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def post_shape(log):
        x = L()
        y = x * 2
        y.grad_fn.register_hook(lambda i, o: (torch.ones(3), None))
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def post_wrong(log):
        x = L()
        y = x * 2
        y.grad_fn.register_hook(lambda i, o: (i[0],))
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def hook_wrongtype(log):
        x = L()
        x.register_hook(lambda g: 1)
        (x * 2).sum().backward()

    @scene
    def hook_wrongshape(log):
        x = L()
        x.register_hook(lambda g: g[:1])
        (x * 2).sum().backward()

    @scene
    def hook_wrongdtype(log):
        x = L()
        x.register_hook(lambda g: g.double())
        (x * 2).sum().backward()

    @scene
    def hook_noncallable(log):
        x = L()
        x.register_hook(3)

    @scene
    def pa_returns(log):
        x = L()
        x.register_post_accumulate_grad_hook(lambda p: 1)
        (x * 2).sum().backward()

    @scene
    def pa_nonleaf(log):
        x = L() * 2
        x.register_post_accumulate_grad_hook(lambda p: 1)

    @scene
    def hook_norg(log):
        torch.ones(2).register_hook(lambda p: 1)

    @scene
    def retain_norg(log):
        torch.ones(2).retain_grad()

    @scene
    def capture_hooks(log):
        x = L()
        y = x * 2
        y.register_hook(lambda g: g * 5)
        y.grad_fn.register_prehook(lambda g: (g[0] * 7,))
        z = (y * 3).sum()
        return [g.tolist() for g in torch.autograd.grad(z, [y, x])]

    @scene
    def capture_leaf_hooks(log):
        x = L()
        x.register_hook(lambda g: g * 5)
        x.register_post_accumulate_grad_hook(lambda p: log("pa"))
        acc = (x * 2).grad_fn.next_functions[0][0]
        acc.register_prehook(lambda g: (g[0] * 7,))
        acc.register_hook(lambda *a: log("post"))
        return torch.autograd.grad((x * 3).sum(), x)[0].tolist()

    @scene
    def inputs_nonleaf(log):
        x = L()
        y = x * 2
        y.retain_grad()
        z = (y * 3).sum()
        z.backward(inputs=[y])
        return y.grad.tolist(), x.grad

    @scene
    def inputs_nonleaf_noretain(log):
        x = L()
        y = x * 2
        z = (y * 3).sum()
        z.backward(inputs=[y, x])
        return y.grad.tolist(), x.grad.tolist()

    @scene
    def inputs_same_twice(log):
        x = L()
        y = x * 2
        z = (y * 3).sum()
        z.backward(inputs=[x, x])
        return x.grad.tolist()

    @scene
    def inputs_nonleaf_twice(log):
        x = L()
        y = x * 2
        z = (y * 3).sum()
        z.backward(inputs=[y], retain_graph=True)
        z.backward(inputs=y)
        return y.grad.tolist()

    @scene
    def inputs_empty(log):
        x = L()
        (x * 2).sum().backward(inputs=[])

    @scene
    def inputs_norg(log):
        x = L()
        (x * 2).sum().backward(inputs=[torch.ones(2)])

    @scene
    def inputs_self(log):
        x = L()
        y = (x * 2).sum()
        y.backward(inputs=[y, x])
        return y.grad.tolist(), x.grad.tolist()

    @scene
    def grad_self(log):
        x = L()
        y = (x * 2).sum()
        return [g.tolist() for g in torch.autograd.grad(y, [y, x])]

    @scene
    def grad_dup(log):
        x = L()
        y = (x * 2).sum()
        return [g.tolist() for g in torch.autograd.grad([y, y], [x, x])]

    @scene
    def post_acc_remove_grad(log):
        x = L()

        def h(p):
            p.grad = None

        x.register_post_accumulate_grad_hook(h)
        (x * 2).sum().backward()
        return x.grad

    @scene
    def reentrant(log):
        x = L()
        y = x * 2

        def h(g):
            with torch.enable_grad():
                w = torch.ones(2, requires_grad=True)
                (w * w).sum().backward()
                log(w.grad.tolist())

        y.register_hook(h)
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def queue(log):
        x = L()
        y = x * 2
        y.register_hook(lambda g: torch.autograd.Variable._execution_engine.queue_callback(lambda: log("cb")))
        x.register_hook(lambda g: log("leaf"))
        y.sum().backward()
        return x.grad.tolist()

    @scene
    def hookraise(log):
        x = L()
        y = x * 2

        def h(g):
            raise ValueError("mine")

        y.register_hook(h)
        y.sum().backward()

    @scene
    def cg_hooks(log):
        x = L()
        y = x * x
        y.register_hook(lambda g: (log(g.requires_grad), g * x)[1])
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        (g2,) = torch.autograd.grad(g.sum(), x)
        return g.tolist(), g2.tolist()

    @scene
    def hook_on_detached_clone(log):
        x = L()
        y = x.clone()
        y.register_hook(n("y")(log))
        z = y.detach()
        z.requires_grad_()
        z.sum().backward()
        return z.grad.tolist()

    @scene
    def handle_ctx(log):
        x = L()
        with x.register_hook(n("h")(log)):
            (x * 2).sum().backward()
        (x * 2).sum().backward()

    @scene
    def hook_backward_hooks_attr(log):
        x = L()
        x.register_hook(lambda g: None)
        return type(x._backward_hooks).__name__, len(x._backward_hooks), x._post_accumulate_grad_hooks

    @scene
    def remove_in_hook(log):
        x = L()
        hs = []

        def a(g):
            log("a")
            hs[0].remove()

        hs.append(x.register_hook(a))
        x.register_hook(lambda g: log("b"))
        (x * 2).sum().backward()
        (x * 2).sum().backward()

    @scene
    def retain_hook_order(log):
        x = L()
        y = x * 2
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        y.register_hook(lambda g: g * 3)
        y.sum().backward()
        return y.grad.tolist()

    @scene
    def retain_twice(log):
        x = L()
        y = x * 2
        y.retain_grad()
        y.retain_grad()
        y.sum().backward()
        return y.grad.tolist(), y.retains_grad, x.retains_grad

    @scene
    def retain_inplace_order(log):
        x = L()
        y = x * 2
        y.register_hook(lambda g: (log(("h", g.tolist())), g * 2)[1])
        y.retain_grad()
        y.mul_(4)
        y.register_hook(lambda g: (log(("h2", g.tolist())), g * 3)[1])
        y.sum().backward()
        return y.grad.tolist(), x.grad.tolist()

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_as_pytorch(name):
    sentence = compare(scenes, name)
    assert sentence is None, sentence
