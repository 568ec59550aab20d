"""Gradients as functions of functions: ``grad``, ``grad_and_value``, ``vjp``.

A transform runs the function on fresh leaves (``_Inside.enter``) and pulls cotangents back to them with the ordinary engine. All
transforms of one floor of ``autograd.levels`` share one graph: where an argument has an edge already, an ``Entrance`` node ties the fresh
leaf to it, so outer transforms, and ordinary ``backward()`` outside, differentiate through the inner ones. What leaves a transform is cut
off again if its graph leads to nothing but the transform's own leaves.
"""

import functools
import weakref

from ..autograd import calls, forward_ad, saved
from ..autograd.graph import Leaf, Node, Output, target, tick
from ..autograd.levels import Lane, placed, top
from ..autograd.modes import set_grad, state, thread
from ..ops.table import TENSOR
from ..tensor import Tensor, attach, edge_of
from ..utils._pytree import tree_flatten, tree_unflatten
from .trees import check_argnums, check_aux, check_outputs, chosen, replaced, shape_text, tensors_only

__all__ = ["grad", "grad_and_value", "vjp"]


_HOOKS = "torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Please open an issue with your use case."


class Entrance(Node):
    """Where an argument that has a place in an outer graph enters a transform: the cotangent passes through."""

    __slots__ = ()

    def run(self, cotangent, keep):
        return (cotangent,)

    run_graph = run


class Inside:
    """The extent of one reverse transform: what is within is recorded, whatever the mode outside.

    ``outer`` is the grad mode outside: with it off, what leaves the transform is outside every graph.
    """

    def __init__(self, refuse_hooks=False):
        #: whether hooks on saved tensors are refused within, which the transform could not hand on
        self.refuse_hooks = refuse_hooks

    def __enter__(self):
        if self.refuse_hooks:
            self.was_refused = saved.disable(_HOOKS)
        self.outer = set_grad(True)
        thread.transforms += 1
        self.number = thread.transforms
        self.was_reverse, thread.reverse = thread.reverse, (*thread.reverse, self)
        self.level = top() if state.rare else None
        self.was_quiet, thread.quiet = thread.quiet, None
        self.own = set()
        self.outside = None
        return self

    def __exit__(self, *exc):
        if self.refuse_hooks:
            saved.disable(self.was_refused)
        set_grad(self.outer)
        thread.transforms -= 1
        thread.reverse = self.was_reverse
        thread.quiet = self.was_quiet

    def enter(self, tensor):
        """An argument as the function sees it: requiring grad, with a place of its own."""
        if not (tensor._dtype.is_floating_point or tensor._dtype.is_complex):
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self.level is not None:
            tensor = self.level.lift(tensor)
        edge = edge_of(tensor)
        if edge is None:
            place = Leaf(None, tensor._a, tensor._dtype)
        else:
            place = Entrance()
            place.seq, place.next, place.saved, place.guard = tick(), (edge,), (), None
            place.shape, place.dtype = tensor._a.shape, tensor._dtype
        self.own.add(place)
        made = attach(tensor._a, tensor._dtype, place, tensor._vc)
        tangent = _tangent_of(tensor)
        if tangent is not None:
            forward_ad.attach_tangent(made, tangent)
        if edge is None:
            # a leaf with an owner is one that the function may hang hooks on
            place.owner = weakref.ref(made)
        return made

    def leads_outside(self, tensors):
        """Whether the graph of some tensor leads to anything but this transform's leaves."""
        nodes = [target(edge) for edge in map(edge_of, tensors) if edge is not None]
        seen, own = set(nodes), self.own
        for node in nodes:
            kind = node.__class__
            if node in own:
                if kind is Entrance:
                    return True
            elif kind is Leaf:
                return True
            else:
                for edge in node.next:
                    if edge is not None:
                        below = edge.node if edge.__class__ is Output else edge
                        if below not in seen:
                            seen.add(below)
                            nodes.append(below)
        return False

    def tracks(self, tensor):
        """Whether the graph of a tensor leads to this transform's leaves."""
        nodes = [target(edge) for edge in (edge_of(tensor),) if edge is not None]
        seen = set(nodes)
        for node in nodes:
            if node in self.own:
                return True
            below = {target(edge) for edge in node.next if edge is not None} if node.__class__ is not Leaf else set()
            nodes += below - seen
            seen |= below
        return False

    def leave(self, tree):
        """What leaves the transform: at no place of the graph that only this transform knows."""
        if tree.__class__ is Tensor:
            return self.left(tree)
        leaves, spec = tree_flatten(tree)
        return tree_unflatten([self.left(each) if isinstance(each, Tensor) else each for each in leaves], spec)

    def left(self, tensor, outside=None):
        """One tensor that leaves; ``outside`` says whether its graph leads outside, where that is known."""
        if edge_of(tensor) is None:
            return tensor
        if self.outer and (self.leads_outside((tensor,)) if outside is None else outside):
            return tensor
        made = attach(tensor._a, tensor._dtype, None, tensor._vc)
        tangent = _tangent_of(tensor)
        if tangent is not None:
            forward_ad.attach_tangent(made, self.left(tangent))
        return made

    def pull(self, outputs, inputs, cotangents=None):
        """Gradients of ``outputs`` by ``inputs``, zeros where there is none; differentiable if anybody may ask."""
        live = [(o, None if cotangents is None else c) for o, c in zip(outputs, cotangents or outputs)]
        live = [(o, c) for o, c in live if edge_of(o) is not None]
        if not live:
            return [each.new_zeros(each._a.shape) for each in inputs]
        self.outside = self.leads_outside([o for o, _ in live])
        outside = self.outer and (self.outside or (cotangents is not None and any(placed(c) for _, c in live)))
        # what lanes hold may have a place in the graphs below their level
        below = self.level is not None and any(isinstance(o._a, Lane) for o, _ in live)
        quiet = below and not outside
        if quiet:
            thread.quiet = self.level
        try:
            found = calls.grad(
                [o for o, _ in live],
                inputs,
                None if cotangents is None else [c for _, c in live],
                retain_graph=True,
                create_graph=outside or (below and self.outer),
                allow_unused=True,
            )
        finally:
            thread.quiet = None
        return [each.new_zeros(each._a.shape) if g is None else g for g, each in zip(found, inputs)]


