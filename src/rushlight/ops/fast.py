"""The shortest path: elementwise operators on float32 and float64 tensors of one dtype, and Python numbers beside them.

One function object for each operator is made here with everything bound. It looks at one flag for special modes, at the classes and
the dtype, calls the ufunc and makes the node; whatever is not ordinary goes to the general path (``dispatch``).
"""

import numpy as np

from .. import dtypes
from ..array.large import LARGE, chain_rule, large_binary, large_unary
from ..array.whole import WHOLE
from ..autograd.engine import sum_to
from ..autograd.graph import bump, freed, tick
from ..autograd.modes import state, thread
from ..autograd.source import define
from ..inplace import check, check_apart, finish, written_edge
from ..parameter import Parameter
from ..tensor import Tensor, _new, attach, edge_of
from .forms import FormNode
from .record import Layout, OpNode, Saved, fit_tensor
from .steps import trace
from .table import RAW, TENSOR

_FIXED = [0]


def fast_function(op, face):
    """The function at a face of an operator that has a shortest path, or None where only the general one will do."""
    from .dispatch import written_function

    general = written_function(op, face)

    def slow(*args, **kwargs):
        return general(*[each for each in args if each is not _MISSING], **kwargs)

    if op.name in WHOLE:
        return _whole(op, slow)
    if op.kind not in ("same", "float", "bool") or op.params[: len(op.operands)] != op.operands:
        return None
    if len(op.operands) == 1:
        return _unary(op, slow)
    if len(op.operands) == 2:
        return _binary(op, slow)
    return None


#: stands for an operand that was given by keyword, or not at all
_MISSING = object()


def operator_method(op, name, face):
    """The method ``name`` (``__add__`` and its kin): as the function at ``face``, but NotImplemented for what is no operand."""
    from .dispatch import call, foreign

    def slow(a, b, *rest, **kwargs):
        check_receiver(name, a)
        if not isinstance(b, _OPERANDS) and not hasattr(b, "__torch_function__"):
            return NotImplemented
        try:
            return call(op, (a, b), kwargs, face)
        except TypeError:
            if foreign((a, b)):
                return NotImplemented  # nobody answered: Python turns to the other operand
            raise

    method = _binary(op, slow)
    method.__name__ = method.__qualname__ = name
    return method


