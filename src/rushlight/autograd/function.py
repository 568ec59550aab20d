"""``torch.autograd.Function``: operations whose derivative the user writes.

The class the user derives from is never instantiated. ``apply`` makes a node (an instance of ``<Name>Backward``) and hands it to
``forward`` as ``ctx``; if anything requires grad the node then joins the graph, otherwise it is dropped. What ``forward`` returned is
given its place in the graph by four cases: a new tensor, an input returned as it is, an input written to (``mark_dirty``), and a
tensor that is not differentiable.
"""

import functools
import inspect
import itertools
import threading
import warnings
import weakref
from collections import OrderedDict

import numpy as np

from .. import inplace
from ..size import Size
from ..tensor import Tensor, attach, edge_of, wrap, wrap_view
from . import saved as saved_values
from .anomaly import note, running
from .graph import Leaf, Node, Output, bump, freed, tick
from .modes import no_grad, set_grad, state, thread
from .refusing import DelayedError
from .saved import SavedTensor

__all__ = [
    *("BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction", "NestedIOFunction"),
    "once_differentiable",
]

#: filled in by transforms (forward mode, torch.func) that must see a call before it runs: function of (cls, args) or None
transform = None


_READ_TWICE = (
    "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on the autograd.Function. Either access "
    "saved_tensors only once, or set clear_saved_tensors_on_access=False."
)


