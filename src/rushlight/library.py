"""``torch.library``: operators of one's own, which ``torch.ops.<namespace>.<name>`` finds.

An operator is a function of tensors that runs without recording, and a formula for its gradient where one is registered. Nothing is
compiled or traced, so what a tracer would ask of an operator (`register_fake`) is kept and not called; there is one device, so a kernel
for "cpu", or for every device, is the one that runs.
"""

import contextlib
import functools
import inspect
import re
import weakref

from .absent import stand_in
from .autograd.function import Function
from .autograd.modes import is_grad_enabled, no_grad
from .ops import dispatch
from .ops.overloads import OpOverload, OpOverloadPacket
from .tensor import Tensor

__all__ = [
    *("CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract"),
    *("register_autograd", "register_fake", "register_kernel", "register_vmap"),
]

#: by namespace, the operators by name
_SPACES = {}
#: keys and devices whose kernels run here
_HERE = {None, "cpu", "CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd", ""}


class _Operator(OpOverloadPacket):
    """An operator: what ``torch.ops.space.name`` is. There is one overload, ``default``."""

    def __init__(self, space, name, signature=None):
        super().__init__(name, space)
        self._space, self._signature = space, signature
        self._kernel = self._fake = self._backward = self._setup = None
        #: whether the kernel is called as it is and records what it does, as one that stands for no device does
        self._recorded = False

    @functools.cached_property
    def default(self):
        return OpOverload(self, "default", self)

    @property
    def _qualified(self):
        return f"{self._space}::{self.__name__}"

    def overloads(self):
        return ["default"]

    def __getattr__(self, name):
        raise AttributeError(f"The underlying op of '{self}' has no overload name '{name}'")

    def __reduce__(self):
        return _operator, (self._qualified,)

    def __call__(self, *args, **kwargs):
        if self._kernel is None:
            raise NotImplementedError(
                f"Could not run '{self._qualified}' with arguments from the 'CPU' backend: it has no kernel."
            )
        if self._recorded and self._backward is None:
            return self._compute(*args, **kwargs)
        if self._signature is not None:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        if not is_grad_enabled() or not any(isinstance(each, Tensor) and each.requires_grad for each in args):
            with no_grad():
                return self._checked(self._compute(*args, **kwargs), args)
        return self._recording.apply(*args, *kwargs.values())

    def _compute(self, *args, **kwargs):
        """What the kernel returns, or modes and the arguments' classes who stand before it (``__torch_dispatch__``)."""
        result = (
            dispatch.ask_function(self.default, args, kwargs) if dispatch.ask_function is not None else NotImplemented
        )
        return self._kernel(*args, **kwargs) if result is NotImplemented else result

    def _checked(self, result, args):
        """The result; RuntimeError where it is one of the arguments, which autograd could not tell from a write."""
        given = {id(each) for each in args if isinstance(each, Tensor)}
        for each in result if isinstance(result, (tuple, list)) else (result,):
            if id(each) in given:
                raise RuntimeError(
                    f"{self._qualified}: The output of this custom operator must not also be an input to this custom operator; return a "
                    "clone of it instead."
                )
        return result

    @functools.cached_property
    def _recording(self):
        """The operator as a function with a gradient."""

        def forward(ctx, *args):
            named = args[len(self._positional) :]
            positional = args[: len(self._positional)] if named else args
            keywords = dict(zip(self._keyword_only, named))
            result = self._checked(self._compute(*positional, **keywords), positional)
            if self._setup is not None:
                extra = {"keyword_only_inputs": keywords} if named else {}
                self._setup(ctx=ctx, inputs=positional, output=result, **extra)
            ctx.named = len(named)
            return result

        def backward(ctx, *cotangents):
            if self._backward is None:
                raise RuntimeError(
                    f"Trying to backward through {self._space}.{self.__name__}.default but no autograd formula was registered. "
                    "Please use register_autograd to add one."
                )
            found = self._backward(ctx, *cotangents)
            return (*(found if isinstance(found, tuple) else (found,)), *(None,) * ctx.named)

        name = f"GeneratedBackwardFor_{self._space}_{self.__name__}_default"
        return type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})

    @property
    def _keyword_only(self):
        given = self._signature.parameters.values() if self._signature is not None else ()
        return [p.name for p in given if p.kind is p.KEYWORD_ONLY]

    @property
    def _positional(self):
        given = self._signature.parameters.values() if self._signature is not None else ()
        return [p.name for p in given if p.kind is not p.KEYWORD_ONLY]


