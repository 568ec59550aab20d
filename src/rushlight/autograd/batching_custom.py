"""Custom Functions under ``vmap``: the user's ``vmap`` static method, or a rule made from the Function itself."""

import functools
from collections import namedtuple

from ..tensor import Tensor
from ..utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_map, tree_unflatten
from . import function
from .levels import is_lane

VmapInfo = namedtuple("VmapInfo", ("batch_size", "randomness"))
VmapInfo.__module__ = "torch._functorch.autograd_function"

_MORE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"


def call(level, cls, args):
    """``cls.apply(*args)`` for arguments of which some are of ``level``."""
    if level.takes_old_functions:
        return _generated(level, cls, *_held(level, args))
    own = cls.vmap is not function.Function.vmap
    if cls.generate_vmap_rule and own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap staticmethod. Please "
            f"set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity. {_MORE}"
        )
    if not cls.generate_vmap_rule and not own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement the vmap "
            f"staticmethod or set generate_vmap_rule=True. {_MORE}"
        )
    held, dims = _held(level, args)
    if all(each is None for each in tree_flatten(dims)[0]):
        return cls.apply(*held)
    if cls.generate_vmap_rule:
        return _generated(level, cls, held, dims)
    returned = cls.vmap(VmapInfo(level.size, level.randomness), dims, *held)
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise RuntimeError(
            "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with the output. "
            f"Got a {type(returned)} instead"
        )
    output, out_dims = returned
    outputs, spec = tree_flatten(output)
    places = _broadcast_to_and_flatten(out_dims, spec)
    if places is None:
        raise RuntimeError(
            "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) tuple. Expected "
            f"out_dims={out_dims} to be compatible with the structure of `output`. out_dims has structure {tree_flatten(out_dims)[1]} but "
            f"output has structure {spec}. {_MORE}"
        )
    return tree_unflatten([_inward(level, each, dim) for each, dim in zip(outputs, places)], spec)


def _held(level, args):
    """(what arguments hold, the dimensions of their batches)."""
    held = tree_map(lambda each: level.split(each)[0] if isinstance(each, Tensor) else each, args)
    return held, tree_map(lambda each: level.split(each)[1] if isinstance(each, Tensor) else None, args)


def _inward(level, value, dim):
    if dim is None or not isinstance(value, Tensor):
        return value
    return level.make(value, dim % value._a.ndim)


class _Kept:
    """Stands for ``ctx`` while the user's methods run on samples: what they save goes to the real one as whole batches."""

    def __init__(self, ctx, saved=None):
        self.__dict__["_ctx"] = ctx
        self.__dict__["_saved"] = saved

    def __getattr__(self, name):
        return getattr(self._ctx, name)

    def __setattr__(self, name, value):
        self.__dict__[name] = value
        setattr(self._ctx, name, value)

    @property
    def saved_tensors(self):
        return self._saved

    def save_for_backward(self, *tensors):
        self.__dict__["_for_backward"] = tensors

    def save_for_forward(self, *tensors):
        self.__dict__["_for_forward"] = tensors

    def taken(self):
        """What was saved for backward and for forward mode."""
        return self.__dict__.get("_for_backward", ()), self.__dict__.get("_for_forward", ())


def _forward_with_ctx(cls, args):
    """``forward(ctx, *args)`` on samples: (output, what it saved, attributes it left on ctx)."""
    ctx = function.FunctionCtx()
    ctx.needs_input_grad = tuple([isinstance(each, Tensor) and each.requires_grad for each in args])
    kept = _Kept(ctx)
    output = cls.forward(kept, *args)
    return output, kept.taken(), vars(ctx)


def _unbatched(value):
    """A tuple of samples' tensors, as ctx has them where outputs or inputs are marked, as the batches they are of."""
    if value.__class__ is not tuple:
        return value
    return tuple([each._a.held if isinstance(each, Tensor) and is_lane(each) else each for each in value])


def _generated(level, cls, held, dims):
    """The Function one level down: each of its methods under a ``vmap`` of its own."""
    from ..func.batching import restore_vmap

    size = level.size
    restored = functools.partial(restore_vmap, size=size, randomness=level.randomness, kind=type(level))
    old = cls.setup_context is function.Function.setup_context
    found = {}

    def forward(*args):
        if not old:
            output, found["out"] = restored(cls.forward, dims)(*args)
            return output

        def inner(*args):
            output, saved, attributes = _forward_with_ctx(cls, args)
            found["attributes"] = {name: _unbatched(value) for name, value in attributes.items()}
            return output, saved

        (output, found["saved"]), (found["out"], found["saved dims"]) = restored(inner, dims)(*args)
        return output

    def set_up(ctx, inputs, output):
        if old:
            vars(ctx).update(found.pop("attributes"))
            return found.pop("saved"), found.pop("saved dims")

        def inner(inputs, output):
            kept = _Kept(ctx)
            cls.setup_context(kept, inputs, output)
            return kept.taken()

        return restored(inner, (dims, found["out"]))(inputs, output)

    def setup_context(ctx, inputs, output):
        shapes = [each.shape if isinstance(each, Tensor) else None for each in inputs]
        (back, forth), (back_dims, forth_dims) = set_up(ctx, inputs, output)
        ctx.save_for_backward(*back)
        ctx.save_for_forward(*forth)
        # where vmap is nested all levels have this ctx
        if not hasattr(ctx, "_of_batches"):
            ctx._of_batches = {}
        ctx._of_batches[made] = shapes, tuple(back_dims), tuple(forth_dims)

    def backward(ctx, *cotangents):
        def inner(saved, *cotangents):
            return function.backward_of(cls)(_Kept(ctx, saved), *cotangents)

        out = found["out"] if isinstance(found["out"], tuple) else (found["out"],)
        shapes, back_dims, _ = ctx._of_batches[made]
        places = (back_dims, *out)
        result, where = restored(inner, places)(ctx.saved_tensors, *cotangents)
        single = not isinstance(result, tuple)
        pairs = zip((result,) if single else result, (where,) if single else where, dims, shapes)
        gradients = tuple(_like_input(size, *pair) for pair in pairs)
        return gradients[0] if single else gradients

    def jvp(ctx, *tangents):
        def inner(saved, *tangents):
            return cls.jvp(_Kept(ctx, saved), *tangents)

        places = (ctx._of_batches[made][2], *[None if t is None else d for t, d in zip(tangents, dims)])
        result, where = restored(inner, places)(ctx.saved_tensors, *tangents)
        return tree_map(lambda r, d, o: _moved(size, r, d, o), result, where, found["out"])

    made = type(
        "Vmapped" + cls.__name__,
        (function.Function,),
        dict(
            forward=staticmethod(forward),
            setup_context=staticmethod(setup_context),
            backward=staticmethod(backward),
            jvp=staticmethod(jvp),
            generate_vmap_rule=True,
        ),
    )
    output = made.apply(*held)
    return tree_map(lambda each, dim: _inward(level, each, dim), output, found["out"])


def _like_input(size, gradient, dim, wanted, shape):
    """A gradient with the batch where the input has it; summed over the batch where the input has none."""
    if gradient is None or not isinstance(gradient, Tensor):
        return gradient
    if wanted is None:
        return gradient if dim is None else gradient.sum(dim).sum_to_size(shape)
    return _moved(size, gradient, dim, wanted)


def _moved(size, value, dim, wanted):
    if not isinstance(value, Tensor) or wanted is None:
        return value
    if dim is None:
        value, dim = value.expand(size, *value.shape), 0
    return value.movedim(dim, wanted)