class FunctionCtx:
    """What ``forward`` and ``backward`` share; user attributes may be set on it freely."""

    def save_for_backward(self, *tensors):
        """Keep ``tensors`` (or None) for ``backward``, which finds them in ``ctx.saved_tensors``, checked for later writes."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors (or None) for ``jvp``, which finds them in ``ctx.saved_tensors``."""
        for tensor in tensors:
            if not isinstance(tensor, Tensor) and tensor is not None:
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args):
        """Say which inputs ``forward`` wrote to; each must be returned, too."""
        self.dirty_tensors = args

    def mark_shared_storage(self, *pairs):
        warnings.warn(
            "`mark_shared_storage` is deprecated. Tensors with shared storages are automatically tracked. Note that calls to `set_()` "
            "are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    def mark_non_differentiable(self, *args):
        """Say which outputs have no derivative; ``backward`` still gets a (zero) gradient for each."""
        self.non_differentiable = args

    def set_materialize_grads(self, value):
        """Whether undefined gradients arrive as zeros (the default) or as None."""
        if not isinstance(value, bool):
            raise TypeError(
                "set_materialize_grads received an invalid combination of arguments - got (), but expected (bool)"
            )
        self.materialize_grads = value


#: what the engine finds on nodes: a user who gives ctx an attribute of such a name gets a node and a ctx that are two objects
_OF_NODES = frozenset(
    "seq next saved guard width shape dtype extra steps op shows is_view cpp_name takes_undefined thaw name run run_graph run_some".split()
)


#: and what a call leaves on ctx that its node must know
_OF_CALLS = (
    *("to_save", "saved_for_forward", "dirty_tensors", "non_differentiable", "materialize_grads", "needs_input_grad"),
    *("_is_tensor", "_materialize_non_diff_grads"),
)


class BackwardCFunction(FunctionCtx, Node):
    """The node of a custom Function, and its ``ctx``."""

    # until the node joins the graph; attributes of the class, so that the user's of the same names are in the instance's dict
    seq = 0
    next = saved = ()
    guard = None
    shape, dtype = (), None
    # where the two are apart: the ctx of a node, and a weak reference to the node of a ctx
    _ctx = _node = None

    # the class of the user's Function, set on the subclass made for it
    _forward_cls = None
    takes_undefined = True
    #: so of every ctx in PyTorch, whatever the inputs
    requires_grad = True
    to_save = None
    saved_for_forward = None
    dirty_tensors = None
    non_differentiable = None
    materialize_grads = True
    #: whether the gradients of outputs that are not differentiable are made zeros, too
    _materialize_non_diff_grads = True
    _left_undefined = ()
    _in_jvp = False
    #: whether saved tensors that may be read once have been
    _was_read = False

    def as_node(self):
        """The node of a call whose ``forward`` has run: this, or one of its own if the user took names that nodes need."""
        if _OF_NODES.isdisjoint(self.__dict__):
            return self
        node = type(self)()
        node.__dict__.update((name, self.__dict__[name]) for name in _OF_CALLS if name in self.__dict__)
        node._ctx, self._node = self, weakref.ref(node)
        self.let_go()
        return node

    def let_go(self):
        """Forget what was saved and marked: outputs among that would be alive as long as their own node."""
        for name in ("to_save", "saved_for_forward", "dirty_tensors", "non_differentiable"):
            self.__dict__.pop(name, None)

    def __getattr__(self, name):
        # where node and ctx are apart, users find on each what they set on the other
        other = self._ctx if self._node is None else self._node()
        if other is not None and name not in _OF_NODES and name in other.__dict__:
            return other.__dict__[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def name(self):
        return type(self).__name__

    def __repr__(self):
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    @property
    def saved_tensors(self):
        """What ``save_for_backward`` kept (in ``jvp``: what ``save_for_forward`` kept)."""
        if self._node is not None:
            return self._node().saved_tensors
        if self._in_jvp:
            return () if self.saved_for_forward is None else self.saved_for_forward
        if self.saved is None:
            raise RuntimeError(_READ_TWICE) if self._was_read else freed()
        found = tuple([None if each is None else each.unpack(self) for each in self.saved])
        if self._forward_cls.clear_saved_tensors_on_access:
            self.saved, self._was_read = None, True
        return found

    @property
    def saved_variables(self):
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    @property
    def _raw_saved_tensors(self):
        if self.saved is None:
            raise freed()
        return tuple([SavedTensor.of_nothing() if each is None else each for each in self.saved])

    def maybe_clear_saved_tensors(self):
        self.saved = None

    def apply(self, *args):
        """Run the user's ``backward`` (or ``vjp``)."""
        cls = self._forward_cls
        return backward_of(cls)(self._ctx or self, *((list(args),) if cls.boxed_grads_call else args))

    def apply_jvp(self, *args):
        """Run the user's ``jvp``."""
        return self._forward_cls.jvp(self._ctx or self, *args)

    # -------------------------------------------------------------------------------------------------- as a node

    def run(self, cotangent, keep):
        slots = (cotangent,) if self.width == 1 else cotangent
        dtypes = (self.dtype,) if self.width == 1 else self.dtype
        given = [None if each is None else wrap(np.asarray(each), dtype) for each, dtype in zip(slots, dtypes)]
        was = set_grad(False)
        outer, running.node = running.node, self
        try:
            received = self._backward(given, keep)
        finally:
            set_grad(was)
            running.node = outer
        return [None if each is None else each._a for each in received]

    def run_graph(self, cotangent, keep):
        return self._backward([cotangent] if self.width == 1 else list(cotangent), keep)

    def _backward(self, given, keep):
        if self.materialize_grads:
            for i, each in enumerate(given):
                if each is None and i not in self._left_undefined:
                    given[i] = self._zeros(i)
        with saved_values.Kept():
            received = _nested(self.apply, given)
        if not keep:
            self.saved = None
        return self._checked(received)

    def _zeros(self, i):
        shape, dtype = (self.shape, self.dtype) if self.width == 1 else (self.shape[i], self.dtype[i])
        return None if dtype is None else wrap(np.zeros(shape, dtype.numpy), dtype)

    def _checked(self, received):
        """One gradient for each tensor input, of the right shape and dtype."""
        name = self.name()
        if not isinstance(received, tuple):
            received = (received,)
        count = len(self._is_tensor)
        if len(received) > count and all(each is None for each in received[count:]):
            received = received[:count]
        if len(received) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(received)})"
            )
        kept = []
        for i, (each, is_tensor) in enumerate(zip(received, self._is_tensor)):
            if not is_tensor:
                if each is not None:
                    raise RuntimeError(
                        f"function {name} returned a gradient different than None at position {i + 1}, but the corresponding forward "
                        "input was not a Variable"
                    )
                continue
            if each is not None and not isinstance(each, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(each).__name__})")
            kept.append(each)
        # what nobody asked for is let go by the engine, and seen by hooks before
        return [
            each if each is None or edge is None else fitted(each, edge, i, name)
            for i, (each, edge) in enumerate(zip(kept, self.next))
        ]


