"""Random tensors, on PyTorch's CPU streams (``array.random``)."""

import math

import numpy as np

from .. import dtypes, inplace
from ..array import random as streams
from ..array.arguments import broadcast_shapes_of_two
from ..array.random_grad import dirichlet_grad, standard_gamma_grad
from ..autograd.graph import Node, tick
from ..autograd.modes import state, thread
from ..tensor import Tensor, edge_of, wrap
from . import dispatch
from .creation import check_options, check_out, empty_beside, finish, give, named_dtype, sizes
from .dispatch import resize_out
from .table import PLACES, TENSOR, as_array, differentiable

__all__ = ["Generator", "default_generator"]


class Generator(streams.Generator):
    """A random stream of its own: ``torch.Generator()``; states are uint8 tensors."""

    __slots__ = ()

    def get_state(self):
        """The state as a uint8 tensor of 5056 bytes, laid out as PyTorch's."""
        return wrap(super().get_state())

    def set_state(self, new_state):
        """Continue from a state; see ``array.random_generator``."""
        if isinstance(new_state, Tensor) and new_state._dtype is dtypes.uint8:
            new_state = new_state._a
        return super().set_state(new_state)

    def clone_state(self):
        return Generator().set_state(self.get_state())

    def __reduce__(self):
        return Generator, (), self.get_state()

    def __repr__(self):
        return f"<torch._C.Generator object at {id(self):#x}>"

    def __setstate__(self, state):
        # PyTorch's files have (seed, offset, state), of which the last says all
        self.set_state(state[2] if isinstance(state, tuple) else state)


default_generator = streams.default_generator
# the floor below made it, and draws from it by default; users see its states as tensors like any other generator's
default_generator.__class__ = Generator


def _refuse_out_in_vmap():
    from ..autograd.batching_random import batched_around

    if batched_around():
        raise RuntimeError(
            "vmap: We do not support calling out variants of random operations inside of vmap. Please use non-out variants as a workaround"
        )


def _options(name, kwargs):
    """The options of a constructor: (out, dtype or None, requires_grad, generator)."""
    out = kwargs.pop("out", None)
    if out is not None and state.rare:
        _refuse_out_in_vmap()
    dtype = kwargs.pop("dtype", None)
    requires_grad = kwargs.pop("requires_grad", False)
    generator = kwargs.pop("generator", None)
    if generator is not None and not isinstance(generator, streams.Generator):
        raise TypeError(f"{name}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}")
    check_options(name, kwargs.pop("layout", None), kwargs.pop("device", None), kwargs.pop("pin_memory", False))
    kwargs.pop("memory_format", None)
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs))}'")
    return out, named_dtype(name, dtype, out), requires_grad, generator


def _drawn(draw, shape):
    """``draw(shape)``; within ``vmap`` as its ``randomness`` says."""
    if not state.rare:
        return draw(shape)
    from ..autograd import batching_random

    return batching_random.drawn(draw, shape)


def _diverted(sampler, values, **options):
    """A sampler's result where a transform stands before it, else NotImplemented."""
    if not state.rare:
        return NotImplemented
    from ..autograd import batching_random

    return batching_random.sampled(sampler, values, **options)


def _spread(input):
    """What a sampler with a derivative draws for: within ``vmap`` as its ``randomness`` says."""
    if not state.rare:
        return input
    from ..autograd import batching_random

    return batching_random.spread(input)


def rand(*size, **kwargs):
    """Uniform numbers in [0, 1) of the given sizes, in the default dtype unless ``dtype`` is given.

    ``generator`` is drawn from in place of the default one.
    """
    shape = sizes("rand", size, kwargs.pop("size", None))
    out, dtype, requires_grad, generator = _options("rand", kwargs)
    if out is None:
        made = _drawn(lambda shape: wrap(streams.rand(shape, dtype=dtype, generator=generator)), shape)
        return finish(made, requires_grad)
    return _sampled("rand", streams.uniform_, shape, (), out, dtype, requires_grad, generator)


def randn(*size, **kwargs):
    """Standard normal numbers of the given sizes."""
    shape = sizes("randn", size, kwargs.pop("size", None))
    out, dtype, requires_grad, generator = _options("randn", kwargs)
    return _sampled("randn", streams.normal_, shape, (), out, dtype, requires_grad, generator)


