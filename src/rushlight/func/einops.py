"""``torch.func.rearrange``: an order of elements by pattern, ``"b (h h1) w -> b h (w h1)"``, in the notation of the einops library."""

import functools
import keyword
import math
import warnings

from .. import stack
from ..tensor import Tensor

__all__ = ["rearrange"]

_ELLIPSIS = "…"


class DimensionBindError(Exception):
    """Sizes of a tensor and of a pattern do not agree."""

    __module__ = "functorch.dim"


def _check_name(name):
    if not name.isidentifier():
        reason = "not a valid python identifier"
    elif name[0] == "_" or name[-1] == "_":
        reason = "axis name should should not start or end with underscore"
    else:
        if keyword.iskeyword(name):
            warnings.warn(
                f"It is discouraged to use axes names that are keywords: {name}", RuntimeWarning, stacklevel=6
            )
        if name == "axis":
            text = "It is discouraged to use 'axis' as an axis name and will raise an error in future"
            warnings.warn(text, FutureWarning, stacklevel=6)
        return
    raise ValueError(f"Invalid axis identifier: {name}\n{reason}")


def _parse(text):
    """(dimensions, names) of one side of a pattern: a list of lists of names, and all of them. ``1`` and ``()`` are empty lists.

    An ellipsis is the name ``_ELLIPSIS`` where it stands in brackets, and that instead of a list where it stands alone.
    """
    if "." in text:
        if "..." not in text:
            raise ValueError("Expression may contain dots only inside ellipsis (...)")
        if text.count("...") != 1 or text.count(".") != 3:
            raise ValueError("Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor ")
        text = text.replace("...", _ELLIPSIS)
    dimensions, names, group, word = [], set(), None, ""

    def end_of_word():
        if word in names:
            raise ValueError(f"Indexing expression contains duplicate dimension '{word}'")
        if word.isdecimal() and int(word) == 1:
            axes = []
        else:
            if word.isdecimal() and int(word) < 1:
                raise ValueError(f"Anonymous axis should have positive length, not {int(word)}")
            if not word.isdecimal() and word != _ELLIPSIS:
                _check_name(word)
            names.add(word)
            axes = [word]
        if group is None:
            dimensions.append(_ELLIPSIS if axes == [_ELLIPSIS] else axes)
        else:
            group.extend(axes)

    for letter in text:
        if letter in "() ":
            if word:
                end_of_word()
            word = ""
            if letter == "(":
                if group is not None:
                    raise ValueError("Axis composition is one-level (brackets inside brackets not allowed)")
                group = []
            elif letter == ")":
                if group is None:
                    raise ValueError("Brackets are not balanced")
                dimensions.append(group)
                group = None
        elif letter.isalnum() or letter in ("_", _ELLIPSIS):
            word += letter
        else:
            raise ValueError(f"Unknown character '{letter}'")
    if group is not None:
        raise ValueError(f"Imbalanced parentheses in expression: '{text}'")
    if word:
        end_of_word()
    return dimensions, names


