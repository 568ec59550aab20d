"""Directional derivatives as functions of functions: ``jvp`` and ``linearize``."""

from ..autograd import calls, forward_ad
from ..autograd.dual import DualLevel
from ..autograd.forward_ad import _set_fwd_grad_enabled
from ..autograd.levels import in_forward
from ..ops.table import TENSOR
from ..tensor import Tensor, edge_of
from ..utils._pytree import tree_flatten, tree_unflatten
from .reverse import Inside, _entered
from .trees import check_aux, check_outputs, chosen, replaced

__all__ = ["jvp", "linearize"]


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """``(func(*primals), tangents of the outputs)``: the Jacobian times ``tangents``, computed along with the function.

    Args:
        func: function of trees of tensors, returning one (with ``has_aux``: a pair of it and anything else).
        primals, tangents: tuples of the same structure.
        strict: raise where an output does not depend on the inputs, instead of returning zeros.
        has_aux: return ``(output, tangents, aux)``.
    """
    return pushed(func, primals, tangents, None, strict, has_aux)


def pushed(func, primals, tangents, places, strict, has_aux):
    """``jvp`` by the arguments at ``places`` (None: all); ``tangents`` are theirs."""
    moved = primals if places is None else chosen(primals, places)
    if places is None:
        if not isinstance(primals, tuple):
            raise RuntimeError(
                "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
            )
    values, spec = tree_flatten(moved)
    directions, direction_spec = tree_flatten(tangents)
    if spec != direction_spec:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and tangents with structure {direction_spec}"
        )
    _tensors_only(values, "primals")
    _tensors_only(directions, "tangents")
    _refuse_nested()
    with DualLevel() as level, _set_fwd_grad_enabled(True):
        duals = [_dual(level, p, t) for p, t in zip(values, directions)]
        given = tree_unflatten(duals, spec)
        output = func(*(given if places is None else replaced(primals, places, given)))
        aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    "jvp(f, primals, tangents): output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, aux = output
            check_aux(aux)
            leaves, aux_spec = tree_flatten(aux)
            aux = tree_unflatten([level.split(each)[0] for each in leaves], aux_spec)
        outputs, output_spec = tree_flatten(output)
        check_outputs("jvp(f, primals, tangents)", outputs)
        pairs = [level.split(each) for each in outputs]
    found = []
    for primal, tangent in pairs:
        if tangent is None:
            if strict:
                raise RuntimeError(
                    "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with "
                    "strict=True."
                )
            tangent = TENSOR.zeros_like(primal)
        found.append(tangent)
    result = tree_unflatten([p for p, _ in pairs], output_spec), tree_unflatten(found, output_spec)
    return (*result, aux) if has_aux else result


def _tensors_only(values, what):
    if not values:
        raise RuntimeError(f"jvp(f, primals, tangents): Expected {what} to contain at least one Tensor.")
    for each in values:
        if not isinstance(each, Tensor):
            raise RuntimeError(f"jvp(f, primals, tangents): Expected {what} to only contain Tensors, got {type(each)}")


def _refuse_nested():
    if forward_ad._current_level >= 0 and not in_forward():
        raise RuntimeError(forward_ad.NESTED)


def _dual(level, primal, tangent):
    for what, each in (("primal", primal), ("tangent", tangent)):
        if not (each._dtype.is_floating_point or each._dtype.is_complex):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {each._dtype!r}")
    if primal._a.shape != tangent._a.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. Tensor is "
            f"of size {list(primal._a.shape)} while the given forward gradient is of size {list(tangent._a.shape)}."
        )
    return level.make(primal, tangent)


def linearize(func, *primals):
    """``(func(*primals), jvp_fn)``: ``jvp_fn(*tangents)`` is the Jacobian at ``primals`` times ``tangents``.

    The function runs once. The product is the transpose of the vector-Jacobian product, which is linear in its vector.
    """
    _refuse_nested()
    inside = Inside()
    with inside:
        inputs, spec, given = _entered(inside, primals)
        output = func(*given)
        outputs, output_spec = tree_flatten(output)
        dummies = [inside.enter(TENSOR.ones_like(each)) for each in outputs]
        live = [(o, d) for o, d in zip(outputs, dummies) if edge_of(o) is not None]
        pulled = [None] * len(inputs)
        if live:
            pulled = calls.grad(
                [o for o, _ in live], inputs, [d for _, d in live], create_graph=True, allow_unused=True
            )
        result = inside.leave(output)

    def jvp_fn(*tangents):
        directions, direction_spec = tree_flatten(tangents)
        if direction_spec != spec:
            raise RuntimeError(f"Expected the tangents {direction_spec} to have the same argspec as the primals {spec}")
        for i, (primal, direction) in enumerate(zip(inputs, directions)):
            _check_direction(i, primal, direction)
        with Inside() as again:
            again.own = inside.own
            pairs = [(p, t) for p, t in zip(pulled, directions) if p is not None and edge_of(p) is not None]
            found = again.leave(again.pull([p for p, _ in pairs], dummies, [t for _, t in pairs]))
        return tree_unflatten(found, output_spec)

    return result, jvp_fn


def _check_direction(i, primal, direction):
    where = f"tangent:{i} with "
    if direction._a.shape != primal._a.shape:
        raise RuntimeError(
            f"{where}shape {direction.shape} in flattened pytree doesn't match the shape {primal.shape} of the corresponding primal."
        )
    if direction._dtype is not primal._dtype:
        raise RuntimeError(
            f"{where}dtype {direction._dtype!r} in flattened pytree doesn't match the dtype {primal._dtype!r} of the corresponding primal."
        )