def check_receiver(name, value):
    """TypeError for an operator method called unbound on what is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"descriptor '{name}' for 'torch._C.TensorBase' objects doesn't apply to a '{type(value).__name__}' object"
        )


_OPERANDS = (Tensor, int, float, complex, np.number, np.bool_)


def _callable(op):
    """The array function with an ``out`` argument as ufuncs have it."""
    kernel = op.plain or op.kernel
    if isinstance(kernel, np.ufunc):
        return kernel

    def adapted(*arrays, out):
        return kernel(*arrays)

    return adapted


def _keeps(op):
    """Which of (input, other, y) are saved when gradients are wanted for the first operand, for the second, for both."""

    def flags(*needs):
        names = {name for each in needs for name in each}
        return tuple(name in names for name in (*op.operands, "y"))

    first, second = op.operands
    a = op.rules[first].needs if first in op.rules else ()
    b = op.rules[second].needs if second in op.rules else ()
    return flags(a), flags(b), flags(a, b)


def _constant(dtype, value):
    """A Python number as an array of the dtype, remembered (zeros are not: 0.0 and -0.0 are equal keys).

    OverflowError for integers of more than 63 bits, which the general path converts or refuses.
    """
    if value.__class__ is int and not -1 << 63 <= value < 1 << 63:
        raise OverflowError
    with np.errstate(all="ignore"):
        made = np.array(value, np.float64).astype(dtype.numpy)
    if value != 0 and value == value:
        if len(dtype.constants) > 4096:
            dtype.constants.clear()
        dtype.constants[value] = made
    return made


def _unary(op, slow):
    kernel = _callable(op)
    differentiable = bool(op.rules)
    boolean = op.kind == "bool"
    needs = op.rules["input"].needs if differentiable else ()
    keeps_input, keeps_y = "input" in needs, "y" in needs
    result_dtype = dtypes.bool
    result_numpy = dtypes.bool.numpy if boolean else None
    node_class = None

    def function(input=_MISSING, *rest, **kwargs):
        nonlocal node_class
        recording = differentiable
        if state.special:
            if state.rare:
                return slow(input, *rest, **kwargs)
            recording = differentiable and thread.grad
        kind = input.__class__
        if (kind is not Tensor and kind is not Parameter) or kwargs or rest:
            return slow(input, *rest, **kwargs)
        dtype = input._dtype
        if not dtype.plain:
            return slow(input)
        x = input._a
        edge = input._edge if input._view is None else edge_of(input)
        result = kernel(x, out=...) if x.size <= LARGE else large_unary(kernel, x, result_numpy)
        tensor = _new(Tensor)
        tensor._a = result
        tensor._dtype = result_dtype if boolean else dtype
        tensor._vc = counter = [0]
        tensor._view = None
        if edge is None or not recording:
            tensor._edge = None
            return tensor
        if node_class is None:
            node_class = op.node((input,))
        tensor._edge = node = node_class()
        node.seq = tick()
        node.next = (edge,)
        node.shape = result.shape
        node.dtype = dtype
        if keeps_input:
            held = input._vc
            if keeps_y:
                node.saved = (x, result)
                node.guard = (held, held[0], counter, 0)
            else:
                node.saved = x
                node.guard = (held, held[0])
        elif keeps_y:
            node.saved = result
            node.guard = (counter, 0)
        else:
            node.saved = ()
            node.guard = None
        return tensor

    return function


def _binary(op, slow):
    kernel = _callable(op)
    differentiable = bool(op.rules)
    boolean = op.kind == "bool"
    result_dtype = dtypes.bool
    result_numpy = dtypes.bool.numpy if boolean else None
    only_a, only_b, both = _keeps(op)
    keeps_any = any(both)
    numbers = op.numbers != "none"
    no_rule_a, no_rule_b = op.operands[0] not in op.rules, op.operands[1] not in op.rules
    # a number as second operand may have an overload of its own, whose node has another name
    for_number = for_tensor = None

    def function(input=_MISSING, other=_MISSING, *rest, **kwargs):
        nonlocal for_number, for_tensor
        recording = differentiable
        if state.special:
            if state.rare:
                return slow(input, other, *rest, **kwargs)
            recording = differentiable and thread.grad
        kind = input.__class__
        if (kind is not Tensor and kind is not Parameter) or kwargs or rest:
            return slow(input, other, *rest, **kwargs)
        dtype = input._dtype
        if not dtype.plain:
            return slow(input, other)
        x = input._a
        edge_a = input._edge if input._view is None else edge_of(input)
        kind = other.__class__
        if kind is Tensor or kind is Parameter:
            if other._dtype is not dtype:
                return slow(input, other)
            y = other._a
            edge_b = other._edge if other._view is None else edge_of(other)
            counter_b = other._vc
        elif (kind is float or kind is int) and numbers:
            y = dtype.constants.get(other)
            if y is None:
                try:
                    y = _constant(dtype, other)
                except OverflowError:
                    return slow(input, other)
            edge_b = None
            counter_b = _FIXED
        else:
            return slow(input, other)
        try:
            result = kernel(x, y, out=...) if x.size <= LARGE else large_binary(kernel, x, y, result_numpy)
        except ValueError:
            return slow(input, other)
        tensor = _new(Tensor)
        tensor._a = result
        tensor._dtype = result_dtype if boolean else dtype
        tensor._vc = counter = [0]
        tensor._view = None
        if (edge_a is None and edge_b is None) or not recording:
            tensor._edge = None
            return tensor
        node_class = for_number if counter_b is _FIXED else for_tensor
        if node_class is None:
            node_class = op.node((input, other))
            if counter_b is _FIXED:
                for_number = node_class
            else:
                for_tensor = node_class
        node = node_class()
        if no_rule_a:
            edge_a = None
        if no_rule_b:
            edge_b = None
        tensor._edge = node
        node.seq = tick()
        node.next = (edge_a, edge_b)
        node.shape = result.shape
        node.dtype = dtype
        if keeps_any:
            keep_x, keep_other, keep_y = only_a if edge_b is None else only_b if edge_a is None else both
            counter_a = input._vc
            if keep_y:
                node.saved = (x if keep_x else None, y if keep_other else None, result)
            else:
                node.saved = (x if keep_x else None, y if keep_other else None, None)
            if not keep_x:
                counter_a = _FIXED
            if not keep_other:
                counter_b = _FIXED
            node.guard = (counter_a, counter_a[0], counter_b, counter_b[0], counter if keep_y else _FIXED, 0)
        else:
            node.saved = ()
            node.guard = None
        return tensor

    return function


def fast_inplace(op, slow):
    """``x.name_(...)`` where one ufunc does it; ``slow`` does the rest."""
    kernel = op.plain or op.kernel
    if not isinstance(kernel, np.ufunc) or op.kind not in ("same", "float") or len(op.operands) > 2:
        return slow
    binary = len(op.operands) == 2
    scales = op.name in ("add", "sub")
    keeps = _keeps(op) if binary else None

    def function(input=_MISSING, other=_MISSING, *rest, **kwargs):
        kind = input.__class__
        if state.rare or rest or (kind is not Tensor and kind is not Parameter):
            return slow(input, other, *rest, **kwargs)
        dtype = input._dtype
        x = input._a
        if kwargs and not (scales and len(kwargs) == 1 and "alpha" in kwargs) or not dtype.plain or 0 in x.strides:
            return slow(input, other, *rest, **kwargs)
        if input._vc.__class__ is not list:
            # a tensor made in inference mode
            return slow(input, other, *rest, **kwargs)
        if input._view is not None:
            # what it has against being written to comes before what the other operand has to say
            written_edge(input)
        edge = None
        counter = _FIXED
        if binary:
            kind = other.__class__
            if (kind is Tensor or kind is Parameter) and other._dtype is dtype:
                y = other._a
                edge = other._edge if other._view is None else edge_of(other)
                counter = other._vc
            elif (kind is float or kind is int) and op.numbers != "none":
                y = dtype.constants.get(other)
                if y is None:
                    try:
                        y = _constant(dtype, other)
                    except OverflowError:
                        return slow(input, other, *rest, **kwargs)
            else:
                return slow(input, other, *rest, **kwargs)
        elif other is not _MISSING:
            return slow(input, other, *rest, **kwargs)
        if thread.grad and (edge is not None or edge_of(input) is not None):
            if keeps is None or kwargs or not op.rules or counter is input._vc:
                return slow(input, other, *rest, **kwargs)
            return recorded(input, other, x, y, edge, counter)
        if counter is input._vc and y is not x:
            check_apart(x, y)
        try:
            if kwargs:
                factor = kwargs["alpha"]
                if factor.__class__ is not float and factor.__class__ is not int:
                    return slow(input, other, *rest, **kwargs)
                y = np.multiply(y, np.asarray(factor, dtype.numpy))
            if binary:
                kernel(x, y, out=x)
            else:
                kernel(x, out=x)
        except ValueError:
            # the shapes do not fit; nothing was written
            return slow(input, other, *rest, **kwargs)
        if input._view is None:
            bump(input._vc)
        else:
            finish(input, None)
        return input

    def recorded(input, other, x, y, edge_b, counter_b):
        """The write of a binary operator, and its node; as ``_binary`` makes it, but for what the write itself overwrites."""
        check(input, True)
        edge_a = edge_of(input)
        only_a, only_b, both = keeps
        keep_x, keep_other, keep_y = only_a if edge_b is None else only_b if edge_a is None else both
        original = x.copy() if keep_x else None
        try:
            kernel(x, y, out=x)
        except ValueError:
            return slow(input, other)
        node = op.node((input, other))()
        node.seq = tick()
        first, second = op.operands
        node.next = (edge_a if first in op.rules else None, edge_b if second in op.rules else None)
        node.shape = x.shape
        node.dtype = input._dtype
        if any(both):
            node.saved = (original, y if keep_other else None, x if keep_y else None)
            if not keep_other:
                counter_b = _FIXED
            version = input._vc[0] + 1 if keep_y else 0
            node.guard = (_FIXED, 0, counter_b, counter_b[0], input._vc if keep_y else _FIXED, version)
        else:
            node.saved = ()
            node.guard = None
        finish(input, node)
        return input

    return function


def _defaults_in_order(op):
    defaults = op.defaults()
    return tuple([defaults.get(name) for name in op.params])


def _whole(op, slow):
    """A reduction of a whole float tensor: ``x.sum()``, ``x.mean()``."""
    kernel, _ = WHOLE[op.name]
    node_class = None

    def function(input=_MISSING, *rest, **kwargs):
        nonlocal node_class
        recording = True
        if state.special:
            if state.rare:
                return slow(input, *rest, **kwargs)
            recording = thread.grad
        kind = input.__class__
        if (kind is not Tensor and kind is not Parameter) or kwargs or rest:
            return slow(input, *rest, **kwargs)
        dtype = input._dtype
        if not dtype.plain or not input._a.size:
            return slow(input)
        edge = input._edge if input._view is None else edge_of(input)
        tensor = _new(Tensor)
        tensor._a = kernel(input._a)
        tensor._dtype = dtype
        tensor._vc = [0]
        tensor._view = None
        tensor._edge = None
        if edge is not None and recording:
            if node_class is None:
                node_class = op.node((input, *_defaults_in_order(op)[1:]))
            tensor._edge = node = node_class()
            node.seq = tick()
            node.next = (edge,)
            node.shape = ()
            node.dtype = dtype
            node.saved = ()
            node.guard = None
        return tensor

    return function


# ------------------------------------------------------------------------------------------------------------ nodes


class FastNode(OpNode):
    """A node made on the shortest path: it saved bare arrays, and turns them into the general form when gradients are recorded."""

    __slots__ = ()

    def thaw(self):
        """Bring the saved arrays into the general form."""
        saved, guard, dtype = self.saved, self.guard, self.dtype
        if saved is None:
            raise freed()
        names = self.op.operands
        layout = Layout([(name, None) for name in names])
        values, marks, full = {}, {}, []
        if len(names) == 1:
            needs = self.op.rules["input"].needs
            arrays = saved if isinstance(saved, tuple) else (saved,)
            order = [name for name in ("input", "y") if name in needs]
        else:
            arrays, order = saved or (None, None, None), (*names, "y")
        for i, (name, array) in enumerate(zip(order, arrays)):
            if array is None:
                continue
            place = -1 if name == "y" else names.index(name)
            values[name] = array
            marks[name] = (place, dtype, guard[2 * i])
            full += (guard[2 * i], guard[2 * i + 1], array, dtype, place)
        for name, value in self.op.defaults().items():
            values.setdefault(name, value)
        self._facts(values)
        self.saved = Saved(values, marks, layout)
        self.guard = tuple(full)

    def _facts(self, values):
        for rule in self.op.rules.values():
            for name in rule.needs:
                if name.endswith("_shape"):
                    values[name] = self.next[self.op.operands.index(name[:-6])].shape
                elif name.endswith("_dtype"):
                    values[name] = self.dtype

    def run_graph(self, cotangent, keep):
        if self.saved.__class__ is not Saved:
            self.thaw()
        return OpNode.run_graph(self, cotangent, keep)

    def run_some(self, cotangent, keep, needs, graph):
        if self.saved.__class__ is not Saved:
            self.thaw()
        return OpNode.run_some(self, cotangent, keep, needs, graph)

    def operands(self):
        """The saved arrays in the order ``pull`` takes them, if they are as they were saved; else None."""
        saved = self.saved
        if saved is None or saved.__class__ is Saved:
            return None
        guard = self.guard
        if guard is not None and any(guard[i][0] != guard[i + 1] for i in range(0, len(guard), 2)):
            return None
        return saved if saved.__class__ is tuple else (saved,)

    def release(self):
        if self.saved.__class__ is not tuple or self.saved:
            self.saved = None

    def general(self, cotangent, keep):
        """Run by the general path; also how a stale value is reported."""
        if self.saved.__class__ is not Saved:
            self.thaw()
        return OpNode.run(self, cotangent, keep)


class WholeNode(FormNode):
    """The node of a reduction; that of a whole tensor saves nothing: it needs the shape of its input, which its edge knows."""

    __slots__ = ()

    def thaw(self):
        if self.saved != ():
            FormNode.thaw(self)
            return
        values = dict(self.op.defaults(), input_shape=self.next[0].shape, input_dtype=self.dtype)
        self.saved = Saved(values, {}, Layout([("input", None)]))

    def run(self, cotangent, keep):
        if self.saved == ():
            return (WHOLE[self.op.name][1](cotangent, self.next[0].shape),)
        return FormNode.run(self, cotangent, keep)

    def run_graph(self, cotangent, keep):
        if self.saved == ():
            self.thaw()
        return FormNode.run_graph(self, cotangent, keep)


_SCALED = "multiply(g, {rule}(RAW, {args}), out=...) if g.size <= LARGE else chain_rule(g, {rule}, ({args},))"


def fast_node_base(op):
    """The base class of an elementwise operator's nodes: ``run`` written out for its rules."""
    defaults = op.defaults()
    known = {*op.operands, "y", *defaults}
    if len(op.operands) > 2 or not all(name in known for rule in op.rules.values() for name in rule.needs):
        return _Thawing if len(op.operands) <= 2 else FormNode
    source = (_unary_source(op) if len(op.operands) == 1 else _binary_source(op)) + "\n" + _graph_source(op)
    scope = dict(
        RAW=RAW, Saved=Saved, freed=freed, multiply=np.multiply, sum_to=sum_to, LARGE=LARGE, chain_rule=chain_rule
    )
    scope.update(TENSOR=TENSOR, Tensor=Tensor, attach=attach, fit_tensor=fit_tensor, general_graph=FastNode.run_graph)
    for name, rule in op.rules.items():
        scope["rule_" + name] = rule.function
    # on the shortest path every further parameter has its default value
    scope.update({name: value for name, value in defaults.items() if name not in op.operands})
    define(source, op.name, scope)
    written = {"run": scope["run"], "run_graph": scope["run_graph"], "steps": _steps}
    if len(op.operands) == 2:
        written["run_some"] = _run_some
    return type("FastNode", (FastNode,), {"__slots__": (), **written})