def _tangent_of(tensor):
    """The tangent that a tensor has in a level of forward mode around the transform, or None."""
    return forward_ad.tangent_of(tensor) if forward_ad.propagating() else None


def _entered(inside, tree):
    leaves, spec = tensors_only(tree)
    made = [inside.enter(each) for each in leaves]
    return made, spec, tree_unflatten(made, spec)


def grad_and_value(func, argnums=0, has_aux=False):
    """As ``grad``, returning ``(gradient, value)``; with ``has_aux`` ``(gradient, (value, aux))``."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        return _grad_and_value(func, argnums, has_aux, args, kwargs)

    return wrapper


def _grad_and_value(func, argnums, has_aux, args, kwargs):
    with Inside(refuse_hooks=True) as inside:
        places = check_argnums(argnums, len(args))
        inputs, spec, given = _entered(inside, chosen(args, places))
        output = func(*replaced(args, places, given), **kwargs)
        aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, aux = output
            check_aux(aux)
        if not isinstance(output, Tensor):
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}")
        if output._a.ndim:
            raise RuntimeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with {output._a.ndim} dims. Maybe "
                "you wanted to use the vjp or jacrev APIs instead?"
            )
        pulled = inside.pull([output], inputs)
        gradients = tree_unflatten([inside.left(each) for each in pulled], spec)
        value = inside.left(output, inside.outside)
        return gradients, ((value, inside.leave(aux)) if has_aux else value)


def grad(func, argnums=0, has_aux=False):
    """A function that computes the gradient of ``func``.

    Args:
        func: returns a tensor of no dimensions (with ``has_aux``: a pair of it and anything else).
        argnums: which positional arguments, trees of tensors, to differentiate by; an int, or a tuple for a tuple of gradients.
        has_aux: return ``(gradient, aux)``.

        >>> torch.func.grad(torch.sin)(torch.zeros(()))
        tensor(1.)
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        gradient, value = _grad_and_value(func, argnums, has_aux, args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func, *primals, has_aux=False):
    """``(func(*primals), vjp_fn)``: ``vjp_fn(cotangents)`` is the vector-Jacobian product, a tree for each primal.

    Args:
        func: function of trees of tensors, returning one (with ``has_aux``: a pair of it and anything else).
        has_aux: return ``(output, vjp_fn, aux)``.

    The graph is kept: ``vjp_fn`` may be called again, and under ``vmap``.
    """
    output, pull, aux, _ = pulled(func, primals, None, has_aux)
    return (output, pull, aux) if has_aux else (output, pull)


def _cotangent(given, output):
    """A cotangent as it was given; one for None, where the output is a number."""
    if isinstance(given, Tensor):
        return given
    if given is not None:
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if output._a.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    return TENSOR.ones_like(output)


def pulled(func, primals, argnums, has_aux):
    """(output, vjp_fn, aux, leave) of a function by the arguments ``argnums`` names (None: all); ``leave`` is the transform's."""
    with Inside(refuse_hooks=True) as inside:
        places = None if argnums is None else check_argnums(argnums, len(primals))
        inputs, spec, given = _entered(inside, primals if places is None else chosen(primals, places))
        output = func(*(given if places is None else replaced(primals, places, given)))
        aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    "vjp(f, *primals): output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, aux = output
            check_aux(aux)
            aux = inside.leave(aux)
        outputs, output_spec = tree_flatten(output)
        check_outputs("vjp(f, *primals)", outputs)
        for each in outputs:
            if not (each.is_floating_point() or each.is_complex()):
                raise RuntimeError(
                    f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {each.dtype}"
                )
        result = inside.leave(output)

    def wrapper(cotangents, retain_graph=True, create_graph=None):
        given, cotangent_spec = tree_flatten(cotangents)
        if cotangent_spec != output_spec:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. cotangents: "
                f"{shape_text(cotangent_spec)}, primal output: {shape_text(output_spec)}"
            )
        given = [_cotangent(each, output) for each, output in zip(given, outputs)]
        with Inside() as again:
            again.own = inside.own
            found = again.leave(again.pull(outputs, inputs, given))
        return tree_unflatten(found, spec)

    return result, wrapper, aux, inside.leave
