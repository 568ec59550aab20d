"""Which modes are on, and the one flag that the ordinary path looks at.

Grad mode belongs to a thread. ``state.special`` counts everything, in any thread, that keeps an operator from its shortest
path: threads with gradients off, and the rarer modes (``state.rare``: function modes, transforms, forward mode, anomaly,
the profiler), which send an operator through the general path.
"""

import contextlib
import functools
import inspect
import threading
import warnings

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]


class State:
    """Counters read on every operation; ``hooks`` is set for good when the first hook of the process is registered.

    ``duals`` counts the open levels of forward mode, and ``shells`` the tensors alive whose class answers for operators (see
    ``shells``); each of them is a rare mode.
    """

    __slots__ = ("duals", "hooks", "rare", "shells", "special")

    def __init__(self):
        self.special = 0
        self.rare = 0
        self.shells = 0
        self.duals = 0
        self.hooks = False


class _ThreadModes(threading.local):
    grad = True
    # in inference mode, where nothing is recorded: what ``grad`` was set to meanwhile, which is what the user is told. Else None
    told = None
    # whether forward mode propagates tangents
    forward = True
    # whether views keep how they were made, also where strides can say it
    replay = False
    # whether gradients that leaves take over must lie as the leaves do (``grad_mode.enforce_grad_layout_policy``)
    layouts = True
    # how many transforms of torch.func the code of this thread is within
    transforms = 0
    # the level of theirs that records nothing for now: gradients are computed that nobody is going to differentiate at it
    quiet = None
    # those among them that differentiate in reverse
    reverse = ()


state = State()
thread = _ThreadModes()
_lock = threading.Lock()


def enter_rare():
    """Count one more active mode that needs the general path."""
    with _lock:
        state.rare += 1
        state.special += 1


def leave_rare():
    with _lock:
        state.rare -= 1
        state.special -= 1


def count_duals(change):
    """A level of forward mode begins (1) or ends (-1)."""
    with _lock:
        state.duals += change


def marked(name):
    """A context for a stretch of the library's own code that profiles show by a name."""
    if not state.rare:
        return contextlib.nullcontext()
    from .profiler import record_function

    return record_function(name)


def set_grad(on):
    """Turn recording on or off in this thread; returns what it was."""
    was = thread.told
    if was is not None:
        thread.told = on
        return was
    was = thread.grad
    if was is not on:
        thread.grad = on
        with _lock:
            state.special += -1 if on else 1
    return was


def is_grad_enabled():
    """Whether operations of this thread are recorded for differentiation."""
    return thread.grad if thread.told is None else thread.told


class ContextDecorator:
    """A context manager that also decorates functions and generators.

    A decorated generator is inside the context only while its own code runs, not while its consumer's does. Of an ``async`` function
    only the call is inside, as in PyTorch: what is awaited later runs between other coroutines, which the context is not meant for.
    """

    def clone(self):
        return type(self)()

    def __call__(self, function):
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or "
                "methods. To preserve the current behavior of class decoration, you can directly decorate the `__init__` method and "
                "nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self.clone():
                return function(*args, **kwargs)

        return inside

    def _wrap_generator(self, function):
        @functools.wraps(function)
        def stepping(*args, **kwargs):
            generator = function(*args, **kwargs)
            try:
                with self.clone():
                    item = generator.send(None)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            item = generator.throw(error)
                    else:
                        with self.clone():
                            item = generator.send(sent)
            except StopIteration as stop:
                return stop.value

        return stepping


class _GradMode(ContextDecorator):
    _on = True

    def __enter__(self):
        self.prev = set_grad(self._on)

    def __exit__(self, *exc):
        set_grad(self.prev)


class no_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Operations inside are not recorded; their results do not require grad.

    A context manager and a decorator; it affects the current thread only.

        >>> x = torch.ones(3, requires_grad=True)
        >>> with torch.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    _on = False
    prev = False

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)


class enable_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Operations inside are recorded even within ``no_grad``; a context manager and a decorator."""

    def __enter__(self):
        super().__enter__()
        self.quiet, thread.quiet = thread.quiet, None

    def __exit__(self, *exc):
        super().__exit__(*exc)
        thread.quiet = self.quiet

    def __new__(cls, function=None):
        made = super().__new__(cls)
        return made if function is None else made(function)


class set_grad_enabled(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Turn recording on or off at once; as a context manager it is put back at the end of the block."""

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.mode = mode
        self.prev = set_grad(mode)

    def __call__(self, function):
        set_grad(self.prev)
        return super().__call__(function)

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        set_grad(self.mode)

    def __exit__(self, *exc):
        set_grad(self.prev)

    def __str__(self):
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    __repr__ = __str__


for _class in (no_grad, enable_grad, set_grad_enabled):
    _class.__module__ = "torch.autograd.grad_mode"  # where users find them in PyTorch
