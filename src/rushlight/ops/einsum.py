"""einsum, composed of permute, sum, mul and bmm, so that derivatives and speed are theirs.

Two operands are multiplied as one batched matrix product: labels both have and the result keeps are the batch, labels that
only one has are rows and columns, the rest are summed. More operands are taken pair by pair, cheapest first.
"""

import math

from ..array import einsum as plans
from .table import composite


@composite("einsum", method=False)
def einsum(F, *args):
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        equation, operands = args[0], list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
    else:
        equation, operands = plans.sublists_to_equation(args)
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
    for i, each in enumerate(operands):
        if not hasattr(each, "ndim"):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(each).__name__}")
    plan = plans.parse(equation, [tuple(each.shape) for each in operands])
    return _carry_out(F, plan, operands)


def _carry_out(F, plan, operands):
    parts = [_without_repeats(F, *pair) for pair in zip(operands, plan.inputs)]
    sizes = {}
    for value, labels in parts:
        for label, size in zip(labels, value.shape):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    if len(parts) == 1:
        value, labels = parts[0]
        kept = [label for label in labels if label in plan.output]
        order = [labels.index(label) for label in plan.output]
        if len(kept) == len(labels):
            return F.permute(value, tuple(order))
        dropped = [i for i, label in enumerate(labels) if label not in plan.output]
        value = F.permute(value, (*order, *dropped))
        return F.sum(value, tuple(range(len(order), value.ndim)))
    for i, j in plans.pair_order([labels for _, labels in parts], plan.output, sizes):
        rest = [part for k, part in enumerate(parts) if k not in (i, j)]
        wanted = set(plan.output).union(*[labels for _, labels in rest])
        parts = [*rest, _multiply(F, parts[i], parts[j], wanted, plan.output if not rest else None)]
    return parts[0][0]


def _without_repeats(F, value, labels):
    """A label that an operand has twice is its diagonal."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            value = F.diagonal(value, 0, first, second)
            del labels[second], labels[first]
            labels.append(label)
    return value, labels


def _summed_alone(F, value, labels, wanted, other):
    """Labels that are neither wanted nor shared are summed first; shared ones of size 1 are left to the other side."""
    drop = [i for i, label in enumerate(labels) if label not in wanted and label not in other]
    if not drop:
        return value, labels
    return F.sum(value, tuple(drop)), [label for i, label in enumerate(labels) if i not in drop]


def _align(F, a, b, wanted):
    """Labels both sides have with one of the sizes 1: the 1 goes away, and what nobody wants is summed on the other side."""
    for _ in range(2):
        value, labels = a
        other, other_labels = b
        ones = [
            i
            for i, label in enumerate(labels)
            if value.shape[i] == 1 and label in other_labels and other.shape[other_labels.index(label)] != 1
        ]
        if ones:
            value = F.reshape(value, tuple(n for i, n in enumerate(value.shape) if i not in ones))
            labels = [label for i, label in enumerate(labels) if i not in ones]
        a, b = b, (value, labels)
    a = _summed_alone(F, *a, wanted, b[1])
    return a, _summed_alone(F, *b, wanted, a[1])


def _multiply(F, a, b, wanted, final):
    """The product of two labelled operands, its labels in the order of ``final`` where it is given."""
    (left, left_labels), (right, right_labels) = _align(F, a, b, wanted)
    batch = [label for label in left_labels if label in right_labels and label in wanted]
    shared = [label for label in left_labels if label in right_labels and label not in wanted]
    rows = [label for label in left_labels if label not in right_labels]
    columns = [label for label in right_labels if label not in left_labels]
    labels = list(final) if final is not None else batch + rows + columns
    if not shared:
        spread = [_spread(F, each, own, labels) for each, own in ((left, left_labels), (right, right_labels))]
        return F.mul(*spread), labels
    size = {**dict(zip(left_labels, left.shape)), **dict(zip(right_labels, right.shape))}
    counts = [math.prod([size[label] for label in group]) for group in (batch, rows, shared, columns)]
    left = _grouped(F, left, left_labels, (batch, rows, shared), (counts[0], counts[1], counts[2]))
    right = _grouped(F, right, right_labels, (batch, shared, columns), (counts[0], counts[2], counts[3]))
    product = F.bmm(left, right)
    made = batch + rows + columns
    product = F.reshape(product, tuple(size[label] for label in made))
    order = tuple(made.index(label) for label in labels)
    return (product if order == tuple(range(len(order))) else F.permute(product, order)), labels


def _spread(F, value, own, labels):
    order = [label for label in labels if label in own]
    value = F.permute(value, tuple(own.index(label) for label in order))
    size = dict(zip(order, value.shape))
    return F.reshape(value, tuple(size.get(label, 1) for label in labels))


def _grouped(F, value, labels, groups, sizes):
    order = [labels.index(label) for group in groups for label in group]
    if order != list(range(len(order))):
        value = F.permute(value, tuple(order))
    return F.reshape(value, sizes) if tuple(value.shape) != sizes else value
