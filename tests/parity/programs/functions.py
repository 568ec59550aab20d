"""What custom Functions do in forward mode: which tangents they may return, and what is said of the others."""

import torch
import torch.autograd.forward_ad as fw
from torch.autograd import Function


def function(forward, jvp, materialize):
    class Made(Function):
        @staticmethod
        def forward(ctx, *args):
            ctx.set_materialize_grads(materialize)
            return forward(ctx, *args)

        @staticmethod
        def jvp(ctx, *tangents):
            return jvp(ctx, *tangents)

    return Made


def show(name, forward, jvp, *args, materialize=True, tangent=None):
    """Apply a Function to arguments of which the first carries a tangent."""
    with fw.dual_level():
        tangent = torch.full_like(args[0], 2.0) if tangent is None else tangent
        given = (fw.make_dual(args[0], tangent), *args[1:])
        try:
            made = function(forward, jvp, materialize).apply(*given)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}")
            return
        for each in made if isinstance(made, tuple) else (made,):
            if isinstance(each, torch.Tensor):
                found = fw.unpack_dual(each).tangent
                print(f"{name}: {found}, a view: {each._base is not None}, given: {any(each is arg for arg in given)}")
            else:
                print(f"{name}: {each}")


def told(ctx, *tangents):
    print("    tangents", tangents, "saved", ctx.saved_tensors, "needs", ctx.needs_input_grad)
    print("    recording", torch.is_grad_enabled(), "forward mode", fw._is_fwd_grad_enabled())
    return tangents[0]


