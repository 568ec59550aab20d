"""Nodes of operators that are not elementwise, written out.

`record` keeps what a node saved in dictionaries by name and walks over them when the node runs. Most calls of an operator are alike: the
same parameters are tensors and the same of them require grad. For such a *form* of a call the recording and both runs of the rules are
written out as straight-line source once, and a node holds a tuple: its form and the saved values.

Whoever wants to look into a node (saved-tensor hooks, ``_saved_*`` attributes, a stale value to be named) has it thawed into the general
shape first.
"""

from ..autograd.engine import fit
from ..autograd.graph import freed, tick
from ..autograd.modes import state
from ..autograd.source import define
from ..tensor import attach
from .record import OpNode, Saved, fact_of, fit_tensor, needed_by, plan_of
from .table import RAW, TENSOR

__all__ = ["Form", "FormNode", "form_of"]


class FormNode(OpNode):
    """A node whose ``saved`` is a tuple that begins with its form, or the general ``Saved``."""

    __slots__ = ()

    def run(self, cotangent, keep):
        saved = self.saved
        if saved.__class__ is tuple:
            return saved[0].run(self, cotangent, keep)
        return OpNode.run(self, cotangent, keep)

    def run_graph(self, cotangent, keep):
        saved = self.saved
        if saved.__class__ is tuple:
            if not state.duals:
                return saved[0].run_graph(self, cotangent, keep)
            self.thaw()
        return OpNode.run_graph(self, cotangent, keep)

    def run_some(self, cotangent, keep, needs, graph):
        saved = self.saved
        if True not in needs:
            return self._run_for_nothing(keep)
        if saved.__class__ is tuple:
            if not (graph and state.duals):
                form = saved[0]
                run, run_graph = form.some.get(needs) or form.runs(needs)
                return (run_graph if graph else run)(self, cotangent, keep)
            self.thaw()
        return OpNode.run_some(self, cotangent, keep, needs, graph)

    def _run_for_nothing(self, keep):
        """What is left of a run where no cotangent is looked at: hooks see that the node ran, and it frees what it saved."""
        saved = self.saved
        if saved is None:
            raise freed()
        if not keep and saved and (saved[0].places if saved.__class__ is tuple else saved.marks):
            self.saved = self.guard = None
        return (None,) * len(self.next)

    def thaw(self):
        """Bring what is saved into the general shape."""
        saved = self.saved
        if saved.__class__ is tuple:
            self.saved, self.guard = saved[0].general(saved)


