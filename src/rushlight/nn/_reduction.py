"""What losses do with the losses of single elements: the names, their numbers, and the two older arguments."""

import warnings

from ..ops.functional import reduction_name

__all__ = ["get_enum", "legacy_get_enum", "legacy_get_string"]


def get_enum(reduction):
    """0, 1 or 2 for "none", "mean" or "sum"."""
    return ("none", "mean", "sum").index(reduction_name(reduction))


def legacy_get_string(size_average, reduce, emit_warning=True):
    """The name that the older arguments stand for."""
    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    name = "none" if not reduce else "mean" if size_average else "sum"
    if emit_warning:
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=3
        )
    return name


def legacy_get_enum(size_average, reduce, emit_warning=True):
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))