def dirty(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def second_dirty(ctx, x, y):
    ctx.mark_dirty(y)
    return y.mul_(2)


def fixed(ctx, x):
    y = x * 2
    ctx.mark_non_differentiable(y)
    return y


def saving(ctx, x):
    ctx.save_for_forward(x)
    ctx.save_for_backward(x * 2)
    return x * 2


def ones(*shape):
    return torch.ones(*(shape or (3,)))


show("as many", lambda ctx, x: x * 2, lambda ctx, t: t * 2, ones())
show("too many", lambda ctx, x: x * 2, lambda ctx, t: (t, t), ones())
show("too few", lambda ctx, x: (x * 2, x * 3), lambda ctx, t: t, ones())
show("a number", lambda ctx, x: x * 2, lambda ctx, t: 3, ones())
show("a number for a number", lambda ctx, x: (x * 2, 1), lambda ctx, t: (t, 1), ones())
show("a tensor for a number", lambda ctx, x: (x * 2, 1), lambda ctx, t: (t, t), ones())
show("a list", lambda ctx, x: x * 2, lambda ctx, t: [t], ones())
show("another shape", lambda ctx, x: x * 2, lambda ctx, t: t.sum(), ones())
show("another length", lambda ctx, x: x * 2, lambda ctx, t: torch.ones(4), ones())
show("another precision", lambda ctx, x: x * 2, lambda ctx, t: t.double(), ones())
show("for integers", lambda ctx, x: (x * 2, x.long()), lambda ctx, t: (t, t), ones())
show("none for integers", lambda ctx, x: (x * 2, x.long()), lambda ctx, t: (t, None), ones())
show("for what is not differentiable", fixed, lambda ctx, t: t, ones())
show("none for what is not differentiable", fixed, lambda ctx, t: None, ones())
show("in place", dirty, lambda ctx, t: t.mul_(2), ones())
show("not in place", dirty, lambda ctx, t: t * 2, ones())
show("in place and a copy", dirty, lambda ctx, t: t.mul_(2).clone(), ones())
show("in place, not written", dirty, lambda ctx, t: t, ones())
show("in place, none", dirty, lambda ctx, t: None, ones())
show("in place of a plain tensor", second_dirty, lambda ctx, t, u: t * 2, ones(), ones())
show("in place of a plain tensor, zeros", second_dirty, lambda ctx, t, u: u, ones(), ones())
show("as it is", lambda ctx, x: x, lambda ctx, t: t, ones())
show("as it is, a view", lambda ctx, x: x, lambda ctx, t: t.view_as(t), ones())
show("as it is, a product", lambda ctx, x: x, lambda ctx, t: t * 2, ones())
show("view", lambda ctx, x: x[:2], lambda ctx, t: t[:2], ones())
show("view, a copy", lambda ctx, x: x[:2], lambda ctx, t: t[:2].clone(), ones())
show("view, of a copy", lambda ctx, x: x[:2], lambda ctx, t: t.clone()[:2], ones())
show("view of a view", lambda ctx, x: x[:2], lambda ctx, t: t[:2], ones(6)[::2])
show("view of a view, of a copy", lambda ctx, x: x[:2], lambda ctx, t: t.clone()[:2], ones(6)[::2])
show("view, tangent a view", lambda ctx, x: x[:2], lambda ctx, t: t[:2], ones(), tangent=ones(2, 3)[0])
show("view, of another base", lambda ctx, x: x[:2], lambda ctx, t: t.clone()[:2], ones(), tangent=ones(2, 3)[0])
show("view of a plain tensor", lambda ctx, x, y: y[:2], lambda ctx, t, u: t[:2], ones(), ones())
show("plain tensor as it is", lambda ctx, x, y: y, lambda ctx, t, u: t, ones(), ones())
show("zeros", lambda ctx, x, y: x * y, told, ones(), ones())
show("no zeros", lambda ctx, x, y: x * y, told, ones(), ones(), materialize=False)
show("numbers", lambda ctx, x, n: x * n, told, ones(), 3)
show("integers", lambda ctx, x, y: x * y, told, ones(), ones().long())
show("saved", saving, told, ones())
show("saved of a leaf", saving, told, ones().requires_grad_())
show("an error", lambda ctx, x: x, lambda ctx, t: 1 / 0, ones())


class Unfinished(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2


with fw.dual_level():
    try:
        Unfinished.apply(fw.make_dual(ones(), ones()))
    except Exception as error:
        print(type(error).__name__, error)
    # a tensor that changes its own shape does so to its tangent
    dual = fw.make_dual(ones(2, 3), torch.arange(6.0).reshape(2, 3))
    for change in (torch.Tensor.t_, lambda x: x.unsqueeze_(0), lambda x: x.transpose_(1, 2), lambda x: x.squeeze_()):
        print(fw.unpack_dual(change(dual)))
    # what is unpacked may be packed again
    primal, tangent = fw.unpack_dual(dual * 2)
    print(fw.unpack_dual(primal).tangent, fw.unpack_dual(fw.make_dual(primal, tangent * 2)).tangent)


# batches of cotangents take Functions whose forward has a ctx, also within a backward


class Tripled(Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * x * factor, x

    @staticmethod
    def backward(ctx, g, h):
        (x,) = ctx.saved_tensors
        return Doubled.apply(g * x) * ctx.factor + h, None


class Doubled(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def vjp(ctx, g):
        return g * 2


class Random(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g * torch.rand_like(g)


class Looking(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g if g.sum() > 0 else -g


x = torch.arange(3.0).requires_grad_()
y, same = Tripled.apply(x, 3)
print(torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, retain_graph=True))
print(torch.autograd.grad((y, same), x, (torch.eye(3), torch.ones(3, 3)), is_grads_batched=True))
print(torch.autograd.functional.jacobian(lambda x: Tripled.apply(x, 2)[0], torch.ones(3), vectorize=True))
print(torch.autograd.functional.hessian(lambda x: Tripled.apply(x, 2)[0].sum(), torch.ones(3), vectorize=True))
for each in (Random, Looking):
    try:
        torch.autograd.grad(each.apply(x), x, torch.eye(3), is_grads_batched=True)
    except Exception as error:
        print(type(error).__name__, error)


# what is not recorded: outputs that are inputs, written to or not, and views of them


class Same(Function):
    @staticmethod
    def forward(ctx, x):
        return x


class Written(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)


class Flat(Function):
    @staticmethod
    def forward(ctx, x):
        return x.view(-1)


class Captured(Function):
    """Returns what was computed of a tensor that it was not given."""

    @staticmethod
    def forward(ctx, x):
        with torch.enable_grad():
            return held * 2


held = torch.ones(2, requires_grad=True)


def outcome(call):
    try:
        return call().requires_grad
    except RuntimeError as error:
        return str(error).split(".")[0]


def described(x, y):
    yield from (y is x, y.requires_grad, x.requires_grad, y._is_view(), y._base is x, y._version, x._version, y.is_leaf)
    with torch.no_grad():
        yield outcome(lambda: y.add_(1))
    yield outcome(lambda: y.add_(1))


makers = {
    "leaf": lambda: torch.ones(2, requires_grad=True),
    "result": lambda: torch.ones(2, requires_grad=True) * 2,
    "plain": lambda: torch.ones(2),
    "view": lambda: torch.ones(4, requires_grad=True)[:2],
    "plain view": lambda: torch.ones(4)[:2],
}
for name, make in makers.items():
    for each in (Same, Written, Flat, Captured):
        given = make()
        with torch.no_grad():
            print("no_grad", name, each.__name__, *described(given, each.apply(given)))
        if not given.requires_grad:
            given = make()
            print("plain", name, each.__name__, *described(given, each.apply(given)))


# who is named where a saved value was written to


class Both(Function):
    @staticmethod
    def forward(ctx, x, y):
        first, second = x * 2, y.exp()
        ctx.save_for_backward(x, second)
        return first, second

    @staticmethod
    def backward(ctx, g, h):
        x, second = ctx.saved_tensors
        return g * 2, h * second


def spoilt(which):
    x, y = torch.ones(2, requires_grad=True) * 1, torch.ones(2, requires_grad=True)
    first, second = Both.apply(x, y)
    {"x": x, "second": second}[which].add_(1)
    (first + second).sum().backward()


def spoilt_order():
    values, order = torch.ones(2, requires_grad=True).sort()
    order.add_(1)
    values.sum().backward()


for call in (lambda: spoilt("x"), lambda: spoilt("second"), spoilt_order):
    try:
        call()
    except RuntimeError as error:
        print(str(error).split(" Hint")[0])


# the same rules for the tangents of torch.func.jvp


def pushed(forward, jvp):
    class Made(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return forward(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def jvp(ctx, t):
            return jvp(t)

    x = torch.arange(3.0)
    try:
        print(torch.func.jvp(lambda x: [each for each in Made.apply(x) if isinstance(each, torch.Tensor)], (x,), (x,)))
    except Exception as error:
        print(type(error).__name__, error)


pushed(lambda x: (x * 2, x * 3), lambda t: (t * 2, t * 3))
pushed(lambda x: (x * 2, x * 3), lambda t: t)
pushed(lambda x: (x * 2, x * 3), lambda t: (t, 3))
pushed(lambda x: (x * 2, x.long()), lambda t: (t, t))
pushed(lambda x: (x * 2, x.long()), lambda t: (t, None))
pushed(lambda x: (x * 2, 3), lambda t: (t * 2, None))
pushed(lambda x: (x * 2, x), lambda t: (t.sum(), t))


# ctx takes attributes of any name, also those that a node might need for itself

NAMES = "shape dtype width next seq saved guard steps op run name node edge check size index".split()


class Named(Function):
    @staticmethod
    def forward(ctx, x):
        for i, name in enumerate(NAMES):
            setattr(ctx, name, i)
        y = x.sum(0)
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x)
        ctx.set_materialize_grads(False)
        return y, y * 2

    @staticmethod
    def backward(ctx, g, h):
        print(
            "    ",
            [getattr(ctx, name) for name in NAMES],
            h,
            ctx.needs_input_grad,
            [e.shape for e in ctx.saved_tensors],
        )
        ctx.count = getattr(ctx, "count", 0) + 1
        ctx.shape = ctx.count
        return g.expand(3, 2)

    @staticmethod
    def jvp(ctx, t):
        print("    ", [getattr(ctx, name) for name in NAMES], [each.shape for each in ctx.saved_tensors])
        return t.sum(0), t.sum(0) * 2


class Apart(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.sum(0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.shape, ctx.dtype = inputs[0].shape, inputs[0].dtype
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g.to(ctx.dtype).expand(ctx.shape) * x

    @staticmethod
    def jvp(ctx, t):
        return t.expand(ctx.shape).sum(0)


x = torch.ones(3, 2, requires_grad=True)
y, _ = Named.apply(x)
y.grad_fn.note = "from outside"
y.sum().backward(retain_graph=True)
y.sum().backward()
print(x.grad, y.grad_fn.note, y.grad_fn.next_functions[0][0].name(), y.grad_fn.edge)
with fw.dual_level():
    print([fw.unpack_dual(each).tangent for each in Named.apply(fw.make_dual(torch.ones(3, 2), torch.ones(3, 2)))])
with torch.no_grad():
    print(Named.apply(x)[0])
print(torch.func.grad(lambda x: Apart.apply(x).sum())(x.detach()))
print(torch.func.vmap(torch.func.grad(lambda x: Apart.apply(x).sum()))(torch.ones(2, 3, 2)))
print(torch.func.jvp(Apart.apply, (x.detach(),), (x.detach(),)))
(first,) = torch.autograd.grad(Apart.apply(x).sum(), x, create_graph=True)
print(first, torch.autograd.grad(first.sum(), x))


# nodes within transforms have a name of their own


def named(x):
    y = Apart.apply(x)
    print(None if y.grad_fn is None else y.grad_fn.name())
    return y.sum()


named(torch.ones(3, 2, requires_grad=True))
torch.func.grad(named)(torch.ones(3, 2))
torch.func.vmap(torch.func.grad(named))(torch.ones(2, 3, 2))
print(torch.func.vmap(Apart.apply)(torch.ones(2, 3, 2, requires_grad=True)).grad_fn.name())


# views that Functions return, and views that they write to


class Halves(Function):
    @staticmethod
    def forward(ctx, x):
        return x[:1], x[1:]

    @staticmethod
    def backward(ctx, g, h):
        return torch.cat([g, h])


class Tripling(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(3)

    @staticmethod
    def backward(ctx, g):
        return g * 3


def attempt(call):
    try:
        call()
    except RuntimeError as error:
        return str(error).split(" Hint")[0]
    return "done"


def looks(y):
    return None if y.grad_fn is None else y.grad_fn.name(), y._is_view(), y.requires_grad, y._version


def first_of(split):
    return split(torch.ones(4, requires_grad=True) * 1)[0]


x = torch.ones(2, requires_grad=True) * 1
a, b = Halves.apply(x)
print(looks(a), looks(b), attempt(lambda: a.add_(1)), attempt(lambda: a.view(-1).mul_(2)))
print(attempt(lambda: x.add_(1)), attempt(lambda: b.sum().backward()))
for split in (torch.unbind, lambda x: x.split(2), lambda x: [x[:2]], lambda x: [x.view(2, 2)[0]]):
    view = first_of(split)
    print(looks(view), attempt(lambda view=view: Tripling.apply(view)), attempt(lambda view=view: looks(view)))
leaf = torch.ones(4, requires_grad=True)
x = leaf * 1
view = x.view(2, 2)
written = Tripling.apply(view[0])
view.sum().backward()
print(looks(written), looks(view), looks(x), leaf.grad)
leaf = torch.ones(2, requires_grad=True)
print(attempt(lambda: Tripling.apply(leaf)), attempt(lambda: Tripling.apply(leaf[:1])), leaf)
x = leaf * 1
seen = []
x.register_hook(lambda g: seen.append(("before", g.tolist())))
y = Tripling.apply(x)
y.register_hook(lambda g: seen.append(("after", g.tolist())))
(y * 2).sum().backward()
print(seen, y is x, leaf.grad)
