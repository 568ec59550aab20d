"""Mixed precision, compilation and devices that are not there, as scripts touch them; both libraries must print the same."""

import re
import warnings

import torch
import torch.nn.functional as F

warnings.simplefilter("always")


def show(name, f):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            print(name, "->", re.sub(r"0x[0-9a-f]+", "N", repr(f())))
        except BaseException as x:
            print(name, "!!", type(x).__name__, x)
    for each in told:
        print("   ", each.category.__name__, re.sub(r" \(Triggered internally.*", "", str(each.message)))


def outcome(f, dtype=torch.bfloat16, inputs=torch.float32):
    """Dtypes of a function's result and of the gradients under autocast."""
    torch.manual_seed(0)
    given = [torch.rand(2, 3, 4, 4, dtype=inputs, requires_grad=True), torch.rand(5, 3, 2, 2, requires_grad=True)]
    with torch.autocast("cpu", dtype=dtype):
        result = f(*given)
    result.float().sum().backward()
    return result.dtype, [None if each.grad is None else each.grad.dtype for each in given]


FUNCTIONS = {
    "matmul": lambda x, w: x @ x,
    "mv": lambda x, w: x[0, 0] @ x[0, 0, 0],
    "torch.mv": lambda x, w: torch.mv(x[0, 0].float(), x[0, 0, 0].float()),
    "linear": lambda x, w: F.linear(x, x[0, 0]),
    "conv": lambda x, w: F.conv2d(x, w),
    "conv transposed": lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1)),
    "bmm": lambda x, w: torch.bmm(x[0], x[1]),
    "einsum": lambda x, w: torch.einsum("abcd,abde->abce", x, x),
    "attention": lambda x, w: F.scaled_dot_product_attention(x, x, x),
    "add": lambda x, w: x + x,
    "exp": lambda x, w: x.exp(),
    "softmax": lambda x, w: x.softmax(-1),
    "cat": lambda x, w: torch.cat([x, x.bfloat16()]),
    "stack": lambda x, w: torch.stack([x.bfloat16(), x.bfloat16()]),
    "mse": lambda x, w: F.mse_loss(x, torch.zeros_like(x)),
    "l1": lambda x, w: F.l1_loss(x, torch.zeros_like(x)),
    "cross entropy": lambda x, w: F.cross_entropy(x[:, :, 0, 0], torch.tensor([0, 2])),
    "bce": lambda x, w: F.binary_cross_entropy(x.clamp(0.1, 0.9), torch.zeros_like(x)),
    "bce logits": lambda x, w: F.binary_cross_entropy_with_logits(x, torch.zeros_like(x)),
    "nll": lambda x, w: F.nll_loss(x[:, :, 0, 0], torch.tensor([0, 2])),
    "smooth": lambda x, w: F.smooth_l1_loss(x, torch.zeros_like(x)),
    "kl": lambda x, w: F.kl_div(x, torch.ones_like(x), reduction="sum"),
    "layer norm": lambda x, w: F.layer_norm(x, (4,)),
    "relu": lambda x, w: F.relu(x),
    "max pool": lambda x, w: F.max_pool2d(x, 2),
    "prod": lambda x, w: x.prod(),
    "sum": lambda x, w: x.sum(),
    "norm": lambda x, w: x.norm(),
    "off": lambda x, w: off(x),
}


def off(x):
    with torch.autocast("cpu", enabled=False):
        return x @ x


for name, function in FUNCTIONS.items():
    show(name, lambda function=function: outcome(function))
    show(name + " half in", lambda function=function: outcome(function, inputs=torch.bfloat16))
show("float16", lambda: outcome(FUNCTIONS["matmul"], torch.float16))


def trained(scaler):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(16, 4), torch.randint(3, (16,))
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimiser)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimiser)
        scaler.update()
        losses.append(round(loss.item(), 3))
    return losses, scaler.state_dict()


