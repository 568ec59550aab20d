"""Noting what runs: who stands around operators, composites, makers of tensors and nodes while a profile is on.

A recorder is an interpreter (``levels``). It keeps little about each call, as that costs time which would be the program's; events are
made of it when they are asked for. Backward, which else runs on arrays, runs its rules as operators then, so that they show.
"""

import contextlib
import inspect
import sys
import threading
import time
import weakref

from ..ops import dispatch, subscript
from ..ops.names import shown_name
from ..tensor import Tensor
from . import engine, function, levels
from .graph import PACKAGE, Leaf, target
from .profiler_util import BACKWARD_FUNCTION, FUNCTION, MEMORY_EVENT_NAME, USER_SCOPE, FunctionEvent, MemRecordsAcc

__all__ = ["Recorder", "active", "native_thread"]


class _Active(threading.local):
    recorders = ()


#: the recorders that are on in this thread
active = _Active()
_numbers = {}


def _thread_number():
    """This thread's number in events: threads count from 1 as they come."""
    return _numbers.setdefault(threading.get_native_id(), len(_numbers) + 1)


def native_thread(number):
    """The system's number of a thread."""
    return next(native for native, each in _numbers.items() if each == number)


class Call:
    """What is kept of something that ran: times in nanoseconds, and what the profile was asked to note."""

    __slots__ = ("described", "end", "flops", "fwd_thread", "name", "scope", "sequence_nr", "stack", "start", "thread")

    def __init__(self, name, scope, sequence_nr=-1, described=None, flops=0, stack=(), fwd_thread=0):
        self.name, self.scope, self.sequence_nr = name, scope, sequence_nr
        self.described, self.flops, self.stack, self.fwd_thread = described, flops, stack, fwd_thread
        self.thread = _thread_number()
        self.start = self.end = time.perf_counter_ns()


class MemoryRecord:
    """Bytes taken (or, negative, given back) at a time."""

    __slots__ = ("bytes", "thread", "when")

    def __init__(self, count):
        self.bytes, self.when, self.thread = count, time.perf_counter_ns(), _thread_number()

    def start_ns(self):
        return self.when


class _Interpreter:
    """What of a recorder stands before operators and before Functions of the user's."""

    #: backward calls operators then, so that they show
    sees_rules = True

    def __init__(self, recorder):
        self._recorder = recorder
        self.custom = recorder.custom

    def __call__(self, op, values, how):
        return self._recorder.interpret(op, values, how)


