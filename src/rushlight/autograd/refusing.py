"""Functions that pass tensors on, and whose nodes refuse to be differentiated or let no gradient through."""

from ..tensor import Tensor, attach, edge_of
from .graph import Node, Output, tick
from .modes import thread

__all__ = ["DelayedError", "Error", "UndefinedGrad", "UndefinedGradBackward", "check_inputs"]


class Error(Node):
    """Raises what it was made with as soon as backward comes by."""

    __slots__ = ("width",)
    cpp_name = "torch::autograd::Error"
    takes_undefined = True

    def run(self, cotangent, keep):
        raise RuntimeError(self.saved)

    run_graph = run


class UndefinedGradBackward(Node):
    """Passes no gradient on."""

    __slots__ = ("width",)
    cpp_name = "torch::autograd::UndefinedGradBackward"

    def run(self, cotangent, keep):
        return [None] * len(self.next)

    run_graph = run


Error.__module__ = UndefinedGradBackward.__module__ = "builtins"


class DelayedError:
    """Passes tensors on; differentiating what it returned raises RuntimeError with ``message``.

    Args:
        message: the text, or its bytes.
        num_inputs: how many tensors (or None) it will be called with; it returns a tuple of as many, the tensor itself if it is one.
    """

    def __init__(self, message, num_inputs):
        self.message = message.decode() if isinstance(message, bytes) else message
        self.num_inputs = num_inputs

    def __call__(self, *inputs):
        check_inputs(inputs, self.num_inputs)
        return _passed_on(inputs, Error, self.message)


class UndefinedGrad:
    """Passes tensors on; no gradient comes back through what it returned."""

    def __call__(self, *inputs):
        check_inputs(inputs, len(inputs))
        return _passed_on(inputs, UndefinedGradBackward, ())


def _passed_on(inputs, cls, saved):
    """The values of tensors (or None) as outputs of a node of class ``cls``, if any of them requires grad."""
    values = [None if each is None else attach(each._a, each._dtype, None, [0]) for each in inputs]
    edges = [None if each is None else edge_of(each) for each in inputs]
    if any(edge is not None for edge in edges):
        node = cls()
        node.seq, node.saved, node.guard = tick(), saved, None
        node.next = tuple(edges) if thread.grad else ()
        node.width = len(values)
        shapes = tuple([() if each is None else each._a.shape for each in values])
        kinds = tuple([None if each is None else each._dtype for each in values])
        node.shape, node.dtype = (shapes[0], kinds[0]) if len(values) == 1 else (shapes, kinds)
        for i, each in enumerate(values):
            if each is not None:
                each._edge = node if len(values) == 1 else Output(node, i, shapes[i], kinds[i])
    return tuple(values) if len(values) > 1 else values[0]


def check_inputs(given, count):
    """TypeError unless ``given`` are ``count`` tensors (or None), as a node in C++ takes them."""
    if len(given) != count:
        raise TypeError(f"expected {count} arguments, got {len(given)} instead")
    for i, each in enumerate(given):
        if each is not None and not isinstance(each, Tensor):
            raise TypeError(f"argument {i} is not a Variable")