class _Depth(threading.local):
    count = 0


_depth = _Depth()
#: how many backward functions may call backward within each other in one thread, before Python's own limit on recursion is near
_DEEPEST = 40


def _nested(function, args):
    """Call a user's backward function; where such calls are nested deeply, in a thread that has its stack to itself."""
    if _depth.count < _DEEPEST:
        _depth.count += 1
        try:
            return function(*args)
        finally:
            _depth.count -= 1
    return _elsewhere(function, args)


def _elsewhere(function, args):
    recording = thread.grad
    outcome = []

    def run():
        was = set_grad(recording)
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))
        finally:
            set_grad(was)

    other = threading.Thread(target=run)
    other.start()
    other.join()
    ((result, error),) = outcome
    if error is not None:
        raise error
    return result


def fitted(gradient, edge, index, name):
    """A gradient in the shape and dtype of the edge it goes to, or PyTorch's error."""
    from ..ops.record import fit_tensor

    if gradient._a.shape != edge.shape and not _expandable(edge.shape, gradient._a.shape):
        raise RuntimeError(
            f"Function {name} returned an invalid gradient at index {index} - got {list(gradient._a.shape)} but expected shape "
            f"compatible with {list(edge.shape)}"
        )
    if gradient._dtype.is_complex and not edge.dtype.is_complex:
        raise RuntimeError(
            "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to be true, but got false.  (Could "
            "this error message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if gradient._a.shape == edge.shape and gradient._dtype is edge.dtype:
        return gradient
    return fit_tensor(gradient, edge)


def _expandable(shape, target):
    if len(shape) > len(target):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(target)))


# ----------------------------------------------------------------------------------------------------- the class

_ids = itertools.count().__next__


def backward_of(cls):
    """What a Function calls its derivative: ``backward`` or ``vjp``."""
    backward, vjp = cls.backward, cls.vjp
    if backward is not Function.backward and vjp is not Function.vjp:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them."
        )
    return vjp if vjp is not Function.vjp else backward


class FunctionMeta(type):
    """Gives each Function the class of its nodes."""

    def __init__(cls, name, bases, attrs):
        backward = type(
            name + "Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": "torch.autograd.function"}
        )
        backward._autograd_function_id = cls._autograd_function_id = _ids()
        backward._is_compiled_autograd_tracing = False
        cls._backward_cls = backward
        super().__init__(name, bases, attrs)


class Function(metaclass=FunctionMeta):
    """Base of operations with a derivative of their own.

    Define static methods ``forward`` and ``backward`` (or ``vjp``), and call ``apply``:

        >>> class Exp(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         y = x.exp()
        ...         ctx.save_for_backward(y)
        ...         return y
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (y,) = ctx.saved_tensors
        ...         return grad * y
        >>> Exp.apply(torch.zeros(2))
        tensor([1., 1.])

    With ``setup_context(ctx, inputs, output)`` defined, ``forward`` takes no ctx. ``jvp(ctx, *tangents)`` gives forward mode,
    ``vmap(info, in_dims, *args)`` or ``generate_vmap_rule = True`` batching.
    """

    generate_vmap_rule = False

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{self.__class__} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on "
            "the class itself. Instantiating an autograd function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with static "
            "forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args, **kwargs):
        """The operation: ``forward(ctx, *args)``, or ``forward(*args)`` beside ``setup_context``."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    #: whether ``saved_tensors`` may be read once only, so that what was saved goes as soon as ``backward`` lets it go
    clear_saved_tensors_on_access = False
    #: whether ``backward(ctx, gradients)`` is given one list, from which it may take gradients away
    boxed_grads_call = False

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keep on ``ctx`` what the derivative needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """One gradient for each argument of ``forward`` (None where there is none), given one for each output."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    # the other name of backward: a different object, so that it can be told whether the user defined it
    @staticmethod
    def vjp(ctx, *grad_outputs):
        return Function.backward(ctx, *grad_outputs)

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """The tangent of each output, given one for each argument."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run ``forward`` and record it."""
        separate = cls.setup_context is not Function.setup_context
        if separate:
            args = _with_defaults(cls.forward, args, kwargs)
        elif kwargs:
            args = _with_defaults(cls.forward, (None, *args), kwargs)[1:]
        if (state.rare or thread.transforms) and transform is not None:
            result = transform(cls, args)
            if result is not NotImplemented:
                return result
        return run_function(cls, args, separate)


