"""``checkpoint``: forget what a function saved, and compute it again when backward needs it.

Without reentrant autograd (the one to use) the function runs as always, but hooks on saved tensors keep a number in place of each tensor.
The first number that backward asks for runs the function again under hooks that collect the tensors, by number, and stop it as soon
as the last is there. With ``use_reentrant=True`` it runs under ``no_grad`` as a custom Function whose backward runs it again and calls
``backward`` inside backward.
"""

import contextlib
import enum
import functools
import sys
import threading
import warnings
import weakref

import numpy as np

from ..amp import autocast_mode
from ..autograd import calls, engine
from ..autograd.function import Function
from ..autograd.graph_tools import saved_tensors_hooks
from ..autograd.modes import enable_grad, no_grad, thread
from ..ops.makers import QUESTIONS
from ..ops.overloads import OpOverloadPacket
from ..tensor import Tensor, wrap
from ._python_dispatch import OpOverload, TorchDispatchMode
from ._pytree import tree_map
from .checkpoint_debug import OperatorLog, report

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

_TIP = (
    "\nTip: To see a more detailed error message, either pass `debug=True` to\n`torch.utils.checkpoint.checkpoint(...)` or wrap the code "
    "block\nwith `with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):` to\nenable checkpoint\u2011debug mode globally."
)


class CheckpointError(RuntimeError):
    """The function did something else when it ran again."""

    __module__ = "torch.utils.checkpoint"


class _Stop(Exception):
    """Everything wanted has been computed again."""


_early_stop = True
_debug = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable):
    """Within the block, whether running again stops once everything wanted is there (the default) or goes to the end."""
    global _early_stop
    was, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = was


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled):
    """Within the block, ``debug`` of every checkpoint, whatever it says itself; None leaves it to each."""
    global _debug
    was, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = was


def noop_context_fn():
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class DefaultDeviceType:
    """The device whose random state is kept beside the CPU's; there is only the CPU here."""

    _kind = "cuda"

    @staticmethod
    def set_device_type(device="cuda"):
        DefaultDeviceType._kind = device

    @staticmethod
    def get_device_type():
        return DefaultDeviceType._kind


def get_device_states(*args):
    """Random states of other devices the tensors are on: none."""
    return [], []


def set_device_states(devices, states, *, device_type=None):
    if devices or states:
        raise RuntimeError("there are no devices here but the CPU")


@contextlib.contextmanager
def _random(state):
    """The random stream as it was at ``state`` (None: as it is); afterwards it goes on as if nothing had been drawn."""
    if state is None:
        yield
        return
    package = sys.modules[__package__.partition(".")[0]]
    now = package.get_rng_state()
    package.set_rng_state(state)
    try:
        yield
    finally:
        package.set_rng_state(now)


def _state_now():
    return sys.modules[__package__.partition(".")[0]].get_rng_state()


def _autocast_now():
    """A function that makes a context of mixed precision as it is now."""
    return functools.partial(
        autocast_mode.autocast,
        "cpu",
        dtype=autocast_mode.get_autocast_dtype("cpu"),
        enabled=autocast_mode.is_autocast_enabled("cpu"),
        cache_enabled=autocast_mode.is_autocast_cache_enabled(),
    )


# ------------------------------------------------------------------------------------------------------ reentrant


