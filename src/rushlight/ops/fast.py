"""The shortest path: elementwise operators on float32 and float64 tensors of one dtype, and Python numbers beside them.

The source of an operator's call is written when it is first called, with nothing left to ask of the operator's description. It looks at
one flag for special modes, at the classes and the dtype, calls the ufunc and makes the node; whatever is not ordinary goes to the general
path (``dispatch``).
"""

import types

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
        return _written_late(op, slow, _unary_call)
    if len(op.operands) == 2:
        return _written_late(op, slow, _binary_call)
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

    method = _written_late(op, slow, _binary_call)
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


def _kept(op):
    """Those of the operands and the result, "y", that some rule reads: what nodes save, in this order."""
    read = {name for rule in op.rules.values() for name in rule.needs}
    return [name for name in (*op.operands, "y") if name in read]


def _keeps(op):
    """Which of ``_kept`` are saved when gradients are wanted for the first operand, for the second, for both."""
    names = _kept(op)
    a, b = [op.rules[name].needs if name in op.rules else () for name in op.operands]
    return [[name in needs for name in names] for needs in (a, b, (*a, *b))]


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


def _written_late(op, slow, source):
    """A function whose code is ``source(op)``, written when it is first called; ``slow`` does what that leaves."""
    scope = {"__name__": __name__}

    def begin():
        code = op.fast
        if code is None:
            code = op.fast = define(source(op), op.name, {"MISSING": _MISSING})["function"].__code__
        scope.update(slow=slow, kernel=_callable(op), state=state, thread=thread, new=_new, tick=tick, edge_of=edge_of)
        scope.update(
            Tensor=Tensor, Parameter=Parameter, MISSING=_MISSING, FIXED=_FIXED, LARGE=LARGE, constant=_constant
        )
        scope.update(large_unary=large_unary, large_binary=large_binary, bool_dtype=dtypes.bool)
        some = attach(np.zeros(()), dtypes.float64, None, [0])
        scope.update(
            Node=first_node("Node", [some] * len(op.operands)), NumberNode=first_node("NumberNode", (some, 1.0))
        )
        function.__code__ = code
        function.__defaults__ = (_MISSING,) * len(op.operands)
        return function

    def first_node(name, operands):
        """A node of a call with such operands; from then on its class stands under ``name``."""

        def make():
            scope[name] = op.node(tuple(operands))
            return scope[name]()

        return make

    scope["begin"] = begin
    function = types.FunctionType(_BEGIN, scope)
    return function


#: what such a function begins as
_BEGIN = define("def function(*args, **kwargs): return begin()(*args, **kwargs)", "begin", {})["function"].__code__


def _taken(name, array, edge):
    return [f"    {array} = {name}._a", f"    {edge} = {name}._edge if {name}._view is None else edge_of({name})"]


def _begun(op):
    """Source of what operators of one and of two operands begin with."""
    names = list(op.operands)
    refer = f"return slow({', '.join(names)}"
    lines = [f"def function({', '.join([f'{name}=MISSING' for name in names])}, *rest, **kwargs):"]
    if op.rules:
        lines.append("    recording = True")
    lines += ["    if state.special:", f"        if state.rare: {refer}, *rest, **kwargs)"]
    if op.rules:
        lines.append("        recording = thread.grad")
    first = names[0]
    lines += [
        f"    kind = {first}.__class__",
        f"    if (kind is not Tensor and kind is not Parameter) or kwargs or rest: {refer}, *rest, **kwargs)",
        f"    dtype = {first}._dtype",
        f"    if not dtype.plain: {refer})",
        *_taken(first, "x", "edge_a"),
    ]
    return lines


def _wrapped(op):
    """Source that puts the array ``result`` into a tensor."""
    return [
        "    tensor = new(Tensor)",
        "    tensor._a = result",
        f"    tensor._dtype = {'bool_dtype' if op.kind == 'bool' else 'dtype'}",
        "    tensor._vc = counter = [0]",
        "    tensor._view = None",
    ]


