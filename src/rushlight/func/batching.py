"""``vmap``: a function of samples as a function of batches."""

import functools

from ..autograd.vmap import VmapLevel, expanded
from ..tensor import Tensor
from ..utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

__all__ = ["restore_vmap", "vmap"]


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that maps ``func`` over a dimension of its inputs, all samples at once.

    Args:
        func: takes trees with tensors in them and returns one of tensors. Within it tensors have the shape of one sample.
        in_dims: which dimension of each input is mapped (None: the same for all samples); an int for all, or a tree like the inputs.
        out_dims: where the mapped dimension goes in each output; an int for all, or a tree like the outputs.
        randomness: what random operators do inside: ``"error"``, ``"same"`` numbers for all samples or ``"different"`` ones.
        chunk_size: samples to compute at a time (None: all), which bounds the memory used.

    Raises ValueError in PyTorch's words where ``in_dims`` or ``out_dims`` do not fit, and RuntimeError for what depends on values of a
    sample (``item``, ``if tensor:``, masks as indices).

        >>> torch.vmap(torch.dot)(torch.ones(5, 3), torch.ones(5, 3))
        tensor([3., 3., 3., 3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        _check_out_dims(out_dims, func)
        dims, leaves, spec, size = prepared(in_dims, args, func)
        if chunk_size is None or size <= chunk_size:
            return _run(func, leaves, dims, spec, size, out_dims, randomness, kwargs)
        return in_chunks_of(chunk_size, func, leaves, dims, spec, size, out_dims, randomness, kwargs)

    return wrapped


vmap.__module__ = "torch.func"


def mapped_at(kind, func, args, in_dims=0, out_dims=0):
    """``func(*args)`` for all samples at once, at a level of another class than ``vmap``'s."""
    dims, leaves, spec, size = prepared(in_dims, args, func)
    return _run(func, leaves, dims, spec, size, out_dims, "error", {}, kind)


def _name(func):
    return func.__name__ if hasattr(func, "__name__") else repr(func)


# ------------------------------------------------------------------------------------------------------------ inputs


def prepared(in_dims, args, func):
    """(dimension of each leaf, leaves, spec, number of samples), with PyTorch's refusals."""
    name = _name(func)
    shown = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{shown}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no "
            "inputs. The latter is unsupported."
        )
    leaves, spec = tree_flatten(args)
    dims = _broadcast_to_and_flatten(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{shown}in_dims is not compatible with the structure of `inputs`. in_dims has structure {tree_flatten(in_dims)[1]} but inputs "
            f"has structure {spec}."
        )
    for i, (leaf, dim) in enumerate(zip(leaves, dims)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{shown}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{shown}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over non-Tensor arguments, "
                "please use None as the respective in_dim"
            )
        ndim = leaf._a.ndim
        if dim < -ndim or dim >= ndim:
            raise ValueError(
                f"{shown}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so expected in_dim to "
                f"satisfy -{ndim} <= in_dim < {ndim}."
            )
        dims[i] = dim % ndim
    return dims, leaves, spec, _size(dims, leaves)


def _size(dims, leaves):
    sizes = [leaf._a.shape[dim] for leaf, dim in zip(leaves, dims) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
        )
    return sizes[0]


# ------------------------------------------------------------------------------------------------------------- running


def _run(func, leaves, dims, spec, size, out_dims, randomness, kwargs, kind=VmapLevel):
    with kind(size, randomness) as level:
        given = [leaf if dim is None else level.make(leaf, dim) for leaf, dim in zip(leaves, dims)]
        output = func(*tree_unflatten(given, spec), **kwargs)
        return _unwrapped(level, output, out_dims, func)


def _check_out_dims(out_dims, func):
    if isinstance(out_dims, int) or out_dims is None:
        return
    if not all(isinstance(each, int) or each is None for each in tree_flatten(out_dims)[0]):
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints representing "
            "where in the outputs the vmapped dimension should appear."
        )


def _unwrapped(level, output, out_dims, func):
    name = _name(func)
    outputs, spec = tree_flatten(output)
    if isinstance(out_dims, int) or out_dims is None:
        dims = [out_dims] * len(outputs)
    else:
        dims = _broadcast_to_and_flatten(out_dims, spec)
        if dims is None or isinstance(output, Tensor) and not isinstance(out_dims, int):
            single = out_dims[0] if isinstance(out_dims, tuple) and len(out_dims) == 1 else None
            if dims is None and single is not None and isinstance(output, Tensor):
                dims = [single]
            elif dims is None:
                raise ValueError(
                    f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. "
                    f"out_dims has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}."
                )
    return tree_unflatten([_outward(level, each, dim, name) for each, dim in zip(outputs, dims)], spec)


def _outward(level, output, dim, name):
    """One output with its batch at ``dim``."""
    if dim is None:
        if isinstance(output, Tensor) and level.owns(output) and level.split(output)[1] is not None:
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return level.split(output)[0] if isinstance(output, Tensor) else output
    if not isinstance(output, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. Did you mean to set out_dims= to None for "
            "output?"
        )
    held, bdim = level.split(output)
    ndim = held._a.ndim + (bdim is None)
    if not -ndim <= dim < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    dim %= ndim
    if bdim is not None:
        return held if bdim == dim else level.below(held.movedim, bdim, dim)

    def spread():
        return expanded(held, None, level.size).movedim(0, dim)

    return level.below(spread)


def restore_vmap(func, in_dims, size, randomness, kind=VmapLevel):
    """As ``vmap`` with the batch's size given, which returns ``(output, out_dims)``: the batch stays where it came to lie.

    ``kind`` is the class of the level that ``func`` runs at.
    """

    def inner(*args, **kwargs):
        with kind(size, randomness) as level:
            leaves, spec = tree_flatten(args)
            dims = _broadcast_to_and_flatten(in_dims, spec)
            given = [leaf if dim is None else level.make(leaf, dim) for leaf, dim in zip(leaves, dims)]
            output = func(*tree_unflatten(given, spec), **kwargs)
            outputs, spec = tree_flatten(output)
            pairs = [level.split(each) if isinstance(each, Tensor) else (each, None) for each in outputs]
        return tree_unflatten([p[0] for p in pairs], spec), tree_unflatten([p[1] for p in pairs], spec)

    return inner


def in_chunks_of(chunk_size, func, leaves, dims, spec, size, out_dims, randomness, kwargs):
    """The outputs of ``func`` on a batch, computed for ``chunk_size`` samples at a time."""
    counts = [chunk_size] * (size // chunk_size) + [size % chunk_size] * bool(size % chunk_size)
    split = [leaf.split(counts, dim) if dim is not None else (leaf,) * len(counts) for leaf, dim in zip(leaves, dims)]
    if randomness == "same":
        from .. import random

        state = random.get_rng_state()
    chunks = []
    for count, part in zip(counts, zip(*split)):
        if randomness == "same":
            random.set_rng_state(state)
        chunks.append(_run(func, list(part), dims, spec, count, out_dims, randomness, kwargs))
    _, out_spec = tree_flatten(chunks[0])
    places = _broadcast_to_and_flatten(out_dims, out_spec)
    columns = zip(*[tree_flatten(chunk)[0] for chunk in chunks])
    return tree_unflatten(
        [_joined(column, place) for column, place in zip(columns, places)],
        out_spec,
    )


def _joined(column, place):
    from ..ops.table import TENSOR

    return column[0] if place is None else TENSOR.cat(list(column), place)