def detach_variable(inputs):
    """The tensors of a tuple cut off from the graph, requiring grad as they did."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    made = []
    for each in inputs:
        if isinstance(each, Tensor):
            cut = each.detach()
            cut.requires_grad = each.requires_grad
            each = cut
        made.append(each)
    return tuple(made)


def check_backward_validity(inputs):
    """Warn where no input requires grad: there will be no gradients then."""
    if not any(isinstance(each, Tensor) and each.requires_grad for each in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


class CheckpointFunction(Function):
    """The reentrant variant."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = _state_now() if preserve_rng_state else None
        ctx.amp = _autocast_now()
        ctx.inputs = [None if isinstance(each, Tensor) else each for each in args]
        ctx.at = [i for i, each in enumerate(args) if isinstance(each, Tensor)]
        ctx.save_for_backward(*[args[i] for i in ctx.at])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx, *gradients):
        task = engine.current_pass()
        if task is not None and task.wanted is not None:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
                ".backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without passing the "
                "`inputs` argument."
            )
        inputs = list(ctx.inputs)
        for i, tensor in zip(ctx.at, ctx.saved_tensors):
            inputs[i] = tensor
        with _random(ctx.state), enable_grad(), ctx.amp():
            cut = detach_variable(tuple(inputs))
            outputs = ctx.run_function(*cut)
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        pairs = [(out, g) for out, g in zip(outputs, gradients) if isinstance(out, Tensor) and out.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        calls.backward([out for out, _ in pairs], [g for _, g in pairs])
        return (None, None, *[each.grad if isinstance(each, Tensor) else None for each in cut])


# -------------------------------------------------------------------------------------------------- without reentrance


class _Number:
    """Stands for a saved tensor: the how-manieth of its frame it is."""

    __slots__ = ("__weakref__", "frame", "index")

    def __init__(self, frame, index):
        self.frame = frame
        self.index = index


def _facts(tensor):
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


def _nothing(tensor):
    return None


_CHECKS = {"default": _facts, "none": _nothing}


def _kept(tensor):
    """A tensor to keep without its graph; one that has none is kept itself, as whoever saved it may look for it."""
    return tensor.detach() if tensor.requires_grad else tensor


_OVERLAP = (
    "Performing two backward calls that overlap (i.e. require the same saved activation in order to compute gradients) is not allowed "
    "while under the torch.utils.checkpoint.GraphExecGroup context. "
)


class _Group(threading.local):
    current = None


_group = _Group()


class GraphExecGroup:
    """Backward passes within the block share what checkpoints compute again: each runs again at most once for all of them.

    The passes must not need the same saved tensors; CheckpointError where two do. Blocks are not nested.
    """

    __module__ = "torch.utils.checkpoint"

    def __enter__(self):
        if _group.current is not None:
            raise RuntimeError(f"GraphExecGroup contexts cannot be nested. Already inside group {_group.current}")
        _group.current = self
        return self

    def __exit__(self, *exc):
        _group.current = None


class _Frame:
    """One checkpointed call. It runs again once for each backward pass, or group of them, that asks for something.

    ``explain`` turns errors of that.
    """

    def __init__(self, rerun, early_stop, facts, explain=None):
        self.rerun = rerun
        self.early_stop = early_stop
        self.facts = facts
        self.explain = explain
        self.saved_facts = []
        self.numbers = []
        #: whether the first run has ended; backward within it may ask for what it saved so far
        self.complete = False
        #: what was computed again, by number, for each pass or group that is running
        self.found = weakref.WeakKeyDictionary()

    def pack(self, tensor):
        number = _Number(self, len(self.numbers))
        self.numbers.append(weakref.ref(number))
        self.saved_facts.append(self.facts(tensor))
        return number

    def unpack(self, number):
        group = _group.current
        running = group or engine.current_pass()
        if running is None:
            return self._recompute()[number.index]
        found = self.found.get(running)
        if found is None:
            found = self.found[running] = self._recompute()
        if number.index not in found:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. "
                f"{'' if group is None else _OVERLAP}If you are calling ctx.saved_tensors in backward, make sure to do so only once. "
                "Otherwise please open an issue with details on your use case."
            )
        return found.pop(number.index)

    def _recompute(self):
        """What is still wanted of the tensors saved, by number."""
        if self.explain is None:
            return self._run_again()
        try:
            return self._run_again()
        except CheckpointError as error:
            raise CheckpointError(self.explain()) from error

    def _run_again(self):
        found, facts = {}, {}
        count = 0

        def collect(tensor):
            nonlocal count
            index, count = count, count + 1
            if index >= len(self.numbers):
                if not self.complete:
                    return tensor.detach()
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward "
                    f"pass.\n{_TIP}"
                )
            if self.numbers[index]() is not None:
                found[index] = _kept(tensor)
            facts[index] = self.facts(tensor)
            if self.early_stop and count == len(self.numbers):
                raise _Stop
            return tensor.detach()

        try:
            with saved_tensors_hooks(collect, lambda tensor: tensor), enable_grad():
                self.rerun()
        except _Stop:
            pass
        if not self.complete:
            return found
        if count != len(self.numbers):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.numbers)}\n"
                f"Number of tensors saved during recomputation: {count}.\n{_TIP}"
            )
        self._check_facts(facts)
        return found

    def _check_facts(self, facts):
        different = ""
        for index, before in enumerate(self.saved_facts):
            after = facts[index]
            if before != after:
                different += f"tensor at position {index}:\nsaved metadata: {before}\nrecomputed metadata: {after}\n"
        if different:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward "
                f"pass.\n{different}.\n{_TIP}"
            )


