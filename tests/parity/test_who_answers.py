"""Which object, arguments and classes those are shown who answer for functions, and what class results have."""

import functools
import importlib
import warnings

import pytest

torch = pytest.importorskip("torch")

import rushlight  # noqa: E402

#: places of functions, the last one first that has it
PLACES = ("", "Tensor", "nn.functional", "linalg", "fft", "special")


def owner(library, place):
    return functools.reduce(getattr, filter(None, place.split(".")), library)


def classes(library):
    """A class that notes what it is shown, one that says nothing of functions, and a class of no tensors that notes too."""
    shown = []

    def note(func, types, args, kwargs):
        name = getattr(func, "__name__", "?")
        homes = [
            place
            for place in PLACES
            if any(each is func for each in vars(owner(library, place)).values())
            or getattr(owner(library, place), name, None) is func
        ]
        spelt = kwargs and sorted(kwargs)
        shown.append((homes[-1] if homes else "", name, len(args), spelt, [each.__name__ for each in types]))

    class Noting(library.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            note(func, types, args, kwargs)
            with library._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))

    class Plain(library.Tensor):
        pass

    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            note(func, types, args, kwargs)
            return -1

    return shown, Noting, Plain, Duck


def outcome(library, program):
    shown, noting, plain, duck = classes(library)
    t = library.tensor([[1.0, 2.0], [3.0, 4.0]])
    scope = dict(
        torch=library,
        F=library.nn.functional,
        t=t,
        x=library.tensor([[4.0, 2.0], [1.0, 3.0]]).as_subclass(noting),
        i=library.tensor([3, 5]).as_subclass(noting),
        p=library.arange(6.0).reshape(2, 3).as_subclass(plain),
        d=duck(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(f"result = ({program})" if "=" not in program.replace("==", "").split("(")[0] else program, scope)
        except Exception as error:
            return shown, type(error).__name__, str(error)[:60]
    return shown, form(library, scope.get("result"))


def form(library, value):
    if isinstance(value, library.Tensor):
        return type(value).__name__, tuple(value.shape), str(value.dtype)
    if isinstance(value, (tuple, list)):
        return [form(library, each) for each in value]
    return repr(value) if isinstance(value, (int, float, bool, str)) else type(value).__name__


OPERATORS = """
x + 1; 1 + x; x + t; t + x; x - 1; 1 - x; x * 2; 2 * x; x / 2; 2 / x; x // 2; 7 // x; x % 2; 7 % x; 2**x; x @ t; t @ x; -x; +x
abs(x); ~i; i & 1; 1 & i; i | 3; 3 | i; i ^ 1; 1 ^ i; i << 1; 1 << i; i >> 1; 1 >> i; x == 1; x != 1; x < 1; x <= 1; x > 1; x >= 1
1 < x; t == x; t < x; x[0]; x[i > 100]; len(x); 3.0 in x; repr(x); t + d; d + t; t @ d; t[d]; t[0, d]
x += 1; x -= 1; x *= 2; x /= 2; x //= 1; x %= 2; x @= t; t += x; i &= 1; x[0] = 1.0; t[0] = d
"""
ATTRIBUTES = """
x.shape; x.dtype; x.device; x.grad; x.requires_grad; x.data; x.T; x.mT; x.is_leaf; x.grad_fn; x.ndim; x.real; x.layout; x.is_cuda
x.is_sparse; x.itemsize; x.nbytes; x._version; x._base; x.output_nr; x.retains_grad; x.name; x.is_cpu; x._backward_hooks
x.size(); x.dim(); x.numel(); x.stride(); x.tolist(); x.numpy(); x.nelement(); x.ndimension(); x.element_size(); x.type()
x.is_contiguous(); x.is_floating_point(); x.is_complex(); x.storage_offset(); x.is_shared(); x.get_device(); x.is_inference()
x.data = t; x.grad = t; x.requires_grad = True
torch.Tensor.size(x); torch.Tensor.add(x, 1); torch.Tensor.shape.__get__(x); torch.Tensor.dim(x)
"""
METHODS = """
x.add(1); x.div(1); x.true_divide(1); x.absolute(); x.abs(); x.negative(); x.add_(0); x.sum(); x.sum(dim=0); x.view(2, 2); x.t()
x.permute(1, 0); x.float(); x.double(); x.to(torch.float64); x.clone(); x.detach(); x.contiguous(); x.new_zeros(2); x.fill_(2.0)
x.zero_(); x.copy_(t); t.copy_(x); x.requires_grad_(); x.unbind(); x.split(1); x.norm(); x.norm(dim=0); x.max(0); x.unique()
x.matmul(t); x.mm(t); x.inverse(); x.svd(); x.expand(3, 2, 2); x.repeat(2, 1); x.relu(); x.relu_(); x.bernoulli(0.5); x.clip(0, 1)
x.__rsub__(1); x.__rtruediv__(1); x.apply_(abs); x.equal(t); x.allclose(t); x.share_memory_(); x.swapaxes(0, 1); x.moveaxis(0, 1)
x.index_put_((torch.tensor([0]),), t[0]); x.__format__('')
"""
FUNCTIONS = """
torch.add(x, 1); torch.absolute(x); torch.relu(x); F.relu(x); F.relu(x, inplace=True); F.sigmoid(x); F.softmax(x, 0); torch.softmax(x, 0)
F.linear(x, t); F.gelu(x); F.dropout(x); torch.dropout(x, 0.5, True); torch.cat([x, t]); torch.concat([x, t]); torch.stack([t, x])
torch.einsum('ij,jk', x, t); torch.norm(x); torch.split(x, 1); torch.unique(x); torch.broadcast_tensors(x, t)
torch.tensordot(x, t, 1); torch.cdist(x, t); torch.block_diag(x, t); torch.atleast_1d(x); torch.atleast_1d(x, t)
torch.linalg.norm(x); torch.linalg.inv(x); torch.linalg.svdvals(x); torch.linalg.multi_dot([x, t]); torch.fft.fft(x)
torch.special.expit(x); torch.special.psi(x); torch.zeros_like(x); torch.rand_like(x); torch.is_tensor(x); torch.numel(x); torch.tensor(x)
torch.as_tensor(x); torch.result_type(x, 1); torch.nn.init.ones_(x); F.mse_loss(x, t); F.layer_norm(x, (2,))
F.batch_norm(x, None, None, training=True); F.pad(x, (1, 1)); F.normalize(x); F.one_hot(i); F.elu(x); F.elu(x, 2.0, True)
F.hardtanh(x); F.cosine_similarity(x, t); torch.nn.Linear(2, 2)(x); torch.nn.ReLU()(x); torch.max(x); torch.where(x > 2, x, t)
torch.autograd.grad(x.requires_grad_().sum(), x); x.requires_grad_().sum().backward(); torch.pow(2, x)
torch.divide(x, 2); torch.add(t, 1, out=x); torch.lu(x); torch.sin(t, out=x); torch.detach(x); torch.threshold(x, 1.0, 2.0)
"""
DUCKS = """
torch.add(d, d); F.relu(d); F.gelu(d, approximate='tanh'); torch.mm(t, d); torch.normal(d, d); torch.autograd.grad(d, d)
torch.autograd.grad([d, d], (d,), d); F.interpolate(d, 2); torch.fft.fftshift(d); torch.meshgrid(d, d); torch.multinomial(d, 1)
torch.complex(d, d); F.scaled_dot_product_attention(d, d, d); torch.equal(d, d); torch.nn.init.constant_(d, 1.0)
torch.nn.init.normal_(d); torch.nn.init.kaiming_uniform_(d); torch.is_tensor(d); torch.rrelu_(d); torch.std_mean(d); F.ctc_loss(d, d, d, d)
"""
PLAIN = """
p.data; p.detach(); p.T; p.float(); p.to(torch.float64); p.clone(); p[0]; p.max(0); p.split(1); list(p); p.new_zeros(2); torch.tensor(p)
torch.zeros_like(p); p.numpy(); p.as_subclass(torch.Tensor); F.relu(p); torch.cat([p, p]); p.add_(1); torch.nn.Linear(3, 2)(p)
torch.nn.Parameter(p); torch.ones(2, 3).add_(p); torch.randn(2, 3).copy_(p); torch.ones(3)[torch.tensor([0]).as_subclass(type(p))]
type(p)(torch.ones(2)); type(p)(torch.ones(2))._is_view(); type(p)(torch.ones(2, requires_grad=True)).grad_fn
torch.nn.LSTM(3, 2)(p)[0]; torch.add(p, 1, out=p.clone()); torch.func.grad(lambda v: (v * v).sum())(p); reversed(p)
"""


def programs(text):
    return [each.strip() for line in text.strip().splitlines() for each in line.split(";")]


@pytest.mark.parametrize(
    "text",
    [OPERATORS, ATTRIBUTES, METHODS, FUNCTIONS, DUCKS, PLAIN],
    ids="operators attributes methods functions ducks plain".split(),
)
def test_as_pytorch(text):
    differ = {}
    for program in programs(text):
        torch.manual_seed(0), rushlight.manual_seed(0)
        ours, theirs = outcome(rushlight, program), outcome(torch, program)
        if ours != theirs:
            differ[program] = ours, theirs
    assert not differ


def seen_by_a_mode(library):
    overrides = importlib.import_module(library.__name__ + ".overrides")
    seen = []

    class Noting(overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append((overrides.resolve_name(func) or func.__name__, len(args), kwargs and sorted(kwargs)))
            return func(*args, **(kwargs or {}))

    layer = library.nn.Sequential(library.nn.Linear(2, 2), library.nn.ReLU())
    x = library.ones(3, 2)
    with Noting():
        y = layer(x * 2).sum()
        y.shape, y.size(), y.dim(), y.dtype, x[0], len(x), y.is_cuda
        y.backward()
        library.zeros(2), library.tensor([1.0]), library.nn.functional.mse_loss(x, x)
        x @ x.T
        library.autograd.grad(layer[0].weight.sum(), layer[0].weight)
    return seen


def test_modes_see_what_they_see_in_pytorch():
    assert seen_by_a_mode(rushlight) == seen_by_a_mode(torch)


def test_nobody_answers_in_the_same_words():
    def words(library):
        class Silent:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return NotImplemented

        d, t, F = Silent(), library.ones(2), library.nn.functional
        found = []
        for call in (
            lambda: library.add(d, d),
            lambda: F.relu(d),
            lambda: t + d,
            lambda: d - t,
            lambda: t @ d,
            lambda: t.add(d),
            lambda: library.linalg.inv(d),
            lambda: F.linear(d, d),
            lambda: t[d],
            lambda: library.autograd.grad(d, d),
        ):
            with pytest.raises(TypeError) as caught:
                call()
            found.append(str(caught.value))
        return [each.replace("torch.functional", "torch") for each in found]

    assert words(rushlight) == words(torch)