def _run_some(self, cotangent, keep, needs, graph):
    return (self.run_graph if graph else self.run)(cotangent, keep, *needs)


def _steps(self):
    """For each operand how its cotangent is computed from that of the result and the saved values, as ``steps.trace`` tells it."""
    op = self.op
    names = op.operands
    if len(names) == 1:
        # as they are saved: those that the rule needs
        saved = [name for name in ("input", "y") if name in op.rules[names[0]].needs]
    else:
        saved = [*names, "y"]
    rules = [op.rules.get(name) for name in names]
    return [rule and trace(rule, _constant_of(op, rule), saved, op.defaults()) for rule in rules]


class _Thawing(FastNode):
    __slots__ = ()
    run = FastNode.general


def _constant_of(op, rule):
    """The partial derivative where it is a number on the shortest path, else None."""
    defaults = op.defaults()
    if rule.constant is not None or rule.wants_g or not all(n in defaults and n not in op.operands for n in rule.needs):
        return rule.constant
    value = rule.function(None, *[defaults[name] for name in rule.needs])
    return value if isinstance(value, (int, float)) else None


def _pulled(op, name):
    """Source of the cotangent for one operand."""
    rule = op.rules[name]
    constant = _constant_of(op, rule)
    if constant is not None:
        return {1: "g", -1: "-g"}.get(constant, f"g * {constant!r}")
    args = ", ".join(rule.needs)
    if rule.wants_g:
        return f"rule_{name}(RAW, g{args and ', ' + args})"
    if not args:
        return f"g * rule_{name}(RAW)"
    return _SCALED.format(rule="rule_" + name, args=args)