class _SavedInputs(Function):
    """A node that saves tensors and does nothing else."""

    @staticmethod
    def forward(ctx, anchor, *tensors):
        ctx.save_for_backward(*tensors)
        return anchor.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise AssertionError("nothing is computed from what this node returned")


class _Given:
    """The arguments of a checkpointed call. Its tensors are saved as a node saves them: seen by hooks on saved tensors, and refused if
    they were written to since. Within transforms, whose nodes are their own, they are kept as they are."""

    def __init__(self, args):
        self._args = list(args)
        self._at = [] if thread.transforms else [i for i, each in enumerate(args) if isinstance(each, Tensor)]
        if self._at:
            anchor = wrap(np.empty((0,), np.float32)).requires_grad_()
            self._node = _SavedInputs.apply(anchor, *[args[i] for i in self._at]).grad_fn
        for i in self._at:
            self._args[i] = None

    def again(self):
        """The arguments again."""
        args = list(self._args)
        for i, tensor in zip(self._at, self._node.saved_tensors if self._at else ()):
            args[i] = tensor
        return args


def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=noop_context_fn,
    determinism_check="default",
    debug=False,
    early_stop=True,
    **kwargs,
):
    """Run ``function(*args, **kwargs)`` without keeping what it saves for backward; backward runs it again.

    Args:
        function: what to run; it must do the same when it runs again.
        use_reentrant: False is recommended; left out it warns and means True.
        context_fn: returns two contexts, for the first run and for running again (not reentrant).
        determinism_check: "default" compares shapes and dtypes of what is saved, "none" does not.
        debug: note what ran, and show it where running again saved something else.
        early_stop: stop running again once everything wanted is there.
        preserve_rng_state (among kwargs): draw the same random numbers again (default True).
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling "
            "checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to preserve "
            "the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between "
            "the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in _CHECKS:
        raise ValueError(f"determinism_check should be one of {list(_CHECKS)}, but got {determinism_check}")
    explain = None
    if debug if _debug is None else _debug:
        if context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        first, again = logs = (OperatorLog(), OperatorLog())
        explain = functools.partial(report, *logs)
    else:
        first, again = context_fn()
    if not thread.grad:
        with first:
            return function(*args, **kwargs)
    state, amp = _state_now() if preserve else None, _autocast_now()

    given = _Given(args)

    def rerun():
        args = given.again()
        with _random(state), amp(), again:
            function(*args, **kwargs)

    frame = _Frame(rerun, early_stop and _early_stop, _CHECKS[determinism_check], explain)
    with saved_tensors_hooks(frame.pack, lambda number: number.frame.unpack(number)), first:
        result = function(*args, **kwargs)
    frame.complete = True
    return result


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """Run the modules or functions one after another, checkpointing all of ``segments`` stretches but the last."""
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In version 2.9 we "
            "will raise an exception if use_reentrant is not passed. use_reentrant=False is recommended, but if you need to preserve "
            "the current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between "
            "the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def stretch(start, end):
        def run(value):
            for each in functions[start : end + 1]:
                value = each(value)
            return value

        return run

    size = len(functions) // segments
    end = -1
    for start in range(0, size * (segments - 1), size):
        end = start + size - 1
        input = checkpoint(stretch(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return stretch(end + 1, len(functions) - 1)(input)


# ------------------------------------------------------------------------------------------------ selective


class CheckpointPolicy(enum.Enum):
    """What becomes of an operator's result: kept, or computed again."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


class SelectiveCheckpointContext:
    """First argument of a policy: ``is_recompute`` says which run asks, ``op_output`` is the operator's result."""

    def __init__(self, *, is_recompute, op_output=None):
        self.is_recompute = is_recompute
        self.op_output = op_output