class Namespace:
    """``torch.ops.<namespace>``: the operators registered there."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name in _SPACES.get(self._name, ()):
            return _SPACES[self._name][name]
        raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{name}'")

    def __dir__(self):
        return list(_SPACES.get(self._name, ()))

    def __repr__(self):
        return f"<module 'torch.ops.{self._name}' from '_ops.py'>"


def _split(qualname):
    space, found, name = qualname.partition("::")
    if not found:
        raise ValueError(f"Expected `qualname` to be of the form 'namespace::name', got {qualname!r}")
    return space, name.removesuffix(".default")


def _operator(op):
    """The operator that a name, an operator or a `CustomOpDef` means."""
    if isinstance(op, CustomOpDef):
        return op._operator
    if isinstance(op, _Operator):
        return op
    if isinstance(op, OpOverload):
        return op.overloadpacket
    space, name = _split(op)
    if name not in _SPACES.get(space, ()):
        raise RuntimeError(f"there is no operator {op} to register something for; define it first")
    return _SPACES[space][name]


def _new(space, name, signature=None):
    operator = _SPACES.setdefault(space, {})[name] = _Operator(space, name, signature)
    return operator


# ------------------------------------------------------------------------------------------------------- custom operators


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """An operator ``namespace::name`` from a function of tensors; without ``fn``, a decorator.

    Args:
        name: namespace and name, parted by two colons.
        mutates_args: the names of the arguments that the function writes into.
        device_types: for which devices the function is the kernel; None for all.
        schema: the signature in PyTorch's words. Without it every parameter must have a type annotation (ValueError).
        tags: words for compilers, of which there is none.

    Returns a `CustomOpDef`.
    """

    def make(function):
        signature = inspect.signature(function)
        if schema is None:
            for parameter in signature.parameters.values():
                if parameter.annotation is parameter.empty:
                    raise ValueError(
                        f"infer_schema(func): Parameter {parameter.name} must have a type annotation. Got func with signature {signature})"
                    )
        made = CustomOpDef(_new(*_split(name), signature), function)
        return made.register_kernel(device_types)(function) and made

    return make if fn is None else make(fn)


class CustomOpDef:
    """An operator of one's own, which is called as the function was."""

    def __init__(self, operator, function):
        self._operator, self._init_fn = operator, function
        functools.update_wrapper(self, function)

    @property
    def _qualname(self):
        return self._operator._qualified

    @property
    def _opoverload(self):
        return self._operator.default

    def __repr__(self):
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args, **kwargs):
        return self._operator(*args, **kwargs)

    def register_kernel(self, device_types, fn=None, /):
        """The function that runs on some devices (a name, several, or None for all)."""
        return register_kernel(self, device_types, fn)

    def register_fake(self, fn, /):
        """What a tracer would call for shapes alone; kept."""
        return register_fake(self, fn)

    def register_autograd(self, backward, /, *, setup_context=None):
        """The gradient: see `register_autograd`."""
        register_autograd(self, backward, setup_context=setup_context)

    def register_vmap(self, func=None):
        """How the operator works on batches: see `register_vmap`."""
        return register_vmap(self, func)


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """The function that computes ``op`` on some devices; without ``func``, a decorator."""

    def register(function):
        kinds = {device_types} if device_types is None or isinstance(device_types, str) else set(device_types)
        if kinds & _HERE:
            _operator(op)._kernel = function
        return function

    return register if func is None else register(func)


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=False):
    """What a tracer would call for shapes alone; kept, and not called. Without ``func``, a decorator."""

    def register(function):
        if not isinstance(op, str) or "::" in op and op.split("::")[0] in _SPACES:
            _operator(op)._fake = function
        return function

    return register if func is None else register(func)


