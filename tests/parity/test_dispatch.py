"""Dispatch modes and wrapper tensors: what modes see of programs, what becomes of their answers, and classes that answer for operators."""

import functools
import importlib
import io

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402

#: calls, one a line; a mode must see of each what it sees under PyTorch
CALLS = """
F.linear(x, w, b)
F.linear(x, w)
x + x, x + 2, 2 + x, x - 1, 1 - x, x * 2, x / 2, x**2, 2**x, x**x, -x, x // 2, x % 2, abs(x)
x == 1, x != x, x < 1, (x > 0) & (x < 1), ~(x > 0), torch.where(x > 0, x, x), x.masked_fill(x > 0, 0.0), x.clamp(0, 1)
x.sum(), x.sum(0), x.sum((0, 1), keepdim=True), x.mean(), x.mean(1), x.max(), x.max(1), x.min(0), x.amax(1), x.argmax(1)
x.var(), x.var(1), x.std(), x.prod(), x.prod(1), x.norm(), x.logsumexp(1), x.cumsum(0), (x > 0).any(), (x > 0).any(1)
torch.unique(x), torch.searchsorted(v, v), F.scaled_dot_product_attention(*[x.view(1, 1, 4, 3)] * 3)
x.topk(2), x.sort(), x.median(), torch.var_mean(x, 0), x.aminmax(), x.nansum()
x.t(), x.T, x.mT, x.view(12), x.view(-1), x.reshape(3, 4), x.t().reshape(12), x.transpose(0, 1), x.permute(1, 0), x.flatten()
x.unsqueeze(0).squeeze(0), x.unsqueeze(0).squeeze(), x.squeeze((0,)), x.expand(2, 4, 3), x.movedim(0, 1), x.unflatten(0, (2, 2))
x[0], x[0, 1], x[:, 1], x[1:3], x[::2], x[None], x[..., 0], x[1:, 0], x[index], x[x > 0], x[:, index[:2]]
x.narrow(0, 0, 2), x.select(0, 1), x.split(2), x.split([1, 3]), x.chunk(2), x.unbind(), x.diagonal(), x.unfold(0, 2, 1)
x.contiguous(), x.t().contiguous(), x.clone(), x.detach(), x.view_as(x), x.as_strided((2, 2), (1, 1))
x.index_select(0, index), x.gather(0, index[None, :3]), x.take(index), x.masked_select(x > 0)
torch.cat([x, x]), torch.stack([x, x]), x.repeat(2, 1), x.flip(0), x.tril(), torch.bmm(x[None], x.t()[None]), x @ x.t(), x.mv(v)
x.double(), x.to(torch.float64), x.long(), x.bool(), x.to(x.dtype), x.to("cpu")
torch.empty(2), torch.zeros(2, 3), torch.ones((2,)), torch.full((2,), 3.0), torch.rand(2), torch.randn(()), torch.eye(3)
torch.randint(0, 5, (2,)), torch.randint(5, (2,)), torch.randperm(3), torch.arange(3), torch.arange(1, 5), torch.arange(1, 5, 2)
torch.linspace(0, 1, 3), torch.tensor([1.0]), torch.zeros(2, dtype=torch.int64), torch.ones(2, requires_grad=True), torch.scalar_tensor(2.0)
torch.zeros_like(x), torch.full_like(x, 2.0), torch.rand_like(x), x.new_zeros(2), x.new_full((2,), 1.0), torch.empty_strided((2,), (1,))
torch.add(x, x, out=x.clone()), torch.sum(x, 0, out=v.clone()), torch.mm(x, x.t(), out=x @ x.t())
x.sum().item(), bool(x.sum() > 0), int(x.sum()), torch.equal(x, x)
F.relu(x), F.gelu(x), F.gelu(x, approximate="tanh"), F.silu(x), F.leaky_relu(x), F.elu(x), F.softmax(x, -1), F.log_softmax(x, 0), F.hardtanh(x), F.softplus(x)
F.layer_norm(x, (3,)), F.mse_loss(x, x), F.mse_loss(x, x, reduction="sum"), F.embedding(index, x), F.smooth_l1_loss(x, x)
F.cross_entropy(x, index), F.nll_loss(x, index), F.binary_cross_entropy_with_logits(x, x), F.huber_loss(x, x)
F.conv2d(image, filters), F.max_pool2d(image, 2), F.avg_pool2d(image, 2), F.adaptive_avg_pool2d(image, 1), F.group_norm(image, 3)
x.clone().add_(1).mul_(x).sub_(x).div_(2).zero_().fill_(1).copy_(x).relu_().clamp_(0).pow_(2).exp_().neg_()
x.clone().uniform_().normal_().bernoulli_(0.25).addcmul_(x, x).lerp_(x, 0.5).sigmoid_().masked_fill_(x > 0, 1.0)
write(x.clone(), 0, 1.0), write(x.clone(), 0, v), write(x.clone(), index, 0.0), write(x.clone(), x > 0, 1.0), write(x.clone(), ..., 1.0)
write(v.clone(), 0, 2.0), write(x.clone(), slice(None), v[None]), write(x.clone(), 0, v[None]), write(x.clone(), 0, v[None, :1])
write(x.clone(), (slice(None), 1), x[:, 0]), x.clone().index_put_((index,), x[0]), x.clone().scatter_(0, index[None, :3], 1.0)
""".strip().splitlines()


