"""The op table: what a declaration says, and the namespaces that follow from it.

A family's file declares each operator once, with the array function and the rule(s) of its derivative:

    unary("sin", np.sin, lambda F, x: F.cos(x), kind="float")
    binary("mul", np.multiply, lambda F, other: other, lambda F, x: x)
    differentiable("cumsum", kernels.cumsum, vjp=lambda F, g, dim: F.flip(F.cumsum(F.flip(g, dim), dim), dim))

A rule names what it needs, and only that is saved: ``F`` first (``RAW`` on arrays, ``TENSOR`` when gradients are recorded), ``g``
the cotangent (an elementwise rule without ``g`` is the partial derivative; with it, it returns the cotangent pulled back), then parameters of the kernel by name, ``x`` for ``input``,
``y`` for the result, ``<name>_shape`` and ``<name>_dtype`` for those of a tensor argument.
"""

import keyword

import numpy as np

from ..autograd.graph import Node
from ..tensor import Tensor

TYPE_CHECKING = False  # as type checkers know it; importing typing takes longer than this module

__all__ = ["RAW", "TENSOR", "Op", "binary", "composite", "differentiable", "elementwise", "face_of", "unary"]


class Namespace:
    """Operators by name; ``RAW`` holds those on arrays, ``TENSOR`` those on tensors."""

    if TYPE_CHECKING:  # what it holds is known when the package runs

        def __getattr__(self, name): ...
        def __setattr__(self, name, value): ...


RAW = Namespace()
TENSOR = Namespace()
#: every operator declared, by name
OPS = {}

#: the places where a name with such a prefix is shown, e.g. torch.linalg.qr for "linalg_qr"
SPACES = ("linalg", "fft", "special")


class Rule:
    """A derivative rule and the names of what it needs."""

    __slots__ = ("constant", "function", "needs", "wants_g", "wants_needs")

    def __init__(self, function, skip):
        self.constant = None
        self.wants_g = self.wants_needs = False
        if not callable(function):
            self.constant, self.function, self.needs = function, None, ()
            return
        code = function.__code__
        names = code.co_varnames[skip : code.co_argcount]
        if names[:1] == ("needs",):
            self.wants_needs = True
            names = names[1:]
        if skip == 1 and names[:1] == ("g",):
            self.wants_g = True
            names = names[1:]
        self.function = function
        self.needs = tuple("input" if name == "x" else _long(name) for name in names)
        if skip == 1 and not names and not self.wants_g:
            value = function(None)
            if isinstance(value, (int, float)):
                self.constant = value


def _long(name):
    return {"x_shape": "input_shape", "x_dtype": "input_dtype"}.get(name, name)


#: parameters that are tensors in whatever operator has them
_TENSORS = {"input", "mat1", "mat2", "vec", "vec1", "vec2", "batch1", "batch2"}


class Op:
    """One operator: everything that is known of it, in one place."""

    __slots__ = (
        *(
            "aliases",
            "batch",
            "bind",
            "elementwise",
            "everyday",
            "face",
            "function",
            "inplace",
            "joint",
            "jvp",
            "kernel",
            "kind",
            "kwonly",
            "linear",
        ),
        *(
            "method",
            "name",
            "needed",
            "node_class",
            "node_name",
            "nondiff",
            "operands",
            "out",
            "params",
            "public",
            "returns",
            "saves",
        ),
        *("rules", "shown", "space", "varargs", "view", "plain", "positional", "method_name", "replay", "cpp_name"),
        *("kwnames", "layouts", "required", "numbers", "check_out", "spoken_out", "apart", "node_classes", "refuse"),
        *("fast", "misfit", "otherwise", "prepare_out", "reflects"),
    )

    def __init__(self, name, kernel, **given):
        self.name = name
        self.kernel = kernel
        for key in Op.__slots__:
            if key not in ("name", "kernel"):
                setattr(self, key, given.pop(key, None))
        if given:
            raise TypeError(f"{name}: unknown options {sorted(given)}")
        # PyTorch's texts drop the namespace's prefix from a name in some places and keep it in others; this is the kept one
        self.shown = self.shown or (name if name.startswith("__") else name.lstrip("_"))
        self.kwonly = 0
        if self.params is None:
            code = kernel.__code__
            self.kwonly = code.co_kwonlyargcount
            self.params = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.positional = len(self.params) - self.kwonly
        self.kwnames = self.params[self.positional :]
        self.layouts = {}
        self.node_classes = {}
        self.numbers = self.numbers or "any"
        # bit i: parameter i must be a tensor
        self.required = 0 if self.elementwise else sum(1 << i for i, p in enumerate(self.params) if p in _TENSORS)

    def binder(self):
        """A function with the operator's signature that returns the bound values in order; made at the first call."""
        if self.bind is None:
            self.bind = _binder(self)
        return self.bind

    def defaults(self):
        """The default of every parameter that has one, by name."""
        code = getattr(self.kernel, "__code__", None)
        if code is None:
            return {}
        found = dict(self.kernel.__kwdefaults__ or {})
        values = self.kernel.__defaults__ or ()
        found.update(zip(code.co_varnames[code.co_argcount - len(values) : code.co_argcount], values))
        return found

    def node(self, values=None):
        """The class of the operator's nodes, named as PyTorch names it; made at the first recording.

        Where ``node_name`` is a function of the bound arguments there is a class for each name.
        """
        if not callable(self.node_name):
            if self.node_class is None:
                from .record import node_class

                self.node_class = node_class(self, self.node_name or camel(self.name) + "Backward0")
            return self.node_class
        name = self.node_name(values)
        found = self.node_classes.get(name)
        if found is None:
            from .record import node_class

            found = self.node_classes[name] = node_class(self, name)
        return found


