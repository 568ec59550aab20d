"""Arguments of transforms as trees of tensors: which are chosen by ``argnums``, and what may be in them."""

from ..tensor import Tensor
from ..utils._pytree import tree_flatten, tree_unflatten

__all__ = [
    "check_argnums",
    "check_aux",
    "check_outputs",
    "check_real",
    "chosen",
    "replaced",
    "shape_text",
    "tensors_only",
]


def check_argnums(argnums, count):
    """Refuse an ``argnums`` that is no int or tuple of them, or names an argument that is not there."""
    if not isinstance(argnums, int) and not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if isinstance(argnums, int):
        _check(argnums, count)
        return argnums % count
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    for each in argnums:
        if not isinstance(each, int):
            raise RuntimeError(f"argnum must be int, got: {type(each)}")
        _check(each, count)
    positive = tuple(each % count for each in argnums)
    if len(set(positive)) != len(positive):
        raise RuntimeError(f"argnums elements must be unique, got {positive}")
    return positive


def _check(argnum, count):
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")


def chosen(args, argnums):
    """The arguments ``argnums`` names: one, or a tuple of them."""
    return args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)


def replaced(args, argnums, new):
    """The arguments with those ``argnums`` names replaced."""
    made = list(args)
    for i, value in zip((argnums,), (new,)) if isinstance(argnums, int) else zip(argnums, new):
        made[i] = value
    return tuple(made)


def tensors_only(tree):
    """(leaves, spec) of a tree that must hold nothing but tensors."""
    leaves, spec = tree_flatten(tree)
    for each in leaves:
        if not isinstance(each, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(each)}")
    return leaves, spec


def check_aux(aux):
    """Refuse leaves that are no tensors among what a function returns beside its output."""
    for each in tree_flatten(aux)[0]:
        if not isinstance(each, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(each)}")


def check_outputs(what, outputs):
    """Refuse the leaves of an output of which there are none, or which are no tensors, in the name of ``what``."""
    if not outputs or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeError(f"{what}: Expected f to be a function that has non-empty output (got output = {outputs})")
    for each in outputs:
        if not isinstance(each, Tensor):
            raise RuntimeError(
                f"{what}: expected f(*primals) to return only tensors, got unsupported type {type(each)}"
            )


def check_real(what, kind, tensors):
    """Refuse complex tensors among the ``kind`` ("inputs", "outputs") of ``what``."""
    for i, each in enumerate(tensors):
        if isinstance(each, Tensor) and each._dtype.is_complex:
            raise RuntimeError(
                f"{what}: Expected all {kind} to be real but received complex tensor at flattened input idx: {i}"
            )


def shape_text(spec):
    """A structure as a program would write it, e.g. ``(*, [*, *])``."""
    return _shape_text(tree_unflatten(["*"] * spec.num_leaves, spec))


def _shape_text(tree):
    if isinstance(tree, (list, tuple)):
        inner = ", ".join([_shape_text(each) for each in tree])
        if isinstance(tree, tuple) and len(tree) == 1:
            inner += ","
        return f"[{inner}]" if isinstance(tree, list) else f"({inner})"
    if isinstance(tree, dict):
        return "{" + ", ".join([f"'{key}': {_shape_text(each)}" for key, each in tree.items()]) + "}"
    return str(tree)
