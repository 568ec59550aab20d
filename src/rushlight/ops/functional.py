"""Declaring functions of torch.nn.functional whose name means something else, or nothing, in torch itself.

`torch.embedding(weight, indices)` and `torch.nn.functional.embedding(input, weight)` are two functions of one name. The
second kind is declared here: ``F._nn_<name>`` for rules and other composites, `torch.nn.functional.<name>` for users.
"""

from .table import PLACES, TENSOR, composite

__all__ = ["functional", "legacy_reduction", "reduction_name", "same_out"]


def same_out(name, result, out, text="Expected out tensor to have dtype {}, but got {} instead", spoken="cpp_name"):
    """Store a composite's `result` in `out`, which must have the result's very dtype."""
    from .dispatch import store_out

    pairs = zip(result, out) if isinstance(out, (tuple, list)) else ((result, out),)
    for made, each in pairs:
        if made.dtype is not each.dtype:
            raise RuntimeError(text.format(getattr(made.dtype, spoken), getattr(each.dtype, spoken)))
    return store_out(name, result, out)


def functional(name, **options):
    """Declare a composite that users see as torch.nn.functional.<name> alone."""

    def declare(function):
        composite("_nn_" + name, shown=name, space="nn", method=False, **options)(function)
        public = getattr(TENSOR, "_nn_" + name)
        public.__doc__ = function.__doc__
        PLACES["nn.functional"][name] = public  # also what begins with an underscore
        return function

    return declare


def reduction_name(reduction):
    """`reduction` if it is one of PyTorch's three; ValueError with its text if not. The numbers 0, 1, 2 stand for them too."""
    if reduction in ("none", "mean", "sum"):
        return reduction
    if reduction == "elementwise_mean":
        import warnings

        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=4)
        return "mean"
    if not isinstance(reduction, (bool, str)) and reduction in (0, 1, 2):
        return ("none", "mean", "sum")[reduction]
    raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy_reduction(size_average, reduce, reduction):
    """`reduction`, or what PyTorch's two older arguments mean where one of them is given."""
    if size_average is None and reduce is None:
        return reduction
    import warnings

    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    name = "none" if not reduce else ("mean" if size_average else "sum")
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=4
    )
    return name