def _noded(edges):
    return [
        "    tensor._edge = node",
        "    node.seq = tick()",
        f"    node.next = {edges}",
        "    node.shape = result.shape",
        "    node.dtype = dtype",
    ]


def _unary_call(op):
    """Source of the call of an operator with one operand."""
    name = op.operands[0]
    kind = "bool_dtype.numpy" if op.kind == "bool" else "None"
    lines = _begun(op)
    lines.append(f"    result = kernel(x, out=...) if x.size <= LARGE else large_unary(kernel, x, {kind})")
    lines += _wrapped(op)
    if not op.rules:
        return "\n".join([*lines, "    tensor._edge = None", "    return tensor"])
    lines += ["    if edge_a is None or not recording:", "        tensor._edge = None", "        return tensor"]
    lines += ["    node = Node()", *_noded("(edge_a,)")]
    needs = op.rules[name].needs
    saved, guard = "()", "None"
    if name in needs:
        lines.append(f"    held = {name}._vc")
        saved, guard = "x", "(held, held[0])"
        if "y" in needs:
            saved, guard = "(x, result)", "(held, held[0], counter, 0)"
    elif "y" in needs:
        saved, guard = "result", "(counter, 0)"
    return "\n".join([*lines, f"    node.saved = {saved}", f"    node.guard = {guard}", "    return tensor"])


def _binary_call(op):
    """Source of the call of an operator with two operands, of which the second may be a number."""
    a, b = op.operands
    kind = "bool_dtype.numpy" if op.kind == "bool" else "None"
    number = op.numbers != "none"
    lines = _begun(op)
    lines += [
        f"    kind = {b}.__class__",
        "    if kind is Tensor or kind is Parameter:",
        f"        if {b}._dtype is not dtype: return slow({a}, {b})",
        *[f"    {line}" for line in _taken(b, "y", "edge_b")],
        f"        held = {b}._vc",
    ]
    if number:
        lines += [
            "    elif kind is float or kind is int:",
            f"        y = dtype.constants.get({b})",
            "        if y is None:",
            f"            try: y = constant(dtype, {b})",
            f"            except OverflowError: return slow({a}, {b})",
            "        edge_b = None",
            "        held = FIXED",
        ]
    lines += [
        f"    else: return slow({a}, {b})",
        "    try:",
        f"        result = kernel(x, y, out=...) if x.size <= LARGE else large_binary(kernel, x, y, {kind})",
        f"    except ValueError: return slow({a}, {b})",
        *_wrapped(op),
    ]
    if not op.rules:
        return "\n".join([*lines, "    tensor._edge = None", "    return tensor"])
    lines += [
        "    if (edge_a is None and edge_b is None) or not recording:",
        "        tensor._edge = None",
        "        return tensor",
        # a number as second operand may have an overload of its own, whose node has another name
        "    node = NumberNode() if held is FIXED else Node()" if number else "    node = Node()",
        *_noded(f"({'edge_a' if a in op.rules else None}, {'edge_b' if b in op.rules else None})"),
    ]
    only_a, only_b, both = _keeps(op)
    if not both:
        return "\n".join([*lines, "    node.saved = ()", "    node.guard = None", "    return tensor"])

    names = _kept(op)
    places = {a: ("x", "first, first[0]"), b: ("y", "held, held[0]"), "y": ("result", "counter, 0")}

    def kept(keeps):
        parts = [places[name][0] if keep else "None" for name, keep in zip(names, keeps)]
        guard = [places[name][1] if keep else "FIXED, 0" for name, keep in zip(names, keeps)]
        first = [f"first = {a}._vc"] if a in names and keeps[0] else []
        return [*first, f"node.saved = ({', '.join(parts)},)", f"node.guard = ({', '.join(guard)})"]

    cases = [("edge_b is None", only_a), ("edge_a is None", only_b), (None, both)]
    if a not in op.rules:
        cases = [(None, only_b)]
    elif b not in op.rules:
        cases = [(None, only_a)]
    for i, (condition, keeps) in enumerate(cases):
        if len(cases) == 1:
            lines += [f"    {line}" for line in kept(keeps)]
            continue
        lines.append(f"    {'if' if i == 0 else 'elif'} {condition}:" if condition else "    else:")
        lines += [f"        {line}" for line in kept(keeps)]
    return "\n".join([*lines, "    return tensor"])


