"""Subclasses, duck types and modes that answer for functions themselves."""

import copy
import importlib

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene = Scenes()
    o = importlib.import_module(torch.__name__ + ".overrides")

    class S(torch.Tensor):
        pass

    class Lg(torch.Tensor):
        calls = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            Lg.calls.append(getattr(func, "__name__", "?"))
            return super().__torch_function__(func, types, args, kwargs or {})

    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return ("duck", getattr(func, "__name__", "?"), len(args))

    def n(x):
        return type(x).__name__

    @scene
    def sub(log):
        s = torch.ones(3).as_subclass(S)
        log(n(s))
        log(n(s + 1))
        log(n(1 + s))
        log(n(s.sum()))
        log(n(s[0]))
        log(n(s.split(1)[0]))
        log(n(torch.cat([s, torch.ones(2)])))
        log(n(s.detach()))
        log(n(s.clone()))
        log(n(s.max(0).values))
        log(n(s.add_(1)))
        log(n(torch.ones(3) * s))
        log(n(s.to(torch.float64)))
        log(n(torch.zeros_like(s)))
        log(n(s @ s))
        log(n(s.view(3, 1)))
        log(n(-s))
        log(n(s > 0))

    @scene
    def mksub(log):
        s = torch.Tensor._make_subclass(S, torch.ones(2), True)
        log((n(s), s.requires_grad, s.is_leaf))

    @scene
    def lg(log):
        x = torch.ones(2, 2).as_subclass(Lg)
        Lg.calls.clear()
        x + 1
        torch.sin(x)
        x.sum(0)
        x.view(4)
        x.mul_(2)
        x[0]
        x[0] = 1
        torch.mm(x, x)
        torch.stack([x, x])
        torch.nn.functional.relu(x)
        x.t()
        log([c for c in Lg.calls])

    @scene
    def duck(log):
        d = Duck()
        log(torch.sin(d))
        log(torch.add(torch.ones(2), d))
        log(torch.ones(2) + d)
        log(torch.cat([d, torch.ones(1)]))
        log(torch.mm(torch.ones(2, 2), d))
        log(torch.nn.functional.relu(d))
        log(torch.split(d, 1))

    class No:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    @scene
    def no(log):
        torch.add(torch.ones(2), No())

    @scene
    def mode(log):
        class M(o.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                log(getattr(func, "__name__", "?"))
                return func(*args, **(kwargs or {}))

        x = torch.ones(2, 2)
        with M():
            x + 1
            torch.sin(x)
            x.sum()
            x.mul_(2)
            x[0]
            torch.mm(x, x)

    @scene
    def has(log):
        s = torch.ones(1).as_subclass(S)
        log(o.has_torch_function((s,)))
        log(o.has_torch_function((torch.ones(1), 3)))
        log(o.has_torch_function((torch.nn.Parameter(torch.ones(1)),)))
        log(o.is_tensor_like(Duck()))
        log(o.is_tensor_like(3))
        log(o.is_tensor_like(s))

    @scene
    def user(log):
        def f(a, b=1):
            if o.has_torch_function((a,)):
                return o.handle_torch_function(f, (a,), a, b=b)
            return a

        log(f(Duck()))
        log(f(3))
        log(f(torch.ones(1).as_subclass(S)) is not None)

    @scene
    def param(log):
        p = torch.nn.Parameter(torch.ones(2))
        log(n(p * 2))
        log(n(p.detach()))
        log(n(p.data))
        log(n(copy.deepcopy(p)))

        class P2(torch.nn.Parameter):
            pass

        q = P2(torch.ones(2))
        log(n(q * 2))
        log((q * 2).grad_fn is not None)

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_as_pytorch(name):
    sentence = compare(scenes, name)
    assert sentence is None, sentence