def _with_defaults(function, args, kwargs):
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        _refuse_keyword_only(bound.kwargs)
    return bound.args


def _refuse_keyword_only(given):
    if thread.transforms and any(isinstance(each, Tensor) for each in given.values()):
        raise NotImplementedError(
            "Run vmap on autograd.Function with kwarg-only Tensor args. Please do not pass kwarg-only Tensors to autograd.Function. Got: "
            f"{given}"
        )
    raise TypeError(f"forward() got an unexpected keyword argument '{next(iter(given))}'")


def run_function(cls, args, separate):
    """Call ``cls`` on ``args``: what ``apply`` returns. ``separate``: it has a ``setup_context``."""
    result, ctx, _ = call(cls, args, separate)
    ctx.let_go()
    return result


def call(cls, args, separate):
    """The same, with more: (what ``apply`` returns, the ctx, which is to ``let_go`` at last, its outputs as a tuple)."""
    ctx = (_generated(cls._backward_cls) if thread.reverse else cls._backward_cls)()
    inputs = [each for each in args if isinstance(each, Tensor)]
    edges = [edge_of(each) for each in inputs]
    needs = iter(edges)
    ctx._is_tensor = tuple([isinstance(each, Tensor) for each in args])
    ctx.needs_input_grad = tuple([is_tensor and next(needs) is not None for is_tensor in ctx._is_tensor])
    recorded = thread.grad and any(edge is not None for edge in edges)
    result = _unrecorded(cls.forward, args if separate else (ctx, *args))
    outputs = result if isinstance(result, tuple) else (result,)
    if separate:
        # it may mark outputs, and must see them before they are placed
        _set_up(cls, ctx, args, result)
    ctx = ctx.as_node()
    outputs = _placed(ctx, inputs, edges, outputs, recorded)
    if recorded:
        _save(ctx)
        if state.rare:
            note(ctx)
    return (outputs if isinstance(result, tuple) else outputs[0]), ctx, outputs


def _generated(backward_cls):
    """The class of nodes within ``grad`` and its kin: another name."""
    made = backward_cls.__dict__.get("_within_transforms")
    if made is None:
        name = backward_cls.__name__.removesuffix("Backward") + "GeneratedBackward"
        made = backward_cls._within_transforms = type(name, (backward_cls,), {"__module__": backward_cls.__module__})
    return made


def _unrecorded(function, args):
    """Call a user's method while nothing is recorded and no tangents are propagated."""
    was, forward = set_grad(False), thread.forward
    thread.forward = False
    try:
        return function(*args)
    finally:
        set_grad(was)
        thread.forward = forward


def _set_up(cls, ctx, args, result):
    _unrecorded(cls.setup_context, (ctx, args, result))
    kept = [*(ctx.to_save or ()), *(ctx.saved_for_forward or ())]
    if kept:
        _refuse_as_is(ctx, kept, args, result if isinstance(result, tuple) else (result,))


def _refuse_as_is(ctx, kept, args, outputs):
    """RuntimeError for a saved tensor that is both an input and an output, which become two tensors."""
    dirty = ctx.dirty_tensors or ()
    for each in kept:
        if (
            each is not None
            and any(each is a for a in args)
            and any(each is o for o in outputs)
            and not any(each is d for d in dirty)
        ):
            raise RuntimeError(
                "An input that has been returned as-is as output is being saved for backward. This is not supported if you override "
                "setup_context. You should return and save a view of the input instead, e.g. with x.view_as(x) or setup ctx inside the "
                "forward function itself."
            )


