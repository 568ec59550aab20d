"""An error within a transform, a mode, a hook or a user's own backward leaves nothing of it behind: no mode, level or count."""

import asyncio
import gc
import threading

import pytest

import rushlight as torch
from rushlight.autograd import engine, forward_ad, levels, modes, saved
from rushlight.autograd.anomaly import is_anomaly_enabled, running
from rushlight.ops import dispatch
from rushlight.overrides import TorchFunctionMode
from rushlight.utils._python_dispatch import TorchDispatchMode
from rushlight.utils.checkpoint import checkpoint


class Stop(Exception):
    """What the scenes raise."""


def stop(*_):
    raise Stop


def counts():
    """Everything that is on: in this thread, and in the process."""
    state, thread = modes.state, modes.thread
    return {
        "process": (state.special, state.rare, state.duals, state.shells, is_anomaly_enabled()),
        "thread": (thread.grad, thread.transforms, thread.quiet, thread.reverse, torch.is_inference_mode_enabled()),
        "stacks": (levels._stack.interpreters, saved._stack.hooks, saved.disabled(), dispatch.functions.modes),
        "running": (running.node, engine.current_pass(), forward_ad._level.number, dispatch.functions.off),
    }


class Failing(torch.autograd.Function):
    """Fails in the part named by its second argument."""

    @staticmethod
    def forward(x, part):
        return stop() if part == "forward" else x * 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.part = inputs[1]
        if ctx.part == "setup":
            stop()

    @staticmethod
    def backward(ctx, g):
        return stop() if ctx.part == "backward" else (g * 2, None)

    @staticmethod
    def jvp(ctx, t, _):
        return stop() if ctx.part == "jvp" else t * 2

    @staticmethod
    def vmap(info, dims, x, part):
        return stop() if part == "vmap" else (x * 2, dims[0])


