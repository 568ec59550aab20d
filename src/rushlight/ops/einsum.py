"""einsum, composed of permute, sum, mul and bmm, so that derivatives and speed are theirs.

Two operands are multiplied as one batched matrix product: labels both have and the result keeps are the batch, labels that
only one has are rows and columns, the rest are summed. More operands are taken pair by pair, cheapest first. An equation is read
once for given shapes: what follows from it is a short list of steps, kept and carried out on every call.
"""

import functools

from ..array import einsum as plans
from .table import composite


@composite("einsum", method=False)
def einsum(F, *args):
    if len(args) < 2 or (isinstance(args[0], str) and isinstance(args[1], (list, tuple)) and not args[1]):
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        equation, operands = args[0], args[1:]
    else:
        equation, operands = plans.sublists_to_equation(args)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    for i, each in enumerate(operands):
        if not hasattr(each, "ndim"):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(each).__name__}")
    steps = _program(equation, tuple([tuple(each.shape) for each in operands]))
    values = list(operands)
    for step in steps:
        step(F, values)
    return values[0]


class _Part:
    """An operand while planning: its labels and sizes, and the steps noted for it."""

    def __init__(self, labels, shape):
        self.labels = list(labels)
        self.shape = list(shape)

    def size(self, label):
        return self.shape[self.labels.index(label)]


@functools.lru_cache(maxsize=1024)
def _program(equation, shapes):
    """The steps of an equation for operands of these shapes: functions of (F, list of values), which they change."""
    plan = plans.parse(equation, shapes)
    steps = []
    parts = [_Part(labels, shape) for labels, shape in zip(plan.inputs, shapes)]
    for k, part in enumerate(parts):
        _take_diagonals(steps, k, part)
    sizes = {}
    for part in parts:
        for label, size in zip(part.labels, part.shape):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    if len(parts) == 1:
        _finish_single(steps, parts[0], plan.output)
        return tuple(steps)
    for i, j in plans.pair_order([part.labels for part in parts], plan.output, sizes):
        rest = [part for k, part in enumerate(parts) if k not in (i, j)]
        wanted = set(plan.output).union(*[part.labels for part in rest])
        made = _multiply(steps, i, j, parts[i], parts[j], wanted, plan.output if not rest else None)
        parts = [*rest, made]
    return tuple(steps)


def _step(k, name, *args):
    """A step that replaces value k by ``F.name(value, *args)``."""

    def run(F, values):
        values[k] = getattr(F, name)(values[k], *args)

    return run


def _permute(steps, k, part, order):
    order = tuple(order)
    if order != tuple(range(len(order))):
        steps.append(_step(k, "permute", order))
        part.labels = [part.labels[d] for d in order]
        part.shape = [part.shape[d] for d in order]


def _reshape(steps, k, shape, current):
    if tuple(shape) != tuple(current):
        steps.append(_step(k, "reshape", tuple(shape)))


def _take_diagonals(steps, k, part):
    """A label that an operand has twice is its diagonal."""
    for label in dict.fromkeys(part.labels):
        while part.labels.count(label) > 1:
            first = part.labels.index(label)
            second = part.labels.index(label, first + 1)
            steps.append(_step(k, "diagonal", 0, first, second))
            size = part.shape[first]
            for d in (second, first):
                del part.labels[d], part.shape[d]
            part.labels.append(label)
            part.shape.append(size)


def _finish_single(steps, part, output):
    kept = [part.labels.index(label) for label in output]
    dropped = [d for d in range(len(part.labels)) if d not in kept]
    order = tuple([*kept, *dropped])
    if not dropped or order != tuple(range(len(order))):
        steps.append(_step(0, "permute", order))
    if dropped:
        steps.append(_step(0, "sum", tuple(range(len(kept), len(order)))))


def _drop_ones(steps, k, part, other):
    """Size 1 against another size of the same label broadcasts: that side's label goes away."""
    ones = [
        d
        for d, label in enumerate(part.labels)
        if part.shape[d] == 1 and label in other.labels and other.size(label) != 1
    ]
    if ones:
        part.labels = [label for d, label in enumerate(part.labels) if d not in ones]
        part.shape = [size for d, size in enumerate(part.shape) if d not in ones]
        steps.append(_step(k, "reshape", tuple(part.shape)))


def _sum_alone(steps, k, part, other, wanted):
    """Labels that are neither wanted nor shared are summed first."""
    drop = [d for d, label in enumerate(part.labels) if label not in wanted and label not in other.labels]
    if drop:
        steps.append(_step(k, "sum", tuple(drop)))
        part.labels = [label for d, label in enumerate(part.labels) if d not in drop]
        part.shape = [size for d, size in enumerate(part.shape) if d not in drop]


def _multiply(steps, i, j, left, right, wanted, final):
    """Note the product of values i and j, whose labels come in the order of ``final`` where it is given; the product is last."""
    for k, part, other in ((i, left, right), (j, right, left)):
        _drop_ones(steps, k, part, other)
    for k, part, other in ((i, left, right), (j, right, left)):
        _sum_alone(steps, k, part, other, wanted)
    batch = [label for label in left.labels if label in right.labels and label in wanted]
    shared = [label for label in left.labels if label in right.labels and label not in wanted]
    rows = [label for label in left.labels if label not in right.labels]
    columns = [label for label in right.labels if label not in left.labels]
    made = batch + rows + columns
    labels = list(final) if final is not None else made
    size = {**dict(zip(left.labels, left.shape)), **dict(zip(right.labels, right.shape))}
    last = -1
    if shared:
        counts = [_count(size, group) for group in (batch, rows, shared, columns)]
        _group(steps, i, left, (batch, rows, shared), (counts[0], counts[1], counts[2]))
        _group(steps, j, right, (batch, shared, columns), (counts[0], counts[2], counts[3]))
        steps.append(_pair(i, j, "bmm"))
        steps.append(_step(last, "reshape", tuple([size[label] for label in made])))
        order = tuple([made.index(label) for label in labels])
        if order != tuple(range(len(order))):
            steps.append(_step(last, "permute", order))
    else:
        for k, part in ((i, left), (j, right)):
            _permute(steps, k, part, [part.labels.index(label) for label in labels if label in part.labels])
            own = dict(zip(part.labels, part.shape))
            _reshape(steps, k, [own.get(label, 1) for label in labels], part.shape)
        steps.append(_pair(i, j, "mul"))
    return _Part(labels, [size[label] for label in labels])


def _group(steps, k, part, groups, counts):
    _permute(steps, k, part, [part.labels.index(label) for group in groups for label in group])
    _reshape(steps, k, counts, part.shape)


def _pair(i, j, name):
    """A step that takes values i and j away and puts ``F.name`` of them at the end."""

    def run(F, values):
        product = getattr(F, name)(values[i], values[j])
        for k in sorted((i, j), reverse=True):
            del values[k]
        values.append(product)

    return run


def _count(size, labels):
    total = 1
    for label in labels:
        total *= size[label]
    return total
