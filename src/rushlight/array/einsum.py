"""Reading and planning einsum: equations and sublists into letters by operand, and the order of pairwise products.

Nothing is computed here; `ops/einsum.py` carries a plan out with differentiable products. A label is a letter's number
(A-Z 0-25, a-z 26-51); the dimensions an ellipsis covers are labelled from 52 on.
"""

__all__ = ["ELLIPSIS", "Plan", "pair_order", "parse", "sublists_to_equation"]

ELLIPSIS = 52
_PLACE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def sublists_to_equation(args):
    """(equation, operands) of the form ``einsum(op1, [0, 1], op2, [1, 2], [0, 2])``."""
    lists = args[1::2]
    pairs = len(args) // 2
    equation = ",".join([_spell(each) for each in lists[:pairs]])
    if len(args) % 2:
        equation += "->" + _spell(args[-1])
    return equation, list(args[0 : 2 * pairs : 2])


def _spell(sublist):
    return "".join([_letter(each) for each in sublist])


def _letter(label):
    import operator

    if label is Ellipsis:
        return "..."
    label = operator.index(label)
    if not 0 <= label < 52:
        raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return _PLACE[label]


class Plan:
    """What an equation asks of operands of given ranks: labels of each operand's dimensions, and of the result's."""

    __slots__ = ("inputs", "output")

    def __init__(self, inputs, output):
        self.inputs = inputs
        self.output = output


def parse(equation, shapes):
    """The `Plan` of an equation, every error raised; sizes are checked to agree or be 1."""
    head, arrow, tail = equation.partition("->")
    labels = _read_inputs(equation, head, shapes)
    width, covered = 0, []
    for k, (found, shape) in enumerate(zip(labels, shapes)):
        covered.append(len(shape) - (len(found) - (1 if ELLIPSIS in found else 0)))
        _check_count(found, shape, k)
        if ELLIPSIS in found:
            width = max(width, covered[-1])
    output = _read_output(tail, len(head) + 2, labels) if arrow else _implied(labels)
    inputs = [_unfold(found, width, count) for found, count in zip(labels, covered)]
    _check_sizes(inputs, shapes)
    return Plan(inputs, _unfold(output, width, width))


def _read_inputs(equation, head, shapes):
    labels = [[]]
    at = 0
    while at < len(head):
        char = head[at]
        if char == ",":
            labels.append([])
            if len(labels) > len(shapes):
                raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
        elif char == ".":
            if ELLIPSIS in labels[-1]:
                raise RuntimeError(
                    f"einsum(): found '.' for operand {len(labels) - 1} for which an ellipsis was already found"
                )
            if head[at : at + 3] != "...":
                raise RuntimeError(
                    f"einsum(): found '.' for operand {len(labels) - 1} that is not part of any ellipsis"
                )
            labels[-1].append(ELLIPSIS)
            at += 2
        elif char != " ":
            labels[-1].append(_label(char, at))
        at += 1
    if len(labels) < len(shapes):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return labels


def _label(char, at):
    label = _PLACE.find(char)
    if label < 0:
        raise RuntimeError(
            f"einsum(): invalid subscript given at index {at} in the equation string, subscripts must be in [a-zA-Z]"
        )
    return label


def _read_output(tail, start, labels):
    output = []
    known = {label for found in labels for label in found}
    at = 0
    while at < len(tail):
        char = tail[at]
        if char == ".":
            if ELLIPSIS in output:
                raise RuntimeError("einsum(): found '.' for output but an ellipsis (...) was already found")
            if tail[at : at + 3] != "...":
                raise RuntimeError("einsum(): found '.' for output that is not part of any ellipsis (...)")
            output.append(ELLIPSIS)
            at += 2
        elif char != " ":
            label = _label(char, start + at)
            if label in output:
                raise RuntimeError(f"einsum(): output subscript {char} appears more than once in the output")
            if label not in known:
                raise RuntimeError(
                    f"einsum(): output subscript {char} does not appear in the equation for any input operand"
                )
            output.append(label)
        at += 1
    return output


def _implied(labels):
    """Without an arrow: what the ellipsis covers, then the letters that appear once, in order."""
    flat = [label for found in labels for label in found]
    once = sorted(label for label in set(flat) if label != ELLIPSIS and flat.count(label) == 1)
    return ([ELLIPSIS] if ELLIPSIS in flat else []) + once


def _check_count(found, shape, k):
    if ELLIPSIS in found:
        if len(found) - 1 > len(shape):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(found) - 1}) is more than the number of "
                f"dimensions ({len(shape)}) for operand {k}"
            )
    elif len(found) != len(shape):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(found)}) does not match the number of dimensions "
            f"({len(shape)}) for operand {k} and no ellipsis was given"
        )


def _unfold(labels, width, count):
    """The ellipsis as labels of its own, aligned at the right among operands."""
    result = []
    for label in labels:
        if label == ELLIPSIS:
            result.extend(range(ELLIPSIS + width - count, ELLIPSIS + width))
        else:
            result.append(label)
    return result


def _check_sizes(inputs, shapes):
    seen = {}
    for k, (labels, shape) in enumerate(zip(inputs, shapes)):
        own = {}
        for label, size in zip(labels, shape):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {_PLACE[label]} is repeated for operand {k} but the sizes don't match, "
                    f"{size} != {own[label]}"
                )
        for label, size in own.items():
            before = seen.get(label, 1)
            if before != 1 and size != 1 and before != size:
                if label >= ELLIPSIS:
                    raise RuntimeError(
                        f"einsum(): dimension {labels.index(label)} covered by ellipsis in operand {k}has size {size} which "
                        f"does not broadcast with previously seen ellipsis with size {before} for the respective dimension"
                    )
                raise RuntimeError(
                    f"einsum(): subscript {_PLACE[label]} has size {size} for operand {k} which does not broadcast with "
                    f"previously seen size {before}"
                )
            seen[label] = size if before == 1 else before


def pair_order(inputs, output, sizes):
    """Which two operands to multiply at each step: the pair whose product costs least, of the pairs left.

    ``inputs`` are sets of labels; the product goes to the end of the list. Two operands or fewer need no plan.
    """
    left = [frozenset(each) for each in inputs]
    order = []
    while len(left) > 2:
        best = None
        for j in range(1, len(left)):
            for i in range(j):
                elsewhere = frozenset(output).union(*[each for k, each in enumerate(left) if k not in (i, j)])
                both = left[i] | left[j]
                work = _product(both, sizes)
                growth = _product(both & elsewhere, sizes) - _product(left[i], sizes) - _product(left[j], sizes)
                if best is None or (work, growth) < best[0]:
                    best = ((work, growth), i, j, both & elsewhere)
        _, i, j, made = best
        order.append((i, j))
        left = [each for k, each in enumerate(left) if k not in (i, j)] + [made]
    if len(left) == 2:
        order.append((0, 1))
    return order


def _product(labels, sizes):
    total = 1
    for label in labels:
        total *= sizes[label]
    return total
