"""What gradcheck and gradgradcheck say of right and wrong derivatives, how often they call, and what they draw at random."""

import warnings

import torch
import torch.autograd.forward_ad as fw
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.autograd.gradcheck import (
    GradcheckError,
    get_analytical_jacobian,
    get_numerical_jacobian,
    get_numerical_jacobian_wrt_specific_input,
)

calls = []


def counted(function):
    def inside(*args):
        calls.append(1)
        return function(*args)

    return inside


def leaf(*shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(*shape, dtype=dtype, generator=generator).requires_grad_()


def complex_leaf(*shape):
    return leaf(*shape, dtype=torch.complex128)


def show(name, run):
    calls.clear()
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            result = run()
        except Exception as error:
            result = f"{type(error).__name__}: {'|'.join(map(str, error.args))}"
    print(f"{name} -> {result}")
    for each in told:
        if each.category is not DeprecationWarning:
            print("   ", each.category.__name__, each.message)
    print("   ", "next random number", float(torch.rand(())), "calls", len(calls))


class Steep(Function):
    """Both derivatives are wrong."""

    @staticmethod
    def forward(ctx, x):
        calls.append(1)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2.5

    @staticmethod
    def jvp(ctx, t):
        return t * 3


class Unconjugated(Function):
    """The gradient by the second argument lacks its conjugate."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return g * y.conj() + h, g * x + h


class Jittery(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2 * (1 + torch.rand_like(g) * 1e-5)


class Reading(Function):
    """Looks at the elements of a gradient."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return torch.stack([torch.tensor(float(each) * 2, dtype=g.dtype) for each in g])


class Nested(Function):
    """Its backward is a Function."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return Nested.apply(g)


class Constant(Function):
    """The cosine counts as a constant."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.detach().cos()


class Defined(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.set_materialize_grads(False)
        return x * 2, y * 3

    @staticmethod
    def backward(ctx, g, h):
        if g is None or h is None:
            raise RuntimeError("a gradient is missing")
        return g * 2, h * 3


class Thawing(Function):
    """Its tangent differs where the second input has none."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.set_materialize_grads(False)
        return x + y

    @staticmethod
    def backward(ctx, g):
        return g, g

    @staticmethod
    def jvp(ctx, t, u):
        if t is None or u is None:
            return (u if t is None else t) * 2
        return t + u


def shifted(x):
    y = x.clone()
    y.register_hook(lambda g: g + 1e-2)
    return y


def doubled_where_large(x):
    return torch.cat([x, x]) if (x >= leaf(3)).all() else x


def in_double_where_small(x):
    return x if (x >= leaf(3)).all() else x.float()


def check(fast):
    mode = {"fast_mode": fast}
    both = {"check_forward_ad": True, **mode}
    forward = {"check_forward_ad": True, "check_backward_ad": False, **mode}
    print("fast" if fast else "slow")
    show("right", lambda: gradcheck(counted(torch.sin), leaf(3), **mode))
    show("right, both modes", lambda: gradcheck(counted(torch.sin), leaf(3), **both))
    show("right, batched", lambda: gradcheck(torch.sin, leaf(3), check_batched_grad=True, **mode))
    show("batches of tangents", lambda: gradcheck(torch.sin, leaf(3), check_batched_forward_grad=True, **both))
    show("forward only", lambda: gradcheck(counted(torch.sin), leaf(3), **forward))
    show("wrong", lambda: gradcheck(Steep.apply, leaf(3), **mode))
    show("wrong forward", lambda: gradcheck(Steep.apply, leaf(3), **forward))
    show("wrong, quietly", lambda: gradcheck(Steep.apply, leaf(3), raise_exception=False, **mode))
    show("wrong in single precision", lambda: gradcheck(Steep.apply, leaf(1, dtype=torch.float32), **mode))
    show("single precision", lambda: gradcheck(lambda x: x * 2, leaf(2, dtype=torch.float32), atol=0.1, **mode))
    show("complex", lambda: gradcheck(lambda a, b: (a * b, a.real, b), (complex_leaf(2), leaf(2)), **both))
    show("real to complex", lambda: gradcheck(lambda a: torch.complex(a, a * 2), leaf(2), **both))
    show("wrong complex", lambda: gradcheck(Unconjugated.apply, (complex_leaf(2), complex_leaf(2)), **mode))
    show("hardly wrong", lambda: gradcheck(lambda x: Steep.apply(x) * 1e-5, leaf(4), **mode))
    show("integers returned", lambda: gradcheck(lambda x: (x * 2, x.argmax()), leaf(3), **mode))
    show("numbers given", lambda: gradcheck(lambda x, n, s: x * n, (leaf(3), 3, "s"), **mode))
    show("a list returned", lambda: gradcheck(lambda a, b: [a * 2, b], [leaf(3), leaf(2)], **mode))
    show("None returned", lambda: gradcheck(lambda x: (x * 2, None), leaf(3), **mode))
    show("nothing returned", lambda: gradcheck(lambda x: (), leaf(3), **mode))
    show("zeros returned", lambda: gradcheck(lambda x: x.detach() * 0, leaf(3), **mode))
    show("a constant returned", lambda: gradcheck(lambda x: x.detach(), leaf(3), **mode))
    show("nothing to check", lambda: gradcheck(torch.sin, torch.rand(2), **mode))
    show("expanded", lambda: gradcheck(torch.sin, leaf(1).expand(3), **mode))
    show("empty", lambda: gradcheck(torch.sin, leaf(0), **mode))
    show("a number", lambda: gradcheck(torch.sin, leaf(()), **both))
    show("no mode", lambda: gradcheck(torch.sin, leaf(3), check_backward_ad=False, **mode))
    show("batched without", lambda: gradcheck(torch.sin, leaf(3), check_batched_grad=True, **forward))
    show("batched tangents without", lambda: gradcheck(torch.sin, leaf(3), check_batched_forward_grad=True, **mode))
    show("in no_grad", lambda: torch.no_grad()(gradcheck)(torch.sin, leaf(3), **mode))
    show("jittery", lambda: gradcheck(Jittery.apply, leaf(3), **mode))
    show("jittery, allowed", lambda: gradcheck(Jittery.apply, leaf(3), nondet_tol=1e-3, **mode))
    show("undefined refused", lambda: gradcheck(Defined.apply, (leaf(3), leaf(3)), **mode))
    show("undefined unasked", lambda: gradcheck(Defined.apply, (leaf(3), leaf(3)), check_undefined_grad=False, **mode))
    show("undefined tangents", lambda: gradcheck(Thawing.apply, (leaf(2), leaf(2)), **both))
    show("not multiplied", lambda: gradcheck(shifted, leaf(3), atol=0.1, **mode))
    show("not multiplied, masked", lambda: gradcheck(shifted, leaf(3), atol=0.1, masked=True, **mode))
    show("batch read", lambda: gradcheck(Reading.apply, leaf(3), check_batched_grad=True, **mode))
    show("batch of Functions", lambda: gradcheck(Nested.apply, leaf(3), check_batched_grad=True, **mode))
    show("batch of random", lambda: gradcheck(Jittery.apply, leaf(3), nondet_tol=1, check_batched_grad=True, **mode))
    show("shape that depends", lambda: gradcheck(doubled_where_large, leaf(3), **mode))
    show("dtype that depends", lambda: gradcheck(in_double_where_small, leaf(3), **mode))
    show("error within", lambda: gradcheck(lambda x: 1 / 0, leaf(3), raise_exception=False, **mode))
    show("NaN", lambda: gradcheck(lambda x: x * float("nan"), leaf(2), **mode))
    show("infinite", lambda: gradcheck(torch.sqrt, torch.zeros(2, dtype=torch.float64, requires_grad=True), **mode))
    show("dtypes", lambda: gradcheck(lambda x: x.float(), leaf(3), atol=0.1, check_grad_dtypes=True, **mode))
    show("part of a tensor", lambda: gradcheck(lambda x: x * x, leaf(2, 2)[0], **mode))
    show("in place", lambda: gradcheck(lambda x: x.clone().mul_(2).t_(), leaf(2, 3), **both))
    show("no longer wanted", lambda: gradcheck(lambda x: x.requires_grad_(False), leaf(3), **mode))
    show("itself", lambda: gradcheck(lambda x: x, leaf(3), **both))
    show("itself twice", lambda: gradcheck(lambda x: (x, x), leaf(3), **both))
    show("many", lambda: gradcheck(lambda *xs: sum(x.sum() for x in xs), tuple(leaf(3) for _ in range(3)), **both))
    show("second", lambda: gradgradcheck(counted(torch.sin), leaf(3), **mode))
    show("second, forward too", lambda: gradgradcheck(counted(torch.sin), leaf(3), check_fwd_over_rev=True, **mode))
    only = {"check_fwd_over_rev": True, "check_rev_over_rev": False, **mode}
    show("second, forward only", lambda: gradgradcheck(torch.sin, leaf(3), check_undefined_grad=False, **only))
    show("second, forward undefined", lambda: gradgradcheck(torch.sin, leaf(3), **only))
    show("second, batched", lambda: gradgradcheck(torch.sin, leaf(3), check_batched_grad=True, **mode))
    show("second, strided", lambda: gradgradcheck(torch.sin, leaf(2, 3), gen_non_contig_grad_outputs=True, **mode))
    show("second, given", lambda: gradgradcheck(torch.sin, (leaf(3),), [leaf(3).detach()], **mode))
    show("second, complex", lambda: gradgradcheck(lambda a, b: a * b * b, (complex_leaf(2), leaf(2)), **mode))
    show("second of linear", lambda: gradgradcheck(lambda x: x * 2, leaf(3), **mode))
    show("second, wrong", lambda: gradgradcheck(Constant.apply, leaf(3), **mode))
    show("second, no mode", lambda: gradgradcheck(torch.sin, leaf(3), check_rev_over_rev=False, **mode))


check(False)
check(True)


def of_pair(pair):
    return 2 * pair[0] + pair[1], pair[0]


pair = (leaf(2), leaf(2))
sum_of_pair = pair[0] * 2 + pair[1]
show("numerical", lambda: get_numerical_jacobian(of_pair, pair, eps=1e-6))
show("numerical by another", lambda: get_numerical_jacobian(of_pair, pair, target=(leaf(1),)))
show("numerical, cotangent", lambda: get_numerical_jacobian(of_pair, pair, grad_out=2.0))
show("numerical, complex", lambda: get_numerical_jacobian(lambda p: p[0] * 1j, pair))
show("of one", lambda: get_numerical_jacobian_wrt_specific_input(lambda a, b: a + b * 3, 1, pair, (leaf(2),), 1e-6))
show("of none", lambda: get_numerical_jacobian_wrt_specific_input(torch.add, 0, (leaf(2).detach(),), (), 1e-6))
show("analytical", lambda: get_analytical_jacobian(pair, sum_of_pair))
show("analytical, cotangent", lambda: get_analytical_jacobian(pair, sum_of_pair, grad_out=3.0))
show("analytical, complex", lambda: get_analytical_jacobian(pair, sum_of_pair * 1j))
print(GradcheckError.__mro__[:2], GradcheckError.__module__, fw._current_level)