class Form:
    """One form of the calls of an operator: which parameters are tensors (``layout``), and which of those require grad.

    ``record(node class, arguments, arrays, edges, result, counter)`` makes the node of a call; ``run`` and ``run_graph`` are the node's.
    """

    __slots__ = ("facts", "layout", "op", "places", "record", "run", "run_graph", "some", "wanted")

    def __init__(self, op, layout, wanted):
        self.op, self.layout, self.wanted = op, layout, wanted
        #: what ``runs`` found, by what was needed
        self.some = {}
        indices = {name: op.params.index(name) for name, _ in layout.items}
        plain, shapes, others = plan_of(op, layout.items, wanted)
        #: (name, place) of tensors that are saved; place -1 is the result
        self.places = [(n, -1 if n == "y" else place) for n, _, _, place in others if n == "y" or place is not None]
        #: names of everything else, and how it is found
        self.facts = [(name, f"r[{index}]") for name, index in plain]
        self.facts += [(name, f"r[{index}].shape") for name, index in shapes]
        looked_up = [(name, index) for name, _, index, place in others if name != "y" and place is None]
        self.facts += [(name, f"fact_{name}(r[{index}])") for name, index in looked_up]
        scope = {"tick": tick, "form": self, **{f"fact_{name}": fact_of(name) for name, _ in looked_up}}
        self.record = define(self._record_source(indices), f"record of {op.name}", scope)["record"]
        self.run, self.run_graph = self.runs(wanted)

    def runs(self, needs):
        """``run`` and ``run_graph`` for those cotangents only that are marked in ``needs``; remembered."""
        found = self.some.get(needs)
        if found is None:
            wanted = tuple([a and b for a, b in zip(self.wanted, needs)])
            found = self.some[needs] = self.some.get(wanted) or self._written(wanted)
        return found

    def _written(self, wanted):
        op = self.op
        scope = dict(RAW=RAW, TENSOR=TENSOR, fit=fit, fit_tensor=fit_tensor, attach=attach, OpNode=OpNode)
        scope.update({f"rule_{name}": rule.function for name, rule in op.rules.items()})
        if op.joint is not None:
            scope["rule"], scope["needs"] = op.joint.function, wanted
        source = self._run_source(op, wanted, False) + "\n" + self._run_source(op, wanted, True)
        define(source, f"form of {op.name}", scope)
        return scope["run"], scope["run_graph"]

    def _record_source(self, indices):
        """A saved tensor takes four places: its array, counter, version and dtype."""
        lines = ["def record(cls, v, r, edges, result, counter, dtype):", "    node = cls()", "    node.seq = tick()"]
        lines += [
            "    node.next = edges",
            "    node.shape = result.shape",
            "    node.dtype = dtype",
            "    node.guard = None",
        ]
        kept = ["form"]
        for name, place in self.places:
            if place == -1:
                kept += ["result", "counter", "counter[0]", "dtype"]
                continue
            at = indices[name]
            lines.append(f"    c{at} = v[{at}]._vc")
            kept += [f"r[{at}]", f"c{at}", f"c{at}[0]", f"v[{at}]._dtype"]
        kept += [how for _, how in self.facts]
        lines += [f"    node.saved = ({', '.join(kept)},)", "    return node"]
        return "\n".join(lines)

    def _run_source(self, op, wanted, graph):
        names, given = ["_"], {}
        for name, _ in self.places:
            names += [f"s_{name}", f"c_{name}", f"n_{name}", f"d_{name}"]
            given[name] = f"s_{name}"
        for name, _ in self.facts:
            names.append(f"s_{name}")
            given[name] = f"s_{name}"
        suffix = "_graph" if graph else ""
        lines = [f"def run{suffix}(self, g, keep):", f"    {', '.join(names)}, = self.saved"]
        if self.places:
            stale = " or ".join([f"c_{name}[0] != n_{name}" for name, _ in self.places])
            lines += [f"    if {stale}:", "        self.thaw()", f"        return OpNode.run{suffix}(self, g, keep)"]
            lines.append("    if not keep: self.saved = None")
        edges = [f"e{i}" for i in range(len(wanted))]
        lines.append(f"    {', '.join(edges)}, = self.next")
        if graph:
            read = set(needed_by(op, self.layout.items, wanted))
            for name, place in self.places:
                if name not in read:
                    continue
                edge = "self" if place == -1 else edges[place]
                lines.append(f"    s_{name} = attach(s_{name}, d_{name}, {edge}, c_{name})")
        space = "TENSOR" if graph else "RAW"
        results = [f"g{i}" for i in range(len(wanted))]
        if op.joint is not None:
            before = "needs, " if op.joint.wants_needs else ""
            lines.append(
                f"    {', '.join(results)}, = rule({space}, g, {before}{', '.join([given[n] for n in op.joint.needs])})"
            )
        for i, (name, _) in enumerate(self.layout.items):
            rule = op.rules.get(name)
            if not wanted[i] or (op.joint is None and rule is None):
                results[i] = "None"
                continue
            if op.joint is None:
                lines.append(f"    g{i} = {_pulled(op, rule, name, space, [given[n] for n in rule.needs])}")
            given_shape, given_dtype, dtype = (
                ("_a.shape", "_dtype", "dtype") if graph else ("shape", "dtype", "dtype.numpy")
            )
            unfit = f"g{i}.{given_shape} != e{i}.shape or g{i}.{given_dtype} is not e{i}.{dtype}"
            lines.append(
                f"    if g{i} is not None and ({unfit}): g{i} = {'fit_tensor' if graph else 'fit'}(g{i}, e{i})"
            )
        lines.append(f"    return ({', '.join(results)},)")
        return "\n".join(lines)

    def general(self, saved):
        """``Saved`` and guard of a node of this form."""
        values, marks, guard = {}, {}, []
        at = 1
        for name, place in self.places:
            array, counter, version, dtype = saved[at : at + 4]
            values[name], marks[name] = array, (place, dtype, counter)
            guard += (counter, version, array, dtype, place)
            at += 4
        for name, _ in self.facts:
            values[name] = saved[at]
            at += 1
        return Saved(values, marks, self.layout), guard


def _pulled(op, rule, name, space, given):
    """Source of the cotangent for one argument."""
    if rule.constant is not None:
        return {1: "g", -1: "-g"}.get(rule.constant, f"g * {rule.constant!r}")
    if rule.wants_g or not op.elementwise:
        return f"rule_{name}({', '.join([space, 'g', *given])})"
    return f"g * rule_{name}({', '.join([space, *given])})"


def form_of(op, layout, wanted):
    """The form of a call with this layout whose tensors marked in ``wanted`` require grad; remembered in the layout."""
    found = layout.forms[wanted] = Form(op, layout, wanted)
    return found
