"""Random operators within transforms: what ``randomness`` of each ``vmap`` around them says.

``"error"`` refuses; ``"same"`` draws once for all samples; ``"different"`` draws for the whole batch, with the batch in front, which uses
the random stream as PyTorch does.
"""

import numpy as np

from ..ops.table import TENSOR
from ..tensor import Tensor, wrap
from . import forward_ad, levels
from .batching import batched, rule
from .dual import DualLevel
from .levels import Below
from .vmap import UNWRITABLE, VmapLevel, expanded, front, padded

__all__ = ["batched_around", "drawn", "drawn_like", "filled", "sampled"]

_UNBATCHED = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. If this is necessary "
    "for your usage, please file an issue with functorch."
)
_SAME = (
    "Vmap does not currently support same randomness with a batched tensor input. Please file an issue with functorch"
)


def drawn(draw, shape):
    """``draw(shape)``, a new random tensor, of a shape that has the batches of every ``vmap`` which wants different numbers."""
    stack = levels._stack.interpreters
    batches = []
    for level in reversed(stack):
        if isinstance(level, VmapLevel):
            shape, many = level.shape_of_draw(tuple(shape))
            if many:
                batches.append(level)
    with Below(len(stack)):
        made = draw(tuple(shape))
    for level in reversed(batches):
        made = level.make(made, 0)
    return made


def batched_around():
    """Whether some ``vmap`` runs."""
    return any(isinstance(level, VmapLevel) for level in levels._stack.interpreters)


def drawn_like(draw, input):
    """``draw(held)`` on what ``input`` holds of a batch whose samples want different numbers, laid out as it is; None for any other."""
    depth, level = _concerned((input,)) or (0, None)
    if not isinstance(level, VmapLevel) or level.randomness != "different":
        return None
    held, dim = level.split(input)
    if dim is None:
        return None
    with Below(depth):
        return level.make(draw(held), dim)


def _concerned(tensors):
    """(how far down the stack, level) of the innermost level that a sampler must ask; None if there is none."""
    stack = levels._stack.interpreters
    for depth, level in enumerate(reversed(stack), 1):
        if isinstance(level, VmapLevel):
            return depth, level
        if isinstance(level, DualLevel) and any(level.owns(each) for each in tensors):
            return depth, level
    return None


def spread(input):
    """``input``, as a batch for each ``vmap`` around that wants different numbers for its samples."""
    if not batched_around():
        return input
    # zeros that are such batches: so the sum is at the places of the graphs where the input is
    return input + drawn(lambda shape: wrap(np.zeros(shape, input._dtype.numpy), input._dtype), ())


def _any_dual(tensors):
    return forward_ad.propagating() and any(map(forward_ad.is_dual, tensors))


def sampled(sampler, values, **options):
    """``sampler(*values)``, a random tensor whose distribution some tensors describe; NotImplemented where no level is concerned."""
    tensors = [each for each in values if isinstance(each, Tensor)]
    found = _concerned(tensors)
    if found is None:
        return forward_ad.without_tangents(sampler, values, options) if _any_dual(tensors) else NotImplemented
    depth, level = found
    if isinstance(level, DualLevel):
        with Below(depth):
            return sampler(*[level.split(e)[0] if isinstance(e, Tensor) else e for e in values], **options)
    pairs = [level.split(each) if isinstance(each, Tensor) else (each, None) for each in values]
    many = any(dim is not None for _, dim in pairs)
    if level.randomness == "error":
        raise RuntimeError(level.no_random)
    if level.randomness == "same":
        if many:
            raise RuntimeError(_SAME)
        with Below(depth):
            return sampler(*[held for held, _ in pairs], **options)
    with Below(depth):
        given = [expanded(h, d, level.size) if isinstance(h, Tensor) else h for h, d in pairs]
        ndim = max([each._a.ndim for each in given if isinstance(each, Tensor)])
        given = [padded(each, ndim, 0) if isinstance(each, Tensor) else each for each in given]
        return level.make(sampler(*given, **options), 0)


def filled(method, target, args, kwargs):
    """``target.normal_(...)`` and its kin; NotImplemented where no level is concerned."""
    tensors = [each for each in (target, *args, *kwargs.values()) if isinstance(each, Tensor)]
    found = _concerned(tensors)
    if found is None:
        return forward_ad.without_tangents(method, (target, *args), kwargs) if _any_dual([target]) else NotImplemented
    depth, level = found
    if isinstance(level, DualLevel):
        with Below(depth):
            primal, tangent = level.split(target)
            method(primal, *args, **kwargs)
            if tangent is not None:
                tangent.zero_()
        return target
    if level.randomness == "error":
        raise RuntimeError(level.no_random)
    held, dim = level.split(target)
    if any(level.split(each)[1] is not None for each in tensors[1:]):
        if level.randomness == "same":
            raise RuntimeError(_SAME)
        if dim is None:
            raise RuntimeError(UNWRITABLE.format(what=f"inplace {method.__name__.strip('_')}", where="in a vmap"))
    with Below(depth):
        if level.randomness == "same":
            if dim is None:
                method(held, *args, **kwargs)
            else:
                held.copy_(method(TENSOR.select(held, dim, 0).clone(), *args, **kwargs).unsqueeze(dim))
            return target
        if dim is None:
            raise RuntimeError(_UNBATCHED)

        def whole(value):
            if not isinstance(value, Tensor):
                return value
            value, at = level.split(value)
            return padded(front(value, at), held._a.ndim, at)

        method(front(held, dim), *[whole(e) for e in args], **{k: whole(v) for k, v in kwargs.items()})
    return target


@rule("_sampled_gamma", "_sampled_dirichlet")
def _random(level, op, values, dims):
    if level.randomness == "error":
        raise RuntimeError(level.no_random)
    if level.randomness == "same":
        raise RuntimeError(_SAME)
    return batched(op, (expanded(values[0], dims[0], level.size), *values[1:])), 0
