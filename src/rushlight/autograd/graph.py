"""The graph: nodes, the edges between them, and the versions of what they save.

An *edge* is what a tensor hands to whoever uses it, and what a node keeps for each of its inputs:

- ``None``: no gradient wanted;
- a ``Leaf``: the gradient is accumulated there (PyTorch's AccumulateGrad);
- a ``Node``: the only output of that node;
- an ``Output``: one output of a node with several.

Every edge knows the ``shape`` and ``dtype`` its cotangent must have and carries the ``seq`` of its node; numbers grow along the
graph, so descending ``seq`` is a topological order. Nodes hold edges and arrays, never tensors of their own output, so there
are no reference cycles.

A *version counter* is a list shared by all tensors over one storage: ``[version]``, after a write ``[version, writer, where]``
with the name of the last node that wrote (None if no write was recorded) and the (file, line) to blame.
"""

import itertools
import os
import sys

from .modes import state

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

tick = itertools.count().__next__


class Edge:
    """What tensors and nodes use to point at the place where a cotangent goes."""

    __slots__ = ()


class Node(Edge):
    """One recorded operation. Subclasses, one for an operator, know how to pull a cotangent back.

    ``next`` holds an edge for each tensor input, ``saved`` what the rule needs, ``guard`` alternately a version counter and
    the version it had when the value was saved. ``extra`` (hooks, metadata) exists only once somebody asked for it.
    """

    __slots__ = ("__weakref__", "dtype", "extra", "guard", "next", "saved", "seq", "shape")

    #: the name PyTorch gives the node's C++ class where it has a namespace
    cpp_name = None
    #: number of outputs when more than one
    width = 1
    op = None
    #: which of its edges a node shows: a function of ``next``, or None for all of them
    shows = None
    #: whether its output is a view that strides can say
    is_view = False

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle '{type(self).__name__}' object")

    def run(self, cotangent, keep):
        """Pull a raw cotangent (array; tuple of arrays or None for several outputs) back: a sequence, one for each edge."""
        raise NotImplementedError

    def run_graph(self, cotangent, keep):
        """The same on tensors, recorded: this is what makes gradients differentiable."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------- what PyTorch shows of a node

    def run_some(self, cotangent, keep, needs, graph):
        """``run``, or ``run_graph``, where only the cotangents marked in ``needs`` are looked at; nodes that can spare work do."""
        return (self.run_graph if graph else self.run)(cotangent, keep)

    def name(self):
        return self.cpp_name or type(self).__name__

    @property
    def next_functions(self):
        """Tuple of (node, output number) for each input that has a derivative; (None, 0) where no gradient is wanted."""
        return tuple([describe(edge) for edge in (self.next if self.shows is None else self.shows(self.next))])

    @property
    def metadata(self):
        """A dict for whoever wants to attach something to the node."""
        return extra_of(self).metadata

    def _sequence_nr(self):
        return self.seq

    def _set_sequence_nr(self, number):
        self.seq = number

    @property
    def _input_metadata(self):
        """What the node expects of each cotangent it is given: shape, dtype, device."""
        if self.width == 1 and not isinstance(self.dtype, tuple):
            return (InputMetadata(self.shape, self.dtype),)
        return tuple([InputMetadata(shape, dtype) for shape, dtype in zip(self.shape, self.dtype)])

    def _is_freed(self):
        return self.saved is None

    def register_hook(self, fn):
        """Call ``fn(grad_inputs, grad_outputs)`` after the node ran; it may return new ``grad_inputs``."""
        from .hooks import add

        return add(extra_of(self), "post", fn)

    def register_prehook(self, fn):
        """Call ``fn(grad_outputs)`` before the node runs; it may return new ``grad_outputs``."""
        from .hooks import add

        return add(extra_of(self), "pre", fn)

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"


class InputMetadata:
    """Shape, dtype and device of a cotangent."""

    __slots__ = ("dtype", "shape")
    is_tensor_subclass = is_cpp_nested_tensor = is_nested_tensor = False

    def __init__(self, shape, dtype):
        from ..size import Size

        self.shape, self.dtype = Size(shape), dtype

    @property
    def device(self):
        from ..devices import cpu

        return cpu


class Output(Edge):
    """One output of a node that has several."""

    __slots__ = ("dtype", "index", "node", "seq", "shape")

    def __init__(self, node, index, shape, dtype):
        self.node = node
        self.index = index
        self.shape = shape
        self.dtype = dtype
        self.seq = node.seq


class Extra:
    """Hooks and metadata of a node or leaf; made at first need."""

    __slots__ = ("cast", "metadata", "post", "post_accumulate", "pre", "retain", "tensor")

    def __init__(self):
        self.cast = None  # dtype of a leaf's gradients, where it is not the leaf's own
        self.metadata = {}
        self.tensor = None  # {output number: {id: hook}}
        self.retain = None  # {output number: weak reference to the tensor whose .grad is wanted}
        self.pre = None  # {id: hook}
        self.post = None
        self.post_accumulate = None


def extra_of(node):
    try:
        return node.extra
    except AttributeError:
        made = node.extra = Extra()
        return made


def describe(edge):
    """(node, output number) of an edge, as ``next_functions`` shows it."""
    if edge is None or (edge.__class__ is Leaf and edge.owner is None and not hasattr(edge, "array")):
        return (None, 0)
    if edge.__class__ is Output:
        return (edge.node, edge.index)
    return (edge, 0)


def target(edge):
    """The node or leaf behind an edge."""
    return edge.node if edge.__class__ is Output else edge


_LEAF_SEQ = (1 << 63) - 1


class Leaf(Node):
    """Where the gradient of a leaf is accumulated; it lives as long as the tensor or a graph that leads to it.

    The gradient is kept here and shown by ``tensor.grad``, so that a graph can do without a reference to the tensor. One without
    an ``array`` leads nowhere and is not shown.
    """

    __slots__ = ("array", "grad", "owner")

    seq = _LEAF_SEQ
    next = ()

    def __init__(self, owner=None, array=None, dtype=None):
        self.grad = None
        self.owner = owner
        if array is not None:
            self.array = array
            self.shape = array.shape
            self.dtype = dtype

    next_functions = ()
    cpp_name = "torch::autograd::AccumulateGrad"

    def __repr__(self):
        return f"<AccumulateGrad object at {id(self):#x}>"


# the class shown to users is named as PyTorch names it
Leaf.__name__ = Leaf.__qualname__ = "AccumulateGrad"


# ------------------------------------------------------------------------------------------------------ versions


def caller():
    """(code, instruction) of the innermost frame that is not rushlight's own; ``line_of`` makes a place of it, which takes longer."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        ours = _OURS.get(file)
        if ours is None:
            ours = _OURS[file] = file.startswith(PACKAGE)
        if not ours:
            return code, frame.f_lasti
        frame = frame.f_back
    return None