show("training", lambda: trained(torch.amp.GradScaler("cpu", growth_interval=2)))
show("training, off", lambda: trained(torch.amp.GradScaler("cpu", enabled=False)))
show("cuda", lambda: trained(torch.cuda.amp.GradScaler()))
show("cuda autocast", lambda: torch.autocast("cuda"))
show("old cuda autocast", lambda: torch.cuda.amp.autocast())
show("old cpu autocast", lambda: torch.cpu.amp.autocast())
show("no device", lambda: torch.autocast("foo"))
show("no name", lambda: torch.autocast(3))
show("float64", lambda: torch.autocast("cpu", dtype=torch.float64)._enabled)
show("asked", lambda: (torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled(), torch.get_autocast_dtype("cpu")))


@torch.autocast("cpu")
def decorated(x):
    return x @ x, torch.is_autocast_enabled("cpu")


show("decorated", lambda: decorated(torch.ones(2, 2)))
scaler = torch.amp.GradScaler("cpu")
weight = torch.nn.Parameter(torch.ones(2))
optimiser = torch.optim.SGD([weight], lr=0.1)
show("not scaled", lambda: scaler.step(optimiser))
show("not scaled update", lambda: scaler.update())
show("growth", lambda: torch.amp.GradScaler("cpu", growth_factor=0.5))
show("backoff", lambda: torch.amp.GradScaler("cpu", backoff_factor=1.5))


def step(factor):
    optimiser.zero_grad()
    scaler.scale((weight * factor).sum()).backward()
    result = scaler.step(optimiser)
    scaler.update()
    return result, weight, scaler.get_scale(), scaler._get_growth_tracker()


show("step", lambda: step(2))
show("infinite step", lambda: step(float("inf")))


def twice():
    scaler.scale((weight * 2).sum()).backward()
    scaler.unscale_(optimiser)
    scaler.unscale_(optimiser)


show("unscaled twice", twice)


class Product(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x @ x

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g @ x.t() + x.t() @ g


def custom():
    x = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu"):
        y = Product.apply(x)
    y.sum().backward()
    return y.dtype, x.grad


show("custom", custom)

model = torch.compile(torch.nn.Linear(2, 3))
show("compiled", lambda: (model, list(model.state_dict()), model.in_features, type(model).__module__))
show("compiled call", lambda: model(torch.ones(1, 2)).shape)
show("compiled eval", lambda: (model.eval().training, model._orig_mod.training))
show("compiled function", lambda: torch.compile(lambda x: x + 1)(torch.ones(2)))
show("disabled", lambda: torch.compile(torch.nn.Linear(2, 2), disable=True))
show("mode and options", lambda: torch.compile(lambda x: x, mode="max-autotune", options={}))
show("no such backend", lambda: torch.compile(lambda x: x, backend="foo"))
show("no such mode", lambda: torch.compile(lambda x: x, mode="foo"))
show("compiling", lambda: (torch.compiler.is_compiling(), torch.jit.is_scripting(), torch.jit.is_tracing()))


@torch.compile
def bare(x):
    return x * 2


@torch.compile(fullgraph=True, dynamic=False)
def given(x):
    return x * 3


show("decorators", lambda: (bare(torch.ones(1)), given(torch.ones(1)), bare.__name__))
show("cuda there", lambda: (torch.cuda.is_available(), torch.cuda.device_count()))
show("cuda seed", lambda: torch.cuda.manual_seed_all(3))
show("cuda cache", lambda: torch.cuda.empty_cache())
show("to cuda", lambda: torch.ones(1).to("cuda"))
show("device", lambda: torch.device("cuda:1" if torch.cuda.is_available() else "cpu"))
show("cudnn", lambda: (torch.backends.cudnn.is_available(), setattr(torch.backends.cudnn, "benchmark", True)))
show("mps", lambda: torch.backends.mps.is_available())
show("precision", lambda: (torch.set_float32_matmul_precision("high"), torch.get_float32_matmul_precision()))
show("no precision", lambda: torch.set_float32_matmul_precision("foo"))
show("deterministic", lambda: (torch.use_deterministic_algorithms(True), torch.are_deterministic_algorithms_enabled()))