class Recorder:
    """Notes every operator called by this thread from `start` to `stop`.

    Args:
        shapes, memory, stacks, flops: whether to note the shapes of arguments, bytes, lines of the caller, counts of operations.
    """

    def __init__(self, shapes=False, memory=False, stacks=False, flops=False):
        self.shapes, self.memory, self.stacks, self.flops = shapes, memory, stacks, flops
        self.paused = False
        self.calls, self.records = [], []
        self._makers, self._held = {}, {}
        self._interpreter = _Interpreter(self)

    def start(self):
        self.started = time.perf_counter_ns()
        self.epoch_ns = time.time_ns()
        active.recorders = (*active.recorders, self)
        levels.push(self._interpreter)
        _watch(self, True)

    def stop(self):
        levels.remove(self._interpreter)
        _watch(self, False)
        active.recorders = tuple(each for each in active.recorders if each is not self)
        self._held.clear()

    def begin(self, name, values=None, scope=FUNCTION, sequence_nr=-1, described=None, flops=0):
        """Something begins that ran with these values; None while collection is paused."""
        if self.paused:
            return None
        if described is None and values is not None and self.shapes:
            described = _description(values)
        call = Call(
            *(name, scope, sequence_nr, described, flops, _stack() if self.stacks else ()),
            self._makers[sequence_nr].thread if sequence_nr in self._makers else 0,
        )
        self.calls.append(call)
        return call

    def end(self, call):
        if call is not None:
            call.end = time.perf_counter_ns()

    def interpret(self, op, values, how):
        name = shown_name(op.name)
        if how is subscript.getitem or how is subscript.setitem:
            if not subscript._is_basic(subscript.normal(values[1])):
                name = "index" if how is subscript.getitem else "index_put_"
        call = self.begin(
            f"aten::{name}_" if how == "inplace" else f"aten::{name}",
            values,
            flops=_counted_flops(name, values) if self.flops else 0,
        )
        try:
            if how is subscript.getitem or how is subscript.setitem:
                result = how(*values)
            elif how == "inplace":
                result = dispatch.execute_inplace(op, values)
            elif how is not None:
                result = dispatch.write_out(op, values, how)
            else:
                result = dispatch.execute(op, values)
        finally:
            self.end(call)
        if call is not None:
            self.note_result(call, result, self.memory and how is None and not op.view)
        return result

    def custom(self, cls, args):
        """A Function of the user's, whose ``forward`` is noted like any code."""
        call = self.begin(cls.__name__, args)
        try:
            result = function.transform(cls, args)
            if result is NotImplemented:
                # nobody below wants it
                with levels.Above(self._interpreter):
                    separate = cls.setup_context is not function.Function.setup_context
                    result = function.run_function(cls, args, separate)
        finally:
            self.end(call)
        if call is not None:
            self.note_result(call, result, False)
        return result

    def note_result(self, call, result, made):
        """Give a call the number of the node that recorded it, if there is one, and note the memory of what it made."""
        results = result if isinstance(result, (tuple, list)) else (result,)
        first = results[0] if results else None
        if isinstance(first, Tensor) and first._edge is not None and first._edge.__class__ is not Leaf:
            number = target(first._edge).seq
            # a composite may return what was made before it
            if self._makers.setdefault(number, call).start >= call.start:
                call.sequence_nr = number
        if made:
            for each in results:
                if isinstance(each, Tensor) and each._view is None:
                    self.note_memory(each, call.end)

    def note_memory(self, tensor, when):
        """Note the memory of a tensor just made, and note again when it is given back."""
        holder = tensor._a if tensor._a.base is None else tensor._a.base
        key, count = id(holder), tensor._a.nbytes
        if key in self._held or not count:
            return
        taken = MemoryRecord(count)
        taken.when = when
        self.records.append(taken)

        def given_back(_):
            del self._held[key]
            self.records.append(MemoryRecord(-count))

        with contextlib.suppress(TypeError):  # memory of others (a mapped file, bytes) that no one can watch
            self._held[key] = weakref.ref(holder, given_back)

    # -------------------------------------------------------------------------------------------------- afterwards

    def events(self, use_device=None):
        """What was noted, as events in the order they began, and after them memory that lies in none."""
        records = [[record, False] for record in self.records]
        found, memory = [], MemRecordsAcc(records)
        for number, call in enumerate(self.calls, 1):
            used = 0
            for record in memory.in_interval(call.start, call.end):
                used += record[0].bytes
                record[1] = True
            shapes, structured, strides, dtypes, concrete = call.described or ([], [], [], [], [])
            marked = call.scope == USER_SCOPE
            found.append(
                FunctionEvent(
                    number,
                    "ProfilerStep*" if call.name.startswith("ProfilerStep#") else call.name,
                    call.thread,
                    (call.start - self.started) / 1e3,
                    (call.end - self.started) / 1e3,
                    overload_name="",
                    fwd_thread=call.fwd_thread,
                    input_shapes=shapes,
                    stack=list(call.stack),
                    scope=call.scope,
                    use_device=use_device,
                    cpu_memory_usage=used,
                    sequence_nr=call.sequence_nr,
                    flops=call.flops,
                    trace_name=call.name,
                    concrete_inputs=concrete,
                    kwinputs={},
                    is_user_annotation=marked,
                    activity_type="user_annotation" if marked else "cpu_op",
                    external_id=number,
                    structured_input_shapes=structured,
                    structured_input_strides=strides,
                    input_dtypes=dtypes,
                )
            )
        for record, within in records:
            if not within:
                at = (record.when - self.started) / 1e3
                found.append(
                    FunctionEvent(
                        *(len(found) + 1, MEMORY_EVENT_NAME, record.thread, at, at, "", record.thread, [], []),
                        cpu_memory_usage=record.bytes,
                        use_device=use_device,
                        flops=0,
                    )
                )
        found.sort(key=lambda event: (event.time_range.start, -event.time_range.end))
        return found


# ---------------------------------------------------------------------------------------------------- what is noted


def _described(value):
    """(shape, structured shape, strides, name of the type, value) of an argument."""
    if isinstance(value, Tensor):
        shape = list(value._a.shape)
        return shape, shape, list(value.stride()), value._dtype.cpp_name, None
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(each, Tensor) for each in value):
            return [], [list(t._a.shape) for t in value], [list(t.stride()) for t in value], "TensorList", None
        return [], [], [], "ScalarList", list(value)
    if value is None:
        return [], [], [], "", None
    return [], [], [], "Scalar", value


