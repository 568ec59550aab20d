"""Functions that are no operators, and yet ask those who may stand before functions: modes, and the classes of tensors.

Functions of the top module ask as long as they live. Attributes of tensors (``x.shape``, ``x.size()``) ask from the moment on that there is
somebody to ask, a class or a mode: until then they are what they were written as, and ordinary tensors pay nothing.
"""

import functools
import types

from ..autograd.modes import state
from ..autograd.source import define
from ..tensor import Tensor
from . import dispatch
from .answering import EXACT, ask, foreign, in_turn, overloaded
from .table import METHODS, PLACES

__all__ = ["IGNORED_METHODS", "MAKERS", "ask_first", "asking", "let_attributes_ask", "methods", "properties"]

#: functions of the top module that take numbers, sizes and the like, and mostly make tensors: these ask modes, and no classes
MAKERS = (
    *("tensor", "as_tensor", "asarray", "frombuffer", "scalar_tensor", "zeros", "ones", "empty", "full", "eye"),
    *("empty_strided", "empty_permuted", "arange", "range", "linspace", "logspace", "tril_indices", "triu_indices"),
    *("rand", "randn", "randint", "randperm", "can_cast", "promote_types"),
    *("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"),
)
#: those that take tensors: these ask both
_OTHERS = (
    *("is_floating_point", "is_complex", "is_conj", "is_neg", "is_nonzero", "is_signed", "is_same_size"),
    *("is_inference", "is_distributed", "get_device", "numel", "result_type", "complex", "dequantize", "detach"),
    *("normal", "bernoulli", "rand_like", "randn_like", "randint_like", "multinomial", "poisson", "binomial"),
)
#: attributes of tensors that ask nobody
IGNORED_METHODS = frozenset(
    "__class__ __delattr__ __delitem__ __getattribute__ __hash__ __init__ __iter__ __new__ __setattr__ __torch_dispatch__ "
    "_make_subclass _make_wrapper_subclass as_subclass set_ eig lstsq solve symeig".split()
)
#: attributes that are not public by their names, and asked for all the same
_SPECIAL = frozenset(
    "_base _version _is_view _backward_hooks _grad_fn _post_accumulate_grad_hooks __len__ __bool__ __float__ __int__ __index__ "
    "__complex__ __contains__ __array__ __repr__ __format__ __dir__ __deepcopy__ __reduce_ex__ __reversed__ __dlpack__ "
    "__dlpack_device__".split()
)
#: operators that are methods in Python, and no operators of the table
_REFLECTED = frozenset(
    "__rdiv__ __rtruediv__ __rsub__ __rpow__ __rmod__ __rfloordiv__ __rlshift__ __rrshift__ __rmatmul__".split()
)
#: answers that are the same for every tensor, and attributes of the class therefore
_CONSTANTS = (
    "is_cpu is_cuda is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_nested is_quantized is_sparse is_sparse_csr is_vulkan is_xla is_xpu "
    "name".split()
)


def asking(function, face, classes=True):
    """``function`` with this thread's modes asked first, and the classes of its arguments too where ``classes`` is set.

    They are asked for it as for an operator at ``face``: by ``__torch_function__``, then by ``__torch_dispatch__`` if PyTorch has an
    operator of that name.
    """
    name = function.__name__

    @functools.wraps(function)
    def public(*args, **kwargs):
        if state.rare or (classes and args and args[0].__class__ not in EXACT):
            result = ask(face, (*args, *kwargs.values()) if classes else (), args, kwargs)
            if result is NotImplemented and dispatch.ask_method is not None:
                result = dispatch.ask_method(name, args, kwargs)
            if result is not NotImplemented:
                return result
            if dispatch.watch is not None:
                return dispatch.watch(name, function)(*args, **kwargs)
        return function(*args, **kwargs)

    public.__name__ = face[1]
    return public


def ask_first(namespace):
    """Let the functions of the top module that are no operators ask as operators do."""
    for name in (*MAKERS, *_OTHERS):
        function = namespace[name] = PLACES[""][name] = asking(namespace[name], ("", name), name not in MAKERS)
        function.__module__ = namespace["__name__"]


# ------------------------------------------------------------------------------------------------ attributes of tensors


def _members(kind):
    return {
        name: value
        for name, value in vars(Tensor).items()
        if isinstance(value, kind)
        and (not name.startswith("_") or name in _SPECIAL or name in _REFLECTED)
        and name not in IGNORED_METHODS
    }


def methods():
    """The methods that may be answered for, by name."""
    return _members(types.FunctionType)


def properties():
    """The same of properties."""
    return _members(property)


@functools.cache
def let_attributes_ask():
    """Let attributes of tensors ask before they do what they do: from now on, and only the first call of this does anything.

    Tables of handlers are keyed by these functions and by getters of these properties, so they stay the objects they are: functions are
    given other code, properties other functions.
    """
    for name in _CONSTANTS:
        setattr(Tensor, name, property(functools.partial(_constant, vars(Tensor)[name])))
    for name, function in methods().items():
        if not hasattr(function, "__wrapped__") and function.__code__.co_name != "_hand_on":
            _let_ask(function, name)
    for name, each in properties().items():
        each.fget.__name__ = name
        each.__init__(
            *(
                _asking_member(each, kind, f"torch.Tensor.{name}.{kind}")
                for kind in ("__get__", "__set__", "__delete__")
            ),
            each.__doc__,
        )
        setattr(Tensor, name, each)  # lets Python forget what it knows of attributes of the class


def _constant(value, self):
    return value


def _let_ask(function, name):
    plain = types.FunctionType(
        *(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    )
    plain.__kwdefaults__, plain.__qualname__ = function.__kwdefaults__, function.__qualname__
    face = METHODS, name

    def first(*args, **kwargs):
        if state.rare or foreign(args):
            try:
                result = ask(face, (*args, *kwargs.values()), args, kwargs)
            except TypeError:
                if name not in _REFLECTED:
                    raise
                return NotImplemented  # nobody answered: Python says so in its own words
            if result is not NotImplemented:
                return result
        return plain(*args, **kwargs)

    function.__wrapped__, function.__name__ = plain, name
    function.__code__ = _code_with(function.__code__.co_freevars)
    function.__defaults__, function.__kwdefaults__ = None, {"_first": first}


@functools.cache
def _code_with(free):
    """Code that hands its arguments on to ``_first``. Python wants a function's code to have as many free variables as the one before."""
    scope = {}
    define(
        f"def around({', '.join(free)}):\n"
        "    def _hand_on(*args, _first, **kwargs):\n"
        "        return _first(*args, **kwargs)\n"
        f"        {', '.join(free) or None}\n"
        "    return _hand_on",
        *("attribute", scope),
    )
    return scope["around"](*free).__code__


def _asking_member(whole, kind, name):
    """What a property is given for ``fget``, ``fset`` or ``fdel``: as before, but asking first."""
    plain = getattr(whole, dict(__get__="fget", __set__="fset", __delete__="fdel")[kind])
    function = getattr(whole, kind)
    if plain is None or (kind == "__set__" and plain.__qualname__.startswith("readonly.")):
        return plain  # there is nothing to answer for

    @functools.wraps(plain)
    def first(*args):
        if (state.rare or args[0].__class__ not in EXACT) and overloaded(args[:1]):
            return in_turn(name, function, overloaded(args[:1], plain=True), args, {})
        return plain(*args)

    return first