def _save(ctx):
    """Turn what ``save_for_backward`` was given into saved values, now that the outputs know their places."""
    kept = []
    hooks = saved_values.active_hooks() if state.rare else None
    for i, tensor in enumerate(ctx.to_save or ()):
        if tensor is None:
            kept.append(None)
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"save_for_backward can only save variables, but argument {i} is of type {type(tensor).__name__}"
            )
        made = SavedTensor(tensor, ctx, edge_of(tensor))
        if hooks is not None:
            made.pack(tensor, hooks)
        kept.append(made)
    ctx.saved = tuple(kept)


def _placed(ctx, inputs, edges, outputs, recorded):
    """Give each output its place in the graph."""
    dirty = _identities(ctx.dirty_tensors, "mark_dirty can only accept variables, but argument ")
    fixed = _identities(ctx.non_differentiable, "mark_non_differentiable only accepts variable arguments, but got ")
    given = {id(each): i for i, each in enumerate(inputs)}
    _check_dirty(ctx, given, outputs)
    ctx.width = len(outputs)
    tensors = [each if isinstance(each, Tensor) else None for each in outputs]
    shapes = tuple([() if each is None else each._a.shape for each in tensors])
    kinds = tuple([None if each is None else each._dtype for each in tensors])
    ctx.shape, ctx.dtype = (shapes[0], kinds[0]) if len(outputs) == 1 else (shapes, kinds)
    if recorded:
        ctx.next = tuple(edges)
        # the node comes after whatever forward recorded under enable_grad
        ctx.seq = tick()
    placed = []
    differentiable = 0
    for i, output in enumerate(tensors):
        if output is None:
            placed.append(outputs[i])
            continue
        is_input, is_dirty = id(output) in given, id(output) in dirty
        wanted = recorded and id(output) not in fixed and (output._dtype.is_floating_point or output._dtype.is_complex)
        if not recorded:
            if is_dirty:
                inplace.finish(output, None)
            if edge_of(output) is not None and (is_input or output._view is None):
                output = output.detach() if is_input else output.detach_()
            elif is_input and not is_dirty:
                output = _alias(output)
            elif not is_dirty:
                _mark_view(output)
            placed.append(output)
            continue
        edge = (ctx if len(outputs) == 1 else Output(ctx, i, output._a.shape, output._dtype)) if wanted else None
        differentiable += wanted
        if not wanted:
            if edge_of(output) is not None:
                output = output.detach() if is_input else output.detach_()
        elif is_dirty:
            _rebase(output, edge, ctx, len(outputs))
        elif is_input:
            output = _alias(output)
            output._edge = edge
        else:
            _mark_view(output)
            output._edge = edge
        placed.append(output)
    if recorded and not ctx._materialize_non_diff_grads:
        ctx._left_undefined = tuple([i for i, each in enumerate(outputs) if id(each) in fixed])
    if differentiable > 1:
        for each in placed:
            if isinstance(each, Tensor) and each._view is not None and each._view.refuse == "custom":
                each._view.refuse = "multi"
    return tuple(placed)


def _identities(tensors, text):
    if tensors is None:
        return ()
    for each in tensors:
        if not isinstance(each, Tensor):
            raise RuntimeError(text)
    return {id(each) for each in tensors}


def _check_dirty(ctx, given, outputs):
    if not ctx.dirty_tensors:
        return
    returned = {id(each) for each in outputs}
    if any(id(each) not in returned for each in ctx.dirty_tensors):
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace "
            "must all be outputs of the Function."
        )
    for each in ctx.dirty_tensors:
        if id(each) not in given:
            warnings.warn(
                "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be passed "
                "to ctx.mark_dirty().",
                UserWarning,
                stacklevel=5,
            )


def _alias(tensor):
    """An input returned as it is: a view of it, of its class, which refuses in-place writes."""
    if tensor.__class__ is Tensor:
        made = wrap_view(tensor._a[...], tensor._dtype, tensor)
    else:
        with no_grad():
            made = tensor.view_as(tensor)
    _mark_view(made)
    return made