def camel(name):
    """``log_softmax`` -> ``LogSoftmax``."""
    return "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))


def _binder(op):
    defaults = getattr(op.kernel, "__defaults__", None) or ()
    kwdefaults = getattr(op.kernel, "__kwdefaults__", None) or {}
    if getattr(op.kernel, "__code__", None) is None:
        defaults, kwdefaults = (), {}
    parts = []
    first_default = op.positional - len(defaults)
    for i, name in enumerate(op.params):
        if i == op.positional:
            parts.append("*")
        if i >= op.positional:
            parts.append(f"{name}=kwdefaults[{name!r}]" if name in kwdefaults else name)
        else:
            parts.append(f"{name}=defaults[{i - first_default}]" if i >= first_default else name)
    assert not any(keyword.iskeyword(name) for name in op.params)
    source = f"lambda {', '.join(parts)}: ({', '.join(op.params)},)"
    return eval(source, {"defaults": defaults, "kwdefaults": kwdefaults})


# -------------------------------------------------------------------------------------------------- declarations


def unary(name, kernel, rule=None, *, kind="same", **options):
    """An elementwise operator of one tensor; ``rule`` is its derivative dy/dx."""
    return elementwise(name, kernel, ("input",), {"input": rule}, kind=kind, **options)


def binary(name, kernel, rule=None, other_rule=None, *, kind="same", **options):
    """An elementwise operator of two tensors or numbers; the rules are the two partial derivatives."""
    return elementwise(name, kernel, ("input", "other"), {"input": rule, "other": other_rule}, kind=kind, **options)


def elementwise(name, kernel, operands, partials, *, kind="same", inplace=True, out=True, **options):
    """An elementwise operator of any number of ``operands`` (names of parameters), which broadcast and promote together.

    ``refuse(*operands)`` raises for operands (arrays and numbers, not yet promoted) that the operator does not take.
    ``numbers`` says where Python numbers may stand for tensors: ``"any"`` (not everywhere at once), ``"other"`` (not for the first),
    ``"none"``. ``kind``: ``"same"`` results in the promoted dtype, ``"float"`` turns integers into the default dtype first, ``"bool"``
    results in bool.
    """
    params = None if hasattr(kernel, "__code__") else tuple(operands)
    rules = {key: Rule(rule, 1) for key, rule in partials.items() if rule is not None}
    op = Op(
        *(name, kernel),
        **dict(
            params=params,
            rules=rules,
            elementwise=True,
            operands=tuple(operands),
            kind=kind,
            inplace=inplace,
            out=out,
            **options,
        ),
    )
    return _publish(op)


def differentiable(name, kernel, *, vjp=None, vjp_all=None, **options):
    """Any other operator.

    Of the options (see ``Op``): ``out`` is True, or ``"same"`` where ``out=`` must have the result's very dtype (``"same, last
    first"`` where the last of several results is asked about first); ``check_out(result
    dtype, out dtype)`` raises what is more particular; ``apart`` refuses an ``out=`` that shares memory with an input;
    ``prepare_out(arguments,
    outs)`` sees the call with ``out=`` first: it raises, or returns the arguments to compute with; ``out="copies"`` copies a recorded
    result as ``copy_`` does; ``spoken_out`` is the name in the refusal of gradients, False where there is none;
    ``misfit(target, arguments, shape)`` deals with an in-place result that has another ``shape`` than the tensor ``target``: it raises, or resizes it;
    ``otherwise`` is the function of tensors that answers where the kernel returns None (a view that strides do not allow);
    ``node_name`` is a name or a function of the bound arguments. ``vjp`` is a rule (for ``input``) or rules by argument name; ``vjp_all`` computes all at once."""
    if vjp is not None and not isinstance(vjp, dict):
        first = kernel.__code__.co_varnames[0]
        vjp = {first: vjp}
    rules = {_long(key) if key != "x" else "input": Rule(rule, 2) for key, rule in (vjp or {}).items()}
    joint = None if vjp_all is None else Rule(vjp_all, 2)
    return _publish(Op(name, kernel, rules=rules, joint=joint, **options))


def composite(name, **options):
    """Declare ``def name(F, input, ...)``, written in terms of ``F``: its derivatives come from its parts.

    Of the options, ``shown`` is the name for users, where another function has it in ``F``.
    """

    def declare(function):
        import functools

        raw = functools.partial(function, RAW)
        on_tensors = functools.partial(function, TENSOR)
        setattr(RAW, name, raw)
        _hang_composite(name, function, on_tensors, options)
        return function

    return declare


