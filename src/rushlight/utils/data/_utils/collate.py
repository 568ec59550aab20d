"""Making a batch of items: tensors are stacked, numbers become tensors, and containers keep their form."""

import collections.abc
import copy

import numpy as np

from .... import as_tensor, float64, from_numpy, stack, tensor
from ....tensor import Tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

_REFUSED = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_convert(data):
    """NumPy arrays and scalars within ``data`` as tensors, everything else as it is."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUOV" else as_tensor(data)
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, collections.abc.Mapping):
        return _rebuilt(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*[default_convert(each) for each in data])
    if isinstance(data, tuple):
        return [default_convert(each) for each in data]
    if isinstance(data, collections.abc.Sequence):
        return _rebuilt(data, [default_convert(each) for each in data])
    return data


def _rebuilt(like, values):
    """A container of the class of ``like`` with these values; the plain one where the class cannot be made so."""
    try:
        if isinstance(like, collections.abc.MutableMapping):
            made = copy.copy(like)
            made.update(values)
            return made
        if isinstance(like, collections.abc.MutableSequence):
            made = copy.copy(like)
            for i, value in enumerate(values):
                made[i] = value
            return made
        return type(like)(values)
    except TypeError:
        return values


def collate(batch, *, collate_fn_map=None):
    """Make one batch of a list of items by the functions of ``collate_fn_map`` (class or tuple of classes to function)."""
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for known in collate_fn_map:
            if isinstance(first, known):
                return collate_fn_map[known](batch, collate_fn_map=collate_fn_map)

    def together(items):
        return collate(items, collate_fn_map=collate_fn_map)

    if isinstance(first, collections.abc.Mapping):
        return _rebuilt(first, {key: together([item[key] for item in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*[together(column) for column in zip(*batch)])
    if isinstance(first, collections.abc.Sequence):
        if not all(len(item) == len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [together(column) for column in zip(*batch)]
        return columns if isinstance(first, tuple) else _rebuilt(first, columns)
    raise TypeError(_REFUSED.format(kind))


def collate_tensor_fn(batch, *, collate_fn_map=None):
    return stack(list(batch), 0)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in "SUO":
        raise TypeError(_REFUSED.format(batch[0].dtype))
    return collate([as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    return from_numpy(np.asarray(batch)) if len({each.dtype for each in batch}) == 1 else as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map=None):
    return tensor(batch, dtype=float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    return tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch):
    """Make one batch of a list of items.

    Tensors and NumPy arrays are stacked along a new first dimension, numbers become a tensor, strings a list; dicts, tuples, lists and
    named tuples keep their form, with a batch in each place. Raises TypeError for anything else and RuntimeError where sizes differ.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