def _mark_view(output):
    view = output._view
    if view is not None:
        view.refuse = "custom"
        # what is outside of the graph looks up at every use whether its base wants gradients
        view.version = output._vc[0] if thread.grad else -1


def _rebase(output, edge, ctx, count):
    """An input that forward wrote to: from now on it comes from this node."""
    view = output._view
    if view is not None and view.refuse is not None:
        # it was written to by forward, not behind its back
        before, view.version = view.version, output._vc[0]
        try:
            inplace.check(output, True)
        except RuntimeError:
            view.version = before
            raise
    own = edge_of(output)
    if own is not None and own.__class__ is Leaf:
        raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    if view is None:
        bump(output._vc, ctx.name())
        if state.hooks:
            inplace.move_retained(output, own, edge)
        output._edge = edge
        return
    if count > 1:
        raise RuntimeError(
            "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more than one "
            "Tensor. This is not supported by the current autograd engine. You should either make sure the input is not a view (using "
            ".clone() for example) or make your Function only return one Tensor (potentially splitting it into two Functions: one "
            "doing the inplace that returns a single Tensor and a second one that does the other operations). You can ask on the forum "
            "https://discuss.pytorch.org/ if you need help to do this change."
        )
    inplace.check(output, True)
    inplace.finish(output, ctx)


# ---------------------------------------------------------------------------------------------------- decorators


def once_differentiable(fn):
    """Decorate a ``backward`` that cannot be differentiated: doing so raises."""

    @functools.wraps(fn)
    def wrapper(ctx, *args):
        with no_grad():
            outputs = fn(ctx, *args)
        if not thread.grad or not any(isinstance(each, Tensor) and each.requires_grad for each in args):
            return outputs
        made = outputs if isinstance(outputs, tuple) else (outputs,)
        fake = []
        for each in made:
            if each is not None:
                each = each.detach()
                if each._dtype.is_floating_point or each._dtype.is_complex:
                    each._require_grad(True)
            fake.append(each)
        refused = DelayedError(
            "trying to differentiate twice a function that was marked with @once_differentiable", len(fake)
        )(*fake)
        return refused if isinstance(outputs, tuple) == isinstance(refused, tuple) else (refused,)

    return wrapper


class InplaceFunction(Function):
    """For old code: a Function that remembers whether it works in place."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


# ------------------------------------------------------------------------------------------- nested inputs and outputs


def _flatten(value):
    if value is None or isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _flatten(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _flatten(each)
    else:
        raise ValueError(
            f"Auto nesting doesn't know how to process an input object of type {type(value).__name__}. Accepted types: Tensors, or "
            "lists/tuples of them"
        )


def _unflatten(values, shape):
    if shape is None or isinstance(shape, Tensor):
        return next(values)
    if isinstance(shape, dict):
        return {key: _unflatten(values, each) for key, each in shape.items()}
    return type(shape)(_unflatten(values, each) for each in shape)


class NestedIOFunction(Function):
    """Kept for old code: ``forward_extended`` and ``backward_extended`` see nested inputs; PyTorch's legacy protocol has no static form."""

    @classmethod
    def apply(cls, *args):
        flat = tuple(_flatten(args))
        outer = {}

        class _Flat(Function):
            @staticmethod
            def forward(ctx, *tensors):
                result = cls.forward_extended(ctx, *_unflatten(iter(tensors), args))
                outer["shape"] = result
                return tuple(_flatten(result)) if not isinstance(result, Tensor) else result

            @staticmethod
            def backward(ctx, *gradients):
                shaped = _unflatten(iter(gradients), outer["shape"])
                found = cls.backward_extended(ctx, *(shaped if isinstance(shaped, tuple) else (shaped,)))
                return tuple(_flatten(found))

        _Flat.__name__ = cls.__name__
        result = _Flat.apply(*flat)
        return result if isinstance(result, Tensor) else _unflatten(iter(result), outer["shape"])

    @staticmethod
    def forward_extended(ctx, *inputs):
        raise NotImplementedError

    @staticmethod
    def backward_extended(ctx, *gradients):
        raise NotImplementedError


__all__ += ["OrderedDict", "Size", "attach"]