impl_abstract = register_fake


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """The gradient of ``op``.

    Args:
        op: the operator, or its name.
        backward: ``backward(ctx, *cotangents)``, which gives a cotangent, or None, for every argument.
        setup_context: ``setup_context(ctx, inputs, output)``, which keeps on ``ctx`` what that needs. Arguments by keyword only are
            given to it as ``keyword_only_inputs``.
    """
    operator = _operator(op)
    operator._backward, operator._setup = backward, setup_context


def register_vmap(op, func=None, /, *, lib=None):
    """How ``op`` works on batches. NotImplementedError: ``torch.vmap`` goes through operators of one's own by no rule here."""
    raise NotImplementedError(
        "rushlight has no batching rules for operators of torch.library; use torch.autograd.Function with vmap"
    )


# -------------------------------------------------------------------------------------------------------------- libraries


class Library:
    """A namespace of operators, defined by signatures and functions apart.

    Args:
        ns: the namespace.
        kind: "DEF" for operators of one's own, "FRAGMENT" for more of them. "IMPL" would change the operators of others.
    """

    def __init__(self, ns, kind, dispatch_key=""):
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._defined = []
        weakref.finalize(self, _forget, ns, self._defined)

    def define(self, schema, alias_analysis="", *, tags=()):
        """An operator by its signature, ``name(Tensor x, int k=2) -> Tensor``; returns the name."""
        name = schema[: schema.index("(")].strip()
        if name not in _SPACES.get(self.ns, ()):
            _new(self.ns, name.removesuffix(".default"))
        self._defined.append(name)
        return name

    def impl(self, op_name, fn, dispatch_key="", *, with_keyset=False, allow_override=False):
        """The function that computes an operator for a key: "CPU", "CompositeImplicitAutograd", ...; other keys' are not called."""
        if not callable(fn):
            raise TypeError(f"Input function is required to be a callable but found type {type(fn)}")
        if self.ns == "aten":
            raise NotImplementedError("rushlight's own operators cannot be replaced")
        name = op_name if isinstance(op_name, str) else op_name.__name__
        operator = _operator(f"{self.ns}::{name.rpartition('::')[2]}")
        if (dispatch_key or self.dispatch_key) in _HERE:
            operator._kernel, operator._recorded = fn, True

    def _destroy(self):
        _forget(self.ns, self._defined)


@contextlib.contextmanager
def _scoped_library(*args, **kwargs):
    """A `Library` that goes at the end of the block."""
    made = Library(*args, **kwargs)
    try:
        yield made
    finally:
        made._destroy()


def _forget(space, names):
    for name in names:
        _SPACES.get(space, {}).pop(name, None)
    names.clear()


def define(qualname, schema=None, *, lib=None, tags=()):
    """An operator by its name and signature, ``("space::name", "(Tensor x) -> Tensor")``.

    ``define(library, "name(Tensor x) -> Tensor")`` is a decorator of its kernel.
    """
    if isinstance(qualname, Library):
        return impl(qualname, qualname.define(schema))
    if schema is not None and re.fullmatch(r"\(.*\) -> .*", schema) is None:
        raise ValueError(
            f'define(qualname, schema, ...): expected schema to look like e.g. "(Tensor x) -> Tensor" but got "{schema}"'
        )
    _new(*_split(qualname))


def impl(qualname, types, func=None, *, lib=None):
    """The function that computes an operator on some devices; without ``func``, a decorator.

    ``impl(library, "name", "CPU")`` is a decorator too.
    """
    if isinstance(qualname, Library):

        def kernel(function):
            qualname.impl(types, function, func or "")
            return function

        return kernel

    def register(function):
        kinds = {types} if isinstance(types, str) else set(types)
        if kinds & (_HERE | {"default"}):
            operator = _operator(qualname)
            operator._kernel, operator._recorded = function, True
        return function

    return register if func is None else register(func)


def fallthrough_kernel(*args):
    """What stands for no kernel; not to be called."""
    raise NotImplementedError("fallthrough_kernel() should never be called.")


__getattr__ = stand_in(__name__, "rushlight compiles and traces nothing")