#: public functions of composites: name -> (function, options), for the coverage page
COMPOSITES = {}


def _hang_composite(name, function, on_tensors, options):
    from .dispatch import composite_function

    def make(face):
        public = composite_function(name, function, on_tensors, options, face)
        public.__wrapped__ = on_tensors  # what `inspect.signature` reads the arguments from
        return public

    aliases = options.get("aliases", ())
    public = _show(options.get("shown", name), make, aliases, options)
    setattr(TENSOR, name, public)
    COMPOSITES[name] = (public, options)
    if options.get("inplace"):

        def make_written(face):
            def written(input, *args, **kwargs):
                return input.copy_(public(input, *args, **kwargs))

            return written

        written = _show(name + "_", make_written, tuple(alias + "_" for alias in aliases), options)
        setattr(TENSOR, name + "_", written)


def _publish(op):
    from .dispatch import inplace_function, public_function, raw_function

    OPS[op.name] = op
    raw = raw_function(op)

    def make(face):
        op.face = op.face or face
        return _described(public_function(op, face), op, op.out)

    aliases = op.aliases or ()
    options = dict(method=op.method, function=op.function, space=op.space, method_name=op.method_name)
    op.public = _show(op.name, make, aliases, options)
    setattr(RAW, op.name, raw)
    setattr(TENSOR, op.name, op.public)
    if op.inplace:
        options["method_name"] = None
        written = _show(
            *(op.name + "_", lambda face: _described(inplace_function(op, face), op, False)),
            *(tuple(alias + "_" for alias in aliases), options),
        )
        setattr(TENSOR, op.name + "_", written)
    return op


class Arguments:
    """What users may give a function of an operator, for ``inspect``, which finds it as ``__wrapped__``; put together when asked for."""

    __slots__ = ("op", "out")

    def __init__(self, op, out):
        self.op, self.out = op, out

    @property
    def __signature__(self):
        from inspect import Parameter, Signature

        op, defaults = self.op, self.op.defaults()
        kinds = [Parameter.POSITIONAL_OR_KEYWORD] * op.positional + [Parameter.KEYWORD_ONLY] * op.kwonly
        made = [Parameter(p, kind, default=defaults.get(p, Parameter.empty)) for p, kind in zip(op.params, kinds)]
        if self.out and "out" not in op.params:
            made.append(Parameter("out", Parameter.KEYWORD_ONLY, default=None))
        return Signature(made)


def _described(public, op, out):
    """An operator's function whose arguments, and what the kernel says of itself, ``help`` and ``inspect`` see."""
    public.__wrapped__ = Arguments(op, out)
    if hasattr(op.kernel, "__code__"):
        public.__doc__ = op.kernel.__doc__
    return public


#: functions by public place: {"": {...}, "linalg": {...}, "nn.functional": {...}}
PLACES = {"": {}, "nn.functional": {}, **{space: {} for space in SPACES}}
#: the place of methods, which are attributes of the class
METHODS = "Tensor"


_MAKES = {}


def face_of(name, place, called=None):
    """A further object of the function ``name``, for another place, where it is called the same or ``called``."""
    called = called or name
    return _face(_MAKES[name], place, called, called)


def _show(name, make, aliases, options):
    """Put a function where users look for it, a module of torch or a method of Tensor, as an object of its own for each place.

    ``make((place, name))`` makes one; returned is the first, which stands for them all elsewhere.
    """
    first = None
    _MAKES[name] = make
    space = options.get("space")
    method = options.get("method")
    for each in (name, *aliases):
        if each.startswith("_") and not each.startswith("__"):
            continue
        prefix = each.split("_", 1)[0]
        place, short = space or "", each
        if place == "nn":
            place = "nn.functional"
        elif not place and prefix in SPACES and "_" in each:
            place, short = prefix, each.split("_", 1)[1]
        if options.get("function") is not False:
            made = PLACES.setdefault(place, {})[short] = _face(make, place, short, each)
            first = first or made
        if method or (method is None and place == ""):
            called = options.get("method_name") or short
            made = _face(make, METHODS, called, called)
            setattr(Tensor, called, made)
            if first is None or (each == name and each.endswith("_")):  # what writes in place is a method first of all
                first = made
    return first or _face(make, None, name, name)


def _face(make, place, short, name):
    """What ``make`` makes for a place, named as PyTorch names it there."""
    made = make((place, short))
    made.__name__ = name
    made.__qualname__ = "Tensor." + name if place == METHODS else name
    made.__module__ = "torch.nn.functional" if place == "nn.functional" else "torch"
    return made


def as_array(value):
    """What kernels must return: an array, also of no dimensions."""
    return value if value.__class__ is np.ndarray else np.asarray(value)


__all__ += ["COMPOSITES", "METHODS", "OPS", "PLACES", "Node", "as_array"]
