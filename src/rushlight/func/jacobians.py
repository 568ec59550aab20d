"""Whole derivatives: ``jacrev``, ``jacfwd``, ``hessian``. Rows or columns are computed together, under ``vmap``."""

import functools

import numpy as np

from ..ops.table import TENSOR
from ..tensor import wrap
from ..utils._pytree import tree_flatten, tree_map, tree_unflatten
from .batching import vmap
from .forward import pushed
from .reverse import pulled
from .trees import check_argnums, check_real, chosen

__all__ = ["hessian", "jacfwd", "jacrev"]


def _basis(tensors, first=0, stop=None):
    """Rows ``first`` to ``stop`` of the identity of all elements of ``tensors``: for each a tensor of shape (rows, *shape)."""
    sizes = [each._a.size for each in tensors]
    stop = sum(sizes) if stop is None else stop
    made, at = [], 0
    for each, size in zip(tensors, sizes):
        block = np.eye(stop - first, size, first - at, dtype=each._dtype.numpy)
        made.append(wrap(block.reshape(stop - first, *each._a.shape), each._dtype))
        at += size
    return made, sizes


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """A function that computes the Jacobian of ``func`` row by row of the output, by reverse mode.

    Args:
        func: function of trees of tensors, returning one (with ``has_aux``: a pair of it and anything else).
        argnums: the positional argument(s) to differentiate by.
        has_aux: return ``(jacobian, aux)``.
        chunk_size: rows to compute at a time (None: all), which bounds the memory used; with 1 there is no ``vmap``.

    The Jacobian has the structure of the output, with that of the argument(s) in each place, and tensors of shape
    ``output.shape + argument.shape``.
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args):
        output, pull, aux, leave = pulled(func, args, argnums, has_aux)
        outputs, output_spec = tree_flatten(output)
        arguments, spec = tree_flatten(chosen(args, check_argnums(argnums, len(args))))
        check_real("jacrev", "inputs", arguments)
        check_real("jacrev", "outputs", outputs)
        total = sum(each._a.size for each in outputs)
        columns = [[] for _ in arguments]
        for first in range(0, total, chunk_size or max(total, 1)):
            rows, _ = _basis(outputs, first, min(total, first + (chunk_size or total)))
            if chunk_size == 1:
                # as a loop would: what vmap cannot map may be in the derivative
                found = tree_map(
                    lambda each: each.unsqueeze(0), pull(tree_unflatten([each[0] for each in rows], output_spec))
                )
            else:
                found = vmap(lambda *rows: pull(tree_unflatten(list(rows), output_spec)))(*rows)
            for column, each in zip(columns, tree_flatten(leave(found))[0]):
                column.append(each)
        whole = [
            (column[0] if len(column) == 1 else TENSOR.cat(column, 0))
            if column
            else each.new_zeros((0, *each._a.shape))
            for column, each in zip(columns, arguments)
        ]
        result, at = [], 0
        for each in outputs:
            size = each._a.size
            parts = [
                (w if size == total else TENSOR._narrow(w, 0, at, size)).reshape((*each._a.shape, *a._a.shape))
                for w, a in zip(whole, arguments)
            ]
            result.append(tree_unflatten(parts, spec))
            at += size
        jacobian = tree_unflatten(result, output_spec)
        return (jacobian, aux) if has_aux else jacobian

    return wrapper


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """A function that computes the Jacobian of ``func`` column by column of the argument, by forward mode.

    Arguments and result as in ``jacrev``; ``randomness`` as in ``vmap``.
    """

    @functools.wraps(func)
    def wrapper(*args):
        places = check_argnums(argnums, len(args))
        arguments, spec = tree_flatten(chosen(args, places))
        for each in arguments:
            each.numel()  # an AttributeError for what is no tensor
        check_real("jacfwd", "inputs", arguments)
        columns, sizes = _basis(arguments)

        def push(*columns):
            given = tree_unflatten(list(columns), spec)
            result = pushed(func, args, given, places, False, has_aux)
            check_real("jacfwd", "outputs", tree_flatten(result[0])[0])
            return (result[1], result[2]) if has_aux else result[1]

        found = vmap(push, randomness=randomness, out_dims=(-1, None) if has_aux else -1)(*columns)
        aux = None
        if has_aux:
            found, aux = found
        outputs, output_spec = tree_flatten(found)
        result = []
        for each in outputs:
            shape = each._a.shape[:-1]
            parts = TENSOR.split(each, sizes, -1) if len(sizes) > 1 else (each,)
            result.append(tree_unflatten([p.reshape((*shape, *a._a.shape)) for p, a in zip(parts, arguments)], spec))
        jacobian = tree_unflatten(result, output_spec)
        return (jacobian, aux) if has_aux else jacobian

    return wrapper


def hessian(func, argnums=0):
    """A function that computes the Hessian of ``func``: forward mode over reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)