def fast_inplace(op, slow):
    """``x.name_(...)`` where one ufunc does it; ``slow`` does the rest."""
    kernel = op.plain or op.kernel
    if not isinstance(kernel, np.ufunc) or op.kind not in ("same", "float") or len(op.operands) > 2:
        return slow
    binary = len(op.operands) == 2
    scales = op.name in ("add", "sub")
    # for each case of `_keeps` the names of what is saved, None in the place of what is not
    cases = binary and [[name if keep else None for name, keep in zip(_kept(op), keeps)] for keeps in _keeps(op)]

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
            if not binary or kwargs or not op.rules or counter is input._vc:
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

    first, second = op.operands if binary else (*op.operands, None)

    def recorded(input, other, x, y, edge_b, counter_b):
        """The write of a binary operator, and its node; as ``_binary_call`` has it, but for what the write itself overwrites."""
        check(input, True)
        edge_a = edge_of(input)
        only_a, only_b, both = cases
        names = only_a if edge_b is None else only_b if edge_a is None else both
        original = x.copy() if first in names else None
        try:
            kernel(x, y, out=x)
        except ValueError:
            return slow(input, other)
        node = op.node((input, other))()
        node.seq = tick()
        node.next = (edge_a if first in op.rules else None, edge_b if second in op.rules else None)
        node.shape = x.shape
        node.dtype = input._dtype
        if names:
            saved, guard = [], []
            for name in names:
                if name == second:
                    saved.append(y)
                    guard += (counter_b, counter_b[0])
                elif name == "y":
                    saved.append(x)
                    guard += (input._vc, input._vc[0] + 1)
                else:
                    saved.append(original if name == first else None)
                    guard += (_FIXED, 0)
            node.saved, node.guard = tuple(saved), tuple(guard)
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
        arrays = saved if isinstance(saved, tuple) else (saved,)
        for i, (name, array) in enumerate(zip(_kept(self.op), arrays)):
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
    saved = _kept(op)
    rules = [op.rules.get(name) for name in op.operands]
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
    order = _kept(op)
    edges = dict(zip(names, ("edge_a", "edge_b")))
    lines = [
        f"def run_graph(self, g, keep{_NEEDS if len(names) == 2 else ''}):",
        "    saved = self.saved",
        "    if saved.__class__ is Saved or g._dtype is not self.dtype: return general_graph(self, g, keep)",
    ]
    if order:
        stale = " or ".join(f"guard[{2 * i}][0] != guard[{2 * i + 1}]" for i in range(len(order)))
        lines += [
            "    if saved is None: raise freed()",
            "    guard = self.guard",
            f"    if {stale}: return general_graph(self, g, keep)",
            "    if not keep: self.saved = None",
            # an operator with one operand saves one value bare
            f"    {', '.join(order)}{',' if len(names) == 2 else ''} = saved",
        ]
    lines += [
        f"    {', '.join(edges.values() if len(names) == 2 else ['edge_a'])}, = self.next",
        "    dtype = self.dtype",
    ]
    for i, name in enumerate(order):
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
    order = _kept(op)
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
    names = _kept(op)
    if names:
        pairs = [(f"counter_{i}", f"version_{i}") for i in range(len(names))]
        lines += [
            "    saved = self.saved",
            "    if saved is None: raise freed()",
            "    if saved.__class__ is Saved: return self.general(g, keep)",
            f"    {', '.join([f'{counter}, {version}' for counter, version in pairs])} = self.guard",
            f"    if {' or '.join([f'{counter}[0] != {version}' for counter, version in pairs])}:",
            "        return self.general(g, keep)",
            "    if not keep: self.saved = None",
            f"    {', '.join(names)}, = saved",
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