def shown(torch, value):  # noqa: F811 - each library in turn
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}{list(value.shape)}{list(value.stride())}"
    if isinstance(value, (list, tuple)):
        return [shown(torch, each) for each in value]
    return value if isinstance(value, (int, float, type(None))) else str(value)


@functools.cache
def parts(torch):  # noqa: F811
    """Modes and classes of one library."""
    dispatch = importlib.import_module(torch.__name__ + ".utils._python_dispatch")
    tree = importlib.import_module(torch.__name__ + ".utils._pytree")

    class Log(dispatch.TorchDispatchMode):
        """Notes calls; PyTorch's own bookkeeping, which detaches what it saves, is left out."""

        def __init__(self):
            self.calls = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if "detach" not in str(func):
                named = sorted((name, shown(torch, value)) for name, value in kwargs.items() if name != "memory_format")
                self.calls.append((str(func), shown(torch, args), named))
            return func(*args, **kwargs)

    class Two(torch.Tensor):
        """Two tensors on which every operator runs."""

        @staticmethod
        def __new__(cls, a, b):
            place = dict(strides=a.stride(), storage_offset=a.storage_offset())
            return torch.Tensor._make_wrapper_subclass(
                cls, a.size(), dtype=a.dtype, requires_grad=a.requires_grad, **place
            )

        def __init__(self, a, b):
            self.a, self.b = a, b

        def __repr__(self):
            return f"Two({self.a.tolist()}, {self.b.tolist()})"

        @classmethod
        def _on(cls, part, func, args, kwargs):
            args, kwargs = tree.tree_map_only(cls, lambda each: getattr(each, part), (args, kwargs))
            return func(*args, **kwargs)

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            results = [cls._on(part, func, args, kwargs) for part in "ab"]
            (first, spec), (second, _) = map(tree.tree_flatten, results)
            made = [cls(a, b) if isinstance(a, torch.Tensor) else a for a, b in zip(first, second)]
            return dispatch.return_and_correct_aliasing(func, args, kwargs, tree.tree_unflatten(made, spec))

    return dispatch, Log, Two


def write(x, index, value):
    x[index] = value


@pytest.mark.parametrize("line", CALLS)
def test_a_mode_sees_the_calls_that_pytorch_makes(line):
    import rushlight

    seen = []
    for library in (torch, rushlight):
        _, Log, _ = parts(library)
        library.manual_seed(0)
        functional = importlib.import_module(library.__name__ + ".nn.functional")
        names = dict(
            torch=library, F=functional, write=write, x=library.linspace(-1, 1, 12).reshape(4, 3), v=library.ones(3)
        )
        names.update(w=library.ones(5, 3), b=library.ones(5), index=library.tensor([0, 2, 1, 0]))
        names.update(image=library.ones(2, 3, 8, 8), filters=library.ones(4, 3, 3, 3))
        with Log() as log:
            eval(line, names)
        seen.append(log.calls)
    assert seen[1] == seen[0]