@functools.lru_cache(256)
def _parsed(ndim, pattern, lengths):
    """(left dimensions, right dimensions) of a pattern for tensors of ``ndim`` dimensions, with the ellipsis written out.

    Args:
        lengths: pairs of a name and its size.
    """
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError("Pattern must contain a single '->' separator")
    (left, left_names), (right, right_names) = map(_parse, sides)
    if _ELLIPSIS in right_names and _ELLIPSIS not in left_names:
        raise ValueError(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    if _ELLIPSIS in left_names and _ELLIPSIS not in left:
        raise ValueError(f"Ellipsis is parenthesis in the left side is not allowed: {pattern}")
    for _, length in lengths:
        if type(length) is not int:
            raise TypeError(f"rearrange axis lengths must be integers, got: {type(length)}")
    if any(name.isdecimal() for name in left_names | right_names):
        raise ValueError("rearrange only supports unnamed axes of size 1")
    if left_names != right_names:
        raise ValueError(
            f"Identifiers only on one side of rearrange expression (should be on both): {left_names ^ right_names}"
        )
    unknown = dict(lengths).keys() - left_names
    if unknown:
        raise ValueError(f"Identifiers not found in rearrange expression: {unknown}")
    if _ELLIPSIS in left_names:
        count = sum(not axes for axes in left) + len(left_names) - 1
        if count > ndim:
            raise ValueError(
                f"Number of dimensions in pattern ({count}) must be less than or equal to the number of dimensions in the tensor ({ndim})"
            )
        others = [f"{_ELLIPSIS}{i}" for i in range(ndim - len(left) + 1)]
    else:
        if len(left) != ndim:
            raise ValueError(
                f"Number of dimensions in pattern ({len(left)}) must be equal to the number of dimensions in the tensor ({ndim})"
            )
        others = []
    return _written_out(left, others), _written_out(right, others)


def _written_out(dimensions, others):
    """Dimensions with those that the ellipsis stands for in its place."""
    found = []
    for axes in dimensions:
        if axes == _ELLIPSIS:
            found += [[name] for name in others]
        else:
            found.append([each for name in axes for each in (others if name == _ELLIPSIS else (name,))])
    return found


def _split_sizes(size, axes, known, numbers):
    """The sizes of the axes that a dimension is made of; one that nobody has named follows from the others."""
    sizes = [known.get(name) for name in axes]
    shown = [f"d{numbers[name]}" for name in axes]
    missing = [i for i, each in enumerate(sizes) if each is None]
    if len(missing) > 1:
        raise DimensionBindError(
            f"cannot infer the sizes of two dimensions at once {shown[missing[0]]} and {shown[missing[1]]}"
        )
    rest = math.prod(each for each in sizes if each is not None)
    if missing:
        if not rest or size % rest:
            spelled = tuple("?" if each is None else each for each in sizes)
            raise DimensionBindError(
                f"inferred dimension does not evenly fit into larger dimension: {size} vs {spelled}"
            )
        sizes[missing[0]] = size // rest
    elif rest != size:
        pack = f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
        raise DimensionBindError(
            f"Dimension sizes to do not match ({size} != {rest}) when matching dimension pack {pack}"
        )
    return sizes


def rearrange(tensor, pattern, **axes_lengths):
    """Reorder, split, merge, add and drop dimensions by a pattern.

    Args:
        tensor: a tensor, or a sequence of them, which are stacked along a new first dimension.
        pattern: dimensions of the tensor, ``->``, dimensions of the result. Names in brackets are merged into one dimension, the
            last one running fastest; ``...`` stands for all dimensions without a name; ``1`` or ``()`` for one of size 1.
        axes_lengths: sizes of names that do not follow from the tensor's shape.

    Returns:
        The elements in that order: a view where strides can express it.

    Raises:
        ValueError: the pattern is malformed, or not one of a tensor of so many dimensions.
        DimensionBindError: sizes do not agree.
    """
    if not isinstance(tensor, Tensor):
        tensor = stack(tensor)
    left, right = _parsed(tensor.ndim, pattern, tuple(axes_lengths.items()))
    if tensor.ndim == 0:
        return tensor
    count = 0
    numbers = {}
    sizes, shape, alone = {}, [], []
    for size, axes in zip(tensor.shape, left):
        if not axes:
            alone.append(len(shape))
            shape.append(size)
            count += 1
            continue
        for name in axes:
            numbers[name] = count
            count += 1
        found = (
            [size]
            if len(axes) == 1 and axes[0] not in axes_lengths
            else _split_sizes(size, axes, axes_lengths, numbers)
        )
        sizes.update(zip(axes, found))
        shape += found
    if len(shape) != tensor.ndim:
        tensor = tensor.reshape(shape)
    if alone:
        # an unnamed dimension that is not of size 1 is summed over, as in PyTorch
        tensor = tensor.sum(alone)
    names = list(numbers)
    order = [names.index(name) for axes in right for name in axes]
    if order != sorted(order):
        tensor = tensor.permute(order)
    if any(len(axes) != 1 for axes in right):
        tensor = tensor.reshape([math.prod(sizes[name] for name in axes) for axes in right])
    return tensor