#: what the first run keeps; results that other policies name are computed again
_KEPT = (True, CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)
#: what a subclass may be asked about itself at any time, in one run and not in the other
_IGNORED = ("detach", *QUESTIONS)
_RECOMPUTE, _CONSUMED = object(), object()


class _CachingTorchDispatchMode(TorchDispatchMode):
    """The mode of the first run: ``storage`` has for each operator what becomes of each of its calls, by number.

    Views and writes are always made again: what they share memory with is.
    """

    def __init__(self, policy_fn, storage, ac_graph_id=None):
        self.policy_fn, self.storage = policy_fn, storage

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func._opname in _IGNORED:
            return result
        policy = self.policy_fn(SelectiveCheckpointContext(is_recompute=False, op_output=result), func, *args, **kwargs)
        calls = self.storage.setdefault(func, {})
        kept = policy in _KEPT and not func.is_view and not func._schema.is_mutable
        calls[len(calls)] = tree_map(_Kept, result) if kept else _RECOMPUTE
        return result


class _CachedTorchDispatchMode(TorchDispatchMode):
    """The mode of running again: it gives out what was kept, once, and lets the rest run."""

    def __init__(self, policy_fn, storage, allow_cache_entry_mutation=False):
        self.storage, self.allow_cache_entry_mutation = storage, allow_cache_entry_mutation

    def __enter__(self):
        self._used = {}
        return super().__enter__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._opname in _IGNORED:
            return func(*args, **(kwargs or {}))
        number = self._used.get(func, 0)
        self._used[func] = number + 1
        calls = self.storage.get(func, {})
        if number not in calls:
            which = f" invocation index {number}" if calls else ""
            raise RuntimeError(
                f"{func}{which} encountered during backward but not found in storage. This can happen if the operations in the "
                "checkpointed region are nondeterministic or depend on global state that changed between forward and backward."
            )
        if calls[number] is _RECOMPUTE:
            return func(*args, **(kwargs or {}))
        if calls[number] is _CONSUMED:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any region computed under selective "
                "activation checkpoint."
            )
        kept, calls[number] = calls[number], _CONSUMED
        return tree_map(lambda each: each.get_val(self.allow_cache_entry_mutation), kept)


class _Kept:
    """A result, outside the graph if it is a tensor, and the version at which it was kept."""

    def __init__(self, result):
        self.val = result.detach() if isinstance(result, Tensor) else result
        self.version = result._version if isinstance(result, Tensor) and not result.is_inference() else None

    def get_val(self, allow_cache_entry_mutation):
        if self.version is not None and not allow_cache_entry_mutation and self.val._version != self.version:
            raise RuntimeError("Tensor cached during selective activation checkpoint has been mutated")
        return self.val


def create_selective_checkpoint_contexts(policy_fn_or_list, allow_cache_entry_mutation=False):
    """``context_fn`` for ``checkpoint`` that keeps some operators' results instead of computing them again.

    Args:
        policy_fn_or_list: ``policy(ctx, op, *args, **kwargs) -> CheckpointPolicy``, or a list of operators to keep. An operator is
            what ``torch.ops.aten`` has: ``torch.ops.aten.mm.default``.
        allow_cache_entry_mutation: reuse kept results even if they were written to.

    Backward can then run once only. Raises ValueError for what is no operator in the list.
    """
    if isinstance(policy_fn_or_list, list):
        kept = policy_fn_or_list
        for each in kept:
            if not isinstance(each, OpOverload):
                hint = (
                    "Please update the OpOverloadPacket to a specific OpOverload.For example, if you have `torch.ops.aten.mm`, change "
                    "it to `torch.ops.aten.mm.default`."
                )
                raise ValueError(
                    f"Expected op in `op_list` to be an OpOverload but got: {each} of type {type(each)}. "
                    f"{hint if isinstance(each, OpOverloadPacket) else ''}"
                )

        def policy(ctx, op, *args, **kwargs):
            return CheckpointPolicy.MUST_SAVE if op in kept else CheckpointPolicy.PREFER_RECOMPUTE

    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    store = {}
    return (
        _CachingTorchDispatchMode(policy, store),
        _CachedTorchDispatchMode(policy, store, allow_cache_entry_mutation),
    )