class Asking(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        stop()


class Dispatching(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        stop()


class Wrapped(torch.Tensor):
    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        stop()


def leaf(*shape):
    return torch.ones(*shape, requires_grad=True)


def hooked(register, **options):
    x = leaf(3)
    y = (x * 2).exp()
    register(x, y)
    y.sum().backward(**options)


def in_block(context):
    with context:
        stop()


def in_block_of(mode):
    x = torch.ones(3)
    with mode:
        x.exp()


def in_dual_level():
    with forward_ad.dual_level():
        Failing.apply(forward_ad.make_dual(torch.ones(3), torch.ones(3)), "jvp")


def in_saved_hooks(pack, unpack):
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        leaf(3).exp().sum().backward()


def in_checkpoint(reentrant):
    calls = []

    def once(x):
        calls.append(1)
        return stop() if len(calls) > 1 else x.exp()

    checkpoint(once, leaf(3), use_reentrant=reentrant).sum().backward()


def in_generator():
    @torch.no_grad()
    def steps():
        yield 1
        stop()

    list(steps())


def in_wrapper():
    made = torch.Tensor._make_wrapper_subclass(Wrapped, (3,))
    made + 1


func = torch.func
SCENES = {
    "vmap": lambda: func.vmap(stop)(torch.ones(3)),
    "vmap of an operator that refuses": lambda: func.vmap(lambda x: x.item())(torch.ones(3)),
    "grad": lambda: func.grad(stop)(torch.ones(3)),
    "grad of what is no scalar": lambda: func.grad(torch.exp)(torch.ones(3)),
    "vjp": lambda: func.vjp(stop, torch.ones(3)),
    "the function of vjp": lambda: func.vjp(torch.exp, torch.ones(3))[1](torch.ones(4)),
    "jvp": lambda: func.jvp(stop, (torch.ones(3),), (torch.ones(3),)),
    "linearize": lambda: func.linearize(stop, torch.ones(3)),
    "jacrev": lambda: func.jacrev(stop)(torch.ones(3)),
    "jacfwd": lambda: func.jacfwd(stop)(torch.ones(3)),
    "hessian": lambda: func.hessian(lambda x: stop() if x.sum() is not None else x)(torch.ones(3)),
    "functionalize": lambda: func.functionalize(stop)(torch.ones(3)),
    "vmap of grad of jvp": lambda: func.vmap(func.grad(lambda x: func.jvp(stop, (x,), (x,))[0]))(torch.ones(3)),
    "jacobian": lambda: torch.autograd.functional.jacobian(stop, torch.ones(3), vectorize=True),
    "jacobian forward": lambda: torch.autograd.functional.jacobian(
        stop, torch.ones(3), vectorize=True, strategy="forward-mode"
    ),
    "hessian of autograd": lambda: torch.autograd.functional.hessian(
        lambda x: Failing.apply(x, "backward").sum(), torch.ones(3), vectorize=True
    ),
    "grad of a batch": lambda: torch.autograd.grad(
        Failing.apply(leaf(3), "backward"), [leaf(3)], torch.ones(2, 3), is_grads_batched=True
    ),
    "forward": lambda: Failing.apply(leaf(3), "forward"),
    "setup_context": lambda: Failing.apply(leaf(3), "setup"),
    "backward": lambda: Failing.apply(leaf(3), "backward").sum().backward(),
    "backward that is recorded": lambda: Failing.apply(leaf(3), "backward").sum().backward(create_graph=True),
    "jvp of a Function": in_dual_level,
    "vmap of a Function": lambda: func.vmap(lambda x: Failing.apply(x, "vmap"))(torch.ones(3)),
    "grad of a Function": lambda: func.grad(lambda x: Failing.apply(x, "backward").sum())(torch.ones(3)),
    "hook": lambda: hooked(lambda x, y: y.register_hook(stop)),
    "hook on a leaf": lambda: hooked(lambda x, y: x.register_hook(stop)),
    "hook after accumulation": lambda: hooked(lambda x, y: x.register_post_accumulate_grad_hook(stop)),
    "hook before a node": lambda: hooked(lambda x, y: y.grad_fn.register_prehook(stop)),
    "hook after a node": lambda: hooked(lambda x, y: y.grad_fn.register_hook(stop), create_graph=True),
    "hook on several": lambda: hooked(lambda x, y: torch.autograd.graph.register_multi_grad_hook((x, y), stop)),
    "callback": lambda: hooked(
        lambda x, y: y.register_hook(lambda g: torch.autograd.Variable._execution_engine.queue_callback(stop))
    ),
    "pack": lambda: in_saved_hooks(stop, lambda x: x),
    "unpack": lambda: in_saved_hooks(lambda x: x, stop),
    "checkpoint": lambda: in_checkpoint(False),
    "checkpoint, reentrant": lambda: in_checkpoint(True),
    "no_grad": lambda: in_block(torch.no_grad()),
    "inference_mode": lambda: in_block(torch.inference_mode()),
    "detect_anomaly": lambda: in_block(torch.autograd.detect_anomaly()),
    "set_detect_anomaly": lambda: in_block(torch.autograd.set_detect_anomaly(True)),
    "disabled hooks": lambda: in_block(torch.autograd.graph.disable_saved_tensors_hooks("no")),
    "allowed mutation": lambda: in_block(torch.autograd.graph.allow_mutation_on_saved_tensors()),
    "dual level": lambda: in_block(forward_ad.dual_level()),
    "profiler": lambda: in_block(torch.autograd.profiler.profile()),
    "function mode": lambda: in_block_of(Asking()),
    "dispatch mode": lambda: in_block_of(Dispatching()),
    "generator": in_generator,
    "dispatching class": in_wrapper,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scene", SCENES)
def test_an_error_leaves_nothing_behind(scene):
    before = counts()
    with pytest.raises((Stop, RuntimeError)) as error:
        SCENES[scene]()
    del error
    gc.collect()
    assert counts() == before


@pytest.mark.filterwarnings("ignore")
def test_an_error_in_another_thread_leaves_nothing_behind():
    before, failed = counts(), []

    def work():
        for scene in SCENES.values():
            try:
                scene()
            except (Stop, RuntimeError):
                failed.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert len(failed) == len(SCENES)
    assert counts() == before


def test_a_generator_closed_early_leaves_nothing_behind():
    @torch.no_grad()
    def steps():
        with torch.inference_mode(), torch.autograd.graph.saved_tensors_hooks(stop, stop):
            yield 1

    before = counts()
    generator = steps()
    next(generator)
    generator.close()
    assert counts() == before


def test_hooks_entered_while_a_node_runs_end_with_it():
    class Entering(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            torch.autograd.graph.saved_tensors_hooks(stop, stop).__enter__()
            return g

    def unpack(x):
        torch.autograd.graph.saved_tensors_hooks(stop, stop).__enter__()
        return x

    before = counts()
    Entering.apply(leaf(3)).sum().backward()
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x, unpack):
        leaf(3).sin().exp().sum().backward()
    assert counts() == before


def test_hooks_left_while_a_node_runs_are_there_after_it():
    def unpack(x):
        hooks.__exit__()
        return x

    hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: x, unpack)
    before = counts()
    with hooks:
        within = counts()
        leaf(3).sin().exp().sum().backward()
        assert counts() == within
    assert counts() == before


@pytest.mark.parametrize("context", [torch.autograd.graph.saved_tensors_hooks(stop, stop), Asking()])
def test_leaving_what_was_not_entered_is_an_error(context):
    before = counts()
    with pytest.raises(RuntimeError):
        context.__exit__(None, None, None)
    assert counts() == before


def test_interleaved_coroutines_leave_modes_alone():
    @torch.no_grad()
    async def step():
        await asyncio.sleep(0)
        return torch.is_grad_enabled()

    async def both():
        return await asyncio.gather(step(), step())

    before = counts()
    assert asyncio.run(both()) == [True, True]
    assert counts() == before