def _graph_source(op):
    """Source of ``run_graph``: the rules on tensors that stand where the saved arrays stood in the graph."""
    names = op.operands
    needed = {name for rule in op.rules.values() for name in rule.needs}
    order = [name for name in (*names, "y") if name in needed]
    edges = dict(zip(names, ("edge_a", "edge_b")))
    lines = [
        f"def run_graph(self, g, keep{_NEEDS if len(names) == 2 else ''}):",
        "    saved = self.saved",
        "    if saved.__class__ is Saved or g._dtype is not self.dtype: return general_graph(self, g, keep)",
    ]
    if order:
        pairs = order if len(names) == 1 else (*names, "y")
        stale = " or ".join(f"guard[{2 * i}][0] != guard[{2 * i + 1}]" for i in range(len(pairs)))
        lines += [
            "    if saved is None: raise freed()",
            "    guard = self.guard",
            f"    if {stale}: return general_graph(self, g, keep)",
            "    if not keep: self.saved = None",
            f"    {', '.join(pairs)} = saved",  # one value is saved bare, several in a tuple
        ]
    lines += [
        f"    {', '.join(edges.values() if len(names) == 2 else ['edge_a'])}, = self.next",
        "    dtype = self.dtype",
    ]
    for i, name in enumerate(pairs if order else ()):
        if name in order:
            place = "self" if name == "y" else edges[name]
            lines.append(f"    if {name} is not None: {name} = attach({name}, dtype, {place}, guard[{2 * i}])")
    results = ("ga", "gb")[: len(names)]
    for name, out in zip(names, results):
        lines.append(f"    {out} = None")
        if name not in op.rules:
            continue
        asked = f"need_{out} and " if len(names) == 2 else ""
        lines += [f"    if {asked}{edges[name]} is not None:", f"        {out} = {_pulled_tensor(op, name)}"]
        lines.append(f"        if {out}._a.shape != {edges[name]}.shape: {out} = fit_tensor({out}, {edges[name]})")
    lines.append(f"    return {', '.join(results)},")
    return "\n".join(lines)