def _description(values):
    """Shapes, structured shapes, strides, names of types and values of arguments, a list each."""
    return tuple(map(list, zip(*map(_described, values)))) or ([], [], [], [], [])


def _counted_flops(name, values):
    """Additions and multiplications of a call: for products of matrices, elementwise ones and sums, and convolutions; 0 for others."""
    shapes = [tuple(value._a.shape) if isinstance(value, Tensor) else () for value in values]
    if name in ("mm", "bmm"):
        return 2 * _size(shapes[0]) * shapes[1][-1]
    if name in ("addmm", "baddbmm"):
        return 2 * _size(shapes[1]) * shapes[2][-1]
    if name in ("add", "mul"):
        return _size(shapes[0])
    return 0


def _conv2d_flops(input, weight, bias, stride, padding, dilation, groups):
    """The same of a two-dimensional convolution; 0 where the padding is a word."""
    if isinstance(padding, str):
        return 0
    stride, padding, dilation = [
        (each, each) if isinstance(each, int) else each for each in (stride, padding, dilation)
    ]
    batch, channels, *sizes = input.shape if input.ndim == 4 else (1, *input.shape)
    count = 2 * batch * weight.shape[0] * channels // groups * weight.shape[2] * weight.shape[3]
    for size, kernel, step, pad, gap in zip(sizes, weight.shape[2:], stride, padding, dilation):
        count *= (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
    return count


def _size(shape):
    count = 1
    for each in shape:
        count *= each
    return count


#: files whose lines are not the program's: rushlight's own, and what starts modules and scripts
_OTHERS = (PACKAGE, "<frozen runpy>")


def _stack():
    """The lines of the program that led here, innermost first."""
    frame, found = sys._getframe(2), []
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OTHERS):
            found.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return found


# ------------------------------------------------------------------------------------------------------ who is around


#: functions that ask as operators do, and are none in PyTorch
_NO_OPERATORS = frozenset(
    "tensor as_tensor asarray frombuffer is_floating_point is_complex is_conj is_neg is_signed is_inference is_distributed "
    "get_device numel".split()
)


def _watched(name, function):
    """A composite, or a maker of tensors, that tells the recorders of this thread of itself."""
    if name in _NO_OPERATORS or not active.recorders:
        return function

    def noted(*args, **kwargs):
        values = (*args, *kwargs.values())
        flops = 0
        if name == "conv2d" and any(recorder.flops for recorder in active.recorders):
            bound = inspect.signature(function).bind(*args, **kwargs)
            bound.apply_defaults()
            flops = _conv2d_flops(**bound.arguments)
        shown = f"aten::{shown_name(name)}"
        began = [(recorder, recorder.begin(shown, values, flops=flops)) for recorder in active.recorders]
        try:
            result = function(*args, **kwargs)
        finally:
            for recorder, call in began:
                recorder.end(call)
        for recorder, call in began:
            if call is not None:
                recorder.note_result(call, result, recorder.memory)
        return result

    return noted


class _Evaluating:
    """Around a node that backward runs: one event for the engine's work on it, and within it one for its own."""

    def __init__(self, node):
        self._node = node

    def __enter__(self):
        node = self._node
        leaf = node.__class__ is Leaf
        name, number, self._began = node.name(), -1 if leaf else node.seq, []
        shape = getattr(node.owner and node.owner() if leaf else node, "shape", None)
        shown = _description(()) if shape is None else ([list(shape)], [list(shape)], [[]], [""], [None])
        for recorder in active.recorders:
            engine_call = recorder.begin(f"autograd::engine::evaluate_function: {name}", None, FUNCTION, number)
            described = shown if recorder.shapes else None
            self._began.append((recorder, engine_call))
            self._began.append((recorder, recorder.begin(name, None, BACKWARD_FUNCTION, number, described)))

    def __exit__(self, *exc):
        for recorder, call in reversed(self._began):
            recorder.end(call)


#: the recorders that are on in this process
_on = set()


def _watch(recorder, on):
    """Have the engine tell of the nodes it runs, and composites and makers of tensors of themselves, while any recorder is on."""
    (_on.add if on else _on.discard)(recorder)
    engine.around = _Evaluating if _on else None
    dispatch.watch = _watched if _on else None


def anywhere():
    """Whether a profile is on in any thread."""
    return bool(_on)