def randint(*args, low=0, high=None, size=None, **kwargs):
    """Integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``; int64 unless ``dtype`` is given."""
    args = list(args)
    if args and isinstance(args[-1], (tuple, list)):
        size = args.pop()
    if len(args) == 1:
        low, high = (low, args[0]) if high is None else (args[0], high)
    elif len(args) == 2:
        low, high = args
    if size is None or high is None:
        raise TypeError(
            "randint() received an invalid combination of arguments: it takes (high, size) or (low, high, size)"
        )
    shape = sizes("randint", (size,))
    out, dtype, requires_grad, generator = _options("randint", kwargs)
    low, high = (int(each) for each in (low, high))
    if out is None and state.rare:
        made = _drawn(lambda s: wrap(streams.randint(low, high, s, dtype=dtype, generator=generator)), shape)
        return finish(made, requires_grad)
    return give(
        "randint", streams.randint(low, high, shape, dtype=dtype, generator=generator), out, dtype, requires_grad
    )


def randperm(n, **kwargs):
    """The numbers 0 to n - 1 in random order."""
    out, dtype, requires_grad, generator = _options("randperm", kwargs)
    if out is None and state.rare:

        def draw(shape):
            # one after the other, for each sample of the innermost batch those of all outer ones
            *batches, count = shape
            rows = [streams.randperm(count, dtype=dtype, generator=generator) for _ in range(math.prod(batches))]
            return wrap(np.stack(rows).reshape(*batches[::-1], count).transpose(*range(len(batches))[::-1], -1).copy())

        return _drawn(draw, (int(n),))
    return give("randperm", streams.randperm(int(n), dtype=dtype, generator=generator), out, dtype, requires_grad)


def rand_like(input, **kwargs):
    """As ``rand``, in the shape and dtype of ``input``."""
    return _sampled_like("rand_like", streams.uniform_, input, kwargs)


def randn_like(input, **kwargs):
    """As ``randn``, in the shape and dtype of ``input``."""
    return _sampled_like("randn_like", streams.normal_, input, kwargs)


def _sampled_like(name, fill, input, kwargs):
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    given = dict(kwargs)
    _, dtype, requires_grad, generator = _options(name, kwargs)
    numpy_dtype = (dtype or input._dtype).numpy
    if state.rare:
        from ..autograd.batching_random import batched_around, drawn_like

        made = drawn_like(lambda held: _sampled_like(name, fill, held, given), input)
        if made is not None:
            return made
        if batched_around():
            made = _drawn(lambda shape: wrap(fill(np.empty(shape, numpy_dtype), generator=generator)), input._a.shape)
            return finish(made, requires_grad)
    return finish(wrap(fill(empty_beside(np.asarray(input._a), numpy_dtype), generator=generator)), requires_grad)


def randint_like(input, *bounds, low=0, high=None, **kwargs):
    """As ``randint``, in the shape and dtype of ``input``."""
    if bounds:
        low, high = (low, bounds[0]) if len(bounds) == 1 else bounds[:2]
    _, dtype, requires_grad, generator = _options("randint_like", kwargs)

    def fill(out, generator):
        return streams.random_(out, int(low), int(high), generator=generator)

    kwargs = dict(dtype=dtype, requires_grad=requires_grad, generator=generator)
    return _sampled_like("randint_like", fill, input, kwargs)


def normal(mean, std=1.0, size=None, **kwargs):
    """Normal numbers: means and deviations as tensors, or as numbers with a ``size``."""
    out, dtype, requires_grad, generator = _options("normal", kwargs)
    tensors = [each for each in (mean, std) if isinstance(each, Tensor)]
    if not tensors:
        if size is None and out is None:
            raise TypeError("normal() received an invalid combination of arguments: two numbers need a size")
        shape = out._a.shape if size is None else sizes("normal", (size,))
        return _sampled("normal", streams.normal_, shape, (mean, std), out, dtype, requires_grad, generator)
    if out is None:
        result = _diverted(normal, (mean, std), generator=generator)
        if result is not NotImplemented:
            return result
    given = [each._a if isinstance(each, Tensor) else each for each in (mean, std)]
    if out is None:
        number = 3 if len(tensors) == 2 else 2 if isinstance(std, Tensor) else 1
        return _constant(tensors, streams.normal(*given, generator=generator), f"NormalBackward{number}")
    return _normal_into(out, *given, any(each.requires_grad for each in (*tensors, out)), generator)