def _pulled_tensor(op, name):
    rule = op.rules[name]
    constant = _constant_of(op, rule)
    if constant is not None:
        return {1: "g", -1: "-g"}.get(constant, f"g * {constant!r}")
    args = "".join([f", {each}" for each in rule.needs])
    if rule.wants_g:
        return f"rule_{name}(TENSOR, g{args})"
    return f"g * rule_{name}(TENSOR{args})"


def _unary_source(op):
    rule = op.rules[op.operands[0]]
    order = [name for name in ("input", "y") if name in rule.needs]
    lines = ["def run(self, g, keep):"]
    if order:
        lines += [
            "    saved = self.saved",
            "    if saved is None: raise freed()",
            "    if saved.__class__ is Saved: return self.general(g, keep)",
            "    guard = self.guard",
            "    if guard[0][0] != guard[1]" + (" or guard[2][0] != guard[3]" if len(order) == 2 else "") + ":",
            "        return self.general(g, keep)",
            "    if not keep: self.saved = None",
            f"    {', '.join(order)} = saved",
        ]
    lines.append(f"    return ({_pulled(op, op.operands[0])},)")
    return "\n".join(lines)


#: which of the two cotangents are looked at
_NEEDS = ", need_ga=True, need_gb=True"


def _binary_source(op):
    lines = [f"def run(self, g, keep{_NEEDS}):"]
    names = (*op.operands, "y")
    if any(name in names for rule in op.rules.values() for name in rule.needs):
        lines += [
            "    saved = self.saved",
            "    if saved is None: raise freed()",
            "    if saved.__class__ is Saved: return self.general(g, keep)",
            "    a, u, b, v, c, w = self.guard",
            "    if a[0] != u or b[0] != v or c[0] != w: return self.general(g, keep)",
            "    if not keep: self.saved = None",
            f"    {', '.join(names)} = saved",
        ]
    else:
        lines.append("    if self.saved.__class__ is Saved: return self.general(g, keep)")
    lines.append("    edge_a, edge_b = self.next")
    for name, edge, out in zip(op.operands, ("edge_a", "edge_b"), ("ga", "gb")):
        lines.append(f"    {out} = None")
        if name in op.rules:
            lines += [
                f"    if need_{out} and {edge} is not None:",
                f"        {out} = {_pulled(op, name)}",
                f"        if {out}.shape != {edge}.shape: {out} = sum_to({out}, {edge}.shape)",
            ]
    lines.append("    return ga, gb")
    return "\n".join(lines)