def scenes(torch):  # noqa: F811
    scene = Scenes()
    dispatch, Log, Two = parts(torch)
    aten = torch.ops.aten
    checkpoints = importlib.import_module(torch.__name__ + ".utils.checkpoint")

    def two(*shape):
        a = torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape)
        return Two(a, a * 10)

    def values(x):
        return [values(x.a), values(x.b)] if isinstance(x, Two) else x.tolist()

    class Answering(dispatch.TorchDispatchMode):
        """A mode that is a function of (func, args, kwargs)."""

        def __init__(self, function):
            self.function = function

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return self.function(func, args, kwargs or {})

    @scene
    def answers_are_recorded_as_the_operator(log):
        def twice(func, args, kwargs):
            result = func(*args, **kwargs)
            return result * 2 if func is aten.mul.Tensor else result

        x = torch.ones(2, requires_grad=True)
        with Answering(twice):
            y = x * 3
        y.sum().backward()
        return y.tolist(), x.grad.tolist(), y.grad_fn.name()

    @scene
    def views_and_writes(log):
        x = torch.ones(2, 2, requires_grad=True)
        with Log():
            y = x.sin()
            part = y[0]
            part.mul_(2)
            first = y.unbind()[0]
            try:
                first.mul_(2)
            except RuntimeError as error:
                log(str(error))
            y.exp_()
        y.sum().backward()
        return y.grad_fn.name(), part.grad_fn.name(), part._base is y, y._version, x.grad.tolist()

    @scene
    def writes_to_leaves(log):
        x = torch.ones(2, requires_grad=True)
        with Log():
            x.mul_(2)

    @scene
    def stacks(log):
        with Log() as outer, Log() as inner:
            torch.ones(2).add(1)
        log([call[0] for call in outer.calls])
        log([call[0] for call in inner.calls])
        with outer, outer:
            torch.ones(2)
        return len(outer.calls), dispatch._get_current_dispatch_mode()

    @scene
    def nothing_is_left_of_a_mode_that_raises(log):
        def refuse(func, args, kwargs):
            raise ValueError(str(func))

        x = torch.ones(2)
        try:
            with Answering(refuse):
                x + 1
        except ValueError as error:
            log(str(error))
        return (x + 1).tolist(), torch.is_grad_enabled(), dispatch._get_current_dispatch_mode_stack()

    @scene
    def nobody_answers(log):
        with Answering(lambda func, args, kwargs: NotImplemented) as mode:
            try:
                two(2).abs()
            except TypeError as error:
                log(str(error).replace(repr(mode), "it").replace(repr(Two), "Two"))

    @scene
    def strange_answers(log):
        with Answering(lambda func, args, kwargs: "arf"):
            torch.ones(2)

    @scene
    def errors_are_those_of_plain_programs(log):
        x = torch.arange(6.0).reshape(2, 3)
        for function in (
            *(lambda: x[2], lambda: x[0, 0, 0], lambda: x[::-1], lambda: x["a"], lambda: x[torch.tensor([5])]),
            *(
                lambda: write(x.clone(), 5, 1.0),
                lambda: write(x.clone(), 0, torch.ones(2)),
                lambda: write(x.clone(), 0, "a"),
            ),
            *(
                lambda: torch.tensor(1.0)[0],
                lambda: x.view(5),
                lambda: x.sum(5),
                lambda: x.long().sigmoid_(),
                lambda: x.expand(3, 3),
            ),
            *(lambda: torch.zeros(2, dtype=torch.int64, requires_grad=True), lambda: x.requires_grad_().add_(1)),
        ):
            try:
                with Log():
                    function()
            except Exception as error:
                log((type(error).__name__, str(error).split("\n")[0]))

    @scene
    def names_of_overloads(log):
        for func in (aten.add.Tensor, aten.mm.default, aten.sum.dim_IntList, aten.add_.Tensor, aten.max.dim):
            log(
                (str(func), repr(func), func.name(), func.__name__, func.__module__, func.namespace, func._overloadname)
            )
            log((str(func.overloadpacket), repr(func.overloadpacket), func._schema.name, func._schema.is_mutable))
        return aten.add is aten.add, aten.add.Tensor is aten.add.Tensor, aten.add.nothing

    @scene
    def calls_by_name(log):
        x = torch.arange(6.0).reshape(2, 3)
        log(aten.sum.dim_IntList(x, [0]).tolist())
        log(aten.slice.Tensor(x, 1, 0, 2).tolist())
        log(aten.index.Tensor(x, [None, torch.tensor([1])]).tolist())
        log(aten.nll_loss_forward.default(x, torch.tensor([0, 1]), None, 1, -100)[0].item())
        log(aten._to_copy.default(x, dtype=torch.int64).tolist())
        log(aten.var.correction(x, [1], correction=0).tolist())
        log(aten.add(x, 1).tolist())
        z = torch.tensor([9.0, 1.0, 1.0])
        first = torch.tensor([0])
        for made in (
            *(
                aten.pow.Tensor_Scalar(z, 2),
                aten.div.Tensor_mode(z, 2, rounding_mode="floor"),
                aten.mean.dim(z, [0], True),
            ),
            *(
                aten.masked_fill.Scalar(z, z > 2, 0),
                aten.scatter.src(z, 0, first, torch.ones(1)),
                aten.scatter.value(z, 0, first, 3.0),
            ),
            *(aten.select.int(z, 0, 1), aten.alias.default(z), aten.full.default([2], 3.0), aten.arange.start(1, 3)),
            *(
                aten.linalg_vector_norm.default(z, 2, [0]),
                aten.softmax.int(z, 0),
                aten.sum.dim_IntList(z, [0], dtype=torch.float64),
            ),
            *(
                aten.sort.stable(z, stable=True, dim=0, descending=True)[0],
                aten.var_mean.correction(z, [0], correction=1)[0],
            ),
            *(aten.prod.dim_int(z, 0), aten.split_with_sizes.default(z, [1, 2])[1], aten.unbind.int(z)[0]),
            *(aten.threshold_backward.default(z, z, 0), aten._softmax_backward_data.default(z, z, 0, torch.float32)),
            *(
                aten.gelu.default(z, approximate="tanh"),
                aten.searchsorted.Tensor(z, z),
                aten._unique2.default(z, True, True)[1],
            ),
            *(
                aten._scaled_dot_product_flash_attention_for_cpu(*[x.view(1, 1, 2, 3)] * 3, 0.0, True)[0],
                aten.mse_loss(z, z + 1, 2),
            ),
            *(
                aten.add.out(z, z, out=torch.empty(3)),
                aten.index_put_.default(z, [first], torch.tensor(7.0)),
                aten.fill_.Scalar(z, 4),
            ),
        ):
            log((made.tolist(), str(made.dtype)))

    @scene
    def two_operators(log):
        x = two(2, 2)
        made = (
            x + 1,
            x @ x,
            x.sum(0),
            x.t(),
            x[0],
            x[:, 1],
            x.view(4),
            x.softmax(-1),
            torch.cat([x, x]),
            x.max(),
            x.sort(0)[0],
        )
        log([values(each) for each in made])
        log([(type(each).__name__, each.stride(), each.storage_offset(), each._is_view()) for each in made])

    @scene
    def two_gradients(log):
        x, plain = two(2, 2).requires_grad_(), torch.ones(2, requires_grad=True)
        (x * x * plain).sum().backward()
        first, = torch.autograd.grad((x**3).sum(), x, create_graph=True)  # fmt: skip
        second, = torch.autograd.grad(first.sum(), x)  # fmt: skip
        return [(type(each).__name__, values(each)) for each in (x.grad, plain.grad, first, second)]

    @scene
    def two_writes(log):
        x = two(2, 2)
        x.add_(1)
        x[0] = 5.0
        x.mul_(two(2, 2))
        y = x.view(4)
        y[1:].zero_()
        return values(x), x._version, y._base is x

    @scene
    def two_in_a_module(log):
        module = torch.nn.Linear(2, 2)
        with torch.no_grad():
            module.weight.copy_(torch.eye(2))
            module.bias.zero_()
        module.weight = torch.nn.Parameter(Two(module.weight.detach(), module.weight.detach() * 2))
        y = module(torch.ones(1, 2))
        y.sum().backward()
        torch.optim.SGD(module.parameters(), lr=0.1).step()
        return (
            values(y),
            type(module.weight).__name__,
            values(module.weight.grad),
            values(module.weight),
            isinstance(module.weight, torch.nn.Parameter),
        )

    @scene
    def two_elsewhere(log):
        x = two(2)
        file = io.BytesIO()
        torch.save(x, file)
        file.seek(0)
        log(values(torch.load(file, weights_only=False)))
        log([values(each) for each in (torch.zeros_like(x), x.new_ones(3), x.double(), x.clone())])
        log([x.contiguous() is x, x.float() is x, x.data_ptr(), x.sum().item(), x.untyped_storage().nbytes()])
        x.tolist()

    @scene
    def two_checkpointed(log):
        x = two(3).requires_grad_()
        checkpoints.checkpoint(lambda each: each.sin().exp(), x, use_reentrant=False).sum().backward()
        return values(x.grad)

    @scene
    def selective(log):
        def policy(ctx, op, *args, **kwargs):
            if "detach" not in str(op):
                log((ctx.is_recompute, str(op), type(ctx.op_output).__name__))
            return (
                checkpoints.CheckpointPolicy.MUST_SAVE
                if op is aten.sin.default
                else checkpoints.CheckpointPolicy.MUST_RECOMPUTE
            )

        x = torch.tensor([0.5], requires_grad=True)
        contexts = functools.partial(checkpoints.create_selective_checkpoint_contexts, policy)
        y = checkpoints.checkpoint(lambda each: each.sin().cos().exp(), x, use_reentrant=False, context_fn=contexts)
        y.backward(retain_graph=True)
        log(x.grad.tolist())
        y.backward()

    @scene
    def selective_of_another_function(log):
        runs = []

        def function(x):
            runs.append(x)
            return x.sin().cos().exp() if len(runs) == 1 else x.sin().tan().exp()

        contexts = functools.partial(checkpoints.create_selective_checkpoint_contexts, [aten.sin.default])
        x = torch.tensor([0.5], requires_grad=True)
        checkpoints.checkpoint(function, x, use_reentrant=False, context_fn=contexts).backward()

    @scene
    def transforms_come_before_modes(log):
        x = torch.arange(6.0).reshape(2, 3)

        def within(function):
            def inner(*args):
                with Log() as seen:
                    result = function(*args)
                log(seen.calls)
                return result

            return inner

        for order in (lambda f, t: within(t(f)), lambda f, t: t(within(f))):
            log(order(lambda t: t.sin().sum(), torch.vmap)(x).tolist())
            log(order(lambda t: (t * t).sum(), torch.func.grad)(x).tolist())
        with Log(), torch.autocast("cpu", dtype=torch.bfloat16):
            log(str((x @ x.T).dtype))
        with Log():
            made = torch.vmap(lambda t: t + torch.rand(3), randomness="different")(x)
        return (made[0] - x[0]).tolist() == (made[1] - x[1]).tolist()

    @scene
    def operations_are_counted(log):
        counter = importlib.import_module(torch.__name__ + ".utils.flop_counter")
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        with counter.FlopCounterMode(display=False) as counted:
            net(torch.ones(5, 3, requires_grad=True)).sum().backward()
        found = counted.get_flop_counts()
        return counted.get_total_flops(), {
            name: sorted((str(op), n) for op, n in counts.items()) for name, counts in found.items()
        }

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_a_scene(name):
    assert compare(scenes, name) is None
