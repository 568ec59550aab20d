"""``torch.utils.flop_counter``: how many floating point operations the products and convolutions of a program take.

A multiplication and an addition count as two. Operators without a formula count nothing, as in PyTorch. Formulas of products follow
from their shapes; those of convolutions count each tap of the filter for each place of the result. Attention counts as its two products
(PyTorch counts it so on a GPU, and not at all on a CPU).
"""

import warnings
from collections import defaultdict
from math import prod

from ..ops.overloads import aten
from ..tensor import Tensor
from ._python_dispatch import TorchDispatchMode
from ._pytree import tree_map
from .module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

#: formulas by operator (an ``OpOverloadPacket``): functions of its arguments, and of its result as ``out_val``
flop_registry = {}


def register_flop_formula(targets, get_raw=False):
    """A decorator: the function counts the operations of ``targets``, an operator (``torch.ops.aten.mm``) or a list of them.

    It is called with the arguments, tensors as their shapes, and ``out_shape``; with ``get_raw`` with the tensors themselves and
    ``out_val``. ValueError for what is no operator, or has a formula already.
    """

    def register(formula):
        counted = formula if get_raw else _of_shapes(formula)
        for target in targets if isinstance(targets, (list, tuple)) else (targets,):
            if not hasattr(target, "overloads"):
                raise ValueError(
                    f"register_flop_formula(targets): expected each target to be OpOverloadPacket (i.e. torch.ops.mylib.foo), got "
                    f"{target} which is of type {type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = counted
        return formula

    return register


def _shape(value):
    return value.shape if isinstance(value, Tensor) else value


def _of_shapes(formula):
    def counted(*args, out_val=None, **kwargs):
        shapes = tree_map(_shape, (args, kwargs, out_val))
        return formula(*shapes[0], out_shape=shapes[2], **shapes[1])

    return counted


# ------------------------------------------------------------------------------------------------------- formulas


@register_flop_formula(aten.mm)
def mm_flop(a_shape, b_shape, *args, out_shape=None, **kwargs):
    rows, inner = a_shape
    return rows * inner * b_shape[1] * 2


@register_flop_formula(aten.addmm)
def addmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs):
    return mm_flop(a_shape, b_shape)


@register_flop_formula(aten.bmm)
def bmm_flop(a_shape, b_shape, out_shape=None, **kwargs):
    return a_shape[0] * mm_flop(a_shape[1:], b_shape[1:])


@register_flop_formula(aten.baddbmm)
def baddbmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs):
    return bmm_flop(a_shape, b_shape)


def conv_flop_count(x_shape, w_shape, out_shape, transposed=False):
    """The operations of a convolution of shape (N, C, *places) with a filter (out, in, *taps)."""
    places = (x_shape if transposed else out_shape)[2:]
    return prod(places) * prod(w_shape) * x_shape[0] * 2


@register_flop_formula(aten.convolution)
def conv_flop(x_shape, w_shape, bias, stride, padding, dilation, transposed, *args, out_shape=None, **kwargs):
    return conv_flop_count(x_shape, w_shape, out_shape, transposed)


@register_flop_formula(aten._convolution_weight)
def conv_weight_flop(
    x_shape, grad_shape, w_shape, stride, padding, dilation, transposed, *args, out_shape=None, **kwargs
):
    """The part of a convolution's derivative that is the filter's: a convolution of the input with the gradient."""
    first, other = (grad_shape, x_shape) if transposed else (x_shape, grad_shape)
    return conv_flop_count(_swapped(first), _swapped(other), _swapped(w_shape))


def _swapped(shape):
    return [shape[1], shape[0], *shape[2:]]


@register_flop_formula(aten._scaled_dot_product_flash_attention_for_cpu)
def attention_flop(query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs):
    batch, (rows, inner), columns = prod(query_shape[:-2]), query_shape[-2:], key_shape[-2]
    return batch * (mm_flop((rows, inner), (inner, columns)) + mm_flop((rows, columns), value_shape[-2:]))


# --------------------------------------------------------------------------------------------------------- counting


class FlopCounterMode:
    """Counts the operations of everything that runs within the block, backward included, for each module that ran.

    Args:
        mods: not needed any more.
        depth: down to which level of modules the table that is printed at the end shows them.
        display: whether to print it.
        custom_mapping: more formulas, by operator: functions of shapes (of tensors where the function has a true ``_get_raw``).

        >>> with FlopCounterMode(display=False) as counter:
        ...     net(x).sum().backward()
        >>> counter.get_total_flops()
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        if mods is not None:
            warnings.warn("mods argument is not needed anymore, you can stop passing it", stacklevel=2)
        self.depth, self.display = depth, display
        self.flop_counts = defaultdict(lambda: defaultdict(int))
        own = {op: f if getattr(f, "_get_raw", False) else _of_shapes(f) for op, f in (custom_mapping or {}).items()}
        self.flop_registry = {**flop_registry, **own}
        self.mod_tracker = ModuleTracker()

    def get_total_flops(self):
        """The number of operations so far."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self):
        """For each module by its name ("Global" for the whole program): the number of operations by operator."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def __enter__(self):
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self.mode = _Counting(self)
        self.mode.__enter__()
        return self

    def __exit__(self, *exc):
        self.mode.__exit__(*exc)
        self.mode = None
        self.mod_tracker.__exit__(*exc)
        if self.display:
            print(self.get_table(self.depth))

    def count(self, packet, result, args, kwargs):
        """Add what a call of an operator takes to the modules that run."""
        formula = self.flop_registry.get(packet)
        if formula is None:
            return
        flops = formula(*args, **kwargs, out_val=result)
        for name in sorted(self.mod_tracker.parents, key=lambda name: (name != "Global", name)):
            self.flop_counts[name][packet] += flops

    def get_table(self, depth=None):
        """The counts as a table, modules down to ``depth`` (the counter's own if it is left out)."""
        depth = depth or self.depth or 999999
        total = self.get_total_flops()
        names = sorted(name for name in self.flop_counts if name != "Global" and name.count(".") < depth)
        # a module that does all there is says what the whole program would
        whole = not any(sum(self.flop_counts[name].values()) >= total for name in names)
        rows = _rows("Global", self.flop_counts["Global"], total, "") if whole and "Global" in self.flop_counts else []
        for name in names:
            rows += _rows(name, self.flop_counts[name], total, " " * (name.count(".") + whole))
        return _table(("Module", "FLOP", "% Total"), rows or [("Global", "0", "0%")])


class _Counting(TorchDispatchMode):
    def __init__(self, counter):
        self.counter = counter

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.counter.count(func.overloadpacket, result, args, kwargs)
        return result


_SUFFIXES = ("", "K", "M", "B", "T")


def _rows(name, counts, total, indent):
    # 1.5 million are 1500.000K: the suffix is that of one digit less
    size = max(0, min(len(_SUFFIXES) - 1, (len(str(total)) - 2) // 3))

    def row(shown, count):
        share = f"{count / total:.2%}" if total else "0%"
        return f"{indent}{shown}", f"{count / 1000**size:.3f}{_SUFFIXES[size]}", share

    return [row(name, sum(counts.values())), *[row(f" - {op}", count) for op, count in counts.items()]]


def _table(titles, rows):
    widths = [max(len(title) + 2, *[len(row[i]) for row in rows]) for i, title in enumerate(titles)]

    def line(cells):
        first, *numbers = cells
        return "  ".join([first.ljust(widths[0]), *[n.rjust(w) for n, w in zip(numbers, widths[1:])]]).rstrip()

    return "\n".join([line(titles), "  ".join("-" * width for width in widths), *map(line, rows)])
