"""Fractional maximum pooling, of two and three dimensions."""

from ..array.fractional import fractional_max_pool
from .creation import empty
from .functional import functional
from .table import differentiable

differentiable(
    "_fractional_max_pool",
    fractional_max_pool,
    vjp=lambda F, g, y, x_shape, kernel_size: F._pool_scatter(
        g, y[1], tuple(x_shape)[-len(kernel_size) :], len(kernel_size)
    ),
    returns="list",
    nondiff=(1,),
    saves=(1,),
    node_name=lambda values: f"FractionalMaxPool{len(values[2])}DBackward0",
)


def _sizes(value, nd, name, what):
    """`value`, a number or a sequence, as `nd` sizes."""
    value = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(value) not in (1, nd):
        several = "Ints" if nd == 2 else "three Ints"
        raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of {several}")
    return tuple(int(each) for each in (value * nd if len(value) == 1 else value))


def _with_indices(F, nd, input, kernel_size, output_size, output_ratio, samples):
    name = f"fractional_max_pool{nd}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    shape = tuple(input.shape)
    if len(shape) <= nd:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got {-nd - 1})"
        )
    if output_size is None:
        if nd == 2 and len(output_ratio) > 2:
            raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        ratios = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * nd
        output_size = tuple(int(size * ratio) for size, ratio in zip(shape[-nd:], ratios))
    if samples is None:
        batch = 1 if len(shape) == nd + 1 else shape[0]
        samples = F.uniform_(empty((batch, shape[-nd - 1], nd), dtype=input.dtype))
    kernel, size = _sizes(kernel_size, nd, name, "kernel_size"), _sizes(output_size, nd, name, "output_size")
    return F._fractional_max_pool(input, samples, kernel, size)


def _declare(nd):
    layout = "(N, C, H, W) or (C, H, W)" if nd == 2 else "(N, C, T, H, W) or (C, T, H, W)"

    def both(F, input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        values, indices = _with_indices(F, nd, input, kernel_size, output_size, output_ratio, _random_samples)
        return values, indices

    both.__doc__ = f"`fractional_max_pool{nd}d` as (values, indices), whatever `return_indices` says."

    def pool(F, input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        pair = _with_indices(F, nd, input, kernel_size, output_size, output_ratio, _random_samples)
        return (pair[0], pair[1]) if return_indices else pair[0]

    pool.__doc__ = (
        f"Maxima of {layout} over windows at random places, so that the result has `output_size`, or the input's size times "
        "`output_ratio`."
    )
    functional(f"fractional_max_pool{nd}d_with_indices")(both)
    functional(f"fractional_max_pool{nd}d")(pool)


_declare(2)
_declare(3)