def user_frame():
    """The innermost frame that is not rushlight's own."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


def warn_user(text, category=UserWarning):
    """Warn of the user's own line, once for each line as ``warnings.warn`` does, however deep in rushlight the warning arises."""
    import warnings

    frame = user_frame()
    place = ("<unknown>", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    registry = None if frame is None else frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, category, *place, registry=registry)


#: whether a file is rushlight's own
_OURS = {}


def line_of(place):
    """(file, line) of what ``caller`` noted."""
    code, instruction = place
    lines = [line for start, stop, line in code.co_lines() if start <= instruction < stop]
    return code.co_filename, lines[0] if lines else code.co_firstlineno


def bump(counter, writer=None):
    """Note one write: the version goes up, and who wrote and where is remembered for the error text."""
    if counter.__class__ is not list:
        counter.check_write()
        return
    if writer is None and len(counter) > 1:
        writer = counter[1]  # what is not recorded leaves the node as it was
    counter[:] = (counter[0] + 1, writer, caller())


_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True "
    "if you need to backward through the graph a second time or if you need to access saved tensors after calling backward."
)


def freed():
    """The error for a node whose saved values are gone."""
    return RuntimeError(_FREED)


def type_name(dtype):
    """A dtype as PyTorch's engine spells it: by the legacy tensor class where there was one in C++."""
    if dtype is None:
        return "torch.Tensor"
    old = ("Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte")
    return f"torch.{dtype.legacy}Tensor" if dtype.legacy in old else f"CPU{dtype.legacy}Type"


def stale(array, dtype, counter, version, edge, node):
    """The error for a saved value that was written to: PyTorch's text, then the line to blame.

    ``edge`` is the saved value's own edge; ``node`` the node that saved it.
    """
    text = (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{type_name(dtype)} {list(array.shape)}]"
    )
    # what wrote last has one output
    writer, index = counter[1] if len(counter) > 1 else None, 0
    origin = None if edge is None or isinstance(edge, Leaf) else target(edge)
    if origin is not None and origin.is_view:
        writer = "AsStridedBackward0"  # a view looks its place up in its base again
    elif writer is None and origin is not None:
        writer, index = origin.name(), edge.index if edge.__class__ is Output else 0
    if writer is not None and not isinstance(edge, Leaf):
        text += f", which is output {index} of {spoken(writer)},"
    text += f" is at version {counter[0]}; expected version {version} instead. Hint: "
    from .anomaly import is_anomaly_enabled

    if is_anomaly_enabled():
        text += (
            "the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed "
            "in there or anywhere later. Good luck!"
        )
    else:
        text += (
            "enable anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )
    where = counter[2] if len(counter) > 2 else None
    if where is not None:
        file, line = line_of(where)
        text += f"\nThe value was saved by {type(node).__name__} and last written to in {file}, line {line}"
        text += "; write to a clone() of it, or use the operation that returns a new tensor."
    return RuntimeError(text)


def spoken(name):
    """A node's name as this text has it: ``MulBackward0`` is Mul, ``ClampBackward1`` is Clamp1; C++ names stay whole."""
    if "::" in name:
        return name
    head, _, number = name.rpartition("Backward")
    return head + ("" if number == "0" else number)


def mark_hooks():
    """Tell the engine that hooks exist from now on."""
    state.hooks = True


#: what ``torch.autograd.graph`` offers
__all__ = [  # noqa: F822 - most of them are in graph_tools
    *("GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge"),
    *("increment_version", "region_activation_memory_budget", "register_multi_grad_hook", "save_on_cpu"),
    *("saved_tensors_hooks", "set_override_stale_capture_stream", "set_warn_on_accumulate_grad_stream_mismatch"),
]


def __dir__():
    return sorted({*globals(), *__all__})


def __getattr__(name):
    # torch.autograd.graph: what is built on tensors lives in a module of its own, which imports this one
    if not name.startswith("__"):
        from . import graph_tools

        if hasattr(graph_tools, name):
            return getattr(graph_tools, name)
    from ..missing import explain

    raise AttributeError(explain("torch.autograd.graph", name))