def _normal_into(out, mean, std, differentiable, generator):
    """PyTorch draws into ``out`` and then scales and shifts it there; by a number, in the shape that ``out`` has."""
    if thread.grad and differentiable:
        raise RuntimeError(
            "normal(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    if isinstance(std, np.ndarray):
        resize_out(out, std.shape if not isinstance(mean, np.ndarray) else np.broadcast_shapes(mean.shape, std.shape))
    streams.normal_(out._a, generator=generator)
    np.multiply(out._a, std, out=out._a, casting="unsafe")
    noise = out._a
    resize_out(out, broadcast_shapes_of_two(np.shape(mean), noise.shape))
    np.add(noise, mean, out=out._a, casting="unsafe")
    inplace.finish(out, None)
    return out


def _sampled(name, fill, shape, parameters, out, dtype, requires_grad, generator):
    """Fill a new tensor of ``shape``, or ``out`` along its own memory, which decides the order of the draws."""
    if out is None:
        dtype = dtype or dtypes.get_default_dtype()
        made = _drawn(
            lambda shape: wrap(fill(np.empty(shape, dtype.numpy), *parameters, generator=generator), dtype), shape
        )
        return finish(made, requires_grad)
    check_out(name, out, dtype)
    resize_out(out, tuple(shape))
    fill(out._a, *parameters, generator=generator)
    inplace.finish(out, None)
    return out


def bernoulli(input, p=None, *, generator=None, out=None):
    """Ones with the probabilities ``input``, zeros else."""
    if out is None:
        result = _diverted(bernoulli, (input, p), generator=generator)
        if result is not NotImplemented:
            return result
        return _constant([input], streams.bernoulli(input._a, p, generator=generator), "BernoulliBackward0")
    if state.rare:
        _refuse_out_in_vmap()
    if thread.grad and (edge_of(input) is not None or edge_of(out) is not None):
        raise RuntimeError(
            "bernoulli(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    resize_out(out, input._a.shape)
    streams.bernoulli_(out._a, input._a if p is None else p, generator=generator)
    inplace.finish(out, None)
    return out


def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn in proportion to the rows of ``input``."""
    if out is not None and out._dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out._dtype.legacy}")
    if out is not None and state.rare:
        _refuse_out_in_vmap()
    result = _diverted(_multinomial_rows, (input, num_samples, replacement), generator=generator)
    if result is not NotImplemented:
        return result
    return give(
        "multinomial", streams.multinomial(input._a, num_samples, replacement, generator=generator), out, None, False
    )


def _multinomial_rows(input, num_samples, replacement, generator=None):
    """``multinomial`` of any number of rows, for batches of them."""
    shape = input._a.shape
    if len(shape) < 3:
        return multinomial(input, num_samples, replacement, generator=generator)
    found = multinomial(input.reshape(-1, shape[-1]), num_samples, replacement, generator=generator)
    return found.reshape(*shape[:-1], num_samples)


def poisson(input, generator=None):
    """Poisson numbers with the rates ``input``."""
    result = _diverted(poisson, (input,), generator=generator)
    if result is not NotImplemented:
        return result
    return _constant([input], streams.poisson(input._a, generator), "PoissonBackward0")


def binomial(count, prob, generator=None):
    """Binomial numbers of ``count`` trials with probability ``prob``."""
    result = _diverted(binomial, (count, prob), generator=generator)
    if result is not NotImplemented:
        return result
    return _constant([count, prob], streams.binomial(count._a, prob._a, generator), "BinomialBackward0")


def _standard_gamma(input, generator=None):
    return TENSOR._sampled_gamma(_spread(input), generator)


def _gamma_kernel(input, generator):
    return streams._standard_gamma(input, generator)


differentiable(
    *("_sampled_gamma", _gamma_kernel),
    **dict(
        vjp=lambda F, g, x, y: g * F._standard_gamma_grad(x, y),
        node_name="StandardGammaBackward0", method=False, function=False,
    ),
)  # fmt: skip


differentiable("_standard_gamma_grad", standard_gamma_grad, method=False, function=False)
differentiable("_dirichlet_grad", dirichlet_grad, method=False, function=False)
_dirichlet_grad = TENSOR._dirichlet_grad


def _sample_dirichlet(input, generator=None):
    """Draws from the Dirichlet distribution; ``input`` holds concentrations along its last dimension."""
    return TENSOR._sampled_dirichlet(_spread(input), generator)


def _dirichlet_kernel(input, generator):
    return streams._sample_dirichlet(input, generator)


def _pull_dirichlet(F, g, x, y):
    """All coordinates move with each concentration, so that they go on summing to one."""
    total = F.expand(F.sum(x, -1, True), x.shape)
    slope = F._dirichlet_grad(y, x, total)
    return slope * (g - F.sum(y * g, -1, True))


differentiable(
    *("_sampled_dirichlet", _dirichlet_kernel),
    **dict(vjp=_pull_dirichlet, node_name="_DirichletBackward", method=False, function=False),
)


class _ConstantNode(Node):
    """A sampler's node: its result does not depend on the input smoothly, so the cotangent is zero."""

    __slots__ = ()

    def run(self, cotangent, keep):
        return tuple(None if edge is None else np.zeros(edge.shape, edge.dtype.numpy) for edge in self.next)

    def run_graph(self, cotangent, keep):
        return tuple(None if array is None else wrap(array) for array in self.run(cotangent, keep))


_NODES = {}


def _node(name, edges, tensor):
    kind = _NODES.get(name)
    if kind is None:
        kind = _NODES[name] = type(name, (_ConstantNode,), {"__slots__": (), "__module__": "builtins"})
    node = kind()
    node.seq, node.next, node.saved, node.guard = tick(), tuple(edges), (), None
    node.shape, node.dtype = tensor._a.shape, tensor._dtype
    return node


def _constant(inputs, array, name):
    """A sampler's result, which does not depend smoothly on its ``inputs``."""
    made = wrap(as_array(array))
    edges = [edge_of(each) for each in inputs]
    if thread.grad and made._dtype.category >= 2 and any(edge is not None for edge in edges):
        made._edge = _node(name, edges, made)
    return made


# --------------------------------------------------------------------------------------------------- filling in place


def _filler(name, fill, node_name, order, defaults):
    """The method ``name``: fill this tensor with random numbers."""

    def method(self, *args, generator=None, **kwargs):
        given = dict(zip(order, args))
        given.update({{"from": "from_"}.get(key, key): value for key, value in kwargs.items()})
        unknown = [key for key in given if key not in order]
        if unknown or len(args) > len(order):
            raise TypeError(f"{name}() got an unexpected keyword argument '{(unknown or ['?'])[0]}'")
        values = [given[key] if key in given else defaults[key] for key in order if key in given or key in defaults]
        values = [each._a if isinstance(each, Tensor) else each for each in values]
        edge = edge_of(self)

        def written():
            recorded = edge is not None and thread.grad
            name_of_node = node_name(values) if callable(node_name) else node_name
            inplace.finish(self, _node(name_of_node, [edge], self) if recorded else None)
            return self

        inplace.check(self, edge is not None)
        if state.rare:
            from ..autograd import batching_random

            options = kwargs if generator is None else dict(kwargs, generator=generator)
            result = batching_random.filled(method, self, args, options)
            if result is self:
                return written()
            if result is NotImplemented and dispatch.ask_method is not None:
                result = dispatch.ask_method(name, (self, *args), options)
            if result is not NotImplemented:
                return result
        inplace.check_memory(self._a)
        fill(self._a, *values, generator=generator)
        return written()

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Fill in place from the random stream: ``{name}({', '.join(order)})``; see ``array.random``."
    setattr(Tensor, name, method)
    setattr(TENSOR, name, method)
    return method


def _random_fill(out, *bounds, generator=None):
    streams.random_(out, *bounds, generator=generator)


def _bernoulli_fill(out, p, generator=None):
    streams.bernoulli_(out, p, generator=generator)


_filler("uniform_", streams.uniform_, "UniformBackward0", ("from_", "to"), dict(from_=0.0, to=1.0))
_filler("normal_", streams.normal_, "NormalBackward0", ("mean", "std"), dict(mean=0.0, std=1.0))
_filler("exponential_", streams.exponential_, "ExponentialBackward0", ("lambd",), dict(lambd=1.0))
_filler("cauchy_", streams.cauchy_, "CauchyBackward0", ("median", "sigma"), dict(median=0.0, sigma=1.0))
_filler("log_normal_", streams.log_normal_, "LogNormalBackward0", ("mean", "std"), dict(mean=1.0, std=2.0))
_filler("geometric_", streams.geometric_, "GeometricBackward0", ("p",), {})
_filler(
    *("bernoulli_", _bernoulli_fill),
    lambda values: f"BernoulliBackward{1 if isinstance(values[0], np.ndarray) else 2}",
    *(("p",), dict(p=0.5)),
)
_filler("random_", _random_fill, lambda values: f"RandomBackward{2 - len(values)}", ("from_", "to"), {})


def manual_seed(seed):
    """Seed the default generator; returns it."""
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the default generator from the system's entropy; returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed the default generator was last given."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default generator, as a uint8 tensor of 5056 bytes in PyTorch's layout."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Put the default generator into a state returned by ``get_rng_state``."""
    default_generator.set_state(new_state)


for _name in (
    *(
        "rand",
        "randn",
        "randint",
        "randperm",
        "rand_like",
        "randn_like",
        "randint_like",
        "normal",
        "bernoulli",
        "multinomial",
    ),
    *(
        "poisson",
        "binomial",
        "_dirichlet_grad",
        "_sample_dirichlet",
        "_standard_gamma",
        "manual_seed",
        "seed",
        "initial_seed",
        "get_rng_state",
        "set_rng_state",
    ),
    *("Generator", "default_generator"),
):
    PLACES[""][_name] = globals()[_name]
Tensor.bernoulli = bernoulli
Tensor.multinomial = multinomial
